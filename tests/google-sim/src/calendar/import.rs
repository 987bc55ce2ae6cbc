//! `events.import`: a private copy of an event that lives elsewhere.

use data_encoding::BASE32HEX_NOPAD;
use serde_json::{Map, Value};

use super::draft;
use super::kinds;
use super::store::{Calendar, Calendars};
use super::write::{Write, fresh};
use crate::error::{ApiError, Result};

impl Calendars {
    /// Copies an event into a calendar and gives its id. Its guests hear nothing of it, and its organizer stays who it
    /// was. Google looks at no `sequence`: an identity that the calendar has seen before is refused, deleted or not.
    pub fn import(&mut self, write: &mut Write<'_>, body: &Map<String, Value>) -> Result<String> {
        let ical_uid = body.get("iCalUID").and_then(Value::as_str).filter(|uid| !uid.is_empty());
        let ical_uid = ical_uid.ok_or_else(|| ApiError::required("Missing iCalUID."))?;
        kinds::check_default(body.get("eventType").and_then(Value::as_str).unwrap_or("default"))?;
        let place = self.place(write)?;
        let calendar = self.all.get(write.calendar).ok_or_else(ApiError::not_found)?;
        if calendar.holds(ical_uid) {
            return Err(ApiError::duplicate());
        }
        let mut event = fresh(write, id_in(calendar, ical_uid), ical_uid.to_owned(), "default".to_owned());
        if let Some(organizer) = body.get("organizer").and_then(|organizer| organizer.get("email")?.as_str()) {
            event.organizer = organizer.to_ascii_lowercase();
        }
        draft::apply(&mut event, body, place)?;
        let id = event.id.clone();
        let change = self.begin(write.now);
        self.put(change, write.calendar, event);
        Ok(id)
    }
}

/// The id that Google derives from an identity: its own goes back to the id that it came from, another one is spelt in
/// base32hex after an underscore, which no client can choose.
fn id_in(calendar: &Calendar, ical_uid: &str) -> String {
    ical_uid
        .strip_suffix("@google.com")
        .filter(|id| draft::check_id(id, false).is_ok() && !calendar.events.contains_key(*id))
        .map_or_else(|| format!("_{}", BASE32HEX_NOPAD.encode(ical_uid.as_bytes()).to_ascii_lowercase()), str::to_owned)
}
