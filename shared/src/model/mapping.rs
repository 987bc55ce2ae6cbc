//! Which event a lesson has in Google, and the state on which both sides last agreed.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{ConnectionKey, EventId, Fingerprint, LessonId, OwnEventId, SyncStatus};

/// The common base of both sides: what they showed when they last agreed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Base {
    pub lesson: Fingerprint,
    /// Covers the ways in which Google renders texts that [`super::rendering`] does not know.
    pub google: Fingerprint,
}

/// What Google last showed of our event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remote {
    pub etag: String,
    /// Of the fields that we own.
    pub fingerprint: Fingerprint,
    pub deleted: bool,
}

/// Whether a run has to look at a lesson.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DirtyMark {
    pub is_set: bool,
    /// Goes up each time the mark is set, so that clearing it does not clear one that was set after it was read.
    pub version: u64,
}

impl DirtyMark {
    pub fn raise(&mut self) {
        self.is_set = true;
        self.version += 1;
    }
}

/// A row of `calendar_event_mappings`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CalendarEventMapping {
    pub key: ConnectionKey,
    pub lesson_id: LessonId,
    /// The ordinal of the event among those of this lesson, from 0.
    pub generation: u16,
    /// A copy of the lesson's start, taken under the lease.
    pub event_start: DateTime<Utc>,
    /// A copy of the lesson's end.
    pub event_end: DateTime<Utc>,
    pub sync_status: SyncStatus,
    /// Why the sync failed, in words.
    pub error: Option<String>,
    pub base: Option<Base>,
    /// What the write that was begun last wants Google to show. It stays when the process dies or the answer is lost.
    pub in_flight: Option<Fingerprint>,
    pub remote: Option<Remote>,
    /// The event was changed by others since we made it, so it may hold guests and notes that must survive.
    pub edited_by_others: bool,
    pub mark: DirtyMark,
    /// How often the event was put back since the lesson last changed.
    pub restores: u8,
    /// The etag of the event that the write in flight replaces. A change that was already counted and notified is
    /// recognised by it, however often the write is retried.
    pub replaces: Option<String>,
    /// Derived from the conflict pairs.
    pub has_conflict: bool,
    /// How many more events overlap the lesson than it has pairs.
    pub conflicts_left_out: u32,
    /// Goes up each time that the pairs of the lesson or these flags are stored, so that neither a run nor a person
    /// overwrites what the other stored since they read it.
    pub conflicts_version: u64,
    /// When the lesson was removed, cancelled or given to another instructor. The event is to be deleted, then the row.
    pub lesson_removed_at: Option<DateTime<Utc>>,
    /// A deletion of ours may have reached Google, and no answer or fetch has told whether it did.
    pub removal_sent: bool,
}

impl CalendarEventMapping {
    /// After so many restores we stop, so that two tools do not overwrite each other for ever.
    pub const MAX_RESTORES: u8 = 3;

    pub fn new(key: ConnectionKey, lesson_id: LessonId, event_start: DateTime<Utc>, event_end: DateTime<Utc>) -> Self {
        Self {
            key,
            lesson_id,
            generation: 0,
            event_start,
            event_end,
            sync_status: SyncStatus::Pending,
            error: None,
            base: None,
            in_flight: None,
            remote: None,
            edited_by_others: false,
            mark: DirtyMark::default(),
            restores: 0,
            replaces: None,
            has_conflict: false,
            conflicts_left_out: 0,
            conflicts_version: 0,
            lesson_removed_at: None,
            removal_sent: false,
        }
    }

    /// Whether its event needs a write that the connection's direction did not allow, so that it is owed once it does.
    pub fn is_owed(&self) -> bool {
        self.sync_status == SyncStatus::Pending && self.remote.is_some()
    }

    pub fn google_event_id(&self) -> EventId {
        OwnEventId { lesson_id: self.lesson_id, generation: self.generation }.encode(self.key)
    }
}
