//! Pairs of a lesson and an occurrence that overlap.

use async_trait::async_trait;

use crate::{
    Result,
    model::{CalendarId, ConnectionKey, EventId, LessonId, Notice, SchedulingConflict},
};

/// The changes to the conflicts of one lesson. Where they are too many to be stored together, each pair is stored with
/// its notice or not at all, and the flag comes last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConflictChanges {
    /// The lesson.
    pub lesson_id: LessonId,
    /// Pairs that are new, or whose overlap moved.
    pub put: Vec<PairChange>,
    /// Pairs that are no more.
    pub remove: Vec<PairChange>,
    /// Whether any pair is left.
    pub has_conflict: bool,
}

impl ConflictChanges {
    /// How many items they write, the flag on the mapping among them.
    pub(super) fn items(&self) -> usize {
        let pairs = self.put.iter().chain(&self.remove);
        1 + pairs.map(|change| 1 + usize::from(change.notice.is_some())).sum::<usize>()
    }
}

/// A pair that comes, moves or goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PairChange {
    /// The pair.
    pub pair: SchedulingConflict,
    /// What the host is told; nothing of a pair that moved.
    pub notice: Option<Notice>,
}

/// The conflicts of each connection.
#[async_trait]
pub trait ConflictStore: Send + Sync {
    /// The conflicts of a connection.
    async fn conflicts(&self, key: ConnectionKey) -> Result<Vec<SchedulingConflict>>;
    /// The conflicts of one lesson.
    async fn conflicts_of_lesson(&self, key: ConnectionKey, lesson: LessonId) -> Result<Vec<SchedulingConflict>>;
    /// The conflicts that name one event, or another of its family ([`EventId::family`]).
    async fn conflicts_of_event(
        &self,
        key: ConnectionKey,
        calendar: &CalendarId,
        event: &EventId,
    ) -> Result<Vec<SchedulingConflict>>;
    /// Applies conflict changes, and the flag on each lesson's mapping.
    async fn apply_conflicts(&self, key: ConnectionKey, changes: &[ConflictChanges]) -> Result<()>;
}
