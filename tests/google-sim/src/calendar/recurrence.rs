//! The lines of a series, read as Google reads them: with white space, foreign parts and slips of other calendars in
//! them, as they come with invitations and imports.

use std::collections::BTreeSet;

use chrono::{Datelike, Duration, NaiveDate, NaiveDateTime};
use rrule::{Frequency, NWeekday, RRule, Unvalidated};

use super::when::When;
use super::zone::Zone;

/// Times a day beyond which a rule is not expanded, nor taken from a call of the API.
const MAX_TIMES_A_DAY: usize = 1_440;

/// A rule. It ends by the clock a day later than by its `UNTIL`, which is a moment: where the clocks change, moments and
/// readings of the wall clock do not come in the same order.
pub(super) struct Rule {
    pub rule: RRule<Unvalidated>,
    pub until: Option<When>,
}

/// The lines of a series, understood.
#[derive(Default)]
pub(super) struct Lines {
    pub rules: Vec<Rule>,
    pub ex_rules: Vec<Rule>,
    pub dates: Vec<When>,
    pub ex_dates: Vec<When>,
    /// Days on which nothing occurs.
    pub ex_days: BTreeSet<NaiveDate>,
    /// A line is among them of which nothing can be made. It adds nothing.
    pub unreadable: bool,
}

impl Lines {
    pub fn read(start: When, recurrence: &[String]) -> Self {
        let mut lines = Self::default();
        for line in recurrence {
            match Line::read(line) {
                Some(Line::Rule(rule)) => lines.add_rule(start, &rule, false),
                Some(Line::ExRule(rule)) => lines.add_rule(start, &rule, true),
                Some(Line::Dates(dates)) => lines.add_dates(start, &dates),
                Some(Line::ExDates(dates)) => lines.take_dates(start, &dates),
                Some(Line::Foreign) => {}
                None => lines.unreadable = true,
            }
        }
        lines
    }

    fn add_dates(&mut self, start: When, dates: &Dates) {
        for date in &dates.dates {
            match dates.when(start, date) {
                Some(when) => self.dates.push(when),
                None => self.unreadable = true,
            }
        }
    }

    fn take_dates(&mut self, start: When, dates: &Dates) {
        for date in &dates.dates {
            match (read_day(date), dates.when(start, date)) {
                (Some(day), _) => drop(self.ex_days.insert(day)),
                (None, Some(when)) => self.ex_dates.push(when),
                (None, None) => self.unreadable = true,
            }
        }
    }

    fn add_rule(&mut self, start: When, text: &str, excludes: bool) {
        match read_rule(start, text).filter(|rule| !is_too_often(&rule.rule)) {
            Some(rule) if excludes => self.ex_rules.push(rule),
            Some(rule) => self.rules.push(rule),
            None => self.unreadable = true,
        }
    }
}

pub(super) enum Line {
    /// The parts of a rule, in capitals and without white space.
    Rule(String),
    ExRule(String),
    Dates(Dates),
    ExDates(Dates),
    /// `X-…`
    Foreign,
}

/// The dates of a line, with the parameters that stand before them.
pub(super) struct Dates {
    pub head: String,
    pub dates: Vec<String>,
}

impl Line {
    pub fn read(line: &str) -> Option<Self> {
        let line: String = line.chars().filter(|c| !c.is_whitespace()).collect();
        // Some calendars leave `RRULE:` out.
        let Some((head, value)) = line.split_once(':') else {
            return Some(Self::Rule(line.to_ascii_uppercase()));
        };
        let name = head.split(';').next().unwrap_or(head).to_ascii_uppercase();
        let dates = |head: &str, value: &str| Dates {
            head: head.to_owned(),
            dates: value.split(',').filter(|date| !date.is_empty()).map(str::to_owned).collect(),
        };
        Some(match name.as_str() {
            // Google gives dates in such lines as well: `RRULE:DATE;TZID=Europe/Warsaw:20261211T020000`.
            "RRULE" if value.starts_with("DATE") => {
                let (parameters, value) = value.split_once(':')?;
                Self::Dates(dates(&format!("RRULE:{parameters}"), value))
            }
            "RRULE" => Self::Rule(value.to_ascii_uppercase()),
            "EXRULE" => Self::ExRule(value.to_ascii_uppercase()),
            "RDATE" => Self::Dates(dates(head, value)),
            "EXDATE" => Self::ExDates(dates(head, value)),
            name if name.starts_with("X-") => Self::Foreign,
            _ => return None,
        })
    }
}

