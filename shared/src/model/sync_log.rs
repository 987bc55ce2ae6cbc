//! The audit trail: one row for each run that did something or failed.

use chrono::{DateTime, TimeDelta, Utc};
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

    /// What two parts of a run did together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            events_synced: self.events_synced.saturating_add(other.events_synced),
            events_created: self.events_created.saturating_add(other.events_created),
            events_updated: self.events_updated.saturating_add(other.events_updated),
            events_deleted: self.events_deleted.saturating_add(other.events_deleted),
            conflicts_detected: self.conflicts_detected.saturating_add(other.conflicts_detected),
        }
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
    pub const KEPT: TimeDelta = TimeDelta::days(90);
    /// How many reasons a row holds at most; a first sync would otherwise list each lesson.
    pub const MOST_REASONS: usize = 50;
    /// Bytes of one of them, which may repeat what Google or a host's row says.
    pub const MAX_REASON_BYTES: usize = 2 * 1024;
    /// A run that goes on, and of which nothing was heard for so long, is dead: its message is among the dead letters
    /// after half of that.
    pub const LOST_AFTER: TimeDelta = TimeDelta::hours(1);

    /// The whole story of a run that was handed on, of which this is the last part and `earlier` tells the others.
    #[must_use]
    pub fn after(self, earlier: Self) -> Self {
        let mut reasons = earlier.reasons;
        let own: Vec<String> = self.reasons.into_iter().filter(|reason| !reasons.contains(reason)).collect();
        let room = Self::MOST_REASONS.saturating_sub(own.len());
        if reasons.len() > room {
            let left_out = reasons.split_off(room).len();
            reasons.push(format!("… and {left_out} more."));
        }
        reasons.extend(own);
        let ended_at = self.started_at + milliseconds(self.duration_ms);
        Self {
            duration_ms: u64::try_from((ended_at - earlier.started_at).num_milliseconds()).unwrap_or(0),
            counts: self.counts.and(earlier.counts),
            google_calls: self.google_calls + earlier.google_calls,
            outcome: self.outcome,
            reasons,
            id: earlier.id,
            key: earlier.key,
            trigger: earlier.trigger,
            direction: earlier.direction,
            started_at: earlier.started_at,
        }
    }

    /// The row as it reads at `now`: whoever waits for a run that died learns that it did.
    #[must_use]
    pub fn as_of(mut self, now: DateTime<Utc>) -> Self {
        let last_heard = self.started_at + milliseconds(self.duration_ms);
        if self.outcome == SyncOutcome::Running && now - last_heard > Self::LOST_AFTER {
            self.outcome = SyncOutcome::Failed;
            self.reasons.push("Nothing was heard of this run for an hour; later runs see to what it left.".to_owned());
        }
        self
    }
}

fn milliseconds(count: u64) -> TimeDelta {
    TimeDelta::try_milliseconds(i64::try_from(count).unwrap_or(i64::MAX)).unwrap_or(TimeDelta::MAX)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::model::{InstructorId, TenantId};

    fn noon() -> DateTime<Utc> {
        "2026-03-01T12:00:00Z".parse().unwrap()
    }

    fn part(started_at: DateTime<Utc>, created: u32, outcome: SyncOutcome, reasons: &[&str]) -> CalendarSyncLog {
        CalendarSyncLog {
            id: SyncLogId(Uuid::from_u128(1)),
            key: ConnectionKey { tenant_id: TenantId(Uuid::nil()), instructor_id: InstructorId(Uuid::nil()) },
            trigger: SyncTrigger::Manual,
            direction: SyncDirection::ToGoogle,
            started_at,
            duration_ms: 20_000,
            counts: SyncCounts { events_created: created, ..SyncCounts::default() },
            google_calls: 3,
            outcome,
            reasons: reasons.iter().map(|&reason| reason.to_owned()).collect(),
        }
    }

    #[test]
    fn a_run_that_was_handed_on_is_one_story() {
        let first = part(noon(), 100, SyncOutcome::Running, &["One.", "More is to do."]);
        let last = CalendarSyncLog {
            direction: SyncDirection::TwoWay,
            ..part(noon() + TimeDelta::seconds(25), 7, SyncOutcome::Completed, &["More is to do.", "Two."])
        };
        let whole = last.after(first);
        assert_eq!((whole.started_at, whole.duration_ms), (noon(), 45_000));
        assert_eq!((whole.counts.events_created, whole.google_calls), (107, 6));
        assert_eq!((whole.outcome, whole.direction), (SyncOutcome::Completed, SyncDirection::ToGoogle));
        assert_eq!(whole.reasons, ["One.", "More is to do.", "Two."]);
    }

    #[test]
    fn a_long_story_keeps_its_end() {
        let many: Vec<String> = (0..CalendarSyncLog::MOST_REASONS).map(|number| format!("{number}.")).collect();
        let first = CalendarSyncLog { reasons: many, ..part(noon(), 0, SyncOutcome::Running, &[]) };
        let whole = part(noon(), 0, SyncOutcome::Completed, &["The end."]).after(first);
        assert_eq!(whole.reasons.len(), CalendarSyncLog::MOST_REASONS + 1);
        assert_eq!(whole.reasons[49..], ["… and 1 more.", "The end."]);
    }

    #[test]
    fn a_run_of_which_nothing_is_heard_is_dead() {
        let seen = |outcome, later| part(noon(), 0, outcome, &[]).as_of(noon() + later).outcome;
        assert_eq!(seen(SyncOutcome::Running, CalendarSyncLog::LOST_AFTER), SyncOutcome::Running);
        let later = CalendarSyncLog::LOST_AFTER + TimeDelta::seconds(21);
        assert_eq!(seen(SyncOutcome::Running, later), SyncOutcome::Failed);
        assert_eq!(seen(SyncOutcome::Completed, later), SyncOutcome::Completed);
    }
}
