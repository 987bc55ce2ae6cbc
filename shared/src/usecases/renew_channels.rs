//! The schedule that renews push channels: rings for each connection whose channel is soon to end. The run that
//! follows opens the new one under its lease (design rule P1).

use std::{sync::Arc, time::Duration};

use super::concurrently::concurrently;
use crate::{
    Result,
    model::SyncTrigger,
    ports::{Clock, Due, Store, SyncMessage, SyncQueue},
};

/// Connections rung for from one shard; the rest follows with the next schedule.
const PAGE: usize = 500;

/// Rings for channels that are to be renewed.
pub struct RenewChannels {
    /// Where they are found.
    pub store: Arc<dyn Store>,
    /// The bell.
    pub sync_queue: Arc<dyn SyncQueue>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

impl RenewChannels {
    /// Rings for every channel that is to be renewed; answers how many.
    pub async fn dispatch(&self) -> Result<usize> {
        let sent = concurrently((0..self.store.shards()).map(|shard| self.dispatch_shard(shard)).collect()).await?;
        Ok(sent.into_iter().sum())
    }

    async fn dispatch_shard(&self, shard: u8) -> Result<usize> {
        let due = self.store.renewals(shard, self.clock.now(), PAGE).await?;
        concurrently(due.iter().map(|due| self.dispatch_one(*due)).collect()).await?;
        Ok(due.len())
    }

    async fn dispatch_one(&self, due: Due) -> Result<()> {
        // The run that finds a channel to renew does so; it has no other reason to look into the calendar.
        let message = SyncMessage::new(due.key, SyncTrigger::Poll, Vec::new());
        self.sync_queue.send(&message, Duration::ZERO).await
    }
}
