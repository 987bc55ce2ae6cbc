//! Whether a connection works, in one word, and whether its administrators should look at it. The status and the
//! administrators' list show the same.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{ConnectionStatus, InstructorCalendarCredentials, PushHealth, SyncState};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ConnectionHealth {
    Active,
    /// The last run failed; the next one may succeed.
    Failing,
    /// Google refuses our OAuth client, which only its operator can mend.
    ClientRefused,
    NeedsReauth,
    SwitchedOff,
    Disconnecting,
}

impl ConnectionHealth {
    pub fn of(credentials: &InstructorCalendarCredentials, state: &SyncState) -> Self {
        match &credentials.status {
            ConnectionStatus::NeedsReauth { .. } => Self::NeedsReauth,
            ConnectionStatus::Disconnecting { .. } => Self::Disconnecting,
            ConnectionStatus::Active if !credentials.settings.sync_enabled => Self::SwitchedOff,
            ConnectionStatus::Active if state.client_refused.is_some() => Self::ClientRefused,
            ConnectionStatus::Active if state.failures > 0 => Self::Failing,
            ConnectionStatus::Active => Self::Active,
        }
    }
}

/// Why changes in Google are not followed, neither by push nor by polling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unfollowed {
    NeedsReauth,
    Disconnecting,
    SwitchedOff,
    NotImported,
    OnlyByHand,
}

impl Unfollowed {
    /// `None` where changes are followed.
    pub fn of(credentials: &InstructorCalendarCredentials) -> Option<Self> {
        let settings = &credentials.settings;
        match &credentials.status {
            ConnectionStatus::NeedsReauth { .. } => Some(Self::NeedsReauth),
            ConnectionStatus::Disconnecting { .. } => Some(Self::Disconnecting),
            ConnectionStatus::Active if !settings.sync_enabled => Some(Self::SwitchedOff),
            ConnectionStatus::Active if !settings.sync_direction.imports() => Some(Self::NotImported),
            ConnectionStatus::Active if !settings.auto_sync => Some(Self::OnlyByHand),
            ConnectionStatus::Active => None,
        }
    }
}

/// Whether a run is under way, or the first sync is still to come to its end without having failed.
pub fn is_syncing(credentials: &InstructorCalendarCredentials, state: &SyncState, now: DateTime<Utc>) -> bool {
    let runs = state.lease.owner.is_some() && state.lease.until > now;
    let first = ConnectionHealth::of(credentials, state) == ConnectionHealth::Active && state.last_synced_at.is_none();
    credentials.blocked().is_none() && (runs || first)
}

/// Which connections an administrator asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConnectionFilter {
    Active,
    /// A run is under way.
    Syncing,
    Failing,
    /// Google did not tell of a change.
    PushSuspect,
    NeedsReauth,
    SwitchedOff,
    ClientRefused,
    /// Those that fail, are refused, need to be connected again, or whose push is suspect.
    Attention,
}

impl ConnectionFilter {
    pub fn takes(self, credentials: &InstructorCalendarCredentials, state: &SyncState, now: DateTime<Utc>) -> bool {
        let health = ConnectionHealth::of(credentials, state);
        let push_is_suspect =
            Unfollowed::of(credentials).is_none() && matches!(state.push_health, PushHealth::Suspect { .. });
        match self {
            Self::Active => health == ConnectionHealth::Active,
            Self::Syncing => is_syncing(credentials, state, now),
            Self::Failing => health == ConnectionHealth::Failing,
            Self::PushSuspect => push_is_suspect,
            Self::NeedsReauth => health == ConnectionHealth::NeedsReauth,
            Self::SwitchedOff => health == ConnectionHealth::SwitchedOff,
            Self::ClientRefused => health == ConnectionHealth::ClientRefused,
            Self::Attention => {
                push_is_suspect
                    || matches!(
                        health,
                        ConnectionHealth::Failing | ConnectionHealth::ClientRefused | ConnectionHealth::NeedsReauth
                    )
            }
        }
    }
}

impl ConnectionStatus {
    /// Whether administrators should look at it, by the status alone.
    pub fn needs_attention(&self) -> bool {
        matches!(self, Self::NeedsReauth { .. })
    }
}

impl SyncState {
    /// Whether administrators should look at it, by the state alone. Also true of some whose settings say that nothing
    /// runs: what is found by it is compared with [`ConnectionFilter`].
    pub fn needs_attention(&self) -> bool {
        self.failures > 0 || self.client_refused.is_some() || matches!(self.push_health, PushHealth::Suspect { .. })
    }
}

#[cfg(test)]
#[path = "connection_health_tests.rs"]
mod tests;
