//! A connection between an instructor and a Google calendar: its settings and whether it works.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{CalendarId, ConnectionId, ConnectionKey, GoogleAccount, SealedTokens};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SyncDirection {
    /// Lessons are written to Google, nothing is imported.
    ToGoogle,
    /// Events are imported from Google, nothing is written.
    FromGoogle,
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

/// The instructor's settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncSettings {
    /// Whether anything runs at all.
    pub sync_enabled: bool,
    pub sync_direction: SyncDirection,
    /// Whether changes are followed automatically, or only when a person asks for a sync.
    pub auto_sync: bool,
    /// How often to poll while push does not work, in minutes (5 to 1440).
    pub sync_interval_minutes: u32,
    /// Whether administrators see what the instructor's own events are, not only when.
    pub share_titles: bool,
}

impl Default for SyncSettings {
    fn default() -> Self {
        Self {
            sync_enabled: true,
            sync_direction: SyncDirection::TwoWay,
            auto_sync: true,
            sync_interval_minutes: 15,
            share_titles: false,
        }
    }
}

/// One of the settings, and what it is from then on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "setting", content = "to", rename_all = "camelCase")]
pub enum SettingChange {
    SyncEnabled(bool),
    SyncDirection(SyncDirection),
    AutoSync(bool),
    SyncIntervalMinutes(u32),
    ShareTitles(bool),
}

/// A change of the settings; `None` keeps a setting as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SettingsPatch {
    pub sync_enabled: Option<bool>,
    pub sync_direction: Option<SyncDirection>,
    pub auto_sync: Option<bool>,
    pub sync_interval_minutes: Option<u32>,
    pub share_titles: Option<bool>,
}

impl SettingsPatch {
    pub fn apply(&self, settings: &SyncSettings) -> SyncSettings {
        SyncSettings {
            sync_enabled: self.sync_enabled.unwrap_or(settings.sync_enabled),
            sync_direction: self.sync_direction.unwrap_or(settings.sync_direction),
            auto_sync: self.auto_sync.unwrap_or(settings.auto_sync),
            sync_interval_minutes: self.sync_interval_minutes.unwrap_or(settings.sync_interval_minutes),
            share_titles: self.share_titles.unwrap_or(settings.share_titles),
        }
    }

    /// What it changes of `settings`.
    pub fn changes_of(&self, settings: &SyncSettings) -> Vec<SettingChange> {
        fn other<T: PartialEq + Copy>(patched: Option<T>, present: T) -> Option<T> {
            patched.filter(|patched| *patched != present)
        }
        [
            other(self.sync_enabled, settings.sync_enabled).map(SettingChange::SyncEnabled),
            other(self.sync_direction, settings.sync_direction).map(SettingChange::SyncDirection),
            other(self.auto_sync, settings.auto_sync).map(SettingChange::AutoSync),
            other(self.sync_interval_minutes, settings.sync_interval_minutes).map(SettingChange::SyncIntervalMinutes),
            other(self.share_titles, settings.share_titles).map(SettingChange::ShareTitles),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

/// Whether the connection works, and if not, why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum ConnectionStatus {
    Active,
    /// Google withdrew the permission. Nothing runs until the instructor connects again; all data is kept.
    NeedsReauth {
        /// Google's error code.
        reason: String,
    },
    /// The connection is being taken down: no new run starts.
    Disconnecting {
        /// Our events stay in Google.
        keep_events: bool,
        /// Imported events stay in the store.
        keep_imported: bool,
    },
}

/// A row of `instructor_calendar_credentials`: the cold part of a connection. The tokens in it are sealed. A log line
/// that is given one says whose it is and no more.
#[derive(Clone)]
pub struct InstructorCalendarCredentials {
    pub id: ConnectionId,
    pub key: ConnectionKey,
    /// Sealed for this tenant and instructor.
    pub tokens: SealedTokens,
    /// Usually `primary`.
    pub google_calendar_id: CalendarId,
    pub google_account: GoogleAccount,
    /// The OAuth client that the tokens belong to.
    pub oauth_client: String,
    pub granted_scopes: Vec<String>,
    pub settings: SyncSettings,
    pub status: ConnectionStatus,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl fmt::Debug for InstructorCalendarCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InstructorCalendarCredentials").field("key", &self.key).finish_non_exhaustive()
    }
}

impl InstructorCalendarCredentials {
    /// Why no run may start, or `None` when one may.
    pub fn blocked(&self) -> Option<Blocked> {
        match &self.status {
            ConnectionStatus::Active if self.settings.sync_enabled => None,
            ConnectionStatus::Active => Some(Blocked::SwitchedOff),
            ConnectionStatus::NeedsReauth { .. } => Some(Blocked::NeedsReauth),
            ConnectionStatus::Disconnecting { .. } => Some(Blocked::Disconnecting),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blocked {
    SwitchedOff,
    NeedsReauth,
    Disconnecting,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::{OAuthState, Person, PersonRole, SealedSecret},
        testing::{credentials, key},
    };

    #[test]
    fn a_patch_changes_what_it_names_and_finds_otherwise() {
        let settings = SyncSettings::default();
        let none = SettingsPatch::default();
        let all = SettingsPatch {
            sync_enabled: Some(false),
            sync_direction: Some(SyncDirection::ToGoogle),
            auto_sync: Some(false),
            sync_interval_minutes: Some(60),
            share_titles: Some(true),
        };
        let one = SettingsPatch { sync_enabled: Some(true), auto_sync: Some(false), ..none.clone() };
        for (patch, changes) in [
            (none, vec![]),
            (one, vec![SettingChange::AutoSync(false)]),
            (
                all.clone(),
                vec![
                    SettingChange::SyncEnabled(false),
                    SettingChange::SyncDirection(SyncDirection::ToGoogle),
                    SettingChange::AutoSync(false),
                    SettingChange::SyncIntervalMinutes(60),
                    SettingChange::ShareTitles(true),
                ],
            ),
        ] {
            assert_eq!(patch.changes_of(&settings), changes, "{patch:?}");
        }
        assert_eq!(all.changes_of(&all.apply(&settings)), []);
    }

    #[test]
    fn what_is_printed_of_a_connection_and_of_a_login_shows_neither_account_nor_tokens() {
        let key = key(1, 2);
        let credentials = credentials(key);
        let login = OAuthState {
            state: "secret state".into(),
            key,
            verifier: SealedSecret("secret verifier".to_owned()),
            browser: "secret digest".into(),
            began_by: Person { subject: "secret user".into(), role: PersonRole::Instructor },
            return_path: "/".into(),
            replace_account: false,
            expires_at: DateTime::UNIX_EPOCH,
        };
        for printed in [
            format!("{credentials:?}"),
            format!("{:?} {:?}", credentials.tokens, credentials.google_account),
            format!("{login:?}"),
        ] {
            assert!(!printed.contains("secret"), "{printed}");
        }
        assert!(format!("{credentials:?}").contains("00000000-0000-0000-0000-000000000002"));
    }
}
