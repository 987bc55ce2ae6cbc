use crate::common::{ADA, EVENTS, GRACE, HOLIDAYS, World, refused, timed, with};
use google_sim::{Request, Response};
use serde_json::{Value, json};

const CHOIR: &str = "c_choir@group.calendar.google.com";

fn relocate(world: &mut World, event: &Value, destination: &str) -> Response {
    let id = event["id"].as_str().unwrap();
    world.call("POST", &format!("{EVENTS}/{id}/move?destination={}", destination.replace('#', "%23")))
}

fn in_choir(world: &mut World, id: &str) -> Response {
    world.call("GET", &format!("/calendar/v3/calendars/{CHOIR}/events/{id}"))
}

#[test]
fn a_moved_event_has_another_organizer_and_leaves_a_bare_cancelled_one() {
    let mut world = World::new();
    let event = world.insert(&with(timed("2026-12-01", 9), &json!({"summary": "Song", "location": "Hall"})));
    let cursor = world.cursor();
    let moved = relocate(&mut world, &event, CHOIR);
    assert_eq!(moved.status, 200, "{}", moved.text());
    let moved = moved.value();
    assert_eq!(moved["organizer"], json!({"email": CHOIR, "self": true}));
    for same in ["id", "iCalUID", "summary", "location", "start", "creator"] {
        let expected = if same == "creator" { json!({"email": ADA}) } else { event[same].clone() };
        assert_eq!(moved[same], expected, "{same}");
    }
    let id = event["id"].as_str().unwrap();
    let left = world.get(&format!("{EVENTS}/{id}"));
    let bare = json!({"kind": "calendar#event", "etag": left["etag"], "id": id, "status": "cancelled"});
    assert_eq!(left, bare);
    assert_eq!(world.list(&format!("syncToken={cursor}")).0, [bare]);
    assert_eq!(in_choir(&mut world, id).value()["status"], "confirmed");
}

#[test]
fn an_event_can_be_moved_back_and_its_id_is_never_free() {
    let mut world = World::new();
    let event = world.insert(&timed("2026-12-01", 9));
    relocate(&mut world, &event, CHOIR);
    refused(&relocate(&mut world, &event, CHOIR), 404, "notFound");
    refused(
        &world.call_with("POST", EVENTS, &with(timed("2026-12-01", 9), &json!({"id": event["id"]}))),
        409,
        "duplicate",
    );
    let id = event["id"].as_str().unwrap();
    let back = world.call("POST", &format!("/calendar/v3/calendars/{CHOIR}/events/{id}/move?destination=primary"));
    assert_eq!(back.value()["organizer"], json!({"email": ADA, "self": true}));
    assert_eq!(in_choir(&mut world, id).value()["status"], "cancelled");
}

#[test]
fn a_series_takes_its_exceptions_along() {
    let mut world = World::new();
    let weekly = json!({"recurrence": ["RRULE:FREQ=WEEKLY;COUNT=4"]});
    let series = world.insert(&with(timed("2026-12-01", 9), &weekly));
    let id = series["id"].as_str().unwrap();
    let (changed, gone) = (format!("{id}_20261208T080000Z"), format!("{id}_20261215T080000Z"));
    world.call_with("PATCH", &format!("{EVENTS}/{changed}"), &json!({"summary": "Solo"}));
    world.call("DELETE", &format!("{EVENTS}/{gone}"));
    assert_eq!(relocate(&mut world, &series, CHOIR).status, 200);

    let exception = in_choir(&mut world, &changed).value();
    assert_eq!((&exception["summary"], &exception["organizer"]["email"]), (&json!("Solo"), &json!(CHOIR)));
    let target = format!("/calendar/v3/calendars/{CHOIR}/events?singleEvents=true");
    assert_eq!(world.get(&target)["items"].as_array().unwrap().len(), 3);
    assert_eq!(world.get(&format!("{EVENTS}?singleEvents=true"))["items"], json!([]));
    assert_eq!(world.get(&format!("{EVENTS}/{changed}"))["status"], "cancelled");
}

