//! What the product did not write: one row for each event, series or exception, as Google keeps it.

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;

use super::{CalendarId, Event, EventId};

/// A row of `external_calendar_events`. Occurrences of a series are never stored; they are worked out when read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExternalCalendarEvent {
    /// The calendar that it stands in.
    pub calendar_id: CalendarId,
    /// The event. Its `start` and `end` are present.
    pub event: Event,
    /// When the event (or the earliest occurrence of a series) begins; days begin in the calendar's zone.
    pub event_start: DateTime<Utc>,
    /// When the event ends; for a series the end of its last occurrence, or `None` when it has none.
    pub event_end: Option<DateTime<Utc>>,
}

/// From when to when a series occurs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// When the earliest occurrence begins: a date may add one that is before the series' own start.
    pub first_start: DateTime<Utc>,
    /// When the last one ends; `None` when there is no last one.
    pub last_end: Option<DateTime<Utc>>,
}

impl ExternalCalendarEvent {
    /// An event that is longer than this is looked up by its end, so that finding it needs no look into the past.
    pub const LONG: TimeDelta = TimeDelta::days(1);

    /// The row for `event`, or `None` when it has no times (a tombstone). A series has an extent.
    pub fn new(calendar_id: &CalendarId, event: Event, zone: Tz, series: Option<Extent>) -> Option<Self> {
        let (start, end) = (event.start?.instant(zone), event.end?.instant(zone));
        let Extent { first_start, last_end } = series.unwrap_or(Extent { first_start: start, last_end: Some(end) });
        Some(Self { calendar_id: calendar_id.clone(), event, event_start: first_start, event_end: last_end })
    }

    /// Google's id.
    pub fn id(&self) -> &EventId {
        &self.event.id
    }

    /// Whether it lasts longer than [`Self::LONG`].
    pub fn is_long(&self) -> bool {
        !self.event.is_series() && self.event_end.is_some_and(|end| end - self.event_start > Self::LONG)
    }
}
