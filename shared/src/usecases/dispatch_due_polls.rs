//! The dispatcher, which runs each minute: finds the connections whose poll is due, claims each, and only then sends
//! its message. Two dispatchers may run at once.
//!
//! After an outage all connections are due. A minute takes a limited number of them, the longest due first, and spreads
//! them over its time; the others wait for the next minute.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use crate::{
    Result,
    decide::{backoff, schedule},
    model::{SyncTask, SyncTrigger},
    ports::{Clock, Due, Random, Store, SyncMessage, SyncQueue},
    services::concurrently::each_for_itself,
};

/// Messages for one shard per minute: with 16 shards about half of Google's quota for a project.
const MAX_CONNECTIONS_PER_SHARD_PER_MINUTE: usize = 300;
/// A claimed connection is due again after this time, in case its message is lost or its worker dies. It is the default
/// polling interval, so that most connections keep the time that the claim sets.
const CLAIM_DURATION: TimeDelta = TimeDelta::minutes(15);

pub struct DispatchDuePolls {
    pub store: Arc<dyn Store>,
    pub sync_queue: Arc<dyn SyncQueue>,
    pub clock: Arc<dyn Clock>,
    pub random: Arc<dyn Random>,
}

impl DispatchDuePolls {
    /// Sends a message for each connection that is due, the longest due first. Returns how many. One whose message cannot be
    /// sent is due again when its claim ends, and fails no other.
    pub async fn dispatch(&self) -> Result<usize> {
        let now = self.clock.now();
        let shards = (0..self.store.shards()).map(|shard| self.dispatch_shard(shard, now)).collect();
        let (dispatched, all) = each_for_itself(shards).await;
        let sent = dispatched.iter().map(|(_, sent)| sent).sum();
        let oldest_due = dispatched.iter().filter_map(|(oldest, _)| *oldest).min().unwrap_or(now);
        tracing::info!(polls_sent = sent, oldest_due_seconds = (now - oldest_due).num_seconds(), "polled");
        all.map(|()| sent)
    }

    /// When the longest due connection of a shard was due, and how many messages were sent.
    async fn dispatch_shard(&self, shard: u8, now: DateTime<Utc>) -> Result<(Option<DateTime<Utc>>, usize)> {
        let due = self.store.due(shard, now, MAX_CONNECTIONS_PER_SHARD_PER_MINUTE).await?;
        let (sent, all) = each_for_itself(due.iter().map(|found| self.dispatch_one(*found, due.len())).collect()).await;
        all?;
        Ok((due.first().map(|longest| longest.at), sent.into_iter().filter(|sent| *sent).count()))
    }

    /// Claims one of `of` connections and sends its message; false when another dispatcher claimed it.
    async fn dispatch_one(&self, due: Due, of: usize) -> Result<bool> {
        let now = self.clock.now();
        let again = now + backoff::jitter(CLAIM_DURATION, self.random.jitter());
        let Some(state) = self.store.claim_due(due, again).await? else { return Ok(false) };
        let trigger = if state.last_synced_at.is_none() { SyncTrigger::Connect } else { SyncTrigger::Poll };
        let tasks = vec![SyncTask::PullEvents, SyncTask::PushLessons];
        let message = SyncMessage { due_at: Some(now), ..SyncMessage::new(due.key, trigger, tasks) };
        self.sync_queue
            .send(&message, schedule::spread(of, MAX_CONNECTIONS_PER_SHARD_PER_MINUTE, self.random.jitter()))
            .await?;
        Ok(true)
    }
}
