//! Events that the product did not write: one row for each event, series or exception, with what is used of it.

use chrono::{DateTime, Datelike, TimeDelta, Utc};
use chrono_tz::Tz;

use super::{CalendarId, Event, EventId, EventType, text::cut};

/// A row of `external_calendar_events`. Occurrences of a series are not stored; they are calculated when read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExternalCalendarEvent {
    pub calendar_id: CalendarId,
    /// Its `start` and `end` are present. It has no etag and no description, and a private one has neither title nor
    /// place.
    pub event: Event,
    /// The start of the event, or of the earliest occurrence of a series. A whole day begins in the calendar's zone.
    pub event_start: DateTime<Utc>,
    /// The end of the event, or of a series' last occurrence; `None` when the series has no end.
    pub event_end: Option<DateTime<Utc>>,
}

/// From when to when a series has occurrences.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// The start of the earliest occurrence. An RDATE may put it before the series' own start.
    pub first_start: DateTime<Utc>,
    /// `None` when there is no last occurrence.
    pub last_end: Option<DateTime<Utc>>,
}

impl ExternalCalendarEvent {
    /// A longer event is looked up by its end, so that a query by start need not reach further back than this.
    pub const LONG_EVENT_DURATION: TimeDelta = TimeDelta::days(1);

    /// Bytes of each text that are kept: Google's longest limit.
    const MAX_TEXT_BYTES: usize = 8 * 1024;

    /// Bytes of rules and dates that are stored. DynamoDB limits an item with its copies in local indexes, one of which
    /// holds nearly whole items, to 400 KB, and a transaction, of which twenty rows are a part, to 4 MB.
    pub const MAX_RECURRENCE_BYTES: usize = 128 * 1024;

    /// Whether the event is too large to be stored. Such an event can arrive as an invitation from anyone.
    pub fn is_too_large(event: &Event) -> bool {
        event.recurrence.iter().map(|line| line.len() + 1).sum::<usize>() > Self::MAX_RECURRENCE_BYTES
    }

    /// Reduces the event to what is stored of it, and frees the rest: of a private event the times alone, and of the
    /// others title and place.
    pub fn reduce(event: &mut Event) {
        event.etag = String::new();
        event.description = None;
        if event.private {
            (event.summary, event.location) = (None, None);
        }
        for text in [&mut event.summary, &mut event.location].into_iter().flatten() {
            text.truncate(cut(text, Self::MAX_TEXT_BYTES).len());
            text.shrink_to_fit();
        }
    }

    /// The row for `event`, or `None` when it has no times (a tombstone). A series needs its extent; a series that goes
    /// on after the year 9999, Google's last, has no end.
    pub fn new(calendar_id: &CalendarId, mut event: Event, zone: Tz, series: Option<Extent>) -> Option<Self> {
        let (start, end) = (event.start?.instant(zone), event.end?.instant(zone));
        let Extent { first_start, last_end } = series.unwrap_or(Extent { first_start: start, last_end: Some(end) });
        // Years after 9999 would sort before all others.
        let event_end = last_end.filter(|end| series.is_none() || end.year() <= 9999);
        Self::reduce(&mut event);
        Some(Self { calendar_id: calendar_id.clone(), event, event_start: first_start, event_end })
    }

    /// The row as that of a private event would be: when, and whether it blocks, but not why not.
    #[must_use]
    pub fn without_plans(mut self) -> Self {
        if !self.event.is_cancelled() {
            self.event.transparent = !self.event.blocks();
            (self.event.event_type, self.event.declined) = (EventType::Default, false);
        }
        self.event.private = true;
        Self::reduce(&mut self.event);
        self
    }

    pub fn id(&self) -> &EventId {
        &self.event.id
    }

    pub fn is_long(&self) -> bool {
        !self.event.is_series() && self.event_end.is_some_and(|end| end - self.event_start > Self::LONG_EVENT_DURATION)
    }
}
