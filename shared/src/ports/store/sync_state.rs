//! The hot part of a connection: where the sync stands, the lease and the requests.

use std::collections::BTreeSet;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{conflicts::ConflictChanges, host::LessonSyncColumns};
use crate::{
    Result,
    model::{CalendarId, ConnectionKey, EventId, ExternalCalendarEvent, LessonId, SyncState, SyncTask},
};

/// How asking for the lease ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LeaseAttempt {
    /// It is ours; the state as it is now, its lease naming us.
    Granted(Box<SyncState>),
    /// Somebody else holds it until then. The requests now stand on the state and a poll is due when the lease ends.
    Held {
        /// When the lease ends at the latest.
        until: DateTime<Utc>,
    },
    /// There is no such connection.
    NotConnected,
}

/// How giving the lease back ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReleaseOutcome {
    /// The state is stored, the requests are served, the lease is free.
    Released,
    /// Requests came meanwhile: nothing was stored, the lease is still ours, and here is the state as it is now.
    NewRequests(Box<SyncState>),
    /// Another holder took over: nothing was stored.
    Lost,
}

/// What a run that went without the lease stores: all of it or nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glance {
    /// The state as it is to be, under the fence and the request counter that it was read with.
    pub state: SyncState,
    /// Imported events to store.
    pub put: Vec<ExternalCalendarEvent>,
    /// Imported events to remove.
    pub remove: Vec<(CalendarId, EventId)>,
    /// Changes to conflicts, each lesson's once.
    pub conflicts: Vec<ConflictChanges>,
    /// Our columns of lessons whose flag changes.
    pub flags: Vec<(LessonId, LessonSyncColumns)>,
}

impl Glance {
    /// What fits into one transaction.
    pub const MOST_ITEMS: usize = 100;

    /// How many items it writes.
    pub fn items(&self) -> usize {
        let conflicts: usize = self.conflicts.iter().map(ConflictChanges::items).sum();
        1 + self.put.len() + self.remove.len() + self.flags.len() + conflicts
    }
}

/// The state of each connection, which only the holder of its lease changes.
#[async_trait]
pub trait SyncStateStore: Send + Sync {
    /// The state of a connection.
    async fn state(&self, key: ConnectionKey) -> Result<Option<SyncState>>;
    /// Takes the lease for `owner` until `until` if it is free at `now`; if not, raises the requests on condition that
    /// it is still held.
    async fn acquire_lease(
        &self,
        key: ConnectionKey,
        owner: Uuid,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
        tasks: &BTreeSet<SyncTask>,
    ) -> Result<LeaseAttempt>;
    /// Stores what the holder changed, on condition of the fence; false when the lease was lost. Lease, requests and
    /// the next poll are left as they are: whoever found the lease held relies on the poll at its end.
    async fn save_state(&self, key: ConnectionKey, state: &SyncState) -> Result<bool>;
    /// Stores what the holder changed and frees the lease, on condition of the fence and of the request counter as in
    /// `state`. The requests that stand afterwards are `state.pending.tasks`. One that was released already, since an answer
    /// was lost, is released, and nothing is stored again.
    async fn release_lease(&self, key: ConnectionKey, state: &SyncState) -> Result<ReleaseOutcome>;
    /// Stores what a run did without the lease, at most [`Glance::MOST_ITEMS`], and raises the fence. False, with
    /// nothing stored, unless the lease is free and fence and request counter are as in `glance.state`; false too when a
    /// lesson whose conflicts change has no mapping, or one whose columns change is gone or another instructor's.
    async fn commit_glance(&self, key: ConnectionKey, glance: &Glance) -> Result<bool>;
}
