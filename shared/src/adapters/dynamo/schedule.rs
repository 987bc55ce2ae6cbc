//! Connections that are due: two sharded indexes over the state items, by the time at which they are due.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::{
    DynamoStore,
    expressions::Change,
    items::{Item, number, time},
    keys,
    requests::{Index, Query, Written},
    sync_state,
    tables::{CHANNELS_TO_RENEW, CONNECTIONS_DUE},
};
use crate::{
    Error, Result,
    model::{ConnectionKey, SyncState},
    ports::{Due, ScheduleStore},
};

#[async_trait]
impl ScheduleStore for DynamoStore {
    fn shards(&self) -> u8 {
        keys::CONNECTION_SHARDS
    }

    async fn due(&self, shard: u8, now: DateTime<Utc>, limit: usize) -> Result<Vec<Due>> {
        before(self, (CONNECTIONS_DUE, "next_sync_at"), shard, now, limit).await
    }

    async fn renewals(&self, shard: u8, now: DateTime<Utc>, limit: usize) -> Result<Vec<Due>> {
        before(self, (CHANNELS_TO_RENEW, "renew_at"), shard, now, limit).await
    }

    async fn claim_due(&self, due: Due, next: DateTime<Utc>) -> Result<Option<SyncState>> {
        let change = Change::when("#next_sync_at = :seen").with("seen", time(due.at)).set("next_sync_at", time(next));
        match self.update(&self.names.credentials, keys::state(due.key), change).await? {
            Written::Done(item) => sync_state::read(item).map(Some),
            Written::Refused(_) => Ok(None),
        }
    }

    async fn schedule(&self, key: ConnectionKey, at: Option<DateTime<Utc>>) -> Result<()> {
        // Counts as a request, so that a running run does not overwrite the time.
        let change = Change::when("attribute_exists(#lease_fence)")
            .set_or_remove("next_sync_at", at.map(time))
            .count_up("request_counter");
        self.update(&self.names.credentials, keys::state(key), change).await?;
        Ok(())
    }
}

async fn before(
    store: &DynamoStore,
    (index, attribute): (&str, &str),
    shard: u8,
    now: DateTime<Utc>,
    limit: usize,
) -> Result<Vec<Due>> {
    let found = store
        .query(Query {
            table: &store.names.credentials,
            index: Some(Index::Global(index)),
            condition: &format!("#shard = :shard AND #{attribute} <= :now"),
            values: vec![(":shard", number(shard)), (":now", time(now))],
            limit: Some(limit),
            ..Query::default()
        })
        .await?;
    found.iter().map(|item| read(item, attribute)).collect()
}

fn read(item: &Item, attribute: &str) -> Result<Due> {
    let text = |name: &str| {
        item.get(name)
            .and_then(|value| value.as_s().ok())
            .ok_or_else(|| Error::internal(format!("an index entry lacks {name}")))
    };
    let key = keys::connection_of_state(text("tenant_id")?, text("instructor_id")?)?;
    Ok(Due { key, at: text(attribute)?.parse().map_err(Error::internal)? })
}
