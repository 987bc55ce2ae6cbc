//! The audit trail.

use async_trait::async_trait;

use crate::{
    Result,
    model::{CalendarSyncLog, ConnectionKey, LogRow, SyncLogId},
};

/// A row for each run. Those of acts are stored with what they change.
#[async_trait]
pub trait SyncLogStore: Send + Sync {
    /// Replaces the row with the same id.
    async fn put_log(&self, log: &CalendarSyncLog) -> Result<()>;
    /// The row of a run.
    async fn log(&self, key: ConnectionKey, id: SyncLogId) -> Result<Option<CalendarSyncLog>>;
    /// Rows before `before`, newest first.
    async fn logs(&self, key: ConnectionKey, before: Option<SyncLogId>, limit: usize) -> Result<Vec<LogRow>>;
}
