//! The event as each request sees it.

use std::collections::BTreeMap;
use std::ops::Not;

use chrono::SecondsFormat;
use chrono_tz::Tz;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::json;

use super::conference;
use super::event::{Attendee, Event, timestamp};
use super::fields::{Fields, Selector};
use super::store::Role;

/// For whom, and how, an event is shown.
#[derive(Clone, Debug)]
pub(crate) struct View<'a> {
    /// The owner of the calendar: `self` is said of this address.
    pub viewer: &'a str,
    /// The zone in whose offset times are written.
    pub zone: Tz,
    pub max_attendees: Option<usize>,
    /// Whether cancelled events keep their details.
    pub with_details: bool,
    /// What the reader may do in the calendar, and so see of its events.
    pub role: Role,
}

/// An event as `view` may see it, and of that only what is `wanted`.
pub(crate) struct Shown<'a> {
    pub event: &'a Event,
    pub view: &'a View<'a>,
    pub wanted: &'a Selector,
}

impl Serialize for Shown<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (event, view) = (self.event, self.view);
        let mut fields = Fields::begin(serializer, self.wanted)?;
        fields.put("kind", "calendar#event")?;
        fields.put("etag", event.etag())?;
        fields.put("id", &event.id)?;
        fields.put("status", event.status.name())?;
        if event.is_cancelled() && (event.bare || !view.with_details) {
            if !event.bare {
                put_occurrence(&mut fields, event, view)?;
            }
            return fields.end();
        }
        fields.put("htmlLink", format_args!("https://www.google.com/calendar/event?eid={}", event.id))?;
        let created = event.created.to_rfc3339_opts(SecondsFormat::Secs, true).replace('Z', ".000Z");
        fields.put("created", created)?;
        fields.put("updated", timestamp(event.updated))?;
        fields.put("start", event.start.shown_in(view.zone))?;
        fields.put("end", event.end.shown_in(view.zone))?;
        if event.is_series() {
            fields.put("recurrence", &event.recurrence)?;
        }
        put_occurrence(&mut fields, event, view)?;
        fields.put("iCalUID", &event.ical_uid)?;
        fields.put("sequence", event.sequence)?;
        fields.put("eventType", &event.kind)?;
        if hides(view.role, event) {
            fields.put("visibility", "private")?;
        } else {
            put_details(&mut fields, event, view)?;
        }
        fields.end()
    }
}

/// Whether that reader sees no more than the times.
fn hides(role: Role, event: &Event) -> bool {
    let private = matches!(event.detail("visibility"), Some("private" | "confidential"));
    role == Role::FreeBusyReader || (role == Role::Reader && private && event.kind == "default")
}

fn put_occurrence<M: SerializeMap>(fields: &mut Fields<'_, M>, event: &Event, view: &View<'_>) -> Result<(), M::Error> {
    if let Some(place) = &event.occurrence {
        fields.put("recurringEventId", &place.series)?;
        fields.put("originalStartTime", place.original.shown_in(view.zone))?;
    }
    Ok(())
}

fn put_details<M: SerializeMap>(fields: &mut Fields<'_, M>, event: &Event, view: &View<'_>) -> Result<(), M::Error> {
    for (name, value) in &event.details {
        fields.put(name, value)?;
    }
    if let Some(link) = event.details.get("conferenceData").and_then(conference::hangout_link) {
        fields.put("hangoutLink", link)?;
    }
    if !event.details.contains_key("reminders") {
        fields.put("reminders", json!({"useDefault": true}))?;
    }
    fields.put("creator", Person::of(&event.creator, view))?;
    fields.put("organizer", Person::of(&event.organizer, view))?;
    if !event.attendees.is_empty() {
        let too_many = view.max_attendees.is_some_and(|max| event.attendees.len() > max);
        let rows = event.attendees.iter().filter(|guest| !too_many || guest.email == view.viewer);
        let rows: Vec<Row<'_>> = rows
            .map(|guest| Row {
                guest,
                is_self: guest.email == view.viewer,
                is_organizer: guest.email == event.organizer,
            })
            .collect();
        fields.put("attendees", rows)?;
        if too_many {
            fields.put("attendeesOmitted", true)?;
        }
    }
    let properties = Properties { private: &event.private, shared: &event.shared };
    if !(event.private.is_empty() && event.shared.is_empty()) {
        fields.put("extendedProperties", properties)?;
    }
    Ok(())
}

#[derive(Serialize)]
struct Person<'a> {
    email: &'a str,
    #[serde(rename = "self", skip_serializing_if = "Not::not")]
    is_self: bool,
}

impl<'a> Person<'a> {
    fn of(email: &'a str, view: &View<'_>) -> Self {
        Self { email, is_self: email == view.viewer }
    }
}

#[derive(Serialize)]
struct Row<'a> {
    #[serde(flatten)]
    guest: &'a Attendee,
    #[serde(rename = "self", skip_serializing_if = "Not::not")]
    is_self: bool,
    #[serde(rename = "organizer", skip_serializing_if = "Not::not")]
    is_organizer: bool,
}

#[derive(Serialize)]
struct Properties<'a> {
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    private: &'a BTreeMap<String, String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    shared: &'a BTreeMap<String, String>,
}
