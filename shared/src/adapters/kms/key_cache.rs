//! Data keys in the memory of a warm function, bounded in time, number and uses.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use chrono::{DateTime, TimeDelta, Utc};

use super::DataKey;
use crate::model::TenantId;

/// How long a plaintext key may stay in memory: longer than most warm functions live.
pub const MAX_AGE_IN_MEMORY: TimeDelta = TimeDelta::hours(6);
/// The most plaintext keys. They take 18 MB.
pub const MAX_KEYS: usize = 32_768;
/// The age up to which a key seals new secrets; older keys only open.
const MAX_SEALING_AGE: TimeDelta = TimeDelta::days(30);
/// A key is replaced up to this long before its age limit, by chance. If all workers replaced it at the same moment,
/// each would make a key of its own for the tenant; so usually one worker makes it, and the others learn it from
/// secrets that it sealed.
const MAX_EARLY_REPLACEMENT: TimeDelta = TimeDelta::days(10);
/// The uses of a key after which KMS is asked again.
const MAX_USES: u32 = 100_000;

/// Whether a key made at `made_at` is too old to seal.
pub(super) fn is_replaced(made_at: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    now - made_at >= MAX_SEALING_AGE
}

struct Entry {
    key: Arc<DataKey>,
    kept_since: DateTime<Utc>,
    uses: u32,
}

impl Entry {
    fn is_good(&self, now: DateTime<Utc>) -> bool {
        // A clock that was set back must not keep a key for longer.
        (TimeDelta::zero()..MAX_AGE_IN_MEMORY).contains(&(now - self.kept_since)) && self.uses < MAX_USES
    }

    fn take(&mut self) -> Arc<DataKey> {
        self.uses += 1;
        Arc::clone(&self.key)
    }
}

#[derive(Default)]
pub(super) struct KeyCache {
    /// Oldest first.
    entries: HashMap<TenantId, VecDeque<Entry>>,
    /// The tenants of all entries, oldest entry first.
    order: VecDeque<TenantId>,
}

impl KeyCache {
    /// The tenant's newest key that may still seal; `jitter` shortens its time. A key that another function made is
    /// used too, so that a tenant has few keys and KMS few calls.
    pub fn for_sealing(&mut self, tenant: TenantId, now: DateTime<Utc>, jitter: u16) -> Option<Arc<DataKey>> {
        let earlier = MAX_EARLY_REPLACEMENT * i32::from(jitter) / i32::from(u16::MAX);
        self.good(tenant, now)
            .filter(|entry| !is_replaced(entry.key.made_at, now + earlier))
            .max_by_key(|entry| entry.key.made_at)
            .map(Entry::take)
    }

    pub fn for_opening(&mut self, tenant: TenantId, encrypted: &[u8], now: DateTime<Utc>) -> Option<Arc<DataKey>> {
        self.good(tenant, now).find(|entry| entry.key.encrypted == encrypted).map(Entry::take)
    }

    fn good(&mut self, tenant: TenantId, now: DateTime<Utc>) -> impl Iterator<Item = &mut Entry> {
        self.entries.get_mut(&tenant).into_iter().flatten().filter(move |entry| entry.is_good(now))
    }

    /// Keeps a key that KMS returned.
    pub fn insert(&mut self, key: DataKey, now: DateTime<Utc>) -> Arc<DataKey> {
        self.make_room(now);
        self.order.push_back(key.tenant);
        let entries = self.entries.entry(key.tenant).or_default();
        let mut entry = Entry { key: Arc::new(key), kept_since: now, uses: 0 };
        let key = entry.take();
        entries.push_back(entry);
        key
    }

    /// Removes expired keys, and the oldest one if the cache is full.
    fn make_room(&mut self, now: DateTime<Utc>) {
        while let Some(tenant) = self.order.front()
            && let Some(entries) = self.entries.get_mut(tenant)
            && (self.order.len() >= MAX_KEYS || entries.front().is_none_or(|oldest| !oldest.is_good(now)))
        {
            entries.pop_front();
            if entries.is_empty() {
                self.entries.remove(tenant);
            }
            self.order.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use uuid::Uuid;
    use zeroize::Zeroizing;

    use super::*;

    const ENCRYPTED: &[u8] = b"encrypted";

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_772_352_000, 0).unwrap()
    }
    fn tenant(n: u128) -> TenantId {
        TenantId(Uuid::from_u128(n))
    }
    fn key(n: u128, encrypted: &[u8], made_at: DateTime<Utc>) -> DataKey {
        DataKey { tenant: tenant(n), plain: Zeroizing::new([0; 32]), encrypted: encrypted.to_vec(), made_at }
    }
    fn with_one() -> KeyCache {
        let mut cache = KeyCache::default();
        cache.insert(key(1, ENCRYPTED, now()), now());
        cache
    }

    #[test]
    fn a_key_serves_its_own_tenant_for_sealing_and_opening() {
        let mut cache = with_one();
        assert!(cache.for_sealing(tenant(1), now(), 0).is_some());
        assert!(cache.for_opening(tenant(1), ENCRYPTED, now()).is_some());
        assert!(cache.for_sealing(tenant(2), now(), 0).is_none());
        assert!(cache.for_opening(tenant(2), ENCRYPTED, now()).is_none());
        assert!(cache.for_opening(tenant(1), b"other", now()).is_none());
    }

