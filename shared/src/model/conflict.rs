//! A conflict: one lesson, one busy event, and when they first overlap.

use chrono::{DateTime, Utc};

use super::{CalendarId, EventId, LessonId};

/// The pair that the flag of a lesson is derived from (the specification's `SchedulingConflict`). A series is one event,
/// with its exceptions and what was split off it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SchedulingConflict {
    pub lesson_id: LessonId,
    /// The lesson's times: other occurrences of the series are compared with them when they are read.
    pub lesson_start: DateTime<Utc>,
    /// Exclusive.
    pub lesson_end: DateTime<Utc>,
    pub calendar_id: CalendarId,
    /// The row in `external_calendar_events` (an event, a series or an exception) that overlaps the lesson first.
    pub google_event_id: EventId,
    pub occurrence_start: DateTime<Utc>,
    pub overlap_start: DateTime<Utc>,
    /// Exclusive.
    pub overlap_end: DateTime<Utc>,
    pub found_at: DateTime<Utc>,
}

impl SchedulingConflict {
    /// A lesson keeps at most so many, the earliest, and counts the others.
    pub const MAX_PER_LESSON: usize = 20;

    /// Whether both name the same lesson and event; which occurrence overlaps first, and when, may differ.
    pub fn same_pair(&self, other: &Self) -> bool {
        self.lesson_id == other.lesson_id
            && self.calendar_id == other.calendar_id
            && self.google_event_id.family() == other.google_event_id.family()
    }

    /// Whether the overlap has ended. The pair is kept, as the flag on its lesson is.
    pub fn is_over(&self, now: DateTime<Utc>) -> bool {
        self.overlap_end <= now
    }
}

/// How a pair differs from what is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PairChange {
    Found(SchedulingConflict),
    /// Another occurrence overlaps first, or the overlap has other times.
    Moved(SchedulingConflict),
    /// As it was stored.
    Cleared(SchedulingConflict),
}

impl PairChange {
    pub fn pair(&self) -> &SchedulingConflict {
        match self {
            Self::Found(pair) | Self::Moved(pair) | Self::Cleared(pair) => pair,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;
    use uuid::Uuid;

    #[test]
    fn a_conflict_is_over_when_its_overlap_is() {
        let start: DateTime<Utc> = "2026-03-01T12:00:00Z".parse().unwrap();
        let end = start + TimeDelta::hours(1);
        let pair = SchedulingConflict {
            lesson_id: LessonId(Uuid::nil()),
            lesson_start: start,
            lesson_end: end,
            calendar_id: CalendarId::from("primary"),
            google_event_id: EventId::from("event"),
            occurrence_start: start,
            overlap_start: start,
            overlap_end: end,
            found_at: start,
        };
        assert!(!pair.is_over(end - TimeDelta::seconds(1)));
        assert!(pair.is_over(end));
    }
}
