//! A [`Store`](calendar_sync::ports::Store) in memory: the tables as plain data, one file for each kind of row. It keeps
//! the contract that `DynamoStore` keeps, a call at a time, and shows what DynamoDB may do besides: indexes that lag, calls
//! that are throttled, and writes whose answer is lost.

mod conflicts;
mod connections;
mod erasures;
mod external_events;
mod host;
mod logs;
mod mappings;
mod mentions;
mod schedule;
mod sync_state;
mod tenants;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use calendar_sync::{
    Error, Result,
    model::{
        CalendarId, CalendarSyncLog, ConnectionKey, Erasure, ErasureScope, EventId, ExternalCalendarEvent,
        InstructorCalendarCredentials, InstructorId, LessonId, Mentions, Notice, OAuthState, PersonAct,
        SchedulingConflict, SyncCounts, SyncLogId, SyncOutcome, SyncState, TenantId,
    },
};
use chrono::{DateTime, Utc};
use futures::future::BoxFuture;
use serde_json::Value;
use uuid::Uuid;

use self::{connections::GoogleAccountRow, mappings::MappingRow};

/// A call that the store is about to answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Access {
    Read,
    Write(Table),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names are the tables'")]
pub enum Table {
    Credentials,
    State,
    Mappings,
    Mentions,
    Conflicts,
    Notices,
    ExternalEvents,
    SyncLogs,
    GoogleAccounts,
    RateLimits,
    Erasures,
    OAuthStates,
    Lessons,
    Instructors,
}

/// What becomes of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is carried out and answered.
    Answered,
    /// It is refused before anything happens.
    Throttled,
    /// It is carried out, and the answer is lost.
    Unanswered,
}

/// Asked before each call; until it answers, the call waits.
pub type Gate = Arc<dyn Fn(Access) -> BoxFuture<'static, Fate> + Send + Sync>;

/// What a call has stored, for the checks to compare with what happened.
#[derive(Debug, Clone)]
pub enum Stored {
    Connection(ConnectionKey),
    State {
        /// The failures in a row, before and after.
        failures: (u32, u32),
        /// The code of the last one.
        error: Option<String>,
        /// Whether what all runs have covered has changed.
        moved: bool,
        /// Whether the connection is being taken down.
        goes: bool,
    },
    /// A state was not stored: another holds the lease.
    LeaseLost,
    CutFound,
    /// A log row, with what it counted before and what it does now, and what it says.
    Log {
        before: SyncCounts,
        after: SyncCounts,
        outcome: SyncOutcome,
        reasons: Vec<String>,
    },
    /// A mapping that says that its lesson failed, and did not before.
    LessonFailed {
        key: ConnectionKey,
        lesson: LessonId,
        error: Option<String>,
    },
    /// A row of an imported event.
    ExternalEvent,
    /// A notice, into the outbox.
    Notice(Notice),
    /// Conflicts that came and went, with the notice of them.
    Conflicts {
        key: ConnectionKey,
        new: Vec<SchedulingConflict>,
        gone: Vec<SchedulingConflict>,
        notice: Option<Notice>,
    },
    /// All conflicts of a connection were deleted with it.
    ConflictsForgotten(ConnectionKey),
    /// A conflict of which a person decided whether it is ignored, with the notice of it.
    Decided {
        pair: SchedulingConflict,
        notice: Notice,
    },
}

