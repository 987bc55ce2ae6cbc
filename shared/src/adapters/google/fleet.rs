//! Keeping all processes together below what Google allows a project each minute, whatever the number of users.
//! <https://developers.google.com/workspace/calendar/api/guides/quota>
//!
//! Each OAuth client has a token bucket that all processes share. A process reserves units in bulk and spends them call by
//! call, so that one write serves many calls.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use chrono::{DateTime, TimeDelta, Utc};

use crate::ports::{Random, RateLimiter, Reservation};

/// Units reserved at once, and the most that a process keeps unspent. Unspent ones may be used long after they were
/// reserved, and so have to fit below Google's quota beside what is reserved then.
const RESERVED_UNITS: u32 = 50;
/// The part of Google's quota that a bucket hands out, in percent. The rest is for bursts and for unspent units.
const SHARE_PERCENT: i64 = 75;
/// How long before its start a reservation may be used: only a fleet that is busy for longer has to wait.
const BURST_TOLERANCE: TimeDelta = TimeDelta::seconds(10);

/// The units of this process, by OAuth client: each belongs to a project with a quota of its own.
pub(super) struct FleetLimiter {
    limiter: Arc<dyn RateLimiter>,
    random: Arc<dyn Random>,
    units_per_minute: u32,
    unspent: Mutex<BTreeMap<String, Unspent>>,
}

#[derive(Clone, Copy)]
struct Unspent {
    units: u32,
    usable_from: DateTime<Utc>,
}

impl FleetLimiter {
    /// Nothing reserved yet of a quota of so many units a minute.
    pub fn new(limiter: Arc<dyn RateLimiter>, random: Arc<dyn Random>, units_per_minute: u32) -> Self {
        Self { limiter, random, units_per_minute, unspent: Mutex::default() }
    }

    /// When a call of so many units may start, which then counts as made; `None`, counting nothing, when that would be
    /// after `latest`. A limiter that does not answer holds no call up.
    pub async fn reserve(
        &self,
        client: &str,
        units: u32,
        now: DateTime<Utc>,
        latest: DateTime<Utc>,
    ) -> Option<DateTime<Utc>> {
        if let Some(usable_from) = self.spend(client, units, latest) {
            return Some(usable_from.max(now));
        }
        let reserved = RESERVED_UNITS.max(units);
        let (shard, lasts) = (self.any_shard(), self.lasts(reserved));
        match self.limiter.reserve(client, shard, lasts, now, latest + BURST_TOLERANCE).await {
            Ok(Reservation::StartsAt(start)) => {
                let usable_from = start - BURST_TOLERANCE;
                self.keep(client, reserved - units, usable_from);
                Some(usable_from.max(now))
            }
            Ok(Reservation::TooLate) => None,
            Err(error) => {
                tracing::warn!(?error, "Google is called without a reservation");
                Some(now)
            }
        }
    }

    /// Takes units from the unspent ones, if they may be used by `latest`; answers from when on.
    fn spend(&self, client: &str, units: u32, latest: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let mut unspent = self.unspent.lock().unwrap_or_else(PoisonError::into_inner);
        let own = unspent.get_mut(client).filter(|own| own.usable_from <= latest)?;
        own.units = own.units.checked_sub(units)?;
        Some(own.usable_from)
    }

    fn keep(&self, client: &str, units: u32, usable_from: DateTime<Utc>) {
        let mut unspent = self.unspent.lock().unwrap_or_else(PoisonError::into_inner);
        let before = unspent.get(client).map_or(0, |own| own.units);
        let units = (before + units).min(RESERVED_UNITS);
        unspent.insert(client.to_owned(), Unspent { units, usable_from });
    }

    fn any_shard(&self) -> u8 {
        let mut byte = [0];
        self.random.fill(&mut byte);
        byte[0] % self.limiter.bucket_shards()
    }

    /// How long a shard takes to hand out so many units.
    fn lasts(&self, units: u32) -> TimeDelta {
        let minutes_of_a_shard = i64::from(units) * i64::from(self.limiter.bucket_shards());
        TimeDelta::milliseconds(minutes_of_a_shard * 60_000 * 100 / (i64::from(self.units_per_minute) * SHARE_PERCENT))
    }
}
