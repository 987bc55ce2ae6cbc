//! `oauth_states`: logins in progress.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{
    DynamoStore,
    expressions::Change,
    items::{Item, from_item, to_item},
    keys,
    requests::Written,
};
use crate::{
    Result,
    model::{ConnectionKey, InstructorId, OAuthState, Person, PersonRole, SealedSecret, TenantId, timestamp},
    ports::LoginStore,
};

#[derive(Serialize, Deserialize)]
struct Row {
    state: String,
    tenant_id: TenantId,
    instructor_id: InstructorId,
    verifier: SealedSecret,
    browser: String,
    began_by: String,
    /// Absent from a login that an earlier version began.
    began_as: Option<PersonRole>,
    return_path: String,
    replace_account: bool,
    #[serde(with = "timestamp")]
    expires_at: DateTime<Utc>,
    /// In seconds; DynamoDB removes the row within days after it.
    #[serde(skip_deserializing)]
    ttl: i64,
}

/// `None` for a login of which it is not known as whom it was begun: that is to be begun again.
fn read(item: Item) -> Result<Option<OAuthState>> {
    let row: Row = from_item(item)?;
    let login = |role| OAuthState {
        state: row.state,
        key: ConnectionKey { tenant_id: row.tenant_id, instructor_id: row.instructor_id },
        verifier: row.verifier,
        browser: row.browser,
        began_by: Person { subject: row.began_by, role },
        return_path: row.return_path,
        replace_account: row.replace_account,
        expires_at: row.expires_at,
    };
    Ok(row.began_as.map(login))
}

#[async_trait]
impl LoginStore for DynamoStore {
    async fn put_oauth_state(&self, state: &OAuthState) -> Result<()> {
        let item = to_item(&Row {
            state: state.state.clone(),
            tenant_id: state.key.tenant_id,
            instructor_id: state.key.instructor_id,
            verifier: state.verifier.clone(),
            browser: state.browser.clone(),
            began_by: state.began_by.subject.clone(),
            began_as: Some(state.began_by.role),
            return_path: state.return_path.clone(),
            replace_account: state.replace_account,
            expires_at: state.expires_at,
            ttl: state.expires_at.timestamp(),
        })?;
        self.put(&self.names.oauth_states, item).await
    }

    async fn oauth_state(&self, state: &str) -> Result<Option<OAuthState>> {
        if !plausible(state) {
            return Ok(None);
        }
        match self.get(&self.names.oauth_states, keys::oauth_state(state)).await? {
            Some(item) => read(item),
            None => Ok(None),
        }
    }

    async fn take_oauth_state(&self, state: &str) -> Result<Option<OAuthState>> {
        if !plausible(state) {
            return Ok(None);
        }
        let there = Change::when("attribute_exists(#state)");
        match self.delete(&self.names.oauth_states, keys::oauth_state(state), there).await? {
            Written::Done(item) => read(item),
            Written::Refused(_) => Ok(None),
        }
    }
}

/// In bytes: longer than any state of ours, and within a key's limit.
const MAX_STATE_BYTES: usize = 256;

/// Whether a state can be a key: it comes from a browser, and DynamoDB refuses empty and long keys.
fn plausible(state: &str) -> bool {
    (1..=MAX_STATE_BYTES).contains(&state.len())
}
