//! Notices that were committed with their cause and wait to be delivered.

use async_trait::async_trait;

use crate::{
    Result,
    model::{ConnectionKey, Notice},
};

/// Each connection's notices.
#[async_trait]
pub trait Outbox: Send + Sync {
    /// Puts notices into the outbox.
    async fn put_notices(&self, key: ConnectionKey, notices: &[Notice]) -> Result<()>;
    /// Notices that were committed and not delivered yet, oldest first.
    async fn pending_notices(&self, key: ConnectionKey, limit: usize) -> Result<Vec<Notice>>;
    /// Takes delivered notices out of the outbox.
    async fn delivered(&self, key: ConnectionKey, notices: &[Notice]) -> Result<()>;
}
