//! The status of a connection: whether it works and why not, when it last did, and what its runs have done.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::{
    Error, Result,
    decide::schedule,
    model::{
        CalendarEventMapping, CalendarSyncLog, ConnectionKey, InstructorCalendarCredentials, SchedulingConflict,
        SyncLogId, SyncState,
    },
    ports::{Clock, Store},
};

/// Log rows on one page.
pub const LOGS_PER_PAGE: usize = 20;
/// Waiting lessons are counted up to this number.
const MAX_COUNTED_LESSONS: usize = 1000;
/// Failed lessons that are shown.
const MAX_FAILED_LESSONS: usize = 100;

#[derive(Debug)]
pub struct Status {
    /// `None` when there is no connection.
    pub connection: Option<(InstructorCalendarCredentials, SyncState)>,
    /// Conflicts that are not over.
    pub conflicts: Vec<SchedulingConflict>,
    /// Lessons that wait to be written.
    pub waiting: usize,
    /// Future lessons whose sync failed, the soonest first.
    pub failed: Vec<CalendarEventMapping>,
    /// The last runs, newest first.
    pub logs: Vec<CalendarSyncLog>,
    /// Where the next page of runs begins.
    pub next_cursor: Option<SyncLogId>,
    /// A channel whose renewal is overdue.
    pub overdue_renewal: Option<Overdue>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overdue {
    StillOpen,
    Ended,
}

pub struct ShowStatus {
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
}

impl ShowStatus {
    /// The status, with the log rows before `before`.
    pub async fn show(&self, key: ConnectionKey, before: Option<SyncLogId>) -> Result<Status> {
        let store = &self.store;
        let now = self.clock.now();
        let (credentials, state, failed, mut conflicts, mut logs) = futures::try_join!(
            store.credentials(key),
            store.state(key),
            store.failed_mappings(key, now, MAX_FAILED_LESSONS),
            store.conflicts(key),
            store.logs(key, before, LOGS_PER_PAGE + 1)
        )?;
        conflicts.retain(|pair| !pair.is_over(now));
        let connection = credentials.zip(state);
        if connection.is_none() && !store.instructor_exists(key).await? {
            return Err(Error::not_found());
        }
        let waiting =
            if connection.is_some() { store.dirty_mappings(key, MAX_COUNTED_LESSONS).await?.len() } else { 0 };
        let next_cursor =
            (logs.len() > LOGS_PER_PAGE).then(|| logs.remove(LOGS_PER_PAGE)).and(logs.last().map(|log| log.id));
        let logs = logs.into_iter().map(|log| log.as_of(now)).collect();
        let overdue_renewal = connection.as_ref().and_then(|(_, state)| overdue(state, now));
        Ok(Status { connection, conflicts, waiting, failed, logs, next_cursor, overdue_renewal })
    }
}

/// By the channel's own lifetime: `renew_at` may have been moved by attempts.
fn overdue(state: &SyncState, now: DateTime<Utc>) -> Option<Overdue> {
    let ends = state.channel.as_ref()?.expires_at;
    let late = state.channel_opened_at.is_some_and(|at| schedule::renewal_is_late(at, ends, now));
    if ends <= now { Some(Overdue::Ended) } else { late.then_some(Overdue::StillOpen) }
}
