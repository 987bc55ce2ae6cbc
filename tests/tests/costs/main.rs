//! The cost of a run, by the simulated Google's and the AWS SDK's own counters; and that it stays cheap without
//! trusting what is out of date.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "this is test code")]

mod bursts;
mod model;
mod parts;
mod under_way;
mod world;

use calendar_sync::model::{SyncTask, SyncTrigger};
use chrono::TimeDelta;
use serde_json::json;

use self::world::{ADA, World, hour};

#[tokio::test]
async fn a_first_sync_lists_2500_events_in_one_page_and_writes_200_lessons_in_four_batches() {
    let world = World::new(false).await;
    for n in 0..2_500 {
        world.plan(world.now() + TimeDelta::hours(n));
    }
    for n in 0..200 {
        world.lesson(n, world.now() + TimeDelta::hours(i64::try_from(n).unwrap() * 24 + 7)).await;
    }
    world.reset();
    world.run(SyncTrigger::Connect, &[SyncTask::PullEvents, SyncTask::PushLessons, SyncTask::FullReconcile]).await;
    assert_eq!(["calendar.events.list", "batch"].map(|method| world.google().calls(method)), [1, 4]);
    assert_eq!(world.store.external_ids(world.key).await.unwrap().len(), 2_500);
    assert_eq!(world.google().events(ADA).len(), 2_700);
}

#[tokio::test]
async fn a_poll_that_finds_nothing_makes_one_call_and_writes_three_items() {
    for push in [false, true] {
        let world = World::new(push).await;
        world.plan(world.now() + TimeDelta::hours(1));
        world.lesson(1, world.now() + TimeDelta::hours(5)).await;
        world.connect().await;
        world.notice().await; // of our own event
        let synced = world.last_synced_at().await;
        for _ in 0..2 {
            // With push the poll comes after hours, and with a new access token.
            world.advance(if push { TimeDelta::hours(8) } else { TimeDelta::minutes(19) });
            let cost = world.cost(async { assert_eq!(world.poll().await, 1) }).await;
            // Claimed, and the lease taken and given back with the state.
            assert_eq!((cost.google, cost.dynamo.written, cost.logs), (1, 3, 0), "push: {push}");
            assert_eq!(cost.dynamo.read, 2, "push: {push}");
        }
        assert_eq!(world.last_synced_at().await, synced);
    }
}

#[tokio::test]
async fn the_reservation_of_fifty_calls_is_one_item() {
    let world = World::new(false).await;
    world.connect().await;
    let fifty_notices = async {
        for _ in 0..50 {
            world.notice().await;
            world.advance(TimeDelta::minutes(1));
        }
    };
    let cost = world.cost(fifty_notices).await;
    assert_eq!((cost.google, cost.dynamo.written), (50, 2 * 50 + 1));
}

#[tokio::test]
async fn a_new_access_token_is_kept_where_a_later_run_has_a_use_for_it() {
    let world = World::new(false).await;
    world.connect().await;
    for minutes in [60, 20, 20] {
        world.advance(TimeDelta::minutes(minutes));
        assert_eq!(world.poll().await, 1);
    }
    assert_eq!(world.google().calls("oauth2.token"), 1);
}

#[tokio::test]
async fn the_echo_of_our_own_writes_writes_the_state_alone() {
    let world = World::new(false).await;
    world.lesson(1, world.now() + TimeDelta::hours(5)).await;
    world.connect().await;
    let cost = world.cost(world.notice()).await;
    assert_eq!((cost.google, cost.dynamo.written, cost.logs), (1, 2, 0));
}

#[tokio::test]
async fn an_event_that_moves_makes_one_call_and_writes_five_items() {
    let world = World::new(true).await;
    let event = world.plan(world.now() + TimeDelta::hours(1));
    for n in 0..100 {
        world.plan(world.now() + TimeDelta::days(n));
    }
    world.connect().await;
    world.advance(TimeDelta::minutes(1));
    let moved = world.now() + TimeDelta::hours(30);
    world.edit(&event, &hour(moved));
    let cost = world.cost(world.notice()).await;
    // The row, the lease taken and given back with the state, the log and the host's column.
    assert_eq!((cost.google, cost.dynamo.written, cost.logs), (1, 5, 1));
    assert!(cost.dynamo.read <= 10, "it reads what is around the event, not the calendar: {cost:?}");
    assert_eq!(world.stored(&event).await, Some(moved));
    assert_eq!(world.last_synced_at().await, world.now());

    world.google().delete_event(world.now(), ADA, &event).unwrap();
    world.advance(TimeDelta::minutes(1));
    let cost = world.cost(world.notice()).await;
    assert_eq!((cost.google, cost.dynamo.written, cost.logs), (1, 5, 1));
    assert_eq!(world.stored(&event).await, None);
}

