//! The wire form of an event: what we read of it, and what we write.
//!
//! Fields that we don't know are ignored, and a new value of an enumeration counts as its ordinary one, so that
//! nothing which Google adds breaks us. <https://developers.google.com/workspace/calendar/api/v3/reference/events>

use chrono::{DateTime, Datelike, NaiveDate, SecondsFormat, Utc};
use chrono_tz::Tz;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    model::{Event, EventId, EventStatus, EventTime, EventType, LessonContent},
    ports::EventPatch,
};

/// What we ask for of an event, as a `fields` selector. A change of it is a change of the listing's shape: see
/// [`crate::model::Cursor`].
pub(super) const FIELDS: &str = "id,etag,status,summary,description,location,start,end,recurrence,recurringEventId,\
     originalStartTime,transparency,visibility,eventType,attendees(self,responseStatus),extendedProperties/private";

/// The private extended property that carries the lesson's id.
const LESSON_ID: &str = "lessonId";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Resource {
    id: String,
    etag: Option<String>,
    status: Option<String>,
    summary: Option<String>,
    description: Option<String>,
    location: Option<String>,
    start: Option<WireTime>,
    end: Option<WireTime>,
    recurrence: Option<Vec<String>>,
    recurring_event_id: Option<String>,
    original_start_time: Option<WireTime>,
    transparency: Option<String>,
    visibility: Option<String>,
    event_type: Option<String>,
    attendees: Option<Vec<Attendee>>,
    extended_properties: Option<ExtendedProperties>,
}

#[derive(Deserialize)]
struct WireTime {
    #[serde(rename = "date")]
    day: Option<NaiveDate>,
    #[serde(rename = "dateTime")]
    instant: Option<DateTime<Utc>>,
    #[serde(rename = "timeZone")]
    zone: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Attendee {
    #[serde(rename = "self", default)]
    is_self: bool,
    response_status: Option<String>,
}

#[derive(Deserialize)]
struct ExtendedProperties {
    private: Option<serde_json::Map<String, Value>>,
}

/// Why an item cannot be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum Malformed {
    #[error("not an event resource: {0}")]
    Json(#[from] serde_json::Error),
    #[error("a time that is neither a day nor a moment")]
    Time,
    #[error("an event that takes place at no time")]
    NoTime,
}

/// Reads an event.
pub(super) fn read(json: &[u8]) -> Result<Event, Malformed> {
    let resource: Resource = serde_json::from_slice(json)?;
    let status = match resource.status.as_deref() {
        Some("cancelled") => EventStatus::Cancelled,
        Some("tentative") => EventStatus::Tentative,
        _ => EventStatus::Confirmed,
    };
    let time = |time: Option<WireTime>| time.map(read_time).transpose();
    let (start, end) = (time(resource.start)?, time(resource.end)?);
    if status != EventStatus::Cancelled && (start.is_none() || end.is_none()) {
        return Err(Malformed::NoTime);
    }
    Ok(Event {
        id: EventId(resource.id),
        etag: resource.etag.unwrap_or_default(),
        status,
        summary: resource.summary,
        description: resource.description,
        location: resource.location,
        start,
        end,
        recurrence: resource.recurrence.unwrap_or_default(),
        recurring_event_id: resource.recurring_event_id.map(EventId),
        original_start: time(resource.original_start_time)?,
        transparent: resource.transparency.as_deref() == Some("transparent"),
        private: matches!(resource.visibility.as_deref(), Some("private" | "confidential")),
        event_type: match resource.event_type.as_deref() {
            Some("outOfOffice") => EventType::OutOfOffice,
            Some("focusTime") => EventType::FocusTime,
            Some("workingLocation") => EventType::WorkingLocation,
            Some("birthday") => EventType::Birthday,
            Some("fromGmail") => EventType::FromGmail,
            _ => EventType::Default,
        },
        declined: resource
            .attendees
            .unwrap_or_default()
            .iter()
            .any(|attendee| attendee.is_self && attendee.response_status.as_deref() == Some("declined")),
        lesson_id: resource
            .extended_properties
            .and_then(|properties| properties.private?.get(LESSON_ID)?.as_str()?.parse().ok()),
    })
}

fn read_time(time: WireTime) -> Result<EventTime, Malformed> {
    // Google's years have four digits. Far beyond them, reckoning with zones overflows.
    let sane = |year| (1..=9999).contains(&year);
    match (time.day, time.instant) {
        (_, Some(instant)) if sane(instant.year()) => {
            Ok(EventTime::At { instant, zone: time.zone.and_then(|zone| zone.parse().ok()) })
        }
        (Some(day), None) if sane(day.year()) => Ok(EventTime::Day(day)),
        _ => Err(Malformed::Time),
    }
}

/// The body that makes or replaces an event: all that we own, and confirmed.
pub(super) fn whole(event: &EventPatch) -> Value {
    let LessonContent { starts_at, ends_at, time_zone, .. } = event.content;
    let mut body = owned_texts(event);
    body["status"] = json!("confirmed");
    body["start"] = json!({ "dateTime": moment(starts_at), "timeZone": time_zone.name() });
    body["end"] = json!({ "dateTime": moment(ends_at), "timeZone": time_zone.name() });
    body
}

/// The body that changes what we own and leaves the rest. A patch merges, so that what was added in Google and
/// contradicts us is set to null: a recurrence, and the day of an event that was made to last all day.
pub(super) fn patch(event: &EventPatch) -> Value {
    let LessonContent { starts_at, ends_at, time_zone, .. } = event.content;
    let mut body = owned_texts(event);
    body["recurrence"] = Value::Null;
    body["start"] = json!({ "date": null, "dateTime": moment(starts_at), "timeZone": time_zone.name() });
    body["end"] = json!({ "date": null, "dateTime": moment(ends_at), "timeZone": time_zone.name() });
    body
}

/// A description or a location that the lesson does not have is not ours.
fn owned_texts(event: &EventPatch) -> Value {
    let LessonContent { title, description, location, .. } = &event.content;
    let mut body = json!({
        "summary": title,
        "extendedProperties": { "private": { LESSON_ID: event.lesson_id } },
    });
    for (name, text) in [("description", description), ("location", location)] {
        if let Some(text) = text {
            body[name] = json!(text);
        }
    }
    body
}

fn moment(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// The zone named in a listing.
pub(super) fn zone(name: &str) -> Option<Tz> {
    name.parse().ok()
}
