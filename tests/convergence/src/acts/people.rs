//! What people do on the product's page: settings, logins, disconnects, and syncs by hand.

use calendar_sync::{
    model::{
        ConnectionKey, ConnectionStatus, PairState, PersonRole, SchedulingConflict, SettingsPatch, SyncCalendarRequest,
        SyncDirection,
    },
    usecases::{decide_conflict::Decision, disconnect::Keep, sync_now::sync_now},
};
use chrono::{NaiveDate, TimeDelta};
use testkit::data::person;

use crate::{
    coverage::Fault,
    sim::{Role, number},
    world::{Party, World},
};

const ANSWER_WITHIN: TimeDelta = TimeDelta::seconds(20);

fn any_party(world: &World) -> Party {
    *world.sim.state().dice.pick(&world.parties)
}

/// Whether a run for the connection is under way.
fn is_under_way(world: &World, party: Party) -> bool {
    world.actors.iter().any(|actor| matches!(actor.role, Role::Worker(_)) && actor.run.key == Some(party.key))
}

fn change(world: &mut World, party: Party, patch: SettingsPatch) -> String {
    if is_under_way(world, party) {
        world.sim.met(Fault::SwitchedDuringARun);
    }
    let told = format!("{} {patch:?}", number(party.key));
    let settings = world.product().ports.change_settings();
    world.request_of(party.key, None, async move { settings.change(party.key, &patch, &person()).await.map(drop) });
    told
}

pub(super) fn switch(world: &mut World) -> Option<String> {
    let party = any_party(world);
    let on = world.store.tables().credentials.get(&party.key)?.settings.sync_enabled;
    world.sim.met(if on { Fault::SwitchedOff } else { Fault::SwitchedOn });
    world.sim.state().truth.miss([party.key]);
    Some(change(world, party, SettingsPatch { sync_enabled: Some(!on), ..SettingsPatch::default() }))
}

pub(super) fn change_direction(world: &mut World) -> Option<String> {
    let party = any_party(world);
    let directions = [SyncDirection::ToGoogle, SyncDirection::FromGoogle, SyncDirection::TwoWay, SyncDirection::TwoWay];
    let direction = *world.sim.state().dice.pick(&directions);
    world.sim.met(Fault::DirectionChanged);
    world.sim.state().truth.miss([party.key]);
    Some(change(world, party, SettingsPatch { sync_direction: Some(direction), ..SettingsPatch::default() }))
}

pub(super) fn by_hand_only(world: &mut World) -> Option<String> {
    let party = any_party(world);
    let auto = world.store.tables().credentials.get(&party.key)?.settings.auto_sync;
    world.sim.met(Fault::ManualOnly);
    world.sim.state().truth.miss([party.key]);
    Some(change(world, party, SettingsPatch { auto_sync: Some(!auto), ..SettingsPatch::default() }))
}

pub(super) fn disconnect(world: &mut World) -> Option<String> {
    let party = any_party(world);
    let (keep, deadline) = {
        let mut state = world.sim.state();
        let keep = Keep { events: state.dice.percent(30), imported: state.dice.percent(30) };
        if keep.events {
            state.truth.leave_behind(party.key);
        }
        state.coverage.met(Fault::Disconnected);
        (keep, state.now + ANSWER_WITHIN)
    };
    if is_under_way(world, party) {
        world.sim.met(Fault::TakenDownDuringARun);
    }
    world.sim.state().truth.taken_down.insert(party.key);
    let disconnect = world.product().handler.disconnect;
    world.request_of(
        party.key,
        None,
        async move { disconnect.begin(party.key, keep, &person(), deadline).await.map(drop) },
    );
    Some(format!("{} {keep:?}", number(party.key)))
}

/// Only for a connection that is gone or that Google refuses.
pub(super) fn reconnect(world: &mut World) -> Option<String> {
    let party = any_party(world);
    let works = world.store.tables().credentials.get(&party.key).is_some_and(|row| row.blocked().is_none());
    if works {
        return None;
    }
    world.connect(party);
    world.sim.met(Fault::Reconnected);
    Some(number(party.key).to_string())
}

