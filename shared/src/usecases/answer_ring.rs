//! What the queue's worker does with a ring: a run, or, for a connection that is being taken down, the next part of
//! that.

use std::time::Duration;

use chrono::TimeDelta;

use super::{
    disconnect::Disconnect,
    sync_calendar::{SyncCalendar, SyncRequest, SyncRun},
};
use crate::{Result, model::connection::Blocked, ports::Ring};

/// A run is over within this time; the function's timeout lies beyond it, and the lease's end beyond that.
const RUN_LASTS: TimeDelta = TimeDelta::seconds(45);

/// Answers rings.
#[derive(Clone)]
pub struct AnswerRing {
    /// Runs syncs.
    pub sync: SyncCalendar,
    /// Takes connections down.
    pub disconnect: Disconnect,
}

impl AnswerRing {
    /// Answers a ring. An error means that it is to come again.
    pub async fn answer(&self, ring: &Ring) -> Result<()> {
        let deadline = self.sync.google.clock.now() + RUN_LASTS;
        let request = SyncRequest {
            key: ring.key,
            trigger: ring.trigger,
            wishes: ring.wishes.iter().copied().collect(),
            log_id: ring.log_id,
            asked: ring.asked.clone(),
            noticed_at: ring.noticed_at,
            due_at: ring.due_at,
            deadline,
        };
        match self.sync.run(&request).await? {
            SyncRun::Blocked(Blocked::Disconnecting) => self.disconnect.go_on(ring.key, deadline).await.map(drop),
            // The wish stands on the connection; but somebody waits for this very log row.
            SyncRun::Held if ring.log_id.is_some() => {
                let again = ring.clone().after_leaving_its_wishes();
                self.sync.doorbell.ring(&again, Duration::from_secs(5)).await
            }
            SyncRun::Ran(_) | SyncRun::Held | SyncRun::Blocked(_) | SyncRun::NotConnected => Ok(()),
        }
    }
}
