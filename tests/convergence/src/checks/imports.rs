//! Stored events, expanded here, are the occurrences that Google shows.

use calendar_sync::{
    decide::occurrences,
    model::{ConnectionKey, EventId, ExternalCalendarEvent, LessonId, Window},
};
use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use chrono_tz::Tz;
use serde_json::Value;

use crate::{
    truth::lesson_of,
    world::{Party, World},
};

/// How far ahead all occurrences are compared.
pub const AHEAD: TimeDelta = TimeDelta::days(45);
/// How far ahead they are compared in one of [`FAR_IN`] histories: as far as lessons are synced.
const FAR: TimeDelta = TimeDelta::days(400);
const FAR_IN: u64 = 16;

/// One occurrence of an event that is not ours.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Busy {
    pub start: DateTime<Utc>,
    pub end: DateTime<Utc>,
    /// Whether it makes its owner busy.
    pub blocks: bool,
    /// The lesson in its private properties.
    pub carries: Option<LessonId>,
    /// Whether only its owner may see it.
    pub private: bool,
    /// Title, place and description. No description is to be stored, and of a private event no text.
    pub texts: [Option<String>; 3],
    /// What its id shares with those of its series, its exceptions and what was split off it.
    pub family: String,
}

pub(super) fn soon(world: &World, party: Party) -> Vec<Busy> {
    let now = world.now();
    in_google(world, party, Window { from: now, to: now + AHEAD }, zone_of(world, party.account))
}

/// Stored events that are not in Google, and events that are not stored.
pub(super) fn differ(world: &World, party: Party, soon: &[Busy]) -> Option<String> {
    let now = world.now();
    let zone = zone_of(world, party.account);
    let is_far = (world.seed / 2).is_multiple_of(FAR_IN);
    let window = Window { from: now, to: now + if is_far { FAR } else { AHEAD } };
    let far = is_far.then(|| in_google(world, party, window, zone));
    let in_google = far.as_deref().unwrap_or(soon);
    let stored = busy_as_stored(world, party.key, window, zone);
    let only = |these: &[Busy], those: &[Busy]| -> Vec<Busy> {
        let more = |busy: &&Busy| {
            these.iter().filter(|other| other == busy).count() > those.iter().filter(|other| other == busy).count()
        };
        these.iter().filter(more).take(4).cloned().collect()
    };
    (stored != in_google).then(|| {
        format!(
            "stored events differ from Google's: only stored {:?}; only in Google {:?}",
            only(&stored, in_google),
            only(in_google, &stored)
        )
    })
}

/// A stored event that was over so long ago that it should not be. The thirty days of the product, and as many more as no
/// history lasts: no row expires here.
pub(super) fn past(world: &World, party: Party) -> Option<String> {
    let oldest = world.now() - TimeDelta::days(40);
    let is_past = |row: &&ExternalCalendarEvent| {
        let original = row.event.original_start.map(|start| start.instant(Tz::UTC));
        row.event_end.is_some_and(|end| end < oldest) && original.is_none_or(|start| start < oldest)
    };
    let tables = world.store.tables();
    tables
        .external_of(party.key)
        .find(is_past)
        .map(|row| format!("{} was over long ago and is stored", row.id().as_str()))
}

/// Imports of a connection that does not import.
pub(super) fn are_left(world: &World, party: Party) -> Vec<String> {
    let mut found = Vec::new();
    let (tables, now) = (world.store.tables(), world.now());
    if tables.external_of(party.key).next().is_some() {
        found.push("events are kept though nothing is to be imported".to_owned());
    }
    if let Some(pair) = tables.conflicts_where(party.key, |pair| pair.overlap_end > now).first() {
        found.push(format!("a conflict stands though nothing is imported: {pair:?}"));
    }
    found
}

pub(super) fn zone_of(world: &World, calendar: &str) -> Tz {
    world.sim.state().google.zone(calendar).unwrap_or(Tz::UTC)
}

/// What Google shows in the window.
pub(super) fn in_google(world: &World, party: Party, window: Window, zone: Tz) -> Vec<Busy> {
    let mut state = world.sim.state();
    // (Google ignores milliseconds; and for it a day that ends on itself is over where it begins.)
    let from = window.from - TimeDelta::days(2);
    let occurrences = state.occurrences(party.account, from, window.to + TimeDelta::seconds(1));
    let mut busy: Vec<Busy> = occurrences
        .iter()
        .filter(|event| !state.truth.is_unreadable(party.account, event))
        .filter(|event| {
            let made = state.truth.made(party.account, event["id"].as_str().unwrap_or_default());
            made.is_none_or(|(key, _)| key != party.key)
        })
        .filter_map(|event| {
            let at = |side: &str| -> Option<DateTime<Utc>> {
                let time = &event[side];
                match time["date"].as_str() {
                    Some(day) => Some(day_begins(day.parse().ok()?, zone)),
                    None => time["dateTime"].as_str()?.parse().ok(),
                }
            };
            let first_day = event["start"]["date"].as_str().and_then(|day| day.parse::<NaiveDate>().ok());
            let ends = first_day.map(|day| day_begins(day + TimeDelta::days(1), zone));
            Some(Busy {
                start: at("start")?,
                end: at("end")?.max(ends.unwrap_or(DateTime::UNIX_EPOCH)),
                blocks: blocks(event),
                carries: lesson_of(event),
                private: private(event),
                texts: texts_to_store(event),
                family: EventId::from(event["id"].as_str()?).family().to_owned(),
            })
        })
        .filter(|busy| busy.start < window.to && busy.end > window.from)
        .collect();
    busy.sort();
    busy
}

/// The first moment at which the calendar in that zone shows the day: later than midnight where the clock skips that.
fn day_begins(day: NaiveDate, zone: Tz) -> DateTime<Utc> {
    let midnight = day.and_time(NaiveTime::MIN).and_utc();
    let quarters = (-4 * 16..4 * 16).map(|quarter| midnight + TimeDelta::minutes(15 * quarter));
    quarters.into_iter().find(|at| at.with_timezone(&zone).date_naive() >= day).unwrap_or(midnight)
}

fn private(event: &Value) -> bool {
    ["private", "confidential"].iter().any(|visibility| event["visibility"] == *visibility)
}

fn texts_to_store(event: &Value) -> [Option<String>; 3] {
    let text = |name: &str| event[name].as_str().filter(|_| !private(event)).map(str::to_owned);
    [text("summary"), text("location"), None]
}

fn blocks(event: &Value) -> bool {
    let declined = event["attendees"].as_array().is_some_and(|guests| {
        guests.iter().any(|guest| guest["self"] == true && guest["responseStatus"] == "declined")
    });
    let silent = ["workingLocation", "birthday"].iter().any(|kind| event["eventType"] == *kind);
    event["transparency"] != "transparent" && !declined && !silent
}

/// The stored events in the window.
pub fn busy_as_stored(world: &World, key: ConnectionKey, window: Window, zone: Tz) -> Vec<Busy> {
    let lookup = world.store.tables().external_between(key, window);
    let mut busy = Vec::new();
    occurrences::each(&lookup, window, zone, |row, start, end| {
        let event = &row.event;
        busy.push(Busy {
            start,
            end,
            blocks: event.blocks(),
            carries: event.lesson_id,
            private: event.private,
            texts: [&event.summary, &event.location, &event.description].map(Clone::clone),
            family: row.id().family().to_owned(),
        });
    });
    busy.sort();
    busy
}
