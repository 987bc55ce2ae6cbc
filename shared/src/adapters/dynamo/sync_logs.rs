//! `calendar_sync_logs`: the audit trail, newest last by its time-ordered id.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{
    DynamoStore,
    items::{Item, from_item, text, to_item},
    keys,
    requests::Query,
};
use crate::{
    Result,
    model::{
        CalendarSyncLog, ConnectionKey, InstructorId, SyncCounts, SyncDirection, SyncLogId, SyncOutcome, SyncTrigger,
        TenantId, timestamp,
    },
    ports::SyncLogStore,
};

#[derive(Serialize, Deserialize)]
struct Row {
    tenant_id: TenantId,
    instructor_id: InstructorId,
    id: SyncLogId,
    trigger: SyncTrigger,
    direction: SyncDirection,
    #[serde(with = "timestamp")]
    started_at: DateTime<Utc>,
    duration_ms: u64,
    counts: SyncCounts,
    google_calls: u32,
    outcome: SyncOutcome,
    reasons: Vec<String>,
    /// In seconds.
    #[serde(skip_deserializing)]
    ttl: i64,
}

fn read(item: Item) -> Result<CalendarSyncLog> {
    let row: Row = from_item(item)?;
    Ok(CalendarSyncLog {
        id: row.id,
        key: ConnectionKey { tenant_id: row.tenant_id, instructor_id: row.instructor_id },
        trigger: row.trigger,
        direction: row.direction,
        started_at: row.started_at,
        duration_ms: row.duration_ms,
        counts: row.counts,
        google_calls: row.google_calls,
        outcome: row.outcome,
        reasons: row.reasons,
    })
}

#[async_trait]
impl SyncLogStore for DynamoStore {
    async fn put_log(&self, log: &CalendarSyncLog) -> Result<()> {
        let mut item = to_item(&Row {
            tenant_id: log.key.tenant_id,
            instructor_id: log.key.instructor_id,
            id: log.id,
            trigger: log.trigger,
            direction: log.direction,
            started_at: log.started_at,
            duration_ms: log.duration_ms,
            counts: log.counts,
            google_calls: log.google_calls,
            outcome: log.outcome,
            reasons: log.reasons.clone(),
            ttl: (log.started_at + CalendarSyncLog::RETENTION).timestamp(),
        })?;
        item.extend(keys::sync_log(log.key, log.id));
        self.put(&self.names.sync_logs, item).await
    }

    async fn log(&self, key: ConnectionKey, id: SyncLogId) -> Result<Option<CalendarSyncLog>> {
        self.get(&self.names.sync_logs, keys::sync_log(key, id)).await?.map(read).transpose()
    }

    async fn logs(&self, key: ConnectionKey, before: Option<SyncLogId>, limit: usize) -> Result<Vec<CalendarSyncLog>> {
        let mut values = vec![(":connection", text(key))];
        values.extend(before.map(|id| (":before", text(id))));
        let found = self
            .query(Query {
                table: &self.names.sync_logs,
                condition: match before {
                    Some(_) => "#connection = :connection AND #id < :before",
                    None => "#connection = :connection",
                },
                values,
                newest_first: true,
                limit: Some(limit),
                ..Query::default()
            })
            .await?;
        found.into_iter().map(read).collect()
    }
}
