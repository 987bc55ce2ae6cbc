//! What a run did in Google stands in the log, however the run ends.

use calendar_sync::model::{SettingsPatch, SyncCounts};
use chrono::TimeDelta;
use convergence::sim::Role;
use google_sim::When;

use crate::stage::Stage;

/// What all rows together say.
fn told(stage: &Stage) -> SyncCounts {
    let tables = stage.world.store.tables();
    tables.logs.values().fold(SyncCounts::default(), |sum, log| sum.and(log.counts))
}

#[test]
fn a_run_after_whose_writes_the_sync_was_switched_off_is_in_the_log() {
    let mut stage = Stage::new();
    stage.add_lesson();
    while stage.calls("calendar.events.insert") == 0 {
        stage.world.turns(1);
    }
    // The switch is turned between the write and the end of the run, which then looks at the settings once more.
    let later = stage.world.now() + TimeDelta::seconds(5);
    for actor in stage.world.actors.iter_mut().filter(|actor| matches!(actor.role, Role::Worker(_))) {
        actor.held_until = Some(later);
    }
    stage.change_settings(SettingsPatch { sync_enabled: Some(false), ..SettingsPatch::default() });
    stage.settle(TimeDelta::minutes(1));
    assert_eq!(told(&stage).events_created, 1);
}

#[test]
fn what_was_written_beside_a_part_that_needed_a_new_token_is_in_the_log() {
    let mut stage = Stage::new();
    stage.fault("calendar.events.insert", 401, "authError", When::Nth(2));
    stage.fault("oauth2.token", 503, "backendError", When::Next(20));
    stage.add_lesson();
    stage.add_lesson_in(TimeDelta::hours(53));
    stage.settle(TimeDelta::seconds(30));
    assert_eq!(stage.calls("calendar.events.insert"), 2);
    assert_eq!(told(&stage).events_created, 1);
    stage.settle(TimeDelta::hours(1));
    assert_eq!(told(&stage).events_created, 2);
}
