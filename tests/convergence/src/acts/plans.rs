//! What people plan in Google Calendar, and whom they invite.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;
use serde_json::{Value, json};

use super::{
    google::{
        any_calendar, any_instance, change, create, delete_event, id_of, is_live, moment, some_days, some_span,
        starts_at_night, with, without_nulls,
    },
    host::some_time,
};
use crate::{
    coverage::Fault,
    world::{ACCOUNTS, OUTSIDER, World},
};

pub(super) fn plan(world: &mut World) -> Option<String> {
    let calendar = any_calendar(world);
    let mut event =
        with(some_span(world), json!({ "summary": "Dentist", "location": "Main Street 1", "description": "A crown" }));
    if world.sim.state().dice.percent(15) {
        event["transparency"] = json!("transparent");
    }
    if world.sim.state().dice.percent(15) {
        event["conferenceData"] = json!({ "createRequest": { "requestId": "a request" } });
        world.sim.met(Fault::ConferencePlanned);
    }
    let id = create(world, calendar, &event)?;
    world.sim.met(Fault::EventPlanned);
    Some(format!("{id} in {calendar}: {event}"))
}

pub(super) fn plan_all_day(world: &mut World) -> Option<String> {
    let calendar = any_calendar(world);
    let days = world.sim.state().dice.between(0, 2);
    let event = without_nulls(with(some_days(world, days), json!({ "summary": "Trip", "transparency": "opaque" })));
    let id = create(world, calendar, &event)?;
    world.sim.met(Fault::AllDayEventPlanned);
    if days == 0 {
        world.sim.met(Fault::DayThatEndsOnItself);
    }
    Some(format!("{id} in {calendar}: {event}"))
}

/// It began before today, or lasts for days. Now and then it was over two months ago.
pub(super) fn plan_long(world: &mut World) -> Option<String> {
    let calendar = any_calendar(world);
    let ago = if world.sim.state().dice.percent(25) { 60 } else { 0 };
    let start = some_time(world) - TimeDelta::days(ago + world.sim.state().dice.between(0, 3));
    let end = start + TimeDelta::hours(world.sim.state().dice.between(20, 90));
    let event = json!({ "summary": "Congress", "start": moment(start, "UTC"), "end": moment(end, "UTC") });
    let id = create(world, calendar, &event)?;
    world.sim.met(if end < world.now() - TimeDelta::days(30) {
        Fault::PastEventPlanned
    } else {
        Fault::LongEventPlanned
    });
    Some(format!("{id} in {calendar}: {event}"))
}

pub(super) fn plan_series(world: &mut World) -> Option<String> {
    let calendar = any_calendar(world);
    let rule = (*world.sim.state().dice.pick(&RULES)).to_owned();
    let all_day = world.sim.state().dice.percent(20);
    let span = if all_day { without_nulls(some_days(world, 1)) } else { some_span(world) };
    if starts_at_night(&span) {
        world.sim.met(Fault::SeriesAtNight);
    }
    let mut lines = vec![rule];
    let mut state = world.sim.state();
    for (name, met) in [("EXDATE", Fault::SeriesWithoutADay), ("RDATE", Fault::SeriesWithAnotherDay)] {
        if state.dice.percent(25) {
            lines.extend(line(name, &span["start"], state.dice.between(1, 9)));
            state.coverage.met(met);
        }
    }
    drop(state);
    let event = with(span, json!({ "summary": "Choir", "description": "Bach", "recurrence": lines }));
    let id = create(world, calendar, &event)?;
    world.sim.met(Fault::SeriesPlanned);
    Some(format!("{id} in {calendar}: {event}"))
}

const RULES: [&str; 11] = [
    "RRULE:FREQ=DAILY",
    "RRULE:FREQ=WEEKLY",
    "RRULE:FREQ=DAILY;COUNT=5",
    "RRULE:FREQ=WEEKLY;BYDAY=MO,WE,SA;COUNT=9",
    "RRULE:FREQ=DAILY;INTERVAL=2;COUNT=4",
    "RRULE:FREQ=DAILY;INTERVAL=3",
    "RRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,TH",
    "RRULE:FREQ=MONTHLY",
    "RRULE:FREQ=MONTHLY;BYDAY=2TU,-1FR",
    "RRULE:FREQ=MONTHLY;BYMONTHDAY=-1;COUNT=7",
    "RRULE:FREQ=YEARLY;COUNT=3",
];

