//! Mappings and their dirty marks.

use calendar_sync::{
    model::{CalendarEventMapping, ConnectionKey, LessonId, SyncStatus},
    ports::{DirtyMark, LessonMark},
};
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{Stored, Tables};

/// A mapping, and since when it is marked. `since` counts, and not its `dirty`.
#[derive(Debug, Clone)]
pub struct MappingRow {
    mapping: CalendarEventMapping,
    since: Option<DateTime<Utc>>,
}

impl MappingRow {
    fn read(&self) -> CalendarEventMapping {
        CalendarEventMapping { dirty: self.since.is_some(), ..self.mapping.clone() }
    }

    fn raise(&mut self, since: DateTime<Utc>) {
        self.mapping.dirty_version += 1;
        self.since.get_or_insert(since);
    }

    /// Sets or clears the flag, which no other save touches.
    pub(super) fn flag(&mut self, has_conflict: bool) {
        self.mapping.has_conflict = has_conflict;
    }
}

impl Tables {
    pub fn mapping(&self, key: ConnectionKey, lesson: LessonId) -> Option<CalendarEventMapping> {
        self.mappings.get(&(key, lesson)).map(MappingRow::read)
    }

    pub fn mappings_of(&self, key: ConnectionKey) -> Vec<CalendarEventMapping> {
        self.rows_of(key).map(MappingRow::read).collect()
    }

    fn rows_of(&self, key: ConnectionKey) -> impl Iterator<Item = &MappingRow> {
        let first = (key, LessonId(Uuid::nil()));
        self.mappings.range(first..).take_while(move |((of, _), _)| *of == key).map(|(_, row)| row)
    }

    pub(super) fn dirty_mappings(&self, key: ConnectionKey, limit: usize) -> Vec<CalendarEventMapping> {
        let mut dirty: Vec<&MappingRow> = self.rows_of(key).filter(|row| row.since.is_some()).collect();
        dirty.sort_by_key(|row| row.since);
        dirty.into_iter().take(limit).map(MappingRow::read).collect()
    }

    pub(super) fn failed_mappings(
        &self,
        key: ConnectionKey,
        now: DateTime<Utc>,
        limit: usize,
    ) -> Vec<CalendarEventMapping> {
        let failed = |row: &&MappingRow| row.mapping.sync_status == SyncStatus::Failed && row.mapping.event_end > now;
        let mut failed: Vec<&MappingRow> = self.rows_of(key).filter(failed).collect();
        failed.sort_by_key(|row| row.mapping.event_end);
        failed.into_iter().take(limit).map(MappingRow::read).collect()
    }

    pub(super) fn save_mapping(&mut self, mapping: &CalendarEventMapping, dirty: DirtyMark) {
        let stored = self.mappings.get(&(mapping.key, mapping.lesson_id));
        let failed = stored.is_some_and(|row| row.mapping.sync_status == SyncStatus::Failed);
        let new = MappingRow { mapping: CalendarEventMapping { dirty_version: 0, ..mapping.clone() }, since: None };
        let row = self.mappings.entry((mapping.key, mapping.lesson_id)).or_insert_with(|| {
            let unflagged = CalendarEventMapping { has_conflict: false, ..new.mapping.clone() };
            MappingRow { mapping: unflagged, since: None }
        });
        let (has_conflict, dirty_version) = (row.mapping.has_conflict, row.mapping.dirty_version);
        if mapping.sync_status == SyncStatus::Failed && !failed {
            let (key, lesson, error) = (mapping.key, mapping.lesson_id, mapping.error.clone());
            self.journal.push(Stored::LessonFailed { key, lesson, error });
        }
        row.mapping = CalendarEventMapping { has_conflict, dirty_version, ..mapping.clone() };
        match dirty {
            DirtyMark::Raise => row.raise(DateTime::UNIX_EPOCH),
            DirtyMark::Clear { seen } if seen == dirty_version => row.since = None,
            DirtyMark::Keep | DirtyMark::Clear { .. } => {}
        }
    }

    /// Marks the lesson as dirty.
    pub fn mark_dirty(&mut self, key: ConnectionKey, mark: LessonMark, now: DateTime<Utc>) {
        let row = self.mappings.entry((key, mark.lesson_id)).or_insert_with(|| MappingRow {
            mapping: CalendarEventMapping::new(key, mark.lesson_id, mark.starts_at, mark.ends_at),
            since: None,
        });
        row.raise(now);
    }

    pub(super) fn delete_mapping(&mut self, key: ConnectionKey, lesson: LessonId, seen: u64) -> bool {
        let raised = |row: &MappingRow| row.since.is_some() && row.mapping.dirty_version != seen;
        if self.mappings.get(&(key, lesson)).is_some_and(raised) {
            return false;
        }
        self.mappings.remove(&(key, lesson));
        true
    }
}
