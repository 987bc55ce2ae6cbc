//! The audit trail: one row for each run that did something or failed.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{ConnectionKey, SyncDirection, SyncLogId};

/// Why a run began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SyncTrigger {
    /// The first run after a login.
    Connect,
    /// A person asked.
    Manual,
    /// Google said that something changed.
    Webhook,
    /// The time for a poll had come.
    Poll,
    /// A lesson changed.
    Lesson,
    /// A switch was turned.
    Settings,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SyncOutcome {
    /// It is still running, or waits in the queue.
    Running,
    /// All was done.
    Completed,
    /// Some lessons failed, or time ran out; the rest was done.
    Partial,
    /// Nothing could be done.
    Failed,
}

/// What a run did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SyncCounts {
    /// Lessons confirmed in Google, and external events stored.
    pub events_synced: u32,
    /// Events made in Google.
    pub events_created: u32,
    /// Events changed in Google.
    pub events_updated: u32,
    /// Events deleted in Google.
    pub events_deleted: u32,
    /// New conflicts.
    pub conflicts_detected: u32,
}

impl SyncCounts {
    /// What changed in Google.
    pub fn written(&self) -> u32 {
        self.events_created + self.events_updated + self.events_deleted
    }
}

/// A row of `calendar_sync_logs`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CalendarSyncLog {
    /// Time-ordered.
    pub id: SyncLogId,
    /// Whose.
    pub key: ConnectionKey,
    /// Why it ran.
    pub trigger: SyncTrigger,
    /// Which way.
    pub direction: SyncDirection,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// What it did.
    pub counts: SyncCounts,
    /// How many HTTP calls went to Google.
    pub google_calls: u32,
    /// How it ended.
    pub outcome: SyncOutcome,
    /// What happened and why, in words, one sentence a line.
    pub reasons: Vec<String>,
}

impl CalendarSyncLog {
    /// How long rows are kept.
    pub const KEPT: chrono::TimeDelta = chrono::TimeDelta::days(90);
    /// How many reasons a row holds at most; a first sync would otherwise list each lesson.
    pub const MOST_REASONS: usize = 50;
}
