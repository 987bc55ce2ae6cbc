//! The messages of an erasure, which are in the queue of the sync worker. Each asks for one piece.

use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::{
    Result,
    model::{ErasureScope, InstructorId, TenantId},
};

/// Names an erasure: what is left to be done, the worker reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EraseMessage {
    pub tenant_id: TenantId,
    #[serde(rename = "erase")]
    pub scope: ErasureScope,
    /// Of a tenant: the last instructor that earlier messages have passed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<InstructorId>,
}

impl EraseMessage {
    pub fn first(tenant_id: TenantId, scope: ErasureScope) -> Self {
        Self { tenant_id, scope, after: None }
    }
}

#[async_trait]
pub trait EraseQueue: Send + Sync {
    /// Sends `message`, to be received after `delay`: 15 minutes at most, SQS's limit.
    async fn send_erase(&self, message: &EraseMessage, delay: Duration) -> Result<()>;
}
