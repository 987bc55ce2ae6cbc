//! `GET /api/v1/calendar/external-events/{instructorId}`: the imported events of a range.

use calendar_sync::{
    Error, Result,
    bootstrap::Bootstrap,
    config::ClaimNames,
    http::{Caller, answer, input, reply},
    model::{ExternalCalendarEvent, Window, timestamp},
    usecases::list_external_events::{ListExternalEvents, Page, ReadExternalEvents},
};
use chrono::{DateTime, TimeDelta, Timelike as _, Utc};
use lambda_http::{Body, Request, Response};
use serde_json::{Value, json};

use crate::view;

const DEFAULT_RANGE: TimeDelta = TimeDelta::days(30);

pub struct Deps {
    events: ReadExternalEvents,
    claims: ClaimNames,
}

impl Deps {
    #[expect(clippy::unused_async, reason = "all functions are made alike")]
    pub async fn new(bootstrap: &Bootstrap) -> Result<Self> {
        let events = ReadExternalEvents { store: bootstrap.store(), clock: bootstrap.clock() };
        Ok(Self { events, claims: bootstrap.config.claims() })
    }
}

pub async fn handle(deps: &Deps, request: Request) -> Response<Body> {
    answer(list(deps, &request).await)
}

async fn list(deps: &Deps, request: &Request) -> Result<Response<Body>> {
    let caller = Caller::of(request, &deps.claims)?;
    let key = caller.connection_of(input::instructor_in_path(request)?)?;
    let now = deps.events.clock.now();
    let available_from = ExternalCalendarEvent::known_from(now);
    let Window { from, to } = window(request, now)?;
    let asked = ListExternalEvents {
        window: Window { from: from.max(available_from).min(to), to },
        conflicts_only: input::flag(request, "conflictsOnly")?,
        after: input::query(request, "cursor")?.map(|cursor| after(&cursor)).transpose()?,
    };
    let page = deps.events.list(key, &asked).await?;
    let sees_plans = caller.sees_plans_of(key.instructor_id, page.shares_titles);
    let page = if sees_plans { page } else { page.without_plans() };
    let events = json!({
        "events": page.occurrences.iter().map(view::event::occurrence).collect::<Value>(),
        "timeZone": page.time_zone,
        "from": timestamp::format(asked.window.from),
        "availableFrom": timestamp::format(available_from),
        "to": timestamp::format(asked.window.to),
        "nextCursor": next(&page),
    });
    reply::unless_known(request, &events)
}

fn window(request: &Request, now: DateTime<Utc>) -> Result<Window> {
    let moment = |name| -> Result<Option<DateTime<Utc>>> {
        let Some(text) = input::query(request, name)? else { return Ok(None) };
        let moment = DateTime::parse_from_rfc3339(&text.replace(' ', "+"))
            .map_err(|_| Error::field(name, "is not a moment such as 2025-11-01T00:00:00Z"))?;
        // chrono reads a 60th second of any minute.
        if moment.nanosecond() >= 1_000_000_000 {
            return Err(Error::field(name, "is a leap second"));
        }
        Window::check_year(name, &moment)?;
        Ok(Some(moment.to_utc()))
    };
    let from = moment("from")?.unwrap_or(now);
    let to = moment("to")?.unwrap_or(from + DEFAULT_RANGE);
    if to <= from {
        return Err(Error::field("to", "does not lie after `from`"));
    }
    if to - from > TimeDelta::days(Window::MAX_DAYS) {
        return Err(Error::field("to", "lies more than 366 days after `from`"));
    }
    Ok(Window { from, to })
}

/// The cursor names the last occurrence: its start in milliseconds and its event.
fn next(page: &Page) -> Option<String> {
    let last = page.occurrences.last().filter(|_| page.more)?;
    let (start, id) = last.place();
    Some(format!("{}.{id}", start.timestamp_millis()))
}

fn after(cursor: &str) -> Result<(DateTime<Utc>, String)> {
    let wrong = || Error::field("cursor", "is malformed");
    let (millis, id) = cursor.split_once('.').ok_or_else(wrong)?;
    let start = millis.parse().ok().and_then(DateTime::from_timestamp_millis).ok_or_else(wrong)?;
    Ok((start, id.to_owned()))
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use lambda_http::RequestExt;

    use super::*;

    fn asked<const N: usize>(parameters: [(&str, &str); N]) -> Result<Window> {
        let owned = |(name, value): (&str, &str)| (name.to_owned(), vec![value.to_owned()]);
        let parameters: HashMap<_, _> = parameters.map(owned).into();
        let request = Request::new(Body::Empty).with_query_string_parameters(parameters);
        window(&request, DateTime::UNIX_EPOCH)
    }

    #[test]
    fn an_absurd_year_is_refused_by_the_name_of_its_field() {
        assert!(asked([("from", "2026-01-01T00:00:00Z"), ("to", "2026-02-01T00:00:00Z")]).is_ok());
        assert!(asked([("from", "2200-12-31T00:00:00Z")]).is_ok());
        for from in ["+262142-12-31T23:59:59Z", "9999-12-31T23:59:59Z", "1969-12-31T00:00:00Z"] {
            assert_eq!(asked([("from", from)]).unwrap_err().details()[0].field, "from", "{from}");
        }
        let error = asked([("from", "2200-12-31T00:00:00Z"), ("to", "2201-01-01T00:00:00Z")]).unwrap_err();
        assert_eq!(error.details()[0].field, "to");
    }

    #[test]
    fn a_leap_second_is_refused_and_not_misread() {
        let (from, leap) = ("2026-06-30T23:00:00Z", "2026-06-30T23:59:60Z");
        for (parameters, field) in [([("from", leap), ("to", "")], "from"), ([("from", from), ("to", leap)], "to")] {
            assert_eq!(asked(parameters).unwrap_err().details()[0].field, field);
        }
    }
}
