//! Lists the connections of a tenant for its administrators.

use std::sync::Arc;

use super::show_status::{Overdue, overdue};
use crate::{
    Result,
    model::{
        ConnectionFilter, InstructorCalendarCredentials, InstructorId, SyncState, TenantId,
        connection_health::is_syncing,
    },
    ports::{Among, Clock, Store},
};

/// Connections on one page, where the caller names no number.
pub const CONNECTIONS_PER_PAGE: usize = 50;
/// The most connections on one page.
pub const MAX_CONNECTIONS_PER_PAGE: usize = 100;

#[derive(Debug, Clone)]
pub struct ListConnections {
    /// `None` for all.
    pub filter: Option<ConnectionFilter>,
    /// The last instructor of the previous page.
    pub after: Option<InstructorId>,
    pub limit: usize,
}

#[derive(Debug)]
pub struct ListedConnection {
    pub credentials: InstructorCalendarCredentials,
    pub state: SyncState,
    /// A channel whose renewal is overdue.
    pub overdue_renewal: Option<Overdue>,
    /// Whether a run is under way.
    pub syncing: bool,
}

/// Ordered by instructor.
#[derive(Debug)]
pub struct Page {
    pub connections: Vec<ListedConnection>,
    /// Where the next page begins, also where the filter has left nothing of this one.
    pub next_cursor: Option<InstructorId>,
}

pub struct ReadConnections {
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
}

impl ReadConnections {
    pub async fn list(&self, tenant: TenantId, asked: &ListConnections) -> Result<Page> {
        let now = self.clock.now();
        let page = self.store.connections(tenant, among(asked.filter), asked.after, asked.limit).await?;
        let takes = |(credentials, state): &(InstructorCalendarCredentials, SyncState)| {
            asked.filter.is_none_or(|filter| filter.takes(credentials, state, now))
        };
        let listed = |(credentials, state)| ListedConnection {
            overdue_renewal: overdue(&state, now),
            syncing: is_syncing(&credentials, &state, now),
            credentials,
            state,
        };
        let connections = page.connections.into_iter().filter(takes).map(listed).collect();
        Ok(Page { connections, next_cursor: page.last })
    }
}

/// The fewest rows among which all that a filter takes are found.
fn among(filter: Option<ConnectionFilter>) -> Among {
    match filter {
        None | Some(ConnectionFilter::SwitchedOff) => Among::All,
        Some(ConnectionFilter::Active | ConnectionFilter::Syncing) => Among::SyncEnabled,
        Some(
            ConnectionFilter::Failing
            | ConnectionFilter::PushSuspect
            | ConnectionFilter::NeedsReauth
            | ConnectionFilter::ClientRefused
            | ConnectionFilter::Attention,
        ) => Among::NeedingAttention,
    }
}
