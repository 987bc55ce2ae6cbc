//! Mappings and their dirty marks.

use async_trait::async_trait;
use calendar_sync::{
    Result,
    model::{CalendarEventMapping, ConnectionKey, DirtyMark, LessonId, Notice, SyncStatus, Window},
    ports::{ConflictFlags, LessonMark, MappingStore, MarkUpdate},
};
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{MemoryStore, Stored, Table, Tables};

/// A mapping, and since when it is marked. `since` counts, and not whether its mark is set.
#[derive(Debug, Clone)]
pub struct MappingRow {
    mapping: CalendarEventMapping,
    since: Option<DateTime<Utc>>,
}

impl MappingRow {
    fn read(&self) -> CalendarEventMapping {
        let mark = DirtyMark { is_set: self.since.is_some(), ..self.mapping.mark };
        CalendarEventMapping { mark, ..self.mapping.clone() }
    }

    pub(super) fn raise(&mut self, since: DateTime<Utc>) {
        self.mapping.mark.version += 1;
        self.since.get_or_insert(since);
    }

    /// Sets the flags, which no other save touches.
    pub(super) fn flag(&mut self, flags: ConflictFlags) {
        self.mapping.has_conflict = flags.has_conflict;
        self.mapping.conflicts_left_out = flags.left_out;
        self.mapping.conflicts_version = flags.seen + 1;
    }
}

#[async_trait]
impl MappingStore for MemoryStore {
    async fn mapping(&self, key: ConnectionKey, lesson: LessonId) -> Result<Option<CalendarEventMapping>> {
        self.read(|tables| tables.mapping(key, lesson)).await
    }

    async fn dirty_mappings(&self, key: ConnectionKey, limit: usize) -> Result<Vec<CalendarEventMapping>> {
        self.read(|tables| {
            let mut dirty: Vec<&MappingRow> = tables.rows_of(key).filter(|row| row.since.is_some()).collect();
            dirty.sort_by_key(|row| row.since);
            dirty.into_iter().take(limit).map(MappingRow::read).collect()
        })
        .await
    }

    async fn failed_mappings(
        &self,
        key: ConnectionKey,
        now: DateTime<Utc>,
        limit: usize,
    ) -> Result<Vec<CalendarEventMapping>> {
        self.read(|tables| {
            let failed =
                |row: &&MappingRow| row.mapping.sync_status == SyncStatus::Failed && row.mapping.event_end > now;
            let mut failed: Vec<&MappingRow> = tables.rows_of(key).filter(failed).collect();
            failed.sort_by_key(|row| row.mapping.event_end);
            failed.into_iter().take(limit).map(MappingRow::read).collect()
        })
        .await
    }

    async fn mappings_between(&self, key: ConnectionKey, window: Window) -> Result<Vec<CalendarEventMapping>> {
        self.read(|tables| {
            let mut found = tables.mappings_of(key);
            found.retain(|mapping| mapping.event_start < window.to && mapping.event_end > window.from);
            found
        })
        .await
    }

    async fn mappings(&self, key: ConnectionKey) -> Result<Vec<CalendarEventMapping>> {
        self.read(|tables| tables.mappings_of(key)).await
    }

    async fn save_mapping(&self, mapping: &CalendarEventMapping, mark: MarkUpdate, notices: &[Notice]) -> Result<()> {
        self.write(Table::Mappings, |tables| {
            tables.save_mapping(mapping, mark);
            tables.put_notices(notices);
        })
        .await
    }

    async fn mark_dirty(&self, key: ConnectionKey, lessons: &[LessonMark], now: DateTime<Utc>) -> Result<()> {
        for lesson in lessons {
            self.write(Table::Mappings, |tables| tables.mark_dirty(key, *lesson, now)).await?;
        }
        Ok(())
    }

    async fn delete_mapping(&self, key: ConnectionKey, lesson: LessonId, seen: u64) -> Result<bool> {
        self.write(Table::Mappings, |tables| {
            let raised = |row: &MappingRow| row.since.is_some() && row.mapping.mark.version != seen;
            if tables.mappings.get(&(key, lesson)).is_some_and(raised) {
                return false;
            }
            tables.mappings.remove(&(key, lesson));
            true
        })
        .await
    }

    async fn clear_mappings(&self, key: ConnectionKey) -> Result<()> {
        let mappings: Vec<LessonId> =
            self.read(|tables| tables.mappings_of(key).iter().map(|mapping| mapping.lesson_id).collect()).await?;
        self.write_batch(Table::Mappings, &mappings, |tables, lesson| drop(tables.mappings.remove(&(key, *lesson))))
            .await?;
        self.write(Table::Conflicts, |tables| tables.forget_conflicts(key)).await
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

    pub(super) fn save_mapping(&mut self, mapping: &CalendarEventMapping, update: MarkUpdate) {
        let stored = self.mappings.get(&(mapping.key, mapping.lesson_id));
        let failed = stored.is_some_and(|row| row.mapping.sync_status == SyncStatus::Failed);
        let new =
            MappingRow { mapping: CalendarEventMapping { mark: DirtyMark::default(), ..mapping.clone() }, since: None };
        let row = self.mappings.entry((mapping.key, mapping.lesson_id)).or_insert_with(|| {
            let unflagged = CalendarEventMapping { has_conflict: false, conflicts_left_out: 0, ..new.mapping.clone() };
            MappingRow { mapping: CalendarEventMapping { conflicts_version: 0, ..unflagged }, since: None }
        });
        let CalendarEventMapping { has_conflict, conflicts_left_out, conflicts_version, mark, .. } = row.mapping;
        if mapping.sync_status == SyncStatus::Failed && !failed {
            let (key, lesson, error) = (mapping.key, mapping.lesson_id, mapping.error.clone());
            self.journal.push(Stored::LessonFailed { key, lesson, error });
        }
        let saved = CalendarEventMapping { has_conflict, conflicts_left_out, mark, ..mapping.clone() };
        row.mapping = CalendarEventMapping { conflicts_version, ..saved };
        match update {
            MarkUpdate::Raise => row.raise(DateTime::UNIX_EPOCH),
            MarkUpdate::Clear { seen } if seen == mark.version => row.since = None,
            MarkUpdate::Keep | MarkUpdate::Clear { .. } => {}
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
}
