//! The schedule of each minute: finds the connections whose poll is due, claims each, and only then rings
//! (design rule P3). Safe to run twice at once.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;

use super::concurrently::concurrently;
use crate::{
    Result,
    model::{SyncTrigger, WishKind},
    ports::{Clock, Doorbell, Due, Random, Ring, Store},
    reconcile::backoff,
};

/// Connections claimed at once from one shard.
const PAGE: usize = 100;
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
    /// Rings for every connection that is due; answers how many.
    pub async fn ring(&self) -> Result<usize> {
        let rung = concurrently((0..self.store.shards()).map(|shard| self.ring_shard(shard)).collect()).await?;
        Ok(rung.into_iter().sum())
    }

    async fn ring_shard(&self, shard: u8) -> Result<usize> {
        let mut rung = 0;
        loop {
            let due = self.store.due(shard, self.clock.now(), PAGE).await?;
            let claimed = concurrently(due.iter().map(|due| self.claim(*due)).collect()).await?;
            let won = claimed.iter().filter(|won| **won).count();
            rung += won;
            // The index lags: a page in which nothing was left to claim has been claimed before.
            if due.len() < PAGE || won == 0 {
                return Ok(rung);
            }
        }
    }

    async fn claim(&self, due: Due) -> Result<bool> {
        let mut luck = [0; 2];
        self.random.fill(&mut luck);
        let again = self.clock.now() + backoff::jitter(CLAIMED_FOR, u16::from_be_bytes(luck));
        if !self.store.claim_due(due, again).await? {
            return Ok(false);
        }
        let ring = Ring::new(due.key, SyncTrigger::Poll, vec![WishKind::Inbound, WishKind::Lessons]);
        self.doorbell.ring(&ring, Duration::ZERO).await?;
        Ok(true)
    }
}
