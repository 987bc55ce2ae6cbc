//! `google_accounts`: which connections share a Google account. Revoking takes all grants of an account at once, so
//! only the last connection to leave may do it, and whoever logs in meanwhile has to do so again.

use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem};
use chrono::{DateTime, TimeDelta, Utc};

use super::{
    DynamoStore,
    expressions::Change,
    items::{Item, digest, number, text, time},
    requests::Written,
};
use crate::{Result, model::ConnectionKey};

/// What is left of an account that nobody uses is of no use after this time.
const REMEMBERED_FOR: TimeDelta = TimeDelta::days(1);

/// The account by a digest, so that the one table without a tenant names nobody.
fn row_key(sub: &str) -> Item {
    Item::from([("account".to_owned(), text(digest(sub)))])
}

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
        .update(&store.names.google_accounts, row_key(sub))
}

/// As part of a transaction: `key` no longer uses the account.
pub(super) fn forget(store: &DynamoStore, key: ConnectionKey, sub: &str) -> Result<TransactWriteItem> {
    Change::default().take("connections", vec![key.to_string()]).update(&store.names.google_accounts, row_key(sub))
}

/// Removes an account that nobody uses, unless its revocation is to be remembered.
pub(super) async fn forget_unused(store: &DynamoStore, sub: &str) -> Result<()> {
    let unused = Change::when("attribute_not_exists(#connections) AND attribute_not_exists(#revoked_until)");
    store.delete(&store.names.google_accounts, row_key(sub), unused).await?;
    Ok(())
}

/// Each of the two writes holds only as long as the other does not, so of connections that leave at the same moment
/// exactly one is the last.
pub(super) async fn leave(
    store: &DynamoStore,
    sub: &str,
    leaving: Option<ConnectionKey>,
    until: DateTime<Utc>,
) -> Result<bool> {
    let table = &store.names.google_accounts;
    loop {
        let last = match leaving {
            Some(key) => Change::when("attribute_not_exists(#connections) OR #connections = :leaving")
                .with("leaving", AttributeValue::Ss(vec![key.to_string()])),
            None => Change::when("attribute_not_exists(#connections)"),
        };
        let last = last
            .set("revoked_until", time(until))
            .set("ttl", number((until + REMEMBERED_FOR).timestamp()))
            .remove("connections");
        if let Written::Done(_) = store.update(table, row_key(sub), last).await? {
            return Ok(true);
        }
        let Some(key) = leaving else { return Ok(false) };
        let one_of_many = Change::when("attribute_exists(#connections) AND #connections <> :connections")
            .take("connections", vec![key.to_string()]);
        if let Written::Done(_) = store.update(table, row_key(sub), one_of_many).await? {
            return Ok(false);
        }
    }
}

pub(super) async fn end_revocation(store: &DynamoStore, sub: &str, at: DateTime<Utc>) -> Result<()> {
    let over = Change::when("attribute_exists(#revoked_until)").set("revoked_until", time(at));
    store.update(&store.names.google_accounts, row_key(sub), over).await?;
    Ok(())
}
