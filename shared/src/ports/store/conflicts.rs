//! Pairs of a lesson and an event that overlap.

use async_trait::async_trait;

use crate::{
    Result,
    model::{CalendarId, ConnectionKey, EventId, LessonId, Notice, PairChange, SchedulingConflict},
};

/// What is stored at once: at most twenty pairs of at most twenty lessons.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConflictChanges {
    pub pairs: Vec<PairChange>,
    /// Of each lesson that the pairs name.
    pub lessons: Vec<ConflictFlags>,
}

/// What a lesson's mapping says of its conflicts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConflictFlags {
    pub lesson_id: LessonId,
    pub has_conflict: bool,
    /// How many more events overlap the lesson than it has pairs.
    pub left_out: u32,
    /// The mapping's `conflicts_version` as it was read, before the pairs were.
    pub seen: u64,
}

#[async_trait]
pub trait ConflictStore: Send + Sync {
    async fn conflicts(&self, key: ConnectionKey) -> Result<Vec<SchedulingConflict>>;
    async fn conflicts_of_lesson(&self, key: ConnectionKey, lesson: LessonId) -> Result<Vec<SchedulingConflict>>;
    /// The conflicts with one event, or another of its family ([`EventId::family`]).
    async fn conflicts_of_event(
        &self,
        key: ConnectionKey,
        calendar: &CalendarId,
        event: &EventId,
    ) -> Result<Vec<SchedulingConflict>>;
    /// Stores pairs, the flags on the mappings and the notice of it together. False, with nothing stored, if a lesson has
    /// no mapping any more, or if its conflicts were stored since they were seen.
    async fn apply_conflicts(
        &self,
        key: ConnectionKey,
        changes: &ConflictChanges,
        notice: Option<&Notice>,
    ) -> Result<bool>;
    /// Stores what a person decided of a pair, the flags that follow and the notice of it, and marks the mapping dirty, so
    /// that a run compares the lesson again. False, with nothing stored, as [`Self::apply_conflicts`].
    async fn decide_conflict(
        &self,
        key: ConnectionKey,
        pair: &SchedulingConflict,
        flags: ConflictFlags,
        notice: &Notice,
    ) -> Result<bool>;
}
