//! Lessons: rows of the host application. We read them and write columns of our own; those of a host that keeps its
//! lessons elsewhere come by the feed, version by version, and are written by us.

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::{InstructorId, LessonId, TenantId};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SyncStatus {
    /// Google shows what the lesson says.
    Synced,
    /// A write is still to come.
    Pending,
    /// Google or the product refused; the mapping's error says why.
    Failed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LessonStatus {
    /// It takes place, or did.
    Scheduled,
    Cancelled,
}

impl LessonStatus {
    /// Reads the host's status. Hosts have values of their own (`completed`, `confirmed`, …): only `cancelled` takes an
    /// event out of a calendar.
    pub fn from_host(word: &str) -> Self {
        if word.eq_ignore_ascii_case("cancelled") || word.eq_ignore_ascii_case("canceled") {
            Self::Cancelled
        } else {
            Self::Scheduled
        }
    }
}

/// A row of the host's lessons table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lesson {
    pub tenant_id: TenantId,
    pub id: LessonId,
    pub instructor_id: InstructorId,
    pub status: LessonStatus,
    pub content: LessonContent,
    /// Our column.
    pub google_calendar_event_id: Option<String>,
    /// Our column; `None` when the lesson is not synced.
    pub calendar_sync_status: Option<SyncStatus>,
    /// Our column.
    pub has_conflict: bool,
    /// Our column: goes up each time that one of the three above is written.
    pub calendar_sync_revision: u64,
    /// Our column: the last version that the feed sent; `None` where the host writes the row itself.
    pub feed_version: Option<u64>,
}

impl Lesson {
    /// The longest lesson that is synced. The lessons that overlap a moment are found among those that began at most
    /// this long before it.
    pub const MAX_DURATION: TimeDelta = TimeDelta::days(1);
}

/// A version of a lesson, as the feed sends it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LessonVersion {
    pub tenant_id: TenantId,
    pub lesson_id: LessonId,
    /// Of two versions the greater is the later one.
    pub version: u64,
    /// `None` when the lesson was removed.
    pub lesson: Option<FedLesson>,
}

/// The lesson in a version of the feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FedLesson {
    pub instructor_id: InstructorId,
    pub status: LessonStatus,
    pub content: LessonContent,
}

/// The fields of an event that we own. A description or location that the lesson does not have is not ours: what the
/// instructor writes there stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LessonContent {
    pub title: String,
    pub starts_at: DateTime<Utc>,
    /// Exclusive.
    pub ends_at: DateTime<Utc>,
    /// The zone in which the event is shown.
    pub time_zone: Tz,
    pub description: Option<String>,
    pub location: Option<String>,
}
