//! Checks of each call to Google: the right calendar, no mail to guests, exactly the host's content, and only what the
//! settings allow.

use calendar_sync::model::{ConnectionKey, LessonId, TenantId};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::Run;
use crate::{
    exchange::{Call, Exchange},
    memory_store::MemoryStore,
    sim::State,
    texts::as_kept,
    truth::{Permit, RUN_LASTS, lesson_of},
    zones,
};

/// The fields that are ours.
const OWNED: [&str; 9] =
    ["id", "status", "summary", "description", "location", "start", "end", "recurrence", "extendedProperties"];

/// Violations in an exchange.
pub fn judge(state: &State, store: &MemoryStore, run: &Run, exchange: &Exchange) -> Vec<String> {
    let Some(key) = exchange.key else { return Vec::new() };
    let mut wrong = Vec::new();
    for call in exchange.calls.iter().filter(|call| call.path.starts_with("/calendar/")) {
        let found = [
            unallowed(&state.truth.allowed_since(key, state.now - RUN_LASTS), run, call),
            call.writes().then(|| misdirected(store, key, call)).flatten(),
            call.writes().then(|| misworded(call)).flatten(),
            call.writes().then(|| unfounded(state, store, key, run, call)).flatten(),
        ];
        let words = |problem| format!("{} {} {problem}", call.method, call.event().unwrap_or(&call.path));
        wrong.extend(found.into_iter().flatten().map(words));
    }
    wrong
}

/// Whether an event of ours that should not be there was to be deleted, and was not.
pub fn leaves_an_orphan(state: &State, store: &MemoryStore, exchange: &Exchange) -> bool {
    let failed = |call: &&Call| call.method == "DELETE" && !(exchange.answered && call.is_well());
    exchange.calls.iter().filter(failed).filter_map(Call::event).any(|id| {
        let lesson = exchange.key.zip(state.truth.lesson_of(id));
        let mapping = lesson.and_then(|(key, lesson)| store.tables().mapping(key, lesson));
        mapping.is_none_or(|mapping| mapping.google_event_id().as_str() != id)
    })
}

/// What the permits do not allow.
fn unallowed(permits: &[&Permit], run: &Run, call: &Call) -> Option<String> {
    let goes = |permit: &&Permit| permit.goes().is_some();
    let fits = |permit: &&Permit| {
        let runs = permit.runs() && (permit.settings.auto_sync || run.by_a_person);
        match (call.writes(), permit.goes()) {
            (true, Some(keeps)) => call.method == "DELETE" && !keeps,
            (false, Some(_)) => true,
            (true, None) => runs && permit.settings.sync_direction.writes(),
            (false, None) => runs || call.stops(),
        }
    };
    if !permits.iter().any(fits) {
        return Some(format!("is not allowed by {permits:?}"));
    }
    let one_way = run.direction().is_some_and(|direction| !direction.writes());
    (one_way && call.writes() && !permits.iter().any(goes)).then(|| "comes of a sync from Google alone".to_owned())
}

/// Another calendar than the connection's, or parameters other than these.
fn misdirected(store: &MemoryStore, key: ConnectionKey, call: &Call) -> Option<String> {
    let calendar = store.tables().credentials.get(&key).map(|row| row.google_calendar_id.to_string());
    if calendar.as_ref().is_some_and(|calendar| call.calendar().replace("%40", "@") != *calendar) {
        return Some(format!("is for calendar {} instead of {calendar:?}", call.calendar()));
    }
    let of = |name: &str| -> Vec<&str> {
        call.query.iter().filter(|(other, _)| other == name).map(|(_, value)| value.as_str()).collect()
    };
    if of("sendUpdates") != ["none"] {
        return Some(format!("mails guests: sendUpdates is {:?}", of("sendUpdates")));
    }
    let known = ["sendUpdates", "maxAttendees", "fields"];
    let other = call.query.iter().find(|(name, _)| !known.contains(&name.as_str()));
    other.map(|parameter| format!("has the parameter {parameter:?}"))
}

