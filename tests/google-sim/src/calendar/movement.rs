//! `events.move`: an event changes its calendar, and with it its organizer.

use super::event::{Event, Status};
use super::kinds;
use super::store::{Calendars, Change};
use super::write::Write;
use crate::error::{ApiError, Result};

impl Calendars {
    /// Moves an event, with its exceptions, into the calendar `to`. What stays behind is a bare tombstone, or the copy of
    /// a guest where the former organizer is one.
    pub fn transfer(&mut self, write: &Write<'_>, id: &str, to: &str) -> Result<()> {
        let from = write.calendar;
        let event = self.current(from, id)?;
        write.check_match(&event)?;
        self.check_transfer(&event, from, to)?;
        let exceptions: Vec<Event> = self.exceptions(from, id).into_iter().filter(|event| !event.bare).collect();
        let led_by_new = |event: &Event| Event { organizer: to.to_owned(), ..event.clone() };

        let change = self.begin(write.now);
        for exception in &exceptions {
            self.put(change, to, led_by_new(exception));
        }
        self.put(change, to, Event { former: Vec::new(), ..led_by_new(&event) });
        if event.attendee(from).is_none() {
            self.cancel(change, from, Event { status: Status::Cancelled, bare: true, ..event });
        }
        self.rename_organizer(change, from, id, to);
        Ok(())
    }

    fn check_transfer(&self, event: &Event, from: &str, to: &str) -> Result<()> {
        if event.is_cancelled() {
            return Err(ApiError::not_found());
        }
        if event.occurrence.is_some() {
            let message = "Cannot change the organizer of an instance.";
            return Err(ApiError::new(400, "calendar", "cannotChangeOrganizerOfInstance", message));
        }
        kinds::check_default(&event.kind)?;
        if event.is_copy_for(from) {
            let message = "The organizer of an event can only be changed by the organizer.";
            return Err(ApiError::forbidden("cannotChangeOrganizer", message));
        }
        if from == to {
            return Err(ApiError::invalid("The event is in that calendar already."));
        }
        // A guest's copy gives way, and so does what an earlier move left behind.
        let taken = self.all.get(to).is_some_and(|calendar| match calendar.events.get(&event.id) {
            Some(held) => held.ical_uid != event.ical_uid,
            None => calendar.holds(&event.ical_uid),
        });
        if taken { Err(ApiError::duplicate()) } else { Ok(()) }
    }

    /// Tells every other copy of the event, and of its exceptions, who leads it now.
    fn rename_organizer(&mut self, change: Change, from: &str, id: &str, to: &str) {
        let guests: Vec<String> = self.all.keys().filter(|calendar| *calendar != to).cloned().collect();
        for guest in guests {
            let held = self.all.get(&guest).and_then(|calendar| calendar.events.get(id)).cloned();
            let copies = held.into_iter().flat_map(|copy| {
                let exceptions = self.exceptions(&guest, id);
                exceptions.into_iter().chain([copy])
            });
            let led_by_old = copies.filter(|copy| copy.organizer == from && !copy.bare);
            for copy in led_by_old.collect::<Vec<_>>() {
                self.put(change, &guest, Event { organizer: to.to_owned(), ..copy });
            }
        }
    }
}
