//! The occurrences in a window, calculated when they are read: single events, and series with their exceptions.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use crate::{
    model::{Event, EventId, ExternalCalendarEvent, Window},
    ports::ExternalLookup,
    recurrence::{Series, Times},
};

/// What occurs in some windows. Each series is read and expanded once for all of them: a rule with a COUNT is expanded
/// from its start, which may be long ago.
pub struct Occurrences {
    windows: Vec<Window>,
    calendar_zone: Tz,
    known: BTreeMap<EventId, Vec<Times>>,
    steps: u64,
}

impl Occurrences {
    /// The windows are in order and disjoint.
    pub fn within(windows: Vec<Window>, calendar_zone: Tz) -> Self {
        Self { windows, calendar_zone, known: BTreeMap::new(), steps: 0 }
    }

    pub fn windows(&self) -> &[Window] {
        &self.windows
    }

    /// Steps through rules so far, as `recurrence` counts them.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// Calls `visit` with the row and times of everything that overlaps `window`, one of the windows: single events,
    /// exceptions, and occurrences of series that no exception replaces. Cancelled ones are left out.
    pub fn each<'a>(
        &mut self,
        lookup: &'a ExternalLookup,
        window: Window,
        mut visit: impl FnMut(&'a ExternalCalendarEvent, DateTime<Utc>, DateTime<Utc>),
    ) {
        let zone = self.calendar_zone;
        let overlaps = |(start, end): Times| start < window.to && end > window.from;
        let exceptions = lookup.series.iter().flat_map(|(_, exceptions)| exceptions);
        for row in lookup.events.iter().chain(exceptions).filter(|row| !row.event.is_cancelled()) {
            if let Some((start, end)) = span(&row.event, zone).filter(|times| overlaps(*times)) {
                visit(row, start, end);
            }
        }
        for (series, exceptions) in &lookup.series {
            let originals = exceptions.iter().filter_map(|exception| exception.event.original_start);
            let replaced: BTreeSet<DateTime<Utc>> = originals.map(|original| original.instant(zone)).collect();
            let shown = |times: &&Times| overlaps(**times) && !replaced.contains(&times.0);
            for (start, end) in self.of(series).iter().filter(shown) {
                visit(series, *start, *end);
            }
        }
    }

    /// The occurrences of a series in all windows, including those that exceptions replace.
    fn of(&mut self, series: &ExternalCalendarEvent) -> &[Times] {
        self.known.entry(series.id().clone()).or_insert_with(|| {
            let read = Series::read(&series.event, self.calendar_zone);
            let (found, steps) = read.map(|series| series.occurrences_in(&self.windows)).unwrap_or_default();
            self.steps += steps;
            found
        })
    }
}

/// [`Occurrences::each`] for a single window.
pub fn each<'a>(
    lookup: &'a ExternalLookup,
    window: Window,
    calendar_zone: Tz,
    visit: impl FnMut(&'a ExternalCalendarEvent, DateTime<Utc>, DateTime<Utc>),
) {
    Occurrences::within(vec![window], calendar_zone).each(lookup, window, visit);
}

/// The times of a single event; whole days begin in the calendar's zone.
fn span(event: &Event, calendar_zone: Tz) -> Option<Times> {
    Some((event.start?.instant(calendar_zone), event.end?.instant(calendar_zone)))
}

#[cfg(test)]
#[path = "occurrences_tests.rs"]
mod tests;
