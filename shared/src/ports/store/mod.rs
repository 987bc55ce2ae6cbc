//! What is kept, a trait for each kind of it, one method for each access pattern. Whatever belongs to a connection takes
//! its [`ConnectionKey`](crate::model::ConnectionKey) first, so no row is read or written without its owner; what is read of
//! all connections of a tenant takes the tenant.
//!
//! Reads by key and through local indexes are consistent. Global indexes lag: what comes from one
//! ([`ScheduleStore::due`], [`ScheduleStore::renewals`], [`HostStore::lessons_between`], two of the ways of
//! [`TenantStore::connections`], logins that are erased) is read again by key before it is
//! believed, and nothing is concluded from absence in one.

mod conflicts;
mod connections;
mod erasures;
mod external_events;
mod host;
mod logins;
mod mappings;
mod mentions;
mod outbox;
mod schedule;
mod sync_logs;
mod sync_state;
mod tenants;

pub use conflicts::{ConflictChanges, ConflictFlags, ConflictStore};
pub use connections::{AccountStore, Connect, ConnectionStore};
pub use erasures::ErasureStore;
pub use external_events::{ExternalEventStore, ExternalLookup};
pub use host::{HostStore, LessonLookup, LessonSyncColumns};
pub use logins::LoginStore;
pub use mappings::{LessonMark, MappingStore, MarkUpdate};
pub use mentions::MentionStore;
pub use outbox::Outbox;
pub use schedule::{Due, ScheduleStore};
pub use sync_logs::SyncLogStore;
pub use sync_state::{LeaseAttempt, ReleaseOutcome, SyncStateStore};
pub use tenants::{Among, ConnectionPage, TenantStore};

/// All that is kept.
pub trait Store:
    ConnectionStore
    + AccountStore
    + SyncStateStore
    + ScheduleStore
    + MappingStore
    + MentionStore
    + ConflictStore
    + ExternalEventStore
    + HostStore
    + SyncLogStore
    + Outbox
    + LoginStore
    + TenantStore
    + ErasureStore
{
}

impl<T> Store for T where
    T: ConnectionStore
        + AccountStore
        + SyncStateStore
        + ScheduleStore
        + MappingStore
        + MentionStore
        + ConflictStore
        + ExternalEventStore
        + HostStore
        + SyncLogStore
        + Outbox
        + LoginStore
        + TenantStore
        + ErasureStore
{
}
