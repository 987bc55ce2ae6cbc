//! What goes wrong elsewhere with push channels and their notifications.

use calendar_tests::world::World;
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use futures::{StreamExt, future::ready, stream};
use reqwest::Method;
use serde_json::{Value, json};

use super::with_a_lesson;

/// The ids of the channels that Google keeps open.
async fn open_channels(world: &World) -> Vec<String> {
    let (_, answer) = world.send(world.outside(&format!("{}/control/channels", world.google))).await;
    let rows = answer["channels"].as_array().unwrap().iter();
    rows.map(|row| row["id"].as_str().unwrap().to_owned()).collect()
}

/// The first of them, and its token.
async fn open_channel(world: &World) -> [String; 2] {
    let channel = open_channels(world).await.remove(0);
    let (_, state) = world.send(world.outside(&format!("{}/control/state", world.google))).await;
    let token = state["push"]["channels"][&channel]["token"].as_str().expect("a token").to_owned();
    [channel, token]
}

/// Guards against: an id is used twice, which Google refuses for ever; or the old channel is forgotten first, and when
/// the new one fails there is none.
#[tokio::test]
async fn a_channel_is_renewed_under_a_new_id_and_kept_until_the_new_one_is_open() {
    let (world, _, _) = with_a_lesson().await;
    let old = open_channels(&world).await;
    assert_eq!(old.len(), 1);
    let due = json!({ "renew_at": "2026-01-01T00:00:00.000Z" });
    let refusal = json!({ "refuse": { "status": 400, "reason": "channelIdNotUnique" } });
    world.fault("calendar.events.watch", json!("always"), refusal).await;
    world.change_state(due.clone()).await;
    world.sync().await;
    assert!(world.reasons().await.contains("channelIdNotUnique"), "{}", world.reasons().await);
    assert_eq!((open_channels(&world).await, &world.status().await["push"]["state"]), (old.clone(), &json!("healthy")));
    let told = world.plan_in_google("Told", world.in_hours(50), world.in_hours(51)).await;
    let is_known = async |id: &str| world.external_events().await.iter().any(|event| event["googleEventId"] == id);
    world.until("the old channel's notice", async || is_known(&told).await).await;

    world.control("clear-faults", json!({})).await;
    world.change_state(due).await;
    world.sync().await;
    let new = open_channels(&world).await;
    assert!(new.len() == 1 && new != old, "{old:?} {new:?}");
    let told = world.plan_in_google("Told too", world.in_hours(60), world.in_hours(61)).await;
    world.until("the new channel's notice", async || is_known(&told).await).await;
}

/// Guards against: push is dark for weeks, nothing comes in, and the status shows a channel that has long ended.
#[tokio::test]
async fn a_channel_that_was_not_renewed_shows_in_the_status_and_polling_takes_over() {
    let (world, _, _) = with_a_lesson().await;
    let failure = json!({ "refuse": { "status": 503, "reason": "backendError" } });
    world.fault("calendar.events.watch", json!("always"), failure).await;
    let past = "2026-01-01T00:00:00.000Z";
    let in_an_hour = timestamp(Utc::now() + TimeDelta::hours(1));
    let late = json!({ "renew_at": past, "webhook_opened_at": past, "webhook_expiration": in_an_hour });
    world.change_state(late).await;
    world.control("reset-calls", json!({})).await;
    world.sync().await;
    assert_eq!(world.google_calls().await["calendar.events.watch"], 1, "it was tried once more");
    let push = world.status().await["push"].clone();
    assert_eq!(push["state"], "unhealthy");
    assert!(push["description"].as_str().unwrap().contains("should have been renewed and was not"), "{push}");

    world.control("expire-channels", json!({})).await;
    let id = world.plan_in_google("Untold", world.in_hours(50), world.in_hours(51)).await;
    world.change_state(json!({ "renew_at": past, "webhook_expiration": past, "next_sync_at": past })).await;
    let is_known = async || world.external_events().await.iter().any(|event| event["googleEventId"] == id.as_str());
    world.until("the poll", is_known).await;
    let status = world.status().await;
    assert_eq!(status["push"]["state"], "unhealthy");
    assert!(status["push"]["description"].as_str().unwrap().contains("ended and was not renewed"), "{status:#}");
    let next: DateTime<Utc> = status["nextSyncAt"].as_str().unwrap().parse().unwrap();
    assert!(next - Utc::now() < TimeDelta::minutes(20), "{next}");

    world.control("clear-faults", json!({})).await;
    world.change_state(json!({ "renew_at": past, "next_sync_at": past })).await;
    world.until("health", async || world.status().await["push"]["state"] == "healthy").await;
}

