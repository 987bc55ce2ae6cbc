//! The store: every table, one method for each access pattern. Whatever belongs to a connection takes its
//! [`ConnectionKey`] first, so nothing can be read or written without saying whose it is.
//!
//! Reads by key and through local indexes are consistent. Global indexes lag: whatever comes from one
//! ([`Store::due`], [`Store::renewals`], [`Store::lessons_between`]) is read again by key before it is believed, and
//! nothing is concluded from absence in one.

use std::collections::BTreeSet;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use crate::{
    Result,
    model::{
        CalendarEventMapping, CalendarId, CalendarSyncLog, ConnectionId, ConnectionKey, ConnectionStatus, EventId,
        ExternalCalendarEvent, InstructorCalendarCredentials, Lesson, LessonId, LessonVersion, Notice, OAuthState,
        SchedulingConflict, SealedSecret, SealedTokens, SettingsPatch, SyncLogId, SyncSettings, SyncState, SyncStatus,
        SyncTask, TenantId, Window,
    },
};

/// How asking for the lease ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LeaseAttempt {
    /// It is ours; the state as it is now, its lease naming us.
    Granted(Box<SyncState>),
    /// Somebody else holds it until then. The requests now stand on the state and a poll is due when the lease ends.
    Held {
        /// When the lease ends at the latest.
        until: DateTime<Utc>,
    },
    /// There is no such connection.
    NotConnected,
}

/// How giving the lease back ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReleaseOutcome {
    /// The state is stored, the requests are served, the lease is free.
    Released,
    /// Requests came meanwhile: nothing was stored, the lease is still ours, and here is the state as it is now.
    NewRequests(Box<SyncState>),
    /// Another holder took over: nothing was stored.
    Lost,
}

/// What a save does with the mark that says "to be looked at".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DirtyMark {
    /// Leave it.
    Keep,
    /// Take it away, unless it was raised since it was read as `seen`.
    Clear {
        /// The mapping's `marks` as they were read.
        seen: u64,
    },
    /// Raise it.
    Raise,
}

/// The changes to the conflicts of one lesson. Where they are too many to be stored together, each pair is stored with
/// its notice or not at all, and the flag comes last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConflictChanges {
    /// The lesson.
    pub lesson_id: LessonId,
    /// Pairs that are new, or whose overlap moved.
    pub put: Vec<PairChange>,
    /// Pairs that are no more.
    pub remove: Vec<PairChange>,
    /// Whether any pair is left.
    pub has_conflict: bool,
}

/// A pair that comes, moves or goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PairChange {
    /// The pair.
    pub pair: SchedulingConflict,
    /// What the host is told; nothing of a pair that moved.
    pub notice: Option<Notice>,
}

impl PairChange {
    /// How many items it writes.
    fn items(&self) -> usize {
        1 + usize::from(self.notice.is_some())
    }
}

/// What a run that went without the lease stores: all of it or nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glance {
    /// The state as it is to be, under the fence and the request counter that it was read with.
    pub state: SyncState,
    /// Imported events to store.
    pub put: Vec<ExternalCalendarEvent>,
    /// Imported events to remove.
    pub remove: Vec<(CalendarId, EventId)>,
    /// Changes to conflicts, each lesson's once.
    pub conflicts: Vec<ConflictChanges>,
    /// Our columns of lessons whose flag changes.
    pub flags: Vec<(LessonId, LessonSyncColumns)>,
}

impl Glance {
    /// What fits into one transaction.
    pub const MOST_ITEMS: usize = 100;

    /// How many items it writes.
    pub fn items(&self) -> usize {
        let conflicts = self.conflicts.iter().map(|lesson| {
            let pairs = lesson.put.iter().chain(&lesson.remove);
            1 + pairs.map(PairChange::items).sum::<usize>() // and the flag on the mapping
        });
        1 + self.put.len() + self.remove.len() + self.flags.len() + conflicts.sum::<usize>()
    }
}

/// Our columns of a lesson row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LessonSyncColumns {
    /// Its event in Google.
    pub google_calendar_event_id: Option<EventId>,
    /// How far its sync is; `None` when it is not synced at all.
    pub calendar_sync_status: Option<SyncStatus>,
    /// Whether a busy event overlaps it.
    pub has_conflict: bool,
}

impl LessonSyncColumns {
    /// Those of a lesson that is not synced.
    pub const BLANK: Self = Self { google_calendar_event_id: None, calendar_sync_status: None, has_conflict: false };
}

