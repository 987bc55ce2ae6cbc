//! What the product did not write: one row for each event, series or exception, as Google keeps it.

use chrono::{DateTime, Datelike, TimeDelta, Utc};
use chrono_tz::Tz;

use super::{CalendarId, Event, EventId, text::cut};

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

    /// Bytes of each text that are kept: Google's own bound of the longest.
    const MAX_TEXT_BYTES: usize = 8 * 1024;

    /// Bytes of rules and dates that are stored. DynamoDB takes 400 KB for an item and its copies in local indexes
    /// together, and one of these holds whole items; 4 MB for a transaction, of which twenty rows are a part.
    pub const MAX_RECURRENCE_BYTES: usize = 128 * 1024;

    /// Whether the event cannot be stored. Anyone can send such a one as an invitation.
    pub fn is_too_large(event: &Event) -> bool {
        event.recurrence.iter().map(|line| line.len() + 1).sum::<usize>() > Self::MAX_RECURRENCE_BYTES
    }

    /// The row for `event`, or `None` when it has no times (a tombstone). A series has an extent; where it goes on after
    /// the years of Google, it has no end.
    pub fn new(calendar_id: &CalendarId, mut event: Event, zone: Tz, series: Option<Extent>) -> Option<Self> {
        let (start, end) = (event.start?.instant(zone), event.end?.instant(zone));
        let Extent { first_start, last_end } = series.unwrap_or(Extent { first_start: start, last_end: Some(end) });
        // Later years sort before all others.
        let event_end = last_end.filter(|end| series.is_none() || end.year() <= 9999);
        for text in [&mut event.summary, &mut event.description, &mut event.location].into_iter().flatten() {
            text.truncate(cut(text, Self::MAX_TEXT_BYTES).len());
        }
        Some(Self { calendar_id: calendar_id.clone(), event, event_start: first_start, event_end })
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
