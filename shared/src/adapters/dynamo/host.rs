//! The host's tables: lessons and instructors. Any row may be malformed; our columns are written only to rows that
//! exist.

use std::collections::HashMap;

use async_trait::async_trait;
use aws_sdk_dynamodb::types::AttributeValue;
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::{
    DynamoStore,
    expressions::Change,
    items::{Item, number, text, time},
    keys,
    requests::{Index, Query, Written},
    tables::{LESSONS_BY_INSTRUCTOR, TOMBSTONE},
};
use crate::{
    Result,
    model::{
        ConnectionKey, EventId, FedLesson, InstructorId, Lesson, LessonContent, LessonId, LessonStatus, LessonVersion,
        SyncStatus, TenantId, Window, timestamp,
    },
    ports::{HostStore, LessonLookup, LessonSyncColumns},
};

/// The host's columns. A lesson without a zone is shown in UTC, one without a status takes place.
#[derive(Deserialize)]
struct Row {
    tenant_id: TenantId,
    id: LessonId,
    instructor_id: InstructorId,
    title: String,
    description: Option<String>,
    location: Option<String>,
    starts_at: DateTime<Utc>,
    ends_at: DateTime<Utc>,
    time_zone: Option<Tz>,
    status: Option<String>,
}

fn read(item: &Item) -> Result<Lesson, String> {
    let row: Row = serde_dynamo::aws_sdk_dynamodb_1::from_item(item.clone()).map_err(|error| error.to_string())?;
    if row.ends_at <= row.starts_at {
        return Err("it ends before it begins".to_owned());
    }
    let flag = |name: &str| item.get(name).and_then(|value| value.as_s().ok());
    let count = |name: &str| item.get(name).and_then(|value| value.as_n().ok()?.parse().ok());
    Ok(Lesson {
        tenant_id: row.tenant_id,
        id: row.id,
        instructor_id: row.instructor_id,
        status: row.status.as_deref().map_or(LessonStatus::Scheduled, LessonStatus::from_host),
        content: LessonContent {
            title: row.title,
            starts_at: row.starts_at,
            ends_at: row.ends_at,
            time_zone: row.time_zone.unwrap_or(Tz::UTC),
            description: row.description,
            location: row.location,
        },
        google_calendar_event_id: flag("google_calendar_event_id").cloned(),
        calendar_sync_status: flag("calendar_sync_status").and_then(|word| status_of(word)),
        has_conflict: item.get("has_conflict").and_then(|value| value.as_bool().ok()).copied().unwrap_or(false),
        calendar_sync_revision: count(REVISION).unwrap_or(0),
        feed_version: count(VERSION),
    })
}

/// The lesson in an image of the lessons table's stream, if it can be read.
pub fn lesson_from_image(image: serde_dynamo::Item) -> Option<Lesson> {
    read(&image.into()).ok()
}

fn word_of(status: SyncStatus) -> &'static str {
    match status {
        SyncStatus::Synced => "synced",
        SyncStatus::Pending => "pending",
        SyncStatus::Failed => "failed",
    }
}

fn status_of(word: &str) -> Option<SyncStatus> {
    [SyncStatus::Synced, SyncStatus::Pending, SyncStatus::Failed].into_iter().find(|status| word_of(*status) == word)
}

#[async_trait]
impl HostStore for DynamoStore {
    async fn lessons(&self, tenant: TenantId, ids: &[LessonId]) -> Result<Vec<LessonLookup>> {
        let mut wanted = ids.to_vec();
        wanted.sort_unstable();
        wanted.dedup();
        let keys = wanted.into_iter().map(|id| keys::host(tenant, id)).collect();
        let found: HashMap<String, Item> = self
            .batch_get(&self.names.lessons, keys, None)
            .await?
            .into_iter()
            .filter_map(|item| item.get("id")?.as_s().ok().cloned().map(|id| (id, item)))
            .collect();
        let there = |id: &LessonId| found.get(&id.to_string()).filter(|item| !item.contains_key(TOMBSTONE));
        let look = |id: &LessonId| match there(id).map(read) {
            Some(Ok(lesson)) => LessonLookup::Found(Box::new(lesson)),
            Some(Err(reason)) => LessonLookup::Unreadable(reason),
            None => LessonLookup::Gone,
        };
        Ok(ids.iter().map(look).collect())
    }

    async fn lessons_between(&self, key: ConnectionKey, window: Window) -> Result<Vec<LessonId>> {
        #[derive(Deserialize)]
        struct Entry {
            tenant_id: TenantId,
            id: LessonId,
            starts_at: String,
        }
        let found = self
            .query(Query {
                table: &self.names.lessons,
                index: Some(Index::Global(LESSONS_BY_INSTRUCTOR)),
                condition: "#instructor_id = :instructor AND #starts_at BETWEEN :from AND :to",
                values: vec![
                    (":instructor", text(key.instructor_id)),
                    (":from", time(window.from - MAX_UTC_OFFSET)),
                    (":to", time(window.to + MAX_UTC_OFFSET)),
                ],
                ..Query::default()
            })
            .await?;
        let in_window = |entry: &Entry| match entry.starts_at.parse() {
            Ok(starts_at) => window.contains(starts_at),
            Err(_) => true, // the read by key tells what is wrong with it
        };
        Ok(found
            .into_iter()
            .filter_map(|item| serde_dynamo::aws_sdk_dynamodb_1::from_item::<Entry>(item).ok())
            .filter(|entry| entry.tenant_id == key.tenant_id && in_window(entry))
            .map(|entry| entry.id)
            .collect())
    }