/// What a login stores in one step: the credentials, the state if it is to start anew, and that the connection uses
/// its Google account.
#[derive(Debug, Clone)]
pub struct Connect {
    /// The row as it is to be.
    pub credentials: InstructorCalendarCredentials,
    /// When Google was asked for the tokens; the store refuses when the account's grants were revoked since, or may
    /// have been.
    pub asked_at: DateTime<Utc>,
    /// The connection that was there when the decision was made; the store refuses when that has changed.
    pub replaces: Option<ConnectionId>,
    /// A state that starts anew; `None` keeps the one that is there.
    pub state: Option<SyncState>,
}

/// A connection found through an index that lags, and the moment for which it was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// The connection.
    pub key: ConnectionKey,
    /// The moment that stood in the index.
    pub at: DateTime<Utc>,
}

/// Everything that may occur between two moments: single events that overlap them, and the live series whole, with
/// all their exceptions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExternalLookup {
    /// Single events, and exceptions whose series is not stored.
    pub events: Vec<ExternalCalendarEvent>,
    /// Series, each with its exceptions.
    pub series: Vec<(ExternalCalendarEvent, Vec<ExternalCalendarEvent>)>,
}

/// The answer to a look for one lesson.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LessonLookup {
    /// It is there.
    Found(Box<Lesson>),
    /// A consistent read found nothing under its key.
    Gone,
    /// The row is there but cannot be read; the text says what is wrong with it.
    Unreadable(String),
}

/// Where everything is kept.
#[async_trait]
pub trait Store: Send + Sync {
    // ── connections ────────────────────────────────────────────────────────────────────────────────────────────
    /// The cold part of a connection.
    async fn credentials(&self, key: ConnectionKey) -> Result<Option<InstructorCalendarCredentials>>;
    /// Makes or renews a connection in one transaction; `Conflict` when somebody else did meanwhile.
    async fn connect(&self, connect: &Connect) -> Result<()>;
    /// Stores a refreshed access token, unless the connection was made anew meanwhile.
    async fn save_access_token(
        &self,
        key: ConnectionKey,
        id: ConnectionId,
        sealed: &SealedSecret,
        expiry: DateTime<Utc>,
    ) -> Result<()>;
    /// Stores tokens sealed anew under another data key, unless a login has given others to the connection `as_read`.
    async fn save_tokens(&self, as_read: &InstructorCalendarCredentials, tokens: &SealedTokens) -> Result<()>;
    /// Stores what the instructor changes of the settings, and that alone; answers all of them. `NotFound` without a
    /// connection.
    async fn save_settings(
        &self,
        key: ConnectionKey,
        patch: &SettingsPatch,
        now: DateTime<Utc>,
    ) -> Result<SyncSettings>;
    /// Stores whether the connection `as_read` works, with what the host is told; `NotFound` without that very
    /// connection. Unless `status` is that it is taken down, also when it is by now, or when a login has renewed it
    /// since: what was found of the permission before says nothing of the new one.
    async fn save_status(
        &self,
        as_read: &InstructorCalendarCredentials,
        status: &ConnectionStatus,
        now: DateTime<Utc>,
        notices: &[Notice],
    ) -> Result<()>;
    /// Removes credentials and state, and the connection from its Google account, in one transaction.
    async fn forget_connection(&self, credentials: &InstructorCalendarCredentials) -> Result<()>;
    /// Takes the connection `leaving` out of the Google account `sub`, and answers whether all that the account
    /// granted may be revoked: no other connection uses it, and until `until` none can begin to. The one question
    /// that crosses tenants; it answers nothing but this.
    async fn detach_from_account(
        &self,
        sub: &str,
        leaving: Option<ConnectionKey>,
        until: DateTime<Utc>,
    ) -> Result<bool>;
    /// Notes that a revocation was over at `at`: logins that began later may connect.
    async fn end_revocation(&self, sub: &str, at: DateTime<Utc>) -> Result<()>;

