//! One round: everything that is wanted now, in the order in which a crash does no harm.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;

use super::{
    Failure, Report, SyncCalendar, SyncRequest, channel, conflicts,
    inbound::{self, Imported},
    outbound::{self, Work},
    report::Ending,
};
use crate::{
    decide::{
        push::{self, Brought},
        schedule,
    },
    model::{
        CalendarId, EventId, ExternalCalendarEvent, InstructorCalendarCredentials, ListingProgress, SyncDirection,
        SyncState, SyncTask, Window, connection::Blocked, listing::Scope,
    },
    services::{google_session::GoogleSession, instructor_row::write_enabled},
};

/// The end of the window moves on in steps of this length.
const HORIZON_STEP: TimeDelta = TimeDelta::days(1);

/// What a round works with.
pub struct Round<'a> {
    /// The services.
    pub sync: &'a SyncCalendar,
    /// What was asked for.
    pub request: &'a SyncRequest,
    /// The account of the run.
    pub report: &'a mut Report,
    /// The state under the lease. Its cursor moves at the very end.
    pub state: &'a mut SyncState,
    /// Which way the run went.
    pub direction: &'a mut SyncDirection,
    /// Whether a notice has told that there is something to find.
    pub announced: bool,
}

/// What a round stored, and what the state learns at its end.
#[derive(Debug)]
pub struct Delta {
    /// The calendar that they stand in.
    pub calendar: CalendarId,
    /// The rows of external events that changed.
    pub put: Vec<ExternalCalendarEvent>,
    /// External events whose rows went.
    pub gone: BTreeSet<EventId>,
    /// The calendar's zone as the listing said; the state learns it with the cursor.
    pub zone: Tz,
    /// All conflicts are to be worked out anew: the calendar's zone changed, all of it was listed or forgotten, or everything
    /// is compared.
    pub everything: bool,
}

impl Delta {
    /// Nothing yet.
    pub fn nothing(calendar: CalendarId, zone: Tz) -> Self {
        Self { calendar, put: Vec::new(), gone: BTreeSet::new(), zone, everything: false }
    }

    /// The rows that went, as the store names them.
    pub fn removals(&self) -> Vec<(CalendarId, EventId)> {
        self.gone.iter().map(|id| (self.calendar.clone(), id.clone())).collect()
    }
}

