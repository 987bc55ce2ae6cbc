//! Calendars and the list of them, as resources.

use serde_json::{Value, json};

use super::store::{Calendar, Calendars, Role};
use crate::error::{ApiError, Result};
use crate::random::hash;

use super::params::Params;

/// `calendars.get`.
pub(crate) fn calendar(calendar: &Calendar) -> Value {
    json!({
        "kind": "calendar#calendar",
        "etag": etag(calendar),
        "id": calendar.id,
        "summary": calendar.summary,
        "timeZone": calendar.zone.name(),
        "conferenceProperties": {"allowedConferenceSolutionTypes": ["hangoutsMeet"]},
    })
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
    entry
}

/// `calendarList.list`, always on one page. Its cursor never brings anything: entries do not change here.
pub(crate) fn list(calendars: &Calendars, account: &str, params: Params<'_>) -> Result<Value> {
    let cursor = format!("l{:016x}", hash(account));
    if let Some(token) = params.text("syncToken") {
        for name in ["minAccessRole", "showOwnOrganizationOnly"] {
            if params.has(name) {
                let message = format!("Sync token cannot be used with {name}.");
                return Err(ApiError::bad_request(&message).at("parameter", name));
            }
        }
        if token != cursor {
            let message = "Invalid sync token value.";
            return Err(ApiError::invalid(message).at("parameter", "syncToken"));
        }
    }
    let least = match params.text("minAccessRole") {
        None | Some("freeBusyReader") => Role::FreeBusyReader,
        Some("reader") => Role::Reader,
        Some("writer") => Role::Writer,
        Some("owner") => Role::Owner,
        Some(_) => return Err(ApiError::parameter("minAccessRole", "Invalid string value.")),
    };
    params.page_size(100, 250)?;
    let items: Vec<Value> = calendars
        .all
        .values()
        .filter_map(|calendar| Some((calendar, calendar.role_of(account)?)))
        .filter(|(_, role)| *role >= least && !params.has("syncToken"))
        .map(|(calendar, role)| entry(calendar, role, account))
        .collect();
    Ok(json!({
        "kind": "calendar#calendarList",
        "etag": format!("\"p33{:x}o0o\"", hash(account)),
        "nextSyncToken": cursor,
        "items": items,
    }))
}

fn etag(calendar: &Calendar) -> String {
    format!("\"{:016x}\"", hash(&format!("{}{}{}", calendar.id, calendar.summary, calendar.zone)))
}
