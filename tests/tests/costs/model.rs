//! The cost of single changes, as the model of a million connections counts them: the counts stand in
//! `infra/cost-model/counts.json`, which the model reads, and the simulated Google, `DynamoDB` and the queue confirm
//! each of them here.

use calendar_sync::{
    adapters::kms,
    decide::{
        push::NOTICE_WITHIN,
        schedule::{CHANNEL_LIFETIME, next_poll, renewal},
    },
    model::{Channel, ChannelId, PushHealth, SyncSettings, SyncState, SyncTrigger},
};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use testkit::data::lesson_id;

use crate::world::{Cost, World, hour};

/// Lessons to come of each connection: the daily full reconcile reads them all.
const LESSONS: u128 = 20;

fn in_the_model(part: &str) -> Value {
    let counts: Value = serde_json::from_str(include_str!("../../../infra/cost-model/counts.json")).unwrap();
    counts[part].clone()
}

fn counted(cost: &Cost) -> Value {
    json!({
        "googleUnits": cost.units,
        "dynamoRequests": cost.dynamo.requests,
        "writeUnits": cost.dynamo.write_units,
        "readUnits": cost.dynamo.read_units,
        "lessonsWritten": cost.dynamo.lessons_written,
        "messages": cost.messages,
        "notices": cost.notices,
    })
}

fn check(happening: &str, cost: &Cost) {
    assert_eq!(counted(cost), in_the_model("happenings")[happening], "{happening}");
}

/// From one change to the next: the access token has ended, and the next poll has to be moved.
const HOURS: TimeDelta = TimeDelta::minutes(122);

/// An instructor with lessons and other plans, after quiet hours.
async fn quiet(push: bool) -> World {
    let world = World::new(push).await;
    let start = world.now();
    for n in 0..LESSONS {
        world.lesson(n, start + TimeDelta::days(1 + i64::try_from(n).unwrap())).await;
    }
    for n in 0..30 {
        world.plan(start + TimeDelta::hours(12 + 24 * n));
    }
    world.connect().await;
    world.notice().await;
    world.advance(HOURS);
    world
}

#[test]
fn the_hours_from_one_poll_to_the_next_and_until_a_channel_is_renewed() {
    const EVEN_LUCK: u16 = u16::MAX / 2;
    let now = DateTime::UNIX_EPOCH;
    let hours = |at: DateTime<Utc>| f64::from(u32::try_from((at - now).num_seconds() + 1).unwrap() / 15) / 240.0;
    let mut state = SyncState { listed_at: Some(now), ..SyncState::new(now) };
    let poll = |state: &SyncState| hours(next_poll(&SyncSettings::default(), state, now, EVEN_LUCK).unwrap());
    let without_push = poll(&state);
    let granted = TimeDelta::seconds(google_sim::Limits::default().channel_secs);
    let asked = TimeDelta::from_std(CHANNEL_LIFETIME).unwrap();
    let [renewal, renewal_as_asked] = [granted, asked].map(|life| hours(renewal(now, now + life, EVEN_LUCK)));
    state.channel = Some(Channel { id: ChannelId::from("c"), resource_id: "r".into(), expires_at: now + granted });
    state.push_health = PushHealth::Healthy;
    let counted = json!({
        "poll": without_push, "safetyPoll": poll(&state), "renewal": renewal, "renewalAsAsked": renewal_as_asked,
    });
    assert_eq!(counted, in_the_model("hours"));
}

#[test]
fn the_keys_that_a_worker_keeps_and_for_how_long() {
    let counted = json!({ "most": kms::MAX_KEYS, "hours": kms::MAX_AGE_IN_MEMORY.num_hours() });
    assert_eq!(counted, in_the_model("keysKept"));
}

#[tokio::test]
async fn the_dispatch_of_a_minute_in_which_nothing_is_due() {
    let world = quiet(true).await;
    check("dispatch", &world.cost(async { assert_eq!(world.poll().await, 0) }).await);
}

#[tokio::test]
async fn a_safety_poll_that_finds_nothing() {
    let world = quiet(true).await;
    world.advance(TimeDelta::hours(8));
    check("safetyPoll", &world.cost(async { assert_eq!(world.poll().await, 1) }).await);
}

#[tokio::test]
async fn polls_that_find_nothing_where_one_of_several_fetches_a_token() {
    let world = quiet(false).await;
    let polls_a_token = in_the_model("pollsAToken").as_u64().unwrap();
    for n in 0..2 * polls_a_token {
        let happening = if n % polls_a_token == 0 { "pollWithToken" } else { "poll" };
        check(happening, &world.cost(async { assert_eq!(world.poll().await, 1) }).await);
        world.advance(TimeDelta::seconds(930));
    }
}

#[tokio::test]
async fn the_poll_that_reconciles_all_lessons_once_a_day() {
    let world = quiet(true).await;
    world.advance(TimeDelta::hours(25));
    check("dailyPoll", &world.cost(async { assert_eq!(world.poll().await, 1) }).await);
}

#[tokio::test]
async fn an_event_that_moves() {
    let world = quiet(true).await;
    let event = world.plan(world.now() + TimeDelta::hours(2));
    world.notice().await;
    world.advance(HOURS);
    world.edit(&event, &hour(world.now() + TimeDelta::hours(3)));
    check("eventMoved", &world.cost(world.notice()).await);
}

#[tokio::test]
async fn an_event_that_moves_onto_a_lesson() {
    let world = quiet(true).await;
    let event = world.plan(world.now() + TimeDelta::hours(2));
    world.notice().await;
    world.advance(HOURS);
    let lesson = world.now() - HOURS - HOURS - TimeDelta::minutes(1) + TimeDelta::days(3);
    world.edit(&event, &hour(lesson));
    check("eventOntoLesson", &world.cost(world.notice()).await);
    assert_eq!(world.conflicts().await, [event]);
}

#[tokio::test]
async fn a_lesson_that_moves_and_its_echo() {
    let world = quiet(true).await;
    let lesson = lesson_id(3);
    let cost = world
        .cost(async {
            world.move_lesson(lesson, world.now() + TimeDelta::hours(70)).await;
            world.answer().await;
        })
        .await;
    check("lessonMoved", &cost);
    world.advance(TimeDelta::milliseconds(500));
    check("echo", &world.cost(world.notice()).await);
}

#[tokio::test]
async fn a_burst_of_two_notices() {
    let world = quiet(true).await;
    let event = world.plan(world.now() + TimeDelta::hours(2));
    world.notice().await;
    world.advance(HOURS);
    let start = world.now() + TimeDelta::hours(3);
    let burst = world.burst(2, 0, 1, |n| world.edit(&event, &hour(start + TimeDelta::hours(n.into()))));
    check("burstOfTwo", &world.cost(burst).await);
}

#[tokio::test]
async fn a_channel_that_is_renewed() {
    let world = quiet(true).await;
    let now = world.now();
    world.change_state(|state| state.renew_at = Some(now)).await;
    let renewed = world
        .cost(async {
            world.run(SyncTrigger::Poll, &[]).await;
            world.advance(NOTICE_WITHIN);
            world.answer().await;
        })
        .await;
    check("renewal", &renewed);
    assert_eq!(world.google().calls("calendar.channels.stop"), 1);
}
