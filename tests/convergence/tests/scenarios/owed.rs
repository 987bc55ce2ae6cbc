//! What a direction forbids to write stays owed until it may be written.

use calendar_sync::model::{SettingsPatch, SyncDirection, SyncStatus};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use crate::stage::Stage;

fn turn(stage: &mut Stage, direction: SyncDirection) {
    stage.change_settings(SettingsPatch { sync_direction: Some(direction), ..SettingsPatch::default() });
    stage.settle(TimeDelta::minutes(2));
}

fn start_in_google(stage: &Stage) -> DateTime<Utc> {
    stage.event()["start"]["dateTime"].as_str().unwrap().parse().unwrap()
}

/// The lesson moves by so much while nothing may be written; answers where it was and where it is.
fn moved_while_read_only(stage: &mut Stage, by: TimeDelta) -> [DateTime<Utc>; 2] {
    stage.add_lesson();
    stage.settle(TimeDelta::minutes(2));
    let before = start_in_google(stage);
    turn(stage, SyncDirection::FromGoogle);
    let after = before + by;
    stage.move_lesson(after);
    [before, after]
}

#[test]
fn a_lesson_that_left_the_window_while_nothing_was_written_is_followed_once_it_may_be() {
    let mut stage = Stage::new();
    let [before, after] = moved_while_read_only(&mut stage, TimeDelta::days(-20));
    assert_eq!((start_in_google(&stage), stage.mapping().sync_status), (before, SyncStatus::Pending));
    assert!(!stage.mapping().mark.is_set, "runs that may not write have no need to come back to it");
    turn(&mut stage, SyncDirection::TwoWay);
    assert_eq!((start_in_google(&stage), stage.mapping().sync_status), (after, SyncStatus::Synced));
}

#[test]
fn a_lesson_that_moved_back_before_it_could_be_followed_owes_nothing() {
    let mut stage = Stage::new();
    let [before, _] = moved_while_read_only(&mut stage, TimeDelta::days(-20));
    stage.move_lesson(before);
    assert_eq!(stage.mapping().sync_status, SyncStatus::Synced);
}

#[test]
fn an_event_of_the_past_that_was_changed_while_nothing_was_written_is_put_back_once_it_may_be() {
    let mut stage = Stage::new();
    stage.add_lesson();
    stage.settle(TimeDelta::minutes(2));
    turn(&mut stage, SyncDirection::FromGoogle);
    let event = stage.mapping().google_event_id();
    stage.edit_event(event.as_str(), &json!({ "summary": "Mine" }));
    stage.settle(TimeDelta::days(14));
    assert_eq!((&stage.event()["summary"], stage.mapping().sync_status), (&json!("Mine"), SyncStatus::Pending));
    turn(&mut stage, SyncDirection::TwoWay);
    assert_eq!((&stage.event()["summary"], stage.mapping().sync_status), (&json!("Piano"), SyncStatus::Synced));
}

#[test]
fn a_lesson_that_was_unreadable_while_nothing_was_written_is_synced_once_it_can_be_read() {
    let mut stage = Stage::new();
    stage.add_lesson();
    stage.settle(TimeDelta::minutes(2));
    turn(&mut stage, SyncDirection::FromGoogle);
    let (lesson, before) = (stage.lesson(), start_in_google(&stage));
    stage.change_lesson(lesson, "ends_at", json!(before + TimeDelta::days(5)));
    assert_eq!(stage.mapping().sync_status, SyncStatus::Failed);
    stage.change_lesson(lesson, "ends_at", json!(before + TimeDelta::hours(1)));
    assert_eq!((stage.mapping().sync_status, stage.mapping().error), (SyncStatus::Synced, None));
}
