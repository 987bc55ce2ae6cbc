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
            .filter(|entry| now - entry.key.made_at < LONGEST_SEALING)
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
