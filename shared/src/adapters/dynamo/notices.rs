//! The outbox: notices that were committed with their cause and wait to be delivered.

use aws_sdk_dynamodb::types::{DeleteRequest, TransactWriteItem, WriteRequest};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    DynamoStore,
    expressions::Change,
    items::{Item, from_item, in_connection, to_item},
    mappings,
};
use crate::{
    Error, Result,
    model::{ConnectionKey, InstructorId, Notice, NoticeKind, TenantId, timestamp},
};

#[derive(Serialize, Deserialize)]
struct Row {
    tenant_id: TenantId,
    instructor_id: InstructorId,
    id: Uuid,
    kind: NoticeKind,
    #[serde(with = "timestamp")]
    at: DateTime<Utc>,
}

const NOTICES: &str = "notice#";

fn row_key(notice: &Notice) -> Item {
    in_connection(notice.key, "item", format_args!("{NOTICES}{}#{}", timestamp::format(notice.at), notice.id))
}

fn item(notice: &Notice) -> Result<Item> {
    let mut item = to_item(&Row {
        tenant_id: notice.key.tenant_id,
        instructor_id: notice.key.instructor_id,
        id: notice.id,
        kind: notice.kind.clone(),
        at: notice.at,
    })?;
    item.extend(row_key(notice));
    Ok(item)
}

fn read(item: Item) -> Result<Notice> {
    let row: Row = from_item(item)?;
    Ok(Notice {
        id: row.id,
        key: ConnectionKey { tenant_id: row.tenant_id, instructor_id: row.instructor_id },
        kind: row.kind,
        at: row.at,
    })
}

/// The notices as parts of the transaction that stores their cause.
pub(super) fn puts(store: &DynamoStore, notices: &[Notice]) -> Result<Vec<TransactWriteItem>> {
    let put = |notice: &Notice| Change::default().put(&store.names.mappings, item(notice)?);
    notices.iter().map(put).collect()
}

pub(super) async fn pending(store: &DynamoStore, key: ConnectionKey, limit: usize) -> Result<Vec<Notice>> {
    mappings::items(store, key, NOTICES, Some(limit)).await?.into_iter().map(read).collect()
}

pub(super) async fn delivered(store: &DynamoStore, key: ConnectionKey, notices: &[Notice]) -> Result<()> {
    let delete = |notice: &Notice| {
        let delete = DeleteRequest::builder().set_key(Some(row_key(notice))).build().map_err(Error::internal)?;
        Ok(WriteRequest::builder().delete_request(delete).build())
    };
    let own = notices.iter().filter(|notice| notice.key == key);
    let writes = own.map(delete).collect::<Result<_>>()?;
    store.batch_write(&store.names.mappings, writes).await
}

pub(super) async fn put(store: &DynamoStore, key: ConnectionKey, notices: &[Notice]) -> Result<()> {
    for notice in notices.iter().filter(|notice| notice.key == key) {
        store.put(&store.names.mappings, item(notice)?).await?;
    }
    Ok(())
}
