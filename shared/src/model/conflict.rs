//! A conflict: one lesson, one occurrence of a busy event, and when they overlap.

use chrono::{DateTime, Utc};

use super::{CalendarId, EventId, LessonId};

/// The pair that the flag of a lesson is derived from (the specification's `SchedulingConflict`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SchedulingConflict {
    pub lesson_id: LessonId,
    pub calendar_id: CalendarId,
    /// The row in `external_calendar_events` (an event, a series or an exception).
    pub google_event_id: EventId,
    pub occurrence_start: DateTime<Utc>,
    pub overlap_start: DateTime<Utc>,
    /// Exclusive.
    pub overlap_end: DateTime<Utc>,
    pub found_at: DateTime<Utc>,
}

impl SchedulingConflict {
    /// Whether both name the same lesson and occurrence; the times of overlap and discovery may differ.
    pub fn same_pair(&self, other: &Self) -> bool {
        self.lesson_id == other.lesson_id
            && self.calendar_id == other.calendar_id
            && self.google_event_id == other.google_event_id
            && self.occurrence_start == other.occurrence_start
    }

    /// Whether the overlap has ended. The pair is kept, as the flag on its lesson is.
    pub fn is_over(&self, now: DateTime<Utc>) -> bool {
        self.overlap_end <= now
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
