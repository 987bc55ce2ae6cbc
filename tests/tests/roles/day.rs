//! A day in which each function does everything that it is there for.

use std::time::Duration;

use calendar_tests::world::World;
use chrono::TimeDelta;
use reqwest::Method;
use serde_json::{Value, json};

use crate::line;

/// Syncs run first by hand, then by the worker.
pub async fn live_a_day(world: &World) {
    disconnect(world).await; // from nothing
    ask_of_nothing(world).await;
    world.control("limits", json!({ "channel_secs": 15 })).await;
    world.connect().await;
    for by_hand in [true, false] {
        set(world, json!({ "autoSync": !by_hand })).await;
        world.sync().await;
        sync_everything(world, by_hand).await;
    }
    list_connections(world).await;
    world
        .until("a renewed channel", async || {
            world.aws_calls().iter().map(line).any(|call| call == "renew-channels sqs:SendMessage calendar-sync")
        })
        .await;

    world.control("limits", json!({ "channel_secs": 604_800 })).await;
    be_fed(world).await;

    // Disconnected by the function itself, by the worker, which goes on while Google does not answer, and by a login
    // that lets another account take its place.
    disconnect(world).await;
    connect_slowly(world).await;
    fill(world).await;
    be_told_during_a_sync(world).await;
    ask_twice(world).await;
    disconnect(world).await;
    fill(world).await;
    let refuse = &json!({ "refuse": { "status": 503, "reason": "backendError" } });
    for method in ["oauth2.revoke", "batch"] {
        world.control("fault", json!({ "method": method, "when": { "next": 1 }, "effect": refuse })).await;
    }
    disconnect(world).await;
    fill(world).await;
    let mut other = world.clone();
    "grace@example.com".clone_into(&mut other.account);
    let take_over = async || {
        let (link, cookie) = other.begin_login_with("&replaceAccount=true").await;
        let back = other.consent(&link, "allow", |_| true).await;
        other.come_back(&back, &cookie).await.0
    };
    world.control("fault", json!({ "method": "oauth2.revoke", "when": { "next": 1 }, "effect": refuse })).await;
    assert_eq!(take_over().await, 409, "the worker goes on with it");
    world.until("the end", async || world.status().await["state"] == "not_connected").await;
    fill(world).await;
    assert_eq!(take_over().await, 200);
    other.until("the first sync", async || other.status().await["lastSyncedAt"].is_string()).await;

    // A permission that is withdrawn.
    other.control("end-grants", json!({ "account": other.account, "end": "revoked" })).await;
    let lesson = other.add_lesson("Piano", other.in_hours(90)).await;
    other.until("the state", async || other.status().await["state"] == "needs_reauth").await;
    other.remove_lesson(&lesson).await;
    other.begin_login().await;
    erase(&other).await;
}

/// An administrator has the instructor erased, and then the tenant.
async fn erase(world: &World) {
    let admin = world.signed_in("?role=admin").await;
    let tenant = world.session("").await["tenantId"].clone();
    for (what, id) in [(json!(world.instructor), json!(world.instructor)), (json!("tenant"), tenant)] {
        world.begin_login().await;
        let (code, answer) = admin.call(Method::POST, "erase", Some(json!({ "erase": what, "confirm": id }))).await;
        assert_eq!(code, 202, "{answer}");
        let path = format!("erase/{}", what.as_str().unwrap());
        let ended = async || admin.call(Method::GET, &path, None).await.1["data"]["state"] == "erased";
        world.until("the end of the erasure", ended).await;
    }
}

/// A lesson comes by the feed, and so does what is none.
async fn be_fed(world: &World) {
    let (id, starts_at) = ("1e550000-0000-4000-8000-000000000001", world.in_hours(60));
    let message = json!({
        "type": "lesson.changed", "tenantId": world.session("").await["tenantId"], "lessonId": id, "version": 1,
        "lesson": {
            "instructorId": world.instructor, "title": "Piano", "timeZone": "Europe/Berlin", "startsAt": starts_at,
            "endsAt": starts_at + TimeDelta::hours(1), "status": "scheduled",
        },
    });
    world.feed(&json!([message, {}]).to_string()).await;
    let told = || "lesson.sync_changed".to_owned();
    world.until("the host is told", async || world.notices().await.contains(&told())).await;
}

