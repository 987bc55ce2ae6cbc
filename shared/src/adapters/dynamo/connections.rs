//! `instructor_calendar_credentials`: the cold part of a connection.

use async_trait::async_trait;
use aws_sdk_dynamodb::types::AttributeValue;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{
    DynamoStore, accounts,
    expressions::Change,
    items::{attributes, from_item, number, text, time, to_item},
    keys, outbox, sync_logs, sync_state,
};
use crate::{
    Error, ErrorKind, Result,
    model::{
        CalendarId, ConnectionId, ConnectionKey, ConnectionStatus, GoogleAccount, InstructorCalendarCredentials,
        InstructorId, Notice, PersonAct, SealedSecret, SealedTokens, SettingsPatch, SyncDirection, SyncSettings,
        TenantId, timestamp,
    },
    ports::{Connect, ConnectionStore},
};

#[derive(Serialize, Deserialize)]
pub(super) struct Row {
    tenant_id: TenantId,
    instructor_id: InstructorId,
    id: ConnectionId,
    google_access_token: SealedSecret,
    google_refresh_token: SealedSecret,
    #[serde(with = "timestamp")]
    google_token_expiry: DateTime<Utc>,
    google_calendar_id: CalendarId,
    google_account_sub: String,
    google_account_email: Option<String>,
    oauth_client: String,
    granted_scopes: Vec<String>,
    #[serde(flatten)]
    settings: SettingsRow,
    connection_status: ConnectionStatus,
    /// Present while the status needs attention: it puts the row into the index of those that do.
    attention_instructor_id: Option<InstructorId>,
    #[serde(with = "timestamp")]
    created_at: DateTime<Utc>,
    #[serde(with = "timestamp")]
    updated_at: DateTime<Utc>,
}

#[derive(Serialize, Deserialize)]
struct SettingsRow {
    sync_enabled: bool,
    sync_direction: SyncDirection,
    auto_sync: bool,
    sync_interval_minutes: u32,
    #[serde(default)]
    share_titles: bool,
    /// Present while sync is on: it puts the row into the view of synced instructors.
    synced_instructor_id: Option<InstructorId>,
}

impl SettingsRow {
    fn of(key: ConnectionKey, settings: &SyncSettings) -> Self {
        Self {
            sync_enabled: settings.sync_enabled,
            sync_direction: settings.sync_direction,
            auto_sync: settings.auto_sync,
            sync_interval_minutes: settings.sync_interval_minutes,
            share_titles: settings.share_titles,
            synced_instructor_id: settings.sync_enabled.then_some(key.instructor_id),
        }
    }
}

impl From<SettingsRow> for SyncSettings {
    fn from(row: SettingsRow) -> Self {
        Self {
            sync_enabled: row.sync_enabled,
            sync_direction: row.sync_direction,
            auto_sync: row.auto_sync,
            sync_interval_minutes: row.sync_interval_minutes,
            share_titles: row.share_titles,
        }
    }
}

impl From<&InstructorCalendarCredentials> for Row {
    fn from(credentials: &InstructorCalendarCredentials) -> Self {
        let InstructorCalendarCredentials { id, key, tokens, google_calendar_id, google_account, .. } = credentials;
        Self {
            tenant_id: key.tenant_id,
            instructor_id: key.instructor_id,
            id: *id,
            google_access_token: tokens.google_access_token.clone(),
            google_refresh_token: tokens.google_refresh_token.clone(),
            google_token_expiry: tokens.google_token_expiry,
            google_calendar_id: google_calendar_id.clone(),
            google_account_sub: google_account.sub.clone(),
            google_account_email: google_account.email.clone(),
            oauth_client: credentials.oauth_client.clone(),
            granted_scopes: credentials.granted_scopes.clone(),
            settings: SettingsRow::of(*key, &credentials.settings),
            connection_status: credentials.status.clone(),
            attention_instructor_id: credentials.status.needs_attention().then_some(key.instructor_id),
            created_at: credentials.created_at,
            updated_at: credentials.updated_at,
        }
    }
}