fn timestamp(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// Guards against: the last notices of a channel that was stopped are answered with an error, or start a sync.
#[tokio::test]
async fn notices_of_a_channel_that_was_stopped_are_accepted_and_do_nothing() {
    let (world, _, _) = with_a_lesson().await;
    let [channel, token] = open_channel(&world).await;
    world.sync_by_hand_alone().await;
    assert_eq!(open_channels(&world).await, [""; 0]);
    world.control("reset-calls", json!({})).await;
    world.plan_in_google("Late", world.in_hours(50), world.in_hours(51)).await;
    late_notices(&world, &channel, &token).await;
    // A message that waits in the queue would be handled by then.
    tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    assert_eq!(world.google_calls().await.values().sum::<u64>(), 0, "{:?}", world.google_calls().await);
    assert_eq!(world.external_events().await, Vec::<Value>::new());
}

async fn late_notices(world: &World, channel: &str, token: &str) {
    for state in ["exists", "sync", "not_exists"] {
        let notice = world
            .request(Method::POST, "/api/v1/calendar/webhook")
            .header("x-goog-channel-id", channel)
            .header("x-goog-channel-token", token)
            .header("x-goog-resource-state", state);
        assert_eq!(world.send(notice).await.0, 200, "{state}");
    }
}

/// The same where another channel has taken its place: they are looked after, as all that is signed, and nothing is found.
#[tokio::test]
async fn notices_of_a_channel_that_was_replaced_are_accepted_and_change_nothing() {
    let (world, _, _) = with_a_lesson().await;
    let [channel, token] = open_channel(&world).await;
    world.change_state(json!({ "renew_at": "2026-01-01T00:00:00.000Z" })).await;
    world.sync().await;
    let open = open_channels(&world).await;
    assert!(open.len() == 1 && open[0] != channel, "{open:?}");
    // The notices of what was written so far have come by then.
    tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    let before = (world.status().await["logs"].clone(), world.rows("calendar_event_mappings").await);
    world.control("reset-calls", json!({})).await;
    late_notices(&world, &channel, &token).await;
    tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    let calls = world.google_calls().await;
    assert!(calls.keys().all(|method| method == "calendar.events.list"), "{calls:?}");
    assert!(calls.values().sum::<u64>() <= 3, "{calls:?}");
    assert_eq!((world.status().await["logs"].clone(), world.rows("calendar_event_mappings").await), before);
    assert_eq!(open_channels(&world).await, open);
}

/// Guards against: a caller who knows the webhook's address can make us work.
#[tokio::test]
async fn twenty_thousand_forged_notices_reach_neither_table_nor_queue() {
    let world = World::start().await;
    let forged = (0..20_000).map(|n| {
        let token = if n % 2 == 0 { "A".repeat(86) } else { format!("{n:086}") };
        world
            .request(Method::POST, "/api/v1/calendar/webhook")
            .header("x-goog-channel-id", format!("channel-{n}"))
            .header("x-goog-channel-token", token)
            .header("x-goog-resource-state", "exists")
    });
    let refused = stream::iter(forged).map(|notice| world.send(notice)).buffer_unordered(50);
    let refused = refused.filter(|answer| ready(answer.0 == 404)).count().await;
    assert_eq!(refused, 20_000);
    let calls = async || -> Vec<String> {
        world.aws_calls().into_iter().filter(|call| call.function == "webhook").map(|call| call.action).collect()
    };
    assert_eq!(calls().await, ["secretsmanager:GetSecretValue"]);

    world.connect().await;
    world.plan_in_google("Told", world.in_hours(50), world.in_hours(51)).await;
    world.until("a true notice", async || calls().await.contains(&"sqs:SendMessage".to_owned())).await;
}
