//! The schedule of each minute: finds the connections whose poll is due, claims each, and only then rings
//! (design rule P3). Safe to run twice at once.
//!
//! After an outage all connections are due. They come in the order in which they were due, so many in a minute, and
//! spread over it: what is more waits for the next minute, where it is the longest due.

use std::sync::Arc;

use chrono::TimeDelta;

use super::concurrently::concurrently;
use crate::{
    Result,
    model::{SyncTask, SyncTrigger},
    ports::{Clock, Due, Random, Store, SyncMessage, SyncQueue},
    reconcile::{backoff, schedule},
};

/// Connections of one shard that are rung for in a minute: with 16 shards about half of what Google allows a project.
const AT_MOST: usize = 300;
/// A claimed connection is due again after this time, in case its message is lost or its worker dies. It is the interval
/// that connections have by default: theirs are polled next at the time that the claim has set.
const CLAIMED_FOR: TimeDelta = TimeDelta::minutes(15);

/// Rings for what is due.
pub struct DispatchDuePolls {
    /// Where due connections are found.
    pub store: Arc<dyn Store>,
    /// The bell.
    pub sync_queue: Arc<dyn SyncQueue>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Jitter.
    pub random: Arc<dyn Random>,
}

impl DispatchDuePolls {
    /// Rings for the connections that are due, the longest due first; answers for how many.
    pub async fn dispatch(&self) -> Result<usize> {
        let sent = concurrently((0..self.store.shards()).map(|shard| self.dispatch_shard(shard)).collect()).await?;
        Ok(sent.into_iter().sum())
    }

    async fn dispatch_shard(&self, shard: u8) -> Result<usize> {
        let due = self.store.due(shard, self.clock.now(), AT_MOST).await?;
        let sent = concurrently(due.iter().map(|found| self.dispatch_one(*found, due.len())).collect()).await?;
        Ok(sent.into_iter().filter(|sent| *sent).count())
    }

    /// Claims one of so many and rings for it; false when somebody else did.
    async fn dispatch_one(&self, due: Due, of: usize) -> Result<bool> {
        let now = self.clock.now();
        let again = now + backoff::jitter(CLAIMED_FOR, self.random.jitter());
        let Some(state) = self.store.claim_due(due, again).await? else { return Ok(false) };
        let trigger = if state.last_synced_at.is_none() { SyncTrigger::Connect } else { SyncTrigger::Poll };
        let tasks = vec![SyncTask::PullEvents, SyncTask::PushLessons];
        let message = SyncMessage { due_at: Some(now), ..SyncMessage::new(due.key, trigger, tasks) };
        self.sync_queue.send(&message, schedule::spread(of, AT_MOST, self.random.jitter())).await?;
        Ok(true)
    }
}
