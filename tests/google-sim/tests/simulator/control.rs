//! What a person does at the page, and a test through the control API.

use crate::common::{ADA, EVENTS, World, refused, timed, with};
use google_sim::{Effect, Fault, Request, Response};
use serde_json::{Value, json};

fn page(world: &mut World) -> String {
    world.send(Request::new("GET", &format!("/?calendar={ADA}&week=2026-11-24"))).text()
}

/// Sends one of the page's forms, and gives where the browser is sent.
fn submit(world: &mut World, fields: &[(&str, &str)]) -> String {
    let form = [&[("calendar", ADA), ("zone", "Europe/Berlin")], fields].concat();
    let answer = world.send(Request::new("POST", "/events").form(&form));
    assert_eq!(answer.status, 303, "{}", answer.text());
    answer.header_value("location").unwrap().to_owned()
}

fn control(world: &mut World, operation: &str, body: &Value) -> Response {
    world.send(Request::new("POST", &format!("/control/{operation}")).json(body))
}

fn state(world: &mut World, what: &str) -> Value {
    world.send(Request::new("GET", &format!("/control/{what}"))).value()
}

#[test]
fn a_person_sees_a_calendar_and_edits_it() {
    let mut world = World::new();
    world.insert(&with(timed("2026-11-24", 9), &json!({"id": "dentist", "summary": "Dentist <3"})));
    assert!(page(&mut world).contains("Dentist &lt;3"));

    submit(
        &mut world,
        &[("action", "add"), ("summary", "Choir"), ("start", "2026-11-25T18:00"), ("end", "2026-11-25T19:00")],
    );
    let (items, _) = world.list("q=choir");
    assert_eq!(items[0]["start"]["dateTime"], "2026-11-25T18:00:00+01:00");

    let moved = [("action", "change"), ("id", "dentist"), ("start", "2026-11-26T10:00"), ("end", "2026-11-26T11:00")];
    submit(&mut world, &moved);
    let event = world.get(&format!("{EVENTS}/dentist"));
    assert_eq!(event["start"]["dateTime"], "2026-11-26T10:00:00+01:00");
    assert_eq!(event["summary"], "Dentist <3");

    submit(&mut world, &[("action", "delete"), ("id", "dentist")]);
    assert_eq!(world.get(&format!("{EVENTS}/dentist"))["status"], "cancelled");
    assert!(!page(&mut world).contains("Dentist"));
    let back = submit(&mut world, &[("action", "delete"), ("id", "dentist")]);
    assert!(back.contains("refused=deleted"), "{back}");
}

#[test]
fn a_person_renames_an_event_and_says_how_it_counts() {
    let mut world = World::new();
    world.insert(&with(
        timed("2026-11-24", 9),
        &json!({"id": "dentist", "summary": "Dentist", "location": "Mill Lane"}),
    ));
    let times = [("action", "change"), ("id", "dentist"), ("start", "2026-11-24T09:00"), ("end", "2026-11-24T10:00")];
    submit(
        &mut world,
        &[&times[..], &[("summary", "Doctor"), ("private", "1"), ("tentative", "1"), ("free", "1")]].concat(),
    );
    let event = world.get(&format!("{EVENTS}/dentist"));
    let how = ["summary", "visibility", "status", "transparency", "location"].map(|name| event[name].clone());
    assert_eq!(how, ["Doctor", "private", "tentative", "transparent", "Mill Lane"].map(|value| json!(value)));
    submit(&mut world, &[&times[..], &[("summary", "Doctor")]].concat());
    let event = world.get(&format!("{EVENTS}/dentist"));
    assert_eq!([&event["status"], &event["location"]], [&json!("confirmed"), &json!("Mill Lane")]);
}

#[test]
fn a_person_tells_lessons_apart() {
    let mut world = World::new();
    let lesson = json!({"summary": "Piano", "extendedProperties": {"private": {"lessonId": "7"}}});
    world.insert(&with(timed("2026-11-24", 9), &lesson));
    world.insert(&with(timed("2026-11-24", 12), &json!({"summary": "Dentist"})));
    let shown = page(&mut world);
    let class_of = |title: &str| {
        let before = &shown[..shown.find(&format!("<strong>{title}</strong>")).unwrap()];
        before[before.rfind("class=\"block ").unwrap()..].split('"').nth(1).unwrap().to_owned()
    };
    assert_eq!([class_of("Piano"), class_of("Dentist")], ["block lesson", "block busy"]);
}

#[test]
fn a_person_withdraws_access() {
    let mut world = World::new();
    assert!(page(&mut world).contains("Withdraw access"));
    submit(&mut world, &[("action", "withdraw")]);
    assert!(!page(&mut world).contains("Withdraw access"));
    assert_eq!(world.call("GET", EVENTS).status, 401);
}

