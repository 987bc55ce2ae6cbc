//! What the host is told, so that it can mail or show it to the instructor.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{ConnectionKey, LessonId, SyncStatus, timestamp};

/// What happened. The names are the `detail-type`s on the event bus.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all_fields = "camelCase")]
pub enum NoticeKind {
    /// A busy event overlaps a lesson.
    #[serde(rename = "conflict.found")]
    ConflictFound {
        /// The lesson.
        lesson_id: LessonId,
        /// The event.
        google_event_id: String,
        /// From when they overlap.
        #[serde(with = "timestamp")]
        overlap_start: DateTime<Utc>,
        /// Until when.
        #[serde(with = "timestamp")]
        overlap_end: DateTime<Utc>,
    },
    /// It no longer does.
    #[serde(rename = "conflict.cleared")]
    ConflictCleared {
        /// The lesson.
        lesson_id: LessonId,
        /// The event.
        google_event_id: String,
    },
    /// The instructor changed or deleted our event in Google; it was put back, or no longer is.
    #[serde(rename = "event.changed_in_google")]
    EventChangedInGoogle {
        /// The lesson.
        lesson_id: LessonId,
        /// Whether it was deleted.
        deleted: bool,
        /// Whether it was put back; if not, the sync of this lesson has stopped.
        put_back: bool,
    },
    /// Our columns of a lesson that came by the feed have changed: its host, who keeps it elsewhere, may copy them.
    #[serde(rename = "lesson.sync_changed")]
    LessonSyncChanged {
        /// The lesson.
        lesson_id: LessonId,
        /// How often they were written: of two notices of a lesson, the greater is the later one.
        revision: u64,
        /// Its event in Google.
        google_event_id: Option<String>,
        /// How far its sync is; `None` when it is not synced at all.
        sync_status: Option<SyncStatus>,
        /// Whether a busy event overlaps it.
        has_conflict: bool,
    },
    /// Several runs in a row failed.
    #[serde(rename = "sync.failing")]
    SyncFailing {
        /// The code of the last error.
        code: String,
    },
    /// The instructor has to connect again.
    #[serde(rename = "connection.needs_attention")]
    NeedsAttention {
        /// Why, as a code.
        reason: String,
    },
}

impl NoticeKind {
    /// The `detail-type` on the event bus.
    pub fn name(&self) -> &'static str {
        match self {
            Self::ConflictFound { .. } => "conflict.found",
            Self::ConflictCleared { .. } => "conflict.cleared",
            Self::EventChangedInGoogle { .. } => "event.changed_in_google",
            Self::LessonSyncChanged { .. } => "lesson.sync_changed",
            Self::SyncFailing { .. } => "sync.failing",
            Self::NeedsAttention { .. } => "connection.needs_attention",
        }
    }
}

/// A notice, stored with its cause and delivered at least once; receivers tell repeats by its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Stable through every delivery.
    pub id: Uuid,
    /// Whose connection.
    pub key: ConnectionKey,
    /// What happened.
    pub kind: NoticeKind,
    /// When.
    pub at: DateTime<Utc>,
}
