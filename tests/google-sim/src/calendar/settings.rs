//! The settings of a user.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::collection::{Collection, Row};
use super::params::Params;
use crate::config::Account;
use crate::error::{ApiError, Result};
use crate::random::hash;

/// Google's defaults, which nothing changes here. The time zone is the account's own.
const DEFAULTS: [(&str, &str); 11] = [
    ("autoAddHangouts", "false"),
    ("dateFieldOrder", "MDY"),
    ("defaultEventLength", "60"),
    ("format24HourTime", "false"),
    ("hideInvitations", "false"),
    ("hideWeekends", "false"),
    ("locale", "en"),
    ("remindOnRespondedEventsOnly", "false"),
    ("showDeclinedEvents", "true"),
    ("useKeyboardShortcuts", "true"),
    ("weekStart", "0"),
];

/// `settings.list`.
pub(crate) fn list(account: &Account, now: DateTime<Utc>, life_secs: i64, params: Params<'_>) -> Result<Value> {
    let rows = settings(account).map(|(id, value)| Row::fixed(setting(id, value))).collect();
    let email = &account.email;
    Collection { kind: "calendar#settings", owner: email, account: email, rows }.page(now, life_secs, params)
}

/// `settings.get`.
pub(crate) fn get(account: &Account, id: &str) -> Result<Value> {
    let found = settings(account).find(|(name, _)| *name == id);
    found.map(|(id, value)| setting(id, value)).ok_or_else(ApiError::not_found)
}

fn settings(account: &Account) -> impl Iterator<Item = (&'static str, &str)> {
    let zone = account.calendars.first().map_or("Etc/GMT", |primary| primary.zone.name());
    DEFAULTS.into_iter().chain([("timezone", zone)])
}

fn setting(id: &str, value: &str) -> Value {
    let etag = format!("\"{:016x}\"", hash(&format!("{id}={value}")));
    json!({"kind": "calendar#setting", "etag": etag, "id": id, "value": value})
}
