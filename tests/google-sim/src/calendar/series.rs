//! Recurrence: from the lines of a series to its occurrences.
//!
//! Rules are expanded as readings of the wall clock and only then placed on the time line, so that a
//! weekly lesson at nine stays at nine across DST.

use std::collections::BTreeSet;

use chrono::{DateTime, Duration, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Utc};
use chrono_tz::Tz;
use rrule::{Frequency, RRule, RRuleSet, Unvalidated};

use super::event::Event;
use super::when::When;
use crate::error::{ApiError, Result};

/// No occurrence is later than this.
const LAST_YEAR: i32 = 2099;

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

/// The lines of a series, understood.
struct Lines {
    rules: Vec<RRule<Unvalidated>>,
    ex_rules: Vec<RRule<Unvalidated>>,
    dates: Vec<NaiveDateTime>,
    ex_dates: BTreeSet<NaiveDateTime>,
}

/// Whether Google would take the lines of this series.
pub(crate) fn check(event: &Event) -> Result<()> {
    let invalid = || ApiError::invalid("Invalid recurrence rule.");
    let lines = read(event.start, &event.recurrence).ok_or_else(invalid)?;
    let too_often = |rule: &RRule<Unvalidated>| matches!(rule.get_freq(), Frequency::Secondly | Frequency::Minutely);
    if lines.rules.iter().any(too_often) {
        return Err(invalid());
    }
    for rule in lines.rules.iter().chain(&lines.ex_rules) {
        let ended_before = rule.get_until().is_some_and(|until| until.naive_utc() < event.start.wall());
        if !ended_before {
            rule.clone().validate(as_utc(event.start.wall())).map_err(|_| invalid())?;
        }
    }
    Ok(())
}

