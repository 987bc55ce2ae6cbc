//! The steps of a round: everything that is wanted now, in the order in which a crash does no harm.

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    Failure, channel, conflicts,
    delta::Delta,
    inbound::{self, Imported},
    outbound::{self, Work},
    round::Round,
};
use crate::{
    decide::{
        ending::Left,
        job::Reach,
        push::{self, Brought},
        schedule,
    },
    model::{InstructorCalendarCredentials, ListingProgress, SyncState, SyncTask, Window, listing::Scope},
    services::google_session::GoogleSession,
};

/// The end of the window moves on in steps of this length.
const HORIZON_STEP: TimeDelta = TimeDelta::days(1);

/// What a look at the calendar brought.
struct Looked {
    changed: Delta,
    /// `None` when the calendar was not listed.
    imported: Option<Imported>,
    /// Whether a full reconcile came to its end, as far as Google's side goes.
    reconciled: bool,
}

impl Round<'_> {
    /// Goes the round.
    pub async fn go(mut self, credentials: &InstructorCalendarCredentials) -> Result<(), Failure> {
        let sync = self.sync;
        let calls_before = self.report.google_calls;
        let mut google = GoogleSession::open(&sync.google, credentials).await?;
        let ended = self.steps(credentials, &mut google).await;
        self.report.google_calls = calls_before + google.calls;
        // What was changed is soon looked at again; where nothing was, the next run is the next poll.
        let kept = if ended.is_ok() && !self.report.is_worth_a_row() {
            google.keep_until(schedule::next_poll(&credentials.settings, self.state, sync.now(), 0)).await
        } else {
            google.keep().await
        };
        ended?;
        Ok(kept?)
    }

    async fn steps(
        &mut self,
        credentials: &InstructorCalendarCredentials,
        google: &mut GoogleSession<'_>,
    ) -> Result<(), Failure> {
        let (sync, job, started) = (self.sync, self.job, self.sync.now());
        let full_reconcile = self.reconciles(credentials, started);
        self.report.zone = self.state.calendar_time_zone;
        if job.allowed().imports() {
            self.note_silence();
        }
        let written = self.report.counts.written();
        let taken_over = channel::open_if_due(self, credentials, google).await?;
        let Looked { changed, imported, reconciled } = self.look(credentials, google, full_reconcile).await?;
        let bounds = self.request.asked.as_ref();
        let window = bounds.map_or_else(|| Window::around(started), |asked| asked.window(changed.zone, started));
        let newly_in_window = newly_in_window(self.state, window, started);
        let is_closed = matches!(imported, Some(Imported::Wholly(_)));
        let work = self.intend(window, full_reconcile, newly_in_window, &changed, is_closed).await?;
        let carried_out = outbound::carry_out(self, work, google).await;
        let no_more_to_tell = || push::predecessors_are_done(self.state, sync.now());
        let may_close = imported.as_ref().map_or_else(no_more_to_tell, Imported::is_good);
        if carried_out.is_ok()
            && let Some(Imported::Wholly(listed)) = imported
        {
            listed.commit(job.announced, self.state);
        }
        if self.report.counts.written() > written {
            self.expect_notice();
        }
        carried_out?;
        self.report.reconciled |= full_reconcile;
        if job.reach == Reach::Whole {
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
            channel::close_later(sync, self.request.key).await?;
        }
        Ok(())
    }

    /// Whether all lessons are to be reconciled with all mappings. The daily full reconcile waits for a run that has Google's
    /// list before it in any case, which there is each few hours.
    fn reconciles(&self, credentials: &InstructorCalendarCredentials, now: DateTime<Utc>) -> bool {
        let looks = self.job.asks_for(SyncTask::PullEvents) || !self.job.allowed().imports();
        let is_due = || full_reconcile_due(self.state, credentials, now) && !self.reconciles_already(credentials);
        self.job.asks_for(SyncTask::FullReconcile) || looks && is_due()
    }

    /// Lists the calendar where that is asked for or owed, a page of it, and stores what it shows.
    async fn look(
        &mut self,
        credentials: &InstructorCalendarCredentials,
        google: &mut GoogleSession<'_>,
        full_reconcile: bool,
    ) -> Result<Looked, Failure> {
        let (job, calendar) = (self.job, credentials.google_calendar_id.clone());
        let forgets = !job.allowed().imports() && (self.state.cursor.is_some() || full_reconcile);
        if forgets {
            inbound::clear(self).await?;
        }
        let state = &*self.state;
        let everything = full_reconcile || forgets;
        let mut changed = Delta { everything, ..Delta::nothing(calendar, state.calendar_time_zone) };
        let is_under_way = state.listing.is_some();
        let owed = state.cursor.is_none() || is_under_way || push::owes_listing(state, self.sync.now());
        if job.direction.imports() && (job.asks_for(SyncTask::PullEvents) || full_reconcile || owed) {
            let (scope, writes) = (Scope::Imports, job.direction.writes());
            let imported = inbound::import(self, credentials, google, scope, writes, &mut changed).await?;
            self.report.zone = changed.zone;
            self.judge(&imported, &mut changed);
            return Ok(Looked { changed, imported: Some(imported), reconciled: full_reconcile });
        }
        let mut reconciled = full_reconcile;
        if (full_reconcile || is_under_way) && !job.allowed().imports() {
            reconciled = inbound::look_after_own(self, credentials, google, &mut changed).await?;
        }
        Ok(Looked { changed, imported: None, reconciled })
    }

    /// Works out what the lessons want, with their conflicts, and stores what is about to be written.
    async fn intend(
        &mut self,
        window: Window,
        full_reconcile: bool,
        newly_in_window: Option<Window>,
        changed: &Delta,
        is_closed: bool,
    ) -> Result<Vec<Work>, Failure> {
        let (direction, allowed) = (self.job.direction, self.job.allowed());
        let (mut work, more) = outbound::gather(self, window, full_reconcile, newly_in_window).await?;
        // What a bounded run leaves keeps its mark: the next would only come upon it again.
        let marked = |work: &Work| work.stored.as_ref().is_some_and(|mapping| mapping.mark.is_set);
        let settles = !self.job.is_bounded() || (direction.writes() || !allowed.writes()) && work.iter().any(marked);
        if more && settles {
            self.report.leave(Left::MoreAtOnce, "There is more to do than one run takes; the rest follows at once.");
        }
        outbound::intend(self, &mut work).await?;
        // What is not known yet may clear what would be found now.
        let waits = allowed.imports() && self.state.is_known_in_part() && !is_closed;
        if waits {
            conflicts::clear_of_removed(self, &mut work, changed).await?;
        } else if allowed.imports() || changed.everything {
            conflicts::refresh(self, &mut work, changed).await?;
        }
        Ok(work)
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
                if listed.brought == Brought::Changes && !self.job.announced && self.state.doubted_since.is_none() {
                    self.note_missing_notice(listed.began);
                }
            }
        }
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
