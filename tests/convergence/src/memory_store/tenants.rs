//! The connections of a tenant, a page at a time.

use async_trait::async_trait;
use calendar_sync::{
    Result,
    model::{ConnectionKey, InstructorId, SyncState, TenantId},
    ports::{Among, ConnectionPage, TenantStore},
};

use super::{MemoryStore, Tables};

#[async_trait]
impl TenantStore for MemoryStore {
    async fn connections(
        &self,
        tenant: TenantId,
        among: Among,
        after: Option<InstructorId>,
        limit: usize,
    ) -> Result<ConnectionPage> {
        let find = |tables: &Tables| {
            let behind = |key: &&ConnectionKey| {
                key.tenant_id == tenant
                    && after.is_none_or(|after| key.instructor_id > after)
                    && tables.is(**key, among)
            };
            tables.credentials.keys().filter(behind).copied().take(limit + 1).collect::<Vec<_>>()
        };
        let mut found = match among {
            Among::All => self.read(find).await?,
            Among::SyncEnabled | Among::NeedingAttention => self.look_up(find).await?,
        };
        let more = found.len() > limit;
        found.truncate(limit);
        let last = found.last().filter(|_| more).map(|key| key.instructor_id);
        let now = |tables: &Tables| {
            let pair = |key| Some((tables.credentials.get(key)?.clone(), tables.states.get(key)?.clone()));
            found.iter().filter_map(pair).collect()
        };
        Ok(ConnectionPage { connections: self.read(now).await?, last })
    }
}

impl Tables {
    fn is(&self, key: ConnectionKey, among: Among) -> bool {
        let credentials = self.credentials.get(&key);
        match among {
            Among::All => true,
            Among::SyncEnabled => credentials.is_some_and(|credentials| credentials.settings.sync_enabled),
            Among::NeedingAttention => {
                credentials.is_some_and(|credentials| credentials.status.needs_attention())
                    || self.states.get(&key).is_some_and(SyncState::needs_attention)
            }
        }
    }
}
