//! Recurrence: from the lines of a series to its occurrences.
//!
//! Rules are expanded as readings of the wall clock and only then placed on the time line, so that a
//! weekly lesson at nine stays at nine across DST.

use std::collections::BTreeMap;

use chrono::{DateTime, Duration, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Utc};
use chrono_tz::Tz;
use rrule::{RRule, RRuleSet, Unvalidated};

use super::event::Event;
use super::recurrence::{Line, Lines, Rule, occurrence};
use super::when::When;
use crate::error::{ApiError, Result};

/// No occurrence is later than this.
const LAST_YEAR: i32 = 2099;

/// A rule gives no more occurrences than this, counted from its start: past it the series is cut.
const MAX_OCCURRENCES: usize = 100_000;

/// The part of a series that is wanted, by the start of its occurrences.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    /// Occurrences that start before this are left out.
    pub from: Option<DateTime<Utc>>,
    /// Occurrences that start at this or later are left out.
    pub until: Option<DateTime<Utc>>,
    /// Without `until`: how many occurrences are wanted after `now`.
    pub ahead: usize,
    pub now: DateTime<Utc>,
}

/// Whether Google takes the lines of this series from a call of its API.
pub(crate) fn check(event: &Event) -> Result<()> {
    let invalid = || ApiError::invalid("Invalid recurrence rule.");
    let lines = Lines::read(event.start, &event.recurrence);
    if lines.unreadable {
        return Err(invalid());
    }
    for Rule { rule, .. } in lines.rules.iter().chain(&lines.ex_rules) {
        let ended_before = rule.get_until().is_some_and(|until| until.naive_utc() < event.start.wall());
        if !ended_before {
            rule.clone().validate(as_utc(event.start.wall())).map_err(|_| invalid())?;
        }
    }
    Ok(())
}

/// The starts of the occurrences of a series within `span`, in order.
pub(crate) fn starts(start: When, recurrence: &[String], calendar_zone: Tz, span: Span) -> Vec<When> {
    let lines = Lines::read(start, recurrence);
    // A day to each side, since the wall clock and UTC are never further apart.
    let last = NaiveDate::from_ymd_opt(LAST_YEAR, 12, 31).unwrap_or_default().and_time(NaiveTime::MIN);
    let end = span.until.map_or(last, |until| until.naive_utc() + Duration::days(1)).min(last);
    let first = span.from.map(|from| from.naive_utc() - Duration::days(1));
    let ahead = if span.until.is_some() { usize::MAX } else { span.ahead };
    let ahead_from = span.now.naive_utc();

    let mut found: BTreeMap<DateTime<Utc>, When> = BTreeMap::new();
    let mut add = |when: When| {
        found.insert(when.instant(calendar_zone), when);
    };
    lines.dates.iter().copied().for_each(&mut add);
    // A series occurs where it starts, even if its rule leaves that day out; a count does not count it then.
    add(start);
    for rule in &lines.rules {
        let mut left = ahead;
        for (wall, when) in occurrences(rule, start, calendar_zone) {
            if wall > end || left == 0 {
                break;
            }
            if wall > ahead_from {
                left -= 1;
            }
            if first.is_none_or(|first| wall >= first) {
                add(when);
            }
        }
    }
    for date in &lines.ex_dates {
        found.remove(&date.instant(calendar_zone));
    }
    found.retain(|_, when| !lines.ex_days.contains(&when.wall().date()));
    if let Some(latest) = found.values().map(|when| when.wall()).max() {
        for rule in &lines.ex_rules {
            for (_, when) in occurrences(rule, start, calendar_zone).take_while(|(wall, _)| *wall <= latest) {
                found.remove(&when.instant(calendar_zone));
            }
        }
    }
    let wanted =
        |at: &DateTime<Utc>| span.from.is_none_or(|from| *at >= from) && span.until.is_none_or(|until| *at < until);
    found.into_iter().filter(|(at, _)| wanted(at)).map(|(_, when)| when).collect()
}

