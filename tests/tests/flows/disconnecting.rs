//! Disconnecting: what stays, what goes, and who else is touched.

use std::time::Duration;

use calendar_tests::world::World;
use reqwest::Method;
use serde_json::{Value, json};

async fn disconnect(world: &World, choices: Value) {
    let mut body = json!({ "instructorId": world.instructor });
    body.as_object_mut().unwrap().extend(choices.as_object().unwrap().clone());
    let (code, answer) = world.call(Method::POST, "disconnect", Some(body)).await;
    assert!(code == 200 || code == 202, "{code} {answer}");
    world.until("the end", async || world.status().await["state"] == "not_connected").await;
}

/// Connected, with a lesson in Google and an import.
async fn connected() -> (World, String) {
    let world = World::start().await;
    let lesson = world.add_lesson("Piano", world.in_hours(30)).await;
    world.plan_in_google("Dentist", world.in_hours(40), world.in_hours(41)).await;
    world.connect().await;
    world
        .until("both", async || world.events_of(&lesson).await.len() == 1 && world.external_events().await.len() == 1)
        .await;
    world.settle().await;
    (world, lesson)
}

#[tokio::test]
async fn an_instructor_who_disconnects_chooses_what_stays() {
    for (choices, events, imported) in [
        (json!({}), 0, 0),
        (json!({ "keepEvents": false, "keepImported": null }), 0, 0),
        (json!({ "keepEvents": true }), 1, 0),
        (json!({ "keepImported": true }), 0, 1),
        (json!({ "keepEvents": true, "keepImported": true }), 1, 1),
    ] {
        let (world, lesson) = connected().await;
        disconnect(&world, choices.clone()).await;
        assert_eq!(world.events_of(&lesson).await.len(), events, "{choices}");
        assert_eq!(world.rows("external_calendar_events").await.len(), imported, "{choices}");
        assert_eq!(world.rows("calendar_event_mappings").await, Vec::<Value>::new(), "{choices}");
        assert_eq!(world.google_calls().await.get("oauth2.revoke"), Some(&1), "{choices}");
    }
}

#[tokio::test]
async fn a_disconnect_while_a_batch_is_on_its_way_leaves_no_event_behind() {
    let world = World::connected().await;
    world.control("fault", json!({ "method": "batch", "when": { "next": 1 }, "effect": { "slow": 2000 } })).await;
    let mut lessons = Vec::new();
    for hour in 0..5 {
        lessons.push(world.add_lesson("Piano", world.in_hours(30 + 2 * hour)).await);
    }
    world.until("the batch", async || world.google_calls().await.contains_key("batch")).await;
    disconnect(&world, json!({})).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    for lesson in lessons {
        assert_eq!(world.events_of(&lesson).await, Vec::<Value>::new());
    }
}

#[tokio::test]
async fn a_grant_that_ended_is_told_once_and_asked_for_no_more() {
    let (world, lesson) = connected().await;
    world.control("end-grants", json!({ "account": world.account, "end": "expired" })).await;
    world.move_lesson(&lesson, world.in_hours(50)).await;
    world.until("the state", async || world.status().await["state"] == "needs_reauth").await;
    world.until("the notice", async || world.notices().await == ["connection.needs_attention"]).await;
    world.control("reset-calls", json!({})).await;
    // The poll comes each second, lessons change, and the push channel is still open.
    world.move_lesson(&lesson, world.in_hours(52)).await;
    world.plan_in_google("Dentist again", world.in_hours(60), world.in_hours(61)).await;
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert_eq!(world.google_calls().await, std::collections::BTreeMap::new(), "Google is left alone");
    assert_eq!(world.notices().await, ["connection.needs_attention"], "told once");
    assert_eq!(world.status().await["nextSyncAt"], Value::Null, "polling has stopped");

    disconnect(&world, json!({})).await;
    world.connect().await;
    world.settle().await;
    assert_eq!(world.events_of(&lesson).await.len(), 1, "connected anew, with what was left in Google");
}

#[tokio::test]
async fn disconnecting_one_of_two_workspaces_on_one_account_leaves_the_other_working() {
    let (world, lesson) = connected().await;
    let other = world.signed_in("?instructor=5c7a1e00-0000-4000-8000-0000000000a2").await;
    other.connect().await;
    disconnect(&other, json!({})).await;
    assert_eq!(world.google_calls().await.get("oauth2.revoke"), None, "revoking takes all grants of the account");

    world.control("expire-access-tokens", json!({ "account": world.account })).await;
    world.change_lesson(&lesson, json!({ "title": "Violin" })).await;
    world.until("the change", async || world.events_of(&lesson).await[0]["summary"] == "Violin").await;
    assert_eq!(world.status().await["state"], "active");
    disconnect(&world, json!({})).await;
    assert_eq!(world.google_calls().await.get("oauth2.revoke"), Some(&1), "the last one gives the grant back");
}
