//! The queue for messages that fail however often they are repeated.

use async_trait::async_trait;

use crate::Result;

#[async_trait]
pub trait DeadLetters: Send + Sync {
    /// Keeps `body` unchanged, with the reason why it was refused.
    async fn keep(&self, body: &str, reason: &str) -> Result<()>;
}
