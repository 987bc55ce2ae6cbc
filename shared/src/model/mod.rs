//! Plain data and the rules that concern it alone. No clock, no randomness, no I/O.

pub mod act;
pub mod channel_token;
pub mod conflict;
pub mod connection;
pub mod connection_health;
pub mod erasure;
pub mod event;
pub mod event_id;
pub mod external_event;
pub mod fingerprint;
pub mod ids;
pub mod lesson;
pub mod listing;
pub mod mapping;
pub mod mentions;
pub mod notice;
pub mod oauth;
pub mod person;
pub mod rendering;
pub mod skipped_event;
pub mod sync_log;
pub mod sync_state;
pub mod text;
pub mod timestamp;
pub mod window;
pub mod zone;

pub use act::{Act, PersonAct};
pub use channel_token::WebhookKeys;
pub use conflict::{ConflictId, Ignored, PairChange, PairState, SchedulingConflict};
pub use connection::{
    ConnectionStatus, InstructorCalendarCredentials, SettingChange, SettingsPatch, SyncDirection, SyncSettings,
};
pub use connection_health::{ConnectionFilter, ConnectionHealth, Unfollowed};
pub use erasure::{Erasure, ErasureScope};
pub use event::{Event, EventStatus, EventTime, EventType, Free};
pub use event_id::OwnEventId;
pub use external_event::{Extent, ExternalCalendarEvent};
pub use fingerprint::Fingerprint;
pub use ids::{
    CalendarId, ChannelId, ConnectionId, ConnectionKey, EventId, InstructorId, LessonId, SyncLogId, TenantId,
};
pub use lesson::{FedLesson, Lesson, LessonContent, LessonStatus, LessonVersion, SyncStatus};
pub use listing::{Cursor, ListingProgress};
pub use mapping::{Base, CalendarEventMapping, DirtyMark, Remote};
pub use mentions::Mentions;
pub use notice::{ConflictChange, Notice, NoticeKind};
pub use oauth::{
    CalendarOAuthTokens, CreateCalendarCredentials, GoogleAccount, OAuthState, SealedSecret, SealedTokens,
};
pub use person::{Person, PersonRole};
pub use skipped_event::{SkipReason, SkippedEvent};
pub use sync_log::{CalendarSyncLog, LogRow, SyncCounts, SyncOutcome, SyncTrigger};
pub use sync_state::{Channel, Lease, PendingRequests, PushHealth, Removals, SyncState, SyncTask};
pub use window::{SyncCalendarRequest, Window};
pub use zone::Zone;
