//! Google's refusals told apart: what each means for the connection, for push, and for one lesson.

use std::{collections::BTreeMap, time::Duration};

use calendar_tests::world::{World, start_of};
use chrono::{DateTime, TimeDelta, Utc};
use reqwest::Method;
use serde_json::{Value, json};

/// A world in which a lesson and an import stand in a connected calendar; with the lesson's id.
async fn connected() -> (World, String) {
    let world = World::start().await;
    let lesson = world.add_lesson("Piano", world.in_hours(30)).await;
    world.plan_in_google("Dentist", world.in_hours(40), world.in_hours(41)).await;
    world.connect().await;
    world.settle().await;
    world.until("both", async || world.external_events().await.len() == 1).await;
    assert_eq!(world.events_of(&lesson).await.len(), 1);
    (world, lesson)
}

async fn refuse(world: &World, method: &str, status: u16, reason: &str) {
    let refusal = json!({ "refuse": { "status": status, "reason": reason } });
    world.fault(method, json!("always"), refusal).await;
}

/// Has the connection polled now, whatever it rests for.
async fn poll(world: &World) {
    let past = "2026-01-01T00:00:00.000Z";
    world.change_state(json!({ "backoff_until": past, "next_sync_at": past })).await;
}

async fn disconnect(world: &World) {
    let body = json!({ "instructorId": world.instructor });
    let (code, answer) = world.call(Method::POST, "disconnect", Some(body)).await;
    assert!(matches!(code, 200 | 202), "{code} {answer}");
}

async fn shows(world: &World, state: &str, reason: &str) {
    world.until(state, async || world.status().await["state"] == state).await;
    assert_eq!(world.status().await["reason"], reason);
}

#[tokio::test]
async fn a_permission_that_lacks_a_scope_is_told_once_and_asked_for_anew() {
    for method in ["calendar.events.list", "calendar.events.update"] {
        let (world, lesson) = connected().await;
        refuse(&world, method, 403, "insufficientPermissions").await;
        world.move_lesson(&lesson, world.in_hours(50)).await;
        world.try_sync().await;
        shows(&world, "needs_reauth", "insufficientPermissions").await;
        let said = "403 insufficientPermissions: Request had insufficient authentication scopes";
        world.until("the reason", async || world.reasons().await.contains(said)).await;
        world.until("the notice", async || world.notices().await == ["connection.needs_attention"]).await;
        assert_eq!(world.notices_in_full().await[0]["reason"], "insufficientPermissions");

        world.control("reset-calls", json!({})).await;
        world.plan_in_google("Late", world.in_hours(60), world.in_hours(61)).await;
        tokio::time::sleep(Duration::from_secs(3)).await; // several polls, and a notice of Google's
        assert_eq!(world.google_calls().await, BTreeMap::new(), "Google is left alone");
        assert_eq!(world.notices().await, ["connection.needs_attention"], "told once");
        assert_eq!(world.status().await["nextSyncAt"], Value::Null);

        world.control("clear-faults", json!({})).await;
        world.connect().await;
        world.until("the move", async || start_of(&world.events_of(&lesson).await[0]) == world.in_hours(50)).await;
        assert_eq!(world.status().await["state"], "active");
    }
}

#[tokio::test]
async fn who_lacks_a_permission_disconnects_and_what_is_left_of_it_is_given_back() {
    let (world, _) = connected().await;
    refuse(&world, "calendar.*", 403, "insufficientPermissions").await;
    world.try_sync().await;
    shows(&world, "needs_reauth", "insufficientPermissions").await;
    disconnect(&world).await;
    world.until("the end", async || world.status().await["state"] == "not_connected").await;
    assert_eq!(world.google_calls().await.get("oauth2.revoke"), Some(&1));
}

#[tokio::test]
async fn a_client_that_google_refuses_is_the_operators_to_mend_and_then_all_goes_on_by_itself() {
    for word in ["deleted_client", "unauthorized_client", "invalid_client"] {
        let (world, lesson) = connected().await;
        refuse(&world, "oauth2.token", 401, word).await;
        world.control("expire-access-tokens", json!({ "account": World::ACCOUNT })).await;
        world.move_lesson(&lesson, world.in_hours(50)).await;
        shows(&world, "client_refused", word).await;
        let status = world.status().await;
        assert!(status["description"].as_str().unwrap().contains("operator"), "{status:#}");
        let next: DateTime<Utc> = status["nextSyncAt"].as_str().unwrap().parse().unwrap();
        assert!(next - Utc::now() < TimeDelta::minutes(80), "{next}");
        assert!(world.reasons().await.contains("operator"), "{}", world.reasons().await);
        assert_eq!(world.external_events().await.len(), 1, "all data is kept");
        let (code, answer) = world.try_sync().await;
        assert_eq!(code, 503, "{answer}");
        assert!(answer["error"]["message"].as_str().unwrap().contains(word), "{answer}");
        assert!(
            !world.notices().await.contains(&"connection.needs_attention".to_owned()),
            "it is not the instructor's"
        );

        world.control("clear-faults", json!({})).await;
        poll(&world).await;
        world.until("the state", async || world.status().await["state"] == "active").await;
        world.until("the move", async || start_of(&world.events_of(&lesson).await[0]) == world.in_hours(50)).await;
        assert_eq!(world.status().await["reason"], Value::Null);
    }
}

