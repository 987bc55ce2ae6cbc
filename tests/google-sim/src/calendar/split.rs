//! "This and following events", as a person edits a series in Google's own page.

use chrono::{Duration, NaiveTime};
use serde_json::{Map, Value};

use super::draft;
use super::event::{Event, Occurrence};
use super::series::{self, Span};
use super::store::{Calendars, stem};
use super::write::Write;
use super::{When, when::resolve};
use crate::error::{ApiError, Result};

impl Calendars {
    /// Ends a series before the instance `id` and begins a new one there, with `changes`. Gives the id
    /// of the new series: `<first series>_R<local start>`, or one of its own where that was given before.
    /// From the first instance on it is the series itself that changes.
    pub fn split(&mut self, write: &mut Write<'_>, id: &str, changes: &Map<String, Value>) -> Result<String> {
        let first = self.current(write.calendar, id)?;
        let Some(Occurrence { series, original }) = first.occurrence else {
            return Err(ApiError::invalid("Not an instance of a series."));
        };
        let before = self.current(write.calendar, &series)?;
        let place = self.place(write)?;

        // Google ends the old rule one second before the midnight that precedes the instance.
        let midnight = original.wall().date().and_time(NaiveTime::MIN);
        let (until, begins) = match original {
            When::Moment { zone, .. } => (
                (resolve(zone, midnight) - Duration::seconds(1)).format("%Y%m%dT%H%M%SZ").to_string(),
                original.wall().format("%Y%m%dT%H%M%S").to_string(),
            ),
            When::Day(day) => {
                ((midnight - Duration::seconds(1)).format("%Y%m%d").to_string(), day.format("%Y%m%d").to_string())
            }
        };
        let past =
            Span { from: None, until: Some(original.instant(place.calendar_zone)), ahead: usize::MAX, now: write.now };
        let gone_by = series::starts(before.start, &before.recurrence, place.calendar_zone, past);
        if gone_by.is_empty() {
            return self.change_whole(write, &before, changes);
        }
        let mut old = before.clone();
        old.recurrence = series::trimmed(&before.recurrence, &until);

        let mut id = format!("{}_R{begins}", stem(&series));
        // An id stays taken after its event is deleted.
        if self.all.get(write.calendar).is_some_and(|calendar| calendar.events.contains_key(&id)) {
            id = write.random.event_id();
        }
        let mut new = Event {
            ical_uid: format!("{id}@google.com"),
            id: id.clone(),
            created: write.now,
            start: original,
            end: before.end.shifted(before.start, original),
            recurrence: series::without_first(&before.recurrence, gone_by.len()),
            former: Vec::new(),
            sequence: 0,
            ..before.clone()
        };
        let mut body = new.writable();
        draft::merge(&mut body, changes);
        draft::apply(&mut new, &body, place)?;

        old.sequence += 1;
        self.change(write.now, write.calendar, &before, old);
        self.put(write.now, write.calendar, new);
        self.spread(write.now, write.calendar, &series, &before.attendees);
        self.spread(write.now, write.calendar, &id, &before.attendees);
        Ok(id)
    }

    fn change_whole(&mut self, write: &Write<'_>, before: &Event, changes: &Map<String, Value>) -> Result<String> {
        let mut body = before.writable();
        draft::merge(&mut body, changes);
        let mut after = before.clone();
        draft::apply(&mut after, &body, self.place(write)?)?;
        after.sequence += 1;
        self.change(write.now, write.calendar, before, after);
        self.spread(write.now, write.calendar, &before.id, &before.attendees);
        Ok(before.id.clone())
    }
}