    // ── the hot state, the lease and the requests ────────────────────────────────────────────────────────────────
    /// The state of a connection.
    async fn state(&self, key: ConnectionKey) -> Result<Option<SyncState>>;
    /// Takes the lease for `owner` until `until` if it is free at `now`; if not, raises the requests on condition that
    /// it is still held.
    async fn acquire_lease(
        &self,
        key: ConnectionKey,
        owner: Uuid,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
        tasks: &BTreeSet<SyncTask>,
    ) -> Result<LeaseAttempt>;
    /// Stores what the holder changed, on condition of the fence; false when the lease was lost. Lease, requests and
    /// the next poll are left as they are: whoever found the lease held relies on the poll at its end.
    async fn save_state(&self, key: ConnectionKey, state: &SyncState) -> Result<bool>;
    /// Stores what the holder changed and frees the lease, on condition of the fence and of the request counter as in
    /// `state`. The requests that stand afterwards are `state.pending.tasks`. One that was released already, since an answer
    /// was lost, is released, and nothing is stored again.
    async fn release_lease(&self, key: ConnectionKey, state: &SyncState) -> Result<ReleaseOutcome>;
    /// Stores what a run did without the lease, at most [`Glance::MOST_ITEMS`], and raises the fence. False, with
    /// nothing stored, unless the lease is free and fence and request counter are as in `glance.state`; false too when a
    /// lesson whose conflicts change has no mapping, or one whose columns change is gone or another instructor's.
    async fn commit_glance(&self, key: ConnectionKey, glance: &Glance) -> Result<bool>;
    /// How many shards the two indexes below have.
    fn shards(&self) -> u8;
    /// Connections of `shard` whose poll is due, the longest due first.
    async fn due(&self, shard: u8, now: DateTime<Utc>, limit: usize) -> Result<Vec<Due>>;
    /// Connections of `shard` whose channel is to be renewed, the longest due first.
    async fn renewals(&self, shard: u8, now: DateTime<Utc>, limit: usize) -> Result<Vec<Due>>;
    /// Moves the next poll from the moment that was seen to `next`, and answers the state as it is now; `None` when
    /// somebody else moved it first.
    async fn claim_due(&self, due: Due, next: DateTime<Utc>) -> Result<Option<SyncState>>;
    /// Makes the next poll due at `at` (never, with `None`), whoever holds the lease; nothing without a connection.
    async fn schedule(&self, key: ConnectionKey, at: Option<DateTime<Utc>>) -> Result<()>;
    /// Takes the next free stretch of time in a line that whoever names it shares: so long, and not before `now`.
    /// Answers when it begins; `None`, taking nothing, when that would be after `latest`.
    async fn take_turn(
        &self,
        line: &str,
        lasts: TimeDelta,
        now: DateTime<Utc>,
        latest: DateTime<Utc>,
    ) -> Result<Option<DateTime<Utc>>>;

    // ── mappings and conflicts ─────────────────────────────────────────────────────────────────────────────────
    /// The mapping of one lesson.
    async fn mapping(&self, key: ConnectionKey, lesson: LessonId) -> Result<Option<CalendarEventMapping>>;
    /// The mappings that are to be looked at, the longest waiting first.
    async fn dirty_mappings(&self, key: ConnectionKey, limit: usize) -> Result<Vec<CalendarEventMapping>>;
    /// At most `limit` mappings whose sync failed and whose lesson is not over `now`, in the order of their end.
    async fn failed_mappings(
        &self,
        key: ConnectionKey,
        now: DateTime<Utc>,
        limit: usize,
    ) -> Result<Vec<CalendarEventMapping>>;
    /// The mappings whose lesson overlaps `[from, to)`. Lessons are taken to last a day at most.
    async fn mappings_between(&self, key: ConnectionKey, window: Window) -> Result<Vec<CalendarEventMapping>>;
    /// All mappings of a connection.
    async fn mappings(&self, key: ConnectionKey) -> Result<Vec<CalendarEventMapping>>;
    /// Stores a mapping (its flag and its mark excepted) with what the host is told, together or not at all.
    async fn save_mapping(&self, mapping: &CalendarEventMapping, dirty: DirtyMark, notices: &[Notice]) -> Result<()>;
    /// Marks lessons as to be looked at, making rows for those that have none.
    async fn mark_dirty(&self, key: ConnectionKey, lessons: &[LessonMark], now: DateTime<Utc>) -> Result<()>;
    /// Removes a mapping, unless its mark was raised since it was read as `seen`: false then.
    async fn delete_mapping(&self, key: ConnectionKey, lesson: LessonId, seen: u64) -> Result<bool>;
    /// Removes all mappings and conflicts of a connection.
    async fn clear_mappings(&self, key: ConnectionKey) -> Result<()>;
    /// The conflicts of a connection.
    async fn conflicts(&self, key: ConnectionKey) -> Result<Vec<SchedulingConflict>>;
    /// The conflicts of one lesson.
    async fn conflicts_of_lesson(&self, key: ConnectionKey, lesson: LessonId) -> Result<Vec<SchedulingConflict>>;
    /// The conflicts that name one event, or another of its family ([`EventId::family`]).
    async fn conflicts_of_event(
        &self,
        key: ConnectionKey,
        calendar: &CalendarId,
        event: &EventId,
    ) -> Result<Vec<SchedulingConflict>>;
    /// Applies conflict changes, and the flag on each lesson's mapping.
    async fn apply_conflicts(&self, key: ConnectionKey, changes: &[ConflictChanges]) -> Result<()>;

