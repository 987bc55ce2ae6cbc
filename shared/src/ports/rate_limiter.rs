//! Token buckets that all processes share, of the GCRA kind (generic cell rate algorithm): a bucket is no count of tokens
//! to refill but one moment, up to which all that it hands out is reserved. What is reserved moves it
//! on by the time in which the bucket hands out as much. A caller learns when its turn begins, and waiting is
//! bounded by what was reserved before.

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};

use crate::Result;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reservation {
    /// What was asked for is reserved, to be used from then on.
    StartsAt(DateTime<Utc>),
    /// It would start too late: nothing is reserved.
    TooLate,
}

#[async_trait]
pub trait RateLimiter: Send + Sync {
    /// How many shards each bucket has, which share its rate equally.
    fn bucket_shards(&self) -> u8;
    /// Reserves what a shard of a bucket hands out in the time `lasts`, to be used not before `now` and from `latest` on
    /// at the latest.
    async fn reserve(
        &self,
        bucket: &str,
        shard: u8,
        lasts: TimeDelta,
        now: DateTime<Utc>,
        latest: DateTime<Utc>,
    ) -> Result<Reservation>;
}
