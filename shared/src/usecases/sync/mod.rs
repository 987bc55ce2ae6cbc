//! One run of the sync for one connection: takes the lease, goes its rounds, gives the lease back.
//!
//! A round lists what changed in Google ([`inbound`]), works out what the lessons want ([`outbound`]), finds and
//! clears conflicts ([`conflicts`]), writes to Google, and only then moves the cursor. A crash anywhere repeats work
//! and changes nothing twice.

mod channel;
mod conflicts;
mod inbound;
mod listed;
mod outbound;
mod own_events;
mod record;
mod report;
mod round;
mod settle;
mod words;

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};

use self::{
    report::{Ending, Report},
    round::Round,
};
use crate::{
    Error, Result,
    decide::{backoff, push, schedule},
    model::{
        CalendarSyncLog, ConnectionKey, InstructorCalendarCredentials, Notice, NoticeKind, SyncDirection, SyncLogId,
        SyncOutcome, SyncState, SyncTask, SyncTrigger, channel_token::WebhookKeys, connection::Blocked,
    },
    ports::{LeaseAttempt, NoticeBus, Random, Refusal, ReleaseOutcome, SyncMessage, SyncQueue},
    services::{
        deliver_notices,
        google_session::{Google, SessionError},
        lease::{self, LeaseGuard, lease_ran_out},
    },
};

/// Notices that could not be delivered are tried again after this time.
const DELIVER_AGAIN: TimeDelta = TimeDelta::minutes(2);
/// Notices are answered by listings that begin at least so far apart, also those of several runs: a burst is answered by
/// the listing that its first notice causes at once and one trailing listing.
const BETWEEN_LISTINGS: TimeDelta = TimeDelta::seconds(1);

/// Where Google sends push notifications.
#[derive(Debug, Clone)]
pub struct Push {
    /// The public HTTPS address of the webhook.
    pub address: String,
    /// The keys of channel tokens.
    pub keys: WebhookKeys,
}

#[derive(Clone)]
pub struct SyncCalendar {
    pub google: Google,
    /// For work that a later run continues.
    pub sync_queue: Arc<dyn SyncQueue>,
    pub bus: Arc<dyn NoticeBus>,
    pub random: Arc<dyn Random>,
    /// `None` without a public address: then all calendars are polled.
    pub push: Option<Push>,
}

#[derive(Debug, Clone)]
pub struct SyncRequest {
    pub key: ConnectionKey,
    pub trigger: SyncTrigger,
    pub tasks: BTreeSet<SyncTask>,
    /// The log row that a person follows.
    pub log_id: Option<SyncLogId>,
    /// The direction and days that a person asked for; `None` for a whole run.
    pub asked: Option<crate::model::SyncCalendarRequest>,
    /// When the push notification that caused it was received.
    pub notified_at: Option<DateTime<Utc>>,
    /// When the dispatcher found the poll due.
    pub due_at: Option<DateTime<Utc>>,
    /// When the run has to end.
    pub deadline: DateTime<Utc>,
}

impl SyncRequest {
    /// Whether a person caused it, rather than a schedule, a push notification or a changed lesson.
    fn by_a_person(&self) -> bool {
        match self.trigger {
            SyncTrigger::Connect | SyncTrigger::Manual | SyncTrigger::Settings => true,
            SyncTrigger::Webhook | SyncTrigger::Poll | SyncTrigger::Lesson => false,
        }
    }

    /// Whether a run that listed meanwhile has answered it: messages double, and wait in the queue for hours.
    fn is_answered(&self, state: &SyncState) -> bool {
        let told = self.notified_at.is_some_and(|at| push::says_nothing_new(state, at));
        let polled = self.due_at.is_some_and(|at| schedule::was_polled_since(state, at));
        state.pending.tasks.is_empty() && (told || polled)
    }

    /// Whether a person follows its log row.
    fn is_awaited(&self) -> bool {
        self.by_a_person() || self.log_id.is_some()
    }
}

