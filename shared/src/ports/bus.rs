//! Where notices go: the event bus that the host listens to.

use async_trait::async_trait;

use crate::{Result, model::Notice};

/// Takes notices to the host.
#[async_trait]
pub trait NoticeBus: Send + Sync {
    /// Delivers all of `notices`, or fails; a repeat after a failure may deliver some twice.
    async fn publish(&self, notices: &[Notice]) -> Result<()>;
}
