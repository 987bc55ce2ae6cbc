//! A conflict: one lesson, one busy event, and when they first overlap.

use std::{fmt, str::FromStr};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::{CalendarId, EventId, LessonId, PersonRole, timestamp};

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
    /// `None` while the pair is live: only a live pair raises the flag of its lesson.
    pub ignored: Option<Ignored>,
}

/// A person's word that an overlap is fine. It holds for the times of that overlap.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Ignored {
    /// The subject of the person's token.
    pub by: String,
    pub role: PersonRole,
    #[serde(with = "timestamp")]
    pub at: DateTime<Utc>,
}

/// Whether a pair raises the flag of its lesson.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PairState {
    Live,
    Ignored,
}

/// Names a pair, whichever occurrence of its event overlaps first: by its lesson, and by a digest of the event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConflictId {
    pub lesson_id: LessonId,
    event: u64,
}

impl fmt::Display for ConflictId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{:016x}", self.lesson_id.0.simple(), self.event)
    }
}

/// The text is no id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoConflictId;

impl FromStr for ConflictId {
    type Err = NoConflictId;

    fn from_str(text: &str) -> Result<Self, NoConflictId> {
        let (lesson, event) = text.split_at_checked(32).ok_or(NoConflictId)?;
        let lesson_id = LessonId(Uuid::try_parse(lesson).map_err(|_| NoConflictId)?);
        let id = Self { lesson_id, event: u64::from_str_radix(event, 16).map_err(|_| NoConflictId)? };
        // One spelling alone.
        (id.to_string() == text).then_some(id).ok_or(NoConflictId)
    }
}

impl SchedulingConflict {
    /// A lesson keeps at most so many live pairs, the earliest, and counts the others; beside them at most so many that
    /// are ignored.
    pub const MAX_PER_LESSON: usize = 20;

    pub fn id(&self) -> ConflictId {
        let digest = Sha256::digest(format!("{}#{}", self.calendar_id, self.google_event_id.family()));
        let event = digest.iter().take(8).fold(0, |event, byte| event << 8 | u64::from(*byte));
        ConflictId { lesson_id: self.lesson_id, event }
    }

    pub fn state(&self) -> PairState {
        if self.ignored.is_some() { PairState::Ignored } else { PairState::Live }
    }

    pub fn is_live(&self) -> bool {
        self.ignored.is_none()
    }

    /// Whether both are one pair that overlaps at the same times.
    pub fn same_overlap(&self, other: &Self) -> bool {
        let times = |pair: &Self| (pair.overlap_start, pair.overlap_end);
        self.same_pair(other) && times(self) == times(other)
    }

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
    /// It is new, or it was ignored and overlaps at other times now.
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

    fn pair(lesson: u128, event: &str) -> SchedulingConflict {
        let start: DateTime<Utc> = "2026-03-01T12:00:00Z".parse().unwrap();
        let end = start + TimeDelta::hours(1);
        SchedulingConflict {
            lesson_id: LessonId(Uuid::from_u128(lesson)),
            lesson_start: start,
            lesson_end: end,
            calendar_id: CalendarId::from("primary"),
            google_event_id: EventId::from(event),
            occurrence_start: start,
            overlap_start: start,
            overlap_end: end,
            found_at: start,
            ignored: None,
        }
    }

    #[test]
    fn a_pair_keeps_its_id_whichever_occurrence_overlaps_first() {
        let id = pair(1, "series").id();
        for same in ["series_20260301T120000Z", "series_R20260308T120000"] {
            assert_eq!(pair(1, same).id(), id, "{same}");
        }
        let elsewhere = SchedulingConflict { calendar_id: CalendarId::from("work"), ..pair(1, "series") };
        for other in [pair(2, "series"), pair(1, "other"), elsewhere] {
            assert_ne!(other.id(), id, "{other:?}");
        }
    }

    #[test]
    fn an_id_has_one_spelling() {
        let id = pair(0xab, "event").id();
        let text = id.to_string();
        assert_eq!((text.len(), text.parse()), (48, Ok(id)));
        for wrong in ["", "x", &text[1..], &text.to_uppercase(), &format!("{text}0"), &"é".repeat(24), &"+".repeat(48)]
        {
            assert_eq!(wrong.parse::<ConflictId>(), Err(NoConflictId), "{wrong}");
        }
    }

    #[test]
    fn a_conflict_is_over_when_its_overlap_is() {
        let pair = pair(0, "event");
        let end = pair.overlap_end;
        assert!(!pair.is_over(end - TimeDelta::seconds(1)));
        assert!(pair.is_over(end));
    }
}
