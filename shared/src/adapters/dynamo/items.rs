//! Rows as DynamoDB items: attributes are columns; `None` is left out.

use aws_sdk_dynamodb::types::AttributeValue;
use chrono::{DateTime, Utc};
use serde::{Serialize, de::DeserializeOwned};

use crate::{Error, Result, model::timestamp};

pub(super) type Item = std::collections::HashMap<String, AttributeValue>;

/// The attributes of `row`, with `NULL` for `None`.
pub(super) fn attributes(row: &impl Serialize) -> Result<Item> {
    serde_dynamo::aws_sdk_dynamodb_1::to_item(row).map_err(Error::internal)
}

/// `row` as an item.
pub(super) fn to_item(row: &impl Serialize) -> Result<Item> {
    let mut item = attributes(row)?;
    item.retain(|_, value| !value.is_null());
    Ok(item)
}

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