/// A body that says more than is ours, or not what every event of ours is.
fn misworded(call: &Call) -> Option<String> {
    if matches!(call.method.as_str(), "PUT" | "PATCH") && call.if_match.is_none() {
        return Some("is not bound to a version".to_owned());
    }
    if call.method == "DELETE" {
        return (!call.body.is_null()).then(|| "has a body".to_owned());
    }
    let fields = call.body.as_object()?;
    if let Some(field) = fields.keys().find(|field| !OWNED.contains(&field.as_str())) {
        return Some(format!("writes {field}, which is not ours"));
    }
    let lesson = lesson_of(&call.body);
    if lesson.is_none() || fields["extendedProperties"] != json!({ "private": { "lessonId": lesson } }) {
        return Some(format!("carries {}", fields["extendedProperties"]));
    }
    if fields.get("status") != Some(&json!("confirmed")) {
        return Some(format!("has the status {:?}", fields.get("status")));
    }
    let recurs = fields.get("recurrence").is_some_and(|lines| !lines.is_null());
    recurs.then(|| "recurs".to_owned())
}

/// A write that follows from no version of the lesson within the time of a run.
fn unfounded(state: &State, store: &MemoryStore, key: ConnectionKey, run: &Run, call: &Call) -> Option<String> {
    let now = state.now;
    if call.method == "DELETE" {
        return deleted_though_it_stands(state, store, key, call);
    }
    let lesson = lesson_of(&call.body)?;
    let said = state.truth.said_lately(key.tenant_id, lesson, now);
    if !said.iter().any(|row| is_of(row, key) && says(row, &call.body, state.truth.zones_unknown)) {
        return Some(format!("writes {}, and the host said {said:?}", call.body));
    }
    let dates = run.asked.as_ref().and_then(|asked| asked.dates);
    let start: DateTime<Utc> = call.body["start"]["dateTime"].as_str()?.parse().ok()?;
    // (Days are those of the calendar, which lie up to a day off.)
    let outside = dates.is_some_and(|(first, last)| {
        start.date_naive() < first - TimeDelta::days(1) || start.date_naive() > last + TimeDelta::days(1)
    });
    outside.then(|| format!("is of {start}, and {dates:?} was asked for"))
}

/// Whether a row is of a lesson that takes place and is the instructor's.
fn is_of(row: &Value, key: ConnectionKey) -> bool {
    row["instructor_id"] == json!(key.instructor_id) && row["status"] == "scheduled"
}

/// Whether an event's body is what the row says.
fn says(row: &Value, body: &Value, zones_unknown: bool) -> bool {
    let moment = |value: &Value| -> Option<DateTime<Utc>> { value.as_str()?.parse().ok() };
    let zone = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let at = |side: &str, column: &str| {
        moment(&body[side]["dateTime"]).is_some_and(|at| Some(at) == moment(&row[column]))
            && zones::fits(&zone(&body[side]["timeZone"]), &zone(&row["time_zone"]), zones_unknown)
            && body[side]["date"].is_null()
    };
    // (What Google would not keep of a text need not be sent.)
    let text = |field: &str, column: &str| {
        let kept = row[column].as_str().map(|text| as_kept(field, text)).filter(|text| !text.is_empty());
        body[field] == row[column] || body[field] == json!(kept)
    };
    at("start", "starts_at")
        && at("end", "ends_at")
        && text("summary", "title")
        && text("description", "description")
        && text("location", "location")
}

/// A deletion of an event whose lesson took place all the time.
fn deleted_though_it_stands(state: &State, store: &MemoryStore, key: ConnectionKey, call: &Call) -> Option<String> {
    let id = call.event()?;
    let permits = state.truth.allowed_since(key, state.now - RUN_LASTS);
    if permits.iter().any(|permit| permit.goes().is_some()) {
        return None;
    }
    let (_, lesson) = store
        .tables()
        .credentials
        .get(&key)
        .and_then(|row| state.truth.made(row.google_account.email.as_deref().unwrap_or_default(), id))?;
    let current = store.tables().mapping(key, lesson).is_some_and(|mapping| mapping.google_event_id().as_str() == id);
    let said: Vec<&Value> = said(state, key.tenant_id, lesson);
    let stood = !said.is_empty() && said.iter().all(|row| is_of(row, key));
    (current && stood).then(|| format!("deletes the event of a lesson that stands: {said:?}"))
}

fn said(state: &State, tenant: TenantId, lesson: LessonId) -> Vec<&Value> {
    state.truth.said_lately(tenant, lesson, state.now)
}
