//! `GET /api/v1/calendar/external-events/{instructorId}`: what the instructor planned in Google.

use calendar_sync::{
    Error, Result,
    bootstrap::Bootstrap,
    config::ClaimNames,
    http::{Caller, answer, input, reply},
    model::{Window, timestamp},
    usecases::list_external_events::{ListExternalEvents, Page, ReadExternalEvents},
};
use chrono::{DateTime, TimeDelta, Utc};
use lambda_http::{Body, Request, Response};
use serde_json::{Value, json};

use crate::view;

/// What is shown when no range is given, from now on.
const USUAL: TimeDelta = TimeDelta::days(30);

/// What the function needs.
pub struct Deps {
    events: ReadExternalEvents,
    claims: ClaimNames,
}

impl Deps {
    /// Makes it at cold start.
    #[expect(clippy::unused_async, reason = "all functions are made alike")]
    pub async fn new(bootstrap: &Bootstrap) -> Result<Self> {
        let events = ReadExternalEvents { store: bootstrap.store(), clock: bootstrap.clock() };
        Ok(Self { events, claims: bootstrap.config.claims() })
    }
}

/// Answers a request.
pub async fn handle(deps: &Deps, request: Request) -> Response<Body> {
    answer(list(deps, &request).await)
}

async fn list(deps: &Deps, request: &Request) -> Result<Response<Body>> {
    let caller = Caller::of(request, &deps.claims)?;
    let key = caller.connection_of(input::instructor_in_path(request)?)?;
    let asked = ListExternalEvents {
        window: window(request, deps.events.clock.now())?,
        conflicts_only: match input::query(request, "conflictsOnly")?.as_deref() {
            None | Some("false") => false,
            Some("true") => true,
            Some(_) => return Err(Error::field("conflictsOnly", "is not true or false")),
        },
        after: input::query(request, "cursor")?.map(|cursor| after(&cursor)).transpose()?,
    };
    let page = deps.events.list(key, &asked).await?;
    reply::ok(&json!({
        "events": page.occurrences.iter().map(view::event::occurrence).collect::<Value>(),
        "timeZone": page.time_zone,
        "from": timestamp::format(asked.window.from),
        "to": timestamp::format(asked.window.to),
        "nextCursor": next(&page),
    }))
}

fn window(request: &Request, now: DateTime<Utc>) -> Result<Window> {
    let moment = |name| -> Result<Option<DateTime<Utc>>> {
        let parse = |text: String| DateTime::parse_from_rfc3339(&text.replace(' ', "+"));
        let wrong = |_| Error::field(name, "is not a moment such as 2025-11-01T00:00:00Z");
        Ok(input::query(request, name)?.map(parse).transpose().map_err(wrong)?.map(|moment| moment.to_utc()))
    };
    let from = moment("from")?.unwrap_or(now);
    let to = moment("to")?.map_or_else(|| from.checked_add_signed(USUAL), Some);
    let to = to.ok_or_else(|| Error::field("from", "is out of range"))?;
    if to <= from {
        return Err(Error::field("to", "does not lie after `from`"));
    }
    if to - from > TimeDelta::days(Window::MOST_DAYS) {
        return Err(Error::field("to", "lies more than 366 days after `from`"));
    }
    Ok(Window { from, to })
}

/// The cursor is the place of the last occurrence: its beginning in milliseconds and its event.
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
