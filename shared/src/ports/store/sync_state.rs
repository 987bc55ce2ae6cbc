//! The hot part of a connection: where the sync stands, the lease and the requests.

use std::collections::BTreeSet;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::{
    Result,
    model::{ConnectionKey, SyncState, SyncTask},
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

/// The state of each connection, which only the holder of its lease changes.
#[async_trait]
pub trait SyncStateStore: Send + Sync {
    async fn state(&self, key: ConnectionKey) -> Result<Option<SyncState>>;
    /// Takes the lease for `owner` until `until` if it is free at `now`. Where it was never given back, its owner stands in
    /// the new lease as `cut`, and a poll is due at the new one's end: whatever cut that run may cut this one.
    /// While another holds it, stores the requests, on condition that it is still held.
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
}
