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
    model::{SyncTrigger, WishKind},
    ports::{Clock, Doorbell, Due, Random, Ring, Store},
    reconcile::{backoff, schedule},
};

/// Connections of one shard that are rung for in a minute: with 16 shards about half of what Google allows a project.
const AT_MOST: usize = 300;
/// A claimed connection is due again after this time, in case its message is lost or its worker dies. It is the interval
/// that connections have by default: theirs are polled next at the time that the claim has set.
const CLAIMED_FOR: TimeDelta = TimeDelta::minutes(15);

/// Rings for what is due.
pub struct RingDue {
    /// Where due connections are found.
    pub store: Arc<dyn Store>,
    /// The bell.
    pub doorbell: Arc<dyn Doorbell>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Jitter.
    pub random: Arc<dyn Random>,
}

impl RingDue {
    /// Rings for the connections that are due, the longest due first; answers for how many.
    pub async fn ring(&self) -> Result<usize> {
        let rung = concurrently((0..self.store.shards()).map(|shard| self.ring_shard(shard)).collect()).await?;
        Ok(rung.into_iter().sum())
    }

    async fn ring_shard(&self, shard: u8) -> Result<usize> {
        let due = self.store.due(shard, self.clock.now(), AT_MOST).await?;
        let rung = concurrently(due.iter().map(|found| self.ring_one(*found, due.len())).collect()).await?;
        Ok(rung.into_iter().filter(|rung| *rung).count())
    }

    /// Claims one of so many and rings for it; false when somebody else did.
    async fn ring_one(&self, due: Due, of: usize) -> Result<bool> {
        let now = self.clock.now();
        let again = now + backoff::jitter(CLAIMED_FOR, self.luck());
        let Some(state) = self.store.claim_due(due, again).await? else { return Ok(false) };
        let trigger = if state.last_synced_at.is_none() { SyncTrigger::Connect } else { SyncTrigger::Poll };
        let wishes = vec![WishKind::Inbound, WishKind::Lessons];
        let ring = Ring { due_at: Some(now), ..Ring::new(due.key, trigger, wishes) };
        self.doorbell.ring(&ring, schedule::spread(of, AT_MOST, self.luck())).await?;
        Ok(true)
    }

    fn luck(&self) -> u16 {
        let mut luck = [0; 2];
        self.random.fill(&mut luck);
        u16::from_be_bytes(luck)
    }
}
