//! A connection between an instructor and a Google calendar: its settings and whether it works.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{CalendarId, ConnectionId, ConnectionKey, SealedTokens};

/// Which way changes travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SyncDirection {
    /// Lessons go out, nothing is imported.
    ToGoogle,
    /// Events come in, nothing is written.
    FromGoogle,
    /// Both.
    TwoWay,
}

impl SyncDirection {
    /// Whether lessons are written to Google.
    pub fn writes(self) -> bool {
        matches!(self, Self::ToGoogle | Self::TwoWay)
    }
    /// As much of this direction as the connection's own allows; `None` when that is nothing.
    pub fn within(self, allowed: Self) -> Option<Self> {
        match (self.writes() && allowed.writes(), self.imports() && allowed.imports()) {
            (true, true) => Some(Self::TwoWay),
            (true, false) => Some(Self::ToGoogle),
            (false, true) => Some(Self::FromGoogle),
            (false, false) => None,
        }
    }
    /// Whether events are imported from Google.
    pub fn imports(self) -> bool {
        matches!(self, Self::FromGoogle | Self::TwoWay)
    }
}

/// What the instructor chose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncSettings {
    /// Whether anything runs at all.
    pub sync_enabled: bool,
    /// Which way changes travel.
    pub sync_direction: SyncDirection,
    /// Whether changes are followed on their own, or only when a person asks.
    pub auto_sync: bool,
    /// How often to poll while push does not work, in minutes (5 to 1440).
    pub sync_interval_minutes: u32,
}

impl Default for SyncSettings {
    fn default() -> Self {
        Self { sync_enabled: true, sync_direction: SyncDirection::TwoWay, auto_sync: true, sync_interval_minutes: 15 }
    }
}

/// What is to change of the settings; what is absent stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SettingsPatch {
    /// Whether anything runs at all.
    pub sync_enabled: Option<bool>,
    /// Which way changes travel.
    pub sync_direction: Option<SyncDirection>,
    /// Whether changes are followed on their own.
    pub auto_sync: Option<bool>,
    /// How often to poll, in minutes.
    pub sync_interval_minutes: Option<u32>,
}

impl SettingsPatch {
    /// The settings with the change.
    pub fn apply(&self, settings: &SyncSettings) -> SyncSettings {
        SyncSettings {
            sync_enabled: self.sync_enabled.unwrap_or(settings.sync_enabled),
            sync_direction: self.sync_direction.unwrap_or(settings.sync_direction),
            auto_sync: self.auto_sync.unwrap_or(settings.auto_sync),
            sync_interval_minutes: self.sync_interval_minutes.unwrap_or(settings.sync_interval_minutes),
        }
    }
}

/// The Google account behind a connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GoogleAccount {
    /// Google's stable id of the account.
    pub sub: String,
    /// Its address, for the instructor's eyes.
    pub email: Option<String>,
}

/// Whether the connection works, and if not, why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum ConnectionStatus {
    /// It works.
    Active,
    /// Google withdrew the permission; the instructor has to connect again. Nothing runs, all data is kept.
    NeedsReauth {
        /// What Google said, as a code.
        reason: String,
    },
    /// The connection is being taken down: new runs are refused.
    Disconnecting {
        /// Our events stay in Google.
        keep_events: bool,
        /// What was imported stays here.
        keep_imported: bool,
    },
}

/// A row of `instructor_calendar_credentials`: the cold part of a connection. The tokens in it are sealed.
#[derive(Debug, Clone)]
pub struct InstructorCalendarCredentials {
    /// The connection's id.
    pub id: ConnectionId,
    /// Whose it is.
    pub key: ConnectionKey,
    /// The tokens, sealed for this tenant and instructor.
    pub tokens: SealedTokens,
    /// Which calendar (usually `primary`).
    pub google_calendar_id: CalendarId,
    /// Which account.
    pub google_account: GoogleAccount,
    /// The OAuth client that the tokens belong to.
    pub oauth_client: String,
    /// The scopes that the instructor granted.
    pub granted_scopes: Vec<String>,
    /// What the instructor chose.
    pub settings: SyncSettings,
    /// Whether it works.
    pub status: ConnectionStatus,
    /// When it was first made.
    pub created_at: DateTime<Utc>,
    /// When the row last changed.
    pub updated_at: DateTime<Utc>,
}

impl InstructorCalendarCredentials {
    /// Why nothing may run now, or `None` when a run may start.
    pub fn blocked(&self) -> Option<Blocked> {
        match &self.status {
            ConnectionStatus::Active if self.settings.sync_enabled => None,
            ConnectionStatus::Active => Some(Blocked::SwitchedOff),
            ConnectionStatus::NeedsReauth { .. } => Some(Blocked::NeedsReauth),
            ConnectionStatus::Disconnecting { .. } => Some(Blocked::Disconnecting),
        }
    }
}

/// Why a connection does not sync.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blocked {
    /// The instructor switched it off.
    SwitchedOff,
    /// Google withdrew the permission.
    NeedsReauth,
    /// It is being taken down.
    Disconnecting,
}
