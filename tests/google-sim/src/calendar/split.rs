//! "This and following events", as a person edits a series in Google's own page.

use chrono::{Duration, NaiveTime};
use serde_json::{Map, Value};

use super::When;
use super::draft;
use super::event::{Event, Occurrence};
use super::series::{self, Span};
use super::store::{Calendars, stem};
use super::write::Write;
use crate::error::{ApiError, Result};

impl Calendars {
    /// Ends a series before the instance `id` and begins a new one there, with `changes`. Gives the id of the new
    /// series: `<first series>_R<local start>` where the time stays, and otherwise, or where that id was given before,
    /// one of its own. From the first instance on it is the series itself that changes.
    pub fn split(&mut self, write: &mut Write<'_>, id: &str, changes: &Map<String, Value>) -> Result<String> {
        let first = self.current(write.calendar, id)?;
        let Some(Occurrence { series, original }) = first.occurrence else {
            return Err(ApiError::invalid("Not an instance of a series."));
        };
        let before = self.current(write.calendar, &series)?;
        let place = self.place(write)?;
        let past =
            Span { from: None, until: Some(original.instant(place.calendar_zone)), ahead: usize::MAX, now: write.now };
        if series::starts(before.start, &before.recurrence, place.calendar_zone, past).is_empty() {
            return self.change_whole(write, &before, changes);
        }
        let (until, begins) = cut_at(original);
        let (kept, following) = series::halves(before.start, &before.recurrence, original, &until);
        let mut new = Event {
            start: original,
            end: before.ends_from(original),
            recurrence: following,
            former: Vec::new(),
            ..before.clone()
        };
        let stays = (new.start, new.end);
        let mut body = new.writable();
        draft::merge(&mut body, changes);
        draft::apply(&mut new, &body, place)?;

        let named = format!("{}_R{begins}", stem(&series));
        let same_time = stays == (new.start, new.end);
        // An id stays taken after its event is deleted.
        let free = self.all.get(write.calendar).is_none_or(|calendar| !calendar.events.contains_key(&named));
        if same_time && free {
            new.id = named;
        } else {
            new.id = write.random.event_id();
            new.created = write.now;
            new.sequence = 1;
        }
        new.ical_uid = format!("{}@google.com", new.id);

        let id = new.id.clone();
        let change = self.begin(write.now);
        self.change(change, write.calendar, &before, Event { recurrence: kept, ..before.clone() });
        self.put(change, write.calendar, new);
        self.spread(change, write.calendar, &series, &before.attendees);
        self.spread(change, write.calendar, &id, &before.attendees);
        Ok(id)
    }

    fn change_whole(&mut self, write: &Write<'_>, before: &Event, changes: &Map<String, Value>) -> Result<String> {
        let mut body = before.writable();
        draft::merge(&mut body, changes);
        let mut after = before.clone();
        draft::apply(&mut after, &body, self.place(write)?)?;
        after.sequence += 1;
        let change = self.begin(write.now);
        self.change(change, write.calendar, before, after);
        self.spread(change, write.calendar, &before.id, &before.attendees);
        Ok(before.id.clone())
    }
}

/// Where the old rule ends, one second before the midnight that precedes the instance, and the name of the new series.
fn cut_at(original: When) -> (String, String) {
    let midnight = original.wall().date().and_time(NaiveTime::MIN);
    match original {
        When::Moment { zone, .. } => (
            (zone.resolve(midnight) - Duration::seconds(1)).format("%Y%m%dT%H%M%SZ").to_string(),
            original.wall().format("%Y%m%dT%H%M%S").to_string(),
        ),
        When::Day(day) => {
            ((midnight - Duration::seconds(1)).format("%Y%m%d").to_string(), day.format("%Y%m%d").to_string())
        }
    }
}
