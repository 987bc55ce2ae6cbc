//! The `fields` selector: `kind,items(id,start/date)`.

use std::collections::BTreeMap;

use serde::Serialize;
use serde::ser::{Error, SerializeMap, Serializer};
use serde_json::{Map, Value};

use crate::error::{ApiError, Result};

pub(crate) static EVERYTHING: Selector = Selector(BTreeMap::new());

/// What is wanted of an object: each name with what is wanted inside it; nothing inside means all of it.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Selector(BTreeMap<String, Selector>);

impl Selector {
    pub fn parse(text: &str) -> Result<Self> {
        let mut reader = Reader { text, at: 0 };
        let selector = reader.list().filter(|_| reader.at == text.len());
        selector.ok_or_else(|| invalid(text))
    }

    /// What is wanted inside `name`; none when `name` itself is not wanted.
    pub fn inside(&self, name: &str) -> Option<&Self> {
        if self.wants_all() {
            return Some(self);
        }
        self.0.get("*").or_else(|| self.0.get(name))
    }

    /// `value` with nothing in it that was not asked for; arrays are gone through.
    pub fn apply(&self, value: Value) -> Value {
        if self.wants_all() {
            return value;
        }
        match value {
            Value::Object(object) => {
                let kept = object.into_iter().filter_map(|(name, value)| {
                    let inner = self.inside(&name)?;
                    Some((name, inner.apply(value)))
                });
                Value::Object(kept.collect::<Map<_, _>>())
            }
            Value::Array(items) => items.into_iter().map(|item| self.apply(item)).collect(),
            other => other,
        }
    }

    fn wants_all(&self) -> bool {
        self.0.is_empty()
    }
}

/// An object on its way out, as far as it is wanted: what is not costs nothing.
pub(crate) struct Fields<'s, M> {
    map: M,
    wanted: &'s Selector,
}

impl<'s, M: SerializeMap> Fields<'s, M> {
    pub fn begin<S: Serializer<SerializeMap = M>>(
        serializer: S,
        wanted: &'s Selector,
    ) -> std::result::Result<Self, S::Error> {
        Ok(Self { map: serializer.serialize_map(None)?, wanted })
    }

    pub fn put<T: Serialize>(&mut self, name: &str, value: T) -> std::result::Result<(), M::Error> {
        match self.wanted.inside(name) {
            None => Ok(()),
            Some(inner) if inner.wants_all() => self.map.serialize_entry(name, &value),
            Some(inner) => {
                let value = serde_json::to_value(value).map_err(Error::custom)?;
                self.map.serialize_entry(name, &inner.apply(value))
            }
        }
    }

    /// The same for a value that knows by itself how to leave out what is not wanted of it.
    pub fn put_part<T: Serialize>(
        &mut self,
        name: &str,
        part: impl FnOnce(&'s Selector) -> T,
    ) -> std::result::Result<(), M::Error> {
        self.wanted.inside(name).map_or(Ok(()), |inner| self.map.serialize_entry(name, &part(inner)))
    }

    pub fn end(self) -> std::result::Result<M::Ok, M::Error> {
        self.map.end()
    }
}

fn invalid(text: &str) -> ApiError {
    let message = format!("Invalid field selection {text}");
    ApiError::parameter("fields", &message)
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn list(&mut self) -> Option<Selector> {
        let mut selector = Selector::default();
        loop {
            let (name, inner) = self.field()?;
            selector.0.entry(name).or_default().0.extend(inner.0);
            if !self.take(',') {
                return Some(selector);
            }
        }
    }

    fn field(&mut self) -> Option<(String, Selector)> {
        let name = self.name()?;
        if self.take('/') {
            let (inner, deeper) = self.field()?;
            return Some((name, Selector(BTreeMap::from([(inner, deeper)]))));
        }
        if self.take('(') {
            let inner = self.list()?;
            return self.take(')').then_some((name, inner));
        }
        Some((name, Selector::default()))
    }

    fn name(&mut self) -> Option<String> {
        let rest = &self.text[self.at..];
        let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '*');
        let end = rest.find(|c| !legal(c)).unwrap_or(rest.len());
        self.at += end;
        let name = &rest[..end];
        (!name.is_empty() && KNOWN.binary_search(&name).is_ok() || name == "*").then(|| name.to_owned())
    }

    fn take(&mut self, wanted: char) -> bool {
        let found = self.text[self.at..].starts_with(wanted);
        if found {
            self.at += wanted.len_utf8();
        }
        found
    }
}

