//! The traits at vendor edges. Each has one real implementation in [`crate::adapters`].

pub mod bus;
pub mod calendar;
pub mod clock;
pub mod dead_letters;
pub mod erase_queue;
pub mod login;
pub mod random;
pub mod rate_limiter;
pub mod store;
pub mod sync_queue;
pub mod token_vault;

pub use bus::NoticeBus;
pub use calendar::{
    Access, Calendar, CalendarError, EventPatch, NewChannel, Operation, OperationOutcome, Page, PageOutcome,
    PageRequest, Refusal,
};
pub use clock::Clock;
pub use dead_letters::DeadLetters;
pub use erase_queue::{EraseMessage, EraseQueue};
pub use login::{GrantedTokens, IssuedTokens, Login, LoginError};
pub use random::Random;
pub use rate_limiter::{RateLimiter, Reservation};
pub use store::{
    AccountStore, Among, ConflictChanges, ConflictFlags, ConflictStore, Connect, ConnectionPage, ConnectionStore, Due,
    ErasureStore, ExternalEventStore, ExternalLookup, HostStore, LeaseAttempt, LessonLookup, LessonMark,
    LessonSyncColumns, LoginStore, MappingStore, MarkUpdate, MentionStore, Outbox, ReleaseOutcome, ScheduleStore,
    Store, SyncLogStore, SyncStateStore, TenantStore,
};
pub use sync_queue::{SyncMessage, SyncQueue};
pub use token_vault::TokenVault;
