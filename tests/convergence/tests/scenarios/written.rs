//! What stands in Google of a lesson: one event, in the lesson's own zone, whatever became of earlier ones.

use std::collections::BTreeSet;

use calendar_sync::{
    model::{CalendarEventMapping, EventId, LessonId, OwnEventId, SettingsPatch, SyncDirection, SyncTask, SyncTrigger},
    ports::{MappingStore as _, MarkUpdate, SyncMessage},
};
use chrono::TimeDelta;
use convergence::{memory_store::Table, ports::take_written};
use google_sim::When;
use serde_json::json;

use crate::stage::Stage;

/// A lesson that stands in Google.
fn synced() -> Stage {
    let mut stage = Stage::new();
    stage.add_lesson();
    stage.settle(TimeDelta::minutes(2));
    assert_eq!(stage.events().len(), 1);
    stage
}

impl Stage {
    fn event_ids(&self) -> BTreeSet<String> {
        self.events().iter().map(|event| event["id"].as_str().unwrap().to_owned()).collect()
    }

    /// The one lesson has events of two generations: its mapping forgot the first. Answers both ids.
    pub fn has_two_generations(&mut self) -> [String; 2] {
        let mapping = CalendarEventMapping { generation: 1, remote: None, base: None, ..self.mapping() };
        let (store, key) = (self.world.store.clone(), self.party.key);
        self.world.request(async move { store.save_mapping(&mapping, MarkUpdate::Raise, &[]).await });
        self.settle(TimeDelta::seconds(1));
        self.send(SyncMessage::new(key, SyncTrigger::Lesson, vec![SyncTask::PushLessons]));
        self.settle(TimeDelta::minutes(2));
        let ids = [0, 1].map(|generation| OwnEventId { lesson_id: self.lesson(), generation }.encode(key).0);
        assert_eq!(self.event_ids(), BTreeSet::from(ids.clone()));
        ids
    }
}

#[test]
fn a_lesson_whose_zone_alone_changes_is_shown_in_it() {
    let mut stage = synced();
    assert_eq!(stage.events()[0]["start"]["timeZone"], "Europe/Berlin");
    let lesson = stage.lesson();
    stage.change_lesson(lesson, "time_zone", json!("Asia/Tokyo"));
    assert_eq!(stage.events()[0]["start"]["timeZone"], "Asia/Tokyo");
    assert_eq!(stage.told(), [], "the instructor did nothing");
}

#[test]
fn an_event_of_an_earlier_generation_that_comes_to_light_is_removed() {
    let mut stage = synced();
    let [first, second] = stage.has_two_generations();
    stage.edit_event(&first, &json!({ "summary": "Still here" }));
    stage.settle(TimeDelta::minutes(2));
    assert_eq!(stage.event_ids(), BTreeSet::from([second]));
}

#[test]
fn an_orphan_that_could_not_be_deleted_is_deleted_later() {
    let mut stage = synced();
    let [first, second] = stage.has_two_generations();
    stage.fault("calendar.events.delete", 503, "backendError", When::Always);
    stage.edit_event(&first, &json!({ "summary": "Still here" }));
    stage.settle(TimeDelta::minutes(5));
    assert_eq!(stage.event_ids().len(), 2);
    stage.world.sim.state().google.clear_faults();
    stage.settle(TimeDelta::hours(1));
    assert_eq!(stage.event_ids(), BTreeSet::from([second]));
}

#[test]
fn a_new_generation_is_stored_before_its_event_is_made() {
    let mut stage = synced();
    let key = stage.party.key;
    let first = stage.event_ids().pop_first().unwrap();
    stage.delete_event(&first);
    stage.world.sim.state().google.empty_bin(stage.party.account);
    for _ in 0..2_000 {
        stage.world.wait(TimeDelta::milliseconds(5));
        stage.world.turns(1);
        for id in stage.event_ids() {
            let made = OwnEventId::decode(key, &EventId(id)).unwrap();
            assert!(stage.mapping().generation >= made.generation, "{made:?} is made, and not stored");
        }
    }
    assert_eq!((stage.events().len(), stage.mapping().generation), (1, 1));
}

