//! What people do in Google Calendar to their own events and to each other's.

use chrono::{DateTime, NaiveDate, TimeDelta, Timelike, Utc};
use chrono_tz::Tz;
use serde_json::{Value, json};

use super::host::{some_time, time_of_a_lesson};
use crate::{
    coverage::Fault,
    truth::Truth,
    world::{ACCOUNTS, World},
};

/// The most events of people's own in one calendar.
const MAX_EVENTS: usize = 12;

pub(super) fn any_calendar(world: &World) -> &'static str {
    // The first one, which two connections share, more often.
    let second = world.sim.state().dice.percent(30);
    ACCOUNTS[usize::from(second)]
}

pub(super) fn id_of(event: &Value) -> &str {
    event["id"].as_str().unwrap_or_default()
}

pub(super) fn is_live(event: &Value) -> bool {
    event["status"] != "cancelled"
}

/// Some event of a calendar that is `wanted`.
pub(super) fn any_event(world: &World, calendar: &str, ours: bool, wanted: impl Fn(&Value) -> bool) -> Option<Value> {
    let mut state = world.sim.state();
    let events: Vec<Value> = state
        .google
        .events(calendar)
        .into_iter()
        .filter(|event| state.truth.is_ours(calendar, id_of(event)) == ours && wanted(event))
        .collect();
    (!events.is_empty()).then(|| state.dice.pick(&events).clone())
}

pub(super) fn is_master(event: &Value) -> bool {
    event["recurringEventId"].is_null()
}

/// Whether nothing was split off the event, nor the event off another, in any calendar that has it. Google gives
/// occurrences of both the same names, and it is not known what it does with two at one moment.
pub(super) fn is_whole(world: &World, event: &Value) -> bool {
    let family = Truth::base(id_of(event));
    let split_off = format!("{family}_R");
    let is_of_it = |other: &&Value| id_of(other) == family || id_of(other).starts_with(&split_off);
    let state = world.sim.state();
    ACCOUNTS.iter().all(|calendar| state.google.events(calendar).iter().filter(is_of_it).count() <= 1)
}

/// Whether the event has a rule alone, without RDATE or EXDATE: it is not known where Google moves those when the whole
/// series is moved.
fn has_a_rule_alone(event: &Value) -> bool {
    event["recurrence"].as_array().is_none_or(|lines| lines.len() == 1)
}

fn is_series(event: &Value) -> bool {
    !event["recurrence"].is_null()
}

pub(super) fn create(world: &World, calendar: &str, event: &Value) -> Option<String> {
    let mut state = world.sim.state();
    let now = state.now;
    if state.google.events(calendar).len() >= MAX_EVENTS + 12 {
        return None;
    }
    state.google.create_event(now, calendar, event).ok()
}

pub(super) fn change(world: &World, calendar: &str, id: &str, changes: &Value) -> Option<()> {
    let mut state = world.sim.state();
    let now = state.now;
    state.truth.edit(calendar, id);
    state.google.edit_event(now, calendar, id, changes).ok()
}

pub(super) fn moment(at: DateTime<Utc>, zone: &str) -> Value {
    json!({ "dateTime": at.format("%Y-%m-%dT%H:%M:%SZ").to_string(), "timeZone": zone })
}

/// (In some of them clocks skip midnight; in one they change by half an hour.)
const ZONES: [&str; 6] = [
    "Europe/Berlin",
    "America/New_York",
    "Pacific/Auckland",
    "America/Santiago",
    "Africa/Cairo",
    "Australia/Lord_Howe",
];

fn some_zone(world: &World) -> &'static str {
    ZONES[world.sim.state().dice.below(ZONES.len())]
}

/// Times for an event: mostly an hour or two, near the lessons, and often just where one is.
pub(super) fn some_span(world: &World) -> Value {
    let at_a_lesson = world.sim.state().dice.percent(40);
    let start = at_a_lesson.then(|| time_of_a_lesson(world)).flatten();
    let (start, zone) = (start.unwrap_or_else(|| some_time(world)), some_zone(world));
    let minutes = *world.sim.state().dice.pick(&[30, 60, 90, 120]);
    json!({ "start": moment(start, zone), "end": moment(start + TimeDelta::minutes(minutes), zone) })
}

/// Whether it starts between midnight and four, when clocks change.
pub(super) fn starts_at_night(span: &Value) -> bool {
    let start = &span["start"];
    let at = start["dateTime"].as_str().and_then(|at| at.parse::<DateTime<Utc>>().ok());
    let zone = start["timeZone"].as_str().and_then(|zone| zone.parse::<Tz>().ok());
    at.zip(zone).is_some_and(|(at, zone)| at.with_timezone(&zone).hour() < 4)
}