/// How asking for a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SyncRun {
    /// It ran; what it did, and whether all of it is done.
    Ran(Box<CalendarSyncLog>),
    /// Another run is under way and will see to it.
    Held,
    /// Nothing may run.
    Blocked(Blocked),
    /// There is no such connection.
    NotConnected,
}

/// Why a round did not end well.
#[derive(Debug)]
enum Failure {
    Blocked(Blocked),
    /// The instructor syncs by hand, and no person asked for this run.
    ManualOnly,
    /// What a person asked for is no longer part of the connection's direction.
    DirectionOff,
    NotConnected,
    /// The instructor's permission is gone or does not suffice.
    Withdrawn {
        /// The connection as it was when Google refused.
        as_read: Box<InstructorCalendarCredentials>,
        /// What Google said.
        refusal: Refusal,
    },
    /// Google refuses our OAuth client.
    ClientRefused(Refusal),
    /// Google's usage limit: hours of rest.
    QuotaExceeded,
    /// There was no room in what Google allows a minute: a later run goes on.
    Paced,
    /// Another run took over; nothing may be done any more.
    LeaseLost,
    Other(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Other(error)
    }
}

impl From<SessionError> for Failure {
    fn from(error: SessionError) -> Self {
        match error {
            SessionError::Withdrawn { as_read, refusal } => Self::Withdrawn { as_read, refusal },
            SessionError::ClientRefused(refusal) => Self::ClientRefused(refusal),
            SessionError::Other(error) => Self::Other(error),
        }
    }
}

impl SyncCalendar {
    fn now(&self) -> DateTime<Utc> {
        self.google.clock.now()
    }

    /// Runs a sync now, or leaves the request with the run that is under way.
    pub async fn run(&self, request: &SyncRequest) -> Result<SyncRun> {
        let (started_at, report) = (self.now(), Report::default());
        let guard = LeaseGuard::new(&self.google, request.key, request.deadline);
        // A run that a person bounded comes again as it is, and is no request for the holder of the lease.
        let for_the_holder = match &request.asked {
            Some(asked) if asked.is_narrowed() => BTreeSet::new(),
            Some(_) | None => {
                request.tasks.iter().copied().chain(request.notified_at.map(|_| SyncTask::Noticed)).collect()
            }
        };
        let state = match guard.acquire(self.random.uuid(), &for_the_holder).await? {
            LeaseAttempt::Granted(state) => *state,
            LeaseAttempt::Held { .. } => return Ok(SyncRun::Held),
            LeaseAttempt::NotConnected => {
                self.end_in_vain(request, report, "The calendar is no longer connected.", started_at).await?;
                return Ok(SyncRun::NotConnected);
            }
        };
        let run = self.run_leased(request, report, state, started_at);
        guard.hold(run).await.unwrap_or_else(|| Err(lease_ran_out()))
    }

