//! Edits as a person makes them in Google's own page.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use super::Refusal;
use crate::Google;
use crate::calendar::{self, Calendars, Manner, Write};
use crate::error::{ApiError, Result};

impl Google {
    /// Creates an event from a resource such as an insert takes, and gives its id. One with another `organizer` is an
    /// invitation from another system, whose id may begin with `_`.
    pub fn create_event(
        &mut self,
        now: DateTime<Utc>,
        calendar: &str,
        event: &Value,
    ) -> std::result::Result<String, Refusal> {
        self.by_hand(now, calendar, |calendars, write| calendars.insert(write, &object(event)?))
    }

    /// Changes an event, or one instance of a series, by what a PATCH would take.
    pub fn edit_event(
        &mut self,
        now: DateTime<Utc>,
        calendar: &str,
        id: &str,
        changes: &Value,
    ) -> std::result::Result<(), Refusal> {
        self.by_hand(now, calendar, |calendars, write| calendars.update(write, id, &object(changes)?, Manner::Merge))
    }

    /// Deletes an event, a series, or one instance.
    pub fn delete_event(&mut self, now: DateTime<Utc>, calendar: &str, id: &str) -> std::result::Result<(), Refusal> {
        self.by_hand(now, calendar, |calendars, write| calendars.delete(write, id))
    }

    /// Gives an event another organizer, as when its calendar changes hands: what stays is a guest's copy.
    pub fn hand_over(
        &mut self,
        now: DateTime<Utc>,
        calendar: &str,
        id: &str,
        organizer: &str,
    ) -> std::result::Result<(), Refusal> {
        self.by_hand(now, calendar, |calendars, write| calendars.hand_over(write, id, organizer))
    }

    /// Answers an invitation in the guest's own calendar: `accepted`, `declined`, `tentative` or
    /// `needsAction`.
    pub fn respond(
        &mut self,
        now: DateTime<Utc>,
        calendar: &str,
        id: &str,
        answer: &str,
    ) -> std::result::Result<(), Refusal> {
        let event = self.event(calendar, id).unwrap_or_default();
        self.edit_event(now, calendar, id, &calendar::answer(&event, calendar, answer))
    }

    /// Changes this instance of a series and all that follow, and gives the id of the new series.
    pub fn split_series(
        &mut self,
        now: DateTime<Utc>,
        calendar: &str,
        instance: &str,
        changes: &Value,
    ) -> std::result::Result<String, Refusal> {
        self.by_hand(now, calendar, |calendars, write| calendars.split(write, instance, &object(changes)?))
    }

    fn by_hand<T>(
        &mut self,
        now: DateTime<Utc>,
        calendar: &str,
        edit: impl FnOnce(&mut Calendars, &mut Write<'_>) -> Result<T>,
    ) -> std::result::Result<T, Refusal> {
        let now = self.clock.read(now);
        let owner = self.calendars.all.get(calendar);
        let owner = owner.ok_or_else(ApiError::not_found)?.owner.clone();
        let mut write = Write::by_hand(now, calendar, &owner, &self.config.behaviour, &mut self.random);
        let outcome = edit(&mut self.calendars, &mut write);
        self.tell_push(now);
        Ok(outcome?)
    }
}

fn object(value: &Value) -> Result<Map<String, Value>> {
    let object = value.as_object().cloned();
    object.ok_or_else(|| ApiError::invalid("Not an object."))
}
