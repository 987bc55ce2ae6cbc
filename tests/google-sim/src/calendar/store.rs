//! All calendars of a simulated Google, and the order of their changes.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::event::{Event, Occurrence, Stamp};
use super::series;
use super::when::When;
use crate::config;

/// How far back, in microseconds, a calendar can be seen as it was.
const MAX_LAG: Stamp = 60_000_000;

/// What an account may do with a calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Role {
    FreeBusyReader,
    Reader,
    Writer,
    Owner,
}

impl Role {
    pub fn name(self) -> &'static str {
        match self {
            Self::FreeBusyReader => "freeBusyReader",
            Self::Reader => "reader",
            Self::Writer => "writer",
            Self::Owner => "owner",
        }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Calendar {
    pub id: String,
    pub summary: String,
    pub description: Option<String>,
    pub zone: Tz,
    pub owner: String,
    pub primary: bool,
    /// Made by Google itself: read-only, and without push.
    pub generated: bool,
    /// Whom the owner let in.
    pub shared_with: BTreeMap<String, Role>,
    /// When the owner last let each account in or out.
    #[serde(default)]
    pub shared_at: BTreeMap<String, Stamp>,
    pub events: BTreeMap<String, Event>,
    /// Every event once, under the stamp of its last change.
    changes: BTreeMap<Stamp, String>,
    /// What the latest changes replaced, for listings that lag: when, the id, and the event as it was before.
    replaced: VecDeque<(Stamp, String, Option<Event>)>,
    /// When cursors became void last: those from before are not honoured any more.
    pub cursors_from: Stamp,
}

impl Calendar {
    fn new(config: &config::Calendar, owner: &str, primary: bool) -> Self {
        Self {
            id: config.id.clone(),
            summary: config.summary.clone(),
            description: config.description.clone(),
            zone: config.zone,
            owner: owner.to_owned(),
            primary,
            generated: config.generated,
            shared_with: BTreeMap::new(),
            shared_at: BTreeMap::new(),
            events: BTreeMap::new(),
            changes: BTreeMap::new(),
            replaced: VecDeque::new(),
            cursors_from: 0,
        }
    }

    /// What `account` may do here; none when it cannot even see that the calendar exists.
    pub fn role_of(&self, account: &str) -> Option<Role> {
        match (self.owner == account, self.generated) {
            (true, false) => Some(Role::Owner),
            (true, true) => Some(Role::Reader),
            (false, _) => self.shared_with.get(account).copied(),
        }
    }

    /// The stamp of the last change.
    pub fn latest(&self) -> Stamp {
        self.changes.keys().next_back().copied().unwrap_or(0)
    }

    /// The events whose last change lies after `since`, oldest change first.
    pub fn changed(&self, since: Stamp) -> impl Iterator<Item = &Event> {
        let after = (Bound::Excluded(since), Bound::Unbounded);
        self.changes.range(after).filter_map(|(_, id)| self.events.get(id))
    }

    pub fn exceptions<'a>(&'a self, series: &str) -> impl Iterator<Item = &'a Event> {
        let first = format!("{}_", stem(series));
        self.events
            .range(first.clone()..)
            .take_while(move |(id, _)| id.starts_with(&first))
            .map(|(_, event)| event)
            .filter(move |event| event.occurrence.as_ref().is_some_and(|place| place.series == series))
    }

    /// The exception that stands in for an occurrence of `series`.
    pub fn exception(&self, id: &str) -> Option<&Event> {
        self.events.get(id).filter(|event| !event.bare)
    }

    /// Whether an event of that iCalendar identity was ever put here. It stays taken when the event is deleted.
    pub fn holds(&self, ical_uid: &str) -> bool {
        self.events.values().any(|event| event.ical_uid == ical_uid && event.occurrence.is_none())
    }

    /// The event of that id: as stored, or an occurrence of a series that was not changed yet.
    pub fn find(&self, id: &str) -> Option<Event> {
        let stored = self.events.get(id);
        match stored {
            Some(event) if !event.bare => Some(event.clone()),
            _ => self.occurrence(id).or_else(|| stored.cloned()),
        }
    }

    fn occurrence(&self, id: &str) -> Option<Event> {
        let (stem, suffix) = id.rsplit_once('_')?;
        let split_off = format!("{stem}_R");
        let family = self.events.get(stem).into_iter().chain(
            self.events
                .range(split_off.clone()..)
                .take_while(|(id, _)| id.starts_with(&split_off))
                .map(|(_, event)| event),
        );
        family.filter(|event| event.is_series() && !event.is_cancelled()).find_map(|series| {
            let original = original_start(series.start, suffix)?;
            series::occurs_at(series, original, self.zone).then(|| instance(series, original))
        })
    }

    fn put(&mut self, event: Event) {
        if let Some(before) = self.events.get(&event.id) {
            self.changes.remove(&before.stamp);
        }
        self.changes.insert(event.stamp, event.id.clone());
        self.replace(event.stamp, event);
    }

    /// Puts `event` in the place of the one with its id, at that moment and without a word to those who follow changes.
    pub(super) fn replace(&mut self, at: Stamp, event: Event) {
        let id = event.id.clone();
        let before = self.events.insert(id.clone(), event);
        self.replaced.push_back((at, id, before));
        while self.replaced.front().is_some_and(|(stamp, ..)| at.saturating_sub(*stamp) > MAX_LAG) {
            self.replaced.pop_front();
        }
    }

    /// The calendar as it was at `at`, which lies at most a minute back.
    pub fn as_of(&self, at: Stamp) -> Self {
        let mut then = self.clone();
        while then.replaced.back().is_some_and(|(stamp, ..)| *stamp > at) {
            let Some((_, id, before)) = then.replaced.pop_back() else {
                break;
            };
            if let Some(event) = then.events.remove(&id) {
                then.changes.remove(&event.stamp);
            }
            if let Some(before) = before {
                then.changes.insert(before.stamp, id.clone());
                then.events.insert(id, before);
            }
        }
        then
    }
}

