//! Which event a lesson has, and whether it is dirty: to be compared again.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::{
    Result,
    model::{CalendarEventMapping, ConnectionKey, LessonId, Notice, Window},
};

/// What a save does with the mark of a dirty mapping.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MarkUpdate {
    Keep,
    /// Unless it was raised since it was read as `seen`.
    Clear {
        /// The version of the mapping's mark as it was read.
        seen: u64,
    },
    Raise,
}

/// A lesson to mark as dirty, with its times for the row that may have to be created.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LessonMark {
    pub lesson_id: LessonId,
    pub starts_at: DateTime<Utc>,
    pub ends_at: DateTime<Utc>,
}

#[async_trait]
pub trait MappingStore: Send + Sync {
    async fn mapping(&self, key: ConnectionKey, lesson: LessonId) -> Result<Option<CalendarEventMapping>>;
    /// The longest waiting first.
    async fn dirty_mappings(&self, key: ConnectionKey, limit: usize) -> Result<Vec<CalendarEventMapping>>;
    /// Mappings whose sync failed and whose lesson has not ended `now`, in the order of their end.
    async fn failed_mappings(
        &self,
        key: ConnectionKey,
        now: DateTime<Utc>,
        limit: usize,
    ) -> Result<Vec<CalendarEventMapping>>;
    /// The mappings whose lesson overlaps `[from, to)`. Lessons last a day at most.
    async fn mappings_between(&self, key: ConnectionKey, window: Window) -> Result<Vec<CalendarEventMapping>>;
    async fn mappings(&self, key: ConnectionKey) -> Result<Vec<CalendarEventMapping>>;
    /// Stores a mapping, except its conflict flag and its mark, and notices with it.
    async fn save_mapping(&self, mapping: &CalendarEventMapping, mark: MarkUpdate, notices: &[Notice]) -> Result<()>;
    /// Creates rows for lessons that have none.
    async fn mark_dirty(&self, key: ConnectionKey, lessons: &[LessonMark], now: DateTime<Utc>) -> Result<()>;
    /// False, with nothing removed, if the mark was raised since it was read as `seen`.
    async fn delete_mapping(&self, key: ConnectionKey, lesson: LessonId, seen: u64) -> Result<bool>;
    /// Removes the conflicts too.
    async fn clear_mappings(&self, key: ConnectionKey) -> Result<()>;
}