/// The starts of the occurrences of a series within `span`, in order.
pub(crate) fn starts(start: When, recurrence: &[String], calendar_zone: Tz, span: Span) -> Vec<When> {
    let Some(lines) = read(start, recurrence) else {
        return Vec::new();
    };
    // A day to each side, since the wall clock and UTC are never further apart.
    let last = NaiveDate::from_ymd_opt(LAST_YEAR, 12, 31).unwrap_or_default().and_time(NaiveTime::MIN);
    let end = span.until.map_or(last, |until| until.naive_utc() + Duration::days(1)).min(last);
    let first = span.from.map(|from| from.naive_utc() - Duration::days(1));
    let ahead = if span.until.is_some() { usize::MAX } else { span.ahead };
    let ahead_from = span.now.naive_utc();

    let mut walls: BTreeSet<NaiveDateTime> = lines.dates.iter().copied().collect();
    // A series occurs where it starts, even if its rule leaves that day out; a count does not count it then.
    walls.insert(start.wall());
    for rule in &lines.rules {
        let mut left = ahead;
        for wall in expand(rule, start.wall()) {
            if wall > end || left == 0 {
                break;
            }
            if wall > ahead_from {
                left -= 1;
            }
            if first.is_none_or(|first| wall >= first) {
                walls.insert(wall);
            }
        }
    }
    for wall in &lines.ex_dates {
        walls.remove(wall);
    }
    if let Some(latest) = walls.last().copied() {
        for rule in &lines.ex_rules {
            for wall in expand(rule, start.wall()).take_while(|wall| *wall <= latest) {
                walls.remove(&wall);
            }
        }
    }
    let mut starts: Vec<When> = walls
        .into_iter()
        .map(|wall| start.at_wall(wall))
        .filter(|when| {
            let at = when.instant(calendar_zone);
            span.from.is_none_or(|from| at >= from) && span.until.is_none_or(|until| at < until)
        })
        .collect();
    // Where the clocks jump ahead, two readings can name one moment, and later ones an earlier moment.
    starts.sort_unstable_by_key(|when| when.instant(calendar_zone));
    starts.dedup();
    starts
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

/// The lines with every rule ending at `until`; a count gives way to it.
pub(crate) fn trimmed(recurrence: &[String], until: &str) -> Vec<String> {
    recurrence
        .iter()
        .map(|line| match line.strip_prefix("RRULE:") {
            Some(rule) => {
                let kept: Vec<&str> =
                    rule.split(';').filter(|part| !part.starts_with("UNTIL=") && !part.starts_with("COUNT=")).collect();
                format!("RRULE:{};UNTIL={until}", kept.join(";"))
            }
            None => line.clone(),
        })
        .collect()
}

/// The lines with as many occurrences taken off every count.
pub(crate) fn without_first(recurrence: &[String], gone_by: usize) -> Vec<String> {
    let less = |part: &str| match part.strip_prefix("COUNT=").map(str::parse::<usize>) {
        Some(Ok(count)) => format!("COUNT={}", count.saturating_sub(gone_by).max(1)),
        _ => part.to_owned(),
    };
    recurrence
        .iter()
        .map(|line| match line.strip_prefix("RRULE:") {
            Some(rule) => {
                let parts: Vec<String> = rule.split(';').map(less).collect();
                format!("RRULE:{}", parts.join(";"))
            }
            None => line.clone(),
        })
        .collect()
}

fn expand(rule: &RRule<Unvalidated>, start: NaiveDateTime) -> impl Iterator<Item = NaiveDateTime> + use<> {
    let start = as_utc(start);
    let rule = rule.clone().validate(start).ok();
    // The limit ends rules that never match.
    rule.map(|rule| RRuleSet::new(start).limit().rrule(rule))
        .into_iter()
        .flat_map(|set| (&set).into_iter())
        .map(|at| at.naive_utc())
}

fn as_utc(wall: NaiveDateTime) -> DateTime<rrule::Tz> {
    rrule::Tz::UTC.from_utc_datetime(&wall)
}

fn read(start: When, recurrence: &[String]) -> Option<Lines> {
    let mut lines = Lines { rules: Vec::new(), ex_rules: Vec::new(), dates: Vec::new(), ex_dates: BTreeSet::new() };
    for line in recurrence {
        let (head, value) = line.split_once(':')?;
        let (name, parameters) = head.split_once(';').unwrap_or((head, ""));
        match name.to_ascii_uppercase().as_str() {
            "RRULE" => lines.rules.push(read_rule(start, value)?),
            "EXRULE" => lines.ex_rules.push(read_rule(start, value)?),
            "RDATE" => lines.dates.extend(read_dates(start, parameters, value)?),
            "EXDATE" => lines.ex_dates.extend(read_dates(start, parameters, value)?),
            _ => return None,
        }
    }
    Some(lines)
}

/// A rule whose `UNTIL`, UTC on the wire, is a reading of the series' own wall clock.
fn read_rule(start: When, value: &str) -> Option<RRule<Unvalidated>> {
    let parts: Option<Vec<String>> = value
        .trim_end_matches(';')
        .split(';')
        .map(|part| match part.strip_prefix("UNTIL=") {
            Some(until) => {
                let wall = read_until(start, until)?;
                Some(format!("UNTIL={}", wall.format("%Y%m%dT%H%M%SZ")))
            }
            None => Some(part.to_owned()),
        })
        .collect();
    parts?.join(";").parse().ok()
}

/// A day as `UNTIL` of a timed series takes that whole day along.
fn read_until(start: When, until: &str) -> Option<NaiveDateTime> {
    if let Ok(day) = NaiveDate::parse_from_str(until, "%Y%m%d") {
        return day.and_hms_opt(23, 59, 59);
    }
    read_moment(start, None, until)
}

fn read_dates(start: When, parameters: &str, value: &str) -> Option<Vec<NaiveDateTime>> {
    let zone = parameters
        .split(';')
        .find_map(|parameter| parameter.strip_prefix("TZID="))
        .map(str::parse::<Tz>)
        .transpose()
        .ok()?;
    value
        .split(',')
        .map(|date| match NaiveDate::parse_from_str(date, "%Y%m%d") {
            // A day names the occurrence of that day.
            Ok(day) => Some(day.and_time(start.wall().time())),
            Err(_) => read_moment(start, zone, date),
        })
        .collect()
}

/// A moment as a reading of the series' wall clock.
fn read_moment(start: When, zone: Option<Tz>, text: &str) -> Option<NaiveDateTime> {
    let wall = NaiveDateTime::parse_from_str(text.trim_end_matches('Z'), "%Y%m%dT%H%M%S").ok()?;
    let zone = if text.ends_with('Z') { Some(Tz::UTC) } else { zone };
    match (start, zone) {
        (When::Moment { zone: own, .. }, Some(zone)) => {
            let at = super::when::resolve(zone, wall);
            Some(at.with_timezone(&own).naive_local())
        }
        (When::Moment { .. }, None) => Some(wall),
        (When::Day(_), _) => Some(wall.date().and_time(NaiveTime::MIN)),
    }
}
