//! The audit trail: one row for each run that did something or failed, and one for each act of a person.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::{ConnectionKey, Person, PersonAct, SyncDirection, SyncLogId};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SyncTrigger {
    /// The first run after a login.
    Connect,
    /// A person asked for a sync.
    Manual,
    /// A push notification came.
    Webhook,
    /// A poll was due.
    Poll,
    Lesson,
    /// The settings changed.
    Settings,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SyncOutcome {
    /// Still running, or waiting in the queue.
    Running,
    Completed,
    /// Some lessons failed or time ran out; the rest was done.
    Partial,
    Failed,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SyncCounts {
    /// Lessons confirmed in Google, and external events stored.
    pub events_synced: u32,
    pub events_created: u32,
    pub events_updated: u32,
    pub events_deleted: u32,
    /// New conflicts.
    pub conflicts_detected: u32,
}

impl SyncCounts {
    /// How many writes Google took.
    pub fn written(&self) -> u32 {
        self.events_created + self.events_updated + self.events_deleted
    }

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
pub enum LogRow {
    Run(CalendarSyncLog),
    Act(PersonAct),
}

impl LogRow {
    pub fn id(&self) -> SyncLogId {
        match self {
            Self::Run(run) => run.id,
            Self::Act(act) => act.id,
        }
    }

    /// The row as it reads at `now`.
    #[must_use]
    pub fn as_of(self, now: DateTime<Utc>) -> Self {
        match self {
            Self::Run(run) => Self::Run(run.as_of(now)),
            Self::Act(act) => Self::Act(act),
        }
    }
}

/// A row of `calendar_sync_logs` that tells of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CalendarSyncLog {
    /// UUID version 7: ordered by time.
    pub id: SyncLogId,
    pub key: ConnectionKey,
    pub trigger: SyncTrigger,
    /// Who asked for it by hand.
    pub asked_by: Option<Person>,
    pub direction: SyncDirection,
    pub started_at: DateTime<Utc>,
    pub duration_ms: u64,
    pub counts: SyncCounts,
    /// HTTP calls to Google.
    pub google_calls: u32,
    pub outcome: SyncOutcome,
    /// What happened and why, one sentence each.
    pub reasons: Vec<String>,
}

impl CalendarSyncLog {
    /// Until the table's expiry removes a row.
    pub const RETENTION: TimeDelta = TimeDelta::days(90);
    /// A first sync would otherwise list each lesson. One more says how many were left out.
    pub const MAX_REASONS: usize = 50;
    /// Bytes of one reason, which may quote Google or a host's row.
    pub const MAX_REASON_BYTES: usize = 2 * 1024;
    /// A run without an ending that is older than this is dead: its message went to the dead letters after half of that
    /// time.
    pub const LOST_AFTER: TimeDelta = TimeDelta::hours(1);

    /// The row of a run that was continued by later messages: `self` is the last part, `earlier` tells of the parts
    /// before.
    #[must_use]
    pub fn after(self, earlier: Self) -> Self {
        let mut reasons = earlier.reasons;
        let mut own: Vec<String> = self.reasons.into_iter().filter(|reason| !reasons.contains(reason)).collect();
        // A part may have a sentence more than that, of what it left out itself.
        let too_many = own.drain(..own.len().saturating_sub(Self::MAX_REASONS)).count();
        let room = Self::MAX_REASONS - own.len();
        if reasons.len() > room || too_many > 0 {
            let left_out = too_many + reasons.drain(room.min(reasons.len())..).count();
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
            asked_by: earlier.asked_by,
            direction: earlier.direction,
            started_at: earlier.started_at,
        }
    }

    /// The row as it reads at `now`: a run that died shows as failed.
    #[must_use]
    pub fn as_of(mut self, now: DateTime<Utc>) -> Self {
        let last_heard = self.started_at + milliseconds(self.duration_ms);
        if self.outcome == SyncOutcome::Running && now - last_heard > Self::LOST_AFTER {
            self.outcome = SyncOutcome::Failed;
            self.reasons.truncate(Self::MAX_REASONS);
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
    use crate::{model::PersonRole, testing::key};

    fn noon() -> DateTime<Utc> {
        "2026-03-01T12:00:00Z".parse().unwrap()
    }

    fn part(started_at: DateTime<Utc>, created: u32, outcome: SyncOutcome, reasons: &[&str]) -> CalendarSyncLog {
        CalendarSyncLog {
            id: SyncLogId(Uuid::from_u128(1)),
            key: key(0, 0),
            trigger: SyncTrigger::Manual,
            asked_by: None,
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
    fn the_parts_of_a_run_share_one_log_row() {
        let asked_by = Some(Person { subject: "ada".to_owned(), role: PersonRole::Admin });
        let first = CalendarSyncLog {
            asked_by: asked_by.clone(),
            ..part(noon(), 100, SyncOutcome::Running, &["One.", "More is to do."])
        };
        let last = CalendarSyncLog {
            direction: SyncDirection::TwoWay,
            ..part(noon() + TimeDelta::seconds(25), 7, SyncOutcome::Completed, &["More is to do.", "Two."])
        };
        let whole = last.after(first);
        assert_eq!((whole.started_at, whole.duration_ms), (noon(), 45_000));
        assert_eq!((whole.counts.events_created, whole.google_calls), (107, 6));
        assert_eq!((whole.outcome, whole.direction), (SyncOutcome::Completed, SyncDirection::ToGoogle));
        assert_eq!(whole.asked_by, asked_by, "the later parts do not know");
        assert_eq!(whole.reasons, ["One.", "More is to do.", "Two."]);
    }

    #[test]
    fn a_log_row_with_too_many_reasons_keeps_the_last_ones() {
        let many: Vec<String> = (0..CalendarSyncLog::MAX_REASONS).map(|number| format!("{number}.")).collect();
        let first = CalendarSyncLog { reasons: many, ..part(noon(), 0, SyncOutcome::Running, &[]) };
        let whole = part(noon(), 0, SyncOutcome::Completed, &["The end."]).after(first);
        assert_eq!(whole.reasons.len(), CalendarSyncLog::MAX_REASONS + 1);
        assert_eq!(whole.reasons[49..], ["… and 1 more.", "The end."]);
    }

    #[test]
    fn a_log_row_of_two_parts_that_each_left_out_some_has_no_more_reasons_than_one() {
        let full = |part: &str| -> Vec<String> {
            let some = (0..CalendarSyncLog::MAX_REASONS).map(|number| format!("{part} {number}."));
            some.chain([format!("… and {part} more.")]).collect()
        };
        let of = |reasons| CalendarSyncLog { reasons, ..part(noon(), 0, SyncOutcome::Running, &[]) };
        let whole = of(full("7")).after(of(full("3")));
        assert_eq!(whole.reasons.len(), CalendarSyncLog::MAX_REASONS + 1);
        assert_eq!((&*whole.reasons[0], &*whole.reasons[50]), ("… and 52 more.", "… and 7 more."));
        let dead = whole.as_of(noon() + TimeDelta::hours(9));
        assert_eq!(dead.reasons.len(), CalendarSyncLog::MAX_REASONS + 1);
        assert!(dead.reasons[50].starts_with("Nothing was heard"));
    }

    #[test]
    fn a_running_log_row_counts_as_failed_once_its_run_is_long_over() {
        let seen = |outcome, later| part(noon(), 0, outcome, &[]).as_of(noon() + later).outcome;
        assert_eq!(seen(SyncOutcome::Running, CalendarSyncLog::LOST_AFTER), SyncOutcome::Running);
        let later = CalendarSyncLog::LOST_AFTER + TimeDelta::seconds(21);
        assert_eq!(seen(SyncOutcome::Running, later), SyncOutcome::Failed);
        assert_eq!(seen(SyncOutcome::Completed, later), SyncOutcome::Completed);
    }
}