#[test]
fn a_test_stops_and_moves_the_clock() {
    let mut world = World::new();
    control(&mut world, "freeze", &json!({"at": "2027-01-01T00:00:00Z"}));
    control(&mut world, "advance", &json!({"seconds": 90}));
    assert_eq!(state(&mut world, "clock")["now"], "2027-01-01T00:01:30Z");
    control(&mut world, "run-clock", &json!({}));
    assert_eq!(state(&mut world, "clock")["now"], json!(world.now));
}

#[test]
fn a_test_injects_faults_counts_calls_and_reads_the_state() {
    let mut world = World::new();
    let fault = json!({
        "method": "calendar.events.list",
        "when": {"nth": 1},
        "effect": {"refuse": {"status": 503, "reason": "backendError"}},
    });
    assert_eq!(control(&mut world, "fault", &fault).status, 200);
    refused(&world.call("GET", EVENTS), 503, "backendError");
    assert_eq!(world.call("GET", EVENTS).status, 200);
    assert_eq!(state(&mut world, "calls"), json!({"calendar.events.list": 2}));

    let event = with(timed("2026-12-01", 9), &json!({"summary": "Recital"}));
    let made = control(&mut world, "create-event", &json!({"calendar": ADA, "event": event})).value();
    assert_eq!(state(&mut world, &format!("calendars/{ADA}"))[0], made);
    assert!(state(&mut world, "state")["calendars"].to_string().contains("Recital"));
}

#[test]
fn an_operation_that_is_unknown_or_malformed_does_nothing() {
    let mut world = World::new();
    for (operation, body) in
        [("explode", json!({})), ("advance", json!({"minutes": 1})), ("limits", json!({"batch": "x"}))]
    {
        assert_eq!(control(&mut world, operation, &body).status, 400, "{operation}");
    }
    assert_eq!(world.send(Request::new("GET", "/control/nothing")).status, 404);
}

#[test]
fn every_write_is_recorded_with_its_parameters_its_body_and_its_answer() {
    let mut world = World::new();
    let event = with(timed("2026-12-01", 9), &json!({"id": "lesson1", "summary": "Piano"}));
    world.call_with("POST", &format!("{EVENTS}?sendUpdates=all"), &event);
    world.call("GET", EVENTS);
    let stale = Request::new("DELETE", &format!("{EVENTS}/lesson1")).bearer(&world.token).header("If-Match", "\"1\"");
    world.send(stale);

    let writes = world.google.take_writes();
    let [insert, delete] = writes.as_slice() else { panic!("{writes:?}") };
    assert_eq!((insert.method, insert.status), ("calendar.events.insert", 200));
    assert_eq!((insert.calendar.as_deref(), insert.event.as_deref()), (Some(ADA), Some("lesson1")));
    assert_eq!((insert.param("sendUpdates"), &insert.body["summary"]), (Some("all"), &json!("Piano")));
    assert!(insert.took_effect() && !insert.in_batch);
    assert_eq!((delete.event.as_deref(), delete.if_match.as_deref()), (Some("lesson1"), Some("\"1\"")));
    assert_eq!((delete.status, delete.outcome), (412, Some(412)));
    assert!(world.google.take_writes().is_empty(), "what was taken is forgotten");
}

#[test]
fn a_write_whose_answer_was_lost_says_what_became_of_it() {
    let mut world = World::new();
    for (effect, status, outcome) in [
        (Effect::RefuseAfterwards { status: 503 }, 503, Some(200)),
        (Effect::CutAfterwards, 599, Some(200)),
        (Effect::Timeout, 599, None),
    ] {
        world.google.clear_faults();
        world.google.inject(Fault::new("calendar.events.insert", effect));
        world.call_with("POST", EVENTS, &timed("2026-12-01", 9));
        let write = world.google.take_writes().pop().unwrap();
        assert_eq!((write.status, write.outcome), (status, outcome));
        assert_eq!(write.took_effect(), outcome.is_some());
    }
}

#[test]
fn the_parts_of_a_batch_are_recorded_one_by_one_with_the_parameters_of_the_whole() {
    let mut world = World::new();
    let part = |id: &str| {
        let body = with(timed("2026-12-01", 9), &json!({"id": id}));
        format!("--b\r\nContent-Type: application/http\r\n\r\nPOST {EVENTS}\r\n\r\n{body}\r\n")
    };
    let mut batch = Request::new("POST", "/batch/calendar/v3?sendUpdates=none")
        .bearer(&world.token)
        .header("content-type", "multipart/mixed; boundary=b");
    batch.body = format!("{}{}--b--", part("first1"), part("second2")).into_bytes();
    assert_eq!(world.send(batch).status, 200);
    let answer = world.google.handle(world.now, &Request::new("GET", "/control/writes")).value();
    let mut ids: Vec<&str> = answer.as_array().unwrap().iter().map(|write| write["event"].as_str().unwrap()).collect();
    ids.sort_unstable();
    assert_eq!(ids, ["first1", "second2"]);
    assert_eq!(answer[0]["query"], json!([["sendUpdates", "none"]]));
    assert_eq!(answer[0]["in_batch"], json!(true));
}
