//! The sync worker's handling of a message: a run, or, for a connection that is being taken down, the next part of
//! that.

use std::time::Duration;

use chrono::TimeDelta;

use super::{
    disconnect::Disconnect,
    sync::{SyncCalendar, SyncRequest, SyncRun},
};
use crate::{Result, model::connection::Blocked, ports::SyncMessage};

/// A run ends within this time; the function's timeout lies beyond it, and the lease's end beyond that.
pub const RUN_LASTS: TimeDelta = TimeDelta::seconds(45);

#[derive(Clone)]
pub struct HandleSyncMessage {
    pub sync: SyncCalendar,
    pub disconnect: Disconnect,
}

impl HandleSyncMessage {
    /// Handles a message. After an error it comes again.
    pub async fn handle(&self, message: &SyncMessage) -> Result<()> {
        let deadline = self.sync.google.clock.now() + RUN_LASTS;
        let request = SyncRequest::of(message.clone(), deadline);
        match self.sync.run(&request).await? {
            SyncRun::Blocked(Blocked::Disconnecting) => self.disconnect.go_on(message.key, deadline).await.map(drop),
            // The tasks are on the state now; but a person follows this very log row.
            SyncRun::Held if message.log_id.is_some() && request.has_hopped_enough() => {
                self.sync.give_up(&request).await
            }
            SyncRun::Held if message.log_id.is_some() => {
                let again = message.clone().after_leaving_its_tasks();
                self.sync.sync_queue.send(&again, Duration::from_secs(5)).await
            }
            SyncRun::Ran(_) | SyncRun::Held | SyncRun::Blocked(_) | SyncRun::NotConnected => Ok(()),
        }
    }
}
