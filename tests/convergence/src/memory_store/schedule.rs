//! What is due, and the buckets of the rate limiter.

use async_trait::async_trait;
use calendar_sync::{
    Result,
    model::{ConnectionKey, SyncState},
    ports::{Due, RateLimiter, Reservation, ScheduleStore},
};
use chrono::{DateTime, TimeDelta, Utc};

use super::{MemoryStore, Table, Tables};

const CONNECTION_SHARDS: u8 = 16;
const BUCKET_SHARDS: u8 = 4;

fn shard(key: ConnectionKey) -> u8 {
    key.instructor_id.0.as_bytes()[15] % CONNECTION_SHARDS
}

#[async_trait]
impl ScheduleStore for MemoryStore {
    fn shards(&self) -> u8 {
        CONNECTION_SHARDS
    }

    async fn due(&self, shard: u8, now: DateTime<Utc>, limit: usize) -> Result<Vec<Due>> {
        self.look_up(|tables| tables.due_by(shard, now, limit, |state| state.next_sync_at)).await
    }

    async fn renewals(&self, shard: u8, now: DateTime<Utc>, limit: usize) -> Result<Vec<Due>> {
        self.look_up(|tables| tables.due_by(shard, now, limit, |state| state.renew_at)).await
    }

    async fn claim_due(&self, due: Due, next: DateTime<Utc>) -> Result<Option<SyncState>> {
        self.write(Table::State, |tables| {
            let state = tables.states.get_mut(&due.key).filter(|state| state.next_sync_at == Some(due.at))?;
            state.next_sync_at = Some(next);
            Some(state.clone())
        })
        .await
    }

    async fn schedule(&self, key: ConnectionKey, at: Option<DateTime<Utc>>) -> Result<()> {
        self.write(Table::State, |tables| {
            if let Some(state) = tables.states.get_mut(&key) {
                state.next_sync_at = at;
                state.pending.counter += 1;
            }
        })
        .await
    }
}

#[async_trait]
impl RateLimiter for MemoryStore {
    fn bucket_shards(&self) -> u8 {
        BUCKET_SHARDS
    }

    async fn reserve(
        &self,
        bucket: &str,
        shard: u8,
        lasts: TimeDelta,
        now: DateTime<Utc>,
        latest: DateTime<Utc>,
    ) -> Result<Reservation> {
        self.write(Table::RateLimits, |tables| {
            let reserved_until = tables.buckets.entry((bucket.to_owned(), shard)).or_insert(now);
            let start = now.max(*reserved_until);
            if start > latest {
                tables.reservations_refused += 1;
                return Reservation::TooLate;
            }
            *reserved_until = start + lasts;
            Reservation::StartsAt(start)
        })
        .await
    }
}

impl Tables {
    pub(super) fn due_by(
        &self,
        of: u8,
        now: DateTime<Utc>,
        limit: usize,
        moment: impl Fn(&SyncState) -> Option<DateTime<Utc>>,
    ) -> Vec<Due> {
        let states = self.states.iter().filter(|(key, _)| shard(**key) == of);
        let due = states.filter_map(|(key, state)| Some(Due { key: *key, at: moment(state)? }));
        let mut due: Vec<Due> = due.filter(|due| due.at <= now).collect();
        due.sort_by_key(|due| due.at);
        due.truncate(limit);
        due
    }
}
