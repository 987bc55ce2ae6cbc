//! What really happened, recorded as it happens and without asking the product: which events it made, what people added
//! to them, when a listing was requested and when one began.

mod flaws;
mod past;

use std::collections::{BTreeMap, BTreeSet};

use calendar_sync::model::{
    ConnectionKey, ConnectionStatus, InstructorCalendarCredentials, LessonId, SyncSettings, TenantId,
};
use chrono::{DateTime, TimeDelta, Utc};
use google_sim::Google;
use serde_json::Value;

pub use self::{flaws::Flaw, past::Past};

/// What a run has read is at most this old when it writes: a run ends with its lease, and a lease lasts 75 seconds. The
/// rest is for clocks that differ.
pub const RUN_LASTS: TimeDelta = TimeDelta::seconds(110);

/// An event, by its calendar and its id.
pub type Place = (String, String);

/// The stamp of each event's last change.
pub type Stamps = BTreeMap<Place, u64>;

/// What people added to an event of ours, which has to stay.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Additions {
    pub guests: BTreeSet<String>,
    /// Whether there is a conference for it.
    pub has_conference: bool,
    /// Texts in fields that the lesson has never had, by the field.
    pub notes: BTreeMap<&'static str, String>,
}

/// What people allowed a connection to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permit {
    pub status: ConnectionStatus,
    pub settings: SyncSettings,
}

impl From<&InstructorCalendarCredentials> for Permit {
    fn from(row: &InstructorCalendarCredentials) -> Self {
        Self { status: row.status.clone(), settings: row.settings.clone() }
    }
}

impl Permit {
    pub fn runs(&self) -> bool {
        self.status == ConnectionStatus::Active && self.settings.sync_enabled
    }

    /// Whether the connection is being taken down, and whether its events stay then.
    pub fn goes(&self) -> Option<bool> {
        match self.status {
            ConnectionStatus::Disconnecting { keep_events, .. } => Some(keep_events),
            _ => None,
        }
    }
}

#[derive(Debug, Clone, Default)]
pub struct Truth {
    /// Every event that the product ever made: for which connection, and for which lesson.
    pub ours: BTreeMap<Place, (ConnectionKey, LessonId)>,
    pub tokens: BTreeMap<String, ConnectionKey>,
    /// What people added to them.
    pub additions: BTreeMap<Place, Additions>,
    /// Of which conflicts people said that they are fine: by the family of the event, with the times of the overlap.
    pub fine: BTreeMap<(ConnectionKey, LessonId, String), [DateTime<Utc>; 2]>,
    /// Violations that were found on the way.
    pub violations: Vec<String>,
    /// Since when a connection's events may stand in Google for good: it was asked for, or the permission was gone.
    left_behind: BTreeMap<ConnectionKey, u64>,
    /// How often people deleted the event of a lesson.
    deleted: BTreeMap<(ConnectionKey, LessonId), u32>,
    /// How often they changed it otherwise.
    edited: BTreeMap<(ConnectionKey, LessonId), u32>,
    /// What the host said of each lesson; null while it had no row.
    pub lessons: BTreeMap<(TenantId, LessonId), Past<Value>>,
    /// What people allowed each connection; `None` while there was none.
    pub permits: BTreeMap<ConnectionKey, Past<Option<Permit>>>,
    /// Connections of which a message or notification got lost, so that the product has to find the change by itself.
    missed: BTreeSet<ConnectionKey>,
    /// Lessons of which a record of the stream was lost.
    pub records_lost: BTreeSet<(TenantId, LessonId)>,
    /// The connections that were ever taken down.
    pub taken_down: BTreeSet<ConnectionKey>,
    /// Events that listings of their calendar show otherwise than they are.
    flaws: BTreeMap<Place, Flaw>,
    /// Whether Google does not know all zones in which lessons are.
    pub zones_unknown: bool,
    /// Connections of which a listing lagged behind what had been written. (How it shows our own event, written just
    /// before, counts as a change by the instructor: as one of it, or as a deletion where it is not in a whole listing.)
    pub behind: BTreeSet<ConnectionKey>,
    /// Events that Google has once refused for good to delete.
    refused: BTreeSet<String>,
    /// When a listing of a connection was last requested.
    pub requested: BTreeMap<ConnectionKey, u64>,
    /// When a listing for a connection last began.
    pub listed: BTreeMap<ConnectionKey, u64>,
    pub listed_at: BTreeMap<ConnectionKey, DateTime<Utc>>,
    /// One more for each of these moments.
    moment: u64,
}