impl Round<'_> {
    /// Goes the round.
    pub async fn go(mut self) -> Result<InstructorCalendarCredentials, Failure> {
        let (sync, request) = (self.sync, self.request);
        self.report.ending = Ending::Complete;
        let Some(credentials) = sync.google.store.credentials(request.key).await? else {
            return Err(Failure::NotConnected);
        };
        // The process that changed them, or made the connection, may have died before the instructor's row said so.
        if self.state.reconciled_at.is_none_or(|at| credentials.updated_at > at) {
            write_enabled(sync.google.store.as_ref(), request.key, credentials.settings.sync_enabled).await?;
        }
        if let Some(blocked) = credentials.blocked() {
            if blocked == Blocked::SwitchedOff {
                channel::close(&mut self, &credentials).await?;
            }
            return Err(Failure::Blocked(blocked));
        }
        let asked = request.asked.as_ref();
        let allowed = credentials.settings.sync_direction;
        let direction = asked.and_then(|asked| asked.direction).map_or(Some(allowed), |asked| asked.within(allowed));
        self.report.narrowed = direction != Some(allowed) || asked.is_some_and(|asked| asked.dates.is_some());
        let Some(direction) = direction else { return Err(Failure::DirectionOff) };
        *self.direction = direction;
        if !credentials.settings.auto_sync && !request.by_a_person() {
            channel::close(&mut self, &credentials).await?;
            return Err(Failure::ManualOnly);
        }
        let calls_before = self.report.google_calls;
        let mut google = GoogleSession::open(&sync.google, &credentials).await?;
        let ended = self.steps(&credentials, direction, &mut google).await;
        self.report.google_calls = calls_before + google.calls;
        // What was changed is soon looked at again; where nothing was, the next run is the next poll.
        let kept = if ended.is_ok() && !self.report.is_worth_a_row() {
            google.keep_until(schedule::next_poll(&credentials.settings, self.state, sync.now(), 0)).await
        } else {
            google.keep().await
        };
        ended?;
        kept?;
        Ok(credentials)
    }

    async fn steps(
        &mut self,
        credentials: &InstructorCalendarCredentials,
        direction: SyncDirection,
        google: &mut GoogleSession<'_>,
    ) -> Result<(), Failure> {
        let (sync, request) = (self.sync, self.request);
        let started = sync.now();
        let tasks = self.state.pending.tasks.clone();
        // The daily full reconcile waits for a run that has Google's list before it in any case, which there is each few hours.
        let looks = tasks.contains(&SyncTask::PullEvents) || !credentials.settings.sync_direction.imports();
        let full_reconcile = tasks.contains(&SyncTask::FullReconcile)
            || (looks && full_reconcile_due(self.state, credentials, started) && !self.reconciles_already(credentials));
        let calendar = credentials.google_calendar_id.clone();
        let zone = self.state.calendar_time_zone;
        self.report.zone = zone;
        let mut changed = Delta { everything: full_reconcile, ..Delta::nothing(calendar, zone) };

        if !credentials.settings.sync_direction.imports() && (self.state.cursor.is_some() || full_reconcile) {
            inbound::clear(self).await?;
            channel::close(self, credentials).await?;
            changed.everything = true;
        }
        self.note_silence();
        let written = self.report.counts.written();
        let taken_over = channel::open_if_due(self, credentials, google).await?;

        let mut imported = None;
        let mut reconciled = full_reconcile;
        let is_under_way = self.state.listing.is_some();
        let owed = self.state.cursor.is_none() || is_under_way || push::owes_listing(self.state, sync.now());
        let list = tasks.contains(&SyncTask::PullEvents) || full_reconcile || owed;
        if direction.imports() && list {
            let scope = Scope::Imports;
            let listed = inbound::import(self, credentials, google, scope, direction.writes(), &mut changed).await?;
            self.report.zone = changed.zone;
            self.judge(&listed, &mut changed);
            imported = Some(listed);
        } else if (full_reconcile || is_under_way) && !credentials.settings.sync_direction.imports() {
            reconciled = inbound::look_after_own(self, credentials, google, &mut changed).await?;
        }
        let window =
            request.asked.as_ref().map_or_else(|| Window::around(started), |asked| asked.window(changed.zone, started));
        let newly_in_window = newly_in_window(self.state, window, started);
        // Whatever a person bounded this run to, the connection is what conflicts and the host's columns go by.
        let allowed = credentials.settings.sync_direction;
        let (mut work, more) = outbound::gather(self, window, full_reconcile, newly_in_window, direction).await?;
        // What a bounded run leaves keeps its mark: the next would only come upon it again.
        let marked = |work: &Work| work.stored.as_ref().is_some_and(|mapping| mapping.mark.is_set);
        let settles = !self.report.narrowed || (direction.writes() || !allowed.writes()) && work.iter().any(marked);
        if more && settles {
            self.report.leave(Ending::MoreAtOnce, "There is more to do than one run takes; the rest follows at once.");
        }
        outbound::intend(self, &mut work, direction, allowed).await?;
        // What is not known yet may clear what would be found now.
        let is_closed = matches!(imported, Some(Imported::Wholly(_)));
        let waits = allowed.imports() && self.state.is_known_in_part() && !is_closed;
        if !waits && (allowed.imports() || changed.everything) {
            conflicts::refresh(self, &mut work, &changed, allowed).await?;
        }
        let carried_out = outbound::carry_out(self, work, google, direction, allowed).await;
        let no_more_to_tell = || push::predecessors_are_done(self.state, sync.now());
        let may_close = imported.as_ref().map_or_else(no_more_to_tell, Imported::is_good);
        if carried_out.is_ok()
            && let Some(Imported::Wholly(listed)) = imported
        {
            listed.commit(self.announced, self.state);
        }
        if self.report.counts.written() > written {
            self.expect_notice();
        }
        carried_out?;
        self.report.reconciled |= full_reconcile;
        if !self.report.narrowed {
            if reconciled {
                self.state.reconciled_at = Some(started);
            }
            if newly_in_window.is_some() || full_reconcile {
                self.state.horizon = Some(window.to);
            }
        }
        // At the end: nothing else waits for channels that cannot be closed.
        if may_close {
            channel::close_retired(self, google).await;
        } else if taken_over {
            channel::close_later(sync, request.key).await?;
        }
        Ok(())
    }

    /// Whether the look at our own events is under way with which the last full reconcile began.
    fn reconciles_already(&self, credentials: &InstructorCalendarCredentials) -> bool {
        let own_events = Scope::OwnEvents.shape(&credentials.google_calendar_id);
        let goes_on = |listing: &ListingProgress| {
            listing.shape == own_events && listing.pages > 0 && listing.began >= credentials.updated_at
        };
        self.state.listing.as_ref().is_some_and(goes_on)
    }

    /// What a listing says of push; one with more pages to come says nothing yet, also of conflicts.
    fn judge(&mut self, imported: &Imported, changed: &mut Delta) {
        match imported {
            Imported::InPart => changed.everything = false,
            Imported::Wholly(listed) => {
                if listed.brought == Brought::Changes && !self.announced && self.state.doubted_since.is_none() {
                    self.note_missing_notice(listed.began);
                }
            }
        }
    }

    /// Stores the state as it is, if the lease is still ours.
    pub async fn save(&mut self) -> Result<(), Failure> {
        let saved = self.sync.google.store.save_state(self.request.key, self.state).await?;
        if saved { Ok(()) } else { Err(Failure::LeaseLost) }
    }
}

/// Whether the daily full reconcile is due. After a change of settings it is due too, also when its message was lost.
fn full_reconcile_due(state: &SyncState, credentials: &InstructorCalendarCredentials, now: DateTime<Utc>) -> bool {
    state.reconciled_at.is_none_or(|at| now - at > schedule::FULL_RECONCILE_INTERVAL || credentials.updated_at > at)
}

/// The part of the window that no run has looked at yet.
fn newly_in_window(state: &SyncState, window: Window, started: DateTime<Utc>) -> Option<Window> {
    match state.horizon {
        None => Some(window),
        Some(until) if window.to - until > HORIZON_STEP => Some(Window { from: until.max(started), to: window.to }),
        Some(_) => None,
    }
}
