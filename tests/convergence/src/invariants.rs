//! What holds at any time, even while work is left: the product never forgets an event, and the conflicts that it
//! stores follow from the events that it stores.

use std::collections::BTreeSet;

use calendar_sync::model::{EventId, ExternalCalendarEvent, Window};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use serde_json::Value;

use crate::{
    checks::{AHEAD, busy_as_stored, of_lesson, stored_conflicts},
    sim::number,
    world::World,
};

/// Violations, in words.
pub fn broken(world: &mut World) -> Vec<String> {
    let mut found = conflicts_lag_behind(world);
    found.extend(known_events_are_gone(world));
    found
}

/// Whether the conflicts of each connection without pending work follow from its stored events, however old these are:
/// conflicts are calculated before the cursor moves.
fn conflicts_lag_behind(world: &World) -> Vec<String> {
    let now = world.now();
    let window = Window { from: now, to: now + AHEAD };
    let mut found = Vec::new();
    for party in &world.parties {
        let tables = world.store.tables();
        let follows = tables.credentials.get(&party.key).is_some_and(|row| {
            row.blocked().is_none() && row.settings.auto_sync && row.settings.sync_direction.imports()
        });
        let rests = tables.states.get(&party.key).filter(|state| {
            state.failures == 0
                && state.pending.tasks.is_empty()
                && state.lease.owner.is_none()
                && state.cursor.is_some()
        });
        let Some(zone) = rests.filter(|_| follows).map(|state| state.calendar_time_zone) else { continue };
        let mappings = tables.mappings_of(party.key);
        drop(tables);
        if mappings.iter().any(|mapping| mapping.mark.is_set) {
            continue;
        }
        let busy = busy_as_stored(world, party.key, window, zone);
        for mapping in mappings {
            let (start, end) = (mapping.event_start, mapping.event_end);
            // (A row that cannot be read has no conflicts.)
            let unreadable =
                mapping.error.as_deref().is_some_and(|error| error.starts_with("The lesson cannot be read"));
            if start <= now || end > window.to || unreadable {
                continue;
            }
            let takes_place = mapping.lesson_removed_at.is_none();
            let busy = if takes_place { busy.as_slice() } else { &[] };
            let fine = world.sim.state().truth.fine_of(party.key, mapping.lesson_id);
            let wanted = of_lesson(busy, mapping.lesson_id, [start, end], &fine);
            let stored = stored_conflicts(world, party.key, mapping.lesson_id);
            if stored != wanted {
                let (party, lesson) = (number(party.key), mapping.lesson_id);
                found.push(format!("{party}: lesson {lesson} conflicts with {wanted:?}, and {stored:?} are stored"));
            }
        }
    }
    found
}

/// Events in Google, unchanged since before the last complete listing, that are not stored: an interrupted listing or a
/// lost cursor must not remove rows.
fn known_events_are_gone(world: &World) -> Vec<String> {
    let now = world.now();
    let mut found = Vec::new();
    for party in &world.parties {
        let tables = world.store.tables();
        let imports = tables
            .credentials
            .get(&party.key)
            .is_some_and(|row| row.blocked().is_none() && row.settings.sync_direction.imports());
        let listed_at =
            tables.states.get(&party.key).filter(|state| state.cursor.is_some()).and_then(|state| state.listed_at);
        let Some(listed_at) = listed_at.filter(|_| imports) else { continue };
        let known: BTreeSet<&EventId> = tables.external_of(party.key).map(ExternalCalendarEvent::id).collect();
        let state = world.sim.state();
        for event in state.google.events(party.account) {
            let id = event["id"].as_str().unwrap_or_default();
            let changed: Option<DateTime<Utc>> = event["updated"].as_str().and_then(|at| at.parse().ok());
            let stands = event["status"] != "cancelled" && event["recurringEventId"].is_null();
            let own = state.truth.made(party.account, id).is_some() || state.truth.is_unreadable(party.account, &event);
            // (By the clock of the process that listed, and as far as the listing lagged.)
            let before = changed.is_some_and(|at| at < listed_at - TimeDelta::seconds(10));
            if stands && before && !own && is_ahead(&event, now) && !known.contains(&EventId::from(id)) {
                found.push(format!("{} ({}): event {id} is no longer known", number(party.key), party.account));
            }
        }
    }
    found
}

/// Whether some of the event lies in the future.
fn is_ahead(event: &Value, now: DateTime<Utc>) -> bool {
    let end = &event["end"];
    let day = end["date"].as_str().and_then(|day| day.parse::<NaiveDate>().ok());
    let moment = end["dateTime"].as_str().and_then(|at| at.parse::<DateTime<Utc>>().ok());
    !event["recurrence"].is_null()
        || day.is_some_and(|day| day > now.date_naive())
        || moment.is_some_and(|end| end > now)
}
