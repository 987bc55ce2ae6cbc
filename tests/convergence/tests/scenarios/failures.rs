//! Connections that rest after a failure, and changes whose maker died.

use calendar_sync::{
    model::{NoticeKind, SyncDirection, SyncLogId, SyncOutcome, SyncTask, SyncTrigger},
    ports::SyncMessage,
};
use chrono::TimeDelta;
use google_sim::When;
use uuid::Uuid;

use crate::stage::Stage;

/// Google's usage limit is exceeded: hours of rest.
fn rest(stage: &mut Stage) {
    stage.fault("calendar.events.list", 403, "quotaExceeded", When::Nth(1));
    stage.send(SyncMessage::new(stage.party.key, SyncTrigger::Poll, vec![SyncTask::PullEvents]));
}

#[test]
fn notices_that_the_bus_refused_are_delivered_while_the_connection_backs_off() {
    let mut stage = Stage::new();
    let notice = calendar_sync::model::Notice {
        id: Uuid::from_u128(9),
        key: stage.party.key,
        kind: NoticeKind::SyncFailing { code: "a_code".to_owned() },
        at: stage.world.now(),
    };
    stage.world.store.tables().notices.insert((notice.key, notice.at, notice.id), notice);
    stage.world.sim.state().send_faults.refused = 1;
    rest(&mut stage);
    stage.settle(TimeDelta::minutes(1));
    assert!(stage.state().backoff_until.is_some(), "{:?}", stage.state());
    stage.settle(TimeDelta::minutes(30));
    assert_eq!(stage.world.sim.state().bus.len(), 1);
    assert!(stage.state().backoff_until.is_some_and(|until| until > stage.world.now()), "it rests still");
}

#[test]
fn the_rest_of_a_run_sends_no_message_while_the_connection_backs_off() {
    let mut stage = Stage::new();
    rest(&mut stage);
    stage.settle(TimeDelta::minutes(1));
    let (key, log_id) = (stage.party.key, SyncLogId(Uuid::from_u128(9)));
    stage.send(SyncMessage {
        log_id: Some(log_id),
        ..SyncMessage::new(key, SyncTrigger::Lesson, vec![SyncTask::PushLessons])
    });
    stage.settle(TimeDelta::minutes(1));
    assert!(stage.world.sim.state().queue.is_empty());
    assert_eq!(stage.world.store.tables().logs[&(key, log_id)].outcome, SyncOutcome::Partial);
}

#[test]
fn changed_settings_take_effect_although_the_process_that_changed_them_died() {
    let mut stage = Stage::new();
    let direct = |stage: &Stage, direction| {
        let now = stage.world.now();
        let mut tables = stage.world.store.tables();
        let credentials = tables.credentials.get_mut(&stage.party.key).unwrap();
        credentials.settings.sync_direction = direction;
        credentials.updated_at = now;
        drop(tables);
        stage.change_state(|state| state.next_sync_at = Some(now));
    };
    direct(&stage, SyncDirection::FromGoogle);
    stage.settle(TimeDelta::minutes(5));
    stage.add_lesson();
    stage.settle(TimeDelta::minutes(5));
    assert_eq!(stage.calls("calendar.events.insert"), 0);
    direct(&stage, SyncDirection::TwoWay);
    stage.settle(TimeDelta::minutes(5));
    assert_eq!(stage.calls("calendar.events.insert"), 1);
}

#[test]
fn a_switch_that_was_turned_shows_in_the_instructors_row_although_the_process_that_turned_it_died() {
    let mut stage = Stage::new();
    for enabled in [false, true] {
        let now = stage.world.now();
        let mut tables = stage.world.store.tables();
        let credentials = tables.credentials.get_mut(&stage.party.key).unwrap();
        (credentials.settings.sync_enabled, credentials.updated_at) = (enabled, now);
        drop(tables);
        stage.change_state(|state| state.next_sync_at = Some(now));
        stage.settle(TimeDelta::minutes(5));
        let tables = stage.world.store.tables();
        let row = &tables.instructors[&(stage.party.key.tenant_id, stage.party.key.instructor_id)];
        assert_eq!(row["calendar_sync_enabled"], enabled, "{row}");
    }
}

#[test]
fn polls_that_waited_long_in_the_queue_list_the_calendar_once() {
    let mut stage = Stage::new();
    let (began, lists) = (stage.world.now(), stage.lists());
    let poll = |stage: &mut Stage, due_at| {
        let tasks = vec![SyncTask::PullEvents, SyncTask::PushLessons];
        stage.send(SyncMessage { due_at: Some(due_at), ..SyncMessage::new(stage.party.key, SyncTrigger::Poll, tasks) });
        stage.settle(TimeDelta::seconds(20));
    };
    for quarters in 0..10 {
        poll(&mut stage, began - TimeDelta::minutes(15 * quarters));
    }
    assert_eq!(stage.lists() - lists, 1);
    let now = stage.world.now();
    poll(&mut stage, now);
    assert_eq!(stage.lists() - lists, 2, "what has become due since is done");
}

#[test]
fn an_access_token_that_google_refuses_before_its_time_is_replaced_at_once() {
    let mut stage = Stage::new();
    let now = stage.world.now();
    stage.world.sim.state().google.expire_access_tokens(now, stage.party.account);
    let event = stage.plan();
    assert_eq!(stage.until_known(&event), TimeDelta::minutes(1));
    assert!(stage.world.store.tables().logs.values().all(|log| log.outcome == SyncOutcome::Completed));
}
