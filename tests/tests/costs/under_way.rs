//! What no run does, whatever happens meanwhile: trust what is out of date, or leave out what is due.

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

use super::world::{ADA, World, hour};

#[tokio::test]
async fn an_event_that_was_edited_is_put_back_after_one_listing() {
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
async fn a_change_that_comes_while_a_run_lists_is_stored_by_it() {
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
    };
    world.meanwhile.set(meanwhile).await;
    world.notice().await;
    assert_eq!(world.stored(&event).await, Some(last));
}

#[tokio::test]
async fn a_request_that_comes_while_a_run_lists_writes_nothing_twice() {
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
async fn runs_for_single_changes_leave_what_a_full_reconcile_finds() {
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
