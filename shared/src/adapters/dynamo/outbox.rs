//! The outbox: committed notices that wait for delivery.

use async_trait::async_trait;
use aws_sdk_dynamodb::types::TransactWriteItem;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    DynamoStore,
    expressions::Change,
    items::{Item, from_item, to_item},
    keys::{self, NOTICES},
    requests::removal,
};
use crate::{
    Result,
    model::{ConnectionKey, InstructorId, Notice, NoticeKind, TenantId, timestamp},
    ports::Outbox,
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

fn item(notice: &Notice) -> Result<Item> {
    let mut item = to_item(&Row {
        tenant_id: notice.key.tenant_id,
        instructor_id: notice.key.instructor_id,
        id: notice.id,
        kind: notice.kind.clone(),
        at: notice.at,
    })?;
    item.extend(keys::notice(notice));
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
pub(super) fn puts<'a>(
    store: &DynamoStore,
    notices: impl IntoIterator<Item = &'a Notice>,
) -> Result<Vec<TransactWriteItem>> {
    let put = |notice: &Notice| Change::default().put(&store.names.mappings, item(notice)?);
    notices.into_iter().map(put).collect()
}

#[async_trait]
impl Outbox for DynamoStore {
    async fn pending_notices(&self, key: ConnectionKey, limit: usize) -> Result<Vec<Notice>> {
        self.beginning_with(&self.names.mappings, key, ("item", NOTICES), Some(limit))
            .await?
            .into_iter()
            .map(read)
            .collect()
    }

    async fn delivered(&self, key: ConnectionKey, notices: &[Notice]) -> Result<()> {
        let own = notices.iter().filter(|notice| notice.key == key);
        let writes = own.map(|notice| removal(keys::notice(notice))).collect::<Result<_>>()?;
        self.batch_write(&self.names.mappings, writes).await
    }

    async fn put_notices(&self, key: ConnectionKey, notices: &[Notice]) -> Result<()> {
        for notice in notices.iter().filter(|notice| notice.key == key) {
            self.put(&self.names.mappings, item(notice)?).await?;
        }
        Ok(())
    }
}
