//! When a series occurs: worked out when read, in the event's own zone (design rule R7).
//!
//! A rule is expanded in local time, as if there were no zones, and each occurrence is then placed in its zone: a
//! weekly lesson at nine stays at nine when the clock changes, and a time that a change skips moves past the gap.

use std::{
    collections::{BTreeMap, BTreeSet},
    iter,
};

use chrono::{DateTime, Days, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use rrule::{Frequency, RRule, RRuleSet, Unvalidated};

use crate::{
    model::{Event, EventId, EventTime, ExternalCalendarEvent, Window, event::start_of_day},
    ports::ExternalLookup,
};

/// A rule that yields more than this within one question is cut off there; Google itself expands no further.
const MOST: u16 = 10_000;

/// Calls `visit` with the row and the times of everything that overlaps the window: single events, exceptions, and
/// the occurrences of series that no exception replaces. Cancelled ones are left out.
pub fn each(
    lookup: &ExternalLookup,
    window: Window,
    calendar_zone: Tz,
    mut visit: impl FnMut(&ExternalCalendarEvent, DateTime<Utc>, DateTime<Utc>),
) {
    let mut single = |row: &ExternalCalendarEvent| {
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
        for (start, end) in occurrences(&series.event, window, calendar_zone) {
            if !replaced.contains(&start) {
                visit(series, start, end);
            }
        }
    }
}

/// What `lookup` will be once `put` is stored and `gone` is removed. It may then hold what lies outside its window.
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

/// The times of a single event; days begin in the calendar's zone.
fn span(event: &Event, calendar_zone: Tz) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
    Some((event.start?.instant(calendar_zone), event.end?.instant(calendar_zone)))
}

/// The occurrences of a series that overlap the window, exceptions not considered. Lines that cannot be read are
/// left out; a series without a rule that can be read occurs once.
pub fn occurrences(series: &Event, window: Window, calendar_zone: Tz) -> Vec<(DateTime<Utc>, DateTime<Utc>)> {
    let Some(shape) = Shape::of(series, calendar_zone) else { return Vec::new() };
    let from = shape.local(window.from) - shape.length - TimeDelta::days(2);
    let to = shape.local(window.to) + TimeDelta::days(2);
    let placed = shape.starts(series, from, to).into_iter().map(|start| (shape.place(start), shape.place_end(start)));
    // Where the clock skips an hour, two local times are one moment, and a later one may come before.
    placed
        .filter(|(start, end)| *start < window.to && *end > window.from)
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect()
}

/// The end of the last occurrence of a series; `None` for a single event and for a series that has no end.
pub fn last_end(series: &Event, calendar_zone: Tz) -> Option<DateTime<Utc>> {
    let shape = Shape::of(series, calendar_zone).filter(|_| series.is_series())?;
    let rules = shape.rules(series, "RRULE");
    if rules.iter().any(|rule| rule.get_count().is_none() && rule.get_until().is_none()) {
        return None;
    }
    let starts = shape.starts(series, NaiveDateTime::MIN, NaiveDateTime::MAX);
    if starts.len() >= usize::from(MOST) {
        return None;
    }
    starts.last().map(|start| shape.place_end(*start))
}

/// The first occurrence of a series, in local time.
struct Shape {
    start: NaiveDateTime,
    length: TimeDelta,
    /// The zone in which it repeats.
    zone: Tz,
    /// Whole days.
    days: bool,
}

impl Shape {
    fn of(event: &Event, calendar_zone: Tz) -> Option<Self> {
        match (event.start?, event.end?) {
            (EventTime::Day(start), EventTime::Day(end)) => Some(Self {
                start: start.and_time(NaiveTime::MIN),
                length: end - start,
                zone: calendar_zone,
                days: true,
            }),
            (EventTime::At { instant, zone }, EventTime::At { instant: end, .. }) => {
                let zone = zone.unwrap_or(calendar_zone);
                Some(Self {
                    start: instant.with_timezone(&zone).naive_local(),
                    length: end - instant,
                    zone,
                    days: false,
                })
            }
            (EventTime::Day(_), EventTime::At { .. }) | (EventTime::At { .. }, EventTime::Day(_)) => None,
        }
    }

    fn local(&self, instant: DateTime<Utc>) -> NaiveDateTime {
        instant.with_timezone(&self.zone).naive_local()
    }

    fn place(&self, local: NaiveDateTime) -> DateTime<Utc> {
        if self.days {
            return start_of_day(local.date(), self.zone);
        }
        match self.zone.from_local_datetime(&local).earliest() {
            Some(placed) => placed.with_timezone(&Utc),
            // The clock skips this time: it stands as far past the gap as it would have stood in it.
            None => (self.zone.from_utc_datetime(&(local - TimeDelta::days(1))).fix_offset(local)).with_timezone(&Utc),
        }
    }

    fn place_end(&self, local: NaiveDateTime) -> DateTime<Utc> {
        if self.days { start_of_day((local + self.length).date(), self.zone) } else { self.place(local) + self.length }
    }

    fn rules(&self, series: &Event, name: &'static str) -> Vec<RRule<Unvalidated>> {
        lines(series, name).filter_map(|(_, rule)| self.localise(rule).parse().ok()).collect()
    }

    /// `rule` with its UNTIL in the local time in which it is expanded.
    fn localise(&self, rule: &str) -> String {
        let parts = rule.split(';').map(|part| match part.split_once('=') {
            Some(("UNTIL", until)) => match self.moment(until, None) {
                Some(local) if until.len() == 8 => {
                    format!("UNTIL={}", (local + TimeDelta::days(1) - TimeDelta::seconds(1)).format(WIRE))
                }
                Some(local) => format!("UNTIL={}", local.format(WIRE)),
                None => part.to_owned(),
            },
            Some(_) | None => part.to_owned(),
        });
        parts.collect::<Vec<_>>().join(";")
    }

