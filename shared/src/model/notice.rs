//! What the host is told, so that it can mail it or show it to the instructor.

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
        lesson_id: LessonId,
        google_event_id: String,
        #[serde(with = "timestamp")]
        overlap_start: DateTime<Utc>,
        /// Exclusive.
        #[serde(with = "timestamp")]
        overlap_end: DateTime<Utc>,
    },
    /// The overlap is gone.
    #[serde(rename = "conflict.cleared")]
    ConflictCleared { lesson_id: LessonId, google_event_id: String },
    /// The instructor changed or deleted our event in Google.
    #[serde(rename = "event.changed_in_google")]
    EventChangedInGoogle {
        lesson_id: LessonId,
        deleted: bool,
        /// Whether we restored the event. If not, the sync of this lesson has stopped.
        put_back: bool,
    },
    /// Our columns of a lesson that came by the feed have changed; a host that keeps its lessons elsewhere may copy
    /// them.
    #[serde(rename = "lesson.sync_changed")]
    LessonSyncChanged {
        lesson_id: LessonId,
        /// How often the columns were written: of two notices of a lesson, the greater is the later one.
        revision: u64,
        google_event_id: Option<String>,
        /// `None` when the lesson is not synced.
        sync_status: Option<SyncStatus>,
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
    NeedsAttention { reason: String },
}

impl NoticeKind {
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

/// A notice, stored together with its cause and delivered at least once. Receivers recognise a repeat by its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// The same in every delivery.
    pub id: Uuid,
    pub key: ConnectionKey,
    pub kind: NoticeKind,
    pub at: DateTime<Utc>,
}
