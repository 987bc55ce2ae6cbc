//! What really happened, written down as it happens and without asking the product: which events it made, what people
//! added to them, when it was asked to look and when it looked.

use std::collections::{BTreeMap, BTreeSet};

use calendar_sync::model::{ConnectionKey, LessonId};
use chrono::{DateTime, Utc};
use google_sim::Google;
use serde_json::Value;

/// An event, by its calendar and its id.
pub type Place = (String, String);

/// The stamp of each event's last change.
pub type Stamps = BTreeMap<Place, u64>;

/// What people added to an event of ours, to be there ever after.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Additions {
    /// The guests.
    pub guests: BTreeSet<String>,
}

/// The record.
#[derive(Debug, Clone, Default)]
pub struct Truth {
    /// Every event that the product ever made: for which connection, and for which lesson.
    pub ours: BTreeMap<Place, (ConnectionKey, LessonId)>,
    /// Whose tokens these are.
    pub tokens: BTreeMap<String, ConnectionKey>,
    /// What people added to them.
    pub additions: BTreeMap<Place, Additions>,
    /// What was wrong on the way, in words.
    pub violations: Vec<String>,
    /// Since when a connection's events may stand in Google for good: it was asked for, or the permission was gone.
    left_behind: BTreeMap<ConnectionKey, u64>,
    /// How often people changed or deleted the event of a lesson.
    meddled: BTreeMap<(ConnectionKey, LessonId), u32>,
    /// The connections that somebody ever took down.
    pub taken_down: BTreeSet<ConnectionKey>,
    /// Events that Google has once refused for good to delete.
    refused: BTreeSet<String>,
    /// When somebody last wished that a connection look into Google.
    pub wished: BTreeMap<ConnectionKey, u64>,
    /// When a listing for a connection last began.
    pub listed: BTreeMap<ConnectionKey, u64>,
    /// The time at which it began.
    pub listed_at: BTreeMap<ConnectionKey, DateTime<Utc>>,
    /// One more for each of these moments.
    moment: u64,
}

impl Truth {
    /// The moment now, later than any before it.
    pub fn tick(&mut self) -> u64 {
        self.moment += 1;
        self.moment
    }

    /// From now on events of the connection may stand in Google for good, unless it is connected anew.
    pub fn leave_behind(&mut self, key: ConnectionKey) {
        let moment = self.tick();
        self.left_behind.insert(key, moment);
    }

    /// A login has ended well that began at that moment: what was left before is looked after again.
    pub fn connected_anew(&mut self, key: ConnectionKey, began: u64) {
        if self.left_behind.get(&key).is_some_and(|left| *left < began) {
            self.left_behind.remove(&key);
        }
    }

    /// Whether events of the connection may stand in Google for good.
    pub fn is_left_behind(&self, key: ConnectionKey) -> bool {
        self.left_behind.contains_key(&key)
    }

    /// Google has refused something for good to the connection; to delete these events, if any.
    pub fn refuse(&mut self, key: ConnectionKey, deletions: impl IntoIterator<Item = String>) {
        self.refused.extend(deletions);
        self.leave_behind(key);
    }

    /// Whether it ever refused to delete the event.
    pub fn was_refused(&self, id: &str) -> bool {
        self.refused.contains(id)
    }

    /// Somebody changes or deletes the event, which may be one of ours.
    pub fn meddle(&mut self, calendar: &str, id: &str) {
        if let Some(lesson) = self.made(calendar, id) {
            *self.meddled.entry(lesson).or_default() += 1;
        }
    }

    /// How often the lesson's event was changed or deleted so.
    pub fn meddled(&self, key: ConnectionKey, lesson: LessonId) -> u32 {
        self.meddled.get(&(key, lesson)).copied().unwrap_or(0)
    }

    /// The id of the event, series or exception that `id` belongs to.
    pub fn base(id: &str) -> &str {
        id.split_once('_').map_or(id, |(base, _)| base)
    }

    /// Whether the product made this event, or what it is an instance of.
    pub fn is_ours(&self, calendar: &str, id: &str) -> bool {
        self.made(calendar, id).is_some()
    }

    /// For which connection and which lesson the product made this event, or what it is an instance of.
    pub fn made(&self, calendar: &str, id: &str) -> Option<(ConnectionKey, LessonId)> {
        self.ours.get(&(calendar.to_owned(), Self::base(id).to_owned())).copied()
    }

    /// Takes note of what a call for a connection changed in Google: what it made is its own, and nothing else may
    /// have changed but what it had made before, and guests' copies of that.
    pub fn changed_by(&mut self, key: ConnectionKey, calendar: &str, google: &Google, before: &Stamps) -> bool {
        let mut any = false;
        for (place, stamp) in stamps(google) {
            if before.get(&place) == Some(&stamp) {
                continue;
            }
            any = true;
            let id = &place.1;
            let made = if before.contains_key(&place) { None } else { google.event(calendar, id) };
            if let Some(lesson) = made.as_ref().and_then(lesson_of) {
                self.ours.insert(place, (key, lesson));
            } else if self.made(calendar, id).is_none_or(|(owner, _)| owner != key) {
                let wrong = format!("{id} in {} was written for {key}, which did not make it", place.0);
                self.violations.push(wrong);
            }
        }
        any
    }
}

/// The lesson that an event carries.
pub fn lesson_of(event: &Value) -> Option<LessonId> {
    event["extendedProperties"]["private"]["lessonId"].as_str()?.parse().ok()
}

/// The stamps of all events in all calendars of the simulation.
pub fn stamps(google: &Google) -> Stamps {
    crate::world::ACCOUNTS
        .iter()
        .flat_map(|calendar| {
            google.stamps(calendar).into_iter().map(|(id, stamp)| (((*calendar).to_owned(), id), stamp))
        })
        .collect()
}
