//! The host's tables.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::{
    Result,
    model::{ConnectionKey, EventId, Lesson, LessonId, LessonVersion, SyncStatus, TenantId, Window},
};

/// Our columns of a lesson's row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LessonSyncColumns {
    pub google_calendar_event_id: Option<EventId>,
    /// `None` if the lesson is not synced at all.
    pub calendar_sync_status: Option<SyncStatus>,
    pub has_conflict: bool,
}

impl LessonSyncColumns {
    /// The columns of a lesson that is not synced.
    pub const BLANK: Self = Self { google_calendar_event_id: None, calendar_sync_status: None, has_conflict: false };
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LessonLookup {
    Found(Box<Lesson>),
    /// A consistent read found no row.
    Gone,
    /// The row cannot be read; the text says why.
    Unreadable(String),
}

/// The host's lessons and instructors, and our columns of them.
#[async_trait]
pub trait HostStore: Send + Sync {
    /// In the order of `ids`, read consistently.
    async fn lessons(&self, tenant: TenantId, ids: &[LessonId]) -> Result<Vec<LessonLookup>>;
    /// Lessons that begin in the window, by an index that lags.
    async fn lessons_between(&self, key: ConnectionKey, window: Window) -> Result<Vec<LessonId>>;
    /// Stores a version of a lesson and keeps our columns; false, with nothing stored, if the row has that version or a
    /// later one. The version of a removed lesson stays until `forget_at`, so that an earlier one that arrives late does
    /// not restore it. The revision of a new row starts at `now`, in milliseconds, so that a lesson that returns after
    /// that has no revision that it had before.
    async fn save_lesson_version(
        &self,
        version: &LessonVersion,
        now: DateTime<Utc>,
        forget_at: DateTime<Utc>,
    ) -> Result<bool>;
    /// Does nothing to a lesson that is gone or another instructor's.
    async fn write_lesson_columns(&self, key: ConnectionKey, lesson: LessonId, flags: &LessonSyncColumns)
    -> Result<()>;
    /// Writes the flag alone, as [`Self::write_lesson_columns`] does.
    async fn flag_lesson(&self, key: ConnectionKey, lesson: LessonId, has_conflict: bool) -> Result<()>;
    /// Of a lesson that is the instructor's, or was and still shows their `event`.
    async fn clear_lesson_columns(&self, key: ConnectionKey, lesson: LessonId, event: &EventId) -> Result<()>;
    /// Writes the columns that are given, if the instructor exists.
    async fn flag_instructor(
        &self,
        key: ConnectionKey,
        enabled: Option<bool>,
        last_synced_at: Option<DateTime<Utc>>,
    ) -> Result<()>;
    async fn instructor_exists(&self, key: ConnectionKey) -> Result<bool>;
}
