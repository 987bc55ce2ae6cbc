//! The event types, and what each of them demands.

use chrono::Duration;
use serde_json::Value;

use super::event::{Event, Status};
use super::place::Place;
use crate::error::{ApiError, Result};

pub(crate) const KINDS: [&str; 6] = ["default", "outOfOffice", "focusTime", "workingLocation", "birthday", "fromGmail"];

fn refused(message: &str) -> ApiError {
    ApiError::new(400, "calendar", "eventTypeRestriction", message)
}

/// The type that an insert asks for. Events from Gmail are made by Gmail alone.
pub(crate) fn of_insert(body: &serde_json::Map<String, Value>, by_hand: bool) -> Result<String> {
    let kind = body.get("eventType").and_then(Value::as_str).unwrap_or("default");
    if !KINDS.contains(&kind) {
        return Err(ApiError::invalid("Invalid value for: eventType"));
    }
    if kind == "fromGmail" && !by_hand {
        return Err(refused("Events from Gmail cannot be created."));
    }
    Ok(kind.to_owned())
}

/// Only the default type can be imported and moved.
pub(crate) fn check_default(kind: &str) -> Result<()> {
    demand(kind == "default", "This event type can neither be imported nor moved.")
}

/// Whether `event` is what its type allows.
pub(crate) fn check(event: &Event, place: Place) -> Result<()> {
    if event.status == Status::Cancelled {
        return Ok(());
    }
    match event.kind.as_str() {
        "outOfOffice" | "focusTime" => {
            demand(place.primary, "This event type is for primary calendars.")?;
            demand(!event.start.is_day(), "This event type cannot last all day.")?;
            let opaque = event.detail("transparency").is_none();
            demand(opaque, "This event type is always opaque.")
        }
        "workingLocation" => {
            demand(place.primary, "Working locations are for primary calendars.")?;
            demand(!place.in_batch, "Working locations cannot be written in a batch.")?;
            let known = event.details.contains_key("workingLocationProperties");
            demand(known, "Working location properties are missing.")?;
            let public = event.detail("visibility") == Some("public");
            demand(public, "Working locations are public.")?;
            let transparent = event.detail("transparency") == Some("transparent");
            demand(transparent, "Working locations are transparent.")?;
            let fits = !event.start.is_day() || is_one_day(event);
            demand(fits, "All-day working locations last one day.")
        }
        "birthday" => {
            demand(event.start.is_day() && is_one_day(event), "Birthdays last one day.")?;
            let private = event.detail("visibility") == Some("private");
            demand(private, "Birthdays are private.")?;
            let transparent = event.detail("transparency") == Some("transparent");
            demand(transparent, "Birthdays are transparent.")?;
            let yearly = event.recurrence.iter().all(|line| line.starts_with("RRULE:FREQ=YEARLY"));
            let yearly = yearly && (event.is_series() || event.occurrence.is_some());
            demand(yearly, "Birthdays return each year.")
        }
        _ => Ok(()),
    }
}

/// Whether an update keeps to what may be changed of an event of this type.
pub(crate) fn check_change(before: &Event, after: &Event) -> Result<()> {
    if before.kind != "fromGmail" {
        return Ok(());
    }
    let fixed = ["summary", "description", "location"];
    let same = fixed.iter().all(|name| before.details.get(*name) == after.details.get(*name));
    let same_time = before.start == after.start && before.end == after.end;
    demand(same && same_time, "Events from Gmail cannot be changed.")
}

fn is_one_day(event: &Event) -> bool {
    event.end.wall() - event.start.wall() == Duration::days(1)
}

fn demand(holds: bool, message: &str) -> Result<()> {
    if holds { Ok(()) } else { Err(refused(message)) }
}