pub(super) fn some_days(world: &World, days: i64) -> Value {
    let start = some_time(world).date_naive();
    json!({
        "start": { "date": start.to_string(), "dateTime": null, "timeZone": null },
        "end": { "date": (start + TimeDelta::days(days)).to_string(), "dateTime": null, "timeZone": null },
    })
}

pub(super) fn with(mut event: Value, more: Value) -> Value {
    if let (Some(event), Value::Object(more)) = (event.as_object_mut(), more) {
        event.extend(more);
    }
    event
}

pub(super) fn without_nulls(mut event: Value) -> Value {
    for side in ["start", "end"] {
        if let Some(fields) = event[side].as_object_mut() {
            fields.retain(|_, value| !value.is_null());
        }
    }
    event
}

pub(super) fn move_one(world: &mut World) -> Option<String> {
    let calendar = any_calendar(world);
    let movable = |event: &Value| is_live(event) && is_master(event) && has_a_rule_alone(event);
    let event = any_event(world, calendar, false, movable)?;
    if !is_whole(world, &event) {
        return None;
    }
    let to_days = world.sim.state().dice.percent(20);
    let span = if to_days { some_days(world, 1) } else { with_times(some_span(world)) };
    if is_series(&event) && starts_at_night(&span) {
        world.sim.met(Fault::SeriesAtNight);
    }
    change(world, calendar, id_of(&event), &span)?;
    world.sim.met(Fault::EventMoved);
    Some(format!("{} in {calendar} to {span}", id_of(&event)))
}

/// The same span, as a change of an event that may have been a whole day.
fn with_times(mut span: Value) -> Value {
    span["start"]["date"] = Value::Null;
    span["end"]["date"] = Value::Null;
    span
}

pub(super) fn edit(world: &mut World) -> Option<String> {
    let calendar = any_calendar(world);
    let event = any_event(world, calendar, false, is_live)?;
    let changes = world
        .sim
        .state()
        .dice
        .pick(&[
            json!({ "summary": "Another title" }),
            json!({ "transparency": "transparent" }),
            json!({ "transparency": "opaque" }),
            json!({ "status": "tentative" }),
            json!({ "visibility": "private" }),
            json!({ "visibility": "default" }),
        ])
        .clone();
    change(world, calendar, id_of(&event), &changes)?;
    world.sim.met(Fault::EventEdited);
    Some(format!("{} in {calendar}: {changes}", id_of(&event)))
}

pub(super) fn delete_event(world: &World, calendar: &str, id: &str) -> Option<()> {
    let mut state = world.sim.state();
    let now = state.now;
    state.truth.delete(calendar, id);
    state.google.delete_event(now, calendar, id).ok()
}

pub(super) fn delete(world: &mut World) -> Option<String> {
    let calendar = any_calendar(world);
    let event = any_event(world, calendar, false, |event| is_live(event) && is_master(event))?;
    delete_event(world, calendar, id_of(&event))?;
    world.sim.met(Fault::EventDeleted);
    Some(format!("{} in {calendar}", id_of(&event)))
}

pub(super) fn revive(world: &mut World) -> Option<String> {
    let calendar = any_calendar(world);
    let event = any_event(world, calendar, false, |event| !is_live(event) && is_master(event))?;
    change(world, calendar, id_of(&event), &json!({ "status": "confirmed" }))?;
    world.sim.met(Fault::EventRevived);
    Some(format!("{} in {calendar}", id_of(&event)))
}

/// Some occurrence of some series, in the next two weeks.
pub(super) fn any_instance(world: &World, calendar: &str, ours: bool) -> Option<String> {
    let series = any_event(world, calendar, ours, |event| is_live(event) && is_series(event))?;
    let (from, to) = (world.now(), world.now() + TimeDelta::days(14));
    let mut state = world.sim.state();
    if state.truth.is_unreadable(calendar, &series) {
        return None;
    }
    let instances = state.instances(calendar, id_of(&series), from, to);
    (!instances.is_empty()).then(|| id_of(state.dice.pick(&instances)).to_owned())
}

pub(super) fn move_instance(world: &mut World) -> Option<String> {
    let calendar = any_calendar(world);
    let id = any_instance(world, calendar, false)?;
    let all_day = world.sim.state().google.event(calendar, &id)?["start"]["date"].is_string();
    let span = if all_day { without_nulls(some_days(world, 1)) } else { some_span(world) };
    change(world, calendar, &id, &span)?;
    world.sim.met(Fault::InstanceMoved);
    Some(format!("{id} in {calendar} to {span}"))
}

pub(super) fn cancel_instance(world: &mut World) -> Option<String> {
    let calendar = any_calendar(world);
    let id = any_instance(world, calendar, false)?;
    delete_event(world, calendar, &id)?;
    world.sim.met(Fault::InstanceCancelled);
    Some(format!("{id} in {calendar}"))
}

