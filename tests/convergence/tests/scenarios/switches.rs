//! The switches, turned by two people at once.

use calendar_sync::model::SettingsPatch;
use chrono::TimeDelta;
use convergence::sim::Role;

use crate::stage::Stage;

fn switch(stage: &mut Stage, on: bool) {
    stage.change_settings(SettingsPatch { sync_enabled: Some(on), ..SettingsPatch::default() });
}

fn is_on(stage: &Stage) -> bool {
    stage.world.store.tables().credentials[&stage.party.key].settings.sync_enabled
}

/// What is asked for now is held up before it goes on.
fn hold_up_requests(stage: &mut Stage) {
    let later = stage.world.now() + TimeDelta::seconds(5);
    for actor in stage.world.actors.iter_mut().filter(|actor| actor.role == Role::Request) {
        actor.held_until = Some(later);
    }
}

fn row_says(stage: &Stage) -> bool {
    let key = stage.party.key;
    stage.world.store.tables().instructors[&(key.tenant_id, key.instructor_id)]["calendar_sync_enabled"] == true
}

#[test]
fn the_instructors_row_says_what_the_later_of_two_changes_left_however_late_the_earlier_writes_it() {
    let mut stage = Stage::new();
    switch(&mut stage, false);
    while is_on(&stage) {
        stage.world.turns(1);
    }
    hold_up_requests(&mut stage);
    switch(&mut stage, true);
    stage.settle(TimeDelta::minutes(1));
    assert!(is_on(&stage));
    assert!(row_says(&stage));
}

#[test]
fn the_instructors_row_says_what_a_switch_left_however_late_a_login_that_met_it_writes_the_row() {
    let mut stage = Stage::new();
    switch(&mut stage, false);
    stage.settle(TimeDelta::minutes(1));
    let logged_in_at = |stage: &Stage| stage.world.store.tables().credentials[&stage.party.key].updated_at;
    let before = logged_in_at(&stage);
    stage.world.connect(stage.party);
    while logged_in_at(&stage) == before {
        stage.world.turns(1);
    }
    hold_up_requests(&mut stage);
    switch(&mut stage, true);
    stage.settle(TimeDelta::minutes(1));
    assert!(is_on(&stage));
    assert!(row_says(&stage));
}