#[tokio::test]
async fn a_refusal_of_the_project_is_the_operators_to_mend() {
    let (world, _) = connected().await;
    refuse(&world, "calendar.events.list", 403, "accessNotConfigured").await;
    world.try_sync().await;
    shows(&world, "client_refused", "accessNotConfigured").await;
}

#[tokio::test]
async fn a_token_that_is_refused_although_it_is_new_is_the_operators_to_mend() {
    for (direction, method) in [("two_way", "calendar.events.list"), ("to_google", "calendar.events.update")] {
        let (world, lesson) = connected().await;
        world.set(json!({ "syncDirection": direction })).await;
        world.settle().await;
        refuse(&world, method, 401, "authError").await;
        world.control("reset-calls", json!({})).await;
        world.move_lesson(&lesson, world.in_hours(50)).await;
        shows(&world, "client_refused", "authError").await;
        assert_eq!(world.google_calls().await["oauth2.token"], 1, "refreshing works");
        world.control("clear-faults", json!({})).await;
        world.sync().await;
        assert_eq!(world.status().await["state"], "active");
        assert_eq!(start_of(&world.events_of(&lesson).await[0]), world.in_hours(50));
    }
}

#[tokio::test]
async fn who_is_connected_through_a_refused_client_disconnects_all_the_same() {
    let (world, _) = connected().await;
    refuse(&world, "oauth2.*", 401, "deleted_client").await;
    world.control("expire-access-tokens", json!({ "account": World::ACCOUNT })).await;
    world.try_sync().await;
    shows(&world, "client_refused", "deleted_client").await;
    disconnect(&world).await;
    // It is tried again for an hour, should the operator mend it, and then Google is left as it is.
    let ended = async || {
        let disconnecting = world.status().await["state"] == "disconnecting";
        if disconnecting {
            world.try_to_change_state(json!({ "next_sync_at": "2026-01-01T00:00:00.000Z" })).await;
        }
        !disconnecting
    };
    world.until("the end", ended).await;
    assert_eq!(world.status().await["state"], "not_connected");
    assert_eq!(world.rows("external_calendar_events").await, Vec::<Value>::new());
}

#[tokio::test]
async fn an_address_that_google_refuses_is_polled_for_and_asked_about_once_a_day() {
    for (status, reason) in [(401, "push.webhookUrlUnauthorized"), (403, "forbidden")] {
        let world = World::start().await;
        refuse(&world, "calendar.events.watch", status, reason).await;
        world.connect().await;
        world.settle().await;
        let push = world.status().await["push"].clone();
        assert_eq!(push["state"], "unsupported", "{push}");
        assert!(push["description"].as_str().unwrap().contains(&format!("{status} {reason}")), "{push}");
        let calls = world.google_calls().await;
        assert_eq!((calls["calendar.events.watch"], calls["oauth2.token"]), (1, 1), "one token, of the login");
        assert_eq!(world.status().await["state"], "active");
        let renewals = world.rows("instructor_calendar_credentials").await;
        let renew_at = renewals.iter().find_map(|row| row["renew_at"].as_str()).expect("another attempt");
        let renew_at: DateTime<Utc> = renew_at.parse().unwrap();
        assert!(renew_at - Utc::now() > TimeDelta::hours(23), "{renew_at}");
        for polls in 1..=2 {
            let listed = world.google_calls().await["calendar.events.list"];
            world.change_state(json!({ "next_sync_at": "2026-01-01T00:00:00.000Z" })).await;
            let lists = async || world.google_calls().await["calendar.events.list"] > listed;
            world.until("a poll", lists).await;
            world.settle().await;
            assert_eq!(world.google_calls().await["calendar.events.watch"], 1, "after {polls} polls");
        }
    }
}

