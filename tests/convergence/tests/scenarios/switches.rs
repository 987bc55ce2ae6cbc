//! The switches, turned by two people at once.

use calendar_sync::model::SettingsPatch;
use chrono::TimeDelta;
use convergence::sim::Role;

use crate::stage::Stage;

fn switch(stage: &mut Stage, on: bool) {
    stage.change_settings(SettingsPatch { sync_enabled: Some(on), ..SettingsPatch::default() });
}

#[test]
fn the_instructors_row_says_what_the_later_of_two_changes_left_however_late_the_earlier_writes_it() {
    let mut stage = Stage::new();
    let is_on = |stage: &Stage| stage.world.store.tables().credentials[&stage.party.key].settings.sync_enabled;
    switch(&mut stage, false);
    while is_on(&stage) {
        stage.world.turns(1);
    }
    let later = stage.world.now() + TimeDelta::seconds(5);
    for actor in stage.world.actors.iter_mut().filter(|actor| actor.role == Role::Request) {
        actor.held_until = Some(later);
    }
    switch(&mut stage, true);
    stage.settle(TimeDelta::minutes(1));
    assert!(is_on(&stage));
    let key = stage.party.key;
    let row = stage.world.store.tables().instructors[&(key.tenant_id, key.instructor_id)].clone();
    assert_eq!(row["calendar_sync_enabled"], true);
}
