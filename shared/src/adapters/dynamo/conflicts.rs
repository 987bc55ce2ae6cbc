//! Conflicts: an item for each pair of lesson and occurrence, beside the mappings that carry the flag.

use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem};
use chrono::{DateTime, Utc};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde::{Deserialize, Serialize};

use super::{
    DynamoStore,
    expressions::Change,
    items::{Item, event_key, event_key_prefix, from_item, in_connection, text, to_item},
    mappings, notices,
    requests::{CONCURRENCY, Index, Query, TRANSACTION},
    tables::CONFLICTS_BY_EVENT,
};
use crate::{
    Result,
    model::{CalendarId, ConnectionKey, EventId, LessonId, SchedulingConflict, timestamp},
    ports::ConflictChanges,
};

#[derive(Serialize, Deserialize)]
struct Row {
    lesson_id: LessonId,
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
}

impl From<&SchedulingConflict> for Row {
    fn from(conflict: &SchedulingConflict) -> Self {
        Self {
            lesson_id: conflict.lesson_id,
            calendar_id: conflict.calendar_id.clone(),
            google_event_id: conflict.google_event_id.clone(),
            conflict_event: Some(event_key(&conflict.calendar_id, &conflict.google_event_id)),
            occurrence_start: conflict.occurrence_start,
            overlap_start: conflict.overlap_start,
            overlap_end: conflict.overlap_end,
            found_at: conflict.found_at,
        }
    }
}

fn read(item: Item) -> Result<SchedulingConflict> {
    let row: Row = from_item(item)?;
    Ok(SchedulingConflict {
        lesson_id: row.lesson_id,
        calendar_id: row.calendar_id,
        google_event_id: row.google_event_id,
        occurrence_start: row.occurrence_start,
        overlap_start: row.overlap_start,
        overlap_end: row.overlap_end,
        found_at: row.found_at,
    })
}

/// What the sort attribute of each pair begins with.
pub(super) const CONFLICTS: &str = "conflict#";

fn row_key(key: ConnectionKey, conflict: &SchedulingConflict) -> Item {
    let event = event_key(&conflict.calendar_id, &conflict.google_event_id);
    let occurrence = timestamp::format(conflict.occurrence_start);
    in_connection(key, "item", format_args!("{CONFLICTS}{}#{event}#{occurrence}", conflict.lesson_id))
}

pub(super) async fn all(store: &DynamoStore, key: ConnectionKey) -> Result<Vec<SchedulingConflict>> {
    mappings::items(store, key, CONFLICTS, None).await?.into_iter().map(read).collect()
}

pub(super) async fn of_lesson(
    store: &DynamoStore,
    key: ConnectionKey,
    lesson: LessonId,
) -> Result<Vec<SchedulingConflict>> {
    let found = mappings::items(store, key, &format!("{CONFLICTS}{lesson}#"), None).await?;
    found.into_iter().map(read).collect()
}

pub(super) async fn of_event(
    store: &DynamoStore,
    key: ConnectionKey,
    calendar: &CalendarId,
    event: &EventId,
) -> Result<Vec<SchedulingConflict>> {
    let found = store
        .query(Query {
            table: &store.names.mappings,
            index: Some(Index::Local(CONFLICTS_BY_EVENT)),
            condition: "#connection = :connection AND begins_with(#conflict_event, :event)",
            values: vec![(":connection", text(key)), (":event", text(event_key_prefix(calendar, event.family())))],
            ..Query::default()
        })
        .await?;
    let pairs = found.into_iter().map(read).collect::<Result<Vec<_>>>()?;
    Ok(pairs.into_iter().filter(|pair| pair.google_event_id.family() == event.family()).collect())
}

pub(super) async fn apply(store: &DynamoStore, key: ConnectionKey, changes: &[ConflictChanges]) -> Result<()> {
    let lessons: Vec<_> = changes.iter().map(|lesson| apply_to_lesson(store, key, lesson)).collect();
    stream::iter(lessons).buffer_unordered(CONCURRENCY).try_collect().await
}

/// One transaction. What is more than DynamoDB takes in one goes before it: should the process die between them,
/// the pairs still missing are found again, and the flag, which is set last, with them.
async fn apply_to_lesson(store: &DynamoStore, key: ConnectionKey, changes: &ConflictChanges) -> Result<()> {
    if write(store, writes(store, key, changes)?).await? {
        return Ok(());
    }
    // The mapping is gone, so there is nothing left that could conflict.
    write(store, removals(store, key, changes)?).await?;
    Ok(())
}

/// The pairs, the notices, and last the flag, on condition that there is a mapping to carry it.
pub(super) fn writes(
    store: &DynamoStore,
    key: ConnectionKey,
    changes: &ConflictChanges,
) -> Result<Vec<TransactWriteItem>> {
    let table = &store.names.mappings;
    let mut writes = removals(store, key, changes)?;
    for conflict in &changes.put {
        let mut item = to_item(&Row::from(conflict))?;
        item.extend(row_key(key, conflict));
        writes.push(Change::default().put(table, item)?);
    }
    writes.extend(notices::puts(store, &changes.notices)?);
    let flag = Change::when("attribute_exists(#lesson_id)")
        .set("has_conflict", AttributeValue::Bool(changes.has_conflict))
        .update(table, mappings::row_key(key, changes.lesson_id))?;
    writes.push(flag);
    Ok(writes)
}

fn removals(store: &DynamoStore, key: ConnectionKey, changes: &ConflictChanges) -> Result<Vec<TransactWriteItem>> {
    let table = &store.names.mappings;
    changes.remove.iter().map(|conflict| Change::default().delete(table, row_key(key, conflict))).collect()
}

async fn write(store: &DynamoStore, writes: Vec<TransactWriteItem>) -> Result<bool> {
    for part in writes.chunks(TRANSACTION) {
        if !store.transact(part.to_vec()).await? {
            return Ok(false);
        }
    }
    Ok(true)
}
