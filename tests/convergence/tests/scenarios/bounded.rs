//! Syncs by hand that a person bounded, to one of the connection's two directions or to some days.

use calendar_sync::{
    model::{
        CalendarSyncLog, LessonId, NoticeKind, SettingsPatch, SyncCalendarRequest, SyncDirection, SyncOutcome,
        SyncStatus, SyncTask, SyncTrigger,
    },
    ports::{LessonMark, SyncMessage},
    usecases::sync_now::sync_now,
};
use chrono::{NaiveDate, TimeDelta};
use google_sim::When;
use serde_json::json;
use testkit::data::person;

use crate::stage::Stage;

/// A sync by hand, or what is left of one that was handed on.
fn sync(stage: &mut Stage, direction: SyncDirection, tasks: Vec<SyncTask>) {
    ask(stage, direction, tasks);
    stage.settle(TimeDelta::seconds(30));
}

fn ask(stage: &mut Stage, direction: SyncDirection, tasks: Vec<SyncTask>) {
    let asked =
        SyncCalendarRequest { instructor_id: stage.party.key.instructor_id, direction: Some(direction), dates: None };
    let message = SyncMessage::new(stage.party.key, SyncTrigger::Manual, tasks);
    stage.send(SyncMessage { asked: Some(asked), ..message });
}

/// A sync by hand of the days around the tenth of April; answers its log row once there is nothing more to do.
fn sync_some_days(stage: &mut Stage) -> CalendarSyncLog {
    let (sync, key) = (stage.world.product().handler.sync, stage.party.key);
    let days = [9, 11].map(|day| NaiveDate::from_ymd_opt(2026, 4, day).unwrap());
    let asked =
        SyncCalendarRequest { instructor_id: key.instructor_id, direction: None, dates: Some((days[0], days[1])) };
    let deadline = stage.world.now() + TimeDelta::seconds(20);
    stage.world.request(async move { sync_now(&sync, key, asked, &person(), deadline).await.map(drop) });
    stage.settle(TimeDelta::minutes(5));
    let tables = stage.world.store.tables();
    let logs = tables.logs.iter().filter(|((of, _), _)| *of == key);
    logs.map(|(_, log)| log).rfind(|log| log.trigger == SyncTrigger::Manual).unwrap().clone()
}

/// What the host says of the lesson from now on; someone else brings the message.
fn set_status(stage: &Stage, lesson: LessonId, status: &str) {
    let (key, now) = (stage.party.key, stage.world.now());
    let mut tables = stage.world.store.tables();
    tables.lessons.get_mut(&(key.tenant_id, lesson)).unwrap()["status"] = json!(status);
    let mark = LessonMark { lesson_id: lesson, starts_at: now, ends_at: now };
    tables.mark_dirty(key, mark, now);
}

fn cancel_lesson(stage: &mut Stage) {
    set_status(stage, the_lesson(stage), "cancelled");
    stage.send(SyncMessage::new(stage.party.key, SyncTrigger::Lesson, vec![SyncTask::PushLessons]));
}

fn the_lesson(stage: &Stage) -> LessonId {
    stage.world.store.tables().lessons.keys().next().unwrap().1
}

#[test]
fn conflicts_of_a_lesson_go_with_it_although_nothing_is_imported() {
    let mut stage = Stage::new();
    stage.add_lesson();
    stage.plan_over_lesson();
    stage.settle(TimeDelta::minutes(5));
    assert_eq!(stage.conflicts(), 1);

    let (lesson, now) = (the_lesson(&stage), stage.world.now());
    {
        let mut tables = stage.world.store.tables();
        tables.lessons.remove(&(stage.party.key.tenant_id, lesson));
        let mark = LessonMark { lesson_id: lesson, starts_at: now, ends_at: now };
        tables.mark_dirty(stage.party.key, mark, now);
    }
    sync(&mut stage, SyncDirection::ToGoogle, vec![SyncTask::PushLessons]);
    assert_eq!(stage.world.store.tables().mappings_of(stage.party.key).len(), 0, "the lesson is gone");
    assert_eq!(stage.conflicts(), 0);
}

#[test]
fn the_hosts_columns_keep_saying_how_far_the_other_direction_is() {
    let mut stage = Stage::new();
    stage.fault("calendar.events.insert", 400, "invalid", google_sim::When::Always);
    stage.add_lesson();
    stage.settle(TimeDelta::minutes(5));
    let lesson = the_lesson(&stage);
    let status = |stage: &Stage| {
        let tables = stage.world.store.tables();
        tables.lessons[&(stage.party.key.tenant_id, lesson)]["calendar_sync_status"].clone()
    };
    let failed = serde_json::to_value(SyncStatus::Failed).unwrap();
    assert_eq!(status(&stage), failed);
    sync(
        &mut stage,
        SyncDirection::FromGoogle,
        vec![SyncTask::PullEvents, SyncTask::PushLessons, SyncTask::FullReconcile],
    );
    assert_eq!(status(&stage), failed);
}

