//! Log rows, the outbox, and logins in progress.

use async_trait::async_trait;
use calendar_sync::{
    Result,
    model::{CalendarSyncLog, ConnectionKey, LogRow, Notice, OAuthState, PersonAct, SyncLogId},
    ports::{LoginStore, Outbox, SyncLogStore},
};

use super::{MemoryStore, Stored, Table, Tables};

#[async_trait]
impl SyncLogStore for MemoryStore {
    async fn put_log(&self, log: &CalendarSyncLog) -> Result<()> {
        self.write(Table::SyncLogs, |tables| {
            let before = tables.logs.insert((log.key, log.id), log.clone());
            let before = before.map(|log| log.counts).unwrap_or_default();
            tables.journal.push(Stored::Log {
                before,
                after: log.counts,
                outcome: log.outcome,
                reasons: log.reasons.clone(),
            });
        })
        .await
    }

    async fn log(&self, key: ConnectionKey, id: SyncLogId) -> Result<Option<CalendarSyncLog>> {
        self.read(|tables| tables.logs.get(&(key, id)).cloned()).await
    }

    async fn logs(&self, key: ConnectionKey, before: Option<SyncLogId>, limit: usize) -> Result<Vec<LogRow>> {
        let wanted = |row: &LogRow| before.is_none_or(|before| row.id() < before);
        self.read(|tables| {
            let runs = tables.logs.values().filter(|run| run.key == key).cloned().map(LogRow::Run);
            let acts = tables.acts.values().filter(|act| act.key == key).cloned().map(LogRow::Act);
            let mut rows: Vec<LogRow> = runs.chain(acts).filter(wanted).collect();
            rows.sort_by_key(|row| std::cmp::Reverse(row.id()));
            rows.truncate(limit);
            rows
        })
        .await
    }
}

impl Tables {
    pub(super) fn put_acts<'a>(&mut self, acts: impl IntoIterator<Item = &'a PersonAct>) {
        self.acts.extend(acts.into_iter().map(|act| ((act.key, act.id), act.clone())));
    }
}

#[async_trait]
impl Outbox for MemoryStore {
    async fn put_notices(&self, _: ConnectionKey, notices: &[Notice]) -> Result<()> {
        let put = |tables: &mut Tables, notice: &Notice| tables.put_notices(std::slice::from_ref(notice));
        self.write_batch(Table::Notices, notices, put).await
    }

    async fn pending_notices(&self, key: ConnectionKey, limit: usize) -> Result<Vec<Notice>> {
        self.read(|tables| {
            let own = tables.notices.values().filter(|notice| notice.key == key);
            own.take(limit).cloned().collect()
        })
        .await
    }

    async fn delivered(&self, key: ConnectionKey, notices: &[Notice]) -> Result<()> {
        let remove = |tables: &mut Tables, notice: &Notice| drop(tables.notices.remove(&(key, notice.at, notice.id)));
        self.write_batch(Table::Notices, notices, remove).await
    }
}

#[async_trait]
impl LoginStore for MemoryStore {
    async fn put_oauth_state(&self, state: &OAuthState) -> Result<()> {
        let row = state.clone();
        self.write(Table::OAuthStates, |tables| drop(tables.oauth_states.insert(row.state.clone(), row))).await
    }

    async fn oauth_state(&self, state: &str) -> Result<Option<OAuthState>> {
        self.read(|tables| tables.oauth_states.get(state).cloned()).await
    }

    async fn take_oauth_state(&self, state: &str) -> Result<Option<OAuthState>> {
        self.write(Table::OAuthStates, |tables| tables.oauth_states.remove(state)).await
    }
}
