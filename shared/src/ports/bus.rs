//! The event bus on which the host receives notices.

use async_trait::async_trait;

use crate::{
    Result,
    model::{Erasure, Notice},
};

#[async_trait]
pub trait NoticeBus: Send + Sync {
    /// Delivers all of `notices`, or fails. A repeat after a failure may deliver some of them twice.
    async fn publish(&self, notices: &[Notice]) -> Result<()>;
    /// Tells that nothing is left to erase. A repeat has the same id.
    async fn tell_erased(&self, erasure: &Erasure) -> Result<()>;
}