#[test]
fn a_removal_of_ours_that_a_one_way_sync_meets_is_told_as_nobodys_change() {
    for turns in 0.. {
        let mut stage = Stage::new();
        stage.add_lesson();
        stage.settle(TimeDelta::minutes(5));
        cancel_lesson(&mut stage);
        let died = stage.dies_after(turns);
        set_status(&stage, the_lesson(&stage), "scheduled");
        stage.world.wait(TimeDelta::minutes(2));
        sync(
            &mut stage,
            SyncDirection::FromGoogle,
            vec![SyncTask::PullEvents, SyncTask::PushLessons, SyncTask::FullReconcile],
        );
        stage.settle(TimeDelta::hours(7));
        let told = |kind: &NoticeKind| matches!(kind, NoticeKind::EventChangedInGoogle { .. });
        let bus = stage.world.sim.state().bus.clone();
        assert!(!bus.iter().any(|notice| told(&notice.kind)), "died after {turns} effects: {bus:?}");
        if turns > 0 && !died {
            break;
        }
    }
}

#[test]
fn a_sync_requested_beside_one_whose_direction_is_off_runs() {
    for turns in 0..30 {
        let mut stage = Stage::new();
        let off = SettingsPatch { auto_sync: Some(false), ..SettingsPatch::default() };
        let one_way = SettingsPatch { sync_direction: Some(SyncDirection::ToGoogle), ..off.clone() };
        stage.change_settings(one_way);
        stage.settle(TimeDelta::minutes(5));
        stage.add_lesson();
        stage.settle(TimeDelta::minutes(5));
        assert_eq!(stage.calls("calendar.events.insert"), 0, "it syncs by hand alone");

        ask(
            &mut stage,
            SyncDirection::FromGoogle,
            vec![SyncTask::PullEvents, SyncTask::PushLessons, SyncTask::FullReconcile],
        );
        stage.world.turns(turns);
        stage.change_settings(SettingsPatch { auto_sync: Some(true), ..SettingsPatch::default() });
        stage.settle(TimeDelta::minutes(5));
        assert_eq!(stage.calls("calendar.events.insert"), 1, "asked after {turns} effects");
    }
}

#[test]
fn a_poll_that_comes_during_a_bounded_sync_of_who_syncs_by_hand_alone_makes_no_unbounded_one() {
    for turns in 0..30 {
        let mut stage = Stage::new();
        stage.change_settings(SettingsPatch { auto_sync: Some(false), ..SettingsPatch::default() });
        stage.settle(TimeDelta::minutes(5));
        stage.add_lesson();
        ask(
            &mut stage,
            SyncDirection::FromGoogle,
            vec![SyncTask::PullEvents, SyncTask::PushLessons, SyncTask::FullReconcile],
        );
        stage.world.turns(turns);
        stage.send(SyncMessage::new(
            stage.party.key,
            SyncTrigger::Poll,
            vec![SyncTask::PullEvents, SyncTask::PushLessons],
        ));
        stage.settle(TimeDelta::minutes(5));
        assert_eq!(stage.calls("calendar.events.insert"), 0, "sent after {turns} effects");
    }
}

#[test]
fn a_switch_that_is_turned_during_a_bounded_sync_of_who_syncs_by_hand_alone_takes_effect() {
    for turns in 0..30 {
        let mut stage = Stage::new();
        let event = stage.plan();
        stage.settle(TimeDelta::minutes(5));
        stage.change_settings(SettingsPatch { auto_sync: Some(false), ..SettingsPatch::default() });
        stage.settle(TimeDelta::minutes(5));
        assert!(stage.is_known(&event));
        ask(
            &mut stage,
            SyncDirection::FromGoogle,
            vec![SyncTask::PullEvents, SyncTask::PushLessons, SyncTask::FullReconcile],
        );
        stage.world.turns(turns);
        let one_way = SettingsPatch { sync_direction: Some(SyncDirection::ToGoogle), ..SettingsPatch::default() };
        stage.change_settings(one_way);
        stage.settle(TimeDelta::minutes(5));
        assert!(!stage.is_known(&event), "turned after {turns} effects");
    }
}

#[test]
fn a_switch_that_is_turned_while_a_run_that_may_do_nothing_holds_the_lease_takes_effect() {
    for trigger in [SyncTrigger::Poll, SyncTrigger::Webhook] {
        for turns in 0..30 {
            let mut stage = Stage::new();
            let event = stage.plan();
            stage.settle(TimeDelta::minutes(5));
            stage.change_settings(SettingsPatch { auto_sync: Some(false), ..SettingsPatch::default() });
            stage.settle(TimeDelta::minutes(5));
            assert!(stage.is_known(&event));
            // A run for a notification waits a second after a listing.
            let now = stage.world.now();
            stage.change_state(|state| state.listed_at = Some(now));
            stage.send(SyncMessage::new(stage.party.key, trigger, vec![SyncTask::PullEvents]));
            stage.world.turns(turns);
            let one_way = SettingsPatch { sync_direction: Some(SyncDirection::ToGoogle), ..SettingsPatch::default() };
            stage.change_settings(one_way);
            stage.settle(TimeDelta::minutes(5));
            assert!(!stage.is_known(&event), "{trigger:?}, turned after {turns} effects");
        }
    }
}

