//! Calendars and the list of them, as resources.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::collection::{Collection, Row};
use super::params::Params;
use super::store::{Calendar, Calendars, Role};
use crate::error::{ApiError, Result};
use crate::random::hash;

/// `calendars.get`.
pub(crate) fn calendar(calendar: &Calendar) -> Value {
    let resource = json!({
        "kind": "calendar#calendar",
        "etag": etag(calendar),
        "id": calendar.id,
        "summary": calendar.summary,
        "timeZone": calendar.zone.name(),
        "conferenceProperties": {"allowedConferenceSolutionTypes": ["hangoutsMeet"]},
    });
    described(resource, calendar)
}

fn described(mut resource: Value, calendar: &Calendar) -> Value {
    if let Some(description) = &calendar.description {
        resource["description"] = json!(description);
    }
    resource
}

/// `calendarList.get`.
pub(crate) fn entry(calendar: &Calendar, role: Role, account: &str) -> Value {
    let mut entry = json!({
        "kind": "calendar#calendarListEntry",
        "etag": etag(calendar),
        "id": calendar.id,
        "summary": calendar.summary,
        "timeZone": calendar.zone.name(),
        "colorId": "14",
        "backgroundColor": "#9fe1e7",
        "foregroundColor": "#000000",
        "selected": true,
        "accessRole": role.name(),
        "defaultReminders": [{"method": "popup", "minutes": 10}],
        "conferenceProperties": {"allowedConferenceSolutionTypes": ["hangoutsMeet"]},
    });
    if calendar.primary && calendar.owner == account {
        entry["primary"] = json!(true);
    }
    described(entry, calendar)
}

/// `calendarList.list`. Its cursor never brings anything: entries do not change here.
pub(crate) fn list(
    calendars: &Calendars,
    account: &str,
    now: DateTime<Utc>,
    life_secs: i64,
    params: Params<'_>,
) -> Result<Value> {
    if params.has("syncToken") {
        for name in ["minAccessRole", "showOwnOrganizationOnly"] {
            if params.has(name) {
                let message = format!("Sync token cannot be used with {name}.");
                return Err(ApiError::bad_request(&message).at("parameter", name));
            }
        }
    }
    let least = match params.text("minAccessRole") {
        None | Some("freeBusyReader") => Role::FreeBusyReader,
        Some("reader") => Role::Reader,
        Some("writer") => Role::Writer,
        Some("owner") => Role::Owner,
        Some(_) => return Err(ApiError::parameter("minAccessRole", "Invalid string value.")),
    };
    let rows = calendars
        .all
        .values()
        .filter_map(|calendar| Some((calendar, calendar.role_of(account)?)))
        .filter(|(_, role)| *role >= least)
        .map(|(calendar, role)| Row::fixed(entry(calendar, role, account)));
    let collection = Collection { kind: "calendar#calendarList", owner: account, account, rows: rows.collect() };
    collection.page(now, life_secs, params)
}

fn etag(calendar: &Calendar) -> String {
    format!("\"{:016x}\"", hash(&format!("{}{}{}", calendar.id, calendar.summary, calendar.zone)))
}
