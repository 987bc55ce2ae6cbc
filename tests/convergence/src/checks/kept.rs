//! What has to stay and what has to go when a connection is taken down, and what people added.

use std::collections::BTreeSet;

use serde_json::json;

use super::live_events;
use crate::{
    truth::Additions,
    world::{Party, World},
};

/// Of a connection that was taken down nothing is left, except what a person asked to keep.
pub(super) fn forgotten(world: &World, party: Party) -> Vec<String> {
    let tables = world.store.tables();
    let mut found = Vec::new();
    if !tables.mappings_of(party.key).is_empty() {
        found.push("mappings are left of a connection that is gone".to_owned());
    }
    if let Some(pair) = tables.conflicts_where(party.key, |_| true).first() {
        found.push(format!("a conflict is left of a connection that is gone: {pair:?}"));
    }
    drop(tables);
    let state = world.sim.state();
    if state.truth.is_left_behind(party.key) {
        return found;
    }
    for ((_, id), _) in live_events(&state, party) {
        // (Google refused to delete it.)
        if state.truth.was_refused(&id) {
            continue;
        }
        found.push(format!("event {id} is left of a connection that is gone"));
    }
    found
}

/// What people added to events of ours is still there, as long as the event is the same one.
pub(super) fn additions_lost(world: &World) -> Vec<String> {
    let state = world.sim.state();
    let mut found = Vec::new();
    for ((calendar, id), Additions { guests, has_conference, notes }) in &state.truth.additions {
        let Some(event) = state.google.event(calendar, id).filter(|event| event["status"] != "cancelled") else {
            continue;
        };
        let present: BTreeSet<&str> =
            event["attendees"].as_array().into_iter().flatten().filter_map(|guest| guest["email"].as_str()).collect();
        if let Some(guest) = guests.iter().find(|guest| !present.contains(guest.as_str())) {
            found.push(format!("{guest} is no longer a guest of {id} in {calendar}"));
        }
        if let Some((field, note)) = notes.iter().find(|(field, note)| event[**field] != json!(note)) {
            found.push(format!("the {field} {note} of {id} in {calendar} is now {}", event[*field]));
        }
        if *has_conference && !event["hangoutLink"].is_string() {
            found.push(format!("{id} in {calendar} lost its conference"));
        }
        if event["colorId"] != "5" {
            found.push(format!("{id} in {calendar} lost its colour"));
        }
    }
    found
}
