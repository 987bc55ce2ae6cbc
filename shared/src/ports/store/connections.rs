//! The cold part of a connection, and the Google accounts that connections share.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::{
    Result,
    model::{
        ConnectionId, ConnectionKey, ConnectionStatus, InstructorCalendarCredentials, Notice, PersonAct, SealedSecret,
        SealedTokens, SettingsPatch, SyncState,
    },
};

/// What a login stores in one transaction: the credentials, the state if it starts anew, that the connection uses its
/// Google account, and who did it.
#[derive(Debug, Clone)]
pub struct Connect {
    pub credentials: InstructorCalendarCredentials,
    /// When the tokens were requested from Google; the store refuses if the account's grants may have been revoked since.
    pub asked_at: DateTime<Utc>,
    /// The connection that this one was decided to replace; the store refuses if another one is there by now.
    pub replaces: Option<ConnectionId>,
    /// The state to start with; `None` keeps the present one.
    pub state: Option<SyncState>,
    /// It takes the place of a row with the same id.
    pub act: PersonAct,
}

/// Credentials, settings and status.
#[async_trait]
pub trait ConnectionStore: Send + Sync {
    async fn credentials(&self, key: ConnectionKey) -> Result<Option<InstructorCalendarCredentials>>;
    /// Makes or renews a connection in one transaction; `Conflict` if another login did meanwhile.
    async fn connect(&self, connect: &Connect) -> Result<()>;
    /// Stores a refreshed access token, unless the connection was replaced meanwhile.
    async fn save_access_token(
        &self,
        key: ConnectionKey,
        id: ConnectionId,
        sealed: &SealedSecret,
        expiry: DateTime<Utc>,
    ) -> Result<()>;
    /// Stores tokens sealed under another data key, unless a login has replaced those of `as_read`.
    async fn save_tokens(&self, as_read: &InstructorCalendarCredentials, tokens: &SealedTokens) -> Result<()>;
    /// Stores only what `patch` names, and with it who changed it. False, and nothing is stored, without a connection, or
    /// where one of those settings is no longer as in `as_read`.
    async fn save_settings(
        &self,
        as_read: &InstructorCalendarCredentials,
        patch: &SettingsPatch,
        now: DateTime<Utc>,
        acts: &[PersonAct],
    ) -> Result<bool>;
    /// Stores the status of the connection `as_read`, and with it the act that it follows from, and notices. `NotFound` if
    /// that connection is gone; unless `status` is `Disconnecting`, also if it is being disconnected, or if a login has
    /// renewed its permission since.
    async fn save_status(
        &self,
        as_read: &InstructorCalendarCredentials,
        status: &ConnectionStatus,
        now: DateTime<Utc>,
        act: Option<&PersonAct>,
        notices: &[Notice],
    ) -> Result<()>;
    /// Removes credentials and state, and the connection from its Google account, in one transaction.
    async fn forget_connection(&self, credentials: &InstructorCalendarCredentials) -> Result<()>;
}

/// Which connections share a Google account.
#[async_trait]
pub trait AccountStore: Send + Sync {
    /// Removes the connection `leaving` from the Google account `sub`, and returns whether the account's grants may be
    /// revoked: no other connection uses it, and until `until` none can begin to. Only this question crosses tenants.
    async fn detach_from_account(
        &self,
        sub: &str,
        leaving: Option<ConnectionKey>,
        until: DateTime<Utc>,
    ) -> Result<bool>;
    /// Ends a revocation at `at`: logins that began later may connect.
    async fn end_revocation(&self, sub: &str, at: DateTime<Utc>) -> Result<()>;
}
