//! Rows as DynamoDB items: the attributes are the columns, and what is `None` is left out.

use aws_sdk_dynamodb::types::AttributeValue;
use chrono::{DateTime, Utc};
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    Error, Result,
    model::{CalendarId, ConnectionKey, EventId, text::cut, timestamp},
};

pub(super) type Item = std::collections::HashMap<String, AttributeValue>;

/// The attributes of `row`, `NULL` for what is `None`.
pub(super) fn attributes(row: &impl Serialize) -> Result<Item> {
    serde_dynamo::aws_sdk_dynamodb_1::to_item(row).map_err(Error::internal)
}

/// `row` as it is put.
pub(super) fn to_item(row: &impl Serialize) -> Result<Item> {
    let mut item = attributes(row)?;
    item.retain(|_, value| !value.is_null());
    Ok(item)
}

/// A row of ours as it was stored.
pub(super) fn from_item<T: DeserializeOwned>(item: Item) -> Result<T> {
    serde_dynamo::aws_sdk_dynamodb_1::from_item(item).map_err(Error::internal)
}

#[allow(clippy::needless_pass_by_value, reason = "ids are small, and callers read better")]
pub(super) fn text(value: impl ToString) -> AttributeValue {
    AttributeValue::S(value.to_string())
}

#[allow(clippy::needless_pass_by_value, reason = "numbers are small")]
pub(super) fn number(value: impl ToString) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

pub(super) fn time(at: DateTime<Utc>) -> AttributeValue {
    AttributeValue::S(timestamp::format(at))
}

/// The key of something in a connection's partition.
pub(super) fn in_connection(key: ConnectionKey, sort_attribute: &str, sort: impl ToString) -> Item {
    Item::from([("connection".to_owned(), text(key)), (sort_attribute.to_owned(), text(sort))])
}

/// The longest text that stands in a key as it is. A sort key holds 1024 bytes, an event id alone up to as many,
/// and beside it stand a lesson, a moment and a calendar.
const LONGEST_IN_KEY: usize = 880;
/// How much of a longer one stands before its digest (43 characters and a separator).
const KEPT_OF_LONGER: usize = LONGEST_IN_KEY - 44;

/// An event in a key. It begins as [`event_key_prefix`] of each prefix of its id.
pub(super) fn event_key(calendar: &CalendarId, event: &EventId) -> String {
    let full = format!("{calendar}#{event}");
    if full.len() <= LONGEST_IN_KEY {
        return full;
    }
    format!("{}~{}", cut(&full, KEPT_OF_LONGER), digest(&full))
}

/// What the keys of all events begin with whose id begins with `prefix` (for a long prefix, of some others too).
pub(super) fn event_key_prefix(calendar: &CalendarId, prefix: &str) -> String {
    cut(&format!("{calendar}#{prefix}"), KEPT_OF_LONGER).to_owned()
}

/// SHA-256, base64url.
pub(super) fn digest(text: &str) -> String {
    use sha2::Digest as _;
    data_encoding::BASE64URL_NOPAD.encode(&sha2::Sha256::digest(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_long_ids_fit_differ_and_keep_their_prefix() {
        let calendar = CalendarId("ü".repeat(120));
        let series = "a".repeat(1000);
        let exceptions = ["_20260301T080000Z", "_20260308T080000Z"].map(|at| EventId(format!("{series}{at}")));
        let keys = exceptions.each_ref().map(|id| event_key(&calendar, id));
        assert_ne!(keys[0], keys[1]);
        for key in keys {
            assert!(key.len() <= LONGEST_IN_KEY, "{}", key.len());
            assert!(key.starts_with(&event_key_prefix(&calendar, &series)));
        }
    }

    #[test]
    fn keys_at_the_limit_keep_their_prefix() {
        let calendar = CalendarId::from("primary");
        for length in KEPT_OF_LONGER - 30..=LONGEST_IN_KEY + 30 {
            let series = "a".repeat(length);
            let id = EventId(format!("{series}_20260301T080000Z"));
            assert!(event_key(&calendar, &id).starts_with(&event_key_prefix(&calendar, &series)), "{length}");
        }
    }
}
