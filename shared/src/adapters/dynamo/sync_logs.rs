//! `calendar_sync_logs`: the audit trail, newest last by its time-ordered id. Runs and acts stand side by side.

use async_trait::async_trait;
use aws_sdk_dynamodb::types::TransactWriteItem;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{
    DynamoStore,
    expressions::Change,
    items::{Item, from_item, text, to_item},
    keys,
    requests::Query,
};
use crate::{
    Result,
    model::{
        Act, CalendarSyncLog, ConnectionKey, InstructorId, LogRow, Person, PersonAct, SyncCounts, SyncDirection,
        SyncLogId, SyncOutcome, SyncTrigger, TenantId, timestamp,
    },
    ports::SyncLogStore,
};

#[derive(Serialize, Deserialize)]
struct RunRow {
    tenant_id: TenantId,
    instructor_id: InstructorId,
    id: SyncLogId,
    trigger: SyncTrigger,
    asked_by: Option<Person>,
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

#[derive(Serialize, Deserialize)]
struct ActRow {
    tenant_id: TenantId,
    instructor_id: InstructorId,
    id: SyncLogId,
    #[serde(with = "timestamp")]
    at: DateTime<Utc>,
    person: Person,
    act: Act,
    /// In seconds.
    #[serde(skip_deserializing)]
    ttl: i64,
}

fn read(item: Item) -> Result<LogRow> {
    if item.contains_key("act") {
        return Ok(LogRow::Act(from_item::<ActRow>(item)?.into()));
    }
    Ok(LogRow::Run(from_item::<RunRow>(item)?.into()))
}

impl From<ActRow> for PersonAct {
    fn from(row: ActRow) -> Self {
        let key = ConnectionKey { tenant_id: row.tenant_id, instructor_id: row.instructor_id };
        Self { id: row.id, key, at: row.at, person: row.person, act: row.act }
    }
}

impl From<RunRow> for CalendarSyncLog {
    fn from(row: RunRow) -> Self {
        Self {
            id: row.id,
            key: ConnectionKey { tenant_id: row.tenant_id, instructor_id: row.instructor_id },
            trigger: row.trigger,
            asked_by: row.asked_by,
            direction: row.direction,
            started_at: row.started_at,
            duration_ms: row.duration_ms,
            counts: row.counts,
            google_calls: row.google_calls,
            outcome: row.outcome,
            reasons: row.reasons,
        }
    }
}

/// The acts as parts of the transaction that stores what they change.
pub(super) fn puts<'a>(
    store: &DynamoStore,
    acts: impl IntoIterator<Item = &'a PersonAct>,
) -> Result<Vec<TransactWriteItem>> {
    let put = |act: &PersonAct| {
        let mut item = to_item(&ActRow {
            tenant_id: act.key.tenant_id,
            instructor_id: act.key.instructor_id,
            id: act.id,
            at: act.at,
            person: act.person.clone(),
            act: act.act,
            ttl: expiry(act.at),
        })?;
        item.extend(keys::sync_log(act.key, act.id));
        Change::default().put(&store.names.sync_logs, item)
    };
    acts.into_iter().map(put).collect()
}

fn expiry(at: DateTime<Utc>) -> i64 {
    (at + CalendarSyncLog::RETENTION).timestamp()
}

#[async_trait]
impl SyncLogStore for DynamoStore {
    async fn put_log(&self, log: &CalendarSyncLog) -> Result<()> {
        let mut item = to_item(&RunRow {
            tenant_id: log.key.tenant_id,
            instructor_id: log.key.instructor_id,
            id: log.id,
            trigger: log.trigger,
            asked_by: log.asked_by.clone(),
            direction: log.direction,
            started_at: log.started_at,
            duration_ms: log.duration_ms,
            counts: log.counts,
            google_calls: log.google_calls,
            outcome: log.outcome,
            reasons: log.reasons.clone(),
            ttl: expiry(log.started_at),
        })?;
        item.extend(keys::sync_log(log.key, log.id));
        self.put(&self.names.sync_logs, item).await
    }

    async fn log(&self, key: ConnectionKey, id: SyncLogId) -> Result<Option<CalendarSyncLog>> {
        let found = self.get(&self.names.sync_logs, keys::sync_log(key, id)).await?.map(read).transpose()?;
        Ok(match found {
            Some(LogRow::Run(run)) => Some(run),
            Some(LogRow::Act(_)) | None => None,
        })
    }

    async fn logs(&self, key: ConnectionKey, before: Option<SyncLogId>, limit: usize) -> Result<Vec<LogRow>> {
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
