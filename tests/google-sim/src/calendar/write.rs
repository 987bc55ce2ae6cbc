//! Insert, update, patch and delete.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use serde_json::{Map, Value};

use super::draft;
use super::event::{Attendee, Event, Status};
use super::guests;
use super::kinds;
use super::place::{OptionalParts, Place};
use super::store::Calendars;
use super::when::When;
use crate::config::{Behaviour, GuestEdits};
use crate::error::{ApiError, Result};
use crate::random::Random;

pub(crate) struct Write<'a> {
    pub now: DateTime<Utc>,
    /// The id of the calendar, with `primary` already resolved.
    pub calendar: &'a str,
    pub by: &'a str,
    pub if_match: Option<&'a str>,
    pub in_batch: bool,
    /// By a person in Google's own page, or by another system through an invitation, and not by a call of the API.
    pub by_hand: bool,
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
        Self { now, calendar, by, if_match: None, in_batch: false, by_hand: true, parts, behaviour, random }
    }

    /// The calendar itself, or who sent the invitation that comes in.
    fn organizer(&self, body: &Map<String, Value>) -> String {
        let named = body.get("organizer").and_then(|organizer| organizer.get("email")).and_then(Value::as_str);
        named.filter(|_| self.by_hand).unwrap_or(self.calendar).to_ascii_lowercase()
    }

    /// Only a call of the API can try to edit what is the organizer's: Google's own page offers no such thing.
    fn guest_edits(&self) -> GuestEdits {
        if self.by_hand { GuestEdits::Kept } else { self.behaviour.guest_edits }
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
                draft::check_id(id, write.by_hand)?;
                id.to_owned()
            }
            None => write.random.event_id(),
        };
        let place = self.place(write)?;
        let ical_uid = body.get("iCalUID").and_then(Value::as_str);
        let ical_uid_or_own = ical_uid.map_or_else(|| format!("{id}@google.com"), str::to_owned);
        let mut event = fresh(write, id, ical_uid_or_own, kinds::of_insert(body, write.by_hand)?);
        event.organizer = write.organizer(body);
        draft::apply(&mut event, body, place)?;
        // An id stays taken after its event is deleted.
        let taken = |calendar: &super::store::Calendar| {
            calendar.events.contains_key(&event.id) || ical_uid.is_some_and(|uid| calendar.holds(uid))
        };
        if self.all.get(write.calendar).is_some_and(taken) {
            return Err(ApiError::duplicate());
        }
        let id = event.id.clone();
        let change = self.begin(write.now);
        let copy = event.is_copy_for(write.calendar);
        self.put(change, write.calendar, event);
        if !copy {
            self.spread(change, write.calendar, &id, &[]);
        }
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
            event = guests::settled(write.guest_edits(), &current, event)?;
            if event == current {
                return Ok(());
            }
        } else if moved(&current, &event) && event.sequence == current.sequence {
            event.sequence += 1;
        }
        let change = self.begin(write.now);
        if event.is_cancelled() && !current.is_cancelled() {
            self.cancel(change, write.calendar, event);
        } else {
            event.bare = false;
            self.change(change, write.calendar, &current, event);
        }
        self.tell_others(change, write.calendar, &current);
        Ok(())
    }

    /// Deletes an event. Its id stays taken.
    pub fn delete(&mut self, write: &mut Write<'_>, id: &str) -> Result<()> {
        let current = self.current(write.calendar, id)?;
        if current.is_cancelled() {
            return Err(ApiError::deleted());
        }
        write.check_match(&current)?;
        let mut event = current.clone();
        event.status = Status::Cancelled;
        if current.is_copy_for(write.calendar) {
            let own = event.attendees.iter_mut().find(|guest| guest.email == write.calendar);
            if let Some(own) = own {
                "declined".clone_into(&mut own.response_status);
            }
        }
        let change = self.begin(write.now);
        self.cancel(change, write.calendar, event);
        self.tell_others(change, write.calendar, &current);
        Ok(())
    }

    /// Gives an event another organizer, as when its calendar changes hands: what stays here is a guest's copy.
    pub fn hand_over(&mut self, write: &Write<'_>, id: &str, organizer: &str) -> Result<()> {
        let before = self.current(write.calendar, id)?;
        let mut event = before.clone();
        organizer.clone_into(&mut event.organizer);
        if event.attendee(write.calendar).is_none() {
            event.attendees.push(Attendee::who_accepted(write.calendar));
        }
        let change = self.begin(write.now);
        self.change(change, write.calendar, &before, event);
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
            by_hand: write.by_hand,
            parts: write.parts,
            texts: write.behaviour.texts,
        })
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
        version: 0,
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
