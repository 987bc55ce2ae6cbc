//! The queue's worker: answers each ring with a run.

use std::time::Duration;

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use calendar_sync::{
    Result,
    bootstrap::Bootstrap,
    jobs,
    model::connection::Blocked,
    ports::Ring,
    usecases::{
        disconnect::Disconnect,
        sync_calendar::{SyncCalendar, SyncRequest, SyncRun},
    },
};
use chrono::TimeDelta;

/// A run is over within this time; the function's timeout lies beyond it, and the lease's end beyond that.
const RUN_LASTS: TimeDelta = TimeDelta::seconds(45);

/// What the function needs.
pub struct Deps {
    sync: SyncCalendar,
    disconnect: Disconnect,
}

impl Deps {
    /// Makes it at cold start.
    pub async fn new(bootstrap: &Bootstrap) -> Result<Self> {
        let sync = crate::sync_calendar(bootstrap).await?;
        let disconnect =
            Disconnect { google: sync.google.clone(), doorbell: sync.doorbell.clone(), random: sync.random.clone() };
        Ok(Self { sync, disconnect })
    }
}

/// Handles a batch of messages.
pub async fn handle(deps: &Deps, event: SqsEvent) -> Result<SqsBatchResponse> {
    Ok(jobs::each_ring(event, |ring| answer(deps, ring)).await)
}

async fn answer(deps: &Deps, ring: Ring) -> Result<()> {
    let deadline = deps.sync.google.clock.now() + RUN_LASTS;
    let request = SyncRequest {
        key: ring.key,
        trigger: ring.trigger,
        wishes: ring.wishes.iter().copied().collect(),
        log_id: ring.log_id,
        asked: ring.asked.clone(),
        deadline,
    };
    match deps.sync.run(&request).await? {
        SyncRun::Blocked(Blocked::Disconnecting) => deps.disconnect.go_on(ring.key, deadline).await.map(drop),
        // The wish stands on the connection; but a person waits for this very log row.
        SyncRun::Held if ring.log_id.is_some() => deps.sync.doorbell.ring(&ring, Duration::from_secs(5)).await,
        SyncRun::Ran(_) | SyncRun::Held | SyncRun::Blocked(_) | SyncRun::NotConnected => Ok(()),
    }
}
