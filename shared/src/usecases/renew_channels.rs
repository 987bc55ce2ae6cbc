//! The hourly schedule for push channels: sends a message for each connection whose channel expires soon. The run that
//! follows opens the new channel under its lease.

use std::{sync::Arc, time::Duration};

use crate::{
    Result,
    model::SyncTrigger,
    ports::{Clock, Due, Store, SyncMessage, SyncQueue},
    services::concurrently::each_for_itself,
};

/// Messages for one shard per run of the schedule; the others follow with the next.
const MAX_CONNECTIONS_PER_SHARD: usize = 500;

pub struct RenewChannels {
    pub store: Arc<dyn Store>,
    pub sync_queue: Arc<dyn SyncQueue>,
    pub clock: Arc<dyn Clock>,
}

impl RenewChannels {
    /// Sends a message for each channel that is to be renewed. Returns how many.
    pub async fn dispatch(&self) -> Result<usize> {
        let shards = (0..self.store.shards()).map(|shard| self.dispatch_shard(shard)).collect();
        let (sent, all) = each_for_itself(shards).await;
        all.map(|()| sent.into_iter().sum())
    }

    async fn dispatch_shard(&self, shard: u8) -> Result<usize> {
        let due = self.store.renewals(shard, self.clock.now(), MAX_CONNECTIONS_PER_SHARD).await?;
        let (sent, all) = each_for_itself(due.iter().map(|due| self.dispatch_one(*due)).collect()).await;
        all.map(|()| sent.len())
    }

    async fn dispatch_one(&self, due: Due) -> Result<()> {
        // Without tasks: the run renews the channel and has no other reason to list the calendar.
        let message = SyncMessage::new(due.key, SyncTrigger::Poll, Vec::new());
        self.sync_queue.send(&message, Duration::ZERO).await
    }
}
