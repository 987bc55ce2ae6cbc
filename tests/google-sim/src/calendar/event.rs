//! The event as the simulator keeps it, and as each request sees it.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::store::Role;
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

/// An invited person.
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

fn needs_action() -> String {
    "needsAction".to_owned()
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// What a series was before its rule changed: whoever follows single instances must hear that the
/// instances of the former shape are gone.
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
    /// When anything changed last; the etag follows it.
    pub stamp: Stamp,
    /// When anything but the reminders changed last; `updated` follows it.
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
    /// Gone from the bin as well: it cannot be brought back.
    pub purged: bool,
}

/// For whom, and how, an event is shown.
#[derive(Clone, Debug)]
pub(crate) struct View {
    /// The owner of the calendar: `self` is said of this address.
    pub viewer: String,
    /// The zone in whose offset times are written.
    pub zone: Tz,
    pub max_attendees: Option<usize>,
    /// Whether cancelled events keep their details.
    pub with_details: bool,
    /// What the reader may do in the calendar, and so see of its events.
    pub role: Role,
}

impl Event {
    pub fn is_series(&self) -> bool {
        !self.recurrence.is_empty()
    }

    pub fn is_cancelled(&self) -> bool {
        self.status == Status::Cancelled
    }

    pub fn etag(&self) -> String {
        etag(self.stamp)
    }

    pub fn detail(&self, name: &str) -> Option<&str> {
        self.details.get(name).and_then(Value::as_str)
    }

    /// Whether this is a guest's copy of somebody else's event.
    pub fn is_copy_for(&self, owner: &str) -> bool {
        self.organizer != owner
    }

    pub fn attendee(&self, email: &str) -> Option<&Attendee> {
        self.attendees.iter().find(|guest| guest.email == email)
    }

    /// The resource as `view` may see it.
    pub fn json(&self, view: &View) -> Value {
        if self.is_cancelled() && (self.bare || !view.with_details) {
            return self.tombstone(view);
        }
        let mut json = json!({
            "kind": "calendar#event",
            "etag": self.etag(),
            "id": self.id,
            "status": self.status.name(),
            "htmlLink": format!("https://www.google.com/calendar/event?eid={}", self.id),
            "created": self.created.to_rfc3339_opts(SecondsFormat::Secs, true).replace('Z', ".000Z"),
            "updated": timestamp(self.updated),
            "iCalUID": self.ical_uid,
            "sequence": self.sequence,
            "eventType": self.kind,
        });
        json["start"] = self.start.json(view.zone);
        json["end"] = self.end.json(view.zone);
        if let Some(place) = &self.occurrence {
            json["recurringEventId"] = json!(place.series);
            json["originalStartTime"] = place.original.json(view.zone);
        }
        if self.is_series() {
            json["recurrence"] = json!(self.recurrence);
        }
        if self.hidden_from(view.role) {
            json["visibility"] = json!("private");
            return json;
        }
        json["creator"] = person(&self.creator, &view.viewer);
        json["organizer"] = person(&self.organizer, &view.viewer);
        if !self.attendees.is_empty() {
            self.show_attendees(&mut json, view);
        }
        let mut extended = Map::new();
        if !self.private.is_empty() {
            extended.insert("private".to_owned(), json!(self.private));
        }
        if !self.shared.is_empty() {
            extended.insert("shared".to_owned(), json!(self.shared));
        }
        if !extended.is_empty() {
            json["extendedProperties"] = Value::Object(extended);
        }
        for (name, value) in &self.details {
            json[name] = value.clone();
        }
        if json.get("reminders").is_none() {
            json["reminders"] = json!({"useDefault": true});
        }
        json
    }

    /// Whether that reader sees no more than the times.
    fn hidden_from(&self, role: Role) -> bool {
        let private = matches!(self.detail("visibility"), Some("private" | "confidential"));
        role == Role::FreeBusyReader || (role == Role::Reader && private && self.kind == "default")
    }

    fn tombstone(&self, view: &View) -> Value {
        let mut json = json!({
            "kind": "calendar#event",
            "etag": self.etag(),
            "id": self.id,
            "status": "cancelled",
        });
        if let (Some(place), false) = (&self.occurrence, self.bare) {
            json["recurringEventId"] = json!(place.series);
            json["originalStartTime"] = place.original.json(view.zone);
        }
        json
    }

    fn show_attendees(&self, json: &mut Value, view: &View) {
        let row = |guest: &Attendee| {
            let mut row = serde_json::to_value(guest).unwrap_or_default();
            if guest.email == view.viewer {
                row["self"] = json!(true);
            }
            if guest.email == self.organizer {
                row["organizer"] = json!(true);
            }
            row
        };
        let too_many = view.max_attendees.is_some_and(|max| self.attendees.len() > max);
        let rows: Vec<Value> =
            self.attendees.iter().filter(|guest| !too_many || guest.email == view.viewer).map(row).collect();
        json["attendees"] = json!(rows);
        if too_many {
            json["attendeesOmitted"] = json!(true);
        }
    }

    /// What a caller may write, in the form in which it would be sent: the base of a PATCH.
    pub fn writable(&self) -> Map<String, Value> {
        let mut body = self.details.clone();
        body.insert("status".to_owned(), json!(self.status.name()));
        body.insert("start".to_owned(), self.start.json(Tz::UTC));
        body.insert("end".to_owned(), self.end.json(Tz::UTC));
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

fn person(email: &str, viewer: &str) -> Value {
    let mut person = json!({ "email": email });
    if email == viewer {
        person["self"] = json!(true);
    }
    person
}
