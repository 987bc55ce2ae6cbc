//! Which event a lesson has, and the mark that says "to be looked at".

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::{
    Result,
    model::{CalendarEventMapping, ConnectionKey, LessonId, Notice, Window},
};

/// What a save does with the mark that says "to be looked at".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DirtyMark {
    /// Leave it.
    Keep,
    /// Take it away, unless it was raised since it was read as `seen`.
    Clear {
        /// The mapping's `dirty_version` as it was read.
        seen: u64,
    },
    /// Raise it.
    Raise,
}

/// A lesson that is to be looked at, with its times for the row that may have to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LessonMark {
    /// The lesson.
    pub lesson_id: LessonId,
    /// When it begins.
    pub starts_at: DateTime<Utc>,
    /// When it ends.
    pub ends_at: DateTime<Utc>,
}

/// The mappings of each connection.
#[async_trait]
pub trait MappingStore: Send + Sync {
    /// The mapping of one lesson.
    async fn mapping(&self, key: ConnectionKey, lesson: LessonId) -> Result<Option<CalendarEventMapping>>;
    /// The mappings that are to be looked at, the longest waiting first.
    async fn dirty_mappings(&self, key: ConnectionKey, limit: usize) -> Result<Vec<CalendarEventMapping>>;
    /// At most `limit` mappings whose sync failed and whose lesson is not over `now`, in the order of their end.
    async fn failed_mappings(
        &self,
        key: ConnectionKey,
        now: DateTime<Utc>,
        limit: usize,
    ) -> Result<Vec<CalendarEventMapping>>;
    /// The mappings whose lesson overlaps `[from, to)`. Lessons are taken to last a day at most.
    async fn mappings_between(&self, key: ConnectionKey, window: Window) -> Result<Vec<CalendarEventMapping>>;
    /// All mappings of a connection.
    async fn mappings(&self, key: ConnectionKey) -> Result<Vec<CalendarEventMapping>>;
    /// Stores a mapping (its flag and its mark excepted) with what the host is told, together or not at all.
    async fn save_mapping(&self, mapping: &CalendarEventMapping, dirty: DirtyMark, notices: &[Notice]) -> Result<()>;
    /// Marks lessons as to be looked at, making rows for those that have none.
    async fn mark_dirty(&self, key: ConnectionKey, lessons: &[LessonMark], now: DateTime<Utc>) -> Result<()>;
    /// Removes a mapping, unless its mark was raised since it was read as `seen`: false then.
    async fn delete_mapping(&self, key: ConnectionKey, lesson: LessonId, seen: u64) -> Result<bool>;
    /// Removes all mappings and conflicts of a connection.
    async fn clear_mappings(&self, key: ConnectionKey) -> Result<()>;
}
