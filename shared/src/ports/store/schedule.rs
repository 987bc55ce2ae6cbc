//! When each connection is to be polled and its channel renewed.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::{
    Result,
    model::{ConnectionKey, SyncState},
};

/// A connection found through an index that lags.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    pub key: ConnectionKey,
    /// As the index has it.
    pub at: DateTime<Utc>,
}

#[async_trait]
pub trait ScheduleStore: Send + Sync {
    /// How many shards the two indexes have.
    fn shards(&self) -> u8;
    /// Connections of `shard` whose poll is due, the longest due first.
    async fn due(&self, shard: u8, now: DateTime<Utc>, limit: usize) -> Result<Vec<Due>>;
    /// Connections of `shard` whose channel is to be renewed, the longest due first.
    async fn renewals(&self, shard: u8, now: DateTime<Utc>, limit: usize) -> Result<Vec<Due>>;
    /// Moves the next poll from `due` to `next` and returns the state; `None` if another dispatcher moved it first.
    async fn claim_due(&self, due: Due, next: DateTime<Utc>) -> Result<Option<SyncState>>;
    /// Makes the next poll due at `at`, or never, even if a run holds the lease. Does nothing without a connection.
    async fn schedule(&self, key: ConnectionKey, at: Option<DateTime<Utc>>) -> Result<()>;
}
