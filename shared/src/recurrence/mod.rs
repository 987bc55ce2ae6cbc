//! The occurrences of a series, by RFC 5545 as Google shows it: from the lines of an event's `recurrence` to instants.
//!
//! A rule is expanded in the local time of the event's zone, and each occurrence is then placed in that zone: a weekly
//! lesson at nine stays at nine when the clock changes. RDATE and EXDATE are compared as instants.
//!
//! * `dates` reads dates, `rule` reads rules, and completes them with the first occurrence (`first`).
//! * `expand` walks through a rule, on a `budget` of steps: no event may take more, whatever its rules are. An event
//!   that would is refused when it is listed ([`Series::extent`]).

use std::{cmp::Reverse, collections::BTreeSet, ops::RangeInclusive};

use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeDelta, Utc};
use chrono_tz::Tz;

use crate::model::{Event, EventTime, Extent, Window, Zone};
use budget::Budget;
use dates::{Lasts, Written};
use first::First;
use line::{Dates, Line};
use rule::Rule;

mod budget;
mod dates;
mod expand;
mod first;
mod line;
mod rule;

/// Start and end of an occurrence.
pub type Times = (DateTime<Utc>, DateTime<Utc>);

/// The rules of an event need more steps than any real calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooMuchWork;

/// Local times of all zones differ from UTC by less than this.
const MAX_UTC_OFFSET: TimeDelta = TimeDelta::days(2);

/// Rules of one series. Each is expanded; the lines after the first rule too many are not read.
const MAX_RULES: usize = 150;

const EVER: RangeInclusive<NaiveDateTime> = NaiveDateTime::MIN..=NaiveDateTime::MAX;

const YEAR: TimeDelta = TimeDelta::days(366);

/// All years that a date can be written in, in seconds since the epoch.
const ALL_YEARS_SECONDS: (i64, i64) = (-62_135_596_800, 253_402_300_799);

/// A series with its lines parsed.
#[derive(Debug)]
pub struct Series {
    first: First,
    rules: Vec<Rule>,
    /// EXRULEs.
    excluding: Vec<Rule>,
    added: Vec<Times>,
    /// Both sorted.
    removed: Vec<DateTime<Utc>>,
    removed_days: Vec<NaiveDate>,
    misread: usize,
}

impl Series {
    /// Reads the lines of a series. `None` for an event without times.
    pub fn read(event: &Event, calendar_zone: Tz) -> Option<Self> {
        // Google names the zone of each series of timed events. None here: the name is unknown.
        let is_zone_known = !matches!(event.start, Some(EventTime::At { zone: None, .. }));
        let mut series = Self {
            first: First::of(event, calendar_zone)?,
            rules: Vec::new(),
            excluding: Vec::new(),
            added: Vec::new(),
            removed: Vec::new(),
            removed_days: Vec::new(),
            misread: usize::from(!is_zone_known),
        };
        for line in &event.recurrence {
            if series.has_too_many_rules() {
                break;
            }
            let understood = series.take(line);
            series.misread += usize::from(!understood);
        }
        series.removed.sort_unstable();
        series.removed_days.sort_unstable();
        Some(series)
    }

    /// How many lines were not, or not fully, understood. An unknown zone of the series counts as one.
    pub fn misread(&self) -> usize {
        self.misread
    }

    /// The occurrences that overlap the window, in order, without regard to exceptions.
    pub fn occurrences(&self, window: Window) -> Vec<Times> {
        self.within(window, &mut Budget::of(window.to - window.from))
    }