/// Whether the series has an occurrence that starts at `original`.
pub(crate) fn occurs_at(event: &Event, original: When, calendar_zone: Tz) -> bool {
    // A day is no occurrence of a series of moments, though it may begin at one of them.
    if matches!(original, When::Day(_)) != matches!(event.start, When::Day(_)) {
        return false;
    }
    let at = original.instant(calendar_zone);
    let span = Span { from: Some(at), until: Some(at + Duration::seconds(1)), ahead: usize::MAX, now: at };
    starts(event.start, &event.recurrence, calendar_zone, span).iter().any(|start| start.instant(calendar_zone) == at)
}

/// The lines of a series that is split where `original` begins: what stays, with every rule ending at `until`, and what
/// goes on, with what stays taken off every count. Each single date goes with its half, as it is written.
pub(crate) fn halves(start: When, recurrence: &[String], original: When, until: &str) -> (Vec<String>, Vec<String>) {
    let (mut kept, mut following) = (Vec::new(), Vec::new());
    for line in recurrence {
        match Line::read(line) {
            Some(Line::Rule(rule)) => {
                let gone_by = Lines::read(start, std::slice::from_ref(line)).rules.first().map_or(0, |rule| {
                    expand(&rule.rule, start.wall()).take_while(|wall| *wall < original.wall()).count()
                });
                kept.push(ending(&rule, until));
                following.push(without_first(&rule, gone_by));
            }
            Some(Line::Dates(dates) | Line::ExDates(dates)) => {
                let (before, after): (Vec<&str>, Vec<&str>) = dates
                    .dates
                    .iter()
                    .map(String::as_str)
                    .partition(|date| dates.when(start, date).is_some_and(|when| when.wall() < original.wall()));
                for (half, dates_of_it) in [(&mut kept, before), (&mut following, after)] {
                    if !dates_of_it.is_empty() {
                        half.push(format!("{}:{}", dates.head, dates_of_it.join(",")));
                    }
                }
            }
            _ => {
                kept.push(line.clone());
                following.push(line.clone());
            }
        }
    }
    (kept, following)
}

/// The rule ending at `until`, to which a count gives way.
fn ending(rule: &str, until: &str) -> String {
    let kept = rule.split(';').filter(|part| !part.starts_with("UNTIL=") && !part.starts_with("COUNT="));
    format!("RRULE:{};UNTIL={until}", kept.collect::<Vec<_>>().join(";"))
}

/// The rule with as many occurrences taken off its count.
fn without_first(rule: &str, gone_by: usize) -> String {
    let less = |part: &str| match part.strip_prefix("COUNT=").map(str::parse::<usize>) {
        Some(Ok(count)) => format!("COUNT={}", count.saturating_sub(gone_by).max(1)),
        _ => part.to_owned(),
    };
    format!("RRULE:{}", rule.split(';').map(less).collect::<Vec<_>>().join(";"))
}

/// The occurrences that a rule gives up to its end, beside their readings of the wall clock.
fn occurrences(rule: &Rule, start: When, calendar_zone: Tz) -> impl Iterator<Item = (NaiveDateTime, When)> {
    let until = rule.until.map(|until| until.instant(calendar_zone));
    expand(&rule.rule, start.wall())
        .map(move |wall| (wall, occurrence(start, wall)))
        .filter(move |(_, when)| until.is_none_or(|until| when.instant(calendar_zone) <= until))
}

/// The occurrences that a rule gives, as readings of the wall clock, as far as they are counted out.
fn expand(rule: &RRule<Unvalidated>, start: NaiveDateTime) -> impl Iterator<Item = NaiveDateTime> + use<> {
    let start = as_utc(start);
    let rule = rule.clone().validate(start).ok();
    // The limit ends rules that never match.
    rule.map(|rule| RRuleSet::new(start).limit().rrule(rule))
        .into_iter()
        .flat_map(|set| (&set).into_iter())
        .map(|at| at.naive_utc())
        .take(MAX_OCCURRENCES)
}

fn as_utc(wall: NaiveDateTime) -> DateTime<rrule::Tz> {
    rrule::Tz::UTC.from_utc_datetime(&wall)
}
