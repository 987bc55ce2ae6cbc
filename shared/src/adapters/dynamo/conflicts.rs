//! Conflicts: an item for each pair of lesson and event, beside the mappings that carry the flag.

use async_trait::async_trait;
use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{
    DynamoStore,
    expressions::Change,
    items::{Item, from_item, number, text, to_item},
    keys::{self, CONFLICTS},
    mappings::raise,
    outbox,
    requests::{Index, Query},
    tables::CONFLICTS_BY_EVENT,
};
use crate::{
    Result,
    model::{CalendarId, ConnectionKey, EventId, Ignored, LessonId, Notice, PairChange, SchedulingConflict, timestamp},
    ports::{ConflictChanges, ConflictFlags, ConflictStore},
};

#[derive(Serialize, Deserialize)]
struct Row {
    lesson_id: LessonId,
    #[serde(with = "timestamp")]
    lesson_start: DateTime<Utc>,
    #[serde(with = "timestamp")]
    lesson_end: DateTime<Utc>,
    calendar_id: CalendarId,
    google_event_id: EventId,
    /// Puts the pair into the index by event.
    #[serde(skip_deserializing)]
    conflict_event: Option<String>,
    #[serde(with = "timestamp")]
    occurrence_start: DateTime<Utc>,
    #[serde(with = "timestamp")]
    overlap_start: DateTime<Utc>,
    #[serde(with = "timestamp")]
    overlap_end: DateTime<Utc>,
    #[serde(with = "timestamp")]
    found_at: DateTime<Utc>,
    ignored: Option<Ignored>,
}

impl From<&SchedulingConflict> for Row {
    fn from(conflict: &SchedulingConflict) -> Self {
        Self {
            lesson_id: conflict.lesson_id,
            lesson_start: conflict.lesson_start,
            lesson_end: conflict.lesson_end,
            calendar_id: conflict.calendar_id.clone(),
            google_event_id: conflict.google_event_id.clone(),
            conflict_event: Some(keys::family_text(&conflict.calendar_id, &conflict.google_event_id)),
            occurrence_start: conflict.occurrence_start,
            overlap_start: conflict.overlap_start,
            overlap_end: conflict.overlap_end,
            found_at: conflict.found_at,
            ignored: conflict.ignored.clone(),
        }
    }
}

fn read(item: Item) -> Result<SchedulingConflict> {
    let row: Row = from_item(item)?;
    Ok(SchedulingConflict {
        lesson_id: row.lesson_id,
        lesson_start: row.lesson_start,
        lesson_end: row.lesson_end,
        calendar_id: row.calendar_id,
        google_event_id: row.google_event_id,
        occurrence_start: row.occurrence_start,
        overlap_start: row.overlap_start,
        overlap_end: row.overlap_end,
        found_at: row.found_at,
        ignored: row.ignored,
    })
}

#[async_trait]
impl ConflictStore for DynamoStore {
    async fn conflicts(&self, key: ConnectionKey) -> Result<Vec<SchedulingConflict>> {
        self.beginning_with(&self.names.mappings, key, ("item", CONFLICTS), None).await?.into_iter().map(read).collect()
    }

    async fn conflicts_of_lesson(&self, key: ConnectionKey, lesson: LessonId) -> Result<Vec<SchedulingConflict>> {
        let prefix = keys::conflicts_of(lesson);
        let found = self.beginning_with(&self.names.mappings, key, ("item", &prefix), None).await?;
        found.into_iter().map(read).collect()
    }

    async fn conflicts_of_event(
        &self,
        key: ConnectionKey,
        calendar: &CalendarId,
        event: &EventId,
    ) -> Result<Vec<SchedulingConflict>> {
        let found = self
            .query(Query {
                table: &self.names.mappings,
                index: Some(Index::Local(CONFLICTS_BY_EVENT)),
                condition: "#connection = :connection AND #conflict_event = :event",
                values: vec![(":connection", text(key)), (":event", text(keys::family_text(calendar, event)))],
                ..Query::default()
            })
            .await?;
        found.into_iter().map(read).collect()
    }

    async fn apply_conflicts(
        &self,
        key: ConnectionKey,
        changes: &ConflictChanges,
        notice: Option<&Notice>,
    ) -> Result<bool> {
        let table = &self.names.mappings;
        let mut writes = outbox::puts(self, notice)?;
        for change in &changes.pairs {
            writes.push(match change {
                PairChange::Found(pair) | PairChange::Moved(pair) => put(table, key, pair)?,
                PairChange::Cleared(pair) => Change::default().delete(table, keys::conflict(key, pair))?,
            });
        }
        for flags in &changes.lessons {
            writes.push(flag(*flags).update(table, keys::mapping(key, flags.lesson_id))?);
        }
        self.transact(writes).await
    }

    async fn decide_conflict(
        &self,
        key: ConnectionKey,
        pair: &SchedulingConflict,
        flags: ConflictFlags,
        notice: &Notice,
    ) -> Result<bool> {
        let table = &self.names.mappings;
        let mut writes = outbox::puts(self, Some(notice))?;
        writes.push(put(table, key, pair)?);
        writes.push(raise(flag(flags), notice.at).update(table, keys::mapping(key, flags.lesson_id))?);
        self.transact(writes).await
    }
}

fn put(table: &str, key: ConnectionKey, pair: &SchedulingConflict) -> Result<TransactWriteItem> {
    let mut item = to_item(&Row::from(pair))?;
    item.extend(keys::conflict(key, pair));
    Change::default().put(table, item)
}

/// The flags of a mapping that has the version in which they were seen.
fn flag(flags: ConflictFlags) -> Change {
    let change = match flags.seen {
        0 => Change::when("attribute_exists(#lesson_id) AND attribute_not_exists(#conflicts_version)"),
        seen => Change::when("#conflicts_version = :seen").with("seen", number(seen)),
    };
    let left_out = (flags.left_out > 0).then(|| number(flags.left_out));
    change
        .set("has_conflict", AttributeValue::Bool(flags.has_conflict))
        .set_or_remove("conflicts_left_out", left_out)
        .count_up("conflicts_version")
}
