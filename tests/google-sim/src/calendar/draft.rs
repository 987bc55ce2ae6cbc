//! From the body of a write to an event: what Google checks, drops and cuts.

use std::collections::BTreeMap;

use chrono_tz::Tz;
use serde_json::{Map, Value, json};

use super::conference;
use super::event::{Attendee, Event, Status};
use super::kinds;
use super::place::Place;
use super::series;
use super::texts;
use super::when::When;
use crate::config::Texts;
use crate::error::{ApiError, Result};

/// Properties that are kept as they come, and the value that Google leaves out of its answers.
const KEPT: [(&str, Value); 22] = [
    ("summary", Value::Null),
    ("description", Value::Null),
    ("location", Value::Null),
    ("colorId", Value::Null),
    ("eventLabelId", Value::Null),
    ("visibility", Value::Null),
    ("transparency", Value::Null),
    ("source", Value::Null),
    ("conferenceData", Value::Null),
    ("attachments", Value::Null),
    ("gadget", Value::Null),
    ("workingLocationProperties", Value::Null),
    ("outOfOfficeProperties", Value::Null),
    ("focusTimeProperties", Value::Null),
    ("birthdayProperties", Value::Null),
    ("reminders", Value::Null),
    ("guestsCanInviteOthers", Value::Bool(true)),
    ("guestsCanSeeOtherGuests", Value::Bool(true)),
    ("guestsCanModify", Value::Bool(false)),
    ("anyoneCanAddSelf", Value::Bool(false)),
    ("endTimeUnspecified", Value::Bool(false)),
    ("attendeesOmitted", Value::Bool(false)),
];

/// Properties that only the organizer may set.
const ORGANIZER_ONLY: [&str; 4] =
    ["guestsCanInviteOthers", "guestsCanSeeOtherGuests", "guestsCanModify", "anyoneCanAddSelf"];

/// `id` as a client may choose it: base32hex in lower case, 5 to 1024 characters. What comes in from other systems has
/// one that Google made, which begins with `_`.
pub(crate) fn check_id(id: &str, from_elsewhere: bool) -> Result<()> {
    let legal = |c: char| c.is_ascii_digit() || ('a'..='v').contains(&c);
    let chosen = if from_elsewhere { id.strip_prefix('_').unwrap_or(id) } else { id };
    if (5..=1024).contains(&id.len()) && chosen.chars().all(legal) {
        Ok(())
    } else {
        Err(ApiError::invalid("Invalid resource id value."))
    }
}

/// `patch` laid over `base`: null removes, objects merge, arrays and all else replace.
pub(crate) fn merge(base: &mut Map<String, Value>, patch: &Map<String, Value>) {
    for (name, value) in patch {
        match (base.get_mut(name), value) {
            (_, Value::Null) => {
                base.remove(name);
            }
            (Some(Value::Object(inner)), Value::Object(changes)) => merge_time(name, inner, changes),
            _ => {
                base.insert(name.clone(), value.clone());
            }
        }
    }
}

/// `start` and `end` change between days and moments without the old form being sent as null.
fn merge_time(name: &str, inner: &mut Map<String, Value>, changes: &Map<String, Value>) {
    if matches!(name, "start" | "end") {
        if changes.get("date").is_some_and(Value::is_string) {
            inner.remove("dateTime");
            inner.remove("timeZone");
        }
        if changes.get("dateTime").is_some_and(Value::is_string) {
            inner.remove("date");
        }
    }
    merge(inner, changes);
}

/// Makes `event` what `body` says, as PUT does: what the body leaves out takes its default.
pub(crate) fn apply(event: &mut Event, body: &Map<String, Value>, place: Place) -> Result<()> {
    check_sequence(event, body)?;
    event.status = status(body)?;
    let time = |name: &str| {
        let value = body
            .get(name)
            .filter(|value| !value.is_null())
            .ok_or_else(|| ApiError::required(&format!("Missing {name} time.")))?;
        When::parse(value, place.calendar_zone, name)
    };
    let (start, end) = (time("start")?, time("end")?);
    check_times(start, end, place.calendar_zone)?;
    event.start = start;
    event.end = end;
    if event.occurrence.is_none() {
        event.recurrence = recurrence(body)?;
        check_recurrence(event, body, place.by_hand)?;
    }
    event.attendees = attendees(body)?;
    let extended = |name: &str| body.get("extendedProperties").and_then(|extended| extended.get(name));
    event.private = properties(extended("private"))?;
    event.shared = properties(extended("shared"))?;
    check_property_room(event)?;
    event.details = details(event, body, place)?;
    kinds::check(event, place)
}

