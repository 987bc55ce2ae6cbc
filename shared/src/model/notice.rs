//! What the host is told, so that it can mail it or show it to the instructor.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{ConnectionKey, LessonId, PairChange, PairState, SchedulingConflict, SyncStatus, timestamp};

/// What happened. The names are the `detail-type`s on the event bus.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all_fields = "camelCase")]
pub enum NoticeKind {
    /// Busy events overlap lessons, or no longer do.
    #[serde(rename = "conflicts.changed")]
    ConflictsChanged {
        /// At most [`ConflictChange::MAX_PER_NOTICE`].
        conflicts: Vec<ConflictChange>,
    },
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
            Self::ConflictsChanged { .. } => "conflicts.changed",
            Self::EventChangedInGoogle { .. } => "event.changed_in_google",
            Self::LessonSyncChanged { .. } => "lesson.sync_changed",
            Self::SyncFailing { .. } => "sync.failing",
            Self::NeedsAttention { .. } => "connection.needs_attention",
        }
    }
}

/// A conflict that was found, cleared, or decided on by a person. It is named by the lesson and the event; an occurrence or
/// exception is named by its series, so that what was found and what is cleared have the same names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum ConflictChange {
    /// The event overlaps the lesson; these are the times of the first overlap.
    Found {
        lesson_id: LessonId,
        google_event_id: String,
        #[serde(with = "timestamp")]
        overlap_start: DateTime<Utc>,
        /// Exclusive.
        #[serde(with = "timestamp")]
        overlap_end: DateTime<Utc>,
    },
    /// The event no longer overlaps the lesson, or is no longer one of the twenty earliest that do.
    Cleared { lesson_id: LessonId, google_event_id: String },
    /// A person said that the overlap is fine. Nothing is told of it any more, until its times change.
    Ignored { lesson_id: LessonId, google_event_id: String },
    /// A person took that back.
    Unignored {
        lesson_id: LessonId,
        google_event_id: String,
        #[serde(with = "timestamp")]
        overlap_start: DateTime<Utc>,
        /// Exclusive.
        #[serde(with = "timestamp")]
        overlap_end: DateTime<Utc>,
    },
}

impl ConflictChange {
    /// So many make less than the 256 KB that `EventBridge` takes, also with the longest ids, of 2 KB, each byte of which
    /// JSON may write as six.
    pub const MAX_PER_NOTICE: usize = 20;

    /// What is told of a change; nothing of a pair whose first overlap moved, nor of the end of one that is ignored.
    pub fn of(change: &PairChange) -> Option<Self> {
        let event = |pair: &SchedulingConflict| pair.google_event_id.family().to_owned();
        match change {
            PairChange::Found(pair) => Some(Self::Found {
                lesson_id: pair.lesson_id,
                google_event_id: event(pair),
                overlap_start: pair.overlap_start,
                overlap_end: pair.overlap_end,
            }),
            PairChange::Cleared(pair) if pair.is_live() => {
                Some(Self::Cleared { lesson_id: pair.lesson_id, google_event_id: event(pair) })
            }
            PairChange::Cleared(_) | PairChange::Moved(_) => None,
        }
    }

    /// What is told of a pair that a person has just decided on.
    pub fn decided(pair: &SchedulingConflict) -> Self {
        let (lesson_id, google_event_id) = (pair.lesson_id, pair.google_event_id.family().to_owned());
        let SchedulingConflict { overlap_start, overlap_end, .. } = *pair;
        match pair.state() {
            PairState::Ignored => Self::Ignored { lesson_id, google_event_id },
            PairState::Live => Self::Unignored { lesson_id, google_event_id, overlap_start, overlap_end },
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
