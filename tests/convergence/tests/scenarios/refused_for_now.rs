//! What Google refuses and may take within minutes is tried again, and not for ever; and a calendar that is not shown for a
//! while keeps its events.

use calendar_sync::{
    model::{SettingsPatch, SyncDirection, SyncStatus},
    usecases::disconnect::Keep,
};
use chrono::TimeDelta;
use google_sim::When;
use serde_json::{Value, json};
use testkit::data::person;

use crate::stage::Stage;

fn disconnect(stage: &mut Stage) {
    let (key, disconnect) = (stage.party.key, stage.world.product().handler.disconnect);
    let deadline = stage.world.now() + TimeDelta::seconds(25);
    stage.world.request(async move { disconnect.begin(key, Keep::default(), &person(), deadline).await.map(drop) });
}

#[test]
fn a_lesson_is_written_within_minutes() {
    let mut stage = Stage::new();
    stage.fault("calendar.events.insert", 403, "forbidden", When::Next(2));
    stage.add_lesson();
    stage.settle(TimeDelta::minutes(10));
    assert_eq!((stage.events().len(), stage.mapping().sync_status), (1, SyncStatus::Synced));
    assert_eq!(stage.told(), []);
}

#[test]
fn a_lesson_that_is_refused_for_longer_fails_with_the_reason_and_the_connection_goes_on() {
    let mut stage = Stage::new();
    stage.fault("calendar.events.insert", 403, "forbidden", When::Always);
    stage.add_lesson();
    stage.settle(TimeDelta::minutes(10));
    let (mapping, tries) = (stage.mapping(), stage.calls("calendar.events.insert"));
    assert_eq!((mapping.sync_status, tries), (SyncStatus::Failed, 3));
    assert!(mapping.error.as_ref().is_some_and(|error| error.contains("403 forbidden")), "{mapping:?}");
    assert_eq!((stage.state().failures, stage.told()), (0, vec![]));
    let event = stage.plan();
    assert_eq!(stage.until_known(&event), TimeDelta::minutes(1));
}

#[test]
fn an_orphan_is_deleted_later_also_where_nothing_is_imported() {
    for direction in [SyncDirection::TwoWay, SyncDirection::ToGoogle] {
        let mut stage = Stage::new();
        stage.add_lesson();
        stage.settle(TimeDelta::minutes(2));
        let [first, _] = stage.has_two_generations();
        stage.fault("calendar.events.delete", 403, "forbidden", When::Next(2));
        stage.change_settings(SettingsPatch { sync_direction: Some(direction), ..SettingsPatch::default() });
        if direction.imports() {
            stage.edit_event(&first, &json!({ "summary": "Still here" }));
        }
        stage.settle(TimeDelta::hours(1));
        assert_eq!((stage.events().len(), stage.calls("calendar.events.delete")), (1, 3), "{direction:?}");
    }
}

#[test]
fn an_orphan_that_is_never_let_go_is_left_after_an_hour_or_two() {
    let mut stage = Stage::new();
    stage.add_lesson();
    stage.settle(TimeDelta::minutes(2));
    let [first, _] = stage.has_two_generations();
    stage.fault("calendar.events.delete", 403, "forbidden", When::Always);
    stage.edit_event(&first, &json!({ "summary": "Still here" }));
    stage.settle(TimeDelta::hours(2));
    assert_eq!((stage.state().failures, stage.calls("calendar.events.delete")), (0, 7));
}

#[test]
fn a_disconnect_leaves_no_event_behind() {
    let mut stage = Stage::new();
    stage.add_lesson();
    stage.settle(TimeDelta::minutes(2));
    stage.fault("calendar.events.delete", 403, "forbidden", When::Next(3));
    disconnect(&mut stage);
    stage.settle(TimeDelta::hours(1));
    assert_eq!(stage.events(), Vec::<Value>::new());
    assert!(!stage.world.store.tables().credentials.contains_key(&stage.party.key), "it is disconnected");
}

#[test]
fn an_event_of_a_calendar_that_is_not_shown_for_a_while_is_deleted_when_it_is() {
    let mut stage = Stage::new();
    stage.add_lesson();
    stage.settle(TimeDelta::minutes(2));
    for method in ["calendar.events.list", "calendar.events.delete"] {
        stage.fault(method, 404, "notFound", When::Always);
    }
    let lesson = stage.lesson();
    stage.change_lesson(lesson, "status", json!("cancelled"));
    assert_eq!(stage.events().len(), 1);
    stage.world.sim.state().google.clear_faults();
    stage.settle(TimeDelta::hours(1));
    assert_eq!(stage.events(), Vec::<Value>::new());
}
