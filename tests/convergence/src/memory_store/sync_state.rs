//! The hot states, the lease and the requests, and what is due.

use std::collections::BTreeSet;

use calendar_sync::{
    model::{ConnectionKey, Lease, PendingRequests, SyncState, SyncTask},
    ports::{Due, Glance, LeaseAttempt, ReleaseOutcome},
};
use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::{Stored, Tables, connections::is_disconnecting, shard};

impl Tables {
    pub(super) fn acquire_lease(
        &mut self,
        key: ConnectionKey,
        owner: Uuid,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
        tasks: &BTreeSet<SyncTask>,
    ) -> LeaseAttempt {
        let Some(state) = self.states.get_mut(&key) else { return LeaseAttempt::NotConnected };
        if state.lease.until <= now {
            state.lease = Lease { owner: Some(owner), until, fence: state.lease.fence + 1 };
            return LeaseAttempt::Granted(Box::new(state.clone()));
        }
        if state.lease.owner == Some(owner) && state.lease.until == until {
            return LeaseAttempt::Granted(Box::new(state.clone()));
        }
        state.pending.counter += 1;
        state.pending.tasks.extend(tasks);
        state.next_sync_at = Some(state.lease.until);
        LeaseAttempt::Held { until: state.lease.until }
    }

    pub(super) fn save_state(&mut self, key: ConnectionKey, changed: &SyncState) -> bool {
        let Some(state) = self.states.get_mut(&key).filter(|state| holds(state, changed)) else {
            self.journal.push(Stored::LeaseLost);
            return false;
        };
        let goes = self.credentials.get(&key).is_some_and(is_disconnecting);
        self.journal.push(progress(state, changed, goes));
        *state = SyncState {
            lease: state.lease.clone(),
            pending: state.pending.clone(),
            next_sync_at: state.next_sync_at,
            ..changed.clone()
        };
        true
    }

    pub(super) fn release_lease(&mut self, key: ConnectionKey, changed: &SyncState) -> ReleaseOutcome {
        let Some(state) = self.states.get_mut(&key).filter(|state| state.lease.fence == changed.lease.fence) else {
            self.journal.push(Stored::LeaseLost);
            return ReleaseOutcome::Lost;
        };
        if state.lease.owner.is_none() {
            return ReleaseOutcome::Released; // before, and the answer was lost
        }
        if state.pending.counter != changed.pending.counter {
            return ReleaseOutcome::NewRequests(Box::new(state.clone()));
        }
        let goes = self.credentials.get(&key).is_some_and(is_disconnecting);
        self.journal.push(progress(state, changed, goes));
        let lease = Lease { owner: None, until: DateTime::UNIX_EPOCH, fence: state.lease.fence };
        let pending = PendingRequests { counter: state.pending.counter, tasks: changed.pending.tasks.clone() };
        *state = SyncState { lease, pending, ..changed.clone() };
        ReleaseOutcome::Released
    }

    pub(super) fn commit_glance(&mut self, key: ConnectionKey, glance: &Glance) -> bool {
        let read = &glance.state;
        let untouched = self.states.get(&key).is_some_and(|state| {
            state.lease.owner.is_none()
                && state.lease.fence == read.lease.fence
                && state.pending.counter == read.pending.counter
        });
        let mapped = glance.conflicts.iter().all(|lesson| self.mappings.contains_key(&(key, lesson.lesson_id)));
        let own = glance.flags.iter().all(|(lesson, _)| self.is_own(key, *lesson));
        if !(untouched && mapped && own) {
            return false;
        }
        let mut state = read.clone();
        state.lease.fence += 1;
        self.states.insert(key, state);
        for event in &glance.put {
            self.put_external(key, event);
        }
        for (calendar, id) in &glance.remove {
            self.external.remove(&(key, calendar.clone(), id.clone()));
        }
        for lesson in &glance.conflicts {
            self.apply_conflicts(key, lesson);
        }
        for (lesson, flags) in &glance.flags {
            self.write_lesson_columns(key, *lesson, flags);
        }
        true
    }

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

    pub(super) fn claim_due(&mut self, due: Due, next: DateTime<Utc>) -> Option<SyncState> {
        let state = self.states.get_mut(&due.key).filter(|state| state.next_sync_at == Some(due.at))?;
        state.next_sync_at = Some(next);
        Some(state.clone())
    }

    pub(super) fn schedule(&mut self, key: ConnectionKey, at: Option<DateTime<Utc>>) {
        if let Some(state) = self.states.get_mut(&key) {
            state.next_sync_at = at;
            state.pending.counter += 1;
        }
    }

    pub(super) fn take_turn(
        &mut self,
        line: &str,
        lasts: TimeDelta,
        now: DateTime<Utc>,
        latest: DateTime<Utc>,
    ) -> Option<DateTime<Utc>> {
        let begins = self.lines.get(line).map_or(now, |taken_until| now.max(*taken_until));
        if begins > latest {
            self.turns_refused += 1;
            return None;
        }
        self.lines.insert(line.to_owned(), begins + lasts);
        Some(begins)
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
