//! The cold part of a connection, and the Google accounts that connections share.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::{
    Result,
    model::{
        ConnectionId, ConnectionKey, ConnectionStatus, InstructorCalendarCredentials, Notice, SealedSecret,
        SealedTokens, SettingsPatch, SyncSettings, SyncState,
    },
};

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

/// Credentials, settings and status.
#[async_trait]
pub trait ConnectionStore: Send + Sync {
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
}

/// Which connections share a Google account.
#[async_trait]
pub trait AccountStore: Send + Sync {
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
}