/// While its first sync is under way, a connection is polled for the first time.
async fn connect_slowly(world: &World) {
    let slow = json!({ "method": "calendar.events.list", "when": { "next": 1 }, "effect": { "slow": 5000 } });
    world.control("fault", slow).await;
    world.connect().await;
    disconnect(world).await;
}

/// An administrator lists all connections, those whose sync is on, and those that need attention.
async fn list_connections(world: &World) {
    let admin = world.signed_in("?role=admin").await;
    for state in ["", "active", "attention"] {
        let (code, answer) = admin.call(Method::GET, &format!("connections?state={state}"), None).await;
        assert_eq!(code, 200, "{answer}");
    }
}

/// Whether there is at least an instructor is looked up where there is no connection.
async fn ask_of_nothing(world: &World) {
    let body = Some(json!({ "instructorId": world.instructor }));
    let events = format!("external-events/{}", world.instructor);
    for (method, path, body) in
        [(Method::POST, "sync", body.clone()), (Method::PATCH, "settings", body), (Method::GET, events.as_str(), None)]
    {
        let (code, answer) = world.call(method, path, body).await;
        assert_eq!((code, &answer["error"]["code"]), (404, &json!("not_connected")), "{path}");
    }
    let path = format!("conflicts/{}/{}", world.instructor, "0".repeat(48));
    let (code, answer) = world.call(Method::PATCH, &path, Some(json!({ "state": "live" }))).await;
    assert_eq!((code, &answer["error"]["code"]), (404, &json!("unknown_conflict")));
}

/// Says of the next conflict that it is fine, or takes that back.
async fn decide(world: &World, state: &str) {
    let status = world.status().await;
    let pairs = status["conflicts"].as_array().unwrap().iter().chain(status["ignoredConflicts"].as_array().unwrap());
    let id = pairs.last().unwrap()["id"].as_str().unwrap().to_owned();
    let path = format!("conflicts/{}/{id}", world.instructor);
    let (code, answer) = world.call(Method::PATCH, &path, Some(json!({ "state": state }))).await;
    assert_eq!(code, 200, "{answer}");
}

async fn set(world: &World, change: Value) {
    let mut body = json!({ "instructorId": world.instructor });
    body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
    let (code, answer) = world.call(Method::PATCH, "settings", Some(body)).await;
    assert_eq!(code, 200, "{answer}");
}

/// What is told of during a sync by hand is seen to by that very sync, in a round of its own.
async fn be_told_during_a_sync(world: &World) {
    let slow = json!({ "method": "calendar.events.list", "effect": { "slow": 2000 } });
    let (start, end) = (world.in_hours(80), world.in_hours(81));
    for _ in 0..3 {
        world.control("fault", slow.clone()).await;
        let planned = async {
            tokio::time::sleep(Duration::from_millis(500)).await;
            world.plan_in_google("Meanwhile", start, end).await
        };
        let (_, meanwhile) = tokio::join!(world.sync(), planned);
        world.control("clear-faults", json!({})).await;
        world.settle().await;
        world.delete_in_google(&meanwhile).await;
        world.settle().await;
    }
}

/// Who asks by hand during a sync is answered by the worker, which asks itself again while that sync goes on.
async fn ask_twice(world: &World) {
    let slow = json!({ "method": "calendar.events.list", "when": { "next": 1 }, "effect": { "slow": 5000 } });
    world.control("fault", slow).await;
    let second = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        world.sync().await
    };
    tokio::join!(world.sync(), second);
    world.settle().await;
}

/// Connects, with a lesson in Google and an import that overlaps it.
async fn fill(world: &World) {
    let lesson = world.add_lesson("Piano", world.in_hours(80)).await;
    world.connect().await;
    world.plan_in_google("Dentist", world.in_hours(80), world.in_hours(81)).await;
    world.until("the event", async || world.events_of(&lesson).await.len() == 1).await;
    world.until("the flag", async || world.lesson(&lesson).await["hasConflict"] == true).await;
    world.settle().await;
}

