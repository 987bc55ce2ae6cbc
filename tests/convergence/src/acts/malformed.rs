//! What listings show otherwise than Google documents it.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::google::{any_calendar, any_event, change, create, id_of, is_live, is_master, moment, with};
use crate::{
    acts::host::some_time,
    coverage::Fault,
    truth::Flaw,
    world::{ACCOUNTS, World},
};

/// A single event, or a series without exceptions, that has no flaw yet. (An exception can be read even where its series
/// cannot, and it is not documented what Google lists of it.)
fn any_flawless(world: &World, calendar: &str, series: bool) -> Option<Value> {
    let (mut with_exceptions, mut flawed) = (Vec::new(), Vec::new());
    {
        let state = world.sim.state();
        for event in state.google.events(calendar) {
            with_exceptions.extend(event["recurringEventId"].as_str().map(str::to_owned));
            if state.truth.flaw(calendar, &event).is_some() {
                flawed.push(id_of(&event).to_owned());
            }
        }
    }
    any_event(world, calendar, false, |event| {
        let is_single = event["recurrence"].is_null();
        let id = event["id"].as_str().unwrap_or_default();
        let is_one = |ids: &[String]| ids.iter().any(|other| other == id);
        is_live(event) && is_master(event) && is_single != series && !is_one(&with_exceptions) && !is_one(&flawed)
    })
}

/// From now on listings show an event with a flaw.
pub(super) fn spoil_item(world: &mut World) -> Option<String> {
    let calendar = *world.sim.state().dice.pick(&ACCOUNTS);
    let (flaw, met) = *world.sim.state().dice.pick(&[
        (Flaw::End, Fault::ItemUnreadable),
        (Flaw::End, Fault::ItemUnreadable),
        (Flaw::Recurrence, Fault::SeriesUnreadable),
        (Flaw::Line, Fault::SeriesMisread),
    ]);
    let event = any_flawless(world, calendar, flaw != Flaw::End)?;
    // It is mentioned once more, since it changes.
    let place = format!("Place {}", world.sim.state().dice.roll());
    change(world, calendar, id_of(&event), &json!({ "location": place }))?;
    let mut state = world.sim.state();
    state.truth.spoil(calendar, id_of(&event), flaw);
    state.coverage.met(met);
    Some(format!("{} in {calendar}: {flaw:?}", id_of(&event)))
}

/// An event with so much in its recurrence that no row takes it.
pub(super) fn plan_too_large(world: &mut World) -> Option<String> {
    /// Bytes beyond what DynamoDB takes as one item.
    const BYTES: usize = 420_000;
    let calendar = any_calendar(world);
    // (Each takes long to list.)
    if world.sim.state().dice.percent(70) {
        return None;
    }
    let start = some_time(world);
    let span =
        json!({ "start": moment(start, "UTC"), "end": moment(start + TimeDelta::hours(1), "UTC"), "summary": "Flood" });
    let lines = json!({ "recurrence": ["RRULE:FREQ=DAILY;COUNT=3", format!("X-NOTE:{}", "x".repeat(BYTES))] });
    let id = create(world, calendar, &with(span, lines))?;
    let mut state = world.sim.state();
    state.truth.spoil(calendar, &id, Flaw::Size);
    state.coverage.met(Fault::TooLargeEventPlanned);
    Some(format!("{id} in {calendar}"))
}

/// The next listings have one item without an id.
pub(super) fn show_nameless(world: &mut World) -> Option<String> {
    let mut state = world.sim.state();
    state.nameless = u32::try_from(state.dice.between(1, 4)).unwrap_or(1);
    Some(format!("{} times", state.nameless))
}
