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

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LeaseAttempt {
    /// With the state, whose lease names the new owner.
    Granted(Box<SyncState>),
    /// Another owner holds it. The requests are stored with the state, and a poll is due at the lease's end.
    Held {
        until: DateTime<Utc>,
    },
    NotConnected,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReleaseOutcome {
    /// The state is stored and the lease is free.
    Released,
    /// Requests came meanwhile: nothing was stored, the lease is still held. With the state as it is now.
    NewRequests(Box<SyncState>),
    /// Another owner has the lease: nothing was stored.
    Lost,
}

/// What a run without the lease stores, in one transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glance {
    /// With the fence and the request counter that it was read with.
    pub state: SyncState,
    pub put: Vec<ExternalCalendarEvent>,
    pub remove: Vec<(CalendarId, EventId)>,
    /// Each lesson at most once.
    pub conflicts: Vec<ConflictChanges>,
    pub flags: Vec<(LessonId, LessonSyncColumns)>,
}

impl Glance {
    /// DynamoDB's limit for one transaction.
    pub const MAX_ITEMS: usize = 100;

    pub fn items(&self) -> usize {
        let conflicts: usize = self.conflicts.iter().map(ConflictChanges::items).sum();
        1 + self.put.len() + self.remove.len() + self.flags.len() + conflicts
    }
}

/// The state of each connection, which only the holder of its lease changes.
#[async_trait]
pub trait SyncStateStore: Send + Sync {
    async fn state(&self, key: ConnectionKey) -> Result<Option<SyncState>>;
    /// Takes the lease for `owner` until `until` if it is free at `now`; otherwise stores the requests, on condition that
    /// it is still held.
    async fn acquire_lease(
        &self,
        key: ConnectionKey,
        owner: Uuid,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
        tasks: &BTreeSet<SyncTask>,
    ) -> Result<LeaseAttempt>;
    /// Stores what the lease's owner changed, on condition of the fence; false if the lease was lost. Keeps lease, requests
    /// and the next poll: a run that found the lease held relies on the poll at its end.
    async fn save_state(&self, key: ConnectionKey, state: &SyncState) -> Result<bool>;
    /// Stores what the lease's owner changed and frees the lease, on condition of the fence and of the request counter in
    /// `state`. `state.pending.tasks` replaces the requests. If the lease was released already, since an answer was lost,
    /// nothing is stored again.
    async fn release_lease(&self, key: ConnectionKey, state: &SyncState) -> Result<ReleaseOutcome>;
    /// Stores at most [`Glance::MAX_ITEMS`] and raises the fence. False, with nothing stored, unless the lease is free and
    /// fence and request counter are as in `glance.state`; also false if a lesson whose conflicts change has no mapping,
    /// or if a lesson whose columns change is gone or another instructor's.
    async fn commit_glance(&self, key: ConnectionKey, glance: &Glance) -> Result<bool>;
}