async fn disconnect(world: &World) {
    world.call(Method::POST, "disconnect", Some(json!({ "instructorId": world.instructor }))).await;
    world.until("the end", async || world.status().await["state"] == "not_connected").await;
}

/// Lessons come, move and go; events overlap them and go; a series; a token that ends; a cursor that is lost.
async fn sync_everything(world: &World, by_hand: bool) {
    let step = async || {
        if by_hand {
            world.sync().await;
        }
    };
    // What waits is seen to by hand, or sees to itself.
    let settle = async || {
        let rests = async || {
            step().await;
            world.status().await["counts"]["lessonsWaiting"] == 0
        };
        world.until("rest", rests).await;
        world.sync().await;
    };
    let (start, end) = (world.in_hours(30), world.in_hours(31));
    let lesson = world.add_lesson("Piano", start).await;
    let gone = world.add_lesson("Choir", world.in_hours(50)).await;
    world.until("the marks", async || world.rows("calendar_event_mappings").await.len() >= 2).await;
    step().await;
    world
        .until("the events", async || {
            world.events_of(&lesson).await.len() == 1 && world.events_of(&gone).await.len() == 1
        })
        .await;
    settle().await;
    let dentist = world.plan_in_google("Dentist", start + TimeDelta::minutes(30), end).await;
    let series = world
        .plan_event(json!({
            "summary": "Yoga", "recurrence": ["RRULE:FREQ=WEEKLY"],
            "start": { "dateTime": start, "timeZone": "Etc/UTC" }, "end": { "dateTime": end, "timeZone": "Etc/UTC" },
        }))
        .await;
    step().await;
    world.until("the flag", async || world.lesson(&lesson).await["hasConflict"] == true).await;
    assert!(!world.external_events().await.is_empty());
    world.until("the conflict", async || world.status().await["counts"]["conflicts"] != 0).await;
    decide(world, "ignored").await;
    decide(world, "live").await;
    world.delete_in_google(&dentist).await;
    world.delete_in_google(&series).await;
    world.control("expire-access-tokens", json!({ "account": world.account })).await;
    world.remove_lesson(&gone).await;
    step().await;
    world.until("the end of the flag", async || world.lesson(&lesson).await["hasConflict"] == false).await;
    world.until("the end of the lesson", async || world.events_of(&gone).await.is_empty()).await;
    move_a_day(world, if by_hand { "Asia/Tokyo" } else { "America/New_York" }, step).await;
    world.control("expire-cursors", json!({ "calendar": world.account })).await;
    let event = world.events_of(&lesson).await[0]["id"].as_str().unwrap().to_owned();
    world.edit_in_google(&event, json!({ "summary": "Mine" })).await;
    step().await;
    world.until("the put-back", async || world.events_of(&lesson).await[0]["summary"] == "Piano").await;
    set(world, json!({ "syncDirection": "to_google" })).await;
    step().await;
    world.until("imports cleared", async || world.external_events().await.is_empty()).await;
    set(world, json!({ "syncDirection": "two_way" })).await;
    step().await;
    world.remove_lesson(&lesson).await;
    step().await;
    world.until("the end of the event", async || world.events_of(&lesson).await.is_empty()).await;
    settle().await;
}

/// A whole day begins at another moment once the calendar's time zone has moved.
async fn move_a_day(world: &World, zone: &str, step: impl AsyncFn()) {
    let date = |days| (world.in_hours(0) + TimeDelta::days(days)).date_naive();
    let day = json!({ "summary": "Trip", "start": { "date": date(5) }, "end": { "date": date(6) } });
    let trip = world.plan_event(day).await;
    let is_known = async || world.external_events().await.iter().any(|event| event["googleEventId"] == json!(trip));
    step().await;
    world.until("the day", is_known).await;
    world.control("set-zone", json!({ "calendar": world.account, "zone": zone })).await;
    // Nothing tells of a zone; something else does.
    let other = world.plan_in_google("Meanwhile", world.in_hours(60), world.in_hours(61)).await;
    step().await;
    world.until("the move", async || world.status().await["timeZone"] == zone).await;
    world.delete_in_google(&trip).await;
    world.delete_in_google(&other).await;
    step().await;
}