    /// The occurrences that overlap any of the windows, which are in order and disjoint; and the steps that this took. All
    /// windows within a year cost one expansion.
    pub fn occurrences_in(&self, windows: &[Window]) -> (Vec<Times>, u64) {
        let (mut found, mut steps) = (Vec::new(), 0);
        let mut left = windows;
        while let [first, ..] = left {
            let within_a_year = left.partition_point(|window| window.to - first.from <= YEAR).max(1);
            let (year, later) = left.split_at(within_a_year);
            let hull = Window { from: first.from, to: year[within_a_year - 1].to };
            let mut budget = Budget::of(hull.to - hull.from);
            let overlaps = |(start, end): &Times| {
                let next = year.partition_point(|window| window.to <= *start);
                year.get(next).is_some_and(|window| window.from < *end)
            };
            found.extend(self.within(hull, &mut budget).into_iter().filter(overlaps));
            steps += budget.spent();
            left = later;
        }
        // One that lasts from a year into the next is found in both.
        found.sort_unstable();
        found.dedup();
        (found, steps)
    }

    fn within(&self, window: Window, budget: &mut Budget) -> Vec<Times> {
        let [from, to] = [window.from, window.to].map(|at| {
            let ever = [ALL_YEARS_SECONDS.0, ALL_YEARS_SECONDS.1]
                .map(|second| DateTime::from_timestamp(second, 0).unwrap_or_default());
            self.first.local(at.clamp(ever[0], ever[1]))
        });
        let reach = self.first.length.max(TimeDelta::zero()) + MAX_UTC_OFFSET;
        let mut found = self.beginning(&(from - reach..=to + MAX_UTC_OFFSET), budget);
        found.retain(|(start, end)| *start < window.to && *end > window.from);
        found
    }

    /// From when to when it occurs. Refused if that, or any question about a year, needs too many steps.
    pub fn extent(&self) -> Result<Extent, TooMuchWork> {
        self.extent_and_steps().0
    }

    /// The extent, and the steps that finding it took.
    pub fn extent_and_steps(&self) -> (Result<Extent, TooMuchWork>, u64) {
        let Some(budget) = self.budget_beside_a_year() else { return (Err(TooMuchWork), 0) };
        let first_start = self.added.iter().map(|(start, _)| *start).fold(self.first.times().0, DateTime::min);
        let mut all = budget;
        if !self.is_endless() {
            let found = self.beginning(&EVER, &mut all);
            if !all.is_spent() {
                let last_end = found.iter().map(|(_, end)| *end).max().unwrap_or(first_start);
                return (Ok(Extent { first_start, last_end: Some(last_end) }), all.spent());
            }
        }
        // An end beyond the budget counts as none, unless it takes the budget to count to it.
        let mut counting = budget;
        for rule in self.all_rules().filter(|rule| rule.count.is_some()) {
            expand::expand(rule, self.first.start, &self.before_its_end(rule, &EVER), &mut counting, |_| {});
        }
        let extent = if counting.is_spent() { Err(TooMuchWork) } else { Ok(Extent { first_start, last_end: None }) };
        (extent, all.spent() + counting.spent())
    }

    /// The steps that a year of the rules without a COUNT leaves for those with one, which each question walks through
    /// from their start. `None` if it leaves none.
    fn budget_beside_a_year(&self) -> Option<Budget> {
        let uncounted = self.all_rules().filter(|rule| rule.count.is_none());
        let year = uncounted.map(|rule| expand::steps(rule, self.days_in_question(rule))).fold(0, u64::saturating_add);
        if self.has_too_many_rules() { None } else { Budget::beside(year) }
    }

    fn is_endless(&self) -> bool {
        self.rules.iter().any(|rule| rule.count.is_none() && rule.until.is_none())
    }

    fn all_rules(&self) -> impl Iterator<Item = &Rule> {
        self.rules.iter().chain(&self.excluding)
    }

    fn has_too_many_rules(&self) -> bool {
        self.rules.len() + self.excluding.len() > MAX_RULES
    }

    /// The days that a question about a year examines: a long occurrence may have begun long before.
    fn days_in_question(&self, rule: &Rule) -> u64 {
        let days = 366 + self.first.length.num_days().max(0) + 2 * MAX_UTC_OFFSET.num_days();
        let life = rule.until.map_or(days, |until| (self.first.local(until) - self.first.start).num_days() + 2);
        days.min(life).try_into().unwrap_or(0)
    }

