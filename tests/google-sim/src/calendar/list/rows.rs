//! The rows of a listing: complete ones, deltas, and the instances of one series.

use std::borrow::Cow;
use std::collections::BTreeMap;

use chrono::{DateTime, Duration, Utc};

use super::super::event::{Event, Occurrence, Stamp, Status};
use super::super::series::{self, Span};
use super::super::store::{Calendar, instance, stem};
use super::super::when::When;
use super::query::{Order, Query};
use crate::random::hash;

pub(super) struct Row<'a> {
    /// The rows are ordered by this number, and by id where it is the same.
    pub rank: i64,
    pub event: Cow<'a, Event>,
}

/// Where the rows come from.
pub(super) struct Source<'a> {
    pub calendar: &'a Calendar,
    pub now: DateTime<Utc>,
    /// Occurrences of an endless series, from now on, where the query names no end.
    pub occurrences: usize,
}

impl<'a> Source<'a> {
    /// Everything that there is now.
    pub fn complete(&self, query: &Query) -> Vec<Row<'a>> {
        let deleted = query.show_deleted || query.updated_min.is_some();
        let mut rows = Vec::new();
        for event in self.calendar.events.values().filter(|event| !event.purged) {
            if query.single && event.is_series() {
                if !event.is_cancelled() {
                    rows.extend(self.untouched(query, event).map(|instance| self.row(query, Cow::Owned(instance))));
                }
                continue;
            }
            // Cancelled instances of a series belong to it, asked for or not.
            let of_series = event.occurrence.is_some() && !event.bare && !query.single;
            let shown = !event.is_cancelled() || deleted || of_series;
            if shown && self.within(query, event) && query.matches(event) {
                rows.push(self.row(query, Cow::Borrowed(event)));
            }
        }
        rows
    }

    /// What changed after `since`, deleted events included. A change between two pages comes again, on a later page and
    /// in the next delta, whose cursor is as old as the first page.
    pub fn delta(&self, query: &Query, since: Stamp) -> Vec<Row<'a>> {
        let changed = self.calendar.changed(since).filter(|event| query.matches(event));
        if !query.single {
            return changed.map(|event| by_change(Cow::Borrowed(event))).collect();
        }
        let mut shown = BTreeMap::new();
        for event in changed {
            self.add_changed_instances(&mut shown, query, event, since);
        }
        shown.into_values().map(by_change).collect()
    }

    /// The instances of one series, changed ones included.
    pub fn instances(&self, query: &Query, series: &Event) -> Vec<Row<'a>> {
        if !series.is_series() || (series.is_cancelled() && !query.show_deleted) {
            return Vec::new();
        }
        let exceptions = self
            .calendar
            .exceptions(&series.id)
            .filter(|event| !event.bare)
            .filter(|event| !event.is_cancelled() || query.show_deleted)
            .filter(|event| self.within(query, event))
            .map(Cow::Borrowed);
        self.untouched(query, series).map(Cow::Owned).chain(exceptions).map(|event| self.row(query, event)).collect()
    }

    /// The instances of a changed event, and tombstones for those that it no longer has.
    fn add_changed_instances(
        &self,
        shown: &mut BTreeMap<String, Cow<'a, Event>>,
        query: &Query,
        event: &'a Event,
        since: Stamp,
    ) {
        for former in event.former.iter().filter(|former| former.until > since) {
            let shape = Event {
                start: former.start,
                end: event.ends_from(former.start),
                recurrence: former.recurrence.clone(),
                ..event.clone()
            };
            for mut gone in self.occurrences(query, &shape) {
                gone.status = Status::Cancelled;
                let stands = self.calendar.exception(&gone.id).is_some();
                if gone.id != event.id && !stands {
                    shown.entry(gone.id.clone()).or_insert(Cow::Owned(gone));
                }
            }
            if former.recurrence.is_empty() && event.is_series() {
                let single = Event { status: Status::Cancelled, bare: true, recurrence: Vec::new(), ..event.clone() };
                shown.entry(single.id.clone()).or_insert(Cow::Owned(single));
            }
        }
        if event.is_series() && !event.is_cancelled() {
            for instance in self.untouched(query, event) {
                shown.insert(instance.id.clone(), Cow::Owned(instance));
            }
        }
        if !event.is_series() {
            let live_again = event.bare && shown.get(&event.id).is_some_and(|e| !e.is_cancelled());
            if !live_again && !self.goes_on_in_another_half(event) {
                shown.insert(event.id.clone(), Cow::Borrowed(event));
            }
        }
    }

    /// Whether an instance that is gone from its series stands, under the same id, in what the series was split into.
    fn goes_on_in_another_half(&self, event: &Event) -> bool {
        let Some(Occurrence { series, original }) = event.occurrence.as_ref().filter(|_| event.is_cancelled()) else {
            return false;
        };
        let is_other_half = |other: &&Event| other.id != *series && stem(&other.id) == stem(series);
        let mut halves = self.calendar.events.values().filter(is_other_half);
        halves.any(|half| {
            half.is_series() && !half.is_cancelled() && series::occurs_at(half, *original, self.calendar.zone)
        })
    }

    /// The occurrences of a series that no exception stands in for.
    fn untouched(&self, query: &Query, series: &Event) -> impl Iterator<Item = Event> {
        self.occurrences(query, series)
            .filter(|instance| self.calendar.exception(&instance.id).is_none())
            .filter(|instance| self.within(query, instance) && query.matches(instance))
    }

    fn occurrences(&self, query: &Query, series: &Event) -> impl Iterator<Item = Event> {
        let zone = self.calendar.zone;
        // A day more, since occurrences are longer or shorter where the clocks change.
        let length = series.over_at(zone) - series.start.instant(zone) + Duration::days(1);
        let span = Span {
            from: query.time_min.map(|min| min - length),
            until: query.time_max,
            ahead: self.occurrences,
            now: self.now,
        };
        let starts =
            if series.is_series() { series::starts(series.start, &series.recurrence, zone, span) } else { Vec::new() };
        starts.into_iter().map(|start| instance(series, start))
    }

    /// Whether the event lies in the window: both bounds are exclusive.
    fn within(&self, query: &Query, event: &Event) -> bool {
        if query.time_min.is_none() && query.time_max.is_none() {
            return true;
        }
        if event.is_series() {
            return self.occurrences(query, event).any(|event| self.within_single(query, &event));
        }
        self.within_single(query, event)
    }

    fn within_single(&self, query: &Query, event: &Event) -> bool {
        let zone = self.calendar.zone;
        query.time_min.is_none_or(|min| event.over_at(zone) > min)
            && query.time_max.is_none_or(|max| event.start.instant(zone) < max)
    }

    fn row(&self, query: &Query, event: Cow<'a, Event>) -> Row<'a> {
        let rank = match query.order {
            Some(Order::StartTime) => event.start.instant(self.calendar.zone).timestamp_micros(),
            Some(Order::Updated) => event.updated.cast_signed(),
            // Without an order Google promises only that it stays the same.
            None => hash(&event.id).cast_signed(),
        };
        Row { rank, event }
    }
}

fn by_change(event: Cow<'_, Event>) -> Row<'_> {
    Row { rank: event.stamp.cast_signed(), event }
}

/// Whether `event` is the instance that once began at `original`.
pub(super) fn began_at(event: &Event, original: &str) -> bool {
    event.occurrence.as_ref().is_some_and(|place| match place.original {
        When::Day(day) => day.to_string() == original,
        When::Moment { at, .. } => DateTime::parse_from_rfc3339(original).is_ok_and(|original| original == at),
    })
}