#[test]
fn a_bounded_sync_that_failed_is_followed_by_none_without_its_bounds() {
    let mut stage = Stage::new();
    stage.change_settings(SettingsPatch { auto_sync: Some(false), ..SettingsPatch::default() });
    stage.settle(TimeDelta::minutes(5));
    stage.add_lesson();
    stage.fault("calendar.events.list", 500, "backendError", When::Next(5));
    ask(
        &mut stage,
        SyncDirection::FromGoogle,
        vec![SyncTask::PullEvents, SyncTask::PushLessons, SyncTask::FullReconcile],
    );
    stage.settle(TimeDelta::hours(1));
    assert_eq!(stage.calls("calendar.events.insert"), 0);
}

#[test]
fn a_cancelled_lesson_meets_no_conflict_where_nothing_is_written_to_google() {
    let mut stage = Stage::new();
    stage
        .change_settings(SettingsPatch { sync_direction: Some(SyncDirection::FromGoogle), ..SettingsPatch::default() });
    stage.settle(TimeDelta::minutes(5));
    stage.add_lesson();
    sync(
        &mut stage,
        SyncDirection::FromGoogle,
        vec![SyncTask::PullEvents, SyncTask::PushLessons, SyncTask::FullReconcile],
    );
    cancel_lesson(&mut stage);
    stage.settle(TimeDelta::minutes(5));
    stage.plan_over_lesson();
    stage.settle(TimeDelta::minutes(5));
    assert_eq!(stage.world.sim.state().bus, []);
    assert_eq!(stage.world.store.tables().mappings_of(stage.party.key), [], "it has served");
}

#[test]
fn a_removed_lesson_whose_event_stands_yet_meets_no_conflict() {
    let mut stage = Stage::new();
    stage.add_lesson();
    stage.settle(TimeDelta::minutes(5));
    stage.fault("calendar.events.delete", 403, "forbidden", google_sim::When::Always);
    cancel_lesson(&mut stage);
    stage.settle(TimeDelta::minutes(5));
    stage.plan_over_lesson();
    stage.settle(TimeDelta::minutes(5));
    let conflict = |kind: &NoticeKind| matches!(kind, NoticeKind::ConflictsChanged { .. });
    assert!(!stage.world.sim.state().bus.iter().any(|notice| conflict(&notice.kind)));
    assert_eq!(stage.world.store.tables().mappings_of(stage.party.key).len(), 1, "its event stands");
}

#[test]
fn a_failed_sync_of_one_direction_keeps_the_requests_of_others() {
    let mut stage = Stage::new();
    let tasks = || [SyncTask::FullReconcile, SyncTask::RetryGivenUp];
    stage.change_state(|state| state.pending.tasks.extend(tasks()));
    stage.fault("calendar.events.list", 503, "backendError", google_sim::When::Always);
    sync(&mut stage, SyncDirection::FromGoogle, vec![SyncTask::PullEvents, SyncTask::PushLessons]);
    let left = stage.state();
    assert!(left.failures > 0 && left.pending.tasks.is_superset(&tasks().into()), "{left:?}");
}

#[test]
fn a_sync_of_some_days_ends_although_very_many_lessons_of_other_days_wait() {
    for direction in [SyncDirection::TwoWay, SyncDirection::ToGoogle] {
        let mut stage = Stage::new();
        stage.add_lesson_in(TimeDelta::days(21));
        stage.settle(TimeDelta::minutes(5));
        stage.change_settings(SettingsPatch {
            auto_sync: Some(false),
            sync_direction: Some(direction),
            ..SettingsPatch::default()
        });
        stage.settle(TimeDelta::minutes(5));
        for _ in 0..1001 {
            stage.add_lesson();
        }
        stage.settle(TimeDelta::minutes(5));
        let lists = stage.lists();
        let log = sync_some_days(&mut stage);
        assert_eq!(log.outcome, SyncOutcome::Completed, "{direction:?} {:?}", log.reasons);
        assert!(stage.lists() - lists <= 2, "{direction:?}: {} listings", stage.lists() - lists);
    }
}

#[test]
fn a_sync_of_some_days_leaves_the_events_of_lessons_that_vanished_on_other_days() {
    let mut stage = Stage::new();
    for _ in 0..12 {
        stage.add_lesson();
    }
    stage.settle(TimeDelta::minutes(5));
    stage.world.store.tables().lessons.clear();
    stage.send(SyncMessage::new(
        stage.party.key,
        SyncTrigger::Poll,
        vec![SyncTask::PullEvents, SyncTask::PushLessons, SyncTask::FullReconcile],
    ));
    stage.settle(TimeDelta::minutes(5));
    sync_some_days(&mut stage);
    assert_eq!(stage.calls("calendar.events.delete"), 0);
    sync(
        &mut stage,
        SyncDirection::TwoWay,
        vec![SyncTask::PullEvents, SyncTask::PushLessons, SyncTask::FullReconcile, SyncTask::RetryGivenUp],
    );
    assert_eq!(stage.calls("calendar.events.delete"), 12, "a sync of all days that a person asks for does");
}
