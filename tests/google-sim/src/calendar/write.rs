//! Insert, update, patch and delete.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use serde_json::{Map, Value};

use super::draft::{self, OptionalParts, Place};
use super::event::{Event, FormerShape, Status};
use super::kinds;
use super::series;
use super::store::Calendars;
use super::when::When;
use crate::config::Behaviour;
use crate::error::{ApiError, Result};
use crate::random::Random;

/// Who writes, where and how.
pub(crate) struct Write<'a> {
    pub now: DateTime<Utc>,
    /// The id of the calendar, with `primary` already resolved.
    pub calendar: &'a str,
    /// The account that writes.
    pub by: &'a str,
    pub if_match: Option<&'a str>,
    pub in_batch: bool,
    pub parts: OptionalParts,
    pub behaviour: &'a Behaviour,
    pub random: &'a mut Random,
}

impl<'a> Write<'a> {
    /// A write by a person in Google's own page: nothing is checked against an etag.
    pub fn by_hand(
        now: DateTime<Utc>,
        calendar: &'a str,
        by: &'a str,
        behaviour: &'a Behaviour,
        random: &'a mut Random,
    ) -> Self {
        let parts = OptionalParts { conference: true, attachments: true };
        Self { now, calendar, by, if_match: None, in_batch: false, parts, behaviour, random }
    }

    pub(super) fn check_match(&self, current: &Event) -> Result<()> {
        match self.if_match {
            Some(etag) if etag != "*" && etag != current.etag() => Err(ApiError::condition_not_met()),
            _ => Ok(()),
        }
    }
}

/// How a body is to be read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// PUT: what the body leaves out takes its default.
    Replace,
    /// PATCH: what the body leaves out stays.
    Merge,
}

impl Calendars {
    /// Creates an event and gives its id.
    pub fn insert(&mut self, write: &mut Write<'_>, body: &Map<String, Value>) -> Result<String> {
        let id = match body.get("id").and_then(Value::as_str) {
            Some(id) => {
                draft::check_id(id)?;
                id.to_owned()
            }
            None => write.random.event_id(),
        };
        let place = self.place(write)?;
        let ical_uid = body.get("iCalUID").and_then(Value::as_str);
        let ical_uid_or_own = ical_uid.map_or_else(|| format!("{id}@google.com"), str::to_owned);
        let mut event = fresh(write, id, ical_uid_or_own, kinds::of_insert(body)?);
        draft::apply(&mut event, body, place)?;
        // An id stays taken after its event is deleted.
        let taken = |calendar: &super::store::Calendar| {
            calendar.events.contains_key(&event.id) || ical_uid.is_some_and(|uid| calendar.holds(uid))
        };
        if self.all.get(write.calendar).is_some_and(taken) {
            return Err(ApiError::duplicate());
        }
        let id = event.id.clone();
        self.put(write.now, write.calendar, event);
        self.spread(write.now, write.calendar, &id, &[]);
        Ok(id)
    }

    /// Changes an event, an exception, or an occurrence that thereby becomes an exception.
    pub fn update(&mut self, write: &mut Write<'_>, id: &str, body: &Map<String, Value>, manner: Manner) -> Result<()> {
        let current = self.current(write.calendar, id)?;
        if current.bare {
            // Its series has no such occurrence any more.
            return Err(ApiError::not_found());
        }
        write.check_match(&current)?;
        if current.purged {
            return Err(ApiError::forbidden("forbidden", "Forbidden"));
        }
        let kind = body.get("eventType").and_then(Value::as_str);
        if kind.is_some_and(|kind| kind != current.kind) {
            let message = "The type of an event cannot be changed.";
            return Err(ApiError::new(400, "calendar", "eventTypeRestriction", message));
        }
        let place = self.place(write)?;
        let mut event = current.clone();
        if manner == Manner::Merge {
            let mut merged = current.writable();
            draft::merge(&mut merged, body);
            draft::apply(&mut event, &merged, place)?;
        } else {
            draft::apply(&mut event, body, place)?;
        }
        kinds::check_change(&current, &event)?;
        let copy = current.is_copy_for(write.calendar);
        if copy {
            draft::check_organizer_only(&current, &event)?;
            keep_guest_list(&current, &mut event, write.calendar);
        } else if moved(&current, &event) && event.sequence == current.sequence {
            event.sequence += 1;
        }
        if event.is_cancelled() && !current.is_cancelled() {
            self.cancel(write.now, write.calendar, event);
        } else {
            event.bare = false;
            self.change(write.now, write.calendar, &current, event);
        }
        if copy {
            self.answer_organizer(write.now, write.calendar, id);
        } else {
            self.spread(write.now, write.calendar, id, &current.attendees);
        }
        Ok(())
    }