    #[test]
    fn a_key_is_forgotten_after_its_time_and_when_the_clock_went_back() {
        let mut cache = with_one();
        let last = now() + MAX_AGE_IN_MEMORY - TimeDelta::seconds(1);
        assert!(cache.for_opening(tenant(1), ENCRYPTED, last).is_some());
        assert!(cache.for_opening(tenant(1), ENCRYPTED, now() + MAX_AGE_IN_MEMORY).is_none());
        assert!(cache.for_sealing(tenant(1), now() - TimeDelta::seconds(1), 0).is_none());
    }

    #[test]
    fn a_key_is_asked_for_again_after_so_many_uses() {
        let mut cache = with_one();
        let uses = (0..MAX_USES + 10).filter(|_| cache.for_opening(tenant(1), ENCRYPTED, now()).is_some()).count();
        assert_eq!(u32::try_from(uses).unwrap(), MAX_USES - 1); // the first use was its insertion
    }

    #[test]
    fn only_so_many_keys_are_kept_and_the_oldest_goes_first() {
        let mut cache = KeyCache::default();
        for n in 0..=MAX_KEYS {
            let at = now() + TimeDelta::microseconds(i64::try_from(n).unwrap());
            cache.insert(key(1, &n.to_be_bytes(), now()), at);
        }
        let later = now() + TimeDelta::seconds(1);
        assert_eq!((cache.order.len(), cache.entries[&tenant(1)].len()), (MAX_KEYS, MAX_KEYS));
        assert!(cache.for_opening(tenant(1), &0_usize.to_be_bytes(), later).is_none());
        assert!(cache.for_opening(tenant(1), &MAX_KEYS.to_be_bytes(), later).is_some());
    }

    #[test]
    fn an_old_key_opens_but_seals_no_more_and_the_newest_is_taken() {
        let mut cache = KeyCache::default();
        cache.insert(key(1, b"old", now() - MAX_SEALING_AGE), now());
        assert!(cache.for_opening(tenant(1), b"old", now()).is_some());
        assert!(cache.for_sealing(tenant(1), now(), 0).is_none());
        cache.insert(key(1, b"young", now() - TimeDelta::days(2)), now());
        cache.insert(key(1, b"youngest", now() - TimeDelta::days(1)), now());
        assert_eq!(cache.for_sealing(tenant(1), now(), 0).unwrap().encrypted, b"youngest");
    }

    #[test]
    fn keys_whose_time_is_over_are_forgotten_when_another_comes() {
        let mut cache = with_one();
        cache.insert(key(2, b"other", now()), now() + MAX_AGE_IN_MEMORY);
        assert_eq!(cache.order, [tenant(2)]);
        assert_eq!(cache.entries.keys().collect::<Vec<_>>(), [&tenant(2)]);
    }

    #[test]
    fn jitter_replaces_a_key_up_to_ten_days_earlier() {
        let seals = |age: TimeDelta, jitter| {
            let mut cache = KeyCache::default();
            cache.insert(key(1, ENCRYPTED, now() - age), now());
            cache.for_sealing(tenant(1), now(), jitter).is_some()
        };
        let moment = TimeDelta::seconds(1);
        assert!(seals(TimeDelta::days(20) - moment, u16::MAX) && !seals(TimeDelta::days(20), u16::MAX));
        assert!(seals(TimeDelta::days(30) - moment, 0) && !seals(TimeDelta::days(30), 0));
    }

    /// A tenant of a hundred connections whose secrets sixty workers open and seal at random.
    #[test]
    fn many_workers_use_two_keys_of_a_tenant_at_most_on_average() {
        const DAYS: i64 = 120;
        const MINUTES_A_DAY: i64 = 24 * 60;
        let mut state = 1_u64;
        let mut draw = move |below: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(state >> 33).unwrap() % below
        };
        let mut workers: Vec<KeyCache> = (0..60).map(|_| KeyCache::default()).collect();
        // The keys of its access token, which each run seals anew, and of its refresh token.
        let first = (now(), ENCRYPTED.to_vec());
        let mut connections = vec![[first.clone(), first]; 100];
        let (mut made, mut in_use) = (0_u32, 0);
        for minute in 0..DAYS * MINUTES_A_DAY {
            let now = now() + TimeDelta::minutes(minute);
            let (worker, connection) = (draw(60), draw(100));
            let (cache, [access, refresh]) = (&mut workers[worker], &mut connections[connection]);
            for (made_at, encrypted) in [&*access, &*refresh] {
                if cache.for_opening(tenant(1), encrypted, now).is_none() {
                    cache.insert(key(1, encrypted, *made_at), now);
                }
            }
            let jitter = u16::try_from(draw(1 << 16)).unwrap();
            let sealing = cache.for_sealing(tenant(1), now, jitter).unwrap_or_else(|| {
                made += 1;
                cache.insert(key(1, &made.to_be_bytes(), now), now)
            });
            *access = (sealing.made_at, sealing.encrypted.clone());
            if is_replaced(refresh.0, now) {
                refresh.clone_from(access);
            }
            if minute % MINUTES_A_DAY == 0 {
                in_use += connections.iter().flatten().collect::<BTreeSet<_>>().len();
            }
        }
        assert!(made >= 4, "they are replaced");
        let days = usize::try_from(DAYS).unwrap();
        assert!(in_use <= 2 * days, "{made} keys made, in use {in_use} in {days} days");
    }
}
