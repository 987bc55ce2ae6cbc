//! `calendar_event_mappings`: which event a lesson has, and its dirty mark.
//!
//! The mark is the attribute `dirty_since`, which puts a mapping into an index. `dirty_version` never goes down while
//! the row exists, so that a new mark is never taken for the one that was read.

use async_trait::async_trait;
use aws_sdk_dynamodb::types::AttributeValue;
use chrono::{DateTime, Utc};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde::{Deserialize, Serialize};

use super::{
    DynamoStore,
    expressions::Change,
    items::{Item, from_item, number, text, time},
    keys::{self, CONFLICTS, LESSONS},
    outbox,
    requests::{Index, MAX_CONCURRENT_REQUESTS, Query, Written, removal},
    tables::{DIRTY_MAPPINGS, FAILED_MAPPINGS, MAPPINGS_BY_START},
};
use crate::{
    Result,
    model::{
        Base, CalendarEventMapping, ConnectionKey, DirtyMark, EventId, Fingerprint, InstructorId, Lesson, LessonId,
        Notice, Remote, SyncStatus, TenantId, Window, text::shortened, timestamp,
    },
    ports::{LessonMark, MappingStore, MarkUpdate},
};

/// Bytes of a mapping's error, which may quote Google or a host's row.
const MAX_ERROR_BYTES: usize = 2 * 1024;

/// The columns that a save writes.
#[derive(Serialize, Deserialize)]
struct Row {
    tenant_id: TenantId,
    instructor_id: InstructorId,
    lesson_id: LessonId,
    /// For readers of the table; derived from the id.
    #[serde(skip_deserializing)]
    google_event_id: Option<EventId>,
    #[serde(with = "timestamp")]
    event_start: DateTime<Utc>,
    #[serde(with = "timestamp")]
    event_end: DateTime<Utc>,
    sync_status: SyncStatus,
    error: Option<String>,
    #[serde(default)]
    generation: u16,
    base: Option<Base>,
    in_flight: Option<Fingerprint>,
    remote: Option<Remote>,
    #[serde(default)]
    edited_by_others: bool,
    #[serde(default)]
    restores: u8,
    replaces: Option<String>,
    #[serde(default, with = "timestamp::option")]
    lesson_removed_at: Option<DateTime<Utc>>,
    /// True or absent.
    removal_sent: Option<bool>,
    /// The lesson's end if its sync failed, which puts the row into an index.
    #[serde(skip_deserializing, with = "timestamp::option")]
    failed_until: Option<DateTime<Utc>>,
}

/// Columns that other calls change too.
#[derive(Deserialize)]
struct Flags {
    #[serde(default)]
    has_conflict: bool,
    #[serde(default)]
    conflicts_left_out: u32,
    #[serde(default)]
    conflicts_version: u64,
    #[serde(default)]
    dirty_version: u64,
    dirty_since: Option<String>,
}

impl From<&CalendarEventMapping> for Row {
    fn from(mapping: &CalendarEventMapping) -> Self {
        Self {
            tenant_id: mapping.key.tenant_id,
            instructor_id: mapping.key.instructor_id,
            lesson_id: mapping.lesson_id,
            google_event_id: Some(mapping.google_event_id()),
            event_start: mapping.event_start,
            event_end: mapping.event_end,
            sync_status: mapping.sync_status,
            error: mapping.error.as_deref().map(|error| shortened(error, MAX_ERROR_BYTES)),
            generation: mapping.generation,
            base: mapping.base.clone(),
            in_flight: mapping.in_flight.clone(),
            remote: mapping.remote.clone(),
            edited_by_others: mapping.edited_by_others,
            restores: mapping.restores,
            replaces: mapping.replaces.clone(),
            lesson_removed_at: mapping.lesson_removed_at,
            removal_sent: mapping.removal_sent.then_some(true),
            failed_until: (mapping.sync_status == SyncStatus::Failed).then_some(mapping.event_end),
        }
    }
}

fn read(item: Item) -> Result<CalendarEventMapping> {
    let flags: Flags = from_item(item.clone())?;
    let row: Row = from_item(item)?;
    Ok(CalendarEventMapping {
        key: ConnectionKey { tenant_id: row.tenant_id, instructor_id: row.instructor_id },
        lesson_id: row.lesson_id,
        generation: row.generation,
        event_start: row.event_start,
        event_end: row.event_end,
        sync_status: row.sync_status,
        error: row.error,
        base: row.base,
        in_flight: row.in_flight,
        remote: row.remote,
        edited_by_others: row.edited_by_others,
        mark: DirtyMark { is_set: flags.dirty_since.is_some(), version: flags.dirty_version },
        restores: row.restores,
        replaces: row.replaces,
        has_conflict: flags.has_conflict,
        conflicts_left_out: flags.conflicts_left_out,
        conflicts_version: flags.conflicts_version,
        lesson_removed_at: row.lesson_removed_at,
        removal_sent: row.removal_sent.unwrap_or_default(),
    })
}

/// The mappings that a local index has for `condition`.
async fn found(
    store: &DynamoStore,
    index: &str,
    condition: &str,
    values: Vec<(&str, AttributeValue)>,
    limit: Option<usize>,
) -> Result<Vec<CalendarEventMapping>> {
    let (table, index) = (&store.names.mappings, Some(Index::Local(index)));
    let found = store.query(Query { table, index, condition, values, limit, ..Query::default() }).await?;
    found.into_iter().map(read).collect()
}

#[async_trait]
impl MappingStore for DynamoStore {
    async fn mapping(&self, key: ConnectionKey, lesson: LessonId) -> Result<Option<CalendarEventMapping>> {
        self.get(&self.names.mappings, keys::mapping(key, lesson)).await?.map(read).transpose()
    }