pub(super) fn split(world: &mut World) -> Option<String> {
    let calendar = any_calendar(world);
    let id = any_instance(world, calendar, false)?;
    let mut changes = json!({ "summary": "From now on" });
    if world.sim.state().dice.percent(40) {
        changes = with(changes, an_hour_later(world, calendar, &id)?);
        world.sim.met(Fault::SeriesSplitToAnotherTime);
    }
    let new = split_at(world, calendar, &id, &changes)?;
    world.sim.met(Fault::SeriesSplit);
    Some(format!("{id} in {calendar} into {new}"))
}

/// The times of an instance, moved. Nothing for a whole day, nor where the series has days of its own: they keep their
/// time, and one would come to lie before the start of the new series.
fn an_hour_later(world: &World, calendar: &str, id: &str) -> Option<Value> {
    let state = world.sim.state();
    let event = state.google.event(calendar, id)?;
    let series = state.google.event(calendar, event["recurringEventId"].as_str()?)?;
    if !has_a_rule_alone(&series) {
        return None;
    }
    let later = |side: &str| -> Option<Value> {
        let at: DateTime<Utc> = event[side]["dateTime"].as_str()?.parse().ok()?;
        Some(moment(at + TimeDelta::hours(1), event[side]["timeZone"].as_str()?))
    };
    Some(json!({ "start": later("start")?, "end": later("end")? }))
}

/// A series becomes two where its organizer says so; a guest's copy stays whole.
pub(super) fn split_at(world: &World, calendar: &str, id: &str, changes: &Value) -> Option<String> {
    let mut state = world.sim.state();
    let now = state.now;
    if state.google.event(calendar, id)?["organizer"]["self"] != true {
        return None;
    }
    state.google.split_series(now, calendar, id, changes).ok()
}

/// A series ends earlier: exceptions beyond its end are cut off.
pub(super) fn trim(world: &mut World) -> Option<String> {
    let calendar = any_calendar(world);
    let series = any_event(world, calendar, false, |event| is_live(event) && is_series(event))?;
    // (What made it unreadable may go with the lines that go.)
    if !is_whole(world, &series) || world.sim.state().truth.is_unreadable(calendar, &series) {
        return None;
    }
    let changes = json!({ "recurrence": ["RRULE:FREQ=DAILY;COUNT=2"] });
    change(world, calendar, id_of(&series), &changes)?;
    world.sim.met(Fault::SeriesTrimmed);
    Some(format!("{} in {calendar}", id_of(&series)))
}

pub(super) fn answer_invitation(world: &mut World) -> Option<String> {
    let calendar = any_calendar(world);
    let invited = |event: &Value| {
        let guests = event["attendees"].as_array();
        is_live(event) && guests.is_some_and(|guests| guests.iter().any(|guest| guest["email"] == calendar))
    };
    let event = any_event(world, calendar, false, invited)?;
    let mut state = world.sim.state();
    let answer = *state.dice.pick(&["declined", "declined", "accepted", "tentative"]);
    let now = state.now;
    state.google.respond(now, calendar, id_of(&event), answer).ok()?;
    state.coverage.met(Fault::InvitationAnswered);
    Some(format!("{} in {calendar}: {answer}", id_of(&event)))
}

/// Deleted events can no longer be restored.
pub(super) fn empty_bin(world: &mut World) -> Option<String> {
    let calendar = any_calendar(world);
    let mut state = world.sim.state();
    state.google.empty_bin(calendar);
    state.coverage.met(Fault::BinEmptied);
    Some(calendar.to_owned())
}

fn has_a_day_at_a_lesson(world: &World, calendar: &str) -> bool {
    let days: Vec<NaiveDate> = {
        let state = world.sim.state();
        let live = state.google.events(calendar).into_iter().filter(is_live);
        live.filter_map(|event| event["start"]["date"].as_str()?.parse().ok()).collect()
    };
    let tables = world.store.tables();
    let mut starts = tables.lessons.values().filter_map(|row| row["starts_at"].as_str()?.parse::<DateTime<Utc>>().ok());
    starts.any(|start| days.iter().any(|day| (start.date_naive() - *day).num_days().abs() <= 1))
}

pub(super) fn change_zone(world: &mut World) -> Option<String> {
    let calendar = any_calendar(world);
    let zone = some_zone(world);
    // (Google sends no notification of it.)
    world.miss(Some(calendar));
    if has_a_day_at_a_lesson(world, calendar) {
        world.sim.met(Fault::ZoneMovedAWholeDayAtALesson);
    }
    let mut state = world.sim.state();
    state.google.set_zone(calendar, zone.parse().ok()?);
    state.coverage.met(Fault::ZoneChanged);
    Some(format!("{calendar} to {zone}"))
}