fn check_sequence(event: &mut Event, body: &Map<String, Value>) -> Result<()> {
    let Some(sequence) = body.get("sequence").and_then(Value::as_u64) else {
        return Ok(());
    };
    if sequence < event.sequence {
        let message = "Invalid sequence value. The specified sequence number is below the current sequence number of the resource. Re-fetch the resource and use its sequence number on the following request.";
        return Err(ApiError::invalid(message));
    }
    event.sequence = sequence;
    Ok(())
}

fn status(body: &Map<String, Value>) -> Result<Status> {
    match body.get("status").and_then(Value::as_str) {
        None | Some("confirmed") => Ok(Status::Confirmed),
        Some("tentative") => Ok(Status::Tentative),
        Some("cancelled") => Ok(Status::Cancelled),
        Some(_) => Err(ApiError::invalid("Invalid value for: status")),
    }
}

fn check_times(start: When, end: When, calendar_zone: Tz) -> Result<()> {
    if start.is_day() != end.is_day() {
        let message = "Start and end times must either both be date or both be dateTime.";
        return Err(ApiError::invalid(message));
    }
    if end.instant(calendar_zone) < start.instant(calendar_zone) {
        let message = "The specified time range is empty.";
        return Err(ApiError::new(400, "calendar", "timeRangeEmpty", message));
    }
    Ok(())
}

fn recurrence(body: &Map<String, Value>) -> Result<Vec<String>> {
    match body.get("recurrence") {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(lines)) => lines
            .iter()
            .map(|line| line.as_str().map(str::to_owned))
            .collect::<Option<_>>()
            .ok_or_else(|| ApiError::invalid("Invalid recurrence rule.")),
        Some(_) => Err(ApiError::invalid("Invalid recurrence rule.")),
    }
}

fn check_recurrence(event: &Event, body: &Map<String, Value>, by_hand: bool) -> Result<()> {
    if !event.is_series() {
        return Ok(());
    }
    for name in ["start", "end"] {
        let time = body.get(name);
        let named = time.and_then(|time| time.get("timeZone")).is_some();
        if !event.start.is_day() && !named {
            let message = format!("Missing time zone definition for {name} time.");
            return Err(ApiError::required(&message));
        }
    }
    // The lines of an invitation are stored unchecked; unreadable ones have no effect.
    if by_hand { Ok(()) } else { series::check(event) }
}

fn attendees(body: &Map<String, Value>) -> Result<Vec<Attendee>> {
    let Some(value) = body.get("attendees").filter(|value| !value.is_null()) else {
        return Ok(Vec::new());
    };
    let rows: Vec<Attendee> =
        serde_json::from_value(value.clone()).map_err(|_| ApiError::required("Missing attendee email."))?;
    let mut guests: Vec<Attendee> = Vec::new();
    for mut guest in rows {
        guest.email = guest.email.to_ascii_lowercase();
        if !guest.email.contains('@') {
            return Err(ApiError::invalid("Invalid attendee email."));
        }
        let answers = ["needsAction", "declined", "tentative", "accepted"];
        if !answers.contains(&guest.response_status.as_str()) {
            return Err(ApiError::invalid("Invalid value for: responseStatus"));
        }
        if !guests.iter().any(|known| known.email == guest.email) {
            guests.push(guest);
        }
    }
    Ok(guests)
}

/// Keys of more than 44 characters are dropped silently, values cut at 1024.
fn properties(value: Option<&Value>) -> Result<BTreeMap<String, String>> {
    let Some(Value::Object(properties)) = value else {
        return Ok(BTreeMap::new());
    };
    properties
        .iter()
        .filter(|(key, value)| key.chars().count() <= 44 && !value.is_null())
        .map(|(key, value)| {
            let value = value.as_str().ok_or_else(|| ApiError::invalid("Invalid value for: extendedProperties"))?;
            Ok((key.clone(), value.chars().take(1024).collect()))
        })
        .collect()
}

