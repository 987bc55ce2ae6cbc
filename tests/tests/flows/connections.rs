//! What administrators see of all connections of their tenant, and what they do for an instructor.

use calendar_tests::world::World;
use chrono::Utc;
use reqwest::Method;
use serde_json::{Value, json};

const GRACE: &str = "5c7a1e00-0000-4000-8000-0000000000a2";
const FILTERS: [&str; 8] =
    ["active", "syncing", "failing", "push_suspect", "needs_reauth", "switched_off", "client_refused", "attention"];

/// An administrator who is not this instructor, and acts for them.
async fn administrator(world: &World) -> World {
    let mut admin = world.signed_in(&format!("?role=admin&instructor={GRACE}")).await;
    admin.instructor.clone_from(&world.instructor);
    admin
}

/// A page of the list.
async fn page(admin: &World, query: &str) -> Value {
    let (code, body) = admin.call(Method::GET, &format!("connections{query}"), None).await;
    assert_eq!(code, 200, "{query}: {body}");
    body["data"].clone()
}

/// The row of the world's instructor, where it is among those of a state.
async fn row(admin: &World, state: &str) -> Option<Value> {
    let page = page(admin, &format!("?state={state}")).await;
    let rows = page["connections"].as_array().unwrap().iter();
    rows.clone().find(|row| row["instructorId"] == admin.instructor).cloned()
}

/// Whether the connection is in the lists of these states, and in no other.
async fn is_listed_as(admin: &World, states: &[&str]) -> bool {
    for state in FILTERS {
        if row(admin, state).await.is_some() != states.contains(&state) {
            return false;
        }
    }
    true
}

async fn shows(admin: &World, states: &[&str]) {
    admin.until(&states.join(" and "), async || is_listed_as(admin, states).await).await;
    let shown = admin.status().await;
    for state in states {
        let row = row(admin, state).await.unwrap();
        let same = ["state", "reason", "description", "connectionId", "googleAccount", "calendarId", "connectedAt"];
        for field in same {
            assert_eq!(row[field], shown[field], "{state}: {field}");
        }
        assert_eq!(row["push"]["state"], shown["push"]["state"], "{state}");
    }
}

async fn refuse(world: &World, method: &str, status: u16, reason: &str) {
    let refusal = json!({ "refuse": { "status": status, "reason": reason } });
    world.fault(method, json!("always"), refusal).await;
}

#[tokio::test]
async fn a_connection_is_listed_by_each_state_that_it_comes_to() {
    let world = World::connected().await;
    let admin = administrator(&world).await;
    shows(&admin, &["active"]).await;
    let listed = row(&admin, "active").await.unwrap();
    assert_eq!((&listed["googleAccount"], &listed["failures"]), (&json!(World::ACCOUNT), &json!(0)));
    assert!(listed["lastSyncedAt"].is_string() && listed["nextSyncAt"].is_string(), "{listed}");

    world.fault("calendar.events.list", json!({ "next": 1 }), json!({ "slow": 4000 })).await;
    tokio::join!(world.sync(), shows(&admin, &["active", "syncing"]));

    let long_ago = "2026-01-01T00:00:00.000Z";
    let awaiting = json!({ "state": "awaiting", "since": long_ago, "changed_after": long_ago });
    world.change_state(json!({ "push_health": awaiting })).await;
    world.sync().await;
    shows(&admin, &["active", "push_suspect", "attention"]).await;
    world.plan_in_google("Told", world.in_hours(30), world.in_hours(31)).await;
    shows(&admin, &["active"]).await;

    refuse(&world, "calendar.events.list", 503, "backendError").await;
    world.try_sync().await;
    shows(&admin, &["failing", "attention"]).await;
    assert_ne!(row(&admin, "failing").await.unwrap()["failures"], 0);
    world.control("clear-faults", json!({})).await;
    world.sync().await;
    shows(&admin, &["active"]).await;

    refuse(&world, "calendar.events.list", 403, "accessNotConfigured").await;
    world.try_sync().await;
    shows(&admin, &["client_refused", "attention"]).await;
    world.control("clear-faults", json!({})).await;
    world.sync().await;

    world.set(json!({ "syncEnabled": false })).await;
    shows(&admin, &["switched_off"]).await;
    world.set(json!({ "syncEnabled": true })).await;
    shows(&admin, &["active"]).await;

    world.control("end-grants", json!({ "account": World::ACCOUNT, "end": "revoked" })).await;
    world.try_sync().await;
    shows(&admin, &["needs_reauth", "attention"]).await;
    world.connect().await;
    shows(&admin, &["active"]).await;
}

