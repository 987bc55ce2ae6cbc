//! The host's lessons: what a person there adds, moves, cancels and removes.

use std::sync::Arc;

use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use axum::{
    Json,
    extract::{
        Path, Query, State,
        rejection::{JsonRejection, QueryRejection},
    },
    http::StatusCode,
};
use chrono::{DateTime, SecondsFormat, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Host, Refusal, session::Caller};
use crate::system;

/// A lesson's row as a table item.
type Item = std::collections::HashMap<String, AttributeValue>;

/// What a person says of a lesson: all of it for a new one, else what changes.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LessonChange {
    title: Option<String>,
    starts_at: Option<DateTime<Utc>>,
    ends_at: Option<DateTime<Utc>>,
    time_zone: Option<Tz>,
    status: Option<Status>,
}

/// Whether a lesson takes place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Scheduled,
    Cancelled,
}

/// A lesson as the host keeps it, and what the sync wrote beside it.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(rename_all(serialize = "camelCase"))]
pub struct Lesson {
    id: Uuid,
    instructor_id: Uuid,
    title: String,
    starts_at: DateTime<Utc>,
    ends_at: DateTime<Utc>,
    time_zone: Tz,
    status: Status,
    #[serde(default)]
    google_calendar_event_id: Option<String>,
    #[serde(default)]
    calendar_sync_status: Option<String>,
    #[serde(default)]
    has_conflict: bool,
}

/// `GET /dev/lessons`: the caller's lessons in order of time.
pub async fn list(
    State(host): State<Arc<Host>>,
    caller: Result<Query<Caller>, QueryRejection>,
) -> Result<Json<Vec<Lesson>>, Refusal> {
    let Query(caller) = caller?;
    let mut pages = host
        .client
        .query()
        .table_name(&host.lessons)
        .key_condition_expression("tenant_id = :tenant")
        .filter_expression("instructor_id = :instructor")
        .expression_attribute_values(":tenant", text(&caller.tenant))
        .expression_attribute_values(":instructor", text(&caller.instructor))
        .consistent_read(true)
        .into_paginator()
        .items()
        .send();
    let mut lessons = Vec::new();
    while let Some(item) = pages.next().await {
        lessons.push(read(item.map_err(aws_sdk_dynamodb::Error::from)?)?);
    }
    lessons.sort_by_key(|lesson: &Lesson| (lesson.starts_at, lesson.id));
    Ok(Json(lessons))
}

/// `POST /dev/lessons`
pub async fn create(
    State(host): State<Arc<Host>>,
    caller: Result<Query<Caller>, QueryRejection>,
    change: Result<Json<LessonChange>, JsonRejection>,
) -> Result<(StatusCode, Json<Lesson>), Refusal> {
    let (Query(caller), Json(change)) = (caller?, change?);
    let lesson = change.into_lesson(caller.instructor)?;
    let lesson = host.put_new(caller.tenant, &lesson).await?;
    Ok((StatusCode::CREATED, Json(lesson)))
}

/// `PATCH /dev/lessons/{id}`
pub async fn change(
    State(host): State<Arc<Host>>,
    Path(id): Path<String>,
    caller: Result<Query<Caller>, QueryRejection>,
    change: Result<Json<LessonChange>, JsonRejection>,
) -> Result<Json<Lesson>, Refusal> {
    let (Query(caller), Json(change)) = (caller?, change?);
    let lesson = change.applied_to(host.read(caller.tenant, lesson_id(&id)?).await?)?;
    Ok(Json(host.write(caller.tenant, &lesson, "attribute_exists(id)").await?))
}

/// `DELETE /dev/lessons/{id}`
pub async fn remove(
    State(host): State<Arc<Host>>,
    Path(id): Path<String>,
    caller: Result<Query<Caller>, QueryRejection>,
) -> Result<StatusCode, Refusal> {
    let Query(caller) = caller?;
    host.client
        .delete_item()
        .table_name(&host.lessons)
        .key("tenant_id", text(&caller.tenant))
        .key("id", text(&lesson_id(&id)?))
        .condition_expression("attribute_exists(id)")
        .send()
        .await
        .map_err(aws_sdk_dynamodb::Error::from)?;
    Ok(StatusCode::NO_CONTENT)
}

impl Host {
    async fn read(&self, tenant: Uuid, id: Uuid) -> Result<Lesson, Refusal> {
        let found = self
            .client
            .get_item()
            .table_name(&self.lessons)
            .key("tenant_id", text(&tenant))
            .key("id", text(&id))
            .consistent_read(true)
            .send()
            .await
            .map_err(aws_sdk_dynamodb::Error::from)?;
        // What a lesson removed by the feed has left is no lesson.
        let row = found.item.filter(|row| row.contains_key("instructor_id"));
        Ok(read(row.ok_or_else(Refusal::not_found)?)?)
    }

    pub(super) async fn put_new(&self, tenant: Uuid, lesson: &Lesson) -> Result<Lesson, Refusal> {
        self.write(tenant, lesson, "attribute_not_exists(id)").await
    }

