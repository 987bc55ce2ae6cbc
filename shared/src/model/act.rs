//! What a person did with a connection.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{ConnectionKey, Person, SettingChange, SyncLogId};

/// An act with its choices. It has no sentences: the page has those, in its viewer's language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum Act {
    /// A login made the connection.
    Connected,
    /// A login with the same Google account renewed it.
    ConnectedAgain,
    /// A login put another Google account in place of the present one.
    AccountReplaced,
    Disconnected {
        /// Our events stay in Google.
        keep_events: bool,
        /// Imported events stay in the store.
        keep_imported: bool,
    },
    SettingChanged(SettingChange),
}

/// A row of `calendar_sync_logs` that tells of an act. It is stored with what the act changes, or not at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonAct {
    /// UUID version 7: ordered by time.
    pub id: SyncLogId,
    pub key: ConnectionKey,
    pub at: DateTime<Utc>,
    pub person: Person,
    pub act: Act,
}
