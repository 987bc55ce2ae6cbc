//! Lessons that last longer than a day, which the host may write and which are refused, and such as lie beyond the
//! window.

use calendar_sync::{model::SyncStatus, ports::LessonLookup, usecases::note_lesson_changes::LessonChange};
use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::stage::Stage;

#[test]
fn a_lesson_that_grows_beyond_a_day_keeps_its_event_says_why_and_ends_when_it_is_cancelled() {
    let mut stage = Stage::new();
    stage.add_lesson();
    stage.settle(TimeDelta::minutes(2));
    let id = stage.world.store.tables().mappings_of(stage.party.key)[0].lesson_id;
    let events = |stage: &Stage| {
        let all = stage.world.sim.state().google.events(stage.party.account);
        all.into_iter().filter(|event| event["status"] != "cancelled").count()
    };
    let status = |stage: &Stage| {
        let tables = stage.world.store.tables();
        tables.lessons[&(stage.party.key.tenant_id, id)]["calendar_sync_status"].clone()
    };
    assert_eq!((events(&stage), status(&stage)), (1, json!("synced")));

    let ends_at = json!(stage.world.now() + TimeDelta::days(5));
    stage.change_lesson(id, "ends_at", ends_at);
    assert_eq!((events(&stage), status(&stage)), (1, json!("failed")));
    let error = stage.world.store.tables().mapping(stage.party.key, id).unwrap().error;
    assert_eq!(error.as_deref(), Some("The lesson cannot be read: it lasts longer than a day"));

    stage.change_lesson(id, "status", json!("cancelled"));
    assert_eq!((events(&stage), status(&stage)), (0, Value::Null));
}

#[test]
fn a_lesson_beyond_the_window_that_an_event_overlaps_is_flagged_and_waits_for_nothing() {
    let mut stage = Stage::new();
    stage.add_lesson_in(TimeDelta::days(400));
    stage.settle(TimeDelta::minutes(2));
    stage.plan_over_lesson();
    stage.settle(TimeDelta::minutes(2));
    let tables = stage.world.store.tables();
    let row = tables.lessons.values().next().unwrap();
    assert_eq!((&row["has_conflict"], &row["calendar_sync_status"]), (&json!(true), &Value::Null), "{row}");
}

#[test]
fn a_past_lesson_that_is_removed_while_its_row_is_malformed_loses_its_event() {
    let mut stage = Stage::new();
    stage.add_lesson_in(-TimeDelta::days(1));
    stage.settle(TimeDelta::minutes(2));
    let (place, at) = ((stage.party.key.tenant_id, stage.lesson()), stage.world.now());
    let LessonLookup::Found(lesson) = stage.world.store.tables().lesson(place.0, place.1) else { panic!("no row") };
    stage.world.store.tables().lessons.get_mut(&place).unwrap()["ends_at"] = Value::Null;
    stage.world.stream.push_back(LessonChange { old: Some(*lesson), new: None, at });
    stage.settle(TimeDelta::minutes(2));
    assert_eq!((stage.mapping().sync_status, stage.events().len()), (SyncStatus::Failed, 1));
    stage.settle(TimeDelta::days(8));

    stage.world.store.tables().lessons.remove(&place);
    stage.world.stream.push_back(LessonChange { old: None, new: None, at });
    stage.settle(TimeDelta::hours(40));
    assert_eq!((stage.events().len(), stage.world.store.tables().mappings_of(stage.party.key).len()), (0, 0));
}