    /// Deletes an event. Its id stays taken.
    pub fn delete(&mut self, write: &mut Write<'_>, id: &str) -> Result<()> {
        let current = self.current(write.calendar, id)?;
        if current.is_cancelled() {
            return Err(ApiError::deleted());
        }
        write.check_match(&current)?;
        let copy = current.is_copy_for(write.calendar);
        let mut event = current.clone();
        event.status = Status::Cancelled;
        if copy {
            let own = event.attendees.iter_mut().find(|guest| guest.email == write.calendar);
            if let Some(own) = own {
                "declined".clone_into(&mut own.response_status);
            }
        }
        self.cancel(write.now, write.calendar, event);
        if copy {
            self.answer_organizer(write.now, write.calendar, id);
        } else {
            self.spread(write.now, write.calendar, id, &current.attendees);
        }
        Ok(())
    }

    /// Empties the bin: what was deleted in `calendar` cannot be brought back.
    pub fn empty_bin(&mut self, calendar: &str) {
        if let Some(calendar) = self.all.get_mut(calendar) {
            // A cancelled occurrence is no event in the bin: it belongs to its series as long as that lives.
            let in_bin = |event: &&mut Event| event.is_cancelled() && (event.occurrence.is_none() || event.bare);
            for event in calendar.events.values_mut().filter(in_bin) {
                event.purged = true;
            }
        }
    }

    pub(super) fn current(&self, calendar: &str, id: &str) -> Result<Event> {
        self.all.get(calendar).and_then(|calendar| calendar.find(id)).ok_or_else(ApiError::not_found)
    }

    pub(super) fn place(&self, write: &Write<'_>) -> Result<Place> {
        let calendar = self.all.get(write.calendar).ok_or_else(ApiError::not_found)?;
        Ok(Place {
            calendar_zone: calendar.zone,
            primary: calendar.primary,
            in_batch: write.in_batch,
            parts: write.parts,
            texts: write.behaviour.texts,
        })
    }

    /// Keeps a changed event, with what follows for its series.
    pub(super) fn change(&mut self, now: DateTime<Utc>, calendar: &str, before: &Event, mut event: Event) {
        if let Some(place) = event.occurrence.clone() {
            self.put(now, calendar, event);
            self.touch_series(now, calendar, &place.series);
            return;
        }
        let reshaped = before.start != event.start || before.recurrence != event.recurrence;
        if reshaped {
            self.remember_shape(now, before, &mut event);
        }
        if only_reminders(before, &event) {
            self.put_reminders(now, calendar, event);
            return;
        }
        let id = event.id.clone();
        if let Some(place) = self.all.get_mut(calendar)
            && reshaped
        {
            // The exceptions are weighed against the new shape.
            place.events.insert(id.clone(), Event { stamp: before.stamp, ..event.clone() });
            self.cut_off(now, calendar, &id);
        }
        if before.is_cancelled() {
            self.retell_cut_off(now, calendar, &id);
        }
        self.touch_exceptions(now, calendar, &id);
        self.put(now, calendar, event);
    }

    /// Keeps `event` as cancelled; a series takes its exceptions along without a word.
    pub(super) fn cancel(&mut self, now: DateTime<Utc>, calendar: &str, mut event: Event) {
        if let Some(place) = event.occurrence.clone() {
            self.put(now, calendar, event);
            self.touch_series(now, calendar, &place.series);
            return;
        }
        if event.is_series() {
            let before = event.clone();
            self.remember_shape(now, &before, &mut event);
            if let Some(place) = self.all.get_mut(calendar) {
                let ids: Vec<String> = place.exceptions(&event.id).map(|e| e.id.clone()).collect();
                for id in ids {
                    if let Some(exception) = place.events.get_mut(&id) {
                        exception.status = Status::Cancelled;
                        exception.bare = true;
                    }
                }
            }
        }
        self.put(now, calendar, event);
    }

