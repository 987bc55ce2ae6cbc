//! The host's tables, rows as the host wrote them.

use async_trait::async_trait;
use calendar_sync::{
    Result,
    adapters::dynamo::{lesson_from_image, tables::TOMBSTONE},
    model::{ConnectionKey, EventId, LessonId, LessonVersion, TenantId, Window, timestamp},
    ports::{HostStore, LessonLookup, LessonSyncColumns},
};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{MemoryStore, Table, Tables};

#[async_trait]
impl HostStore for MemoryStore {
    async fn lessons(&self, tenant: TenantId, ids: &[LessonId]) -> Result<Vec<LessonLookup>> {
        self.read(|tables| ids.iter().map(|id| tables.lesson(tenant, *id)).collect()).await
    }

    async fn lessons_between(&self, key: ConnectionKey, window: Window) -> Result<Vec<LessonId>> {
        self.look_up(|tables| {
            let inside = |row: &Value| {
                row["instructor_id"].as_str() == Some(&key.instructor_id.to_string())
                    && row["starts_at"].as_str().is_some_and(|at| at.parse().is_ok_and(|at| window.contains(at)))
            };
            let first = (key.tenant_id, LessonId(Uuid::nil()));
            let own = tables.lessons.range(first..).take_while(|((tenant, _), _)| *tenant == key.tenant_id);
            own.filter(|(_, row)| inside(row)).map(|((_, id), _)| *id).collect()
        })
        .await
    }

    async fn save_lesson_version(
        &self,
        version: &LessonVersion,
        now: DateTime<Utc>,
        forget_at: DateTime<Utc>,
    ) -> Result<bool> {
        self.write(Table::Lessons, |tables| {
            let LessonVersion { tenant_id, lesson_id, version, lesson } = version;
            let row = tables.lessons.entry((*tenant_id, *lesson_id)).or_insert_with(|| json!({}));
            if row["feed_version"].as_u64().is_some_and(|stored| stored >= *version) {
                return false;
            }
            let mut kept = json!({
                "tenant_id": tenant_id, "id": lesson_id, "feed_version": version,
                "calendar_sync_revision": row["calendar_sync_revision"],
            });
            match lesson {
                Some(lesson) => {
                    let content = &lesson.content;
                    for ours in ["google_calendar_event_id", "calendar_sync_status", "has_conflict"] {
                        kept[ours] = row[ours].take();
                    }
                    kept["instructor_id"] = json!(lesson.instructor_id);
                    kept["title"] = json!(content.title);
                    kept["description"] = json!(content.description);
                    kept["location"] = json!(content.location);
                    kept["starts_at"] = json!(timestamp::format(content.starts_at));
                    kept["ends_at"] = json!(timestamp::format(content.ends_at));
                    kept["time_zone"] = json!(content.time_zone);
                    kept["status"] = json!(lesson.status);
                    if kept["calendar_sync_revision"].is_null() {
                        kept["calendar_sync_revision"] = json!(now.timestamp_millis());
                    }
                }
                None => kept[TOMBSTONE] = json!(forget_at.timestamp()),
            }
            if let Some(columns) = kept.as_object_mut() {
                columns.retain(|_, value| !value.is_null());
            }
            *row = kept;
            true
        })
        .await
    }

    async fn write_lesson_columns(
        &self,
        key: ConnectionKey,
        lesson: LessonId,
        flags: &LessonSyncColumns,
    ) -> Result<()> {
        self.write(Table::Lessons, |tables| tables.write_lesson_columns(key, lesson, flags)).await
    }

    async fn flag_lesson(&self, key: ConnectionKey, lesson: LessonId, has_conflict: bool) -> Result<()> {
        self.write(Table::Lessons, |tables| {
            if tables.is_own(key, lesson) {
                let _columns = tables.flag(key.tenant_id, lesson, has_conflict);
            }
        })
        .await
    }

    async fn clear_lesson_columns(&self, key: ConnectionKey, lesson: LessonId, event: &EventId) -> Result<()> {
        self.write(Table::Lessons, |tables| {
            let row = tables.lessons.get(&(key.tenant_id, lesson));
            let shows = row.is_some_and(|row| row["google_calendar_event_id"].as_str() == Some(event.as_str()));
            if shows || tables.is_own(key, lesson) {
                tables.write_columns(key.tenant_id, lesson, &LessonSyncColumns::BLANK);
            }
        })
        .await
    }

    async fn flag_instructor(
        &self,
        key: ConnectionKey,
        enabled: Option<bool>,
        last_synced_at: Option<DateTime<Utc>>,
    ) -> Result<()> {
        self.write(Table::Instructors, |tables| {
            let Some(row) = tables.instructors.get_mut(&(key.tenant_id, key.instructor_id)) else { return };
            if let Some(enabled) = enabled {
                row["calendar_sync_enabled"] = json!(enabled);
            }
            if let Some(at) = last_synced_at {
                row["calendar_last_synced_at"] = json!(timestamp::format(at));
            }
        })
        .await
    }

    async fn instructor_exists(&self, key: ConnectionKey) -> Result<bool> {
        self.read(|tables| tables.instructors.contains_key(&(key.tenant_id, key.instructor_id))).await
    }
}

impl Tables {
    /// A lesson as the host's row says it.
    pub fn lesson(&self, tenant: TenantId, id: LessonId) -> LessonLookup {
        let row = self.lessons.get(&(tenant, id)).filter(|row| row.get(TOMBSTONE).is_none());
        let Some(row) = row else { return LessonLookup::Gone };
        let lesson = serde_dynamo::to_item(row).ok().and_then(lesson_from_image);
        lesson.map_or_else(
            || LessonLookup::Unreadable("it is malformed".to_owned()),
            |lesson| LessonLookup::Found(Box::new(lesson)),
        )
    }

    /// Whether the lesson is there and the instructor's.
    pub(super) fn is_own(&self, key: ConnectionKey, lesson: LessonId) -> bool {
        let row = self.lessons.get(&(key.tenant_id, lesson));
        row.is_some_and(|row| row["instructor_id"].as_str() == Some(&key.instructor_id.to_string()))
    }

    pub(super) fn write_lesson_columns(&mut self, key: ConnectionKey, lesson: LessonId, flags: &LessonSyncColumns) {
        if self.is_own(key, lesson) {
            self.write_columns(key.tenant_id, lesson, flags);
        }
    }

    /// Writes the flag alone.
    fn flag(
        &mut self,
        tenant: TenantId,
        lesson: LessonId,
        has_conflict: bool,
    ) -> Option<&mut serde_json::Map<String, Value>> {
        let columns = self.lessons.get_mut(&(tenant, lesson))?.as_object_mut()?;
        columns.insert("has_conflict".to_owned(), json!(has_conflict));
        let revision = columns.get("calendar_sync_revision").and_then(Value::as_u64).unwrap_or(0);
        columns.insert("calendar_sync_revision".to_owned(), json!(revision + 1));
        Some(columns)
    }

    fn write_columns(&mut self, tenant: TenantId, lesson: LessonId, flags: &LessonSyncColumns) {
        let Some(columns) = self.flag(tenant, lesson, flags.has_conflict) else { return };
        let ours = [
            ("google_calendar_event_id", flags.google_calendar_event_id.as_ref().map(|id| json!(id))),
            ("calendar_sync_status", flags.calendar_sync_status.map(|status| json!(status))),
        ];
        for (column, value) in ours {
            match value {
                Some(value) => columns.insert(column.to_owned(), value),
                None => columns.remove(column),
            };
        }
    }
}