#[test]
fn lessons_that_show_as_before_are_not_saved_again_by_a_full_reconcile() {
    let mut stage = synced();
    stage.plan();
    stage.settle(TimeDelta::minutes(2));
    let now = stage.world.now();
    stage.world.sim.state().google.expire_cursors(now, stage.party.account);
    take_written(&stage.world.sim);
    let tasks = vec![SyncTask::PullEvents, SyncTask::PushLessons, SyncTask::FullReconcile];
    stage.send(SyncMessage::new(stage.party.key, SyncTrigger::Poll, tasks));
    stage.settle(TimeDelta::minutes(1));
    let written = take_written(&stage.world.sim);
    let of_lessons = [Table::Mappings, Table::Conflicts, Table::Lessons];
    assert_eq!(of_lessons.map(|table| written.get(&table)), [None; 3], "{written:?}");
}

#[test]
fn twelve_lessons_cancelled_within_a_day_all_lose_their_events() {
    let mut stage = Stage::new();
    for _ in 0..12 {
        stage.add_lesson();
    }
    stage.settle(TimeDelta::minutes(2));
    assert_eq!(stage.events().len(), 12);
    let lessons: Vec<LessonId> = stage.world.store.tables().lessons.keys().map(|(_, id)| *id).collect();
    for lesson in lessons {
        stage.change_lesson(lesson, "status", json!("cancelled"));
    }
    assert_eq!((stage.events().len(), stage.told()), (0, vec![]));
}

/// The settings become others; then the host and the instructor do what there is to do.
fn everything_happens_under(settings: SettingsPatch) -> Stage {
    let mut stage = synced();
    let (lesson, event) = (stage.lesson(), stage.event_ids().pop_first().unwrap());
    stage.change_settings(settings);
    stage.settle(TimeDelta::minutes(2));
    stage.world.sim.state().google.reset_calls();
    stage.change_lesson(lesson, "title", json!("Cello"));
    stage.edit_event(&event, &json!({ "summary": "Mine" }));
    stage.plan_over_lesson();
    stage.add_lesson();
    // And messages come that were sent before.
    for trigger in [SyncTrigger::Webhook, SyncTrigger::Poll, SyncTrigger::Lesson] {
        stage.send(SyncMessage::new(stage.party.key, trigger, vec![SyncTask::PullEvents, SyncTask::PushLessons]));
    }
    stage.settle(TimeDelta::days(2));
    stage
}

fn writes(stage: &Stage) -> u64 {
    ["insert", "update", "patch", "delete"].map(|call| stage.calls(&format!("calendar.events.{call}"))).iter().sum()
}

#[test]
fn where_events_are_only_imported_nothing_is_written_until_lessons_are_to_go_out_again() {
    let direction = |direction| SettingsPatch { sync_direction: Some(direction), ..SettingsPatch::default() };
    let mut stage = everything_happens_under(direction(SyncDirection::FromGoogle));
    assert_eq!((writes(&stage), stage.conflicts()), (0, 2));
    stage.change_settings(direction(SyncDirection::TwoWay));
    stage.settle(TimeDelta::minutes(2));
    assert_eq!(writes(&stage), 2);
}

#[test]
fn who_syncs_by_hand_alone_and_who_has_switched_the_sync_off_is_left_alone_in_google() {
    for settings in [
        SettingsPatch { auto_sync: Some(false), ..SettingsPatch::default() },
        SettingsPatch { sync_enabled: Some(false), ..SettingsPatch::default() },
    ] {
        let stage = everything_happens_under(settings.clone());
        assert_eq!(stage.world.sim.state().google.calendar_calls(), 0, "{settings:?}");
    }
}

#[test]
fn a_text_that_the_lesson_no_longer_has_goes_also_from_an_event_that_others_have_touched() {
    for field in ["description", "location"] {
        let mut stage = synced();
        let (lesson, settled) = (stage.lesson(), TimeDelta::minutes(2));
        let event = stage.event()["id"].as_str().unwrap().to_owned();
        stage.change_lesson(lesson, field, json!("Room 5"));
        stage.edit_event(&event, &json!({ "colorId": "5" }));
        stage.settle(settled);
        assert_eq!(stage.event()[field], "Room 5");

        stage.change_lesson(lesson, field, json!(null));
        stage.settle(settled);
        assert_eq!((&stage.event()[field], &stage.event()["colorId"]), (&json!(null), &json!("5")));

        // What is written there from now on is the instructor's.
        stage.edit_event(&event, &json!({ field: "Bring the stand" }));
        stage.change_lesson(lesson, "title", json!("Guitar"));
        stage.settle(settled);
        assert_eq!([&stage.event()["summary"], &stage.event()[field]], ["Guitar", "Bring the stand"]);
    }
}
