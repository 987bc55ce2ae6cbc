//! Events that the product did not write: one row for each event, series or exception, with what is used of it.

use chrono::{DateTime, Datelike, NaiveTime, TimeDelta, Utc};
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

    /// What was over so long ago is not stored.
    pub const RETENTION: TimeDelta = TimeDelta::days(30);

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

    /// When it is over; `None` when it has no end. An exception is needed until its original start, where its series would
    /// occur without it. A whole day has begun in every zone a day after it did in UTC.
    fn over_at(&self) -> Option<DateTime<Utc>> {
        let end = self.event_end?;
        let original = self.event.original_start.map(|start| start.instant(Tz::UTC) + TimeDelta::days(1));
        Some(original.map_or(end, |original| end.max(original)))
    }

    /// Whether it was over too long ago to be stored.
    pub fn is_past(&self, now: DateTime<Utc>) -> bool {
        self.over_at().is_some_and(|over_at| over_at < now - Self::RETENTION)
    }

    /// When its row may go by itself, a day after it would not be stored any more.
    pub fn expires_at(&self) -> Option<DateTime<Utc>> {
        self.over_at().map(|over_at| over_at + Self::RETENTION + TimeDelta::days(1))
    }

    /// From when on all events are known: the start of a day, so that it moves once a day.
    pub fn known_from(now: DateTime<Utc>) -> DateTime<Utc> {
        let day = (now - Self::RETENTION + TimeDelta::days(1)).date_naive();
        day.and_time(NaiveTime::MIN).and_utc()
    }

    pub fn id(&self) -> &EventId {
        &self.event.id
    }

    pub fn is_long(&self) -> bool {
        !self.event.is_series() && self.event_end.is_some_and(|end| end - self.event_start > Self::LONG_EVENT_DURATION)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{model::EventTime, testing::event};

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn an_event_is_kept_for_thirty_days_after_it_and_an_exception_as_long_after_where_it_was() {
        let now = at("2026-05-31T12:00:00Z");
        let time = |text| EventTime::At { instant: at(text), zone: None };
        let (over, lately) = ("2026-05-01T11:59:59Z", "2026-05-01T12:00:00Z");
        let day = |text: &str| Some(EventTime::Day(text.parse().unwrap()));
        for (end, original, is_past) in [
            (over, None, true),
            (lately, None, false),
            (over, Some(time("2026-04-01T00:00:00Z")), true),
            (over, Some(time(lately)), false),
            (lately, Some(time("2026-04-01T00:00:00Z")), false),
            (over, day("2026-05-01"), false),
            (over, day("2026-04-30"), true),
        ] {
            let mut event = event("e", time("2026-03-01T08:00:00Z"), time(end), &[]);
            event.original_start = original;
            let row = ExternalCalendarEvent::new(&"primary".into(), event, Tz::UTC, None).unwrap();
            assert_eq!(row.is_past(now), is_past, "{end} {original:?}");
            assert_eq!(row.expires_at().unwrap() < now + TimeDelta::days(1), is_past, "{end} {original:?}");
        }
    }

    #[test]
    fn a_series_is_kept_until_its_last_occurrence_is_over_and_an_endless_one_for_ever() {
        let time = EventTime::At { instant: at("2020-01-01T08:00:00Z"), zone: None };
        let now = at("2026-05-31T12:00:00Z");
        for (last_end, is_past) in
            [(Some("2026-05-01T11:00:00Z"), true), (Some("2027-01-01T09:00:00Z"), false), (None, false)]
        {
            let extent = Extent { first_start: at("2020-01-01T08:00:00Z"), last_end: last_end.map(at) };
            let event = event("s", time, time, &["RRULE:FREQ=DAILY"]);
            let row = ExternalCalendarEvent::new(&"primary".into(), event, Tz::UTC, Some(extent)).unwrap();
            assert_eq!((row.is_past(now), row.expires_at().is_some()), (is_past, last_end.is_some()));
        }
    }

    #[test]
    fn what_is_known_begins_with_a_day_and_lies_within_what_is_kept() {
        for (now, from) in
            [("2026-05-31T00:00:00Z", "2026-05-02T00:00:00Z"), ("2026-05-31T23:59:59Z", "2026-05-02T00:00:00Z")]
        {
            assert_eq!(ExternalCalendarEvent::known_from(at(now)), at(from));
            assert!(at(from) >= at(now) - ExternalCalendarEvent::RETENTION);
        }
    }
}