/// A line that removes a day from a series, or adds one, `days` after its start at the same local time.
fn line(name: &str, start: &Value, days: i64) -> Option<String> {
    if let Some(day) = start["date"].as_str().and_then(|day| day.parse::<NaiveDate>().ok()) {
        return Some(format!("{name};VALUE=DATE:{}", (day + TimeDelta::days(days)).format("%Y%m%d")));
    }
    let at: DateTime<Utc> = start["dateTime"].as_str()?.parse().ok()?;
    let zone: Tz = start["timeZone"].as_str()?.parse().ok()?;
    let wall = at.with_timezone(&zone).naive_local() + TimeDelta::days(days);
    Some(format!("{name};TZID={zone}:{}", wall.format("%Y%m%dT%H%M%S")))
}

/// Of one of Google's special event types.
pub(super) fn plan_kind(world: &mut World) -> Option<String> {
    let calendar = any_calendar(world);
    let day = without_nulls(some_days(world, 1));
    let hours = some_span(world);
    let place = json!({
        "eventType": "workingLocation", "visibility": "public", "transparency": "transparent",
        "workingLocationProperties": { "type": "homeOffice", "homeOffice": {} },
    });
    let birthday = json!({
        "eventType": "birthday", "summary": "Birthday", "visibility": "private", "transparency": "transparent",
        "recurrence": ["RRULE:FREQ=YEARLY"],
    });
    let mail = json!({ "eventType": "fromGmail", "summary": "Flight" });
    let event = match world.sim.state().dice.below(6) {
        0 => with(hours, json!({ "eventType": "outOfOffice", "summary": "Away" })),
        1 => with(hours, json!({ "eventType": "focusTime", "summary": "Thinking" })),
        2 => with(hours, place),
        3 => with(day, place),
        4 => with(hours, mail),
        _ => with(day, birthday),
    };
    let id = create(world, calendar, &event)?;
    world.sim.met(Fault::EventOfAnotherKind);
    match event["eventType"].as_str() {
        Some("birthday") => world.sim.met(Fault::BirthdayPlanned),
        Some("fromGmail") => world.sim.met(Fault::MadeFromMail),
        _ => {}
    }
    Some(format!("{id} in {calendar}: {event}"))
}

pub(super) fn invite(world: &mut World) -> Option<String> {
    let calendar = any_calendar(world);
    let guest = ACCOUNTS.iter().find(|account| **account != calendar)?;
    let event = with(some_span(world), json!({ "summary": "Talk", "attendees": [{ "email": guest }] }));
    let id = create(world, calendar, &event)?;
    world.sim.met(Fault::Invited);
    Some(format!("{id} of {calendar}: {event}"))
}

/// One of the two invites the other to one day of a series.
pub(super) fn invite_to_instance(world: &mut World) -> Option<String> {
    let calendar = any_calendar(world);
    let id = any_instance(world, calendar, false)?;
    let guest = ACCOUNTS.iter().find(|account| **account != calendar)?;
    change(world, calendar, &id, &json!({ "attendees": [{ "email": guest }] }))?;
    world.sim.met(Fault::InvitedToInstance);
    Some(format!("{guest} to {id} in {calendar}"))
}

/// A person whose calendar is not synced invites one of the two, or changes what they invited to.
pub(super) fn invite_from_outside(world: &mut World) -> Option<String> {
    let guest = any_calendar(world);
    let known = {
        let state = world.sim.state();
        let live = state.google.events(OUTSIDER).into_iter().filter(is_live);
        live.map(|event| id_of(&event).to_owned()).collect::<Vec<String>>()
    };
    let span = some_span(world);
    let chance = world.sim.state().dice.below(4);
    let foreign = world.sim.state().dice.percent(40);
    let told = match known.last() {
        Some(id) if chance == 0 => change(world, OUTSIDER, id, &span).map(|()| format!("{id} to {span}"))?,
        Some(id) if chance == 1 => delete_event(world, OUTSIDER, id).map(|()| format!("{id} is off"))?,
        _ if foreign => {
            // From another system, which gives ids of another form.
            let number = world.sim.state().dice.roll();
            let more = json!({
                "id": format!("_{number:016x}"), "summary": "Fair", "organizer": { "email": "boss@elsewhere.example" },
                "attendees": [{ "email": guest }],
            });
            create(world, guest, &with(span, more))?
        }
        _ => create(world, OUTSIDER, &with(span, json!({ "summary": "Jury", "attendees": [{ "email": guest }] })))?,
    };
    world.sim.met(Fault::InvitedFromOutside);
    Some(format!("{told} for {guest}"))
}
