//! Erasures, and the instructors of a tenant of whom rows may be there.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::{
    Result,
    model::{ConnectionKey, Erasure, ErasureScope, InstructorId, TenantId},
};

#[async_trait]
pub trait ErasureStore: Send + Sync {
    /// Stores an erasure, unless one of the same is under way: that stays as it is. Returns the one that is stored.
    async fn begin_erasure(&self, erasure: &Erasure) -> Result<Erasure>;
    async fn erasure(&self, tenant: TenantId, scope: ErasureScope) -> Result<Option<Erasure>>;
    /// The first instructor behind `after` who was ever connected and is not erased, connected or not.
    async fn known_instructor(&self, tenant: TenantId, after: Option<InstructorId>) -> Result<Option<InstructorId>>;
    /// Erases rows of an instructor who has no connection: lessons' mappings with what stands beside them, imports, log
    /// rows, and logins in progress. Returns how many, `limit` at most.
    async fn erase_rows(&self, key: ConnectionKey, limit: usize) -> Result<usize>;
    /// Erases logins in progress of the tenant, found through an index that lags. Returns how many, `limit` at most.
    async fn erase_logins(&self, tenant: TenantId, limit: usize) -> Result<usize>;
    /// Forgets that the instructor was ever connected, and counts them with the erasure; of one who is not known, neither.
    async fn forget_instructor(&self, key: ConnectionKey, scope: ErasureScope) -> Result<()>;
    /// Notes the end of an erasure that is under way. From then on the record expires.
    async fn end_erasure(&self, tenant: TenantId, scope: ErasureScope, ended_at: DateTime<Utc>) -> Result<()>;
}
