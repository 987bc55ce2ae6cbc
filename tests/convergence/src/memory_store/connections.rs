//! Connections and the Google accounts that they use.

use std::collections::BTreeSet;

use async_trait::async_trait;
use calendar_sync::{
    Error, ErrorKind, Result,
    model::{
        ConnectionId, ConnectionKey, ConnectionStatus, InstructorCalendarCredentials, Notice, PersonAct, SealedSecret,
        SealedTokens, SettingsPatch,
    },
    ports::{AccountStore, Connect, ConnectionStore},
};
use chrono::{DateTime, Utc};

use super::{MemoryStore, Stored, Table, Tables};

/// Who uses a Google account, and until when its grants may be about to be revoked.
#[derive(Debug, Clone, Default)]
pub struct GoogleAccountRow {
    connections: BTreeSet<ConnectionKey>,
    revoked_until: Option<DateTime<Utc>>,
}

#[async_trait]
impl ConnectionStore for MemoryStore {
    async fn credentials(&self, key: ConnectionKey) -> Result<Option<InstructorCalendarCredentials>> {
        self.read(|tables| tables.credentials.get(&key).cloned()).await
    }

    async fn connect(&self, connect: &Connect) -> Result<()> {
        self.try_write(Table::Credentials, |tables| {
            let key = connect.credentials.key;
            let present = tables.credentials.get(&key);
            let unchanged = match (connect.replaces, present) {
                (None, None) => true,
                (Some(id), Some(present)) => present.id == id && !is_disconnecting(present),
                (None, Some(_)) | (Some(_), None) => false,
            };
            let state = connect.state.clone();
            let Some(state) = state.or_else(|| tables.states.get(&key).cloned()).filter(|_| unchanged) else {
                return Err(changed_meanwhile());
            };
            let account = tables.accounts.entry(connect.credentials.google_account.sub.clone()).or_default();
            if account.revoked_until.is_some_and(|until| until >= connect.asked_at) {
                return Err(changed_meanwhile());
            }
            account.connections.insert(key);
            account.revoked_until = None;
            let before = tables.states.get(&key).map(|state| state.lease.fence);
            let state = tables.states.entry(key).insert_entry(state).into_mut();
            match (&connect.state, before) {
                (Some(_), Some(fence)) => state.lease.fence = fence + 1,
                (Some(_), None) => {}
                (None, _) => {
                    state.next_sync_at = Some(connect.credentials.updated_at);
                    state.pending.counter += 1;
                }
            }
            tables.credentials.insert(key, connect.credentials.clone());
            tables.known.insert(key);
            tables.put_acts([&connect.act]);
            tables.journal.push(Stored::Connection(key));
            Ok(())
        })
        .await
    }

    async fn save_access_token(
        &self,
        key: ConnectionKey,
        id: ConnectionId,
        sealed: &SealedSecret,
        expiry: DateTime<Utc>,
    ) -> Result<()> {
        self.write(Table::Credentials, |tables| {
            if let Some(row) = tables.this(key, id) {
                row.tokens.google_access_token = sealed.clone();
                row.tokens.google_token_expiry = expiry;
            }
        })
        .await
    }

    async fn save_tokens(&self, as_read: &InstructorCalendarCredentials, tokens: &SealedTokens) -> Result<()> {
        self.write(Table::Credentials, |tables| {
            if let Some(row) = tables.this(as_read.key, as_read.id).filter(|row| has_same_grant(row, as_read)) {
                row.tokens = tokens.clone();
            }
        })
        .await
    }

    async fn save_settings(
        &self,
        as_read: &InstructorCalendarCredentials,
        patch: &SettingsPatch,
        now: DateTime<Utc>,
        acts: &[PersonAct],
    ) -> Result<bool> {
        self.write(Table::Credentials, |tables| {
            let same = |row: &&mut InstructorCalendarCredentials| {
                patch.changes_of(&row.settings) == patch.changes_of(&as_read.settings)
            };
            let Some(row) = tables.credentials.get_mut(&as_read.key).filter(same) else { return false };
            (row.settings, row.updated_at) = (patch.apply(&row.settings), now);
            tables.journal.push(Stored::Connection(as_read.key));
            tables.put_acts(acts);
            true
        })
        .await
    }

