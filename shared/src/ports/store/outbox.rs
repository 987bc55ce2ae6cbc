//! Notices that were committed with their cause and wait to be delivered.

use async_trait::async_trait;

use crate::{
    Result,
    model::{ConnectionKey, Notice},
};

#[async_trait]
pub trait Outbox: Send + Sync {
    async fn put_notices(&self, key: ConnectionKey, notices: &[Notice]) -> Result<()>;
    /// Oldest first.
    async fn pending_notices(&self, key: ConnectionKey, limit: usize) -> Result<Vec<Notice>>;
    /// Removes notices that were delivered.
    async fn delivered(&self, key: ConnectionKey, notices: &[Notice]) -> Result<()>;
}
