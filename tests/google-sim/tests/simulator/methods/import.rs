use crate::common::{ADA, EVENTS, GRACE, HOLIDAYS, World, refused, timed, with};
use serde_json::json;

/// An identity of Outlook's, and the id that Google was seen to give the event.
const IDENTITY: &str =
    "040000008200E00074C5B7101A82E00800000000E08CF31F434ED801000000000000000010000000EB87FF7C534A7B46A7D5245B8A7AC292";
const ID: &str = concat!(
    "_60q30c1g60o30e1i60o4ac1g60rj8gpl88rj2c1h84s34h9g60s30c1g60o30c1g8ko3ggq66cokcd1j6h2k8e1g64o30c1g60o30c1g",
    "60o30c1g60o32c1g60o30c1g8l13gdq68ork6d9j6h0jeghk6p0jeh1l68q3agho84rk2gpi74p0",
);

const IMPORT: &str = "/calendar/v3/calendars/primary/events/import";

#[test]
fn an_import_keeps_its_identity_and_organizer_and_tells_no_guest() {
    let mut world = World::new();
    let event = with(
        timed("2026-12-01", 9),
        &json!({
            "iCalUID": IDENTITY, "sequence": 3, "summary": "Review",
            "organizer": {"email": "Boss@elsewhere.example"},
            "attendees": [{"email": ADA, "responseStatus": "accepted"}, {"email": GRACE}],
        }),
    );
    let answer = world.call_with("POST", IMPORT, &event);
    assert_eq!(answer.status, 200, "{}", answer.text());
    let stored = answer.value();
    assert_eq!(stored["id"], ID);
    assert_eq!(stored["iCalUID"], event["iCalUID"]);
    assert_eq!(stored["sequence"], 3);
    assert_eq!(stored["organizer"], json!({"email": "boss@elsewhere.example"}));
    assert_eq!(stored["creator"], json!({"email": ADA, "self": true}));
    assert_eq!(world.google.events(GRACE), Vec::<serde_json::Value>::new());
    let found = world.get(&format!("{EVENTS}?iCalUID={IDENTITY}"));
    assert_eq!(found["items"][0]["id"], stored["id"]);
}

#[test]
fn an_identity_of_googles_own_gives_the_id_that_it_came_from() {
    let mut world = World::new();
    let event = with(timed("2026-12-01", 9), &json!({"iCalUID": "abc123@google.com"}));
    assert_eq!(world.call_with("POST", IMPORT, &event).value()["id"], "abc123");
}

#[test]
fn an_identity_is_imported_once_whatever_its_sequence_and_even_after_it_was_deleted() {
    let mut world = World::new();
    let event = with(timed("2026-12-01", 9), &json!({"iCalUID": "meeting@elsewhere.example"}));
    let stored = world.call_with("POST", IMPORT, &event).value();
    refused(&world.call_with("POST", IMPORT, &event), 409, "duplicate");
    refused(&world.call_with("POST", IMPORT, &with(event.clone(), &json!({"sequence": 9}))), 409, "duplicate");
    refused(&world.call_with("POST", EVENTS, &event), 409, "duplicate");
    let gone = world.call("DELETE", &format!("{EVENTS}/{}", stored["id"].as_str().unwrap()));
    assert_eq!(gone.status, 204);
    refused(&world.call_with("POST", IMPORT, &event), 409, "duplicate");
}

#[test]
fn an_import_needs_an_identity_the_default_type_and_a_calendar_to_write_to() {
    let mut world = World::new();
    let event = with(timed("2026-12-01", 9), &json!({"iCalUID": "one@elsewhere.example"}));
    refused(&world.call_with("POST", IMPORT, &timed("2026-12-01", 9)), 400, "required");
    for kind in ["outOfOffice", "focusTime", "workingLocation", "birthday", "fromGmail"] {
        let other = with(event.clone(), &json!({"eventType": kind}));
        refused(&world.call_with("POST", IMPORT, &other), 400, "eventTypeRestriction");
    }
    let path = |calendar: &str| format!("/calendar/v3/calendars/{}/events/import", calendar.replace('#', "%23"));
    refused(&world.call_with("POST", &path(GRACE), &event), 404, "notFound");
    refused(&world.call_with("POST", &path(HOLIDAYS), &event), 403, "requiredAccessLevel");
    refused(&world.call_with("POST", IMPORT, &json!({"iCalUID": "x@y"})), 400, "required");
}

#[test]
fn a_series_and_a_whole_day_are_imported_like_any_other() {
    let mut world = World::new();
    let days = json!({
        "iCalUID": "days@elsewhere.example", "recurrence": ["RRULE:FREQ=DAILY;COUNT=3"],
        "start": {"date": "2026-12-01"}, "end": {"date": "2026-12-02"},
    });
    let stored = world.call_with("POST", IMPORT, &days).value();
    let instances = world.get(&format!("{EVENTS}/{}/instances", stored["id"].as_str().unwrap()));
    assert_eq!(instances["items"].as_array().unwrap().len(), 3);
}

#[test]
fn imports_and_moves_are_told_as_writes_and_questions_are_not() {
    let mut world = World::new();
    let event = with(timed("2026-12-01", 9), &json!({"iCalUID": "told@elsewhere.example"}));
    let stored = world.call_with("POST", IMPORT, &event).value();
    let id = stored["id"].as_str().unwrap();
    world.call("POST", &format!("{EVENTS}/{id}/move?destination=c_choir%40group.calendar.google.com"));
    world.call_with("POST", "/calendar/v3/freeBusy", &json!({}));
    let told: Vec<_> =
        world.google.take_writes().into_iter().map(|call| (call.method, call.event, call.outcome)).collect();
    let expected =
        [("calendar.events.import", None, Some(200)), ("calendar.events.move", Some(id.to_owned()), Some(200))];
    assert_eq!(told, expected);
}
