//! Lessons: rows of the host application. We read them and write columns of our own; those of a host that keeps its
//! lessons elsewhere come by the feed, version by version, and are written by us.

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::{InstructorId, LessonId, SyncStatus, TenantId};

/// Whether a lesson takes place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LessonStatus {
    /// It does, or did.
    Scheduled,
    /// It does not.
    Cancelled,
}

impl LessonStatus {
    /// Reads the host's word. Hosts have words of their own (`completed`, `confirmed`, …): only the word for
    /// cancelled takes an event out of a calendar.
    pub fn from_host(word: &str) -> Self {
        if word.eq_ignore_ascii_case("cancelled") || word.eq_ignore_ascii_case("canceled") {
            Self::Cancelled
        } else {
            Self::Scheduled
        }
    }
}

/// A lesson as the host keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lesson {
    /// The school.
    pub tenant_id: TenantId,
    /// The lesson.
    pub id: LessonId,
    /// Who gives it.
    pub instructor_id: InstructorId,
    /// Whether it takes place.
    pub status: LessonStatus,
    /// What the event shows.
    pub content: LessonContent,
    /// Our column: its event in Google.
    pub google_calendar_event_id: Option<String>,
    /// Our column: how far its sync is.
    pub calendar_sync_status: Option<SyncStatus>,
    /// Our column: whether a busy event overlaps it.
    pub has_conflict: bool,
    /// Our column: greater each time that one of the three above is written.
    pub calendar_sync_revision: u64,
    /// Our column: the version that the feed told last; `None` where the host writes the row itself.
    pub feed_version: Option<u64>,
}

impl Lesson {
    /// How long a lesson lasts at most: those that something overlaps are looked for among the ones that began this long
    /// before.
    pub const LONGEST: TimeDelta = TimeDelta::days(1);
}

/// A version of a lesson, as the feed tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LessonVersion {
    /// The school.
    pub tenant_id: TenantId,
    /// The lesson.
    pub lesson_id: LessonId,
    /// Which version; of two, the greater is the later one.
    pub version: u64,
    /// What the lesson is in it; `None` when it was removed.
    pub lesson: Option<FedLesson>,
}

/// What the feed says of a lesson.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FedLesson {
    /// Who gives it.
    pub instructor_id: InstructorId,
    /// Whether it takes place.
    pub status: LessonStatus,
    /// What the event shows.
    pub content: LessonContent,
}

/// What an event of ours shows: the fields that we own. A description or a location that the lesson does not
/// have is not ours, so what the instructor writes there stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LessonContent {
    /// The title.
    pub title: String,
    /// When it begins.
    pub starts_at: DateTime<Utc>,
    /// When it ends (exclusive).
    pub ends_at: DateTime<Utc>,
    /// The zone in which it is shown.
    pub time_zone: Tz,
    /// What it is about, if the host says so.
    pub description: Option<String>,
    /// Where, if the host says so.
    pub location: Option<String>,
}