    /// The occurrences that begin in `wanted` in local time, and all RDATEs.
    fn beginning(&self, wanted: &RangeInclusive<NaiveDateTime>, budget: &mut Budget) -> Vec<Times> {
        let mut found = self.added.clone();
        // Google shows the first occurrence even where the rule leaves its day out.
        if wanted.contains(&self.first.start) {
            found.push(self.first.times());
        }
        for rule in &self.rules {
            self.expand(rule, wanted, budget, |times| found.push(times));
        }
        let mut gone = BTreeSet::new();
        for rule in &self.excluding {
            self.expand(rule, wanted, budget, |(start, _)| {
                gone.insert(start);
            });
        }
        found.retain(|(start, _)| !gone.contains(start) && !self.is_removed(*start));
        // A change of clocks can map two local times to one instant; the longer occurrence counts.
        found.sort_unstable_by_key(|(start, end)| (*start, Reverse(*end)));
        found.dedup_by_key(|(start, _)| *start);
        found
    }

    fn expand(
        &self,
        rule: &Rule,
        wanted: &RangeInclusive<NaiveDateTime>,
        budget: &mut Budget,
        mut visit: impl FnMut(Times),
    ) {
        expand::expand(rule, self.first.start, &self.before_its_end(rule, wanted), budget, |local| {
            let times = self.first.at(local);
            if rule.until.is_none_or(|until| times.0 <= until) {
                visit(times);
            }
        });
    }

    /// The part of `wanted` to which the UNTIL of `rule` lets it come, by any clock.
    fn before_its_end(&self, rule: &Rule, wanted: &RangeInclusive<NaiveDateTime>) -> RangeInclusive<NaiveDateTime> {
        let end =
            rule.until.map_or(*wanted.end(), |until| (self.first.local(until) + MAX_UTC_OFFSET).min(*wanted.end()));
        *wanted.start()..=end
    }

    fn is_removed(&self, start: DateTime<Utc>) -> bool {
        let on_removed_day = || self.removed_days.binary_search(&self.first.local(start).date()).is_ok();
        self.removed.binary_search(&start).is_ok() || !self.removed_days.is_empty() && on_removed_day()
    }

    /// Parses a line. False where it was not fully understood.
    fn take(&mut self, line: &str) -> bool {
        match Line::read(line) {
            Some(Line::Rule(text)) => Rule::read(text, &self.first).map(|rule| self.rules.push(rule)).is_some(),
            Some(Line::ExcludingRule(text)) => {
                Rule::read(text, &self.first).map(|rule| self.excluding.push(rule)).is_some()
            }
            Some(Line::Dates(dates)) => self.take_dates(&dates, |series, date, lasts, zone| {
                series.first.on(date, lasts, zone).map(|times| series.added.push(times)).is_some()
            }),
            Some(Line::ExcludedDates(dates)) => self.take_dates(&dates, |series, date, _, zone| {
                match date {
                    // A DATE removes the occurrence of that day, at any time.
                    date if series.first.is_days => series.removed_days.push(date.day()),
                    Written::Day(day) => series.removed_days.push(day),
                    date => series.removed.push(series.first.moment(date, zone)),
                }
                true
            }),
            None => false,
        }
    }

    /// Adds the dates that can be read. False where some cannot.
    fn take_dates(
        &mut self,
        dates: &Dates,
        mut take: impl FnMut(&mut Self, Written, Option<Lasts>, Option<Zone>) -> bool,
    ) -> bool {
        // An unknown zone is most likely the series' own under another name.
        let zone = dates.zone.and_then(Zone::read);
        let mut understood = zone.is_some() == dates.zone.is_some();
        for value in dates.values.split(',').filter(|value| !value.trim().is_empty()) {
            understood &= dates::read(value).is_some_and(|(date, lasts)| take(self, date, lasts, zone));
        }
        understood
    }
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