#[derive(Debug, Clone, Default)]
pub struct Tables {
    /// What was stored since this was last asked.
    pub journal: Vec<Stored>,
    /// `instructor_calendar_credentials`, the cold part.
    pub credentials: BTreeMap<ConnectionKey, InstructorCalendarCredentials>,
    /// `instructor_calendar_credentials`, the hot state.
    pub states: BTreeMap<ConnectionKey, SyncState>,
    /// `google_accounts`.
    pub accounts: BTreeMap<String, GoogleAccountRow>,
    /// Up to when the shards of the rate limiter's buckets are reserved.
    pub buckets: BTreeMap<(String, u8), DateTime<Utc>>,
    /// How often a reservation would have started too late.
    pub reservations_refused: u32,
    /// How often a batch was written in part.
    pub batches_cut: u32,
    /// `calendar_event_mappings`.
    pub mappings: BTreeMap<(ConnectionKey, LessonId), MappingRow>,
    /// The conflict items beside them.
    pub conflicts: BTreeSet<(ConnectionKey, SchedulingConflict)>,
    /// The conflicts that were deleted with their connections, without a notice.
    pub forgotten: Vec<(ConnectionKey, SchedulingConflict)>,
    pub notices: BTreeMap<(ConnectionKey, DateTime<Utc>, Uuid), Notice>,
    /// Every notice that was ever in the outbox.
    pub committed: BTreeSet<Uuid>,
    /// What the pages of listings mentioned, beside the mappings: by when the listing began, and the page's number.
    pub mentions: BTreeMap<(ConnectionKey, DateTime<Utc>, u32), Mentions>,
    /// `external_calendar_events`.
    pub external: BTreeMap<(ConnectionKey, CalendarId, EventId), ExternalCalendarEvent>,
    /// `calendar_sync_logs`: runs.
    pub logs: BTreeMap<(ConnectionKey, SyncLogId), CalendarSyncLog>,
    /// `calendar_sync_logs`: what people did.
    pub acts: BTreeMap<(ConnectionKey, SyncLogId), PersonAct>,
    /// `oauth_states`.
    pub oauth_states: BTreeMap<String, OAuthState>,
    /// `erasures`: who was ever connected.
    pub known: BTreeSet<ConnectionKey>,
    /// `erasures`: those that are under way or ended a while ago.
    pub erasures: BTreeMap<(TenantId, ErasureScope), Erasure>,
    /// The host's lessons, as it wrote them.
    pub lessons: BTreeMap<(TenantId, LessonId), Value>,
    /// The host's instructors, as it wrote them.
    pub instructors: BTreeMap<(TenantId, InstructorId), Value>,
}

#[derive(Clone)]
pub struct MemoryStore {
    tables: Arc<Mutex<Tables>>,
    /// What the global indexes show while they lag.
    lagging: Arc<Mutex<Option<Tables>>>,
    gate: Gate,
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new(Arc::new(|_| Box::pin(std::future::ready(Fate::Answered))))
    }
}

impl MemoryStore {
    /// An empty store whose calls all pass through `gate`.
    pub fn new(gate: Gate) -> Self {
        Self { tables: Arc::default(), lagging: Arc::default(), gate }
    }

    /// A hand in the tables, past the gate.
    pub fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on the global indexes show what is there now, until they are [`Self::caught_up`].
    pub fn lag(&self) {
        let now = self.tables().clone();
        *self.lagging.lock().unwrap_or_else(PoisonError::into_inner) = Some(now);
    }

    /// The global indexes show what is there.
    pub fn caught_up(&self) {
        *self.lagging.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    async fn read<T>(&self, read: impl FnOnce(&Tables) -> T + Send) -> Result<T> {
        match (self.gate)(Access::Read).await {
            Fate::Answered => Ok(read(&self.tables())),
            Fate::Throttled | Fate::Unanswered => Err(throttled()),
        }
    }

    /// A look into a global index.
    async fn look_up<T>(&self, read: impl FnOnce(&Tables) -> T + Send) -> Result<T> {
        match (self.gate)(Access::Read).await {
            Fate::Answered => {
                let lagging = self.lagging.lock().unwrap_or_else(PoisonError::into_inner);
                Ok(match &*lagging {
                    Some(then) => read(then),
                    None => read(&self.tables()),
                })
            }
            Fate::Throttled | Fate::Unanswered => Err(throttled()),
        }
    }

    async fn write<T>(&self, table: Table, write: impl FnOnce(&mut Tables) -> T + Send) -> Result<T> {
        self.try_write(table, |tables| Ok(write(tables))).await
    }

    async fn try_write<T>(&self, table: Table, write: impl FnOnce(&mut Tables) -> Result<T> + Send) -> Result<T> {
        match (self.gate)(Access::Write(table)).await {
            Fate::Answered => write(&mut self.tables()),
            Fate::Throttled => Err(throttled()),
            Fate::Unanswered => write(&mut self.tables()).and(Err(throttled())),
        }
    }

    /// Writes items as a batch does: when some are not taken, the others are written all the same.
    async fn write_batch<T: Sync>(
        &self,
        table: Table,
        items: &[T],
        write: impl Fn(&mut Tables, &T) + Send + Sync,
    ) -> Result<()> {
        let (mut written, mut failed) = (0, Ok(()));
        for item in items {
            match self.write(table, |tables| write(tables, item)).await {
                Ok(()) => written += 1,
                error => failed = error,
            }
        }
        if failed.is_err() && written > 0 {
            self.tables().batches_cut += 1;
        }
        failed
    }
}

fn throttled() -> Error {
    Error::unavailable("store_unavailable", "throttled")
}
