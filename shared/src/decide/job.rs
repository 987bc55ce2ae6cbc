//! What a run is to do: from what was asked for, what is pending and what the connection's settings allow; or why nothing
//! may run.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use super::{push, schedule};
use crate::{
    model::{
        ConnectionKey, InstructorCalendarCredentials, Person, SyncCalendarRequest, SyncDirection, SyncLogId,
        SyncSettings, SyncState, SyncTask, SyncTrigger, connection::Blocked,
    },
    ports::SyncMessage,
};

#[derive(Debug, Clone)]
pub struct SyncRequest {
    pub key: ConnectionKey,
    pub trigger: SyncTrigger,
    pub tasks: BTreeSet<SyncTask>,
    /// The log row that a person follows.
    pub log_id: Option<SyncLogId>,
    /// The direction and days that a person asked for; `None` for a whole run.
    pub asked: Option<SyncCalendarRequest>,
    /// Who asked, where this run is the first of it.
    pub asked_by: Option<Person>,
    /// When the push notification that caused it was received.
    pub notified_at: Option<DateTime<Utc>>,
    /// When the dispatcher found the poll due.
    pub due_at: Option<DateTime<Utc>>,
    /// When the host wrote the first of the changes that caused it.
    pub changed_at: Option<DateTime<Utc>>,
    /// How many messages in a row it continues that came to nothing.
    pub idle_hops: u32,
    /// When the run has to end.
    pub deadline: DateTime<Utc>,
}

impl SyncRequest {
    /// What `message` asks for.
    pub fn of(message: SyncMessage, deadline: DateTime<Utc>) -> Self {
        let SyncMessage { key, trigger, tasks, log_id, asked, notified_at, due_at, changed_at, idle_hops } = message;
        let tasks = tasks.into_iter().collect();
        Self {
            key,
            trigger,
            tasks,
            log_id,
            asked,
            asked_by: None,
            notified_at,
            due_at,
            changed_at,
            idle_hops,
            deadline,
        }
    }

    /// Whether a run that again comes to nothing is to end the chain of messages.
    pub fn has_hopped_enough(&self) -> bool {
        self.idle_hops >= SyncMessage::MAX_IDLE_HOPS
    }

    /// Whether a person caused it, rather than a schedule, a push notification or a changed lesson.
    pub fn by_a_person(&self) -> bool {
        match self.trigger {
            SyncTrigger::Connect | SyncTrigger::Manual | SyncTrigger::Settings => true,
            SyncTrigger::Webhook | SyncTrigger::Poll | SyncTrigger::Lesson => false,
        }
    }

    /// Whether a person follows its log row.
    pub fn is_awaited(&self) -> bool {
        self.by_a_person() || self.log_id.is_some()
    }

    /// Whether a run that listed meanwhile has answered it: messages double, and wait in the queue for hours.
    pub fn is_answered(&self, state: &SyncState) -> bool {
        let told = self.notified_at.is_some_and(|at| push::says_nothing_new(state, at));
        let polled = self.due_at.is_some_and(|at| schedule::was_polled_since(state, at));
        state.pending.tasks.is_empty() && (told || polled)
    }

    /// What the holder of the lease is to do in its place. A run that a person bounded comes again as it is.
    pub fn for_the_holder(&self) -> BTreeSet<SyncTask> {
        if self.asked.as_ref().is_some_and(SyncCalendarRequest::is_narrowed) {
            return BTreeSet::new();
        }
        self.tasks.iter().copied().chain(self.notified_at.map(|_| SyncTask::Noticed)).collect()
    }
}

/// How far a run reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// As far as the settings do. It takes along what is pending.
    Whole,
    /// As far as a person bounded it, to a direction or to days. It serves that person alone: what is pending stays so.
    Bounded,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    pub tasks: BTreeSet<SyncTask>,
    pub reach: Reach,
    /// Which way it goes.
    pub direction: SyncDirection,
    /// The connection's. Conflicts and the host's columns go by its direction, however the run is bounded.
    pub settings: SyncSettings,
    /// Whether Google told that there is something to find.
    pub announced: bool,
}

/// Why nothing runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    Blocked(Blocked),
    /// The instructor syncs by hand, and no person asked for this run.
    ManualOnly,
    /// What a person asked for is no longer part of the connection's direction.
    DirectionOff,
}

impl Refused {
    /// As callers are told.
    pub fn as_blocked(self) -> Blocked {
        match self {
            Self::Blocked(blocked) => blocked,
            Self::ManualOnly | Self::DirectionOff => Blocked::SwitchedOff,
        }
    }
}

impl Job {
    /// The job of `request`, of whose tasks the connection has `asked` left to do, beside what is `pending`.
    pub fn decide(
        request: &SyncRequest,
        asked: &BTreeSet<SyncTask>,
        pending: &BTreeSet<SyncTask>,
        announced: bool,
        credentials: &InstructorCalendarCredentials,
    ) -> Result<Self, Refused> {
        if let Some(blocked) = credentials.blocked() {
            return Err(Refused::Blocked(blocked));
        }
        let settings = credentials.settings.clone();
        let allowed = settings.sync_direction;
        let bounds = request.asked.as_ref();
        let direction = bounds
            .and_then(|bounds| bounds.direction)
            .map_or(Some(allowed), |direction| direction.within(allowed))
            .ok_or(Refused::DirectionOff)?;
        if !settings.auto_sync && !request.by_a_person() {
            return Err(Refused::ManualOnly);
        }
        let is_bounded = direction != allowed || bounds.is_some_and(|bounds| bounds.dates.is_some());
        let reach = if is_bounded { Reach::Bounded } else { Reach::Whole };
        Ok(Self { tasks: tasks(reach, asked, pending), reach, direction, settings, announced })
    }

    /// Which ways the settings allow.
    pub fn allowed(&self) -> SyncDirection {
        self.settings.sync_direction
    }

    /// The job of a run that could not even read its connection: what was asked for is left to the next, in its bounds.
    pub fn unread(
        request: &SyncRequest,
        asked: &BTreeSet<SyncTask>,
        pending: &BTreeSet<SyncTask>,
        announced: bool,
    ) -> Self {
        let settings = SyncSettings::default();
        let bounds = request.asked.as_ref().filter(|bounds| bounds.is_narrowed());
        let reach = if bounds.is_some() { Reach::Bounded } else { Reach::Whole };
        let direction = bounds.and_then(|bounds| bounds.direction).unwrap_or(settings.sync_direction);
        Self { tasks: tasks(reach, asked, pending), reach, direction, settings, announced }
    }

    pub fn asks_for(&self, task: SyncTask) -> bool {
        self.tasks.contains(&task)
    }

    pub fn is_bounded(&self) -> bool {
        self.reach == Reach::Bounded
    }
}

/// That a notification came is no task, but what made the run.
fn tasks(reach: Reach, asked: &BTreeSet<SyncTask>, pending: &BTreeSet<SyncTask>) -> BTreeSet<SyncTask> {
    let others = pending.iter().filter(|_| reach == Reach::Whole);
    asked.iter().chain(others).copied().filter(|task| *task != SyncTask::Noticed).collect()
}

#[cfg(test)]
mod tests;