/// Pair, flag of the mapping, flag of the lesson, notice, and its delivery.
const A_CONFLICT: usize = 5;

#[tokio::test]
async fn an_event_that_moves_onto_a_lesson_writes_five_items_beside_the_conflict() {
    let world = World::new(false).await;
    let at = world.now() + TimeDelta::hours(30);
    let lesson = world.lesson(1, at).await;
    let event = world.plan(world.now() + TimeDelta::hours(1));
    world.connect().await;
    world.notice().await;
    world.advance(TimeDelta::minutes(1));
    world.edit(&event, &hour(at + TimeDelta::minutes(30)));
    let cost = world.cost(world.notice()).await;
    assert_eq!((cost.google, cost.dynamo.written, cost.logs), (1, 5 + A_CONFLICT, 1));
    assert_eq!((world.conflicts().await, world.flagged(lesson).await), (vec![event.clone()], true));

    world.edit(&event, &hour(at + TimeDelta::minutes(60)));
    world.advance(TimeDelta::minutes(1));
    let cost = world.cost(world.notice()).await;
    assert_eq!((cost.google, cost.dynamo.written, cost.logs), (1, 5 + A_CONFLICT, 1));
    assert_eq!((world.conflicts().await, world.flagged(lesson).await), (vec![], false));
}

#[tokio::test]
async fn an_edit_of_an_endless_series_costs_as_much_as_one_of_a_single_event() {
    let world = World::new(false).await;
    let start = world.now() + TimeDelta::hours(5);
    let weekly = json!({ "recurrence": ["RRULE:FREQ=WEEKLY"] });
    let series = |at| {
        let mut event = hour(at);
        event.as_object_mut().unwrap().extend(weekly.as_object().unwrap().clone());
        event
    };
    let id = world.google().create_event(world.now(), ADA, &series(start)).unwrap();
    let lesson = world.lesson(1, start + TimeDelta::weeks(40) + TimeDelta::hours(2)).await;
    world.connect().await;
    world.notice().await;
    assert_eq!(world.conflicts().await, Vec::<String>::new());

    world.advance(TimeDelta::minutes(1));
    world.edit(&id, &hour(start + TimeDelta::hours(1)));
    let cost = world.cost(world.notice()).await;
    assert_eq!((cost.google, cost.dynamo.written, cost.logs), (1, 5, 1));

    world.advance(TimeDelta::minutes(1));
    world.edit(&id, &hour(start + TimeDelta::hours(2)));
    let cost = world.cost(world.notice()).await;
    assert_eq!((cost.google, cost.dynamo.written, cost.logs), (1, 5 + A_CONFLICT, 1));
    assert_eq!((world.conflicts().await, world.flagged(lesson).await), (vec![id.clone()], true));

    world.google().delete_event(world.now(), ADA, &id).unwrap();
    world.advance(TimeDelta::minutes(1));
    let cost = world.cost(world.notice()).await;
    assert_eq!((cost.google, cost.dynamo.written, cost.logs), (1, 5 + A_CONFLICT, 1));
    assert_eq!((world.conflicts().await, world.flagged(lesson).await), (vec![], false));
}

#[tokio::test]
async fn the_hosts_column_moves_daily_without_a_log_row() {
    let world = World::new(false).await;
    world.connect().await;
    world.advance(TimeDelta::hours(25));
    let cost = world.cost(async { assert_eq!(world.poll().await, 1) }).await;
    assert_eq!(cost.logs, 0);
    assert_eq!(world.last_synced_at().await, world.now());
}

#[tokio::test]
async fn the_daily_full_reconcile_waits_for_a_listing_that_is_made_anyway() {
    let world = World::new(true).await;
    let lesson = world.lesson(1, world.now() + TimeDelta::hours(50)).await;
    world.connect().await;
    world.echo().await;
    world.answer().await;
    let reconciled_at = async || world.store.state(world.key).await.unwrap().unwrap().reconciled_at.unwrap();
    let before = reconciled_at().await;
    world.advance(TimeDelta::hours(25));
    world.reset();
    world.move_lesson(lesson, world.now() + TimeDelta::hours(30)).await;
    world.answer().await;
    let calls = world.google().calendar_calls();
    assert_eq!((calls, reconciled_at().await), (1, before), "the write");
    world.echo().await;
    world.answer().await;
    assert_eq!(world.google().calendar_calls(), 2, "the write and the listing of its echo");
    assert!(reconciled_at().await > before);
}
