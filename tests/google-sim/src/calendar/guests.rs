//! Invitations: the organizer's event, its copies in the guests' calendars, and their answers.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::event::{Attendee, Event, Status};
use super::store::{Calendars, Change};
use crate::config::GuestEdits;
use crate::error::{ApiError, Result};

/// What belongs to each copy alone.
const OWN: [&str; 3] = ["transparency", "reminders", "colorId"];

impl Calendars {
    /// Brings the organizer's event `id` to all guests who have a calendar here, and takes it from
    /// those who were invited `before` and no longer are.
    pub(super) fn spread(&mut self, change: Change, organizer: &str, id: &str, before: &[Attendee]) {
        let Some(event) = self.all.get(organizer).and_then(|c| c.events.get(id)) else {
            return;
        };
        let event = event.clone();
        self.spread_one(change, organizer, &event, before);
        // Who is invited to single instances has no series by which they would go.
        let gone: Vec<Event> = self.exceptions(organizer, id).into_iter().filter(|exception| exception.bare).collect();
        for exception in gone {
            self.spread_one(change, organizer, &exception, &exception.attendees);
        }
    }

    fn spread_one(&mut self, change: Change, organizer: &str, event: &Event, before: &[Attendee]) {
        let guests: BTreeSet<String> = before
            .iter()
            .chain(&event.attendees)
            .map(|guest| &guest.email)
            .filter(|guest| *guest != organizer && self.all.get(*guest).is_some_and(|calendar| calendar.primary))
            .cloned()
            .collect();
        for guest in guests {
            let held = self.held(&guest, event);
            let invited = event.attendee(&guest).is_some() && !event.is_cancelled();
            match (held, invited) {
                (held, true) => self.deliver(change, &guest, held.as_ref(), event),
                (Some(mut copy), false) if !copy.is_cancelled() => {
                    copy.status = Status::Cancelled;
                    self.cancel(change, &guest, copy);
                }
                _ => {}
            }
        }
    }

    /// The guest's copy of `event`, or the occurrence of the guest's copy of its series.
    fn held(&self, guest: &str, event: &Event) -> Option<Event> {
        self.all
            .get(guest)
            .and_then(|calendar| calendar.find(&event.id))
            .filter(|copy| copy.organizer == event.organizer)
    }

    fn deliver(&mut self, change: Change, guest: &str, held: Option<&Event>, event: &Event) {
        let mut copy = Event { private: BTreeMap::new(), former: Vec::new(), ..event.clone() };
        for name in OWN {
            let own = held.and_then(|held| held.details.get(name)).cloned();
            match own {
                Some(value) => copy.details.insert(name.to_owned(), value),
                None => copy.details.remove(name),
            };
        }
        match held {
            Some(held) => {
                copy.private.clone_from(&held.private);
                copy.former.clone_from(&held.former);
                // A guest who removed the invitation is asked again only when the answer is open again.
                let declined = copy.attendee(guest).is_some_and(|own| own.response_status == "declined");
                if held.is_cancelled() && declined {
                    return;
                }
                self.change(change, guest, held, copy);
            }
            // The id may be taken by an event of the guest's own; then the copy goes nowhere.
            None if self.all.get(guest).is_some_and(|c| c.events.contains_key(&event.id)) => {}
            None => self.put(change, guest, copy),
        }
    }

    /// Brings what was written to an event in `calendar` to the other copies of it, which was so before.
    pub(super) fn tell_others(&mut self, change: Change, calendar: &str, before: &Event) {
        if before.is_copy_for(calendar) {
            self.answer_organizer(change, calendar, &before.id);
        } else {
            self.spread(change, calendar, &before.id, &before.attendees);
        }
    }

    /// Tells the organizer, and through them all others, what the guest answered on their copy.
    fn answer_organizer(&mut self, change: Change, guest: &str, id: &str) {
        let Ok(copy) = self.current(guest, id) else {
            return;
        };
        let Some(answer) = copy.attendee(guest).cloned() else {
            return;
        };
        let organizer = copy.organizer.clone();
        let Ok(before) = self.current(&organizer, id) else {
            return;
        };
        if before.is_cancelled() {
            return;
        }
        let mut event = before.clone();
        let row = event.attendees.iter_mut().find(|row| row.email == guest);
        match row {
            Some(row) if *row != answer => *row = answer,
            _ => return,
        }
        self.change(change, &organizer, &before, event);
        self.spread(change, &organizer, id, &before.attendees);
    }
}

/// What is stored when a guest has made `after` of their copy `before`.
pub(super) fn settled(edits: GuestEdits, before: &Event, after: Event) -> Result<Event> {
    let own = with_own_parts(before, &after);
    match edits {
        GuestEdits::Kept => Ok(after),
        GuestEdits::Ignored => Ok(own),
        GuestEdits::Refused if own == after => Ok(after),
        GuestEdits::Refused => Err(ApiError::not_the_organizer()),
    }
}

/// The copy `before` with no more than the parts of `after` that belong to each copy alone.
fn with_own_parts(before: &Event, after: &Event) -> Event {
    let mut event = before.clone();
    event.status = after.status;
    event.attendees.clone_from(&after.attendees);
    event.private.clone_from(&after.private);
    for name in OWN {
        match after.details.get(name) {
            Some(value) => event.details.insert(name.to_owned(), value.clone()),
            None => event.details.remove(name),
        };
    }
    event
}

pub(crate) fn answer(event: &Value, guest: &str, response: &str) -> Value {
    let mut rows = event.get("attendees").cloned().unwrap_or_default();
    for row in rows.as_array_mut().into_iter().flatten() {
        if row.get("email").and_then(Value::as_str) == Some(guest) {
            row["responseStatus"] = Value::from(response);
        }
    }
    serde_json::json!({ "attendees": rows })
}
