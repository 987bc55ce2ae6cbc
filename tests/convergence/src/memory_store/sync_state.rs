//! The hot states, the lease and the requests.

use std::collections::BTreeSet;

use async_trait::async_trait;
use calendar_sync::{
    Result,
    model::{ConnectionKey, Lease, PendingRequests, SyncState, SyncTask},
    ports::{LeaseAttempt, ReleaseOutcome, SyncStateStore},
};
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{MemoryStore, Stored, Table, connections::is_disconnecting};

#[async_trait]
impl SyncStateStore for MemoryStore {
    async fn state(&self, key: ConnectionKey) -> Result<Option<SyncState>> {
        self.read(|tables| tables.states.get(&key).cloned()).await
    }

    async fn acquire_lease(
        &self,
        key: ConnectionKey,
        owner: Uuid,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
        tasks: &BTreeSet<SyncTask>,
    ) -> Result<LeaseAttempt> {
        self.write(Table::State, |tables| {
            let Some(state) = tables.states.get_mut(&key) else { return LeaseAttempt::NotConnected };
            if state.lease.until <= now {
                let cut = state.lease.owner;
                state.lease = Lease { owner: Some(owner), cut, until, fence: state.lease.fence + 1 };
                if cut.is_some() {
                    state.next_sync_at = Some(until);
                    tables.journal.push(Stored::CutFound);
                }
                return LeaseAttempt::Granted(Box::new(state.clone()));
            }
            if state.lease.owner == Some(owner) && state.lease.until == until {
                return LeaseAttempt::Granted(Box::new(state.clone()));
            }
            state.pending.counter += 1;
            state.pending.tasks.extend(tasks);
            state.next_sync_at = Some(state.lease.until);
            LeaseAttempt::Held { until: state.lease.until }
        })
        .await
    }

    async fn save_state(&self, key: ConnectionKey, changed: &SyncState) -> Result<bool> {
        self.write(Table::State, |tables| {
            let Some(state) = tables.states.get_mut(&key).filter(|state| holds(state, changed)) else {
                tables.journal.push(Stored::LeaseLost);
                return false;
            };
            let goes = tables.credentials.get(&key).is_some_and(is_disconnecting);
            tables.journal.push(progress(state, changed, goes));
            *state = SyncState {
                lease: state.lease.clone(),
                pending: state.pending.clone(),
                next_sync_at: state.next_sync_at,
                ..changed.clone()
            };
            true
        })
        .await
    }

    async fn release_lease(&self, key: ConnectionKey, changed: &SyncState) -> Result<ReleaseOutcome> {
        self.write(Table::State, |tables| {
            let Some(state) = tables.states.get_mut(&key).filter(|state| state.lease.fence == changed.lease.fence)
            else {
                tables.journal.push(Stored::LeaseLost);
                return ReleaseOutcome::Lost;
            };
            if state.lease.owner.is_none() {
                return ReleaseOutcome::Released; // before, and the answer was lost
            }
            if state.pending.counter != changed.pending.counter {
                return ReleaseOutcome::NewRequests(Box::new(state.clone()));
            }
            let goes = tables.credentials.get(&key).is_some_and(is_disconnecting);
            tables.journal.push(progress(state, changed, goes));
            let lease = Lease { owner: None, cut: None, until: DateTime::UNIX_EPOCH, fence: state.lease.fence };
            let pending = PendingRequests { counter: state.pending.counter, tasks: changed.pending.tasks.clone() };
            *state = SyncState { lease, pending, ..changed.clone() };
            ReleaseOutcome::Released
        })
        .await
    }
}

fn progress(before: &SyncState, after: &SyncState, goes: bool) -> Stored {
    Stored::State {
        failures: (before.failures, after.failures),
        error: after.last_error.clone(),
        moved: (before.horizon, before.reconciled_at) != (after.horizon, after.reconciled_at),
        goes,
    }
}

fn holds(state: &SyncState, changed: &SyncState) -> bool {
    state.lease.owner.is_some() && state.lease.fence == changed.lease.fence
}