#[tokio::test]
async fn the_list_is_read_page_by_page_and_a_page_may_be_empty_before_its_end() {
    // Of which nothing changes while the test looks.
    let world = World::connected().await;
    world.sync_by_hand_alone().await;
    let colleague = world.colleague().await;
    colleague.connect().await;
    colleague.sync_by_hand_alone().await;
    colleague.set(json!({ "syncEnabled": false })).await;
    let admin = administrator(&world).await;
    let instructors = |page: &Value| -> Vec<String> {
        let rows = page["connections"].as_array().unwrap().iter();
        rows.map(|row| row["instructorId"].as_str().unwrap().to_owned()).collect()
    };

    world.until("a list that stands", async || page(&admin, "").await == page(&admin, "").await).await;
    let whole = page(&admin, "").await;
    assert_eq!(instructors(&whole), [world.instructor.clone(), GRACE.to_owned()]);
    assert_eq!(whole["nextCursor"], Value::Null);
    assert_eq!(page(&admin, "?limit=2").await, whole, "a page that just holds all is the last");
    assert_eq!(page(&admin, "?limit=100&state=&cursor=").await, whole, "what is empty is absent");

    let first = page(&admin, "?limit=1").await;
    assert_eq!(instructors(&first), [&*world.instructor]);
    let cursor = first["nextCursor"].as_str().unwrap();
    let second = page(&admin, &format!("?limit=1&cursor={cursor}")).await;
    assert_eq!((instructors(&second), &second["nextCursor"]), (vec![GRACE.to_owned()], &Value::Null));

    let first = page(&admin, "?limit=1&state=switched_off").await;
    assert_eq!(instructors(&first), [""; 0], "the first is on");
    let cursor = first["nextCursor"].as_str().unwrap();
    let second = page(&admin, &format!("?limit=1&state=switched_off&cursor={cursor}")).await;
    assert_eq!((instructors(&second), &second["nextCursor"]), (vec![GRACE.to_owned()], &Value::Null));

    let request = admin.request(Method::GET, "/api/v1/calendar/connections").bearer_auth(&admin.token);
    let answer = request.try_clone().unwrap().send().await.unwrap();
    let known = request.header("if-none-match", answer.headers()["etag"].clone()).send().await.unwrap();
    assert_eq!(known.status(), 304);
}

#[tokio::test]
async fn the_list_is_for_administrators_of_the_tenant_alone_and_shows_neither_plans_nor_tokens() {
    let world = World::connected().await;
    world.plan_in_google("Dentist", world.in_hours(30), world.in_hours(31)).await;
    world.until("the event", async || world.external_events().await.len() == 1).await;
    let admin = administrator(&world).await;
    let shown = page(&admin, "").await.to_string();
    for secret in ["Dentist", "token", "ya29", "syncToken"] {
        assert!(!shown.contains(secret), "{shown}");
    }

    for instructor in [&world, &world.colleague().await] {
        let (code, answer) = instructor.call(Method::GET, "connections", None).await;
        assert_eq!((code, &answer["error"]["code"]), (404, &json!("not_found")));
    }
    let elsewhere = json!({ "sub": "u", "tenant_id": "5c7a1e00-0000-4000-8000-0000000000ff", "role": "admin" });
    let token = world.token_with(&elsewhere, Utc::now());
    let mut elsewhere = world.clone();
    elsewhere.token = token;
    for state in FILTERS.iter().map(|state| format!("?state={state}")).chain([String::new()]) {
        assert_eq!(page(&elsewhere, &state).await, json!({ "connections": [], "nextCursor": null }));
    }
    let (code, _) = world.send(world.request(Method::GET, "/api/v1/calendar/connections")).await;
    assert_eq!(code, 401);
}

#[tokio::test]
async fn what_cannot_be_listed_is_refused_with_the_field() {
    let world = World::start().await;
    let admin = administrator(&world).await;
    let long = "x".repeat(3000);
    for (query, field) in [
        ("state=disconnected", "state"),
        ("state=Active", "state"),
        (&*format!("state={long}"), "state"),
        ("cursor=x", "cursor"),
        ("cursor=%00", "cursor"),
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=-1", "limit"),
        ("limit=ten", "limit"),
        ("limit=1.5", "limit"),
        ("limit=99999999999999999999999", "limit"),
    ] {
        let (code, answer) = admin.call(Method::GET, &format!("connections?{query}"), None).await;
        assert_eq!((code, &answer["error"]["code"]), (400, &json!("invalid_request")), "{query}: {answer}");
        assert_eq!(answer["error"]["details"][0]["field"], field, "{query}: {answer}");
    }
}

#[tokio::test]
async fn an_administrator_does_for_an_instructor_what_the_instructor_may() {
    let world = World::start().await;
    let admin = administrator(&world).await;
    let lesson = world.add_lesson("Piano", world.in_hours(30)).await;
    admin.connect().await;
    assert_eq!(world.status().await["googleAccount"], World::ACCOUNT, "it is the instructor's connection");
    assert_eq!(admin.status().await["connectionId"], world.status().await["connectionId"]);
    admin.sync().await;
    world.until("the lesson", async || world.events_of(&lesson).await.len() == 1).await;

    admin.set(json!({ "syncIntervalMinutes": 60, "syncDirection": "to_google", "autoSync": false })).await;
    let settings = world.status().await["settings"].clone();
    assert_eq!((&settings["syncIntervalMinutes"], &settings["syncDirection"]), (&json!(60), &json!("to_google")));
    assert_eq!(settings["autoSync"], false);
    for titles in [true, false] {
        let change = json!({ "instructorId": world.instructor, "shareTitles": titles });
        let (code, answer) = admin.call(Method::PATCH, "settings", Some(change)).await;
        assert_eq!((code, &answer["error"]["code"]), (403, &json!("instructor_only")), "the instructor's alone");
    }

    let (code, answer) =
        admin.call(Method::POST, "disconnect", Some(json!({ "instructorId": world.instructor }))).await;
    assert!(matches!(code, 200 | 202), "{code} {answer}");
    world.until("the end", async || world.status().await["state"] == "not_connected").await;
    assert_eq!(page(&admin, "").await["connections"], json!([]));
}
