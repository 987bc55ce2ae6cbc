//! A sync that a person asked for: returns its counts when it ends in time, else the id of the log row by which
//! `status` tells how it went.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::sync::{SyncCalendar, SyncRequest, SyncRun};
use crate::{
    Error, ErrorKind, Result,
    model::{
        CalendarSyncLog, ConnectionKey, InstructorCalendarCredentials, Person, SyncCalendarRequest, SyncCounts,
        SyncDirection, SyncLogId, SyncOutcome, SyncTask, SyncTrigger, connection::Blocked,
    },
    ports::{Store, SyncMessage},
};

#[derive(Debug)]
pub enum SyncNow {
    Done(Box<CalendarSyncLog>),
    /// It continues in the background.
    Queued(SyncLogId),
}

/// A person's sync does everything, and retries what was given up.
const TASKS: [SyncTask; 4] =
    [SyncTask::PullEvents, SyncTask::PushLessons, SyncTask::FullReconcile, SyncTask::RetryGivenUp];

/// The lease of a dead run has expired after this time.
const DEAD_LEASE_EXPIRES_AFTER: TimeDelta = TimeDelta::minutes(1);

/// Syncs now, until `deadline`, as `person` asks for.
pub async fn sync_now(
    sync: &SyncCalendar,
    key: ConnectionKey,
    asked: SyncCalendarRequest,
    person: &Person,
    deadline: DateTime<Utc>,
) -> Result<SyncNow> {
    let store = sync.google.store.as_ref();
    let Some(credentials) = store.credentials(key).await? else { return Err(not_connected(store, key).await) };
    let direction = allowed(&credentials, &asked)?;
    let now = sync.google.clock.now();
    let log_id = SyncLogId(sync.random.time_ordered_id(now));
    // No message repeats this run if its process dies: the poll does the rest.
    sync.google.store.schedule(key, Some(deadline + DEAD_LEASE_EXPIRES_AFTER)).await?;
    let message = SyncMessage {
        log_id: Some(log_id),
        asked: Some(asked),
        ..SyncMessage::new(key, SyncTrigger::Manual, TASKS.to_vec())
    };
    let request = SyncRequest { asked_by: Some(person.clone()), ..SyncRequest::of(message.clone(), deadline) };
    match sync.run(&request).await? {
        SyncRun::Ran(log) if log.outcome == SyncOutcome::Failed => Err(failed(sync, &log).await?),
        SyncRun::Ran(log) if log.outcome == SyncOutcome::Running => Ok(SyncNow::Queued(log.id)),
        SyncRun::Ran(log) => Ok(SyncNow::Done(log)),
        SyncRun::Blocked(blocked) => Err(refused(blocked)),
        SyncRun::NotConnected => Err(not_connected(store, key).await),
        SyncRun::Held => {
            let waiting = CalendarSyncLog {
                id: log_id,
                key,
                trigger: SyncTrigger::Manual,
                asked_by: Some(person.clone()),
                direction,
                started_at: now,
                duration_ms: 0,
                counts: SyncCounts::default(),
                google_calls: 0,
                outcome: SyncOutcome::Running,
                reasons: vec!["Another sync is under way; this one follows.".to_owned()],
            };
            sync.google.store.put_log(&waiting).await?;
            sync.sync_queue.send(&message.after_leaving_its_tasks(), Duration::from_secs(1)).await?;
            Ok(SyncNow::Queued(log_id))
        }
    }
}

fn allowed(credentials: &InstructorCalendarCredentials, asked: &SyncCalendarRequest) -> Result<SyncDirection> {
    if let Some(blocked) = credentials.blocked() {
        return Err(refused(blocked));
    }
    let settings = credentials.settings.sync_direction;
    asked.direction.map_or(Some(settings), |asked| asked.within(settings)).ok_or_else(|| {
        Error::new(
            ErrorKind::Conflict,
            "direction_switched_off",
            "The connection's settings do not include this direction.",
        )
    })
}

/// No calendar is connected; for an instructor who does not exist, the same error as for anything that does not exist.
pub async fn not_connected(store: &dyn Store, key: ConnectionKey) -> Error {
    match store.instructor_exists(key).await {
        Ok(true) => Error::new(ErrorKind::NotFound, "not_connected", "No calendar is connected."),
        Ok(false) => Error::not_found(),
        Err(error) => error,
    }
}

fn refused(blocked: Blocked) -> Error {
    match blocked {
        Blocked::SwitchedOff => {
            Error::new(ErrorKind::Conflict, "sync_disabled", "Sync is switched off for this calendar.")
        }
        Blocked::NeedsReauth => Error::new(
            ErrorKind::Conflict,
            "needs_reauth",
            "Google no longer permits access to this calendar. Please connect it again.",
        ),
        Blocked::Disconnecting => {
            Error::new(ErrorKind::Conflict, "disconnecting", "The calendar is being disconnected.")
        }
    }
}

/// A run that could do nothing, as an error that says why.
async fn failed(sync: &SyncCalendar, log: &CalendarSyncLog) -> Result<Error> {
    let blocked = sync.google.store.credentials(log.key).await?.and_then(|credentials| credentials.blocked());
    Ok(blocked.map_or_else(
        || {
            let text = log.reasons.last().cloned().unwrap_or_else(|| "The sync failed.".to_owned());
            Error::new(ErrorKind::Unavailable, "sync_failed", text).retry_after(Duration::from_mins(1))
        },
        refused,
    ))
}
