//! Events that listings do not show as Google documents them.

use serde_json::{Value, json};

use super::{Place, Truth};

/// What is wrong with how listings of its calendar show an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// Its end is no time.
    End,
    /// Its recurrence is no list.
    Recurrence,
    /// It has more lines than a row takes.
    Size,
    /// One line of its recurrence says nothing; the others say what they say.
    Line,
}

impl Flaw {
    /// Shows the event so.
    pub fn spoil(self, item: &mut Value) {
        match (self, item["recurrence"].as_array_mut()) {
            (Self::End, _) => item["end"] = json!("some time"),
            (Self::Recurrence, _) => item["recurrence"] = json!("RRULE:FREQ=DAILY"),
            (Self::Line, Some(lines)) => lines.push(json!("RDATE;VALUE=PERIOD:soon")),
            (Self::Line, None) | (Self::Size, _) => {}
        }
    }
}

impl Truth {
    /// From now on listings show the event so.
    pub fn spoil(&mut self, calendar: &str, id: &str, flaw: Flaw) {
        self.flaws.insert((calendar.to_owned(), id.to_owned()), flaw);
    }

    /// Whether there is any such event.
    pub fn has_flaws(&self) -> bool {
        !self.flaws.is_empty()
    }

    /// How listings of the calendar show the event. Of a deleted one there is little to show.
    pub fn flaw(&self, calendar: &str, event: &Value) -> Option<Flaw> {
        let at = |field: &str| -> Option<Flaw> {
            let place: Place = (calendar.to_owned(), event[field].as_str()?.to_owned());
            self.flaws.get(&place).copied()
        };
        let stands = self.has_flaws() && event["status"] != "cancelled";
        stands.then(|| at("id").or_else(|| at("recurringEventId"))).flatten()
    }

    /// Whether the product cannot take in the event, or what it is an instance of, as listings show it.
    pub fn is_unreadable(&self, calendar: &str, event: &Value) -> bool {
        self.flaw(calendar, event).is_some_and(|flaw| flaw != Flaw::Line)
    }
}