    /// Notes what a series was, for those who follow its instances one by one.
    fn remember_shape(&mut self, now: DateTime<Utc>, before: &Event, event: &mut Event) {
        let shape = FormerShape { until: self.stamp(now), start: before.start, recurrence: before.recurrence.clone() };
        event.former.push(shape);
    }

    /// Exceptions whose occurrence the series no longer has become bare tombstones.
    fn cut_off(&mut self, now: DateTime<Utc>, calendar: &str, series: &str) {
        let Some(place) = self.all.get(calendar) else {
            return;
        };
        let Some(master) = place.events.get(series) else {
            return;
        };
        let gone: Vec<Event> = place
            .exceptions(series)
            .filter(|exception| !exception.bare)
            .filter(|exception| {
                exception.occurrence.as_ref().is_some_and(|occurrence| {
                    !master.is_series() || !series::occurs_at(master, occurrence.original, place.zone)
                })
            })
            .cloned()
            .collect();
        for mut exception in gone {
            exception.status = Status::Cancelled;
            exception.bare = true;
            self.put(now, calendar, exception);
        }
    }

    /// The exceptions that a series lost without a word while it was deleted are not back with it.
    fn retell_cut_off(&mut self, now: DateTime<Utc>, calendar: &str, series: &str) {
        for exception in self.exceptions(calendar, series) {
            if exception.bare {
                self.put(now, calendar, exception);
            }
        }
    }

    /// An edit of one instance brings its series along in the next delta, and all its exceptions.
    fn touch_series(&mut self, now: DateTime<Utc>, calendar: &str, series: &str) {
        self.touch_exceptions(now, calendar, series);
        let master = self
            .all
            .get(calendar)
            .and_then(|calendar| calendar.events.get(series))
            .filter(|master| !master.is_cancelled())
            .cloned();
        if let Some(master) = master {
            self.put(now, calendar, master);
        }
    }

    /// Before their series, so that a delta names exceptions whose series comes only later.
    fn touch_exceptions(&mut self, now: DateTime<Utc>, calendar: &str, series: &str) {
        for exception in self.exceptions(calendar, series) {
            if !exception.bare {
                self.put(now, calendar, exception);
            }
        }
    }

    pub(super) fn exceptions(&self, calendar: &str, series: &str) -> Vec<Event> {
        let calendar = self.all.get(calendar);
        calendar.map(|calendar| calendar.exceptions(series).cloned().collect()).unwrap_or_default()
    }
}

/// An event that a body has yet to fill.
pub(super) fn fresh(write: &Write<'_>, id: String, ical_uid: String, kind: String) -> Event {
    Event {
        id,
        ical_uid,
        kind,
        status: Status::Confirmed,
        created: write.now,
        stamp: 0,
        updated: 0,
        sequence: 0,
        start: When::Day(NaiveDate::default()),
        end: When::Day(NaiveDate::default()),
        recurrence: Vec::new(),
        former: Vec::new(),
        occurrence: None,
        creator: write.by.to_owned(),
        organizer: write.calendar.to_owned(),
        attendees: Vec::new(),
        private: BTreeMap::new(),
        shared: BTreeMap::new(),
        details: Map::new(),
        bare: false,
        purged: false,
    }
}

fn moved(before: &Event, after: &Event) -> bool {
    before.start != after.start || before.end != after.end || before.recurrence != after.recurrence
}

fn only_reminders(before: &Event, after: &Event) -> bool {
    let without = |event: &Event| {
        let mut event = event.clone();
        event.details.remove("reminders");
        event
    };
    before.details.get("reminders") != after.details.get("reminders") && without(before) == without(after)
}

/// On a guest's copy only the guest's own row can change.
fn keep_guest_list(before: &Event, after: &mut Event, guest: &str) {
    let own = after.attendee(guest).cloned();
    after.attendees.clone_from(&before.attendees);
    for row in &mut after.attendees {
        if let Some(own) = own.as_ref().filter(|own| own.email == row.email) {
            *row = own.clone();
        }
    }
}
