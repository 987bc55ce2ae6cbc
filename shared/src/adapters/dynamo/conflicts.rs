//! Conflicts: an item for each pair of lesson and occurrence, beside the mappings that carry the flag.

use async_trait::async_trait;
use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem};
use chrono::{DateTime, Utc};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde::{Deserialize, Serialize};

use super::{
    DynamoStore,
    expressions::Change,
    items::{Item, from_item, text, to_item},
    keys::{self, CONFLICTS},
    outbox,
    requests::{Index, MAX_CONCURRENT_REQUESTS, MAX_TRANSACTION_ITEMS, Query},
    tables::CONFLICTS_BY_EVENT,
};
use crate::{
    Result,
    model::{CalendarId, ConnectionKey, EventId, LessonId, Notice, SchedulingConflict, timestamp},
    ports::{ConflictChanges, ConflictStore, PairChange},
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
            conflict_event: Some(keys::event_text(&conflict.calendar_id, &conflict.google_event_id)),
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
                condition: "#connection = :connection AND begins_with(#conflict_event, :event)",
                values: vec![
                    (":connection", text(key)),
                    (":event", text(keys::event_prefix(calendar, event.family()))),
                ],
                ..Query::default()
            })
            .await?;
        let pairs = found.into_iter().map(read).collect::<Result<Vec<_>>>()?;
        Ok(pairs.into_iter().filter(|pair| pair.google_event_id.family() == event.family()).collect())
    }

    async fn apply_conflicts(&self, key: ConnectionKey, changes: &[ConflictChanges]) -> Result<()> {
        let lessons: Vec<_> = changes.iter().map(|lesson| apply_to_lesson(self, key, lesson)).collect();
        stream::iter(lessons).buffer_unordered(MAX_CONCURRENT_REQUESTS).try_collect().await
    }
}

/// One transaction; if DynamoDB does not take all in one, further ones before it. A process that dies between them
/// leaves pairs to be found again, and the flag is set last.
async fn apply_to_lesson(store: &DynamoStore, key: ConnectionKey, changes: &ConflictChanges) -> Result<()> {
    if write(store, writes(store, key, changes)?).await? {
        return Ok(());
    }
    // The mapping is gone, so that its conflicts are over and need no notice.
    let removals = changes.remove.iter().map(|gone| Ok(vec![removal(store, key, &gone.pair)?]));
    write(store, removals.collect::<Result<_>>()?).await?;
    Ok(())
}

/// Each pair with its notice, and last the flag, on condition that the mapping exists.
fn writes(store: &DynamoStore, key: ConnectionKey, changes: &ConflictChanges) -> Result<Vec<Vec<TransactWriteItem>>> {
    let table = &store.names.mappings;
    let mut writes = Vec::new();
    for PairChange { pair, notice } in &changes.remove {
        writes.push(with_notice(store, removal(store, key, pair)?, notice.as_slice())?);
    }
    for PairChange { pair, notice } in &changes.put {
        let mut item = to_item(&Row::from(pair))?;
        item.extend(keys::conflict(key, pair));
        writes.push(with_notice(store, Change::default().put(table, item)?, notice.as_slice())?);
    }
    let flag = Change::when("attribute_exists(#lesson_id)")
        .set("has_conflict", AttributeValue::Bool(changes.has_conflict))
        .update(table, keys::mapping(key, changes.lesson_id))?;
    writes.push(vec![flag]);
    Ok(writes)
}

fn removal(store: &DynamoStore, key: ConnectionKey, pair: &SchedulingConflict) -> Result<TransactWriteItem> {
    Change::default().delete(&store.names.mappings, keys::conflict(key, pair))
}

fn with_notice(store: &DynamoStore, write: TransactWriteItem, notice: &[Notice]) -> Result<Vec<TransactWriteItem>> {
    let mut writes = vec![write];
    writes.extend(outbox::puts(store, notice)?);
    Ok(writes)
}

async fn write(store: &DynamoStore, writes: Vec<Vec<TransactWriteItem>>) -> Result<bool> {
    for transaction in transactions(writes) {
        if !store.transact(transaction).await? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// As few transactions as possible, in order, without splitting a group.
fn transactions<T>(writes: Vec<Vec<T>>) -> Vec<Vec<T>> {
    let mut transactions: Vec<Vec<T>> = Vec::new();
    for together in writes {
        match transactions.last_mut() {
            Some(last) if last.len() + together.len() <= MAX_TRANSACTION_ITEMS => last.extend(together),
            _ => transactions.push(together),
        }
    }
    transactions
}