/// The occurrence of `series` that begins at `original`, as yet unchanged.
pub(crate) fn instance(series: &Event, original: When) -> Event {
    let mut event = series.clone();
    event.id = format!("{}_{}", stem(&series.id), original.id_suffix());
    event.end = series.ends_from(original);
    event.start = original;
    event.recurrence.clear();
    event.former.clear();
    event.occurrence = Some(Occurrence { series: series.id.clone(), original });
    event
}

/// What the occurrences of a series are named after. Google names those of a series that was split off (`<stem>_R…`)
/// after the first one.
pub(super) fn stem(series: &str) -> &str {
    series.rsplit_once("_R").map_or(series, |(stem, _)| stem)
}

fn original_start(start: When, suffix: &str) -> Option<When> {
    match start {
        When::Day(_) => chrono::NaiveDate::parse_from_str(suffix, "%Y%m%d").ok().map(When::Day),
        When::Moment { zone, .. } => {
            let at = chrono::NaiveDateTime::parse_from_str(suffix, "%Y%m%dT%H%M%SZ").ok()?;
            Some(When::Moment { at: at.and_utc(), zone })
        }
    }
}

/// One change, with all that it touches: a series and its exceptions, an event and its copies. They show the same
/// etag and `updated`.
#[derive(Clone, Copy)]
pub(crate) struct Change {
    pub now: DateTime<Utc>,
    pub version: Stamp,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Calendars {
    pub all: BTreeMap<String, Calendar>,
    /// The addresses of groups, and whom each stands for.
    #[serde(default)]
    pub groups: BTreeMap<String, Vec<String>>,
    last: Stamp,
    /// Calendar and event type of each change since push was told last.
    pub touched: Vec<(String, String)>,
}

impl Calendars {
    pub fn add(&mut self, account: &config::Account) {
        for (place, config) in account.calendars.iter().enumerate() {
            let calendar = Calendar::new(config, &account.email, place == 0);
            self.all.insert(config.id.clone(), calendar);
        }
    }

    /// A stamp later than any before it, even when the clock stands still.
    pub fn stamp(&mut self, now: DateTime<Utc>) -> Stamp {
        let now = u64::try_from(now.timestamp_micros()).unwrap_or(0);
        self.last = now.max(self.last + 1);
        self.last
    }

    pub fn begin(&mut self, now: DateTime<Utc>) -> Change {
        Change { now, version: self.stamp(now) }
    }

    /// Keeps `event` as touched by `change`.
    pub fn put(&mut self, change: Change, calendar: &str, mut event: Event) {
        event.updated = change.version;
        self.put_reminders(change, calendar, event);
    }

    /// The same for a change of reminders only, which `updated` does not show.
    pub fn put_reminders(&mut self, change: Change, calendar: &str, mut event: Event) {
        event.stamp = self.stamp(change.now);
        event.version = change.version;
        self.keep(calendar, event);
    }

    fn keep(&mut self, calendar: &str, event: Event) {
        if let Some(place) = self.all.get_mut(calendar) {
            self.touched.push((calendar.to_owned(), event.kind.clone()));
            place.put(event);
        }
    }

    /// The calendar that `id` names for `account`, and what the account may do there.
    pub fn visible(&self, account: &str, id: &str) -> Option<(&Calendar, Role)> {
        let id = if id == "primary" { account } else { id };
        let calendar = self.all.get(id)?;
        Some((calendar, calendar.role_of(account)?))
    }
}
