//! The store's calls, each past the gate. One trait is one block, so this file is as long as the trait.

use std::collections::BTreeSet;

use async_trait::async_trait;
use calendar_sync::{
    Result,
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
use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::{MemoryStore, SHARDS, Table};

#[async_trait]
impl Store for MemoryStore {
    async fn credentials(&self, key: ConnectionKey) -> Result<Option<InstructorCalendarCredentials>> {
        self.read(|tables| tables.credentials.get(&key).cloned()).await
    }
    async fn connect(&self, connect: &Connect) -> Result<()> {
        self.write(Table::Credentials, |tables| tables.connect(connect)).await
    }
    async fn save_access_token(
        &self,
        key: ConnectionKey,
        id: ConnectionId,
        sealed: &SealedSecret,
        expiry: DateTime<Utc>,
    ) -> Result<()> {
        self.write(Table::Credentials, |tables| {
            tables.save_access_token(key, id, sealed, expiry);
            Ok(())
        })
        .await
    }
    async fn save_tokens(&self, as_read: &InstructorCalendarCredentials, tokens: &SealedTokens) -> Result<()> {
        self.write(Table::Credentials, |tables| {
            tables.save_tokens(as_read, tokens);
            Ok(())
        })
        .await
    }
    async fn save_settings(
        &self,
        key: ConnectionKey,
        patch: &SettingsPatch,
        now: DateTime<Utc>,
    ) -> Result<SyncSettings> {
        self.write(Table::Credentials, |tables| tables.save_settings(key, patch, now)).await
    }
    async fn save_status(
        &self,
        as_read: &InstructorCalendarCredentials,
        status: &ConnectionStatus,
        now: DateTime<Utc>,
        notices: &[Notice],
    ) -> Result<()> {
        self.write(Table::Credentials, |tables| tables.save_status(as_read, status, now, notices)).await
    }
    async fn forget_connection(&self, credentials: &InstructorCalendarCredentials) -> Result<()> {
        self.write(Table::Credentials, |tables| tables.forget(credentials)).await
    }
    async fn detach_from_account(
        &self,
        sub: &str,
        leaving: Option<ConnectionKey>,
        until: DateTime<Utc>,
    ) -> Result<bool> {
        self.write(Table::GoogleAccounts, |tables| Ok(tables.detach_from_account(sub, leaving, until))).await
    }
    async fn end_revocation(&self, sub: &str, at: DateTime<Utc>) -> Result<()> {
        self.write(Table::GoogleAccounts, |tables| {
            tables.end_revocation(sub, at);
            Ok(())
        })
        .await
    }

    async fn state(&self, key: ConnectionKey) -> Result<Option<SyncState>> {
        self.read(|tables| tables.states.get(&key).cloned()).await
    }
    async fn acquire_lease(
        &self,
        key: ConnectionKey,
        owner: Uuid,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
        tasks: &BTreeSet<SyncTask>,
    ) -> Result<LeaseAttempt> {
        self.write(Table::State, |tables| Ok(tables.acquire_lease(key, owner, now, until, tasks))).await
    }
    async fn save_state(&self, key: ConnectionKey, state: &SyncState) -> Result<bool> {
        self.write(Table::State, |tables| Ok(tables.save_state(key, state))).await
    }
    async fn release_lease(&self, key: ConnectionKey, state: &SyncState) -> Result<ReleaseOutcome> {
        self.write(Table::State, |tables| Ok(tables.release_lease(key, state))).await
    }
    async fn commit_glance(&self, key: ConnectionKey, glance: &Glance) -> Result<bool> {
        self.write(Table::State, |tables| Ok(tables.commit_glance(key, glance))).await
    }
    fn shards(&self) -> u8 {
        SHARDS
    }
    async fn due(&self, shard: u8, now: DateTime<Utc>, limit: usize) -> Result<Vec<Due>> {
        self.look_up(|tables| tables.due_by(shard, now, limit, |state| state.next_sync_at)).await
    }
    async fn renewals(&self, shard: u8, now: DateTime<Utc>, limit: usize) -> Result<Vec<Due>> {
        self.look_up(|tables| tables.due_by(shard, now, limit, |state| state.renew_at)).await
    }
    async fn claim_due(&self, due: Due, next: DateTime<Utc>) -> Result<Option<SyncState>> {
        self.write(Table::State, |tables| Ok(tables.claim_due(due, next))).await
    }
    async fn schedule(&self, key: ConnectionKey, at: Option<DateTime<Utc>>) -> Result<()> {
        self.write(Table::State, |tables| {
            tables.schedule(key, at);
            Ok(())
        })
        .await
    }
    async fn take_turn(
        &self,
        line: &str,
        lasts: TimeDelta,
        now: DateTime<Utc>,
        latest: DateTime<Utc>,
    ) -> Result<Option<DateTime<Utc>>> {
        self.write(Table::Lines, |tables| Ok(tables.take_turn(line, lasts, now, latest))).await
    }

    async fn mapping(&self, key: ConnectionKey, lesson: LessonId) -> Result<Option<CalendarEventMapping>> {
        self.read(|tables| tables.mapping(key, lesson)).await
    }
    async fn dirty_mappings(&self, key: ConnectionKey, limit: usize) -> Result<Vec<CalendarEventMapping>> {
        self.read(|tables| tables.dirty_mappings(key, limit)).await
    }
    async fn failed_mappings(
        &self,
        key: ConnectionKey,
        now: DateTime<Utc>,
        limit: usize,
    ) -> Result<Vec<CalendarEventMapping>> {
        self.read(|tables| tables.failed_mappings(key, now, limit)).await
    }
    async fn mappings_between(&self, key: ConnectionKey, window: Window) -> Result<Vec<CalendarEventMapping>> {
        self.read(|tables| {
            let mut found = tables.mappings_of(key);
            found.retain(|mapping| mapping.event_start < window.to && mapping.event_end > window.from);
            found
        })
        .await
    }
    async fn mappings(&self, key: ConnectionKey) -> Result<Vec<CalendarEventMapping>> {
        self.read(|tables| tables.mappings_of(key)).await
    }
    async fn save_mapping(&self, mapping: &CalendarEventMapping, dirty: DirtyMark, notices: &[Notice]) -> Result<()> {
        self.write(Table::Mappings, |tables| {
            tables.save_mapping(mapping, dirty);
            tables.put_notices(notices);
            Ok(())
        })
        .await
    }
    async fn mark_dirty(&self, key: ConnectionKey, lessons: &[LessonMark], now: DateTime<Utc>) -> Result<()> {
        for lesson in lessons {
            self.write(Table::Mappings, |tables| {
                tables.mark_dirty(key, *lesson, now);
                Ok(())
            })
            .await?;
        }
        Ok(())
    }
    async fn delete_mapping(&self, key: ConnectionKey, lesson: LessonId, seen: u64) -> Result<bool> {
        self.write(Table::Mappings, |tables| Ok(tables.delete_mapping(key, lesson, seen))).await
    }
    async fn clear_mappings(&self, key: ConnectionKey) -> Result<()> {
        let mappings: Vec<LessonId> =
            self.read(|tables| tables.mappings_of(key).iter().map(|mapping| mapping.lesson_id).collect()).await?;
        for lesson in mappings {
            self.write(Table::Mappings, |tables| Ok(tables.mappings.remove(&(key, lesson)))).await?;
        }
        self.write(Table::Conflicts, |tables| {
            tables.forget_conflicts(key);
            Ok(())
        })
        .await
    }
    async fn conflicts(&self, key: ConnectionKey) -> Result<Vec<SchedulingConflict>> {
        self.read(|tables| tables.conflicts_where(key, |_| true)).await
    }
    async fn conflicts_of_lesson(&self, key: ConnectionKey, lesson: LessonId) -> Result<Vec<SchedulingConflict>> {
        self.read(|tables| tables.conflicts_where(key, |pair| pair.lesson_id == lesson)).await
    }
    async fn conflicts_of_event(
        &self,
        key: ConnectionKey,
        calendar: &CalendarId,
        event: &EventId,
    ) -> Result<Vec<SchedulingConflict>> {
        let names = |pair: &SchedulingConflict| {
            pair.calendar_id == *calendar && pair.google_event_id.family() == event.family()
        };
        self.read(|tables| tables.conflicts_where(key, names)).await
    }
    async fn apply_conflicts(&self, key: ConnectionKey, changes: &[ConflictChanges]) -> Result<()> {
        for lesson in changes {
            self.write(Table::Conflicts, |tables| {
                tables.apply_conflicts(key, lesson);
                Ok(())
            })
            .await?;
        }
        Ok(())
    }

    async fn external_between(&self, key: ConnectionKey, window: Window) -> Result<ExternalLookup> {
        self.read(|tables| tables.external_between(key, window)).await
    }
    async fn external_event(
        &self,
        key: ConnectionKey,
        calendar: &CalendarId,
        id: &EventId,
    ) -> Result<Option<ExternalCalendarEvent>> {
        self.read(|tables| tables.external.get(&(key, calendar.clone(), id.clone())).cloned()).await
    }
    async fn exceptions_of(
        &self,
        key: ConnectionKey,
        calendar: &CalendarId,
        series: &EventId,
    ) -> Result<Vec<ExternalCalendarEvent>> {
        self.read(|tables| tables.exceptions_of(key, calendar, series)).await
    }
    async fn external_ids(&self, key: ConnectionKey) -> Result<Vec<(CalendarId, EventId)>> {
        self.read(|tables| tables.external_of(key).map(|row| (row.calendar_id.clone(), row.id().clone())).collect())
            .await
    }
    async fn put_external(&self, key: ConnectionKey, events: &[ExternalCalendarEvent]) -> Result<()> {
        for event in events {
            self.write(Table::ExternalEvents, |tables| {
                tables.put_external(key, event);
                Ok(())
            })
            .await?;
        }
        Ok(())
    }
    async fn delete_external(&self, key: ConnectionKey, ids: &[(CalendarId, EventId)]) -> Result<()> {
        for (calendar, id) in ids {
            let row = (key, calendar.clone(), id.clone());
            self.write(Table::ExternalEvents, |tables| Ok(tables.external.remove(&row))).await?;
        }
        Ok(())
    }

    async fn put_log(&self, log: &CalendarSyncLog) -> Result<()> {
        self.write(Table::SyncLogs, |tables| {
            tables.put_log(log);
            Ok(())
        })
        .await
    }
    async fn log(&self, key: ConnectionKey, id: SyncLogId) -> Result<Option<CalendarSyncLog>> {
        self.read(|tables| tables.logs.get(&(key, id)).cloned()).await
    }
    async fn logs(&self, key: ConnectionKey, before: Option<SyncLogId>, limit: usize) -> Result<Vec<CalendarSyncLog>> {
        let wanted = |(of, id): &(ConnectionKey, SyncLogId)| *of == key && before.is_none_or(|before| *id < before);
        self.read(|tables| {
            let logs = tables.logs.iter().rev().filter(|(row, _)| wanted(row));
            logs.take(limit).map(|(_, log)| log.clone()).collect()
        })
        .await
    }
    async fn put_notices(&self, _: ConnectionKey, notices: &[Notice]) -> Result<()> {
        for notice in notices {
            self.write(Table::Notices, |tables| {
                tables.put_notices(std::slice::from_ref(notice));
                Ok(())
            })
            .await?;
        }
        Ok(())
    }
    async fn pending_notices(&self, key: ConnectionKey, limit: usize) -> Result<Vec<Notice>> {
        self.read(|tables| {
            let own = tables.notices.values().filter(|notice| notice.key == key);
            own.take(limit).cloned().collect()
        })
        .await
    }
    async fn delivered(&self, key: ConnectionKey, notices: &[Notice]) -> Result<()> {
        for notice in notices {
            let row = (key, notice.at, notice.id);
            self.write(Table::Notices, |tables| Ok(tables.notices.remove(&row))).await?;
        }
        Ok(())
    }

    async fn put_oauth_state(&self, state: &OAuthState) -> Result<()> {
        let row = state.clone();
        self.write(Table::OAuthStates, |tables| Ok(tables.oauth_states.insert(row.state.clone(), row))).await.map(drop)
    }
    async fn oauth_state(&self, state: &str) -> Result<Option<OAuthState>> {
        self.read(|tables| tables.oauth_states.get(state).cloned()).await
    }
    async fn take_oauth_state(&self, state: &str) -> Result<Option<OAuthState>> {
        self.write(Table::OAuthStates, |tables| Ok(tables.oauth_states.remove(state))).await
    }

    async fn lessons(&self, tenant: TenantId, ids: &[LessonId]) -> Result<Vec<LessonLookup>> {
        self.read(|tables| ids.iter().map(|id| tables.lesson(tenant, *id)).collect()).await
    }
    async fn lessons_between(&self, key: ConnectionKey, window: Window) -> Result<Vec<LessonId>> {
        self.look_up(|tables| tables.lessons_between(key, window)).await
    }
    async fn save_lesson_version(
        &self,
        version: &LessonVersion,
        now: DateTime<Utc>,
        forget_at: DateTime<Utc>,
    ) -> Result<bool> {
        self.write(Table::Lessons, |tables| Ok(tables.save_lesson_version(version, now, forget_at))).await
    }
    async fn write_lesson_columns(
        &self,
        key: ConnectionKey,
        lesson: LessonId,
        flags: &LessonSyncColumns,
    ) -> Result<()> {
        self.write(Table::Lessons, |tables| {
            tables.write_lesson_columns(key, lesson, flags);
            Ok(())
        })
        .await
    }
    async fn clear_lesson_columns(&self, key: ConnectionKey, lesson: LessonId, event: &EventId) -> Result<()> {
        self.write(Table::Lessons, |tables| {
            tables.clear_lesson_columns(key, lesson, event);
            Ok(())
        })
        .await
    }
    async fn flag_instructor(
        &self,
        key: ConnectionKey,
        enabled: Option<bool>,
        last_synced_at: Option<DateTime<Utc>>,
    ) -> Result<()> {
        self.write(Table::Instructors, |tables| {
            tables.flag_instructor(key, enabled, last_synced_at);
            Ok(())
        })
        .await
    }
    async fn instructor_exists(&self, key: ConnectionKey) -> Result<bool> {
        self.read(|tables| tables.instructors.contains_key(&(key.tenant_id, key.instructor_id))).await
    }
}
