//! Conflicts: pairs, and the flag that follows from them.

use std::collections::BTreeSet;

use async_trait::async_trait;
use calendar_sync::{
    Result,
    model::{CalendarId, ConnectionKey, EventId, LessonId, Notice, PairChange, SchedulingConflict},
    ports::{ConflictChanges, ConflictStore},
};

use super::{MemoryStore, Stored, Table, Tables};

#[async_trait]
impl ConflictStore for MemoryStore {
    async fn conflicts(&self, key: ConnectionKey) -> Result<Vec<SchedulingConflict>> {
        self.read(|tables| tables.conflicts_where(key, |_| true)).await
    }

    async fn conflicts_of_lesson(&self, key: ConnectionKey, lesson: LessonId) -> Result<Vec<SchedulingConflict>> {
        self.read(|tables| tables.conflicts_where(key, |pair| pair.lesson_id == lesson)).await
    }

    async fn conflicts_of_event(
        &self,
        key: ConnectionKey,
        calendar: &CalendarId,
        event: &EventId,
    ) -> Result<Vec<SchedulingConflict>> {
        let names = |pair: &SchedulingConflict| {
            pair.calendar_id == *calendar && pair.google_event_id.family() == event.family()
        };
        self.read(|tables| tables.conflicts_where(key, names)).await
    }

    async fn apply_conflicts(
        &self,
        key: ConnectionKey,
        changes: &ConflictChanges,
        notice: Option<&Notice>,
    ) -> Result<bool> {
        self.write(Table::Conflicts, |tables| tables.apply_conflicts(key, changes, notice)).await
    }
}

impl Tables {
    /// The conflicts of a connection that are `wanted`.
    pub fn conflicts_where(
        &self,
        key: ConnectionKey,
        wanted: impl Fn(&SchedulingConflict) -> bool,
    ) -> Vec<SchedulingConflict> {
        let own = self.conflicts.iter().filter(|(of, _)| *of == key).map(|(_, pair)| pair);
        own.filter(|pair| wanted(pair)).cloned().collect()
    }

    pub(super) fn forget_conflicts(&mut self, key: ConnectionKey) {
        let (gone, stay): (BTreeSet<_>, _) =
            std::mem::take(&mut self.conflicts).into_iter().partition(|(of, _)| *of == key);
        self.conflicts = stay;
        self.forgotten.extend(gone);
    }

    fn apply_conflicts(&mut self, key: ConnectionKey, changes: &ConflictChanges, notice: Option<&Notice>) -> bool {
        if changes.lessons.iter().any(|flags| !self.mappings.contains_key(&(key, flags.lesson_id))) {
            return false;
        }
        let before = self.conflicts_where(key, |_| true);
        for change in &changes.pairs {
            self.conflicts.retain(|(of, pair)| *of != key || !pair.same_pair(change.pair()));
            if !matches!(change, PairChange::Cleared(_)) {
                self.conflicts.insert((key, change.pair().clone()));
            }
        }
        for flags in &changes.lessons {
            self.mappings.entry((key, flags.lesson_id)).and_modify(|row| row.flag(*flags));
        }
        let after = self.conflicts_where(key, |_| true);
        let only = |these: &[SchedulingConflict], those: &[SchedulingConflict]| {
            these.iter().filter(|pair| !those.iter().any(|other| other.same_pair(pair))).cloned().collect()
        };
        let (new, gone) = (only(&after, &before), only(&before, &after));
        self.journal.push(Stored::Conflicts { new, gone, notice: notice.cloned() });
        self.put_notices(notice.map_or(&[], std::slice::from_ref));
        true
    }
}
