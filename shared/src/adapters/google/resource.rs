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
        ExternalCalendarEvent::cut_texts(&mut event);
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
/// Google and contradicts ours is set to null: a recurrence, or the date of an event that was made to last all day.
pub(super) fn patch(event: &EventPatch) -> Value {
    let LessonContent { starts_at, ends_at, time_zone, .. } = event.content;
    let mut body = owned_texts(event);
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
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::model::{Fingerprint, LessonId};

    fn timed(more: &Value) -> Value {
        let mut event = json!({
            "id": "e1", "etag": "\"1\"", "status": "confirmed",
            "start": { "dateTime": "2026-03-01T09:00:00+01:00", "timeZone": "Europe/Berlin" },
            "end": { "dateTime": "2026-03-01T10:00:00+01:00", "timeZone": "Europe/Berlin" },
        });
        for (name, value) in more.as_object().unwrap() {
            event[name] = value.clone();
        }
        event
    }
    fn read_json(json: &Value) -> Result<Event, SkippedEvent> {
        read(json.to_string().as_bytes())
    }
    fn lesson() -> EventPatch {
        EventPatch {
            lesson_id: LessonId(Uuid::from_u128(7)),
            content: LessonContent {
                title: "Piano".to_owned(),
                starts_at: "2026-03-01T08:00:00.250Z".parse().unwrap(),
                ends_at: "2026-03-01T09:00:00Z".parse().unwrap(),
                time_zone: Tz::Europe__Berlin,
                description: Some("Bring the Bach".to_owned()),
                location: None,
            },
        }
    }

    #[test]
    fn a_moment_keeps_its_zone_and_a_day_stays_a_day() {
        let event = read_json(&timed(&json!({ "end": { "date": "2026-03-02" } }))).unwrap();
        let instant = "2026-03-01T08:00:00Z".parse().unwrap();
        assert_eq!(event.start, Some(EventTime::At { instant, zone: Some(Tz::Europe__Berlin.into()) }));
        assert_eq!(event.end, Some(EventTime::Day("2026-03-02".parse().unwrap())));
    }

    #[test]
    fn a_whole_day_ends_after_its_start_and_within_the_years_that_there_are() {
        for (start, end, last) in [
            ("2026-03-01", "2026-03-03", "2026-03-03"),
            ("2026-03-01", "2026-03-01", "2026-03-02"),
            ("2026-03-01", "2026-02-01", "2026-03-02"),
            ("9999-12-30", "9999-12-30", "9999-12-31"),
            ("9999-12-31", "9999-12-31", "9999-12-31"),
        ] {
            let event = read_json(&timed(&json!({ "start": { "date": start }, "end": { "date": end } }))).unwrap();
            assert_eq!(event.end, Some(EventTime::Day(last.parse().unwrap())), "{start} to {end}");
        }
    }

    #[test]
    fn what_google_adds_breaks_nothing() {
        let event = read_json(&timed(&json!({
            "status": "postponed", "eventType": "siesta", "transparency": "murky", "visibility": "tribal",
            "novelty": { "deep": [1, 2] }, "start": {
                "dateTime": "2026-03-01T09:00:00+01:00", "timeZone": "Mars/Olympus", "novelty": true,
            },
            "attendees": [{ "self": true, "responseStatus": "pondering" }],
        })))
        .unwrap();
        assert_eq!(event.status, EventStatus::Confirmed);
        assert_eq!(event.event_type, EventType::Default);
        assert!(event.blocks() && !event.private);
        assert!(matches!(event.start, Some(EventTime::At { zone: None, .. })));
    }

    #[test]
    fn tombstones_need_nothing_but_their_id() {
        let bare = read_json(&json!({ "id": "e1", "status": "cancelled" })).unwrap();
        assert!(bare.is_cancelled() && bare.start.is_none());
        let occurrence = read_json(&json!({
            "id": "e1_20260301T080000Z", "status": "cancelled", "recurringEventId": "e1",
            "originalStartTime": { "dateTime": "2026-03-01T09:00:00+01:00" },
        }))
        .unwrap();
        assert_eq!(occurrence.recurring_event_id, Some(EventId::from("e1")));
        assert!(occurrence.original_start.is_some());
    }

    #[test]
    fn declined_is_what_the_calendars_own_row_says() {
        let declined = |attendees: Value| read_json(&timed(&json!({ "attendees": attendees }))).unwrap().declined;
        assert!(declined(json!([{ "responseStatus": "accepted" }, { "self": true, "responseStatus": "declined" }])));
        assert!(!declined(json!([{ "responseStatus": "declined" }, { "self": true, "responseStatus": "accepted" }])));
        assert!(!declined(json!([{ "self": false, "responseStatus": "declined" }, {}])));
        assert!(!declined(Value::Null));
    }

    #[test]
    fn the_lesson_is_read_from_our_private_property_alone() {
        let lesson =
            |properties: Value| read_json(&timed(&json!({ "extendedProperties": properties }))).unwrap().lesson_id;
        let id = "00000000-0000-0000-0000-000000000007";
        assert_eq!(lesson(json!({ "private": { "lessonId": id, "other": 1 } })), Some(LessonId(Uuid::from_u128(7))));
        assert_eq!(lesson(json!({ "shared": { "lessonId": id } })), None);
        assert_eq!(lesson(json!({ "private": { "lessonId": "7" } })), None);
        assert_eq!(lesson(json!({ "private": { "lessonId": 7 } })), None);
        assert_eq!(lesson(json!({})), None);
    }

    #[test]
    fn what_cannot_be_an_event_is_malformed() {
        for bad in [
            json!(null),
            json!([]),
            json!({ "status": "confirmed" }),
            json!({ "id": 7 }),
            json!({ "id": "", "status": "cancelled" }),
            json!({ "id": "e1", "status": "confirmed" }),
            timed(&json!({ "end": null })),
            timed(&json!({ "end": {} })),
            timed(&json!({ "start": { "dateTime": "soon" } })),
            timed(&json!({ "start": { "date": "2026-02-30" } })),
            timed(&json!({ "start": { "date": "262142-12-31" } })),
            timed(&json!({ "start": { "date": "-0001-12-31" } })),
            timed(&json!({ "start": { "dateTime": "+262142-12-31T23:59:59Z" } })),
            timed(&json!({ "recurrence": "RRULE:FREQ=DAILY" })),
        ] {
            assert!(read_json(&bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_event_that_shows_what_we_wrote_has_the_lessons_fingerprint() {
        let wanted = Fingerprint::of_lesson(&lesson().content);
        for mut shown in [whole(&lesson()), patch(&lesson())] {
            shown["id"] = json!("e1");
            let event = read_json(&shown).unwrap();
            assert_eq!(wanted.of_event_like(&event), wanted);
            assert_eq!(event.lesson_id, Some(lesson().lesson_id));
            shown["location"] = json!("written by the instructor, in a field that is not ours");
            assert_eq!(wanted.of_event_like(&read_json(&shown).unwrap()), wanted);
            shown["description"] = json!("changed");
            assert_ne!(wanted.of_event_like(&read_json(&shown).unwrap()), wanted);
        }
    }

    #[test]
    fn a_patch_touches_what_we_own_and_undoes_what_contradicts_it() {
        let time = |at: &str| json!({ "date": null, "dateTime": at, "timeZone": "Europe/Berlin" });
        let expected = json!({
            "status": "confirmed",
            "summary": "Piano",
            "description": "Bring the Bach",
            "start": time("2026-03-01T08:00:00Z"),
            "end": time("2026-03-01T09:00:00Z"),
            "recurrence": null,
            "extendedProperties": { "private": { "lessonId": "00000000-0000-0000-0000-000000000007" } },
        });
        assert_eq!(patch(&lesson()), expected);
    }

    #[test]
    fn a_whole_event_is_confirmed_and_says_nothing_of_what_the_lesson_lacks() {
        let body = whole(&lesson());
        assert_eq!(body["status"], "confirmed");
        assert!(body.get("location").is_none() && body.get("recurrence").is_none() && body.get("attendees").is_none());
    }
}
