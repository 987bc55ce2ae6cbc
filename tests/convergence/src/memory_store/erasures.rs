//! Erasures, and who was ever connected.

use async_trait::async_trait;
use calendar_sync::{
    Result,
    model::{ConnectionKey, Erasure, ErasureScope, InstructorId, TenantId},
    ports::ErasureStore,
};
use chrono::{DateTime, Utc};

use super::{MemoryStore, Table, Tables};

#[async_trait]
impl ErasureStore for MemoryStore {
    async fn begin_erasure(&self, erasure: &Erasure) -> Result<Erasure> {
        self.write(Table::Erasures, |tables| {
            let row = tables.erasures.entry((erasure.tenant_id, erasure.scope)).or_insert_with(|| erasure.clone());
            if !row.is_under_way() {
                *row = erasure.clone();
            }
            row.clone()
        })
        .await
    }

    async fn erasure(&self, tenant: TenantId, scope: ErasureScope) -> Result<Option<Erasure>> {
        self.read(|tables| tables.erasures.get(&(tenant, scope)).cloned()).await
    }

    async fn known_instructor(&self, tenant: TenantId, after: Option<InstructorId>) -> Result<Option<InstructorId>> {
        self.read(|tables| {
            let own = tables.known.iter().filter(|key| key.tenant_id == tenant).map(|key| key.instructor_id);
            own.min_by_key(|id| (after.is_some_and(|after| *id <= after), *id))
                .filter(|id| after.is_none_or(|after| *id > after))
        })
        .await
    }

    async fn erase_rows(&self, key: ConnectionKey, limit: usize) -> Result<usize> {
        let mut left = limit;
        self.write(Table::Mappings, |tables| {
            tables.mappings.retain(|(owner, _), _| stays(*owner != key, &mut left));
            tables.conflicts.retain(|(owner, _)| stays(*owner != key, &mut left));
            tables.notices.retain(|(owner, ..), _| stays(*owner != key, &mut left));
            tables.mentions.retain(|(owner, ..), _| stays(*owner != key, &mut left));
        })
        .await?;
        self.write(Table::ExternalEvents, |tables| {
            tables.external.retain(|(owner, ..), _| stays(*owner != key, &mut left));
        })
        .await?;
        self.write(Table::SyncLogs, |tables| {
            tables.logs.retain(|(owner, _), _| stays(*owner != key, &mut left));
            tables.acts.retain(|(owner, _), _| stays(*owner != key, &mut left));
        })
        .await?;
        let logins = self.erase_logins_of(left, |owner| owner == key).await?;
        Ok(limit - left + logins)
    }

    async fn erase_logins(&self, tenant: TenantId, limit: usize) -> Result<usize> {
        self.erase_logins_of(limit, |owner| owner.tenant_id == tenant).await
    }

    async fn forget_instructor(&self, key: ConnectionKey, scope: ErasureScope) -> Result<()> {
        self.write(Table::Erasures, |tables| {
            let row = tables.erasures.get_mut(&(key.tenant_id, scope)).filter(|_| tables.known.contains(&key));
            if let Some(row) = row {
                row.instructors_erased += 1;
                tables.known.remove(&key);
            }
        })
        .await
    }

    async fn end_erasure(&self, tenant: TenantId, scope: ErasureScope, ended_at: DateTime<Utc>) -> Result<()> {
        self.write(Table::Erasures, |tables| {
            if let Some(row) = tables.erasures.get_mut(&(tenant, scope)) {
                row.ended_at.get_or_insert(ended_at);
            }
        })
        .await
    }
}

/// Whether a row stays: another's does, and one for which no room is `left`.
fn stays(is_anothers: bool, left: &mut usize) -> bool {
    if is_anothers || *left == 0 {
        return true;
    }
    *left -= 1;
    false
}

impl MemoryStore {
    /// The logins are looked up through an index.
    async fn erase_logins_of(
        &self,
        limit: usize,
        is_own: impl Fn(ConnectionKey) -> bool + Send + Sync,
    ) -> Result<usize> {
        let find = |tables: &Tables| -> Vec<String> {
            let own = tables.oauth_states.values().filter(|login| is_own(login.key));
            own.map(|login| login.state.clone()).take(limit).collect()
        };
        let found = self.look_up(find).await?;
        self.write(Table::OAuthStates, |tables| tables.oauth_states.retain(|state, _| !found.contains(state))).await?;
        Ok(found.len())
    }
}