/// Every property of the resources in Google's description, sorted: a selector that names another one is refused, as
/// Google does.
const KNOWN: [&str; 158] = [
    "accessCode",
    "accessRole",
    "addOnParameters",
    "additionalGuests",
    "address",
    "allowedConferenceSolutionTypes",
    "anyoneCanAddSelf",
    "asyncOperation",
    "attachments",
    "attendees",
    "attendeesOmitted",
    "autoAcceptInvitations",
    "autoDeclineMode",
    "availableTimes",
    "background",
    "backgroundColor",
    "birthdayProperties",
    "buildingId",
    "busy",
    "calendar",
    "calendars",
    "chatStatus",
    "colorId",
    "comment",
    "conferenceData",
    "conferenceId",
    "conferenceProperties",
    "conferenceSolution",
    "conferenceSolutionKey",
    "contact",
    "createRequest",
    "created",
    "creator",
    "customLocation",
    "customTypeName",
    "dataOwner",
    "date",
    "dateTime",
    "dayOfWeek",
    "declineMessage",
    "defaultReminders",
    "deleted",
    "description",
    "deskId",
    "display",
    "displayName",
    "domain",
    "email",
    "end",
    "endTimeUnspecified",
    "entryPointFeatures",
    "entryPointType",
    "entryPoints",
    "errors",
    "etag",
    "event",
    "eventLabelId",
    "eventLabels",
    "eventType",
    "expiration",
    "extendedProperties",
    "fileId",
    "fileUrl",
    "floorId",
    "floorSectionId",
    "focusTimeProperties",
    "foreground",
    "foregroundColor",
    "gadget",
    "groups",
    "guestsCanInviteOthers",
    "guestsCanModify",
    "guestsCanSeeOtherGuests",
    "hangoutLink",
    "height",
    "hidden",
    "homeOffice",
    "htmlLink",
    "iCalUID",
    "iconLink",
    "iconUri",
    "id",
    "items",
    "key",
    "kind",
    "label",
    "labelProperties",
    "link",
    "location",
    "locked",
    "meetingCode",
    "method",
    "mimeType",
    "minutes",
    "name",
    "nextPageToken",
    "nextSyncToken",
    "notes",
    "notificationSettings",
    "notifications",
    "officeLocation",
    "optional",
    "organizer",
    "originalStartTime",
    "outOfOfficeProperties",
    "overrides",
    "parameters",
    "params",
    "passcode",
    "password",
    "payload",
    "periodEnd",
    "periodStart",
    "pin",
    "preferences",
    "primary",
    "private",
    "privateCopy",
    "reason",
    "recurrence",
    "recurringEventId",
    "regionCode",
    "reminders",
    "requestId",
    "resource",
    "resourceId",
    "resourceUri",
    "responseStatus",
    "role",
    "scope",
    "selected",
    "self",
    "sequence",
    "shared",
    "signature",
    "source",
    "start",
    "status",
    "statusCode",
    "summary",
    "summaryOverride",
    "timeMax",
    "timeMin",
    "timeZone",
    "title",
    "token",
    "transparency",
    "type",
    "updated",
    "uri",
    "url",
    "useDefault",
    "value",
    "visibility",
    "width",
    "workingHours",
    "workingHoursEnabled",
    "workingLocationProperties",
];

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn select(fields: &str, value: Value) -> Value {
        Selector::parse(fields).unwrap().apply(value)
    }

    #[test]
    fn the_known_names_are_sorted_so_that_they_can_be_searched() {
        assert!(KNOWN.is_sorted());
    }

    #[test]
    fn a_selector_goes_through_arrays() {
        let list = json!({"kind": "k", "items": [{"id": "1", "start": {"date": "d", "timeZone": "z"}}]});
        assert_eq!(select("items(id,start/date)", list), json!({"items": [{"id": "1", "start": {"date": "d"}}]}));
    }

    #[test]
    fn a_star_takes_all() {
        let event = json!({"id": "1", "start": {"date": "d"}});
        assert_eq!(select("*", event.clone()), event);
        assert_eq!(select("id,start/*", event.clone()), event);
    }

    #[test]
    fn a_name_that_no_resource_has_is_refused() {
        for bad in ["nonsense", "items(", "items)", "", "items/", "id,,kind"] {
            assert!(Selector::parse(bad).is_err(), "{bad}");
        }
    }
}
