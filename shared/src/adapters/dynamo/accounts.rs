//! `google_accounts`: which connections share a Google account. Revoking ends all grants of an account at once, so only
//! the last connection to leave may do it, and a login that overlaps it has to be repeated.

use async_trait::async_trait;
use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem};
use chrono::{DateTime, TimeDelta, Utc};

use super::{
    DynamoStore,
    expressions::Change,
    items::{number, time},
    keys,
    requests::Written,
};
use crate::{Result, model::ConnectionKey, ports::AccountStore};

/// How long an account without connections is remembered.
const REVOCATION_REMEMBERED_FOR: TimeDelta = TimeDelta::days(1);

/// As part of a transaction: `key` uses the account with tokens that were asked for at `asked_at`.
pub(super) fn join(
    store: &DynamoStore,
    key: ConnectionKey,
    sub: &str,
    asked_at: DateTime<Utc>,
) -> Result<TransactWriteItem> {
    Change::when("attribute_not_exists(#revoked_until) OR #revoked_until < :asked_at")
        .with("asked_at", time(asked_at))
        .add("connections", vec![key.to_string()])
        .remove("revoked_until")
        .remove("ttl")
        .update(&store.names.google_accounts, keys::account(sub))
}

/// As part of a transaction: `key` no longer uses the account.
pub(super) fn forget(store: &DynamoStore, key: ConnectionKey, sub: &str) -> Result<TransactWriteItem> {
    Change::default()
        .take("connections", vec![key.to_string()])
        .update(&store.names.google_accounts, keys::account(sub))
}

/// Removes an account without connections, unless its revocation is to be remembered.
pub(super) async fn forget_unused(store: &DynamoStore, sub: &str) -> Result<()> {
    let unused = Change::when("attribute_not_exists(#connections) AND attribute_not_exists(#revoked_until)");
    store.delete(&store.names.google_accounts, keys::account(sub), unused).await?;
    Ok(())
}

#[async_trait]
impl AccountStore for DynamoStore {
    /// The conditions of the two writes exclude each other, so that of connections that leave at the same moment
    /// exactly one is the last.
    async fn detach_from_account(
        &self,
        sub: &str,
        leaving: Option<ConnectionKey>,
        until: DateTime<Utc>,
    ) -> Result<bool> {
        let table = &self.names.google_accounts;
        loop {
            let last = match leaving {
                Some(key) => Change::when("attribute_not_exists(#connections) OR #connections = :leaving")
                    .with("leaving", AttributeValue::Ss(vec![key.to_string()])),
                None => Change::when("attribute_not_exists(#connections)"),
            };
            let last = last
                .set("revoked_until", time(until))
                .set("ttl", number((until + REVOCATION_REMEMBERED_FOR).timestamp()))
                .remove("connections");
            if let Written::Done(_) = self.update(table, keys::account(sub), last).await? {
                return Ok(true);
            }
            let Some(key) = leaving else { return Ok(false) };
            let one_of_many = Change::when("attribute_exists(#connections) AND #connections <> :connections")
                .take("connections", vec![key.to_string()]);
            if let Written::Done(_) = self.update(table, keys::account(sub), one_of_many).await? {
                return Ok(false);
            }
        }
    }

    async fn end_revocation(&self, sub: &str, at: DateTime<Utc>) -> Result<()> {
        let over = Change::when("attribute_exists(#revoked_until)").set("revoked_until", time(at));
        self.update(&self.names.google_accounts, keys::account(sub), over).await?;
        Ok(())
    }
}
