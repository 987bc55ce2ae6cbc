//! Runs that wait for Google's quota in simulated time: all that was asked for is done, and the log says so (design rule
//! P4).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "this is test code")]

use std::sync::mpsc;

use calendar_sync::{
    model::{SyncCalendarRequest, SyncLogId, SyncOutcome, SyncStatus, SyncTrigger},
    ports::LessonLookup,
    usecases::{
        note_lesson_changes::LessonChange,
        sync_now::{SyncNow, sync_now},
    },
};
use chrono::TimeDelta;
use convergence::world::{Party, World};
use serde_json::json;
use uuid::Uuid;

/// How long others take all of the quota.
const TAKEN: TimeDelta = TimeDelta::minutes(3);

struct Stage {
    world: World,
    party: Party,
}

impl Stage {
    fn connected() -> Self {
        let mut world = World::new(1);
        world.calm = true;
        let party = world.parties[0];
        world.connect(party);
        world.settle(TimeDelta::minutes(5));
        Self { world, party }
    }

    fn plan(&self) -> String {
        let mut state = self.world.sim.state();
        let now = state.now;
        let event = json!({
            "start": { "dateTime": now + TimeDelta::hours(30) }, "end": { "dateTime": now + TimeDelta::hours(31) },
        });
        state.google.create_event(now, self.party.account, &event).unwrap()
    }

    fn add_lesson(&mut self) {
        let (key, now) = (self.party.key, self.world.now());
        let id = calendar_sync::model::LessonId(Uuid::from_u128(7));
        let row = json!({
            "tenant_id": key.tenant_id, "id": id, "instructor_id": key.instructor_id, "title": "Piano",
            "starts_at": now + TimeDelta::hours(50), "ends_at": now + TimeDelta::hours(51),
            "time_zone": "Europe/Berlin", "status": "scheduled",
        });
        self.world.store.tables().lessons.insert((key.tenant_id, id), row);
        let LessonLookup::Found(lesson) = self.world.store.tables().lesson(key.tenant_id, id) else { panic!("no row") };
        self.world.stream.push_back(LessonChange { old: None, new: Some(*lesson), at: now });
        self.world.settle(TimeDelta::minutes(1));
    }

    /// The one event of ours, as Google shows it.
    fn title(&self) -> String {
        let state = self.world.sim.state();
        let events = state.google.events(self.party.account);
        let [event] = &events[..] else { panic!("{events:?}") };
        event["summary"].as_str().unwrap().to_owned()
    }

    /// The instructor changes it.
    fn edit(&mut self, title: &str) {
        let mut state = self.world.sim.state();
        let now = state.now;
        let id = state.google.events(self.party.account)[0]["id"].as_str().unwrap().to_owned();
        state.google.edit_event(now, self.party.account, &id, &json!({ "summary": title })).unwrap();
        drop(state);
        self.world.settle(TimeDelta::minutes(1));
    }

    /// A person asks for a sync; answers the row that it is promised.
    fn sync_now(&mut self) -> SyncLogId {
        let (sync, key) = (self.world.product().rings.sync, self.party.key);
        let deadline = self.world.now() + TimeDelta::seconds(20);
        let asked = SyncCalendarRequest { instructor_id: key.instructor_id, direction: None, dates: None };
        let (sender, answer) = mpsc::channel();
        self.world.request(async move {
            sender.send(sync_now(&sync, key, asked, deadline).await?).unwrap();
            Ok(())
        });
        self.world.settle(TimeDelta::seconds(30));
        match answer.recv().unwrap() {
            SyncNow::Queued(id) => id,
            SyncNow::Done(log) => panic!("it did not wait: {log:?}"),
        }
    }

    fn outcome(&self, id: SyncLogId) -> SyncOutcome {
        self.world.store.tables().logs[&(self.party.key, id)].outcome
    }
}

#[test]
fn a_sync_by_hand_that_waits_for_the_quota_does_all_that_was_asked_and_ends_its_row() {
    let mut stage = Stage::connected();
    stage.add_lesson();
    for change in 1..=4 {
        stage.edit(&format!("Change {change}"));
    }
    assert_eq!(stage.title(), "Change 4", "it was put back three times");
    stage.world.take_quota(TAKEN);
    let id = stage.sync_now();
    assert_eq!((stage.outcome(id), stage.title().as_str()), (SyncOutcome::Running, "Change 4"));
    stage.world.settle(TAKEN + TimeDelta::minutes(2));
    assert_eq!((stage.outcome(id), stage.title().as_str()), (SyncOutcome::Completed, "Piano"));
    let mappings = stage.world.store.tables().mappings_of(stage.party.key);
    assert_eq!(mappings[0].sync_status, SyncStatus::Synced);
}

#[test]
fn a_first_sync_that_waits_for_the_quota_is_still_a_first_sync_and_ends_its_row() {
    let mut stage = Stage::connected();
    stage.add_lesson();
    let tables = |stage: &Stage| stage.world.store.tables().clone();
    stage.world.store.tables().logs.clear();
    stage.world.store.tables().states.get_mut(&stage.party.key).unwrap().last_synced_at = None;
    stage.world.take_quota(TAKEN);
    stage.world.connect(stage.party);
    stage.world.settle(TimeDelta::minutes(1));
    assert_eq!(tables(&stage).states[&stage.party.key].last_synced_at, None);
    stage.world.settle(TAKEN + TimeDelta::minutes(7));
    let logs = tables(&stage).logs;
    let ended: Vec<_> = logs.values().map(|log| (log.trigger, log.outcome)).collect();
    assert_eq!(ended, [(SyncTrigger::Connect, SyncOutcome::Completed)], "{logs:?}");
    assert!(tables(&stage).states[&stage.party.key].last_synced_at.is_some());
}

#[test]
fn a_change_that_nobody_waits_for_is_found_once_there_is_quota_again() {
    let mut stage = Stage::connected();
    stage.world.take_quota(TAKEN);
    let event = stage.plan();
    stage.world.settle(TimeDelta::minutes(1));
    let is_known =
        |stage: &Stage| stage.world.store.tables().external_of(stage.party.key).any(|row| row.id().as_str() == event);
    assert!(!is_known(&stage));
    stage.world.settle(TAKEN + TimeDelta::minutes(2));
    assert!(is_known(&stage));
    let tables = stage.world.store.tables();
    assert!(tables.logs.values().all(|log| log.outcome == SyncOutcome::Completed), "{:?}", tables.logs);
}