#[test]
fn guests_keep_their_copies_under_the_new_organizer_and_so_does_a_former_one_who_is_a_guest() {
    let mut world = World::new();
    let guests = json!({"attendees": [{"email": GRACE}, {"email": ADA, "responseStatus": "accepted"}]});
    let event = world.insert(&with(timed("2026-12-01", 9), &guests));
    let id = event["id"].as_str().unwrap();
    assert_eq!(relocate(&mut world, &event, CHOIR).status, 200);
    for guest in [GRACE, ADA] {
        let copy = world.google.event(guest, id).unwrap();
        assert_eq!((&copy["status"], &copy["organizer"]["email"]), (&json!("confirmed"), &json!(CHOIR)), "{guest}");
    }
    world.google.respond(world.now, GRACE, id, "accepted").unwrap();
    assert_eq!(in_choir(&mut world, id).value()["attendees"][0]["responseStatus"], "accepted");
}

#[test]
fn a_move_into_a_guests_calendar_takes_the_place_of_the_copy() {
    let mut world = World::new();
    world.google.share(world.now, GRACE, ADA, "writer");
    let event = world.insert(&with(timed("2026-12-01", 9), &json!({"attendees": [{"email": GRACE}]})));
    let moved = relocate(&mut world, &event, GRACE).value();
    assert_eq!(moved["organizer"], json!({"email": GRACE, "self": true}));
    let held = world.google.events(GRACE);
    assert_eq!(held.iter().map(|event| &event["status"]).collect::<Vec<_>>(), ["confirmed"]);
}

#[test]
fn only_whole_default_events_are_moved_and_only_by_their_organizer() {
    let mut world = World::new();
    let series = world.insert(&with(timed("2026-12-01", 9), &json!({"recurrence": ["RRULE:FREQ=DAILY;COUNT=3"]})));
    let instance = json!({"id": format!("{}_20261202T080000Z", series["id"].as_str().unwrap())});
    refused(&relocate(&mut world, &instance, CHOIR), 400, "cannotChangeOrganizerOfInstance");
    let kinds = [
        json!({"eventType": "outOfOffice", "outOfOfficeProperties": {}}),
        json!({"eventType": "focusTime", "focusTimeProperties": {}}),
        json!({"eventType": "workingLocation", "workingLocationProperties": {"type": "homeOffice"},
            "visibility": "public", "transparency": "transparent"}),
    ];
    for kind in kinds {
        let event = world.insert(&with(timed("2026-12-01", 9), &kind));
        refused(&relocate(&mut world, &event, CHOIR), 400, "eventTypeRestriction");
    }
    let invitation = with(timed("2026-12-01", 9), &json!({"attendees": [{"email": ADA}]}));
    let id = world.google.create_event(world.now, GRACE, &invitation).unwrap();
    refused(&relocate(&mut world, &json!({"id": id}), CHOIR), 403, "cannotChangeOrganizer");
}

#[test]
fn a_move_needs_two_calendars_to_write_to_and_a_free_place() {
    let mut world = World::new();
    let event = world.insert(&with(timed("2026-12-01", 9), &json!({"id": "taken1"})));
    let target = format!("{EVENTS}/taken1/move");
    let missing = world.call("POST", &target);
    refused(&missing, 400, "required");
    assert_eq!(missing.value()["error"]["errors"][0]["location"], "destination");
    refused(&relocate(&mut world, &event, GRACE), 404, "notFound");
    refused(&relocate(&mut world, &event, HOLIDAYS), 403, "requiredAccessLevel");
    refused(&relocate(&mut world, &event, ADA), 400, "invalid");
    refused(&relocate(&mut world, &json!({"id": "unknown1"}), CHOIR), 404, "notFound");
    let wrong = world.call("POST", &format!("{target}?destination={CHOIR}&sendUpdates=some"));
    refused(&wrong, 400, "invalidParameter");
    let stale = Request::new("POST", &format!("{target}?destination={CHOIR}")).bearer(&world.token);
    refused(&world.send(stale.header("If-Match", "\"1\"")), 412, "conditionNotMet");
    let other = with(timed("2026-12-01", 9), &json!({"id": "taken1"}));
    assert_eq!(world.call_with("POST", &format!("/calendar/v3/calendars/{CHOIR}/events"), &other).status, 200);
    assert_eq!(relocate(&mut world, &event, CHOIR).status, 200);
    let same_id = with(timed("2026-12-01", 9), &json!({"id": "taken2", "iCalUID": "a@elsewhere.example"}));
    let event = world.insert(&with(timed("2026-12-01", 9), &json!({"id": "taken2"})));
    assert_eq!(world.call_with("POST", &format!("/calendar/v3/calendars/{CHOIR}/events"), &same_id).status, 200);
    refused(&relocate(&mut world, &event, CHOIR), 409, "duplicate");
}