    async fn run_leased(
        &self,
        request: &SyncRequest,
        mut report: Report,
        mut state: SyncState,
        started_at: DateTime<Utc>,
    ) -> Result<SyncRun> {
        let store = &self.google.store;
        if let Some(ended) = self.end_answered(request, &mut state, started_at).await? {
            return Ok(ended);
        }
        // A run that a person bounded serves that person alone: the requests of others stay pending.
        let mut inherited = state.pending.tasks.clone();
        state.pending.tasks.extend(&request.tasks);
        if !request.by_a_person() && state.backoff_until.is_some_and(|until| until > self.now()) {
            return self.keep_resting(request, report, state, started_at).await;
        }
        if request.trigger == SyncTrigger::Webhook
            && let Some(listed_at) = state.listed_at
        {
            inherited.extend(self.wait(request.key, listed_at + BETWEEN_LISTINGS, &mut state).await?);
        }
        let mut direction = SyncDirection::TwoWay;
        // The first round answers it.
        let mut notified_at = request.notified_at;
        let (outcome, blocked) = loop {
            let round_started = self.now();
            let announced = self.hear(&mut state, notified_at.take());
            let listed_at = state.listed_at;
            let ended = Round {
                sync: self,
                request,
                report: &mut report,
                state: &mut state,
                direction: &mut direction,
                announced,
            }
            .go()
            .await;
            if matches!(ended, Err(Failure::LeaseLost)) {
                tracing::warn!(connection = %request.key, "another run took over");
                return Ok(SyncRun::Held);
            }
            let (outcome, blocked) = self.settle(&mut state, &mut report, ended, request).await?;
            let is_left = state.failures > 0 || report.ending == Ending::Paced || state.listing.is_some();
            if announced && is_left && state.listed_at == listed_at {
                // The listing failed, or has more pages: keep the notification, so that the next run does not count this
                // change as unannounced.
                state.pending.tasks.insert(SyncTask::Noticed);
            }
            if report.narrowed && state.failures > 0 {
                // The person sees that it failed; whoever tries again is not to go beyond its bounds.
                state.pending.tasks.remove(&SyncTask::FullReconcile);
                state.pending.tasks.extend(&inherited);
            } else if report.narrowed {
                state.pending.tasks.clone_from(&inherited);
                // A connection that is not polled may have a pending request all the same.
                let goes_on = state.next_sync_at.is_some() || !inherited.is_empty();
                state.next_sync_at = goes_on.then(|| self.now());
            }
            // Before the lease is released: if this run dies here, the next one delivers them.
            if !self.deliver_notices(request.key).await {
                let again = self.now() + DELIVER_AGAIN;
                state.next_sync_at = Some(state.next_sync_at.map_or(again, |next| next.min(again)));
            }
            match store.release_lease(request.key, &state).await? {
                ReleaseOutcome::Released => break (outcome, blocked),
                ReleaseOutcome::Lost => return Ok(SyncRun::Held),
                ReleaseOutcome::NewRequests(fresh) => {
                    state.pending.counter = fresh.pending.counter;
                    inherited.extend(&fresh.pending.tasks);
                    state.pending.tasks.extend(fresh.pending.tasks);
                }
            }
            let again_at = (round_started + BETWEEN_LISTINGS).max(self.now());
            // What failed may work now, since a setting may have changed or the instructor connected again.
            let well = (state.failures == 0 && report.ending != Ending::Paced) || blocked.is_some();
            if well && !report.narrowed && again_at + BETWEEN_LISTINGS < request.deadline {
                inherited.extend(self.wait(request.key, again_at, &mut state).await?);
                continue;
            }
            // Who was to be polled no more may have logged in anew since that was found.
            if well || state.next_sync_at.is_none() {
                state.next_sync_at = Some(self.now());
            }
            if lease::release(self.google.store.as_ref(), request.key, &mut state).await? && well && blocked.is_none() {
                // Where a person bounded the run, another request counts as a person's only if it is for everything;
                // otherwise the settings decide.
                let by_nobody = report.narrowed && !state.pending.tasks.contains(&SyncTask::FullReconcile);
                let trigger = if by_nobody { SyncTrigger::Poll } else { request.trigger };
                self.send_for_others(request.key, trigger, &state).await?;
            }
            break (outcome, blocked);
        };
        if let Some(blocked) = blocked {
            // Only persons ask for everything, and what they may ask for this run may not do: one who found the lease
            // held left it here, or an earlier run did not come to it.
            if !request.by_a_person() && state.pending.tasks.contains(&SyncTask::FullReconcile) {
                self.send_for_others(request.key, SyncTrigger::Settings, &state).await?;
            }
            self.end_in_vain(request, report, "Nothing may run for this connection now.", started_at).await?;
            return Ok(SyncRun::Blocked(blocked));
        }
        if outcome != SyncOutcome::Running {
            return self.record(request, report, direction, outcome, started_at).await;
        }
        // Where no person waits, the poll continues what waits for Google's quota. It knows no log row.
        if report.ending == Ending::Paced && !request.is_awaited() {
            let outcome = if report.failed > 0 { SyncOutcome::Partial } else { SyncOutcome::Completed };
            return self.record(request, report, direction, outcome, started_at).await;
        }
        // What was done so far is recorded before the rest can be.
        let delay =
            if report.ending == Ending::Paced { backoff::PACED.to_std().unwrap_or_default() } else { Duration::ZERO };
        let rest = std::mem::take(&mut report.rest);
        let ran = self.record(request, report, direction, outcome, started_at).await?;
        if let SyncRun::Ran(log) = &ran {
            self.send_for_the_rest(request, rest, log.id, delay).await?;
        }
        Ok(ran)
    }