impl From<Row> for InstructorCalendarCredentials {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            key: ConnectionKey { tenant_id: row.tenant_id, instructor_id: row.instructor_id },
            tokens: SealedTokens {
                google_access_token: row.google_access_token,
                google_refresh_token: row.google_refresh_token,
                google_token_expiry: row.google_token_expiry,
            },
            google_calendar_id: row.google_calendar_id,
            google_account: GoogleAccount { sub: row.google_account_sub, email: row.google_account_email },
            oauth_client: row.oauth_client,
            granted_scopes: row.granted_scopes,
            settings: row.settings.into(),
            status: row.connection_status,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

fn this_connection(id: ConnectionId) -> Change {
    Change::when("#id = :id").with("id", text(id))
}

fn flag(value: bool) -> AttributeValue {
    AttributeValue::Bool(value)
}

fn direction_value(direction: SyncDirection) -> Result<AttributeValue> {
    serde_dynamo::aws_sdk_dynamodb_1::to_attribute_value(direction).map_err(Error::internal)
}

fn status_value(status: &ConnectionStatus) -> Result<AttributeValue> {
    attributes(status).map(AttributeValue::M)
}

#[async_trait]
impl ConnectionStore for DynamoStore {
    async fn credentials(&self, key: ConnectionKey) -> Result<Option<InstructorCalendarCredentials>> {
        let item = self.get(&self.names.credentials, keys::credentials(key)).await?;
        item.map(|item| from_item::<Row>(item).map(Into::into)).transpose()
    }

    async fn connect(&self, connect: &Connect) -> Result<()> {
        let table = &self.names.credentials;
        let key = connect.credentials.key;
        let unchanged = match connect.replaces {
            // A connection that is being taken down is not revived.
            Some(id) => Change::when("#id = :replaced AND #connection_status.#state <> :disconnecting")
                .with("replaced", text(id))
                .with("disconnecting", text("disconnecting")),
            None => Change::when("attribute_not_exists(#id)"),
        };
        let state = match &connect.state {
            Some(state) => sync_state::start_anew(key, state)?,
            // A connection that is renewed is polled at once.
            None => {
                // Counts as a request, so that a running run does not overwrite the time.
                Change::when("attribute_exists(#lease_fence)")
                    .set("next_sync_at", time(connect.credentials.updated_at))
                    .count_up("request_counter")
            }
        };
        let mut writes = vec![
            unchanged.put(table, to_item(&Row::from(&connect.credentials))?)?,
            accounts::join(self, key, &connect.credentials.google_account.sub, connect.asked_at)?,
            state.update(table, keys::state(key))?,
            Change::default().put(&self.names.erasures, keys::known_instructor(key))?,
        ];
        writes.extend(sync_logs::puts(self, [&connect.act])?);
        if self.transact(writes).await? { Ok(()) } else { Err(changed_meanwhile()) }
    }

    async fn save_access_token(
        &self,
        key: ConnectionKey,
        id: ConnectionId,
        sealed: &SealedSecret,
        expiry: DateTime<Utc>,
    ) -> Result<()> {
        let change =
            this_connection(id).set("google_access_token", text(&sealed.0)).set("google_token_expiry", time(expiry));
        self.update(&self.names.credentials, keys::credentials(key), change).await?;
        Ok(())
    }

    /// Only a login replaces the refresh token, so that it identifies the tokens that were read.
    async fn save_tokens(&self, as_read: &InstructorCalendarCredentials, tokens: &SealedTokens) -> Result<()> {
        let change = Change::when("#id = :id AND #google_refresh_token = :token")
            .with("id", text(as_read.id))
            .with("token", text(&as_read.tokens.google_refresh_token.0))
            .set("google_access_token", text(&tokens.google_access_token.0))
            .set("google_refresh_token", text(&tokens.google_refresh_token.0))
            .set("google_token_expiry", time(tokens.google_token_expiry));
        self.update(&self.names.credentials, keys::credentials(as_read.key), change).await?;
        Ok(())
    }

