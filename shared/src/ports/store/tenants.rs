//! The connections of a tenant, a page at a time.

use async_trait::async_trait;

use crate::{
    Result,
    model::{InstructorCalendarCredentials, InstructorId, SyncState, TenantId},
};

/// Which connections of a tenant a page is read from. What comes from the latter two is found through an index that lags,
/// and is shown as it is now, which may be otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Among {
    All,
    /// The specification's view `instructors_with_calendar_sync`.
    SyncEnabled,
    /// Those whose status or state says so.
    NeedingAttention,
}

/// Ordered by instructor.
#[derive(Debug)]
pub struct ConnectionPage {
    pub connections: Vec<(InstructorCalendarCredentials, SyncState)>,
    /// The instructor with whom the page ends, if there may be more.
    pub last: Option<InstructorId>,
}

#[async_trait]
pub trait TenantStore: Send + Sync {
    /// The connections of instructors behind `after`, no more than `limit`. A page reads about as many rows as it may show.
    async fn connections(
        &self,
        tenant: TenantId,
        among: Among,
        after: Option<InstructorId>,
        limit: usize,
    ) -> Result<ConnectionPage>;
}