    /// Writes the host's own columns, and leaves those of the sync as they are.
    async fn write(&self, tenant: Uuid, lesson: &Lesson, condition: &str) -> Result<Lesson, Refusal> {
        let written = self
            .client
            .update_item()
            .table_name(&self.lessons)
            .key("tenant_id", text(&tenant))
            .key("id", text(&lesson.id))
            .condition_expression(condition)
            .update_expression(
                "SET instructor_id = :instructor, title = :title, starts_at = :starts_at, \
                 ends_at = :ends_at, time_zone = :time_zone, #status = :status",
            )
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":instructor", text(&lesson.instructor_id))
            .expression_attribute_values(":title", text(&lesson.title))
            .expression_attribute_values(":starts_at", moment(lesson.starts_at))
            .expression_attribute_values(":ends_at", moment(lesson.ends_at))
            .expression_attribute_values(":time_zone", text(&lesson.time_zone))
            .expression_attribute_values(":status", text(&lesson.status.word()))
            .return_values(ReturnValue::AllNew)
            .send()
            .await
            .map_err(aws_sdk_dynamodb::Error::from)?;
        Ok(read(written.attributes.unwrap_or_default())?)
    }
}

impl Status {
    fn word(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::Cancelled => "cancelled",
        }
    }
}

impl LessonChange {
    fn into_lesson(self, instructor_id: Uuid) -> Result<Lesson, Refusal> {
        let missing = |field| move || Refusal::invalid(format!("`{field}` is missing"));
        Lesson::new(
            instructor_id,
            self.title.ok_or_else(missing("title"))?,
            self.starts_at.ok_or_else(missing("startsAt"))?,
            self.ends_at.ok_or_else(missing("endsAt"))?,
            self.time_zone.ok_or_else(missing("timeZone"))?,
            self.status.unwrap_or(Status::Scheduled),
        )
        .checked()
    }

    fn applied_to(self, lesson: Lesson) -> Result<Lesson, Refusal> {
        Lesson {
            title: self.title.unwrap_or(lesson.title),
            starts_at: self.starts_at.unwrap_or(lesson.starts_at),
            ends_at: self.ends_at.unwrap_or(lesson.ends_at),
            time_zone: self.time_zone.unwrap_or(lesson.time_zone),
            status: self.status.unwrap_or(lesson.status),
            ..lesson
        }
        .checked()
    }
}

impl Lesson {
    /// A lesson that the host just thought of.
    pub fn new(
        instructor_id: Uuid,
        title: impl Into<String>,
        starts_at: DateTime<Utc>,
        ends_at: DateTime<Utc>,
        time_zone: Tz,
        status: Status,
    ) -> Self {
        Self {
            id: system::random_id(),
            instructor_id,
            title: title.into(),
            starts_at,
            ends_at,
            time_zone,
            status,
            google_calendar_event_id: None,
            calendar_sync_status: None,
            has_conflict: false,
        }
    }

    fn checked(self) -> Result<Self, Refusal> {
        if self.title.trim().is_empty() {
            return Err(Refusal::invalid("`title` is empty"));
        }
        if self.ends_at <= self.starts_at {
            return Err(Refusal::invalid("`endsAt` is not after `startsAt`"));
        }
        Ok(self)
    }
}

fn read(item: Item) -> anyhow::Result<Lesson> {
    Ok(serde_dynamo::from_item(item)?)
}

/// An id that is none names no lesson.
fn lesson_id(text: &str) -> Result<Uuid, Refusal> {
    text.parse().map_err(|_| Refusal::not_found())
}

fn text(value: &impl ToString) -> AttributeValue {
    AttributeValue::S(value.to_string())
}

fn moment(at: DateTime<Utc>) -> AttributeValue {
    text(&at.to_rfc3339_opts(SecondsFormat::Millis, true))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn new_lesson() -> Value {
        json!({
            "title": "Piano",
            "startsAt": "2026-12-01T10:00:00+01:00",
            "endsAt": "2026-12-01T11:00:00+01:00",
            "timeZone": "Europe/Berlin",
        })
    }

    fn created(body: Value) -> Result<Lesson, String> {
        let change: LessonChange = serde_json::from_value(body).map_err(|error| error.to_string())?;
        change.into_lesson(Uuid::nil()).map_err(|refusal| format!("{refusal:?}"))
    }

    #[test]
    fn a_lesson_needs_a_title_and_times_in_order_in_a_known_zone() {
        assert_eq!(created(new_lesson()).unwrap().status, Status::Scheduled);
        for (field, bad) in [
            ("title", json!(" ")),
            ("title", json!(null)),
            ("endsAt", json!("2026-12-01T10:00:00+01:00")),
            ("endsAt", json!("tomorrow")),
            ("startsAt", json!("2026-12-01T10:00:00")),
            ("timeZone", json!("Berlin")),
            ("status", json!("done")),
            ("colour", json!("red")),
        ] {
            let mut body = new_lesson();
            body[field] = bad;
            created(body).unwrap_err();
        }
    }

    #[test]
    fn a_change_keeps_what_it_does_not_name() {
        let lesson = created(new_lesson()).unwrap();
        let cancel = LessonChange { status: Some(Status::Cancelled), ..LessonChange::default() };
        let cancelled = cancel.applied_to(lesson.clone()).unwrap();
        assert_eq!((cancelled.title, cancelled.status), ("Piano".to_owned(), Status::Cancelled));
        let backwards = LessonChange { ends_at: Some(lesson.starts_at), ..LessonChange::default() };
        assert!(backwards.applied_to(lesson).is_err());
    }
}
