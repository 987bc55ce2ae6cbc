//! `freebusy.query`: the busy times of calendars, without their events.

use std::collections::BTreeMap;

use chrono::{DateTime, Duration, SecondsFormat, Utc};
use chrono_tz::Tz;
use serde_json::{Map, Value, json};

use super::event::Event;
use super::list;
use super::store::{Calendar, Calendars};
use crate::error::{ApiError, Result};

/// Calendars of one query, at most.
const CALENDARS: usize = 50;

/// Members of one group, at most.
const MEMBERS: usize = 100;

/// The longest time of one query, which Google documents nowhere.
const DAYS: i64 = 90;

/// A span of time, its end exclusive.
type Span = (DateTime<Utc>, DateTime<Utc>);

#[derive(Debug, PartialEq)]
pub(crate) struct Question {
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    zone: Tz,
    /// Calendars and groups, as they were named.
    items: Vec<String>,
    calendars: usize,
    members: usize,
}

impl Question {
    pub fn read(body: &Map<String, Value>) -> Result<Self> {
        let (from, to) = (moment(body, "timeMin")?, moment(body, "timeMax")?);
        if to <= from {
            let message = "The specified time range is empty.";
            return Err(ApiError::new(400, "calendar", "timeRangeEmpty", message).at("parameter", "timeMax"));
        }
        if to - from > Duration::days(DAYS) {
            let message = "The requested time range is too long.";
            return Err(ApiError::new(400, "calendar", "timeRangeTooLong", message).at("parameter", "timeMax"));
        }
        let zone = match given(body, "timeZone") {
            None => Tz::UTC,
            Some(zone) => zone.as_str().and_then(|zone| zone.parse().ok()).ok_or_else(|| wrong("timeZone"))?,
        };
        let items = match given(body, "items") {
            None => Vec::new(),
            Some(items) => ids(items).ok_or_else(|| wrong("items"))?,
        };
        let calendars = at_most(body, "calendarExpansionMax", CALENDARS)?;
        Ok(Self { from, to, zone, items, calendars, members: at_most(body, "groupExpansionMax", MEMBERS)? })
    }

    /// The answer for an account, out of the calendars that it sees.
    pub fn answer(&self, all: &Calendars, account: &str, now: DateTime<Utc>) -> Value {
        let (mut wanted, mut groups) = (Vec::new(), Map::new());
        for item in &self.items {
            match all.groups.get(item) {
                None => wanted.push(item),
                Some(members) if members.len() > self.members => {
                    groups.insert(item.clone(), json!({"errors": errors("groupTooBig")}));
                }
                Some(members) => {
                    groups.insert(item.clone(), json!({"calendars": members}));
                    wanted.extend(members);
                }
            }
        }
        wanted.sort();
        wanted.dedup();
        let too_many = wanted.len() > self.calendars;
        let calendars: BTreeMap<&String, Value> = wanted
            .into_iter()
            .map(|id| {
                let entry = match all.visible(account, id) {
                    _ if too_many => json!({"errors": errors("tooManyCalendarsRequested"), "busy": []}),
                    None => json!({"errors": errors("notFound"), "busy": []}),
                    Some((calendar, _)) => json!({"busy": self.shown(&self.busy(calendar, now))}),
                };
                (id, entry)
            })
            .collect();
        let bound = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Millis, true);
        let mut answer = json!({
            "kind": "calendar#freeBusy",
            "timeMin": bound(self.from),
            "timeMax": bound(self.to),
            "calendars": calendars,
        });
        if !groups.is_empty() {
            answer["groups"] = Value::Object(groups);
        }
        answer
    }

    fn busy(&self, calendar: &Calendar, now: DateTime<Utc>) -> Vec<Span> {
        let spans =
            list::between(calendar, now, self.from, self.to).filter(|event| blocks(event, &calendar.id)).map(|event| {
                let (start, end) = (event.start.instant(calendar.zone), event.over_at(calendar.zone));
                (start.max(self.from), end.min(self.to))
            });
        merged(spans.collect())
    }

    fn shown(&self, spans: &[Span]) -> Vec<Value> {
        let text = |at: DateTime<Utc>| at.with_timezone(&self.zone).to_rfc3339_opts(SecondsFormat::Secs, true);
        spans.iter().map(|(start, end)| json!({"start": text(*start), "end": text(*end)})).collect()
    }
}

/// Whether an event that is not cancelled keeps its calendar busy. Only what the owner has declined, or has marked as
/// leaving them free, does not: an invitation without an answer does.
fn blocks(event: &Event, owner: &str) -> bool {
    let declined = event.attendee(owner).is_some_and(|own| own.response_status == "declined");
    event.detail("transparency") != Some("transparent") && !declined
}

/// Spans in order, those that overlap or touch as one, and empty ones left out.
fn merged(mut spans: Vec<Span>) -> Vec<Span> {
    spans.retain(|(start, end)| start < end);
    spans.sort_unstable();
    let mut merged: Vec<Span> = Vec::new();
    for (start, end) in spans {
        match merged.last_mut() {
            Some((_, last)) if start <= *last => *last = end.max(*last),
            _ => merged.push((start, end)),
        }
    }
    merged
}

fn given<'a>(body: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    body.get(name).filter(|value| !value.is_null())
}

/// A moment with an offset; fractions of a second are ignored.
fn moment(body: &Map<String, Value>, name: &str) -> Result<DateTime<Utc>> {
    let Some(value) = given(body, name) else {
        let message = format!("Missing {name} parameter.");
        return Err(ApiError::required(&message).at("parameter", name));
    };
    let at = value.as_str().and_then(|text| DateTime::parse_from_rfc3339(text).ok());
    at.and_then(|at| DateTime::from_timestamp(at.timestamp(), 0)).ok_or_else(|| wrong(name))
}

fn ids(items: &Value) -> Option<Vec<String>> {
    items.as_array()?.iter().map(|item| item.get("id")?.as_str().map(str::to_owned)).collect()
}

fn at_most(body: &Map<String, Value>, name: &str, most: usize) -> Result<usize> {
    match given(body, name) {
        None => Ok(most),
        Some(value) => {
            let number = value.as_u64().and_then(|number| usize::try_from(number).ok());
            number.filter(|number| *number <= most).ok_or_else(|| wrong(name))
        }
    }
}

fn errors(reason: &str) -> Value {
    json!([{"domain": "global", "reason": reason}])
}

fn wrong(name: &str) -> ApiError {
    ApiError::invalid(&format!("Invalid value for: {name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spans(hours: &[(i64, i64)]) -> Vec<Span> {
        let at = |hour: i64| DateTime::UNIX_EPOCH + Duration::hours(hour);
        hours.iter().map(|(start, end)| (at(*start), at(*end))).collect()
    }

    #[test]
    fn spans_that_overlap_or_touch_become_one() {
        let cases = [
            (vec![], vec![]),
            (vec![(1, 2)], vec![(1, 2)]),
            (vec![(3, 4), (1, 2)], vec![(1, 2), (3, 4)]),
            (vec![(1, 2), (2, 3)], vec![(1, 3)]),
            (vec![(1, 9), (2, 3), (4, 5)], vec![(1, 9)]),
            (vec![(1, 1), (5, 4), (2, 3)], vec![(2, 3)]),
        ];
        for (given, expected) in cases {
            assert_eq!(merged(spans(&given)), spans(&expected), "{given:?}");
        }
    }
}