impl Dates {
    /// When one of the dates is: a day at the usual time, of a period its start.
    pub fn when(&self, start: When, date: &str) -> Option<When> {
        let named = self.head.split([';', ':']).find_map(|parameter| parameter.strip_prefix("TZID="));
        let zone = match named {
            Some(name) => Some(Zone::parse(name)?),
            None => None,
        };
        let date = date.split('/').next().unwrap_or(date);
        match read_day(date) {
            Some(day) => Some(occurrence(start, day.and_time(start.wall().time()))),
            None => read_moment(start, zone, date),
        }
    }
}

fn read_day(text: &str) -> Option<NaiveDate> {
    NaiveDate::parse_from_str(text, "%Y%m%d").ok()
}

/// The occurrence at a reading of the series' wall clock: the start stays where it is, also in an hour that the clock
/// shows twice.
pub(super) fn occurrence(start: When, wall: NaiveDateTime) -> When {
    if wall == start.wall() { start } else { start.at_wall(wall) }
}

/// A rule as Google means it.
fn read_rule(start: When, text: &str) -> Option<Rule> {
    let mut until = None;
    let mut parts = Vec::new();
    for part in text.split(';').filter(|part| !part.is_empty() && !part.starts_with("X-")) {
        match part.strip_prefix("UNTIL=") {
            Some(end) => {
                let end = read_until(start, end)?;
                parts.push(format!("UNTIL={}", (end.wall() + Duration::days(1)).format("%Y%m%dT%H%M%SZ")));
                until = Some(end);
            }
            None => parts.push(part.to_owned()),
        }
    }
    let rule = as_google_means(parts.join(";").parse().ok()?, start);
    Some(Rule { rule, until })
}

fn as_google_means(rule: RRule<Unvalidated>, start: When) -> RRule<Unvalidated> {
    let (days, weekdays) = (rule.get_by_month_day(), rule.get_by_weekday());
    let elsewhere = !rule.get_by_month().is_empty()
        || !rule.get_by_week_no().is_empty()
        || !rule.get_by_year_day().is_empty()
        || !weekdays.is_empty();
    match rule.get_freq() {
        // Once a year, in the month of the start, where RFC 5545 says each month.
        Frequency::Yearly if !days.is_empty() && !elsewhere => {
            let month = u8::try_from(start.wall().month()).ok().and_then(|month| chrono::Month::try_from(month).ok());
            rule.by_month(&month.into_iter().collect::<Vec<_>>())
        }
        // "The first Monday" of a week is its Monday.
        Frequency::Weekly | Frequency::Daily | Frequency::Hourly => {
            let plain = weekdays.iter().map(|weekday| match weekday {
                NWeekday::Every(day) | NWeekday::Nth(_, day) => NWeekday::Every(*day),
            });
            let plain: Vec<NWeekday> = plain.collect();
            rule.by_weekday(plain)
        }
        _ => rule,
    }
}

fn is_too_often(rule: &RRule<Unvalidated>) -> bool {
    let times = [rule.get_by_hour().len(), rule.get_by_minute().len(), rule.get_by_second().len()];
    let times_a_day: usize = times.iter().map(|count| (*count).max(1)).product();
    let sets_apart = matches!(rule.get_freq(), Frequency::Secondly | Frequency::Minutely);
    sets_apart || times_a_day > MAX_TIMES_A_DAY
}

/// A day as `UNTIL` of a timed series takes that whole day along.
fn read_until(start: When, until: &str) -> Option<When> {
    match (start, read_day(until)) {
        (When::Day(_), Some(day)) => Some(When::Day(day)),
        (When::Moment { .. }, Some(day)) => Some(start.at_wall(day.and_hms_opt(23, 59, 59)?)),
        (_, None) => read_moment(start, None, until),
    }
}

/// A moment, by the series' wall clock where no zone is named; in a series of days the day as it is written, whatever its
/// zone.
fn read_moment(start: When, zone: Option<Zone>, text: &str) -> Option<When> {
    let wall = NaiveDateTime::parse_from_str(text.trim_end_matches('Z'), "%Y%m%dT%H%M%S").ok()?;
    let zone = if text.ends_with('Z') { Some(Zone::Named(chrono_tz::Tz::UTC)) } else { zone };
    Some(match (start, zone) {
        (When::Day(_), _) => When::Day(wall.date()),
        (When::Moment { zone: own, .. }, Some(zone)) if zone != own => {
            When::Moment { at: zone.resolve(wall), zone: own }
        }
        (When::Moment { .. }, _) => occurrence(start, wall),
    })
}
