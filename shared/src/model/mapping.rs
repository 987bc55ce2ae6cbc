//! Which event a lesson has in Google, and what both sides last agreed on.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{ConnectionKey, EventId, Fingerprint, LessonId, OwnEventId};

/// How far a lesson's sync is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SyncStatus {
    /// Google shows what the lesson says.
    Synced,
    /// Something is still to be written.
    Pending,
    /// Something was refused; the mapping's error says what.
    Failed,
}

/// What both sides agreed on when they last did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Base {
    /// What the lesson said.
    pub lesson: Fingerprint,
    /// What Google showed then. Of the ways in which it renders texts, this covers those that [`super::rendering`] does
    /// not know.
    pub google: Fingerprint,
}

/// What Google last showed of our event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remote {
    /// Its etag.
    pub etag: String,
    /// What it showed, in the fields that we own.
    pub fingerprint: Fingerprint,
    /// Whether it is deleted.
    pub deleted: bool,
}

/// A row of `calendar_event_mappings`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a column, and they change apart from each other")]
pub struct CalendarEventMapping {
    /// Whose.
    pub key: ConnectionKey,
    /// Which lesson.
    pub lesson_id: LessonId,
    /// The ordinal of the event among those of this lesson.
    pub generation: u16,
    /// A copy of the lesson's beginning, taken under the lease.
    pub event_start: DateTime<Utc>,
    /// A copy of the lesson's end.
    pub event_end: DateTime<Utc>,
    /// How far the sync is.
    pub sync_status: SyncStatus,
    /// Why it failed, in words.
    pub error: Option<String>,
    /// What both sides last agreed on.
    pub base: Option<Base>,
    /// What a write that is under way (or was, when the process died) wants Google to show.
    pub in_flight: Option<Fingerprint>,
    /// What Google last showed.
    pub remote: Option<Remote>,
    /// Somebody besides us changed the event since it was made, so it may hold guests and notes that must survive.
    pub edited_by_others: bool,
    /// Whether it is to be looked at.
    pub dirty: bool,
    /// How often it was marked so, ever: a mark that is raised anew is not taken for the one that was seen.
    pub dirty_version: u64,
    /// How often the event was put back since the lesson last changed.
    pub restores: u8,
    /// The version of the event that the write under way replaces: how it came to differ is known, counted and told, however
    /// often the write has to be tried.
    pub replaces: Option<String>,
    /// Whether a busy event overlaps the lesson; derived from the conflict pairs.
    pub has_conflict: bool,
    /// Since when the lesson is gone (removed, cancelled or given to somebody else): the event is to be deleted,
    /// then the row.
    pub lesson_removed_at: Option<DateTime<Utc>>,
    /// A removal of ours may have reached Google, and no answer or look has shown whether it did.
    pub removal_sent: bool,
}

impl CalendarEventMapping {
    /// After so many put-backs we stop: nobody ends in a tug-of-war with another tool.
    pub const MAX_RESTORES: u8 = 3;

    /// A mapping for a lesson that has no event yet.
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
            dirty: false,
            dirty_version: 0,
            restores: 0,
            replaces: None,
            has_conflict: false,
            lesson_removed_at: None,
            removal_sent: false,
        }
    }

    /// Whether its event was to be written while nothing might be, so that the write is owed once it may be.
    pub fn is_owed(&self) -> bool {
        self.sync_status == SyncStatus::Pending && self.remote.is_some()
    }

    /// The id of its event in Google.
    pub fn google_event_id(&self) -> EventId {
        OwnEventId { lesson_id: self.lesson_id, generation: self.generation }.encode(self.key)
    }
}
