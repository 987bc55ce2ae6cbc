//! Where messages go that no repetition makes good.

use async_trait::async_trait;

use crate::Result;

/// Keeps what was refused for somebody to look at.
#[async_trait]
pub trait DeadLetters: Send + Sync {
    /// Keeps `body`, as it came, with the reason why it was refused.
    async fn keep(&self, body: &str, reason: &str) -> Result<()>;
}
