//! What a round stored, by which conflicts are worked out.

use std::collections::BTreeSet;

use chrono_tz::Tz;

use crate::model::{CalendarId, EventId, ExternalCalendarEvent};

/// What a round stored, and what the state learns at its end.
#[derive(Debug)]
pub struct Delta {
    /// The calendar that they stand in.
    pub calendar: CalendarId,
    /// The rows of external events that changed.
    pub put: Vec<ExternalCalendarEvent>,
    /// External events whose rows went.
    pub gone: BTreeSet<EventId>,
    /// The calendar's zone as the listing said; the state learns it with the cursor.
    pub zone: Tz,
    /// All conflicts are to be worked out anew: the calendar's zone changed, all of it was listed or forgotten, or everything
    /// is compared.
    pub everything: bool,
}

impl Delta {
    /// Nothing yet.
    pub fn nothing(calendar: CalendarId, zone: Tz) -> Self {
        Self { calendar, put: Vec::new(), gone: BTreeSet::new(), zone, everything: false }
    }

    /// The rows that went, as the store names them.
    pub fn removals(&self) -> Vec<(CalendarId, EventId)> {
        self.gone.iter().map(|id| (self.calendar.clone(), id.clone())).collect()
    }
}
