//! Which connections are due: two sharded indexes over the state items, and the moments that stand in them.

use aws_sdk_dynamodb::types::AttributeValue;
use chrono::{DateTime, Utc};
use sha2::{Digest as _, Sha256};

use super::{
    DynamoStore,
    expressions::Change,
    items::{Item, number, time},
    requests::{Index, Query, Written},
    sync_state::{self, row_key},
    tables::{CHANNELS_TO_RENEW, CONNECTIONS_DUE},
};
use crate::{
    Error, Result,
    model::{ConnectionKey, InstructorId, SyncState, TenantId},
    ports::Due,
};

/// How many partitions an index of all connections is spread over: at one million connections and a poll each 15
/// minutes some 70 items a second move in each, far below the 1,000 that one partition takes.
pub(super) const SHARDS: u8 = 16;

/// Sets the state item apart from the credentials of the same instructor.
pub(super) const STATE_SUFFIX: &str = "#state";

/// The same for a connection for ever.
pub(super) fn shard(key: ConnectionKey) -> u8 {
    Sha256::digest(key.to_string())[0] % SHARDS
}

pub(super) async fn due(store: &DynamoStore, shard: u8, now: DateTime<Utc>, limit: usize) -> Result<Vec<Due>> {
    before(store, (CONNECTIONS_DUE, "next_sync_at"), shard, now, limit).await
}

pub(super) async fn renewals(store: &DynamoStore, shard: u8, now: DateTime<Utc>, limit: usize) -> Result<Vec<Due>> {
    before(store, (CHANNELS_TO_RENEW, "renew_at"), shard, now, limit).await
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
    let tenant_id: TenantId = text("tenant_id")?.parse().map_err(Error::internal)?;
    let instructor_id: InstructorId =
        text("instructor_id")?.trim_end_matches(STATE_SUFFIX).parse().map_err(Error::internal)?;
    let at = text(attribute)?.parse().map_err(Error::internal)?;
    Ok(Due { key: ConnectionKey { tenant_id, instructor_id }, at })
}

pub(super) async fn claim_due(store: &DynamoStore, due: Due, next: DateTime<Utc>) -> Result<Option<SyncState>> {
    let change = Change::when("#next_sync_at = :seen").with("seen", time(due.at)).set("next_sync_at", time(next));
    match store.update(&store.names.credentials, row_key(due.key), change).await? {
        Written::Done(item) => sync_state::read(item).map(Some),
        Written::Refused(_) => Ok(None),
    }
}

pub(super) async fn schedule(store: &DynamoStore, key: ConnectionKey, at: Option<DateTime<Utc>>) -> Result<()> {
    let at: Option<AttributeValue> = at.map(time);
    // Counted as a request, so that a run which is under way does not write its own time over it.
    let change =
        Change::when("attribute_exists(#lease_fence)").set_or_remove("next_sync_at", at).count_up("request_counter");
    store.update(&store.names.credentials, row_key(key), change).await?;
    Ok(())
}
