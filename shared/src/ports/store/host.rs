//! The host's tables.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::{
    Result,
    model::{ConnectionKey, EventId, Lesson, LessonId, LessonVersion, SyncStatus, TenantId, Window},
};

/// Our columns of a lesson row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LessonSyncColumns {
    /// Its event in Google.
    pub google_calendar_event_id: Option<EventId>,
    /// How far its sync is; `None` when it is not synced at all.
    pub calendar_sync_status: Option<SyncStatus>,
    /// Whether a busy event overlaps it.
    pub has_conflict: bool,
}

impl LessonSyncColumns {
    /// Those of a lesson that is not synced.
    pub const BLANK: Self = Self { google_calendar_event_id: None, calendar_sync_status: None, has_conflict: false };
}

/// The answer to a look for one lesson.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LessonLookup {
    /// It is there.
    Found(Box<Lesson>),
    /// A consistent read found nothing under its key.
    Gone,
    /// The row is there but cannot be read; the text says what is wrong with it.
    Unreadable(String),
}

/// The host's lessons and instructors, and our columns of them.
#[async_trait]
pub trait HostStore: Send + Sync {
    /// Lessons by key, consistently, in the order asked for.
    async fn lessons(&self, tenant: TenantId, ids: &[LessonId]) -> Result<Vec<LessonLookup>>;
    /// The lessons of an instructor that begin in the window, by an index that lags.
    async fn lessons_between(&self, key: ConnectionKey, window: Window) -> Result<Vec<LessonId>>;
    /// Stores a version of a lesson and leaves our columns as they are; false, with nothing stored, when the row has
    /// that version or a later one. Where a removed lesson was, its version stays until `forget_at`, so that an earlier
    /// one that comes late does not bring it back. The revision of a new row begins at `now`, in milliseconds, so that a
    /// lesson that comes back after that has none that it had before.
    async fn save_lesson_version(
        &self,
        version: &LessonVersion,
        now: DateTime<Utc>,
        forget_at: DateTime<Utc>,
    ) -> Result<bool>;
    /// Writes our columns of a lesson; one that is gone, or that is another instructor's, is left as it is.
    async fn write_lesson_columns(&self, key: ConnectionKey, lesson: LessonId, flags: &LessonSyncColumns)
    -> Result<()>;
    /// Takes away our columns of a lesson that is the instructor's, or was and still shows `event` of theirs.
    async fn clear_lesson_columns(&self, key: ConnectionKey, lesson: LessonId, event: &EventId) -> Result<()>;
    /// Writes our columns of an instructor, those that are given; one that is gone is left gone.
    async fn flag_instructor(
        &self,
        key: ConnectionKey,
        enabled: Option<bool>,
        last_synced_at: Option<DateTime<Utc>>,
    ) -> Result<()>;
    /// Whether the tenant has this instructor.
    async fn instructor_exists(&self, key: ConnectionKey) -> Result<bool>;
}
