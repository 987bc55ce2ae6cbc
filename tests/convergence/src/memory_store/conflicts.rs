//! Conflicts: pairs, and the flag that follows from them.

use std::collections::BTreeSet;

use async_trait::async_trait;
use calendar_sync::{
    Result,
    model::{CalendarId, ConnectionKey, EventId, LessonId, Notice, SchedulingConflict},
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

    async fn apply_conflicts(&self, key: ConnectionKey, changes: &[ConflictChanges]) -> Result<()> {
        for lesson in changes {
            self.write(Table::Conflicts, |tables| tables.apply_conflicts(key, lesson)).await?;
        }
        Ok(())
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

    pub(super) fn apply_conflicts(&mut self, key: ConnectionKey, changes: &ConflictChanges) {
        let all = || changes.put.iter().chain(&changes.remove);
        let replaced = |pair: &SchedulingConflict| all().any(|other| other.pair.same_pair(pair));
        self.conflicts.retain(|(of, pair)| *of != key || !replaced(pair));
        let Some(mapping) = self.mappings.get_mut(&(key, changes.lesson_id)) else { return };
        mapping.flag(changes.has_conflict);
        self.conflicts.extend(changes.put.iter().map(|change| (key, change.pair.clone())));
        for change in &changes.put {
            let told = |notice: &Notice| Stored::ConflictTold { pair: change.pair.clone(), notice: notice.clone() };
            self.journal.extend(change.notice.iter().map(told));
        }
        for change in all() {
            self.put_notices(change.notice.as_slice());
        }
    }
}
