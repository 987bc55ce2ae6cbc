//! What a listing is asked for.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::super::event::{Event, Stamp};
use super::super::params::Params;
use super::super::store::{Calendar, Role};
use crate::error::{ApiError, Result};
use crate::random::hash;

/// Parameters that a cursor refuses.
const NOT_WITH_CURSOR: [&str; 8] = [
    "iCalUID",
    "orderBy",
    "privateExtendedProperty",
    "q",
    "sharedExtendedProperty",
    "timeMin",
    "timeMax",
    "updatedMin",
];

/// Parameters that leave a complete listing without a cursor.
const WITHOUT_CURSOR: [&str; 6] =
    ["iCalUID", "orderBy", "privateExtendedProperty", "q", "sharedExtendedProperty", "updatedMin"];

/// Parameters in which a delta must equal the listing that gave its cursor.
const SHAPE: [&str; 5] = ["singleEvents", "eventTypes", "maxAttendees", "timeZone", "showHiddenInvitations"];

/// Parameters that may differ from page to page.
const NOT_OF_QUERY: [&str; 8] =
    ["pageToken", "maxResults", "fields", "prettyPrint", "alt", "key", "access_token", "quotaUser"];

/// Which events are listed, in which form and order.
#[derive(Default)]
pub(super) struct Query {
    pub single: bool,
    pub show_deleted: bool,
    pub time_min: Option<DateTime<Utc>>,
    pub time_max: Option<DateTime<Utc>>,
    pub updated_min: Option<Stamp>,
    pub order: Option<Order>,
    kinds: Vec<String>,
    ical_uid: Option<String>,
    words: Option<String>,
    private: Vec<(String, String)>,
    shared: Vec<(String, String)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    StartTime,
    Updated,
}

impl Query {
    /// Asks for all single events and instances between two moments.
    pub fn between(from: DateTime<Utc>, to: DateTime<Utc>) -> Self {
        Self { single: true, time_min: Some(from), time_max: Some(to), ..Self::default() }
    }

    /// Reads the parameters of a caller with that role; `life_secs` bounds how far back `updatedMin` may lie.
    pub fn read(params: Params<'_>, role: Role, now: DateTime<Utc>, life_secs: i64) -> Result<Self> {
        let single = params.flag("singleEvents")?.unwrap_or(false) || role == Role::FreeBusyReader;
        let order = match params.text("orderBy") {
            None => None,
            Some("updated") => Some(Order::Updated),
            Some("startTime") if single => Some(Order::StartTime),
            Some("startTime") => {
                let message = "The requested ordering is not available for the particular query.";
                return Err(ApiError::bad_request(message).at("parameter", "orderBy"));
            }
            Some(_) => return Err(ApiError::parameter("orderBy", "Invalid string value.")),
        };
        let kinds = params.all("eventTypes");
        if let Some(kind) = kinds.iter().find(|kind| !super::super::kinds::KINDS.contains(&kind.as_str())) {
            let message = format!("Invalid string value: '{kind}'.");
            return Err(ApiError::parameter("eventTypes", &message));
        }
        let (time_min, time_max) = (params.moment("timeMin")?, params.moment("timeMax")?);
        if let (Some(min), Some(max)) = (time_min, time_max)
            && max <= min
        {
            let message = "The specified time range is empty.";
            let error = ApiError::new(400, "calendar", "timeRangeEmpty", message);
            return Err(error.at("parameter", "timeMax"));
        }
        Ok(Self {
            single,
            show_deleted: params.flag("showDeleted")?.unwrap_or(false),
            time_min,
            time_max,
            updated_min: updated_min(params, now, life_secs)?,
            order,
            kinds,
            ical_uid: params.text("iCalUID").map(str::to_owned),
            words: params.text("q").map(str::to_lowercase),
            private: params.properties("privateExtendedProperty")?,
            shared: params.properties("sharedExtendedProperty")?,
        })
    }

    /// Whether the event is of the sort that is asked for, wherever it lies.
    pub fn matches(&self, event: &Event) -> bool {
        let has = |wanted: &[(String, String)], held: &BTreeMap<String, String>| {
            wanted.iter().all(|(key, value)| held.get(key) == Some(value))
        };
        (self.kinds.is_empty() || self.kinds.contains(&event.kind))
            && self.ical_uid.as_ref().is_none_or(|uid| *uid == event.ical_uid)
            && self.updated_min.is_none_or(|min| event.updated >= min)
            && has(&self.private, &event.private)
            && has(&self.shared, &event.shared)
            && self.words.as_ref().is_none_or(|words| contains(event, words))
    }
}

/// Whether each of the words is in one of the texts that Google searches.
fn contains(event: &Event, words: &str) -> bool {
    let guests = event.attendees.iter().flat_map(|guest| [Some(guest.email.as_str()), guest.display_name.as_deref()]);
    let texts: Vec<String> = ["summary", "description", "location"]
        .iter()
        .map(|name| event.detail(name))
        .chain([Some(event.organizer.as_str())])
        .chain(guests)
        .flatten()
        .map(str::to_lowercase)
        .collect();
    words.split_whitespace().all(|word| texts.iter().any(|text| text.contains(word)))
}

fn updated_min(params: Params<'_>, now: DateTime<Utc>, life_secs: i64) -> Result<Option<Stamp>> {
    let Some(at) = params.moment("updatedMin")? else {
        return Ok(None);
    };
    if (now - at).num_seconds() > life_secs {
        let message = "The requested minimum modification time lies too far in the past.";
        let error = ApiError::new(410, "calendar", "updatedMinTooLongAgo", message);
        return Err(error.at("parameter", "updatedMin"));
    }
    Ok(u64::try_from(at.timestamp_micros()).ok())
}

/// Whether nothing stands beside the cursor that it refuses.
pub(super) fn check_beside_cursor(params: Params<'_>) -> Result<()> {
    for name in NOT_WITH_CURSOR {
        if params.has(name) {
            let message = format!("Sync token cannot be used with {name}.");
            return Err(ApiError::bad_request(&message).at("parameter", name));
        }
    }
    if params.flag("showDeleted")? == Some(false) {
        let message = "Sync token cannot be used with showDeleted=false.";
        return Err(ApiError::bad_request(message).at("parameter", "showDeleted"));
    }
    Ok(())
}

/// Whether such a listing ends with a cursor.
pub(super) fn gives_cursor(params: Params<'_>) -> bool {
    !WITHOUT_CURSOR.iter().any(|name| params.has(name))
}

/// Hash of what a delta must share with the listing that gave its cursor.
pub(super) fn shape(params: Params<'_>) -> u64 {
    let values = SHAPE.map(|name| {
        let mut values = params.all(name);
        values.retain(|value| !value.is_empty() && value != "false");
        values.sort();
        values
    });
    hash(&format!("{values:?}"))
}

/// Hash of the whole request but for what may differ between pages.
pub(super) fn identity(params: Params<'_>, calendar: &Calendar) -> u64 {
    let mut pairs: Vec<_> = params.0.query.iter().filter(|(name, _)| !NOT_OF_QUERY.contains(&name.as_str())).collect();
    pairs.sort();
    hash(&format!("{}{pairs:?}{}", calendar.id, params.0.path))
}
