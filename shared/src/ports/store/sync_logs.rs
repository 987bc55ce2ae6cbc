//! The audit trail.

use async_trait::async_trait;

use crate::{
    Result,
    model::{CalendarSyncLog, ConnectionKey, SyncLogId},
};

/// A row for each run.
#[async_trait]
pub trait SyncLogStore: Send + Sync {
    /// Stores a log row, replacing the one under its id.
    async fn put_log(&self, log: &CalendarSyncLog) -> Result<()>;
    /// One log row.
    async fn log(&self, key: ConnectionKey, id: SyncLogId) -> Result<Option<CalendarSyncLog>>;
    /// Log rows, newest first, those before `before`.
    async fn logs(&self, key: ConnectionKey, before: Option<SyncLogId>, limit: usize) -> Result<Vec<CalendarSyncLog>>;
}