impl Truth {
    /// Of which overlaps of a lesson people said that they are fine.
    pub fn fine_of(&self, key: ConnectionKey, lesson: LessonId) -> BTreeMap<String, [DateTime<Utc>; 2]> {
        let of_lesson = self.fine.iter().filter(|((of, whose, _), _)| (*of, *whose) == (key, lesson));
        of_lesson.map(|((.., family), times)| (family.clone(), *times)).collect()
    }

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

    /// Something of these connections gets lost on the way to the product, or may come late.
    pub fn miss(&mut self, keys: impl IntoIterator<Item = ConnectionKey>) {
        self.missed.extend(keys);
    }

    /// Whether something of the connection got lost.
    pub fn missed(&self, key: ConnectionKey) -> bool {
        self.missed.contains(&key)
    }

    /// Google has refused for good to delete the event.
    pub fn refuse(&mut self, id: &str) {
        self.refused.insert(id.to_owned());
    }

    /// Whether it ever refused to delete the event.
    pub fn was_refused(&self, id: &str) -> bool {
        self.refused.contains(id)
    }

    /// Whether Google ever refused to delete an event of the lesson.
    pub fn was_refused_a_removal(&self, key: ConnectionKey, lesson: LessonId) -> bool {
        self.ours.iter().any(|((_, id), made)| *made == (key, lesson) && self.was_refused(id))
    }

    /// An event is changed, which may be one of ours.
    pub fn edit(&mut self, calendar: &str, id: &str) {
        if let Some(lesson) = self.made(calendar, id) {
            *self.edited.entry(lesson).or_default() += 1;
        }
    }

    /// An event is deleted, which may be one of ours.
    pub fn delete(&mut self, calendar: &str, id: &str) {
        if let Some(lesson) = self.made(calendar, id) {
            *self.deleted.entry(lesson).or_default() += 1;
        }
    }

    /// How often the lesson's event was deleted, and how often it was changed otherwise.
    pub fn meddled(&self, key: ConnectionKey, lesson: LessonId) -> (u32, u32) {
        let count = |of: &BTreeMap<_, u32>| of.get(&(key, lesson)).copied().unwrap_or(0);
        (count(&self.deleted), count(&self.edited))
    }

    /// The host says this of a lesson, null when it has no row any more. A text that it gives takes the place of notes.
    pub fn say(&mut self, lesson: (TenantId, LessonId), at: DateTime<Utc>, row: Value) {
        for (place, additions) in &mut self.additions {
            let base = (place.0.clone(), Self::base(&place.1).to_owned());
            if self.ours.get(&base).is_some_and(|(key, id)| (key.tenant_id, *id) == lesson) {
                additions.notes.retain(|field, _| row[*field].is_null());
            }
        }
        self.lessons.entry(lesson).or_default().note(at, row);
    }

    /// What the host said of the lesson within the time that a run that writes now may have read it.
    pub fn said_lately(&self, tenant: TenantId, lesson: LessonId, now: DateTime<Utc>) -> Vec<&Value> {
        let past = self.lessons.get(&(tenant, lesson));
        past.map(|past| past.since(now - RUN_LASTS).collect()).unwrap_or_default()
    }

    /// What people allowed the connection at any moment from `from` on.
    pub fn allowed_since(&self, key: ConnectionKey, from: DateTime<Utc>) -> Vec<&Permit> {
        let past = self.permits.get(&key);
        past.map(|past| past.since(from).flatten().collect()).unwrap_or_default()
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

    /// The lesson whose event has that id, in whichever calendar.
    pub fn lesson_of(&self, id: &str) -> Option<LessonId> {
        crate::world::ACCOUNTS.iter().find_map(|calendar| self.made(calendar, id)).map(|(_, lesson)| lesson)
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