    /// A DATE or DATE-TIME of RFC 5545, in local time.
    fn moment(&self, text: &str, zone: Option<Tz>) -> Option<NaiveDateTime> {
        if let Some(utc) = text.strip_suffix('Z') {
            let utc = NaiveDateTime::parse_from_str(utc, "%Y%m%dT%H%M%S").ok()?.and_utc();
            return Some(if self.days { utc.naive_utc() } else { self.local(utc) });
        }
        if text.len() == 8 {
            return Some(NaiveDate::parse_from_str(text, "%Y%m%d").ok()?.and_time(NaiveTime::MIN));
        }
        let local = NaiveDateTime::parse_from_str(text, "%Y%m%dT%H%M%S").ok()?;
        match zone {
            Some(zone) => Some(self.local(zone.from_local_datetime(&local).earliest()?.with_timezone(&Utc))),
            None => Some(local),
        }
    }

    fn dates<'a>(&'a self, series: &'a Event, name: &'static str) -> impl Iterator<Item = NaiveDateTime> + 'a {
        lines(series, name).flat_map(move |(parameters, values)| {
            let zone = parameters.split(';').find_map(|parameter| parameter.strip_prefix("TZID=")?.parse().ok());
            values.split(',').filter_map(move |value| self.moment(value.trim(), zone))
        })
    }

    /// The local times at which the series begins between `from` and `to`, in order.
    fn starts(&self, series: &Event, from: NaiveDateTime, to: NaiveDateTime) -> Vec<NaiveDateTime> {
        let within = |local: &NaiveDateTime| from <= *local && *local <= to;
        let mut starts: BTreeSet<NaiveDateTime> = self.dates(series, "RDATE").filter(within).collect();
        starts.extend(Some(self.start).filter(within));
        for rule in self.rules(series, "RRULE") {
            starts.extend(self.expand(rule, from, to).filter(within));
        }
        for rule in self.rules(series, "EXRULE") {
            for gone in self.expand(rule, from, to) {
                starts.remove(&gone);
            }
        }
        for gone in self.dates(series, "EXDATE") {
            // Of a series of whole days an EXDATE may carry a time.
            starts.remove(&if self.days { gone.date().and_time(NaiveTime::MIN) } else { gone });
        }
        starts.into_iter().collect()
    }

    /// The local times that a rule yields between `from` and `to`, and perhaps some around them.
    fn expand(
        &self,
        rule: RRule<Unvalidated>,
        from: NaiveDateTime,
        to: NaiveDateTime,
    ) -> impl Iterator<Item = NaiveDateTime> + use<> {
        let start = jump(&rule, self.start, from);
        let utc = |local: NaiveDateTime| local.and_utc().with_timezone(&rrule::Tz::UTC);
        let dates = rule.validate(utc(start)).map(|rule| {
            let mut set = RRuleSet::new(utc(start)).rrule(rule);
            if from > start {
                set = set.after(utc(from));
            }
            if to < NaiveDateTime::MAX {
                set = set.before(utc(to));
            }
            set.all(MOST).dates
        });
        dates.unwrap_or_default().into_iter().map(|date| date.naive_utc())
    }
}

const WIRE: &str = "%Y%m%dT%H%M%SZ";

trait FixOffset {
    /// The instant of `local` under the offset that `self` has.
    fn fix_offset(self, local: NaiveDateTime) -> DateTime<chrono::FixedOffset>;
}

impl FixOffset for DateTime<Tz> {
    fn fix_offset(self, local: NaiveDateTime) -> DateTime<chrono::FixedOffset> {
        use chrono::Offset;
        let offset = self.offset().fix();
        offset.from_local_datetime(&local).earliest().unwrap_or_else(|| self.fixed_offset())
    }
}

/// The lines `NAME;parameters:value` of a series, as parameters and value.
fn lines<'a>(series: &'a Event, name: &'static str) -> impl Iterator<Item = (&'a str, &'a str)> {
    // One that is not ASCII is none of RFC 5545's, and `rrule` would panic at it.
    series.recurrence.iter().filter(|line| line.is_ascii()).filter_map(move |line| {
        let (head, value) = line.split_once(':')?;
        let (head, parameters) = head.split_once(';').unwrap_or((head, ""));
        head.eq_ignore_ascii_case(name).then_some((parameters, value.trim()))
    })
}

/// A later beginning from which the rule yields the same occurrences after `from`: the past of a series that began
/// long ago is skipped, not walked through. Only where counting from the start does not matter.
fn jump(rule: &RRule<Unvalidated>, start: NaiveDateTime, from: NaiveDateTime) -> NaiveDateTime {
    let period = match rule.get_freq() {
        Frequency::Daily => 1,
        Frequency::Weekly => 7,
        Frequency::Yearly | Frequency::Monthly | Frequency::Hourly | Frequency::Minutely | Frequency::Secondly => {
            return start;
        }
    };
    if rule.get_count().is_some() || from <= start {
        return start;
    }
    let period = period * i64::from(rule.get_interval()).max(1);
    let periods = ((from - start).num_days() / period - 1).max(0);
    let days = u64::try_from(periods * period).unwrap_or(0);
    // A rule for the week takes in the days of its first week from the start on; a week has the same days wherever
    // it begins, so whole weeks may be skipped.
    start.checked_add_days(Days::new(days)).unwrap_or(start)
}

#[cfg(test)]
#[path = "occurrences_tests.rs"]
mod tests;