/// Connects again, although the connection works.
pub(super) fn log_in_again(world: &mut World) -> Option<String> {
    let party = any_party(world);
    let works = world.store.tables().credentials.get(&party.key).is_some_and(|row| row.blocked().is_none());
    if !works {
        return None;
    }
    if is_under_way(world, party) {
        world.sim.met(Fault::LoginDuringARun);
    }
    world.connect(party);
    world.sim.met(Fault::LoggedInAgain);
    Some(number(party.key).to_string())
}

/// Begins a sync by hand.
pub(crate) fn sync(
    world: &mut World,
    party: Party,
    direction: Option<SyncDirection>,
    dates: Option<(NaiveDate, NaiveDate)>,
) {
    let (sync, deadline) = (world.product().handler.sync, world.now() + ANSWER_WITHIN);
    let asked = SyncCalendarRequest { instructor_id: party.key.instructor_id, direction, dates };
    world.request_of(party.key, Some(asked.clone()), async move {
        sync_now(&sync, party.key, asked, &person(), deadline).await.map(drop)
    });
}

pub(super) fn sync_everything(world: &mut World) -> Option<String> {
    let party = any_party(world);
    world.sim.met(Fault::ManualSync);
    sync(world, party, None, None);
    Some(number(party.key).to_string())
}

pub(super) fn sync_one_way(world: &mut World) -> Option<String> {
    let party = any_party(world);
    let direction = {
        let mut state = world.sim.state();
        state.coverage.met(Fault::ManualSyncOneWay);
        *state.dice.pick(&[SyncDirection::ToGoogle, SyncDirection::FromGoogle])
    };
    sync(world, party, Some(direction), None);
    Some(format!("{} {direction:?}", number(party.key)))
}

pub(super) fn sync_some_days(world: &mut World) -> Option<String> {
    let party = any_party(world);
    let dates = {
        let mut state = world.sim.state();
        state.coverage.met(Fault::ManualSyncOfSomeDays);
        let first = state.now.date_naive() + TimeDelta::days(state.dice.between(-2, 3));
        (first, first + TimeDelta::days(state.dice.between(0, 3)))
    };
    sync(world, party, None, Some(dates));
    Some(format!("{} {dates:?}", number(party.key)))
}

/// Says of a conflict that it is fine, or takes that back.
pub(super) fn decide_conflict(world: &mut World) -> Option<String> {
    let pairs: Vec<_> = world.store.tables().conflicts.iter().cloned().collect();
    if pairs.is_empty() {
        return None;
    }
    let (key, pair) = world.sim.state().dice.pick(&pairs).clone();
    let (state, fault) = match pair.state() {
        PairState::Live => (PairState::Ignored, Fault::ConflictIgnored),
        PairState::Ignored => (PairState::Live, Fault::ConflictUnignored),
    };
    world.sim.met(fault);
    if world.parties.iter().any(|party| party.key == key && is_under_way(world, *party)) {
        world.sim.met(Fault::DecidedDuringARun);
    }
    decide(world, key, &pair, state);
    Some(format!("{} {state:?} {} {}", number(key), pair.lesson_id, pair.google_event_id))
}

/// Begins to say so of one conflict.
fn decide(world: &mut World, key: ConnectionKey, pair: &SchedulingConflict, state: PairState) {
    let (decide, id) = (world.product().ports.decide_conflict(), pair.id());
    let decision = Decision { state, by: "user".to_owned(), role: PersonRole::Instructor };
    world.request_of(key, None, async move { decide.decide(key, id, &decision).await.map(drop) });
}

/// Makes every connection work again: connected, switched on, and following changes by itself.
pub(crate) fn mend_all(world: &mut World) {
    for party in world.parties.clone() {
        let present = world.store.tables().credentials.get(&party.key).cloned();
        if present.as_ref().is_none_or(|row| row.status != ConnectionStatus::Active) {
            world.connect(party);
        }
        if present.is_some() {
            let patch = SettingsPatch { sync_enabled: Some(true), auto_sync: Some(true), ..SettingsPatch::default() };
            change(world, party, patch);
        }
    }
}
