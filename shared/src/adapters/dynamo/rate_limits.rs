//! `rate_limits`: the rate limiter's buckets, an item for each shard with the moment up to which it is reserved.

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};

use super::{
    DynamoStore,
    expressions::Change,
    items::{Item, number},
    keys,
    requests::Written,
};
use crate::{
    Error, Result,
    ports::{RateLimiter, Reservation},
};

#[async_trait]
impl RateLimiter for DynamoStore {
    fn bucket_shards(&self) -> u8 {
        keys::BUCKET_SHARDS
    }

    /// One conditional update where the shard is free, and a second where it is not.
    async fn reserve(
        &self,
        bucket: &str,
        shard: u8,
        lasts: TimeDelta,
        now: DateTime<Utc>,
        latest: DateTime<Utc>,
    ) -> Result<Reservation> {
        let (table, key) = (&self.names.rate_limits, keys::bucket(bucket, shard));
        let free = Change::when("attribute_not_exists(#reserved_until) OR #reserved_until < :now")
            .with("now", number(now.timestamp_millis()))
            .set("reserved_until", number((now + lasts).timestamp_millis()));
        if let Written::Done(_) = self.update(table, key.clone(), free).await? {
            return Ok(Reservation::StartsAt(now));
        }
        let queue = Change::when("#reserved_until <= :latest")
            .with("latest", number(latest.timestamp_millis()))
            .with("lasts", number(lasts.num_milliseconds()))
            .assign("#reserved_until = #reserved_until + :lasts");
        match self.update(table, key, queue).await? {
            Written::Done(item) => Ok(Reservation::StartsAt(reserved_until(&item)? - lasts)),
            Written::Refused(_) => Ok(Reservation::TooLate),
        }
    }
}

fn reserved_until(item: &Item) -> Result<DateTime<Utc>> {
    let millis = item.get("reserved_until").and_then(|value| value.as_n().ok()).and_then(|text| text.parse().ok());
    millis
        .and_then(DateTime::from_timestamp_millis)
        .ok_or_else(|| Error::internal("a bucket without the moment up to which it is reserved"))
}
