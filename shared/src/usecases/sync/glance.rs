//! A run without the lease, for what most messages find: nothing, or a few events that are not ours. It reads where the
//! sync stands, lists what changed since, and stores all that follows in one step, on condition that nobody acted on
//! the connection meanwhile. It never writes to Google, and leaves everything else to the leased run, which goes on
//! with the listing made here if it is the next to act.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
};

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    Failure, Report, SyncCalendar, SyncRequest, channel,
    conflicts::{self, Difference},
    inbound,
    round::{Round, full_reconcile_due, newly_in_window},
};
use crate::{
    decide::{
        push::{self, Brought},
        schedule,
    },
    model::{ConnectionKey, InstructorCalendarCredentials, SyncDirection, SyncState, SyncTask, SyncTrigger, Window},
    ports::{Glance, Listing},
    services::google_session::GoogleSession,
};

/// So soon after a run, notices come in bursts, since our own writes are noticed too. The lease folds them into one
/// trailing listing, where each glance would make its own.
const BURST: TimeDelta = TimeDelta::seconds(10);

/// The connections that this process is glancing at. What comes for one of them meanwhile is part of a burst, and for the
/// lease: nobody else can tell that a glance is under way.
#[derive(Clone, Default)]
pub struct UnderWay(Arc<Mutex<BTreeSet<ConnectionKey>>>);

impl UnderWay {
    /// Enters a connection, unless it is there.
    fn enter(&self, key: ConnectionKey) -> Option<Entered<'_>> {
        let entered = self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key);
        entered.then_some(Entered { under_way: self, key })
    }
}

/// Takes the connection out again, however the glance ends.
struct Entered<'a> {
    under_way: &'a UnderWay,
    key: ConnectionKey,
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        self.under_way.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
    }
}

/// How a glance ended.
pub enum Glanced {
    /// All is done.
    Done {
        /// Which way the connection goes.
        direction: SyncDirection,
    },
    /// The rest is for the leased run.
    GoOn(Option<Seen>),
}

/// A listing that was made without the lease.
pub struct Seen {
    /// What it brought.
    pub listing: Listing,
    /// When it began.
    pub began: DateTime<Utc>,
    fence: u64,
    requests: u64,
}

impl Seen {
    /// Whether nobody acted, and no request was made, between the look at the state and the lease that `state` names.
    pub fn is_last_before(&self, state: &SyncState) -> bool {
        (state.lease.fence, state.pending.counter) == (self.fence + 1, self.requests)
    }
}

/// Does without the lease what can be done without it.
pub async fn glance(sync: &SyncCalendar, request: &SyncRequest, report: &mut Report) -> Result<Glanced, Failure> {
    let (store, key) = (&sync.google.store, request.key);
    if request.by_a_person() || !request.tasks.contains(&SyncTask::PullEvents) {
        return Ok(Glanced::GoOn(None));
    }
    let Some(_entered) = sync.glances.enter(key) else { return Ok(Glanced::GoOn(None)) };
    // The state is read first: whatever is read after it was stored by nobody else when the commit succeeds.
    let Some(state) = store.state(key).await? else { return Ok(Glanced::GoOn(None)) };
    let Some(credentials) = store.credentials(key).await? else { return Ok(Glanced::GoOn(None)) };
    if request.notified_at.is_some_and(|at| push::says_nothing_new(&state, at)) {
        return Ok(Glanced::Done { direction: credentials.settings.sync_direction });
    }
    let Some(token) = cursor_if_calm(sync, request, &state, &credentials) else { return Ok(Glanced::GoOn(None)) };
    if !store.dirty_mappings(key, 1).await?.is_empty() {
        return Ok(Glanced::GoOn(None));
    }
    if request.due_at.is_some_and(|at| schedule::was_polled_since(&state, at)) {
        return Ok(Glanced::Done { direction: credentials.settings.sync_direction });
    }
    let began = sync.now();
    let mut google = GoogleSession::open(&sync.google, &credentials).await?;
    let listing = google.list(Some(&token), request.deadline).await?;
    report.google_calls += google.calls;
    let seen = Seen { listing, began, fence: state.lease.fence, requests: state.pending.counter };
    let Some((glance, glanced)) = follow_up(sync, request, report.clone(), state, &credentials, &seen).await? else {
        google.keep().await?;
        return Ok(Glanced::GoOn(Some(seen)));
    };
    if glanced.is_worth_a_row() {
        google.keep().await?;
    } else {
        google.keep_until(glance.state.next_sync_at).await?;
    }
    if !store.commit_glance(key, &glance).await? {
        return Ok(Glanced::GoOn(Some(seen)));
    }
    *report = glanced;
    Ok(Glanced::Done { direction: credentials.settings.sync_direction })
}

/// What follows from a listing, if it can be stored without the lease, and the account of it.
async fn follow_up(
    sync: &SyncCalendar,
    request: &SyncRequest,
    mut report: Report,
    mut state: SyncState,
    credentials: &InstructorCalendarCredentials,
    seen: &Seen,
) -> Result<Option<(Glance, Report)>, Failure> {
    let mut direction = credentials.settings.sync_direction;
    let announced = sync.hear(&mut state, request.notified_at);
    let mut round = Round {
        sync,
        request,
        report: &mut report,
        state: &mut state,
        direction: &mut direction,
        seen: None,
        announced,
    };
    round.note_silence();
    let Some((changed, listed)) = inbound::rows_alone(&round, &credentials.google_calendar_id, seen).await? else {
        return Ok(None);
    };
    round.report.zone = changed.zone;
    if listed.brought == Brought::Changes && !announced && round.state.doubted_since.is_none() {
        round.note_missing_notice(listed.began);
    }
    let Difference { changes, flags } =
        conflicts::difference(&mut round, &mut [], &changed, credentials.settings.sync_direction).await?;
    report.imported(&changed);
    listed.commit(announced, &mut state);
    sync.end_well(&mut state, credentials);
    let remove = changed.removals();
    let glance = Glance { state, put: changed.put, remove, conflicts: changes, flags };
    Ok((glance.items() <= Glance::MAX_ITEMS).then_some((glance, report)))
}

/// Where to list from, if a listing is all that there is to do and nobody else is at it.
fn cursor_if_calm(
    sync: &SyncCalendar,
    request: &SyncRequest,
    state: &SyncState,
    credentials: &InstructorCalendarCredentials,
) -> Option<String> {
    let now = sync.now();
    let (settings, pending) = (&credentials.settings, &state.pending.tasks);
    let burst = state.last_synced_at.is_some_and(|at| now - at < BURST) && request.trigger != SyncTrigger::Poll;
    let calm = state.lease.owner.is_none() && state.failures == 0 && !burst;
    let allowed = credentials.blocked().is_none() && settings.auto_sync && settings.sync_direction.imports();
    let inbound_alone =
        pending.union(&request.tasks).all(|kind| matches!(kind, SyncTask::PullEvents | SyncTask::PushLessons));
    let due = full_reconcile_due(state, credentials, now)
        || newly_in_window(state, Window::around(now), now).is_some()
        || channel::is_due(sync, settings, state, now);
    let cursor =
        state.cursor.as_ref().filter(|cursor| calm && allowed && inbound_alone && !due && !cursor.days_move)?;
    cursor.serves(&credentials.google_calendar_id, settings.sync_direction.writes()).then(|| cursor.token.clone())
}
