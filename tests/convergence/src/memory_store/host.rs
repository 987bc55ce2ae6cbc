//! The host's tables, rows as the host wrote them.

use calendar_sync::{
    adapters::dynamo::lesson_from_image,
    model::{ConnectionKey, LessonId, TenantId, Window, timestamp},
    ports::{HostFlags, LessonLookup},
};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::Tables;

impl Tables {
    /// A lesson as the host's row says it.
    pub fn lesson(&self, tenant: TenantId, id: LessonId) -> LessonLookup {
        let Some(row) = self.lessons.get(&(tenant, id)) else { return LessonLookup::Gone };
        let lesson = serde_dynamo::to_item(row).ok().and_then(lesson_from_image);
        lesson.map_or_else(
            || LessonLookup::Unreadable("it is malformed".to_owned()),
            |lesson| LessonLookup::Found(Box::new(lesson)),
        )
    }

    pub(super) fn lessons_between(&self, key: ConnectionKey, window: Window) -> Vec<LessonId> {
        let inside = |row: &Value| {
            row["instructor_id"].as_str() == Some(&key.instructor_id.to_string())
                && row["starts_at"].as_str().is_some_and(|at| at.parse().is_ok_and(|at| window.contains(at)))
        };
        let own = self.lessons.iter().filter(|((tenant, _), _)| *tenant == key.tenant_id);
        own.filter(|(_, row)| inside(row)).map(|((_, id), _)| *id).collect()
    }

    /// Whether the lesson is there and the instructor's.
    pub(super) fn is_own(&self, key: ConnectionKey, lesson: LessonId) -> bool {
        let row = self.lessons.get(&(key.tenant_id, lesson));
        row.is_some_and(|row| row["instructor_id"].as_str() == Some(&key.instructor_id.to_string()))
    }

    pub(super) fn flag_lesson(&mut self, key: ConnectionKey, lesson: LessonId, flags: &HostFlags) {
        if !self.is_own(key, lesson) {
            return;
        }
        let Some(row) = self.lessons.get_mut(&(key.tenant_id, lesson)) else { return };
        let Some(columns) = row.as_object_mut() else { return };
        columns.insert("has_conflict".to_owned(), json!(flags.has_conflict));
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

    pub(super) fn flag_instructor(
        &mut self,
        key: ConnectionKey,
        enabled: Option<bool>,
        last_synced_at: Option<DateTime<Utc>>,
    ) {
        let Some(row) = self.instructors.get_mut(&(key.tenant_id, key.instructor_id)) else { return };
        if let Some(enabled) = enabled {
            row["calendar_sync_enabled"] = json!(enabled);
        }
        if let Some(at) = last_synced_at {
            row["calendar_last_synced_at"] = json!(timestamp::format(at));
        }
    }
}