    async fn dirty_mappings(&self, key: ConnectionKey, limit: usize) -> Result<Vec<CalendarEventMapping>> {
        let values = vec![(":connection", text(key))];
        found(self, DIRTY_MAPPINGS, "#connection = :connection", values, Some(limit)).await
    }

    async fn failed_mappings(
        &self,
        key: ConnectionKey,
        now: DateTime<Utc>,
        limit: usize,
    ) -> Result<Vec<CalendarEventMapping>> {
        let values = vec![(":connection", text(key)), (":now", time(now))];
        let condition = "#connection = :connection AND #failed_until > :now";
        found(self, FAILED_MAPPINGS, condition, values, Some(limit)).await
    }

    async fn mappings_between(&self, key: ConnectionKey, window: Window) -> Result<Vec<CalendarEventMapping>> {
        let (from, to) = (time(window.from - Lesson::MAX_DURATION), time(window.to));
        let values = vec![(":connection", text(key)), (":from", from), (":to", to)];
        let condition = "#connection = :connection AND #event_start BETWEEN :from AND :to";
        let mut mappings = found(self, MAPPINGS_BY_START, condition, values, None).await?;
        mappings.retain(|mapping| mapping.event_start < window.to && mapping.event_end > window.from);
        Ok(mappings)
    }

    async fn mappings(&self, key: ConnectionKey) -> Result<Vec<CalendarEventMapping>> {
        self.beginning_with(&self.names.mappings, key, ("item", LESSONS), None).await?.into_iter().map(read).collect()
    }

    async fn save_mapping(&self, mapping: &CalendarEventMapping, mark: MarkUpdate, notices: &[Notice]) -> Result<()> {
        let change = |base: Change| -> Result<Change> {
            Ok(base.row(&Row::from(mapping))?.set_if_absent("has_conflict", AttributeValue::Bool(false)))
        };
        let change = match mark {
            MarkUpdate::Keep => change(Change::default())?,
            // Mappings that a listing changed come before all that wait.
            MarkUpdate::Raise => raise(change(Change::default())?, DateTime::UNIX_EPOCH),
            MarkUpdate::Clear { seen } => {
                let cleared = change(Change::when(IS_NOT_RAISED).with("seen", number(seen)))?.remove("dirty_since");
                if write(self, mapping, cleared, notices).await? {
                    return Ok(());
                }
                change(Change::default())? // it was raised meanwhile: the mark stays
            }
        };
        write(self, mapping, change, notices).await?;
        Ok(())
    }

    async fn mark_dirty(&self, key: ConnectionKey, lessons: &[LessonMark], now: DateTime<Utc>) -> Result<()> {
        let mark = |mark: LessonMark| async move {
            let change = raise(Change::default(), now)
                .set_if_absent("tenant_id", text(key.tenant_id))
                .set_if_absent("instructor_id", text(key.instructor_id))
                .set_if_absent("lesson_id", text(mark.lesson_id))
                .set_if_absent("event_start", time(mark.starts_at))
                .set_if_absent("event_end", time(mark.ends_at))
                .set_if_absent("sync_status", text("pending"))
                .set_if_absent("has_conflict", AttributeValue::Bool(false));
            self.update(&self.names.mappings, keys::mapping(key, mark.lesson_id), change).await
        };
        stream::iter(lessons.iter().copied().map(mark))
            .buffer_unordered(MAX_CONCURRENT_REQUESTS)
            .try_for_each(|_| async { Ok(()) })
            .await
    }

    async fn delete_mapping(&self, key: ConnectionKey, lesson: LessonId, seen: u64) -> Result<bool> {
        let unraised = Change::when(IS_NOT_RAISED).with("seen", number(seen));
        let deleted = self.delete(&self.names.mappings, keys::mapping(key, lesson), unraised).await?;
        Ok(matches!(deleted, Written::Done(_)))
    }

    async fn clear_mappings(&self, key: ConnectionKey) -> Result<()> {
        self.clear_beside(key, &[LESSONS, CONFLICTS]).await
    }
}

impl DynamoStore {
    /// Deletes the connection's items in the table of mappings whose sort attributes begin with one of `prefixes`.
    pub(super) async fn clear_beside(&self, key: ConnectionKey, prefixes: &[&str]) -> Result<()> {
        let mut writes = Vec::new();
        for prefix in prefixes {
            for mut item in self.beginning_with(&self.names.mappings, key, ("item", prefix), None).await? {
                item.retain(|name, _| name == "connection" || name == "item");
                writes.push(removal(item)?);
            }
        }
        self.batch_write(&self.names.mappings, writes).await
    }
}

const IS_NOT_RAISED: &str = "(attribute_not_exists(#dirty_since) OR #dirty_version = :seen)";

async fn write(
    store: &DynamoStore,
    mapping: &CalendarEventMapping,
    change: Change,
    notices: &[Notice],
) -> Result<bool> {
    let key = keys::mapping(mapping.key, mapping.lesson_id);
    if notices.is_empty() {
        // Without notices, since a transaction costs twice as much.
        return Ok(matches!(store.update(&store.names.mappings, key, change).await?, Written::Done(_)));
    }
    let mut writes = vec![change.update(&store.names.mappings, key)?];
    writes.extend(outbox::puts(store, notices)?);
    store.transact(writes).await
}

pub(super) fn raise(change: Change, since: DateTime<Utc>) -> Change {
    change.count_up("dirty_version").set_if_absent("dirty_since", time(since))
}
