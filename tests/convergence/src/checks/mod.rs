//! What has to hold when all work is done, checked against Google and the host alone, in the simplest way.

mod conflicts;
mod imports;
mod kept;
mod lessons;

pub use self::{
    conflicts::{of_lesson, stored as stored_conflicts},
    imports::{AHEAD, Busy, busy_as_stored},
};

use calendar_sync::{
    model::{
        CalendarEventMapping, ConnectionKey, ConnectionStatus, InstructorCalendarCredentials, Lesson, LessonId,
        SyncStatus,
    },
    ports::LessonLookup,
};
use serde_json::Value;

use crate::{
    coverage::Fault,
    sim::{State, number},
    world::{Party, World},
};

/// How much is required when all work is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rest {
    /// Some minutes are over. A connection of which something got lost may not have noticed yet, and one that rests after
    /// failures goes on later.
    Minutes,
    /// The product had only what reaches it by itself: it may have given up on an event that people changed too
    /// often, and a lost record of a lesson or a row that the host wrote anew may not have been noticed yet.
    ByItself,
    /// A person asked for a full sync.
    Asked,
}

/// Violations, in words.
pub fn violations(world: &mut World, rest: Rest) -> Vec<String> {
    let mut found: Vec<String> = std::mem::take(&mut world.sim.state().truth.violations);
    for party in world.parties.clone() {
        let credentials = world.store.tables().credentials.get(&party.key).cloned();
        if rest == Rest::Minutes {
            if !is_up_to_date(world, party.key) {
                continue;
            }
            world.sim.met(Fault::WellWithinMinutes);
        }
        let before = found.len();
        match &credentials {
            None => found.extend(kept::forgotten(world, party)),
            // (That nothing runs is what people, or Google, really decided: see `watch::claims`.)
            Some(credentials) if credentials.blocked().is_some() => {}
            Some(credentials) => found.extend(connected(world, party, credentials, rest)),
        }
        for text in &mut found[before..] {
            *text = format!("{} ({}): {text}", number(party.key), party.account);
        }
    }
    found.extend(kept::additions_lost(world));
    found
}

/// Whether nothing of this connection got lost on the way, and it does not rest after failures, each of which had a cause
/// (see `watch::claims`).
fn is_up_to_date(world: &World, key: ConnectionKey) -> bool {
    let rests = world.store.tables().states.get(&key).is_some_and(|state| state.failures > 0);
    !rests && !world.sim.state().truth.missed(key)
}

fn connected(world: &mut World, party: Party, credentials: &InstructorCalendarCredentials, rest: Rest) -> Vec<String> {
    let mut found = Vec::new();
    if !credentials.settings.auto_sync && rest != Rest::Asked {
        return found;
    }
    let direction = credentials.settings.sync_direction;
    if direction.writes() {
        found.extend(lessons::one_event_for_each(world, party, rest));
    }
    if rest == Rest::Asked {
        found.extend(lessons::last_synced(world, party));
    }
    if direction.imports() {
        let soon = imports::soon(world, party);
        found.extend(imports::differ(world, party, &soon));
        found.extend(imports::past(world, party));
        found.extend(conflicts::are_overlaps(world, party, &soon, rest));
        found.extend(conflicts::of_nothing(world, party.key));
    } else {
        found.extend(imports::are_left(world, party));
    }
    found
}

/// Connections whose disconnect began and which still exist.
pub fn still_taken_down(world: &mut World) -> Vec<String> {
    let tables = world.store.tables();
    let goes = |row: &&InstructorCalendarCredentials| matches!(row.status, ConnectionStatus::Disconnecting { .. });
    tables.credentials.values().filter(goes).map(|row| format!("{} is still being taken down", row.key)).collect()
}

/// Whether a connection works and follows changes automatically.
pub fn is_automatic(credentials: &InstructorCalendarCredentials) -> bool {
    credentials.status == ConnectionStatus::Active
        && credentials.settings.sync_enabled
        && credentials.settings.auto_sync
}

type OwnEvent = ((LessonId, String), Value);

/// The live events that the product made for this connection.
fn live_events(state: &State, party: Party) -> Vec<OwnEvent> {
    let events = state.google.events(party.account).into_iter().filter(|event| event["status"] != "cancelled");
    events
        .filter_map(|event| {
            let id = event["id"].as_str()?.to_owned();
            let (key, lesson) = state.truth.made(party.account, &id)?;
            (key == party.key).then_some(((lesson, id), event))
        })
        .collect()
}

fn lessons_of(world: &World, key: ConnectionKey) -> Vec<Lesson> {
    let tables = world.store.tables();
    let ids: Vec<_> = tables.lessons.keys().copied().filter(|(tenant, _)| *tenant == key.tenant_id).collect();
    ids.into_iter()
        .filter_map(|(tenant, id)| match tables.lesson(tenant, id) {
            LessonLookup::Found(lesson) if lesson.instructor_id == key.instructor_id => Some(*lesson),
            LessonLookup::Found(_) | LessonLookup::Gone | LessonLookup::Unreadable(_) => None,
        })
        .collect()
}

/// Whether the lesson is left as it is until it changes or a person asks: for a reason that there was (see
/// `watch::claims`).
fn gave_up(mapping: &CalendarEventMapping) -> bool {
    mapping.sync_status == SyncStatus::Failed
}
