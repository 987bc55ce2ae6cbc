//! The event as the simulator stores it.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::when::When;

/// A count of microseconds since 1970 that never repeats in one Google: it orders all changes, is the
/// base of etags and `updated`, and is what a cursor remembers.
pub(crate) type Stamp = u64;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Status {
    Confirmed,
    Tentative,
    Cancelled,
}

impl Status {
    pub fn name(self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::Tentative => "tentative",
            Self::Cancelled => "cancelled",
        }
    }
}

/// The place of an instance in its series.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Occurrence {
    pub series: String,
    pub original: When,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Attendee {
    pub email: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    #[serde(default = "needs_action")]
    pub response_status: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub additional_guests: u32,
    #[serde(default, skip_serializing_if = "is_default")]
    pub optional: bool,
    #[serde(default, skip_serializing_if = "is_default")]
    pub resource: bool,
}

impl Attendee {
    pub fn who_accepted(email: &str) -> Self {
        Self {
            email: email.to_owned(),
            display_name: None,
            response_status: "accepted".to_owned(),
            comment: None,
            additional_guests: 0,
            optional: false,
            resource: false,
        }
    }
}

fn needs_action() -> String {
    "needsAction".to_owned()
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// A series before its rule changed: clients that follow single instances must be told that the instances of the former
/// rule are gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FormerShape {
    pub until: Stamp,
    pub start: When,
    pub recurrence: Vec<String>,
}

/// One event, series or exception in one calendar.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Event {
    pub id: String,
    pub ical_uid: String,
    pub kind: String,
    pub status: Status,
    pub created: DateTime<Utc>,
    /// Its place in the order of all changes, which deltas follow.
    pub stamp: Stamp,
    /// The change that touched it last, a series and its exceptions alike; the etag follows it.
    pub version: Stamp,
    /// The change that touched anything but the reminders last; `updated` follows it.
    pub updated: Stamp,
    pub sequence: u64,
    pub start: When,
    pub end: When,
    pub recurrence: Vec<String>,
    pub former: Vec<FormerShape>,
    pub occurrence: Option<Occurrence>,
    pub creator: String,
    pub organizer: String,
    pub attendees: Vec<Attendee>,
    pub private: BTreeMap<String, String>,
    pub shared: BTreeMap<String, String>,
    /// The rest of what the caller set, kept as it came.
    pub details: Map<String, Value>,
    /// A tombstone that shows nothing but its id, as for an exception that a trimmed rule cut off.
    pub bare: bool,
    /// Removed from the bin: it cannot be restored.
    pub purged: bool,
}

impl Event {
    pub fn is_series(&self) -> bool {
        !self.recurrence.is_empty()
    }

    /// When the occurrence that begins at `start` ends: by the wall clock as long after it as the series says, so that
    /// a night shift ends at six also when the clocks change. Where that would be before it begins, it lasts as long as
    /// ever. The clock is that of the zone in which the series starts.
    pub fn ends_from(&self, start: When) -> When {
        if start == self.start {
            return self.end;
        }
        match (self.start, self.end, start) {
            (When::Moment { at: first, zone: clock }, When::Moment { at: end, zone }, When::Moment { at, .. }) => {
                let usual = clock.wall(at).date().and_time(clock.wall(first).time());
                // The clock may have skipped the usual time.
                let wall = if clock.resolve(usual) == at { usual } else { clock.wall(at) };
                let by_clock = clock.resolve(wall + (clock.wall(end) - clock.wall(first)));
                When::Moment { at: if by_clock > at { by_clock } else { at + (end - first) }, zone }
            }
            _ => self.end.at_wall(self.end.wall() + (start.wall() - self.start.wall())),
        }
    }

    pub fn is_cancelled(&self) -> bool {
        self.status == Status::Cancelled
    }

    pub fn etag(&self) -> String {
        etag(self.version)
    }

    pub fn detail(&self, name: &str) -> Option<&str> {
        self.details.get(name).and_then(Value::as_str)
    }

    /// Whether this is a guest's copy of another owner's event.
    pub fn is_copy_for(&self, owner: &str) -> bool {
        self.organizer != owner
    }

    pub fn attendee(&self, email: &str) -> Option<&Attendee> {
        self.attendees.iter().find(|guest| guest.email == email)
    }

    /// When it is over. A day that ends when it begins lasts that day.
    pub fn over_at(&self, calendar_zone: Tz) -> DateTime<Utc> {
        match (self.start, self.end) {
            (When::Day(start), When::Day(end)) => {
                let next = start.succ_opt().unwrap_or(start);
                When::Day(end.max(next)).instant(calendar_zone)
            }
            _ => self.end.instant(calendar_zone),
        }
    }

    /// What a caller may write, in the form in which it would be sent: the base of a PATCH.
    pub fn writable(&self) -> Map<String, Value> {
        let mut body = self.details.clone();
        body.insert("status".to_owned(), json!(self.status.name()));
        body.insert("start".to_owned(), json!(self.start.shown_in(Tz::UTC)));
        body.insert("end".to_owned(), json!(self.end.shown_in(Tz::UTC)));
        body.insert("recurrence".to_owned(), json!(self.recurrence));
        body.insert("attendees".to_owned(), json!(self.attendees));
        body.insert("extendedProperties".to_owned(), json!({"private": self.private, "shared": self.shared}));
        body
    }
}

pub(crate) fn etag(stamp: Stamp) -> String {
    format!("\"{}\"", stamp * 2)
}

pub(crate) fn timestamp(stamp: Stamp) -> String {
    i64::try_from(stamp)
        .ok()
        .and_then(DateTime::from_timestamp_micros)
        .unwrap_or_default()
        .to_rfc3339_opts(SecondsFormat::Millis, true)
}