    async fn save_status(
        &self,
        as_read: &InstructorCalendarCredentials,
        status: &ConnectionStatus,
        now: DateTime<Utc>,
        act: Option<&PersonAct>,
        notices: &[Notice],
    ) -> Result<()> {
        self.try_write(Table::Credentials, |tables| {
            let goes = matches!(status, ConnectionStatus::Disconnecting { .. });
            let may =
                |row: &InstructorCalendarCredentials| goes || has_same_grant(row, as_read) && !is_disconnecting(row);
            let row = tables.this(as_read.key, as_read.id).filter(|row| may(row)).ok_or_else(Error::not_found)?;
            (row.status, row.updated_at) = (status.clone(), now);
            tables.journal.push(Stored::Connection(as_read.key));
            tables.put_acts(act);
            tables.put_notices(notices);
            Ok(())
        })
        .await
    }

    async fn forget_connection(&self, credentials: &InstructorCalendarCredentials) -> Result<()> {
        self.try_write(Table::Credentials, |tables| {
            let key = credentials.key;
            let same =
                |row: &InstructorCalendarCredentials| row.id == credentials.id && row.status == credentials.status;
            if !tables.credentials.get(&key).is_none_or(same) {
                return Err(changed_meanwhile());
            }
            tables.credentials.remove(&key);
            tables.journal.push(Stored::Connection(key));
            tables.states.remove(&key);
            if let Some(account) = tables.accounts.get_mut(&credentials.google_account.sub) {
                account.connections.remove(&key);
            }
            Ok(())
        })
        .await
    }
}

#[async_trait]
impl AccountStore for MemoryStore {
    async fn detach_from_account(
        &self,
        sub: &str,
        leaving: Option<ConnectionKey>,
        until: DateTime<Utc>,
    ) -> Result<bool> {
        self.write(Table::GoogleAccounts, |tables| {
            let account = tables.accounts.entry(sub.to_owned()).or_default();
            if let Some(key) = leaving {
                account.connections.remove(&key);
            }
            let last = account.connections.is_empty();
            if last {
                account.revoked_until = Some(until);
            }
            last
        })
        .await
    }

    async fn end_revocation(&self, sub: &str, at: DateTime<Utc>) -> Result<()> {
        self.write(Table::GoogleAccounts, |tables| {
            if let Some(until) = tables.accounts.get_mut(sub).and_then(|account| account.revoked_until.as_mut()) {
                *until = at;
            }
        })
        .await
    }
}

impl Tables {
    pub(super) fn put_notices(&mut self, notices: &[Notice]) {
        self.journal.extend(notices.iter().cloned().map(Stored::Notice));
        self.committed.extend(notices.iter().map(|notice| notice.id));
        self.notices.extend(notices.iter().map(|notice| ((notice.key, notice.at, notice.id), notice.clone())));
    }

    fn this(&mut self, key: ConnectionKey, id: ConnectionId) -> Option<&mut InstructorCalendarCredentials> {
        self.credentials.get_mut(&key).filter(|row| row.id == id)
    }
}

fn has_same_grant(row: &InstructorCalendarCredentials, as_read: &InstructorCalendarCredentials) -> bool {
    row.tokens.google_refresh_token == as_read.tokens.google_refresh_token
}

pub(super) fn is_disconnecting(row: &InstructorCalendarCredentials) -> bool {
    matches!(row.status, ConnectionStatus::Disconnecting { .. })
}

fn changed_meanwhile() -> Error {
    Error::new(ErrorKind::Conflict, "connection_changed", "The connection was changed meanwhile. Please try again.")
}