    async fn write_lesson_columns(
        &self,
        key: ConnectionKey,
        lesson: LessonId,
        flags: &LessonSyncColumns,
    ) -> Result<()> {
        self.update(&self.names.lessons, keys::host(key.tenant_id, lesson), columns(own(key), flags)).await?;
        Ok(())
    }

    async fn flag_lesson(&self, key: ConnectionKey, lesson: LessonId, has_conflict: bool) -> Result<()> {
        let change = own(key).set("has_conflict", AttributeValue::Bool(has_conflict)).count_up(REVISION);
        self.update(&self.names.lessons, keys::host(key.tenant_id, lesson), change).await?;
        Ok(())
    }

    async fn clear_lesson_columns(&self, key: ConnectionKey, lesson: LessonId, event: &EventId) -> Result<()> {
        let ours = Change::when("#instructor_id = :own OR #google_calendar_event_id = :event")
            .with("own", text(key.instructor_id))
            .with("event", text(event));
        let blank = columns(ours, &LessonSyncColumns::BLANK);
        self.update(&self.names.lessons, keys::host(key.tenant_id, lesson), blank).await?;
        Ok(())
    }

    async fn save_lesson_version(
        &self,
        version: &LessonVersion,
        now: DateTime<Utc>,
        forget_at: DateTime<Utc>,
    ) -> Result<bool> {
        let newer = Change::when(format!("attribute_not_exists(#{VERSION}) OR #{VERSION} < :{VERSION}"))
            .set(VERSION, number(version.version));
        let change = match &version.lesson {
            Some(lesson) => newer
                .row(&FedRow::from(lesson))?
                .set_if_absent(REVISION, number(now.timestamp_millis()))
                .remove(TOMBSTONE),
            None => {
                LOST_IN_REMOVAL.into_iter().fold(newer, Change::remove).set(TOMBSTONE, number(forget_at.timestamp()))
            }
        };
        let key = keys::host(version.tenant_id, version.lesson_id);
        Ok(matches!(self.update(&self.names.lessons, key, change).await?, Written::Done(_)))
    }

    async fn flag_instructor(
        &self,
        key: ConnectionKey,
        enabled: Option<bool>,
        last_synced_at: Option<DateTime<Utc>>,
    ) -> Result<()> {
        let mut change = Change::when("attribute_exists(#id)");
        if let Some(enabled) = enabled {
            change = change.set("calendar_sync_enabled", AttributeValue::Bool(enabled));
        }
        if let Some(at) = last_synced_at {
            change = change.set("calendar_last_synced_at", time(at));
        }
        self.update(&self.names.instructors, keys::host(key.tenant_id, key.instructor_id), change).await?;
        Ok(())
    }

    async fn instructor_exists(&self, key: ConnectionKey) -> Result<bool> {
        Ok(self.get(&self.names.instructors, keys::host(key.tenant_id, key.instructor_id)).await?.is_some())
    }
}

/// How far a text with another offset may sort from its UTC form: hosts may write any offset.
const MAX_UTC_OFFSET: TimeDelta = TimeDelta::days(1);

/// On condition that the lesson exists and is the instructor's.
fn own(key: ConnectionKey) -> Change {
    Change::when("attribute_exists(#id) AND #instructor_id = :own").with("own", text(key.instructor_id))
}

fn columns(change: Change, flags: &LessonSyncColumns) -> Change {
    change
        .set_or_remove("google_calendar_event_id", flags.google_calendar_event_id.as_ref().map(text))
        .set_or_remove("calendar_sync_status", flags.calendar_sync_status.map(word_of).map(text))
        .set("has_conflict", AttributeValue::Bool(flags.has_conflict))
        .count_up(REVISION)
}

/// Counted up whenever our other columns are written.
const REVISION: &str = "calendar_sync_revision";

/// The last version that the feed sent.
const VERSION: &str = "feed_version";

/// The columns that the feed writes.
#[derive(Serialize)]
struct FedRow<'a> {
    instructor_id: InstructorId,
    title: &'a str,
    description: Option<&'a str>,
    location: Option<&'a str>,
    #[serde(with = "timestamp")]
    starts_at: DateTime<Utc>,
    #[serde(with = "timestamp")]
    ends_at: DateTime<Utc>,
    time_zone: Tz,
    status: LessonStatus,
}

impl<'a> From<&'a FedLesson> for FedRow<'a> {
    fn from(lesson: &'a FedLesson) -> Self {
        let content = &lesson.content;
        Self {
            instructor_id: lesson.instructor_id,
            title: &content.title,
            description: content.description.as_deref(),
            location: content.location.as_deref(),
            starts_at: content.starts_at,
            ends_at: content.ends_at,
            time_zone: content.time_zone,
            status: lesson.status,
        }
    }
}

/// The columns that a removed lesson loses. Its version stays, and its revision, which continues if the lesson comes
/// back.
const LOST_IN_REMOVAL: [&str; 11] = [
    "instructor_id",
    "title",
    "description",
    "location",
    "starts_at",
    "ends_at",
    "time_zone",
    "status",
    "google_calendar_event_id",
    "calendar_sync_status",
    "has_conflict",
];
