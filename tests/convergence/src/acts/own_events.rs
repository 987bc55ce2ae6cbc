//! What people do in Google Calendar to our events.

use calendar_sync::model::{ConnectionStatus, InstructorCalendarCredentials};
use serde_json::{Value, json};

use super::google::{
    any_calendar, any_event, any_instance, change, create, delete_event, id_of, is_live, is_master, is_whole,
    some_span, split_at, with,
};
use crate::{
    coverage::Fault,
    truth::{Additions, Place},
    world::{ACCOUNTS, Rival, World},
};

fn any_own(world: &World, wanted: impl Fn(&Value) -> bool) -> Option<(&'static str, Value)> {
    let calendar = any_calendar(world);
    Some((calendar, any_event(world, calendar, true, |event| is_master(event) && wanted(event))?))
}

pub(super) fn move_one(world: &mut World) -> Option<String> {
    let (calendar, event) = any_own(world, is_live)?;
    let span = some_span(world);
    change(world, calendar, id_of(&event), &span)?;
    world.sim.met(Fault::OwnEventMoved);
    Some(format!("{} in {calendar} to {span}", id_of(&event)))
}

pub(super) fn edit(world: &mut World) -> Option<String> {
    let (calendar, event) = any_own(world, is_live)?;
    change(world, calendar, id_of(&event), &json!({ "summary": "My own title" }))?;
    world.sim.met(Fault::OwnEventEdited);
    if world.sim.state().dice.percent(40) {
        // From now on another tool renames it.
        world.rival = Some(Rival { place: (calendar.to_owned(), id_of(&event).to_owned()), changes: 0 });
        world.sim.met(Fault::OwnEventContended);
    }
    Some(format!("{} in {calendar}", id_of(&event)))
}

pub(super) fn delete(world: &mut World) -> Option<String> {
    let (calendar, event) = any_own(world, is_live)?;
    delete_event(world, calendar, id_of(&event))?;
    world.sim.met(Fault::OwnEventDeleted);
    Some(format!("{} in {calendar}", id_of(&event)))
}

pub(super) fn make_recurring(world: &mut World) -> Option<String> {
    if let Some(id) = any_instance(world, ACCOUNTS[0], true) {
        // It is a series already: the first part becomes a series of its own, or one instance moves.
        let splits = world.sim.state().dice.percent(50);
        world.sim.state().truth.edit(ACCOUNTS[0], &id);
        let done = if splits {
            split_at(world, ACCOUNTS[0], &id, &json!({ "summary": "Split" })).is_some()
        } else {
            let mut state = world.sim.state();
            let now = state.now;
            state.google.edit_event(now, ACCOUNTS[0], &id, &json!({ "summary": "This time" })).is_ok()
        };
        leave_if_unattended(world, ACCOUNTS[0], &id);
        return done.then(|| format!("{id} is changed"));
    }
    let (calendar, event) = any_own(world, is_live)?;
    if !is_whole(world, &event) {
        return None;
    }
    change(world, calendar, id_of(&event), &json!({ "recurrence": ["RRULE:FREQ=DAILY;COUNT=5"] }))?;
    world.sim.met(Fault::OwnEventMadeRecurring);
    Some(format!("{} in {calendar}", id_of(&event)))
}

/// The engine does not look after an event whose connection is gone, or about to be.
fn leave_if_unattended(world: &World, calendar: &str, id: &str) {
    let Some((owner, _)) = world.sim.state().truth.made(calendar, id) else { return };
    let goes = |row: &InstructorCalendarCredentials| matches!(row.status, ConnectionStatus::Disconnecting { .. });
    if world.store.tables().credentials.get(&owner).is_none_or(goes) {
        world.sim.state().truth.leave_behind(owner);
    }
}

/// A copy has all properties of the event, our private ones too.
pub(super) fn copy(world: &mut World) -> Option<String> {
    let (calendar, event) = any_own(world, is_live)?;
    let copy = with(
        some_span(world),
        json!({ "summary": event["summary"], "extendedProperties": event["extendedProperties"] }),
    );
    let id = create(world, calendar, &copy)?;
    world.sim.met(Fault::OwnEventCopied);
    Some(format!("{} in {calendar} as {id}", id_of(&event)))
}

/// Restores it from the bin, after the lesson is gone or the instructor deleted it.
pub(super) fn revive(world: &mut World) -> Option<String> {
    let (calendar, event) = any_own(world, |event| !is_live(event))?;
    change(world, calendar, id_of(&event), &json!({ "status": "confirmed" }))?;
    leave_if_unattended(world, calendar, id_of(&event));
    world.sim.met(Fault::OwnEventRevivedByHand);
    Some(format!("{} in {calendar}", id_of(&event)))
}

/// Another tool renames its event as soon as it has another title.
pub(crate) fn contend(world: &mut World) {
    const TITLE: &str = "As another tool wants it";
    let Some(Rival { place: (calendar, id), changes }) = &mut world.rival else { return };
    let mut state = world.sim.state();
    let now = state.now;
    let differs = |event: &Value| is_live(event) && event["summary"] != TITLE;
    if state.google.event(calendar, id).as_ref().is_some_and(differs)
        && state.google.edit_event(now, calendar, id, &json!({ "summary": TITLE })).is_ok()
    {
        *changes += 1;
        state.truth.edit(calendar, id);
    }
}

/// Always adds guests and a colour, at times a conference, and a text in a field that the lesson never had.
pub(super) fn add_guests_and_notes(world: &mut World) -> Option<String> {
    let (calendar, event) = any_own(world, is_live)?;
    let id = id_of(&event).to_owned();
    let place: Place = (calendar.to_owned(), id.clone());
    let mut state = world.sim.state();
    let now = state.now;
    let other = ACCOUNTS.iter().find(|account| **account != calendar)?;
    let stranger = format!("guest{}@elsewhere.example", state.dice.below(3));
    // Another instructor who is synced sees a copy in their own calendar.
    let guest = if state.dice.percent(30) { (*other).to_owned() } else { stranger };
    let mut guests: Vec<Value> = event["attendees"].as_array().cloned().unwrap_or_default();
    guests.retain(|known| known["email"] != json!(guest));
    guests.push(json!({ "email": guest }));
    let mut changes = json!({ "attendees": guests, "colorId": "5" });
    let field = *state.dice.pick(&["description", "location"]);
    let lesson = state.truth.made(calendar, &id).map(|(key, lesson)| (key.tenant_id, lesson));
    let noted = lesson.filter(|lesson| {
        state.truth.lessons.get(lesson).is_some_and(|past| past.was_always(|row| row[field].is_null()))
    });
    let note = format!("Note {}", state.dice.below(5));
    if noted.is_some() {
        changes[field] = json!(note);
    }
    let confers = state.dice.percent(30);
    if confers {
        changes["conferenceData"] = json!({ "createRequest": { "requestId": "a request" } });
        state.coverage.met(Fault::ConferenceAdded);
    }
    state.truth.edit(calendar, &id);
    state.google.edit_event(now, calendar, &id, &changes).ok()?;
    let additions: &mut Additions = state.truth.additions.entry(place).or_default();
    additions.has_conference |= confers;
    additions.guests.insert(guest.clone());
    additions.notes.extend(noted.map(|_| (field, note)));
    state.coverage.met(Fault::GuestsAndNotesAdded);
    Some(format!("{guest} to {id} in {calendar}"))
}
