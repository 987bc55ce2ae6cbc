//! The part of Google's event resource that we use.

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::{EventId, LessonId, Zone, zone::start_of_day};

/// `status` of a Google event.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventStatus {
    /// Also stands for a status that we do not know.
    #[default]
    Confirmed,
    Tentative,
    /// Deleted, or a cancelled occurrence of a series.
    Cancelled,
}

/// `eventType` of a Google event.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum EventType {
    /// Also stands for a type that we do not know.
    #[default]
    Default,
    OutOfOffice,
    FocusTime,
    WorkingLocation,
    Birthday,
    FromGmail,
}

/// Why an event does not make its owner busy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Free {
    Cancelled,
    Transparent,
    Declined,
    WorkingLocation,
    Birthday,
}

/// A time of an event: a moment or a whole day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventTime {
    At {
        #[serde(with = "super::timestamp")]
        instant: DateTime<Utc>,
        /// The event's own zone, in which a series repeats.
        zone: Option<Zone>,
    },
    /// A whole day in the calendar's zone, whatever zone that is.
    Day(NaiveDate),
}

impl EventTime {
    /// The moment; a day begins at its first moment in `zone`, the calendar's.
    pub fn instant(&self, zone: Tz) -> DateTime<Utc> {
        match self {
            Self::At { instant, .. } => *instant,
            Self::Day(day) => start_of_day(*day, zone),
        }
    }

    pub fn is_day(&self) -> bool {
        matches!(self, Self::Day(_))
    }
}

/// An event, a series, or an exception of a series.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    pub id: EventId,
    /// Changes with every change of the event.
    pub etag: String,
    pub status: EventStatus,
    /// `None` when the event has none or Google hides it.
    pub summary: Option<String>,
    pub description: Option<String>,
    pub location: Option<String>,
    /// `None` in tombstones.
    pub start: Option<EventTime>,
    /// Exclusive; `None` in tombstones.
    pub end: Option<EventTime>,
    /// RRULE, EXDATE, RDATE and EXRULE lines of a series; empty for all other events.
    pub recurrence: Vec<String>,
    /// The series that this event is an exception of.
    pub recurring_event_id: Option<EventId>,
    /// Where the exception stood in the series before it was changed.
    pub original_start: Option<EventTime>,
    /// Marked as free.
    pub transparent: bool,
    /// Marked as private or confidential.
    pub private: bool,
    pub event_type: EventType,
    /// The calendar's owner declined it.
    pub declined: bool,
    /// The lesson in our private extended properties. A copy of our event carries it too.
    pub lesson_id: Option<LessonId>,
}

impl Event {
    pub fn is_cancelled(&self) -> bool {
        self.status == EventStatus::Cancelled
    }

    /// Whether it is a series, not an exception of one.
    pub fn is_series(&self) -> bool {
        !self.recurrence.is_empty()
    }

    /// Why it leaves its owner free; `None` when it makes them busy.
    pub fn free(&self) -> Option<Free> {
        match self.event_type {
            _ if self.is_cancelled() => Some(Free::Cancelled),
            EventType::WorkingLocation => Some(Free::WorkingLocation),
            EventType::Birthday => Some(Free::Birthday),
            _ if self.declined => Some(Free::Declined),
            _ if self.transparent => Some(Free::Transparent),
            EventType::Default | EventType::OutOfOffice | EventType::FocusTime | EventType::FromGmail => None,
        }
    }

    pub fn blocks(&self) -> bool {
        self.free().is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_blocks_and_why_the_rest_does_not_is_one_table() {
        use EventStatus::{Cancelled, Confirmed, Tentative};
        use EventType::{Birthday, Default, FocusTime, FromGmail, OutOfOffice, WorkingLocation};
        #[rustfmt::skip]
        let cases = [
            // status,   type,            transparent, declined → free because
            (Confirmed,  Default,         false, false, None),
            (Tentative,  Default,         false, false, None),
            (Cancelled,  Default,         false, false, Some(Free::Cancelled)),
            (Confirmed,  Default,         true,  false, Some(Free::Transparent)),
            (Confirmed,  Default,         false, true,  Some(Free::Declined)),
            (Tentative,  Default,         true,  true,  Some(Free::Declined)),
            (Confirmed,  OutOfOffice,     false, false, None),
            (Confirmed,  FocusTime,       false, false, None),
            (Confirmed,  FromGmail,       false, false, None),
            (Confirmed,  WorkingLocation, true,  false, Some(Free::WorkingLocation)),
            (Confirmed,  WorkingLocation, false, false, Some(Free::WorkingLocation)),
            (Confirmed,  Birthday,        true,  false, Some(Free::Birthday)),
            (Cancelled,  Birthday,        true,  false, Some(Free::Cancelled)),
        ];
        for (status, event_type, transparent, declined, free) in cases {
            let event = Event { status, transparent, event_type, declined, ..Event::default() };
            let case = format!("{status:?} {event_type:?} transparent={transparent} declined={declined}");
            assert_eq!((event.free(), event.blocks()), (free, free.is_none()), "{case}");
        }
    }
}
