//! Pairs of a lesson and an occurrence that overlap.

use async_trait::async_trait;

use crate::{
    Result,
    model::{CalendarId, ConnectionKey, EventId, LessonId, Notice, SchedulingConflict},
};

/// The changes to the conflicts of one lesson. If they do not fit into one transaction, each pair is stored together with
/// its notice, and the flag last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConflictChanges {
    pub lesson_id: LessonId,
    /// New pairs, and pairs whose overlap moved.
    pub put: Vec<PairChange>,
    /// Pairs that no longer overlap.
    pub remove: Vec<PairChange>,
    pub has_conflict: bool,
}

/// A pair that is new, has moved or no longer overlaps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PairChange {
    pub pair: SchedulingConflict,
    /// The notice to the host; `None` for a pair that moved.
    pub notice: Option<Notice>,
}

#[async_trait]
pub trait ConflictStore: Send + Sync {
    async fn conflicts(&self, key: ConnectionKey) -> Result<Vec<SchedulingConflict>>;
    async fn conflicts_of_lesson(&self, key: ConnectionKey, lesson: LessonId) -> Result<Vec<SchedulingConflict>>;
    /// The conflicts that name one event, or another of its family ([`EventId::family`]).
    async fn conflicts_of_event(
        &self,
        key: ConnectionKey,
        calendar: &CalendarId,
        event: &EventId,
    ) -> Result<Vec<SchedulingConflict>>;
    /// Also sets the flag on each lesson's mapping.
    async fn apply_conflicts(&self, key: ConnectionKey, changes: &[ConflictChanges]) -> Result<()>;
}