#[tokio::test]
async fn a_lesson_in_a_zone_that_google_does_not_know_stands_in_google_all_the_same() {
    for (unknown, written) in [(json!(["Europe/Kyiv"]), "Europe/Kiev"), (json!(["Europe/Kyiv", "Europe/Kiev"]), "UTC")]
    {
        let world = World::start().await;
        world.control("behaviour", json!({ "unknown_zones": unknown })).await;
        let lesson = world.add_lesson("Piano", world.in_hours(30)).await;
        world.change_lesson(&lesson, json!({ "timeZone": "Europe/Kyiv" })).await;
        world.connect().await;
        world.settle().await;
        let event = world.events_of(&lesson).await.remove(0);
        assert_eq!((&event["start"]["timeZone"], start_of(&event)), (&json!(written), world.in_hours(30)));
        assert_eq!(world.lesson(&lesson).await["calendarSyncStatus"], "synced");

        world.control("reset-calls", json!({})).await;
        world.settle().await;
        let writes = |calls: BTreeMap<String, u64>| {
            let ours = ["calendar.events.insert", "calendar.events.update", "calendar.events.patch"];
            ours.iter().filter_map(|method| calls.get(*method)).sum::<u64>()
        };
        assert_eq!(writes(world.google_calls().await), 0, "what Google shows is what was agreed on");
        world.move_lesson(&lesson, world.in_hours(50)).await;
        world.until("the move", async || start_of(&world.events_of(&lesson).await[0]) == world.in_hours(50)).await;
        world.settle().await;
        assert_eq!(writes(world.google_calls().await), 1, "the zone is known to be unknown");
        assert_eq!(world.notices().await, Vec::<String>::new());
    }
}

#[tokio::test]
async fn a_refresh_token_that_is_rotated_is_kept() {
    let (world, lesson) = connected().await;
    world.control("behaviour", json!({ "refresh_tokens": "rotated" })).await;
    let sealed = async || {
        let rows = world.rows("instructor_calendar_credentials").await;
        rows.iter().find_map(|row| row["google_refresh_token"].as_str().map(str::to_owned)).expect("a token")
    };
    let mut before = sealed().await;
    for hour in [50, 60, 70] {
        world.control("expire-access-tokens", json!({ "account": World::ACCOUNT })).await;
        world.move_lesson(&lesson, world.in_hours(hour)).await;
        world.sync().await;
        assert_eq!(start_of(&world.events_of(&lesson).await[0]), world.in_hours(hour));
        let after = sealed().await;
        assert!(after != before && !after.contains("1//"), "sealed and stored");
        before = after;
    }
    assert_eq!(world.status().await["state"], "active");
}

#[tokio::test]
async fn a_lesson_over_googles_quota_leaves_the_other_lessons_written() {
    let (world, _) = connected().await;
    world.sync_by_hand_alone().await;
    let mut lessons = Vec::new();
    for hour in [50, 52, 54] {
        lessons.push(world.add_lesson("Choir", world.in_hours(hour)).await);
    }
    let over = json!({ "refuse": { "status": 403, "reason": "quotaExceeded" } });
    world.fault("calendar.events.insert", json!({ "nth": 2 }), over).await;
    world.sync().await;
    let written = async || {
        let mut count = 0;
        for lesson in &lessons {
            count += world.events_of(lesson).await.len();
        }
        count
    };
    assert_eq!(written().await, 2);
    assert_eq!(
        (&world.status().await["state"], &world.status().await["reason"]),
        (&json!("failing"), &json!("quota_exceeded"))
    );
    world.sync().await;
    assert_eq!(written().await, 3);
}

#[tokio::test]
async fn an_event_that_another_calendar_organizes_by_now_makes_room_for_another() {
    let (world, lesson) = connected().await;
    let before = world.events_of(&lesson).await[0]["id"].clone();
    for method in ["calendar.events.update", "calendar.events.patch"] {
        refuse(&world, method, 403, "forbiddenForNonOrganizer").await;
    }
    world.move_lesson(&lesson, world.in_hours(50)).await;
    let follows = async || {
        let events = world.events_of(&lesson).await;
        events.len() == 1 && events[0]["id"] != before && start_of(&events[0]) == world.in_hours(50)
    };
    world.until("another event", follows).await;
    let said = "Google refused with 403 forbiddenForNonOrganizer: Shared properties can only be changed by the organizer of the event; another event takes its place";
    world.until("the log", async || world.reasons().await.contains(said)).await;
    world.settle().await;
    let event = world.events_of(&lesson).await[0]["id"].clone();
    assert_eq!(world.lesson(&lesson).await["googleCalendarEventId"], event);
    assert_eq!(world.notices().await, Vec::<String>::new());
}
