//! Events as Google writes them, and as we write them.

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
    let lesson = |properties: Value| read_json(&timed(&json!({ "extendedProperties": properties }))).unwrap().lesson_id;
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
