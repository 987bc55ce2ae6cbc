//! The connections of a tenant: its partition of the credentials, where each connection has two items side by side, or
//! an index of some of them.

use std::collections::BTreeMap;

use async_trait::async_trait;

use super::{
    DynamoStore, connections,
    items::{Item, from_item, text},
    keys,
    requests::{Index, Query},
    sync_state,
    tables::{CONNECTIONS_NEEDING_ATTENTION, INSTRUCTORS_WITH_CALENDAR_SYNC},
};
use crate::{
    Error, Result,
    model::{ConnectionKey, InstructorCalendarCredentials, InstructorId, SyncState, TenantId},
    ports::{Among, ConnectionPage, TenantStore},
};

/// The most items that a connection has in the partition, or in one of the indexes.
const MAX_ITEMS_PER_CONNECTION: usize = 2;

#[async_trait]
impl TenantStore for DynamoStore {
    async fn connections(
        &self,
        tenant: TenantId,
        among: Among,
        after: Option<InstructorId>,
        limit: usize,
    ) -> Result<ConnectionPage> {
        let (index, sort) = match among {
            Among::All => (None, "instructor_id"),
            Among::SyncEnabled => (Some(INSTRUCTORS_WITH_CALENDAR_SYNC), "synced_instructor_id"),
            Among::NeedingAttention => (Some(CONNECTIONS_NEEDING_ATTENTION), "attention_instructor_id"),
        };
        let found = self.behind(tenant, (index, sort), after, limit * MAX_ITEMS_PER_CONNECTION + 1).await?;
        let mut by_instructor: BTreeMap<InstructorId, Vec<Item>> = BTreeMap::new();
        for item in found {
            by_instructor.entry(instructor(&item, sort)?).or_default().push(item);
        }
        let last = by_instructor.keys().nth(limit.saturating_sub(1)).copied().filter(|_| by_instructor.len() > limit);
        let items: Vec<Item> = if index.is_none() {
            by_instructor.into_values().take(limit).flatten().collect()
        } else {
            let key = |instructor_id| ConnectionKey { tenant_id: tenant, instructor_id };
            let shown = by_instructor.into_keys().take(limit).map(key);
            let keys = shown.flat_map(|key| [keys::credentials(key), keys::state(key)]).collect();
            self.batch_get(&self.names.credentials, keys, None).await?
        };
        Ok(ConnectionPage { connections: pairs(items)?, last })
    }
}

impl DynamoStore {
    /// The first items whose sort attribute lies behind all of `after`.
    async fn behind(
        &self,
        tenant: TenantId,
        (index, sort): (Option<&str>, &str),
        after: Option<InstructorId>,
        limit: usize,
    ) -> Result<Vec<Item>> {
        let mut values = vec![(":tenant", text(tenant))];
        let mut condition = "#tenant_id = :tenant".to_owned();
        if let Some(after) = after {
            condition = format!("{condition} AND #{sort} > :after");
            values.push((":after", keys::behind_instructor(after)));
        }
        self.query(Query {
            table: &self.names.credentials,
            index: index.map(Index::Global),
            condition: &condition,
            values,
            limit: Some(limit),
            ..Query::default()
        })
        .await
    }
}

fn instructor(item: &Item, attribute: &str) -> Result<InstructorId> {
    let text = item.get(attribute).and_then(|value| value.as_s().ok());
    let text = text.ok_or_else(|| Error::internal(format!("an item lacks {attribute}")))?;
    keys::instructor_of(text)
}

/// Credentials with their state, ordered by instructor.
fn pairs(items: Vec<Item>) -> Result<Vec<(InstructorCalendarCredentials, SyncState)>> {
    let mut halves: BTreeMap<InstructorId, (Option<Item>, Option<Item>)> = BTreeMap::new();
    for item in items {
        let is_state = item.contains_key("lease_fence");
        let half = halves.entry(instructor(&item, "instructor_id")?).or_default();
        *(if is_state { &mut half.1 } else { &mut half.0 }) = Some(item);
    }
    halves
        .into_values()
        .filter_map(|(credentials, state)| credentials.zip(state))
        .map(|(credentials, state)| Ok((from_item::<connections::Row>(credentials)?.into(), sync_state::read(state)?)))
        .collect()
}
