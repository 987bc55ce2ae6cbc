//! Runs that wait for Google's quota, in simulated time: all that was asked for is done, and the log says so.

use std::sync::mpsc;

use calendar_sync::{
    model::{SyncCalendarRequest, SyncLogId, SyncOutcome, SyncStatus, SyncTask, SyncTrigger},
    ports::SyncMessage,
    usecases::sync_now::{SyncNow, sync_now},
};
use chrono::TimeDelta;
use serde_json::json;
use testkit::data::person;

use crate::stage::Stage;

/// How long others take all of the quota.
const TAKEN: TimeDelta = TimeDelta::minutes(3);

impl Stage {
    /// The one event of ours, as Google shows it.
    fn title(&self) -> String {
        let state = self.world.sim.state();
        let events = state.google.events(self.party.account);
        let [event] = &events[..] else { panic!("{events:?}") };
        event["summary"].as_str().unwrap().to_owned()
    }

    fn edit(&mut self, title: &str) {
        let mut state = self.world.sim.state();
        let now = state.now;
        let id = state.google.events(self.party.account)[0]["id"].as_str().unwrap().to_owned();
        state.google.edit_event(now, self.party.account, &id, &json!({ "summary": title })).unwrap();
        drop(state);
        self.settle(TimeDelta::minutes(1));
    }

    /// A person asks for a sync; answers the row that it is promised.
    fn sync_now(&mut self) -> SyncLogId {
        let (sync, key) = (self.world.product().handler.sync, self.party.key);
        let deadline = self.world.now() + TimeDelta::seconds(20);
        let asked = SyncCalendarRequest { instructor_id: key.instructor_id, direction: None, dates: None };
        let (sender, answer) = mpsc::channel();
        self.world.request(async move {
            sender.send(sync_now(&sync, key, asked, &person(), deadline).await?).unwrap();
            Ok(())
        });
        self.settle(TimeDelta::seconds(30));
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
    let mut stage = Stage::new();
    stage.add_lesson();
    stage.settle(TimeDelta::minutes(1));
    for change in 1..=4 {
        stage.edit(&format!("Change {change}"));
    }
    assert_eq!(stage.title(), "Change 4", "it was put back three times");
    stage.world.take_quota(TAKEN);
    let id = stage.sync_now();
    assert_eq!((stage.outcome(id), stage.title().as_str()), (SyncOutcome::Running, "Change 4"));
    stage.settle(TAKEN + TimeDelta::minutes(2));
    assert_eq!((stage.outcome(id), stage.title().as_str()), (SyncOutcome::Completed, "Piano"));
    let mappings = stage.world.store.tables().mappings_of(stage.party.key);
    assert_eq!(mappings[0].sync_status, SyncStatus::Synced);
}

#[test]
fn a_first_sync_that_waits_for_the_quota_is_still_a_first_sync_and_ends_its_row() {
    let mut stage = Stage::new();
    stage.add_lesson();
    stage.settle(TimeDelta::minutes(1));
    let tables = |stage: &Stage| stage.world.store.tables().clone();
    stage.world.store.tables().logs.clear();
    stage.world.store.tables().states.get_mut(&stage.party.key).unwrap().last_synced_at = None;
    stage.world.take_quota(TAKEN);
    stage.world.connect(stage.party);
    stage.settle(TimeDelta::minutes(1));
    assert_eq!(tables(&stage).states[&stage.party.key].last_synced_at, None);
    stage.settle(TAKEN + TimeDelta::minutes(7));
    let logs = tables(&stage).logs;
    let ended: Vec<_> = logs.values().map(|log| (log.trigger, log.outcome)).collect();
    assert_eq!(ended, [(SyncTrigger::Connect, SyncOutcome::Completed)], "{logs:?}");
    assert!(tables(&stage).states[&stage.party.key].last_synced_at.is_some());
}

#[test]
fn a_change_without_a_waiting_request_is_found_once_there_is_quota_again() {
    let mut stage = Stage::new();
    stage.world.take_quota(TAKEN);
    let event = stage.plan();
    stage.settle(TimeDelta::minutes(1));
    assert!(!stage.is_known(&event));
    stage.settle(TAKEN + TimeDelta::minutes(2));
    assert!(stage.is_known(&event));
    let tables = stage.world.store.tables();
    assert!(tables.logs.values().all(|log| log.outcome == SyncOutcome::Completed), "{:?}", tables.logs);
}

#[test]
fn what_others_asked_for_outlasts_a_poll_that_waits_for_the_quota() {
    let mut stage = Stage::new();
    stage.change_state(|state| state.pending.tasks = [SyncTask::FullReconcile].into());
    stage.world.take_quota(TAKEN);
    let until = stage.world.now() + TAKEN;
    stage.send(SyncMessage::new(stage.party.key, SyncTrigger::Poll, vec![SyncTask::PullEvents]));
    stage.settle(TimeDelta::minutes(1));
    assert!(stage.state().reconciled_at.is_some_and(|at| at < until), "there is no quota yet");
    stage.settle(TAKEN + TimeDelta::minutes(3));
    assert!(stage.state().reconciled_at.is_some_and(|at| at > until), "{:?}", stage.state());
}
