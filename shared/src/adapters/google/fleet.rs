//! Keeping all processes together below what Google allows a project each minute (design rule P4), whatever the number
//! of users. <https://developers.google.com/workspace/calendar/api/guides/quota>
//!
//! A process takes permits by the block and uses them up call by call, so that a block is one write for many calls.
//! Blocks are stretches of time in a few lines that all processes share: who takes one learns when it begins, and
//! nobody has to come back and ask.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use chrono::{DateTime, TimeDelta, Utc};

use crate::ports::{Random, Store};

/// How many lines there are: one item each, whose writes are one in [`BLOCK`] calls.
const LINES: u8 = 4;
/// Units that a process takes at once, and that it may have left over, however many calls of it have asked at once. Those
/// may be used long after they were taken, and so have to fit below Google's quota beside what is taken then.
const BLOCK: u32 = 50;
/// The part of Google's quota that the lines hand out, in percent. The rest is for what comes early and for what is
/// left over.
const SHARE: i64 = 75;
/// A block may be used so long before its turn: only a fleet that is busy for longer has to wait.
const EARLY: TimeDelta = TimeDelta::seconds(10);

/// The permits of this process, by OAuth client: each belongs to a project with a quota of its own.
pub(super) struct FleetPacer {
    store: Arc<dyn Store>,
    random: Arc<dyn Random>,
    units_a_minute: u32,
    blocks: Mutex<BTreeMap<String, Block>>,
}

#[derive(Clone, Copy)]
struct Block {
    left: u32,
    begins: DateTime<Utc>,
}

impl FleetPacer {
    /// Nothing taken yet of a quota of so many units a minute.
    pub fn new(store: Arc<dyn Store>, random: Arc<dyn Random>, units_a_minute: u32) -> Self {
        Self { store, random, units_a_minute, blocks: Mutex::default() }
    }

    /// When a call of so many units may start, which then counts as made; `None`, counting nothing, when that would be
    /// after `latest`. A table that does not answer holds nobody up.
    pub async fn book(
        &self,
        client: &str,
        units: u32,
        now: DateTime<Utc>,
        latest: DateTime<Utc>,
    ) -> Option<DateTime<Utc>> {
        if let Some(begins) = self.use_up(client, units, latest) {
            return Some(begins.max(now));
        }
        let taken = BLOCK.max(units);
        match self.store.take_turn(&self.line(client), self.lasts(taken), now, latest + EARLY).await {
            Ok(Some(turn)) => {
                let begins = turn - EARLY;
                self.put_by(client, taken - units, begins);
                Some(begins.max(now))
            }
            Ok(None) => None,
            Err(error) => {
                tracing::warn!(?error, "Google is called without a permit");
                Some(now)
            }
        }
    }

    /// Takes units from what is left over, if they may be used by `latest`; answers from when on.
    fn use_up(&self, client: &str, units: u32, latest: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let mut blocks = self.blocks.lock().unwrap_or_else(PoisonError::into_inner);
        let block = blocks.get_mut(client).filter(|block| block.begins <= latest)?;
        block.left = block.left.checked_sub(units)?;
        Some(block.begins)
    }

    fn put_by(&self, client: &str, units: u32, begins: DateTime<Utc>) {
        let mut blocks = self.blocks.lock().unwrap_or_else(PoisonError::into_inner);
        let left = blocks.get(client).map_or(0, |block| block.left);
        blocks.insert(client.to_owned(), Block { left: (left + units).min(BLOCK), begins });
    }

    fn line(&self, client: &str) -> String {
        let mut byte = [0];
        self.random.fill(&mut byte);
        format!("{client}#{}", byte[0] % LINES)
    }

    /// How long a line takes to hand out so many units.
    fn lasts(&self, units: u32) -> TimeDelta {
        let minutes_of_a_line = i64::from(units) * i64::from(LINES);
        TimeDelta::milliseconds(minutes_of_a_line * 60_000 * 100 / (i64::from(self.units_a_minute) * SHARE))
    }
}