fn check_property_room(event: &Event) -> Result<()> {
    let all = || event.private.iter().chain(&event.shared);
    let bytes: usize = all().map(|(key, value)| key.len() + value.len()).sum();
    if all().count() > 300 || bytes > 32 * 1024 {
        let message = "The extended properties of an event are limited to 300 and 32 kB.";
        return Err(ApiError::invalid(message));
    }
    Ok(())
}

fn details(event: &Event, body: &Map<String, Value>, place: Place) -> Result<Map<String, Value>> {
    let mut details = Map::new();
    for (name, default) in KEPT {
        let kept_back = match name {
            "conferenceData" => !place.parts.conference,
            "attachments" => !place.parts.attachments,
            "attendeesOmitted" => true,
            _ => false,
        };
        // What this request may not touch stays as it was.
        let value = if kept_back { event.details.get(name) } else { body.get(name) };
        let Some(value) = value.filter(|value| !value.is_null() && **value != default) else {
            continue;
        };
        let value = match name {
            // Whether a conference is asked for anew shows only in what this request says of it.
            "conferenceData" if place.parts.conference => conference::stored(&event.id, value)?,
            _ => checked(name, value)?,
        };
        let value = if place.texts == Texts::Rewritten { texts::rewritten(name, value) } else { Some(value) };
        let left_out = |value: &Value| {
            matches!((name, value.as_str()), ("transparency", Some("opaque")) | ("visibility", Some("default")))
        };
        if let Some(value) = value.filter(|value| !left_out(value)) {
            details.insert(name.to_owned(), value);
        }
    }
    Ok(details)
}

fn checked(name: &str, value: &Value) -> Result<Value> {
    let wrong = || ApiError::invalid(&format!("Invalid value for: {name}"));
    let one_of = |names: &[&str]| value.as_str().filter(|value| names.contains(value)).ok_or_else(wrong);
    match name {
        "summary" | "description" | "location" | "colorId" | "eventLabelId" => {
            value.as_str().ok_or_else(wrong)?;
        }
        "transparency" => {
            one_of(&["opaque", "transparent"])?;
        }
        "visibility" => {
            one_of(&["default", "public", "private", "confidential"])?;
        }
        "reminders" => return reminders(value),
        name if ORGANIZER_ONLY.contains(&name) => {
            value.as_bool().ok_or_else(wrong)?;
        }
        _ => {}
    }
    Ok(value.clone())
}

/// At most five, 0 to 40320 minutes ahead, by mail or popup; text messages are dropped silently.
fn reminders(value: &Value) -> Result<Value> {
    let use_default = value.get("useDefault").and_then(Value::as_bool).unwrap_or(false);
    let overrides = value.get("overrides").and_then(Value::as_array);
    if use_default {
        return match overrides {
            Some(list) if !list.is_empty() => Err(ApiError::new(
                400,
                "calendar",
                "cannotUseDefaultRemindersAndSpecifyOverride",
                "Cannot specify both default reminders and overrides at the same time.",
            )),
            _ => Ok(json!({"useDefault": true})),
        };
    }
    let mut kept = Vec::new();
    for reminder in overrides.into_iter().flatten() {
        let minutes = reminder.get("minutes").and_then(Value::as_i64);
        if !minutes.is_some_and(|minutes| (0..=40_320).contains(&minutes)) {
            return Err(ApiError::invalid("Invalid value for: minutes"));
        }
        match reminder.get("method").and_then(Value::as_str) {
            Some("email" | "popup") => kept.push(reminder.clone()),
            Some("sms") => {}
            _ => return Err(ApiError::required("Missing override reminder method.")),
        }
    }
    if kept.len() > 5 {
        return Err(ApiError::invalid("At most 5 override reminders are allowed."));
    }
    Ok(if kept.is_empty() { json!({"useDefault": false}) } else { json!({"useDefault": false, "overrides": kept}) })
}

/// A guest's copy takes no change of what only the organizer may set. A PUT that merely leaves such a
/// flag out counts as setting its default.
pub(crate) fn check_organizer_only(before: &Event, after: &Event) -> Result<()> {
    let changed = |name: &&str| before.details.get(*name) != after.details.get(*name);
    if ORGANIZER_ONLY.iter().any(changed) {
        return Err(ApiError::not_the_organizer());
    }
    Ok(())
}
