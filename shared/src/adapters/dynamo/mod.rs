//! The store on DynamoDB: one file for each kind of item. `tables` says which tables there are.

mod accounts;
mod conflicts;
mod connections;
mod dispatch;
mod expressions;
mod external_events;
mod host;
mod items;
mod mappings;
mod notices;
mod oauth_states;
mod requests;
mod sync_logs;
mod sync_state;
pub mod tables;
mod turns;

pub use host::lesson_from_image;

use std::{collections::BTreeSet, fmt};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use crate::{
    Result,
    config::TableNames,
    model::{
        CalendarEventMapping, CalendarId, CalendarSyncLog, ConnectionId, ConnectionKey, ConnectionStatus, EventId,
        ExternalCalendarEvent, InstructorCalendarCredentials, LessonId, LessonVersion, Notice, OAuthState,
        SchedulingConflict, SealedSecret, SealedTokens, SettingsPatch, SyncLogId, SyncSettings, SyncState, SyncTask,
        TenantId, Window,
    },
    ports::{
        ConflictChanges, Connect, DirtyMark, Due, ExternalLookup, Glance, LeaseAttempt, LessonLookup, LessonMark,
        LessonSyncColumns, ReleaseOutcome, Store,
    },
};

/// The [`Store`] on DynamoDB.
#[derive(Clone)]
pub struct DynamoStore {
    client: aws_sdk_dynamodb::Client,
    names: TableNames,
}

impl DynamoStore {
    /// A store over the tables of these names.
    pub fn new(client: aws_sdk_dynamodb::Client, names: TableNames) -> Self {
        Self { client, names }
    }
}

impl fmt::Debug for DynamoStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DynamoStore").field("names", &self.names).finish_non_exhaustive()
    }
}

