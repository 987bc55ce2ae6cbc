//! Data keys that a warm function keeps, bounded in time, number and uses.

use std::{collections::HashMap, sync::Arc};

use chrono::{DateTime, TimeDelta, Utc};

use super::DataKey;
use crate::model::TenantId;

/// How long a plain key may stay in memory.
const LONGEST_KEPT: TimeDelta = TimeDelta::hours(1);
/// How long after it was made a key seals new secrets; older ones open what they sealed.
const LONGEST_SEALING: TimeDelta = TimeDelta::days(30);
/// How many plain keys are kept at most.
const MOST_KEYS: usize = 512;
/// How often a key is used before KMS is asked again.
const MOST_USES: u32 = 100_000;

/// Whether a key that was made then has left its place to another by now.
pub(super) fn is_replaced(made_at: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    now - made_at >= LONGEST_SEALING
}

struct Entry {
    key: Arc<DataKey>,
    kept_since: DateTime<Utc>,
    uses: u32,
}

impl Entry {
    fn is_good(&self, now: DateTime<Utc>) -> bool {
        // A clock that was set back must not keep a key for longer.
        (TimeDelta::zero()..LONGEST_KEPT).contains(&(now - self.kept_since)) && self.uses < MOST_USES
    }

    fn take(&mut self) -> Arc<DataKey> {
        self.uses += 1;
        Arc::clone(&self.key)
    }
}

/// Plain data keys by their encrypted form.
#[derive(Default)]
pub(super) struct KeyCache {
    entries: HashMap<Vec<u8>, Entry>,
}

impl KeyCache {
    /// The tenant's newest key that may still seal. Keys that other functions made serve as well as our own, which
    /// keeps the keys of a tenant, and so the calls to KMS, few.
    pub fn for_sealing(&mut self, tenant: TenantId, now: DateTime<Utc>) -> Option<Arc<DataKey>> {
        self.entries
            .values_mut()
            .filter(|entry| entry.key.tenant == tenant && entry.is_good(now))
            .filter(|entry| !is_replaced(entry.key.made_at, now))
            .max_by_key(|entry| entry.key.made_at)
            .map(Entry::take)
    }

    /// The tenant's key with this encrypted form.
    pub fn for_opening(&mut self, tenant: TenantId, encrypted: &[u8], now: DateTime<Utc>) -> Option<Arc<DataKey>> {
        let entry = self.entries.get_mut(encrypted)?;
        (entry.key.tenant == tenant && entry.is_good(now)).then(|| entry.take())
    }

    /// Keeps a key that KMS just gave.
    pub fn insert(&mut self, key: DataKey, now: DateTime<Utc>) -> Arc<DataKey> {
        self.entries.retain(|_, entry| entry.is_good(now));
        if self.entries.len() >= MOST_KEYS {
            let oldest = self.entries.iter().min_by_key(|(_, entry)| entry.kept_since).map(|(id, _)| id.clone());
            oldest.and_then(|id| self.entries.remove(&id));
        }
        let mut entry = Entry { key: Arc::new(key), kept_since: now, uses: 0 };
        let key = entry.take();
        self.entries.insert(key.encrypted.clone(), entry);
        key
    }
}

#[cfg(test)]
mod tests {
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
        assert!(cache.for_sealing(tenant(1), now()).is_some());
        assert!(cache.for_opening(tenant(1), ENCRYPTED, now()).is_some());
        assert!(cache.for_sealing(tenant(2), now()).is_none());
        assert!(cache.for_opening(tenant(2), ENCRYPTED, now()).is_none());
        assert!(cache.for_opening(tenant(1), b"other", now()).is_none());
    }

    #[test]
    fn a_key_is_forgotten_after_its_time_and_when_the_clock_went_back() {
        let mut cache = with_one();
        let last = now() + LONGEST_KEPT - TimeDelta::seconds(1);
        assert!(cache.for_opening(tenant(1), ENCRYPTED, last).is_some());
        assert!(cache.for_opening(tenant(1), ENCRYPTED, now() + LONGEST_KEPT).is_none());
        assert!(cache.for_sealing(tenant(1), now() - TimeDelta::seconds(1)).is_none());
    }

    #[test]
    fn a_key_is_asked_for_again_after_so_many_uses() {
        let mut cache = with_one();
        let uses = (0..MOST_USES + 10).filter(|_| cache.for_opening(tenant(1), ENCRYPTED, now()).is_some()).count();
        assert_eq!(u32::try_from(uses).unwrap(), MOST_USES - 1); // the first use was its insertion
    }

    #[test]
    fn only_so_many_keys_are_kept_and_the_oldest_goes_first() {
        let mut cache = KeyCache::default();
        for n in 0..=MOST_KEYS {
            let at = now() + TimeDelta::milliseconds(i64::try_from(n).unwrap());
            cache.insert(key(1, &n.to_be_bytes(), now()), at);
        }
        let later = now() + TimeDelta::seconds(1);
        assert_eq!(cache.entries.len(), MOST_KEYS);
        assert!(cache.for_opening(tenant(1), &0_usize.to_be_bytes(), later).is_none());
        assert!(cache.for_opening(tenant(1), &MOST_KEYS.to_be_bytes(), later).is_some());
    }

    #[test]
    fn an_old_key_opens_but_seals_no_more_and_the_newest_is_taken() {
        let mut cache = KeyCache::default();
        cache.insert(key(1, b"old", now() - LONGEST_SEALING), now());
        assert!(cache.for_opening(tenant(1), b"old", now()).is_some());
        assert!(cache.for_sealing(tenant(1), now()).is_none());
        cache.insert(key(1, b"young", now() - TimeDelta::days(2)), now());
        cache.insert(key(1, b"youngest", now() - TimeDelta::days(1)), now());
        assert_eq!(cache.for_sealing(tenant(1), now()).unwrap().encrypted, b"youngest");
    }
}
