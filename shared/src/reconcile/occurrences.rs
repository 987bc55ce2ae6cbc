//! The occurrences in a window, calculated when they are read: single events, and series with their exceptions.

use std::{
    collections::{BTreeMap, BTreeSet},
    iter,
};

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use crate::{
    model::{Event, EventId, ExternalCalendarEvent, Window},
    ports::ExternalLookup,
    recurrence::Series,
};

/// Calls `visit` with the row and times of everything that overlaps the window: single events, exceptions, and
/// occurrences of series that no exception replaces. Cancelled ones are left out.
pub fn each<'a>(
    lookup: &'a ExternalLookup,
    window: Window,
    calendar_zone: Tz,
    mut visit: impl FnMut(&'a ExternalCalendarEvent, DateTime<Utc>, DateTime<Utc>),
) {
    let mut single = |row: &'a ExternalCalendarEvent| {
        if let Some((start, end)) = span(&row.event, calendar_zone)
            && !row.event.is_cancelled()
            && start < window.to
            && end > window.from
        {
            visit(row, start, end);
        }
    };
    lookup.events.iter().for_each(&mut single);
    for (_, exceptions) in &lookup.series {
        exceptions.iter().for_each(&mut single);
    }
    for (series, exceptions) in &lookup.series {
        let replaced: BTreeSet<DateTime<Utc>> = exceptions
            .iter()
            .filter_map(|exception| exception.event.original_start)
            .map(|original| original.instant(calendar_zone))
            .collect();
        let occurrences = Series::read(&series.event, calendar_zone).map(|series| series.occurrences(window));
        for (start, end) in occurrences.into_iter().flatten().filter(|(start, _)| !replaced.contains(start)) {
            visit(series, start, end);
        }
    }
}

/// What `lookup` will return once `put` is stored and `gone` is removed. The result may reach beyond its window.
pub fn replaced(lookup: ExternalLookup, put: &[ExternalCalendarEvent], gone: &BTreeSet<EventId>) -> ExternalLookup {
    let series = lookup.series.into_iter().flat_map(|(series, exceptions)| iter::once(series).chain(exceptions));
    let mut rows: BTreeMap<EventId, ExternalCalendarEvent> =
        lookup.events.into_iter().chain(series).chain(put.iter().cloned()).map(|row| (row.id().clone(), row)).collect();
    rows.retain(|id, _| !gone.contains(id));
    let (series, others): (Vec<_>, Vec<_>) = rows.into_values().partition(|row| row.event.is_series());
    let mut exceptions: BTreeMap<EventId, Vec<ExternalCalendarEvent>> =
        series.iter().map(|series| (series.id().clone(), Vec::new())).collect();
    let mut events = Vec::new();
    for row in others {
        match row.event.recurring_event_id.as_ref().and_then(|series| exceptions.get_mut(series)) {
            Some(exceptions) => exceptions.push(row),
            None => events.push(row),
        }
    }
    let own = |series: ExternalCalendarEvent| {
        let exceptions = exceptions.remove(series.id()).unwrap_or_default();
        (series, exceptions)
    };
    ExternalLookup { events, series: series.into_iter().map(own).collect() }
}

/// The times of a single event; whole days begin in the calendar's zone.
fn span(event: &Event, calendar_zone: Tz) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
    Some((event.start?.instant(calendar_zone), event.end?.instant(calendar_zone)))
}

#[cfg(test)]
#[path = "occurrences_tests.rs"]
mod tests;