#[async_trait]
impl Store for DynamoStore {
    async fn credentials(&self, key: ConnectionKey) -> Result<Option<InstructorCalendarCredentials>> {
        connections::credentials(self, key).await
    }
    async fn connect(&self, connect: &Connect) -> Result<()> {
        connections::connect(self, connect).await
    }
    async fn save_access_token(
        &self,
        key: ConnectionKey,
        id: ConnectionId,
        sealed: &SealedSecret,
        expiry: DateTime<Utc>,
    ) -> Result<()> {
        connections::save_access_token(self, key, id, sealed, expiry).await
    }
    async fn save_tokens(&self, as_read: &InstructorCalendarCredentials, tokens: &SealedTokens) -> Result<()> {
        connections::save_tokens(self, as_read, tokens).await
    }
    async fn save_settings(
        &self,
        key: ConnectionKey,
        patch: &SettingsPatch,
        now: DateTime<Utc>,
    ) -> Result<SyncSettings> {
        connections::save_settings(self, key, patch, now).await
    }
    async fn save_status(
        &self,
        as_read: &InstructorCalendarCredentials,
        status: &ConnectionStatus,
        now: DateTime<Utc>,
        notices: &[Notice],
    ) -> Result<()> {
        connections::save_status(self, as_read, status, now, notices).await
    }
    async fn forget_connection(&self, credentials: &InstructorCalendarCredentials) -> Result<()> {
        connections::forget(self, credentials).await
    }
    async fn detach_from_account(
        &self,
        sub: &str,
        leaving: Option<ConnectionKey>,
        until: DateTime<Utc>,
    ) -> Result<bool> {
        accounts::leave(self, sub, leaving, until).await
    }
    async fn end_revocation(&self, sub: &str, at: DateTime<Utc>) -> Result<()> {
        accounts::end_revocation(self, sub, at).await
    }
    async fn state(&self, key: ConnectionKey) -> Result<Option<SyncState>> {
        sync_state::state(self, key).await
    }
    async fn acquire_lease(
        &self,
        key: ConnectionKey,
        owner: Uuid,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
        tasks: &BTreeSet<SyncTask>,
    ) -> Result<LeaseAttempt> {
        sync_state::acquire_lease(self, key, owner, now, until, tasks).await
    }
    async fn save_state(&self, key: ConnectionKey, state: &SyncState) -> Result<bool> {
        sync_state::save_state(self, key, state).await
    }
    async fn release_lease(&self, key: ConnectionKey, state: &SyncState) -> Result<ReleaseOutcome> {
        sync_state::release_lease(self, key, state).await
    }
    async fn commit_glance(&self, key: ConnectionKey, glance: &Glance) -> Result<bool> {
        sync_state::commit_glance(self, key, glance).await
    }
    fn shards(&self) -> u8 {
        dispatch::SHARDS
    }
    async fn due(&self, shard: u8, now: DateTime<Utc>, limit: usize) -> Result<Vec<Due>> {
        dispatch::due(self, shard, now, limit).await
    }
    async fn renewals(&self, shard: u8, now: DateTime<Utc>, limit: usize) -> Result<Vec<Due>> {
        dispatch::renewals(self, shard, now, limit).await
    }
    async fn claim_due(&self, due: Due, next: DateTime<Utc>) -> Result<Option<SyncState>> {
        dispatch::claim_due(self, due, next).await
    }
    async fn schedule(&self, key: ConnectionKey, at: Option<DateTime<Utc>>) -> Result<()> {
        dispatch::schedule(self, key, at).await
    }
    async fn take_turn(
        &self,
        line: &str,
        lasts: TimeDelta,
        now: DateTime<Utc>,
        latest: DateTime<Utc>,
    ) -> Result<Option<DateTime<Utc>>> {
        turns::take(self, line, lasts, now, latest).await
    }
    async fn mapping(&self, key: ConnectionKey, lesson: LessonId) -> Result<Option<CalendarEventMapping>> {
        mappings::mapping(self, key, lesson).await
    }
    async fn dirty_mappings(&self, key: ConnectionKey, limit: usize) -> Result<Vec<CalendarEventMapping>> {
        mappings::dirty(self, key, limit).await
    }
    async fn failed_mappings(
        &self,
        key: ConnectionKey,
        now: DateTime<Utc>,
        limit: usize,
    ) -> Result<Vec<CalendarEventMapping>> {
        mappings::failed(self, key, now, limit).await
    }
    async fn mappings_between(&self, key: ConnectionKey, window: Window) -> Result<Vec<CalendarEventMapping>> {
        mappings::between(self, key, window).await
    }
    async fn mappings(&self, key: ConnectionKey) -> Result<Vec<CalendarEventMapping>> {
        mappings::all(self, key).await
    }
    async fn save_mapping(&self, mapping: &CalendarEventMapping, dirty: DirtyMark, notices: &[Notice]) -> Result<()> {
        mappings::save(self, mapping, dirty, notices).await
    }
    async fn mark_dirty(&self, key: ConnectionKey, lessons: &[LessonMark], now: DateTime<Utc>) -> Result<()> {
        mappings::mark_dirty(self, key, lessons, now).await
    }
    async fn delete_mapping(&self, key: ConnectionKey, lesson: LessonId, seen: u64) -> Result<bool> {
        mappings::delete(self, key, lesson, seen).await
    }
    async fn clear_mappings(&self, key: ConnectionKey) -> Result<()> {
        mappings::clear(self, key).await
    }
    async fn conflicts(&self, key: ConnectionKey) -> Result<Vec<SchedulingConflict>> {
        conflicts::all(self, key).await
    }
    async fn conflicts_of_lesson(&self, key: ConnectionKey, lesson: LessonId) -> Result<Vec<SchedulingConflict>> {
        conflicts::of_lesson(self, key, lesson).await
    }
    async fn conflicts_of_event(
        &self,
        key: ConnectionKey,
        calendar: &CalendarId,
        event: &EventId,
    ) -> Result<Vec<SchedulingConflict>> {
        conflicts::of_event(self, key, calendar, event).await
    }
    async fn apply_conflicts(&self, key: ConnectionKey, changes: &[ConflictChanges]) -> Result<()> {
        conflicts::apply(self, key, changes).await
    }
    async fn external_between(&self, key: ConnectionKey, window: Window) -> Result<ExternalLookup> {
        external_events::between(self, key, window).await
    }
    async fn external_event(
        &self,
        key: ConnectionKey,
        calendar: &CalendarId,
        id: &EventId,
    ) -> Result<Option<ExternalCalendarEvent>> {
        external_events::event(self, key, calendar, id).await
    }
    async fn exceptions_of(
        &self,
        key: ConnectionKey,
        calendar: &CalendarId,
        series: &EventId,
    ) -> Result<Vec<ExternalCalendarEvent>> {
        external_events::exceptions_of(self, key, calendar, series).await
    }
    async fn external_ids(&self, key: ConnectionKey) -> Result<Vec<(CalendarId, EventId)>> {
        external_events::ids(self, key).await
    }
    async fn put_external(&self, key: ConnectionKey, events: &[ExternalCalendarEvent]) -> Result<()> {
        external_events::put(self, key, events).await
    }
    async fn delete_external(&self, key: ConnectionKey, ids: &[(CalendarId, EventId)]) -> Result<()> {
        external_events::delete(self, key, ids).await
    }
    async fn put_log(&self, log: &CalendarSyncLog) -> Result<()> {
        sync_logs::put(self, log).await
    }
    async fn log(&self, key: ConnectionKey, id: SyncLogId) -> Result<Option<CalendarSyncLog>> {
        sync_logs::log(self, key, id).await
    }
    async fn logs(&self, key: ConnectionKey, before: Option<SyncLogId>, limit: usize) -> Result<Vec<CalendarSyncLog>> {
        sync_logs::newest(self, key, before, limit).await
    }
    async fn put_notices(&self, key: ConnectionKey, notices: &[Notice]) -> Result<()> {
        notices::put(self, key, notices).await
    }
    async fn pending_notices(&self, key: ConnectionKey, limit: usize) -> Result<Vec<Notice>> {
        notices::pending(self, key, limit).await
    }
    async fn delivered(&self, key: ConnectionKey, notices: &[Notice]) -> Result<()> {
        notices::delivered(self, key, notices).await
    }
    async fn put_oauth_state(&self, state: &OAuthState) -> Result<()> {
        oauth_states::put(self, state).await
    }
    async fn oauth_state(&self, state: &str) -> Result<Option<OAuthState>> {
        oauth_states::look(self, state).await
    }
    async fn take_oauth_state(&self, state: &str) -> Result<Option<OAuthState>> {
        oauth_states::take(self, state).await
    }
    async fn lessons(&self, tenant: TenantId, ids: &[LessonId]) -> Result<Vec<LessonLookup>> {
        host::lessons(self, tenant, ids).await
    }
    async fn lessons_between(&self, key: ConnectionKey, window: Window) -> Result<Vec<LessonId>> {
        host::lessons_between(self, key, window).await
    }
    async fn save_lesson_version(
        &self,
        version: &LessonVersion,
        now: DateTime<Utc>,
        forget_at: DateTime<Utc>,
    ) -> Result<bool> {
        host::save_lesson_version(self, version, now, forget_at).await
    }
    async fn write_lesson_columns(
        &self,
        key: ConnectionKey,
        lesson: LessonId,
        flags: &LessonSyncColumns,
    ) -> Result<()> {
        host::write_lesson_columns(self, key, lesson, flags).await
    }
    async fn clear_lesson_columns(&self, key: ConnectionKey, lesson: LessonId, event: &EventId) -> Result<()> {
        host::clear_lesson_columns(self, key, lesson, event).await
    }
    async fn flag_instructor(
        &self,
        key: ConnectionKey,
        enabled: Option<bool>,
        last_synced_at: Option<DateTime<Utc>>,
    ) -> Result<()> {
        host::flag_instructor(self, key, enabled, last_synced_at).await
    }
    async fn instructor_exists(&self, key: ConnectionKey) -> Result<bool> {
        host::instructor_exists(self, key).await
    }
}
