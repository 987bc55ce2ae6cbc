//! Conflicts: pairs, and the flag that follows from them.

use std::collections::BTreeSet;

use async_trait::async_trait;
use calendar_sync::{
    Result,
    model::{CalendarId, ConnectionKey, EventId, LessonId, Notice, PairChange, SchedulingConflict},
    ports::{ConflictChanges, ConflictFlags, ConflictStore},
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

    async fn decide_conflict(
        &self,
        key: ConnectionKey,
        pair: &SchedulingConflict,
        flags: ConflictFlags,
        notice: &Notice,
    ) -> Result<bool> {
        self.write(Table::Conflicts, |tables| tables.decide_conflict(key, pair, flags, notice)).await
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
        self.journal.push(Stored::ConflictsForgotten(key));
    }

    fn apply_conflicts(&mut self, key: ConnectionKey, changes: &ConflictChanges, notice: Option<&Notice>) -> bool {
        if !changes.lessons.iter().all(|flags| self.is_as_seen(key, *flags)) {
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
        // (One that was ignored, and overlaps at other times, goes and comes anew.)
        let only = |these: &[SchedulingConflict], those: &[SchedulingConflict]| {
            let stays = |pair: &SchedulingConflict, other: &SchedulingConflict| {
                other.same_pair(pair) && other.is_live() == pair.is_live()
            };
            these.iter().filter(|pair| !those.iter().any(|other| stays(pair, other))).cloned().collect()
        };
        let (new, gone) = (only(&after, &before), only(&before, &after));
        self.journal.push(Stored::Conflicts { key, new, gone, notice: notice.cloned() });
        self.put_notices(notice.map_or(&[], std::slice::from_ref));
        true
    }

    /// Whether the lesson has a mapping, and its conflicts are as they were when `flags` were worked out.
    fn is_as_seen(&self, key: ConnectionKey, flags: ConflictFlags) -> bool {
        self.mapping(key, flags.lesson_id).is_some_and(|mapping| mapping.conflicts_version == flags.seen)
    }

    fn decide_conflict(
        &mut self,
        key: ConnectionKey,
        pair: &SchedulingConflict,
        flags: ConflictFlags,
        notice: &Notice,
    ) -> bool {
        if !self.is_as_seen(key, flags) {
            return false;
        }
        self.conflicts.retain(|(of, stored)| *of != key || !stored.same_pair(pair));
        self.conflicts.insert((key, pair.clone()));
        self.mappings.entry((key, flags.lesson_id)).and_modify(|row| {
            row.flag(flags);
            row.raise(notice.at);
        });
        self.journal.push(Stored::Decided { pair: pair.clone(), notice: notice.clone() });
        self.put_notices(std::slice::from_ref(notice));
        true
    }
}
