//! The wire form of an event: the fields that we read, and the bodies that we write.
//!
//! Unknown fields are ignored, and an unknown value of an enumeration counts as its ordinary one, so that additions of
//! Google's do not break us. <https://developers.google.com/workspace/calendar/api/v3/reference/events>

use chrono::{DateTime, Datelike, NaiveDate, SecondsFormat, Utc};
use chrono_tz::Tz;
use serde::Deserialize;
use serde_json::{Value, json};
use tracing::warn;

use crate::{
    model::{
        Event, EventId, EventStatus, EventTime, EventType, ExternalCalendarEvent, LessonContent, OwnEventId,
        SkipReason, SkippedEvent, Zone, rendering,
    },
    ports::EventPatch,
};

/// The `fields` selector for an event. When it changes, the listing's shape changes too: see [`crate::model::Cursor`].
pub(super) const FIELDS: &str = "id,etag,status,summary,description,location,start,end,recurrence,recurringEventId,\
     originalStartTime,transparency,visibility,eventType,attendees(self,responseStatus),extendedProperties/private";

/// Bytes of an id or an etag. Google's ids have up to 1,024 characters, and an instance adds its original start.
const MAX_ID_BYTES: usize = 2 * 1024;

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

/// Why an item cannot be read. The error quotes nothing of the instructor's content.
#[derive(Debug, thiserror::Error)]
enum Malformed {
    #[error("not an event resource, as line {line}, column {column} shows")]
    Json { line: usize, column: usize },
    #[error("an event without an id")]
    NoId,
    #[error("an id that is too long")]
    TooLong,
    #[error("a time that is neither a day nor a moment")]
    Time,
    #[error("an event that takes place at no time")]
    NoTime,
}

/// Reads an event, or at least its id.
pub(super) fn read(json: &[u8]) -> Result<Event, SkippedEvent> {
    #[derive(Deserialize)]
    struct Named {
        id: String,
    }
    let event = serde_json::from_slice(json)
        .map_err(|error| Malformed::Json { line: error.line(), column: error.column() })
        .and_then(event);
    event.map_err(|why| {
        warn!(%why, "an event is left out");
        let id = serde_json::from_slice(json).ok().map(|named: Named| named.id).filter(|id| !id.is_empty());
        let reason = if matches!(why, Malformed::TooLong) { SkipReason::TooLarge } else { SkipReason::Unreadable };
        SkippedEvent { id: id.map(EventId), reason }
    })
}

/// Reads an event of a listing, which is held with all others: keeps no more of it than is stored. The texts of an event
/// of ours are compared in full.
pub(super) fn read_listed(json: &[u8]) -> Result<Event, SkippedEvent> {
    let mut event = read(json)?;
    if event.is_cancelled() {
        event.recurrence = Vec::new();
    }
    if ExternalCalendarEvent::is_too_large(&event) {
        return Err(SkippedEvent { id: Some(event.id), reason: SkipReason::TooLarge });
    }
    if !OwnEventId::is_form_of(&event.id) {
        ExternalCalendarEvent::reduce(&mut event);
    }
    Ok(event)
}

fn event(resource: Resource) -> Result<Event, Malformed> {
    if resource.id.is_empty() {
        return Err(Malformed::NoId);
    }
    let ids = [Some(&resource.id), resource.recurring_event_id.as_ref(), resource.etag.as_ref()];
    if ids.into_iter().flatten().any(|id| id.len() > MAX_ID_BYTES) {
        return Err(Malformed::TooLong);
    }
    let status = match resource.status.as_deref() {
        Some("cancelled") => EventStatus::Cancelled,
        Some("tentative") => EventStatus::Tentative,
        _ => EventStatus::Confirmed,
    };
    let time = |time: Option<WireTime>| time.map(read_time).transpose();
    let start = time(resource.start)?;
    let end = time(resource.end)?.map(|end| after_its_start(end, start));
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
    match (time.day, time.instant) {
        (_, Some(instant)) if is_of_google(&instant) => {
            Ok(EventTime::At { instant, zone: time.zone.and_then(|zone| Zone::read(&zone)) })
        }
        (Some(day), None) if is_of_google(&day) => Ok(EventTime::Day(day)),
        _ => Err(Malformed::Time),
    }
}

/// Google's years have four digits; far beyond them, calculating with zones overflows.
fn is_of_google(time: &impl Datelike) -> bool {
    (1..=9999).contains(&time.year())
}

/// Google accepts whole-day events that end on the day on which they start, or before, and shows that day. The end stays
/// in the years that Google has: later years sort before all others.
fn after_its_start(end: EventTime, start: Option<EventTime>) -> EventTime {
    match (start, end) {
        (Some(EventTime::Day(start)), EventTime::Day(end)) => {
            EventTime::Day(end.max(start.succ_opt().filter(is_of_google).unwrap_or(start)))
        }
        _ => end,
    }
}

/// The body that makes or replaces an event: all fields that we own, confirmed.
pub(super) fn whole(event: &EventPatch) -> Value {
    let LessonContent { starts_at, ends_at, time_zone, .. } = event.content;
    let mut body = owned_texts(event);
    body["start"] = json!({ "dateTime": moment(starts_at), "timeZone": time_zone.name() });
    body["end"] = json!({ "dateTime": moment(ends_at), "timeZone": time_zone.name() });
    body
}

/// The body that changes the fields that we own and leaves the others. A patch merges, so a field that was added in
/// Google and contradicts ours is set to null: a recurrence, or the date of an event that was made to last all day; and so is
/// a text that is to go.
pub(super) fn patch(event: &EventPatch) -> Value {
    let LessonContent { starts_at, ends_at, time_zone, .. } = event.content;
    let mut body = owned_texts(event);
    for text in ["description", "location"] {
        if body[text] == "" {
            body[text] = Value::Null;
        }
    }
    body["recurrence"] = Value::Null;
    body["start"] = json!({ "date": null, "dateTime": moment(starts_at), "timeZone": time_zone.name() });
    body["end"] = json!({ "date": null, "dateTime": moment(ends_at), "timeZone": time_zone.name() });
    body
}

/// A description or location that the lesson does not have is not ours. What Google would not store is not sent.
fn owned_texts(event: &EventPatch) -> Value {
    let LessonContent { title, description, location, .. } = &event.content;
    let mut body = json!({
        "status": "confirmed", // revives a deleted event
        "summary": rendering::line(title),
        "extendedProperties": { "private": { LESSON_ID: event.lesson_id } },
    });
    if let Some(text) = description {
        body["description"] = json!(rendering::description(text));
    }
    if let Some(text) = location {
        body["location"] = json!(rendering::line(text));
    }
    body
}

fn moment(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// The zone named in a listing. A calendar's zone belongs to a place; an offset is refused.
pub(super) fn zone(name: &str) -> Option<Tz> {
    match Zone::read(name)? {
        Zone::Named(zone) => Some(zone),
        Zone::Fixed(_) => None,
    }
}

#[cfg(test)]
mod tests;