    /// Takes committed notices to the bus. False when some are left: then a run has to come soon, even for a connection
    /// that no longer syncs.
    async fn deliver_notices(&self, key: ConnectionKey) -> bool {
        let delivered = deliver_notices::deliver(self.google.store.as_ref(), self.bus.as_ref(), key).await;
        if let Err(error) = &delivered {
            tracing::error!(connection = %key, ?error, notices_undelivered = 1, "notices stay in the outbox");
        }
        delivered.is_ok()
    }

    fn notice(&self, key: ConnectionKey, kind: NoticeKind) -> Notice {
        Notice { id: self.random.uuid(), key, kind, at: self.now() }
    }

    /// Waits under the lease and takes in the requests that came meanwhile: the next round answers them too. It waits
    /// no longer than two listings lie apart, also when another process's clock is ahead.
    async fn wait(
        &self,
        key: ConnectionKey,
        until: DateTime<Utc>,
        state: &mut SyncState,
    ) -> Result<BTreeSet<SyncTask>> {
        let Some(rest) = (until - self.now()).min(BETWEEN_LISTINGS).to_std().ok().filter(|rest| !rest.is_zero()) else {
            return Ok(BTreeSet::new());
        };
        self.google.clock.sleep(rest).await;
        let Some(fresh) = self.google.store.state(key).await? else { return Ok(BTreeSet::new()) };
        // The next owner of the lease raises the fence, by which this run is refused.
        state.pending.counter = fresh.pending.counter;
        state.pending.tasks.extend(&fresh.pending.tasks);
        Ok(fresh.pending.tasks)
    }

    /// Leaves a connection that backs off after a failure alone; its requests stay pending until then.
    async fn keep_resting(
        &self,
        request: &SyncRequest,
        mut report: Report,
        mut state: SyncState,
        started_at: DateTime<Utc>,
    ) -> Result<SyncRun> {
        if self.hear(&mut state, request.notified_at) {
            state.pending.tasks.insert(SyncTask::Noticed);
        }
        state.next_sync_at = state.backoff_until;
        if !self.deliver_notices(request.key).await {
            let again = self.now() + DELIVER_AGAIN;
            state.next_sync_at = state.next_sync_at.map(|next| next.min(again));
        }
        lease::release(self.google.store.as_ref(), request.key, &mut state).await?;
        if request.log_id.is_none() {
            return Ok(SyncRun::Held);
        }
        // The poll continues an earlier run: no message is needed until then.
        report.say("The connection rests after a failure; what is left follows after that.");
        self.record(request, report, SyncDirection::TwoWay, SyncOutcome::Partial, started_at).await
    }

    /// Sends a message for requests that came meanwhile.
    async fn send_for_others(&self, key: ConnectionKey, trigger: SyncTrigger, state: &SyncState) -> Result<()> {
        let tasks = state.pending.tasks.iter().copied().collect();
        let message = SyncMessage::new(key, trigger, tasks);
        self.sync_queue.send(&message, Duration::ZERO).await
    }

    /// Sends a message for the rest of what was asked for, in the same bounds and with the same log row.
    async fn send_for_the_rest(
        &self,
        request: &SyncRequest,
        rest: BTreeSet<SyncTask>,
        log_id: SyncLogId,
        delay: Duration,
    ) -> Result<()> {
        let SyncRequest { key, trigger, asked, .. } = request.clone();
        let message =
            SyncMessage { log_id: Some(log_id), asked, ..SyncMessage::new(key, trigger, rest.into_iter().collect()) };
        self.sync_queue.send(&message, delay).await
    }
}
