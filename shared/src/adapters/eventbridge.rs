//! The notice bus on EventBridge.

use async_trait::async_trait;
use aws_sdk_eventbridge::{Client, primitives::DateTime as AwsDateTime, types::PutEventsRequestEntry};
use chrono::{DateTime, Utc};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::{
    Error, Result,
    model::{Erasure, ErasureScope, InstructorId, Notice, NoticeKind, TenantId, timestamp},
    ports::NoticeBus,
};

/// Rules on the bus match it.
const SOURCE: &str = "calendar-sync";
/// The most entries of one call
/// (<https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html>).
const MAX_ENTRIES: usize = 10;
/// The most bytes of one call
/// (<https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html>), less what an entry has beside its
/// detail: its source, its type and 14 bytes for its time.
const MAX_DETAIL_BYTES: usize = 250 * 1024;
const UNAVAILABLE: &str = "event_bus_unavailable";

/// The `detail` of an event.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Detail<'a> {
    id: Uuid,
    tenant_id: TenantId,
    instructor_id: InstructorId,
    #[serde(with = "timestamp")]
    at: DateTime<Utc>,
    #[serde(flatten)]
    kind: &'a NoticeKind,
}

/// The `detail-type` of [`ErasureDetail`].
const ERASURE_ENDED: &str = "erasure.ended";

/// The `detail` of the end of an erasure.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ErasureDetail {
    r#type: &'static str,
    id: Uuid,
    tenant_id: TenantId,
    /// Absent when all instructors of the tenant were erased.
    #[serde(skip_serializing_if = "Option::is_none")]
    instructor_id: Option<InstructorId>,
    #[serde(with = "timestamp")]
    began_at: DateTime<Utc>,
}

impl ErasureDetail {
    fn of(erasure: &Erasure) -> Self {
        let instructor_id = match erasure.scope {
            ErasureScope::Instructor(instructor) => Some(instructor),
            ErasureScope::Tenant => None,
        };
        // The same in every delivery of the same erasure, and another one for the next of that instructor or tenant.
        let name = format!("{}#{}#{}", erasure.tenant_id, erasure.scope, timestamp::format(erasure.began_at));
        let digest = Sha256::digest(name);
        let id = uuid::Builder::from_custom_bytes(std::array::from_fn(|place| digest[place])).into_uuid();
        Self { r#type: ERASURE_ENDED, id, tenant_id: erasure.tenant_id, instructor_id, began_at: erasure.began_at }
    }
}

#[derive(Debug, Clone)]
pub struct EventBridgeBus {
    client: Client,
    bus: String,
}

impl EventBridgeBus {
    pub fn new(client: Client, bus: String) -> Self {
        Self { client, bus }
    }

    fn entry(&self, notice: &Notice) -> Result<PutEventsRequestEntry> {
        let detail = Detail {
            id: notice.id,
            tenant_id: notice.key.tenant_id,
            instructor_id: notice.key.instructor_id,
            at: notice.at,
            kind: &notice.kind,
        };
        Ok(PutEventsRequestEntry::builder()
            .event_bus_name(&self.bus)
            .source(SOURCE)
            .detail_type(notice.kind.name())
            .time(AwsDateTime::from_millis(notice.at.timestamp_millis()))
            .detail(serde_json::to_string(&detail).map_err(Error::internal)?)
            .build())
    }
}

#[async_trait]
impl NoticeBus for EventBridgeBus {
    async fn publish(&self, notices: &[Notice]) -> Result<()> {
        let entries = notices.iter().map(|notice| self.entry(notice)).collect::<Result<Vec<_>>>()?;
        self.put(entries).await
    }

    async fn tell_erased(&self, erasure: &Erasure) -> Result<()> {
        let detail = serde_json::to_string(&ErasureDetail::of(erasure)).map_err(Error::internal)?;
        let entry = PutEventsRequestEntry::builder().event_bus_name(&self.bus).source(SOURCE);
        self.put(vec![entry.detail_type(ERASURE_ENDED).detail(detail).build()]).await
    }
}

impl EventBridgeBus {
    async fn put(&self, entries: Vec<PutEventsRequestEntry>) -> Result<()> {
        for entries in calls(entries, |entry| entry.detail().map_or(0, str::len)) {
            let sent = entries.len();
            let answer = self
                .client
                .put_events()
                .set_entries(Some(entries))
                .send()
                .await
                .map_err(|error| Error::unavailable(UNAVAILABLE, error))?;
            // The call succeeds even when single entries fail.
            if answer.failed_entry_count() > 0 {
                let reason = answer.entries().iter().find_map(|entry| entry.error_code()).unwrap_or("unknown");
                let text = format!("{} of {} refused: {reason}", answer.failed_entry_count(), sent);
                return Err(Error::unavailable(UNAVAILABLE, text));
            }
        }
        Ok(())
    }
}

/// Divides entries into as few calls as they fit into, in order.
fn calls<T>(entries: Vec<T>, bytes: impl Fn(&T) -> usize) -> Vec<Vec<T>> {
    let mut calls: Vec<Vec<T>> = Vec::new();
    let mut room = 0;
    for entry in entries {
        let size = bytes(&entry);
        match calls.last_mut() {
            Some(call) if call.len() < MAX_ENTRIES && size <= room => call.push(entry),
            _ => {
                calls.push(vec![entry]);
                room = MAX_DETAIL_BYTES;
            }
        }
        room = room.saturating_sub(size);
    }
    calls
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_takes_ten_entries_and_no_more_than_their_limit_of_bytes() {
        let called = |sizes: Vec<usize>| calls(sizes, |size| *size).iter().map(Vec::len).collect::<Vec<usize>>();
        assert_eq!(called(vec![]), [0; 0]);
        assert_eq!(called(vec![1; 23]), [10, 10, 3]);
        assert_eq!(called(vec![MAX_DETAIL_BYTES / 3; 7]), [3, 3, 1]);
        assert_eq!(called(vec![MAX_DETAIL_BYTES, 1, MAX_DETAIL_BYTES]), [1, 1, 1]);
    }
}
