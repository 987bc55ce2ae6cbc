//! The cost of a run, by the simulated Google's and the AWS SDK's own counters; and that a run without the lease stays
//! cheap without trusting what is out of date.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "this is test code")]

mod bursts;
mod model;
mod parts;
mod world;

use std::sync::Arc;

use calendar_sync::{
    model::{
        CalendarId, Event, EventId, EventStatus, EventTime, ExternalCalendarEvent, SyncState, SyncTask, SyncTrigger,
    },
    ports::LessonMark,
};
use chrono::TimeDelta;
use chrono_tz::Tz;
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
async fn a_poll_that_finds_nothing_makes_one_call_and_writes_two_items() {
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
            // Found as due and claimed; state and credentials read, and the state written.
            assert_eq!((cost.google, cost.dynamo.written, cost.logs), (1, 2, 0), "push: {push}");
            assert_eq!(cost.dynamo.read, 3, "push: {push}");
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
    assert_eq!((cost.google, cost.dynamo.written), (50, 51));
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
async fn the_echo_of_our_own_writes_writes_one_item() {
    let world = World::new(false).await;
    world.lesson(1, world.now() + TimeDelta::hours(5)).await;
    world.connect().await;
    let cost = world.cost(world.notice()).await;
    assert_eq!((cost.google, cost.dynamo.written, cost.logs), (1, 1, 0));
}

#[tokio::test]
async fn an_event_that_moves_makes_one_call_and_writes_four_items() {
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
    // The row and the state, the log and the host's column.
    assert_eq!((cost.google, cost.dynamo.written, cost.logs), (1, 4, 1));
    assert!(cost.dynamo.read <= 10, "it reads what is around the event, not the calendar: {cost:?}");
    assert_eq!(world.stored(&event).await, Some(moved));
    assert_eq!(world.last_synced_at().await, world.now());

    world.google().delete_event(world.now(), ADA, &event).unwrap();
    world.advance(TimeDelta::minutes(1));
    let cost = world.cost(world.notice()).await;
    assert_eq!((cost.google, cost.dynamo.written, cost.logs), (1, 4, 1));
    assert_eq!(world.stored(&event).await, None);
}

/// Pair, flag of the mapping, flag of the lesson, notice, and its delivery.
const A_CONFLICT: usize = 5;

#[tokio::test]
async fn an_event_that_moves_onto_a_lesson_writes_four_items_beside_the_conflict() {
    let world = World::new(false).await;
    let at = world.now() + TimeDelta::hours(30);
    let lesson = world.lesson(1, at).await;
    let event = world.plan(world.now() + TimeDelta::hours(1));
    world.connect().await;
    world.notice().await;
    world.advance(TimeDelta::minutes(1));
    world.edit(&event, &hour(at + TimeDelta::minutes(30)));
    let cost = world.cost(world.notice()).await;
    assert_eq!((cost.google, cost.dynamo.written, cost.logs), (1, 4 + A_CONFLICT, 1));
    assert_eq!((world.conflicts().await, world.flagged(lesson).await), (vec![event.clone()], true));

    world.edit(&event, &hour(at + TimeDelta::minutes(60)));
    world.advance(TimeDelta::minutes(1));
    let cost = world.cost(world.notice()).await;
    assert_eq!((cost.google, cost.dynamo.written, cost.logs), (1, 4 + A_CONFLICT, 1));
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
    assert_eq!((cost.google, cost.dynamo.written, cost.logs), (1, 4, 1));

    world.advance(TimeDelta::minutes(1));
    world.edit(&id, &hour(start + TimeDelta::hours(2)));
    let cost = world.cost(world.notice()).await;
    assert_eq!((cost.google, cost.dynamo.written, cost.logs), (1, 4 + A_CONFLICT, 1));
    assert_eq!((world.conflicts().await, world.flagged(lesson).await), (vec![id.clone()], true));

    world.google().delete_event(world.now(), ADA, &id).unwrap();
    world.advance(TimeDelta::minutes(1));
    let cost = world.cost(world.notice()).await;
    assert_eq!((cost.google, cost.dynamo.written, cost.logs), (1, 4 + A_CONFLICT, 1));
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

// ── what a run without the lease must not do ───────────────────────────────────────────────────────────────────────

#[tokio::test]
async fn a_run_that_needs_the_lease_uses_the_listing_that_was_made() {
    let world = World::new(false).await;
    world.lesson(1, world.now() + TimeDelta::hours(5)).await;
    world.connect().await;
    let own = world.google().events(ADA)[0]["id"].as_str().unwrap().to_owned();
    world.edit(&own, &json!({ "summary": "Mine" }));
    world.cost(world.notice()).await;
    assert_eq!(world.google().calls("calendar.events.list"), 1);
    assert_eq!(world.google().event(ADA, &own).unwrap()["summary"], "Piano");
}

#[tokio::test]
async fn a_listing_that_another_run_overtook_is_not_stored() {
    let world = Arc::new(World::new(false).await);
    let event = world.plan(world.now() + TimeDelta::hours(1));
    world.connect().await;
    let (first, last) = (world.now() + TimeDelta::hours(30), world.now() + TimeDelta::hours(60));
    world.edit(&event, &hour(first));
    let other = (Arc::clone(&world), event.clone());
    let meanwhile = async move {
        let (world, event) = other;
        world.edit(&event, &hour(last));
        world.run(SyncTrigger::Webhook, &[SyncTask::PullEvents]).await;
        assert_eq!(world.stored(&event).await, Some(last));
    };
    world.meanwhile.set(meanwhile).await;
    world.notice().await;
    assert_eq!(world.stored(&event).await, Some(last));
}

#[tokio::test]
async fn a_run_whose_listing_another_overtook_writes_nothing_more() {
    let world = Arc::new(World::new(false).await);
    let lesson = world.lesson(1, world.now() + TimeDelta::hours(5)).await;
    world.connect().await;
    let own = world.google().events(ADA)[0]["id"].as_str().unwrap().to_owned();
    world.edit(&own, &json!({ "summary": "Mine" }));
    let other = Arc::clone(&world);
    world.meanwhile.set(async move { other.run(SyncTrigger::Webhook, &[SyncTask::PullEvents]).await }).await;
    world.notice().await;
    let mapping = world.store.mapping(world.key, lesson).await.unwrap().unwrap();
    assert_eq!(mapping.restores, 1, "it was put back once");
    assert_eq!(world.google().event(ADA, &own).unwrap()["summary"], "Piano");
}

#[tokio::test]
async fn a_lesson_that_waits_is_written_by_the_poll_that_comes_by() {
    let world = World::new(false).await;
    let lesson = world.lesson(1, world.now() + TimeDelta::hours(5)).await;
    world.connect().await;
    world.lesson(1, world.now() + TimeDelta::hours(9)).await;
    let mark = LessonMark {
        lesson_id: lesson,
        starts_at: world.now() + TimeDelta::hours(9),
        ends_at: world.now() + TimeDelta::hours(10),
    };
    world.store.mark_dirty(world.key, &[mark], world.now()).await.unwrap();
    world.advance(TimeDelta::minutes(20));
    assert_eq!(world.poll().await, 1);
    assert!(world.store.dirty_mappings(world.key, 1).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_series_that_comes_after_an_exception_leaves_out_what_is_cancelled() {
    let world = World::new(false).await;
    let start = world.now() + TimeDelta::hours(5);
    let mut weekly = hour(start);
    weekly["recurrence"] = json!(["RRULE:FREQ=WEEKLY"]);
    let series = world.google().create_event(world.now(), ADA, &weekly).unwrap();
    world.connect().await;
    // A week is off, and that is all that Google has said so far.
    let id = CalendarId::from("primary");
    let row = world.store.external_event(world.key, &id, &series.as_str().into()).await.unwrap().unwrap();
    world.store.delete_external(world.key, &[(id, row.id().clone())]).await.unwrap();
    let off = start + TimeDelta::weeks(1);
    let exception = Event {
        id: EventId(format!("{series}_{}", off.format("%Y%m%dT%H%M%SZ"))),
        status: EventStatus::Cancelled,
        recurrence: vec![],
        recurring_event_id: Some(series.as_str().into()),
        original_start: Some(EventTime::At { instant: off, zone: None }),
        ..row.event
    };
    let exception = ExternalCalendarEvent { event: exception, event_start: off, event_end: Some(off), ..row };
    world.store.put_external(world.key, &[exception]).await.unwrap();
    for (number, weeks) in [(1, 1), (2, 2)] {
        world.lesson(number, start + TimeDelta::weeks(weeks)).await;
    }
    world.run(SyncTrigger::Manual, &[SyncTask::PushLessons, SyncTask::FullReconcile]).await;
    assert_eq!(world.conflicts().await, Vec::<String>::new());

    world.advance(TimeDelta::minutes(1));
    world.edit(&series, &json!({ "summary": "Choir" }));
    world.notice().await;
    assert_eq!(world.conflicts().await, [series], "in the other week alone");
}

#[tokio::test]
async fn a_run_that_finds_no_changes_still_does_whatever_else_is_due() {
    type Due = (fn(&mut SyncState), fn(&SyncState) -> bool);
    let cases: [Due; 6] = [
        (|state| state.reconciled_at = None, |state| state.reconciled_at.is_some()),
        (|state| state.horizon = None, |state| state.horizon.is_some()),
        (|state| state.renew_at = None, |state| state.renew_at.is_some()),
        (|state| state.cursor = None, |state| state.cursor.is_some()),
        (
            |state| state.reconciled_at.iter_mut().for_each(|at| *at += TimeDelta::seconds(1)),
            |state| state.reconciled_at.is_some_and(|at| at.timestamp() % 60 == 1),
        ),
        (
            |state| {
                state.pending.tasks.insert(SyncTask::FullReconcile);
                state.reconciled_at.iter_mut().for_each(|at| *at += TimeDelta::seconds(1));
            },
            |state| state.reconciled_at.is_some_and(|at| at.timestamp() % 60 == 0),
        ),
    ];
    let world = World::new(true).await;
    world.connect().await;
    for (case, (due, done)) in cases.into_iter().enumerate() {
        world.change_state(due).await;
        world.advance(TimeDelta::minutes(1));
        world.notice().await;
        let state = world.store.state(world.key).await.unwrap().unwrap();
        assert!(done(&state), "case {case}: {state:?}");
    }
}

#[tokio::test]
async fn a_connection_that_backs_off_makes_no_call() {
    let world = World::new(false).await;
    world.connect().await;
    let until = world.now() + TimeDelta::hours(1);
    world
        .change_state(|state| {
            state.failures = 1;
            state.backoff_until = Some(until);
        })
        .await;
    assert_eq!(world.cost(world.notice()).await.google, 0);
}

#[tokio::test]
async fn whole_days_are_recomputed_when_the_zone_of_the_calendar_changes() {
    let world = World::new(false).await;
    let day = json!({ "start": { "date": "2026-03-05" }, "end": { "date": "2026-03-06" } });
    let event = world.google().create_event(world.now(), ADA, &day).unwrap();
    world.connect().await;
    world.google().set_zone(ADA, Tz::America__New_York);
    world.notice().await;
    assert_eq!(world.stored(&event).await.unwrap().to_rfc3339(), "2026-03-05T05:00:00+00:00");
}

/// A history of edits in Google, each answered by a run; now and then everything is listed and compared anew.
#[tokio::test]
async fn runs_without_the_lease_leave_what_a_full_reconcile_finds() {
    const STEPS: usize = 120;
    let world = World::new(false).await;
    let start = world.now();
    for n in 0..60 {
        world.lesson(n, start + TimeDelta::hours(i64::try_from(n).unwrap() * 7)).await;
    }
    world.connect().await;
    let mut random = 1_u64;
    let mut draw = move |below: usize| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(random >> 33).unwrap() % below
    };
    let mut events = Vec::new();
    for step in 0..STEPS {
        let at = start + TimeDelta::hours(i64::try_from(draw(200)).unwrap());
        let mut fields = hour(at);
        match draw(3) {
            0 => fields["recurrence"] = json!(["RRULE:FREQ=WEEKLY"]),
            1 => fields["recurrence"] = json!([format!("RRULE:FREQ=DAILY;COUNT={}", 1 + draw(9))]),
            _ => fields["recurrence"] = json!(null),
        }
        if draw(4) == 0 {
            fields["transparency"] = json!("transparent");
        }
        if events.len() < 12 {
            events.push(world.google().create_event(world.now(), ADA, &fields).unwrap());
        } else {
            let id = &events[draw(events.len())];
            let day = world.stored(id).await.map(|first| first + TimeDelta::weeks(i64::try_from(draw(2)).unwrap()));
            let occurrence = day.map(|day| format!("{id}_{}", day.format("%Y%m%dT%H%M%SZ"))).unwrap_or_default();
            fields.as_object_mut().unwrap().retain(|name, _| draw(4) > 0 || name != "recurrence");
            let mut google = world.google();
            // Not all of these have something to act on.
            let _ = match draw(5) {
                0 => google.delete_event(world.now(), ADA, &occurrence),
                1 => google.edit_event(world.now(), ADA, &occurrence, &hour(at)).map(drop),
                2 if draw(4) == 0 => google.delete_event(world.now(), ADA, id),
                _ => google.edit_event(world.now(), ADA, id, &fields).map(drop),
            };
        }
        world.advance(TimeDelta::minutes(1));
        world.notice().await;
        if step % 10 == 9 {
            let left = world.everything().await;
            world.google().expire_cursors(world.now(), ADA);
            world
                .run(SyncTrigger::Manual, &[SyncTask::PullEvents, SyncTask::PushLessons, SyncTask::FullReconcile])
                .await;
            assert_eq!(left, world.everything().await, "step {step}");
            world.advance(TimeDelta::minutes(1));
        }
    }
    assert!(!world.conflicts().await.is_empty());
}