    /// Writes changed settings alone, so that concurrent changes do not undo each other.
    async fn save_settings(
        &self,
        as_read: &InstructorCalendarCredentials,
        patch: &SettingsPatch,
        now: DateTime<Utc>,
        acts: &[PersonAct],
    ) -> Result<bool> {
        let (key, read) = (as_read.key, &as_read.settings);
        let mut unchanged = vec!["attribute_exists(#id)"];
        let mut change = Change::default().set("updated_at", time(now));
        if let Some(enabled) = patch.sync_enabled {
            let synced = enabled.then(|| text(key.instructor_id));
            change = change.set("sync_enabled", flag(enabled)).set_or_remove("synced_instructor_id", synced);
            change = change.with("was_enabled", flag(read.sync_enabled));
            unchanged.push("#sync_enabled = :was_enabled");
        }
        if let Some(direction) = patch.sync_direction {
            change = change.set("sync_direction", direction_value(direction)?);
            change = change.with("was_direction", direction_value(read.sync_direction)?);
            unchanged.push("#sync_direction = :was_direction");
        }
        if let Some(auto) = patch.auto_sync {
            change = change.set("auto_sync", flag(auto)).with("was_auto", flag(read.auto_sync));
            unchanged.push("#auto_sync = :was_auto");
        }
        if let Some(minutes) = patch.sync_interval_minutes {
            change = change.set("sync_interval_minutes", number(minutes));
            change = change.with("were_minutes", number(read.sync_interval_minutes));
            unchanged.push("#sync_interval_minutes = :were_minutes");
        }
        if let Some(share) = patch.share_titles {
            change = change.set("share_titles", flag(share)).with("was_shared", flag(read.share_titles));
            unchanged.push("(attribute_not_exists(#share_titles) OR #share_titles = :was_shared)");
        }
        let change = change.on(unchanged.join(" AND "));
        let mut writes = vec![change.update(&self.names.credentials, keys::credentials(key))?];
        writes.extend(sync_logs::puts(self, acts)?);
        self.transact(writes).await
    }

    /// A late status leaves a connection alone that is being taken down; only a login or the end of the disconnect
    /// changes that. A renewed connection is recognised by its refresh token, which only a login, or sealing it anew,
    /// replaces; in the latter case the status is found again.
    async fn save_status(
        &self,
        as_read: &InstructorCalendarCredentials,
        status: &ConnectionStatus,
        now: DateTime<Utc>,
        act: Option<&PersonAct>,
        notices: &[Notice],
    ) -> Result<()> {
        let change = match status {
            ConnectionStatus::Disconnecting { .. } => this_connection(as_read.id),
            ConnectionStatus::Active | ConnectionStatus::NeedsReauth { .. } => {
                let unchanged =
                    "#id = :id AND #google_refresh_token = :token AND #connection_status.#state <> :disconnecting";
                Change::when(unchanged)
                    .with("id", text(as_read.id))
                    .with("token", text(&as_read.tokens.google_refresh_token.0))
                    .with("disconnecting", text("disconnecting"))
            }
        };
        let change = change.set("connection_status", status_value(status)?).set("updated_at", time(now)).set_or_remove(
            "attention_instructor_id",
            status.needs_attention().then(|| text(as_read.key.instructor_id)),
        );
        let mut writes = vec![change.update(&self.names.credentials, keys::credentials(as_read.key))?];
        writes.extend(sync_logs::puts(self, act)?);
        writes.extend(outbox::puts(self, notices)?);
        if self.transact(writes).await? { Ok(()) } else { Err(Error::not_found()) }
    }

    async fn forget_connection(&self, credentials: &InstructorCalendarCredentials) -> Result<()> {
        let table = &self.names.credentials;
        let key = credentials.key;
        let sub = &credentials.google_account.sub;
        let unchanged = Change::when("attribute_not_exists(#id) OR (#id = :id AND #connection_status = :status)")
            .with("id", text(credentials.id))
            .with("status", status_value(&credentials.status)?);
        let writes = vec![
            unchanged.delete(table, keys::credentials(key))?,
            Change::default().delete(table, keys::state(key))?,
            accounts::forget(self, key, sub)?,
        ];
        if !self.transact(writes).await? {
            return Err(changed_meanwhile());
        }
        accounts::forget_unused(self, sub).await
    }
}

fn changed_meanwhile() -> Error {
    Error::new(ErrorKind::Conflict, "connection_changed", "The connection was changed meanwhile. Please try again.")
}
