//! The lines in which all processes take turns: an item each in `google_accounts`, beside the accounts, with the moment
//! up to which it is taken.

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    DynamoStore,
    expressions::Change,
    items::{Item, number, text},
    requests::Written,
};
use crate::{Error, Result};

fn row_key(line: &str) -> Item {
    Item::from([("account".to_owned(), text(format_args!("line#{line}")))])
}

/// One conditional update where the line is free, and a second where it is not.
pub(super) async fn take(
    store: &DynamoStore,
    line: &str,
    lasts: TimeDelta,
    now: DateTime<Utc>,
    latest: DateTime<Utc>,
) -> Result<Option<DateTime<Utc>>> {
    let table = &store.names.google_accounts;
    let free = Change::when("attribute_not_exists(#taken_until) OR #taken_until < :now")
        .with("now", number(now.timestamp_millis()))
        .set("taken_until", number((now + lasts).timestamp_millis()));
    if let Written::Done(_) = store.update(table, row_key(line), free).await? {
        return Ok(Some(now));
    }
    let queue = Change::when("#taken_until <= :latest")
        .with("latest", number(latest.timestamp_millis()))
        .with("lasts", number(lasts.num_milliseconds()))
        .assign("#taken_until = #taken_until + :lasts");
    match store.update(table, row_key(line), queue).await? {
        Written::Done(item) => Ok(Some(taken_until(&item)? - lasts)),
        Written::Refused(_) => Ok(None),
    }
}

fn taken_until(item: &Item) -> Result<DateTime<Utc>> {
    let millis = item.get("taken_until").and_then(|value| value.as_n().ok()).and_then(|text| text.parse().ok());
    millis
        .and_then(DateTime::from_timestamp_millis)
        .ok_or_else(|| Error::internal("a line without the moment up to which it is taken"))
}