    // ── imported events ────────────────────────────────────────────────────────────────────────────────────────
    /// What may occur in the window.
    async fn external_between(&self, key: ConnectionKey, window: Window) -> Result<ExternalLookup>;
    /// One event, series or exception.
    async fn external_event(
        &self,
        key: ConnectionKey,
        calendar: &CalendarId,
        id: &EventId,
    ) -> Result<Option<ExternalCalendarEvent>>;
    /// The stored exceptions of a series.
    async fn exceptions_of(
        &self,
        key: ConnectionKey,
        calendar: &CalendarId,
        series: &EventId,
    ) -> Result<Vec<ExternalCalendarEvent>>;
    /// The ids of all that is stored.
    async fn external_ids(&self, key: ConnectionKey) -> Result<Vec<(CalendarId, EventId)>>;
    /// Stores events, replacing those that are there.
    async fn put_external(&self, key: ConnectionKey, events: &[ExternalCalendarEvent]) -> Result<()>;
    /// Removes events; those that are not there are no error.
    async fn delete_external(&self, key: ConnectionKey, ids: &[(CalendarId, EventId)]) -> Result<()>;

    // ── logs and notices ───────────────────────────────────────────────────────────────────────────────────────
    /// Stores a log row, replacing the one under its id.
    async fn put_log(&self, log: &CalendarSyncLog) -> Result<()>;
    /// One log row.
    async fn log(&self, key: ConnectionKey, id: SyncLogId) -> Result<Option<CalendarSyncLog>>;
    /// Log rows, newest first, those before `before`.
    async fn logs(&self, key: ConnectionKey, before: Option<SyncLogId>, limit: usize) -> Result<Vec<CalendarSyncLog>>;
    /// Puts notices into the outbox.
    async fn put_notices(&self, key: ConnectionKey, notices: &[Notice]) -> Result<()>;
    /// Notices that were committed and not delivered yet, oldest first.
    async fn pending_notices(&self, key: ConnectionKey, limit: usize) -> Result<Vec<Notice>>;
    /// Takes delivered notices out of the outbox.
    async fn delivered(&self, key: ConnectionKey, notices: &[Notice]) -> Result<()>;

    // ── logins in progress ─────────────────────────────────────────────────────────────────────────────────────
    /// Stores a login that begins.
    async fn put_oauth_state(&self, state: &OAuthState) -> Result<()>;
    /// A login in progress, without using it up.
    async fn oauth_state(&self, state: &str) -> Result<Option<OAuthState>>;
    /// Takes a login out: only one caller ever gets it. Whether it has expired is the caller's to see, whose clock
    /// it is; rows outlive their expiry by days.
    async fn take_oauth_state(&self, state: &str) -> Result<Option<OAuthState>>;

    // ── the host's tables ──────────────────────────────────────────────────────────────────────────────────────
    /// Lessons by key, consistently, in the order asked for.
    async fn lessons(&self, tenant: TenantId, ids: &[LessonId]) -> Result<Vec<LessonLookup>>;
    /// The lessons of an instructor that begin in the window, by an index that lags.
    async fn lessons_between(&self, key: ConnectionKey, window: Window) -> Result<Vec<LessonId>>;
    /// Stores a version of a lesson and leaves our columns as they are; false, with nothing stored, when the row has
    /// that version or a later one. Where a removed lesson was, its version stays until `forget_at`, so that an earlier
    /// one that comes late does not bring it back. The revision of a new row begins at `now`, in milliseconds, so that a
    /// lesson that comes back after that has none that it had before.
    async fn save_lesson_version(
        &self,
        version: &LessonVersion,
        now: DateTime<Utc>,
        forget_at: DateTime<Utc>,
    ) -> Result<bool>;
    /// Writes our columns of a lesson; one that is gone, or that is another instructor's, is left as it is.
    async fn write_lesson_columns(&self, key: ConnectionKey, lesson: LessonId, flags: &LessonSyncColumns)
    -> Result<()>;
    /// Takes away our columns of a lesson that is the instructor's, or was and still shows `event` of theirs.
    async fn clear_lesson_columns(&self, key: ConnectionKey, lesson: LessonId, event: &EventId) -> Result<()>;
    /// Writes our columns of an instructor, those that are given; one that is gone is left gone.
    async fn flag_instructor(
        &self,
        key: ConnectionKey,
        enabled: Option<bool>,
        last_synced_at: Option<DateTime<Utc>>,
    ) -> Result<()>;
    /// Whether the tenant has this instructor.
    async fn instructor_exists(&self, key: ConnectionKey) -> Result<bool>;
}

/// A lesson that is to be looked at, with its times for the row that may have to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LessonMark {
    /// The lesson.
    pub lesson_id: LessonId,
    /// When it begins.
    pub starts_at: DateTime<Utc>,
    /// When it ends.
    pub ends_at: DateTime<Utc>,
}
