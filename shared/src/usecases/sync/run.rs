//! The run under its lease: a round, and another for what was asked for meanwhile, until the lease is given back.

use std::{collections::BTreeSet, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};

use super::{Failure, SyncCalendar, SyncRequest, SyncRun, channel, report::Report, round::Round};
use crate::{
    ErrorKind, Result,
    decide::{
        ending::{self, Conclusion, Ended, Ending, Left, Newcomers, Rest, Stop, conclude, refuse},
        job::{Job, Refused},
    },
    model::{
        ConnectionStatus, Cursor, InstructorCalendarCredentials, ListingProgress, NoticeKind, SyncDirection, SyncLogId,
        SyncOutcome, SyncState, SyncTask, SyncTrigger, connection::Blocked,
    },
    ports::{Refusal, ReleaseOutcome, SyncMessage},
    services::{google_session::client_refused, instructor_row::write_enabled, lease},
};

/// Notices that could not be delivered are tried again after this time.
const DELIVER_AGAIN: TimeDelta = TimeDelta::minutes(2);
/// Push notifications are answered by listings that begin at least so far apart, also those of several runs: a burst is
/// answered by the listing that its first causes at once and one trailing listing.
const BETWEEN_LISTINGS: TimeDelta = TimeDelta::seconds(1);

pub struct Run<'a> {
    sync: &'a SyncCalendar,
    request: &'a SyncRequest,
    /// What of the request no round has begun with.
    asked: BTreeSet<SyncTask>,
    notified_at: Option<DateTime<Utc>>,
    report: Report,
    /// Under the lease. Its pending tasks are those of others, until a round has ended.
    state: SyncState,
    /// Which way the last round went.
    direction: SyncDirection,
    started_at: DateTime<Utc>,
    /// How far the listing was when the run began.
    began_at: (Option<Cursor>, Option<ListingProgress>),
}

impl<'a> Run<'a> {
    pub fn new(sync: &'a SyncCalendar, request: &'a SyncRequest, state: SyncState, started_at: DateTime<Utc>) -> Self {
        Self {
            sync,
            request,
            began_at: (state.cursor.clone(), state.listing.clone()),
            asked: request.tasks.clone(),
            notified_at: request.notified_at,
            report: Report::default(),
            state,
            direction: SyncDirection::TwoWay,
            started_at,
        }
    }

    pub async fn go(mut self) -> Result<SyncRun> {
        self.count_cut().await?;
        if let Some(ended) = self.sync.end_answered(self.request, &mut self.state, self.started_at).await? {
            return Ok(ended);
        }
        if !self.request.by_a_person() && self.state.backoff_until.is_some_and(|until| until > self.sync.now()) {
            return self.keep_resting().await;
        }
        if self.request.trigger == SyncTrigger::Webhook
            && let Some(listed_at) = self.state.listed_at
        {
            self.wait(listed_at + BETWEEN_LISTINGS).await?;
        }
        loop {
            let round_began = self.sync.now();
            let Some(conclusion) = self.round().await? else {
                tracing::warn!(connection = %self.request.key, "another run took over");
                return Ok(SyncRun::Held);
            };
            self.deliver_notices().await;
            match self.sync.google.store.release_lease(self.request.key, &self.state).await? {
                ReleaseOutcome::Released => return self.finish(conclusion).await,
                ReleaseOutcome::Lost => return Ok(SyncRun::Held),
                ReleaseOutcome::NewRequests(fresh) => self.take_in(*fresh),
            }
            let again_at = (round_began + BETWEEN_LISTINGS).max(self.sync.now());
            if conclusion.newcomers == Newcomers::AtOnce && again_at + BETWEEN_LISTINGS < self.request.deadline {
                self.wait(again_at).await?;
            } else {
                self.leave(conclusion.newcomers).await?;
                return self.finish(conclusion).await;
            }
        }
    }

    /// Stores at once that the run before was cut, so that it counts also if this one is.
    async fn count_cut(&mut self) -> Result<()> {
        if self.state.lease.cut.take().is_none() {
            return Ok(());
        }
        let (sync, key) = (self.sync, self.request.key);
        // Where no run may start, nothing is left to fail. What cannot be read fails the round, too.
        let counts = match sync.google.store.credentials(key).await {
            Ok(credentials) => credentials.is_some_and(|credentials| credentials.blocked().is_none()),
            Err(_) => true,
        };
        if !counts {
            return Ok(());
        }
        let notice = ending::count_cut(&mut self.state, sync.now(), sync.random.jitter());
        tracing::warn!(connection = %key, runs_cut = 1, failures = self.state.failures, "the run before was cut");
        self.report.say("The run before was cut off before its end; this one goes on.");
        self.report.changed = true;
        self.tell(notice).await?;
        sync.google.store.save_state(key, &self.state).await?;
        Ok(())
    }

    /// Goes a round, and writes how it ended into the state. `None` when another run took over: then nothing may be done
    /// any more.
    async fn round(&mut self) -> Result<Option<Conclusion>> {
        let (sync, request) = (self.sync, self.request);
        let announced = channel::hear(&mut self.state, self.notified_at.take(), sync.now());
        let asked = std::mem::take(&mut self.asked);
        let listed_before = self.state.listed_at;
        let credentials = match self.credentials().await {
            Ok(Some(credentials)) => credentials,
            Ok(None) => {
                let gone = Refused::Blocked(Blocked::Disconnecting);
                return Ok(Some(refuse(&mut self.state, &asked, gone, announced, sync.now())));
            }
            Err(error) => {
                let job = Job::unread(request, &asked, &self.state.pending.tasks, announced);
                self.direction = job.direction;
                return self.conclude(&job, Err(error.into()), listed_before).await;
            }
        };
        let job = match Job::decide(request, &asked, &self.state.pending.tasks, announced, &credentials) {
            Ok(job) => job,
            Err(refused) => {
                if matches!(refused, Refused::ManualOnly | Refused::Blocked(Blocked::SwitchedOff)) {
                    channel::close(sync, &mut self.state, &credentials, request.deadline).await;
                }
                return Ok(Some(refuse(&mut self.state, &asked, refused, announced, sync.now())));
            }
        };
        self.direction = job.direction;
        self.report.left = Left::Nothing;
        let round = Round { sync, request, job: &job, report: &mut self.report, state: &mut self.state };
        let ended = round.go(&credentials).await;
        self.end_idle_chain();
        self.conclude(&job, ended, listed_before).await
    }

    /// The connection's settings, which the instructor's row says too from now on: the process that changed them, or made
    /// the connection, may have died before it did.
    async fn credentials(&self) -> Result<Option<InstructorCalendarCredentials>> {
        let (store, key) = (&self.sync.google.store, self.request.key);
        let credentials = store.credentials(key).await?;
        if let Some(credentials) = &credentials
            && self.state.reconciled_at.is_none_or(|at| credentials.updated_at > at)
        {
            write_enabled(store.as_ref(), key, credentials.settings.sync_enabled).await?;
        }
        Ok(credentials)
    }

    /// Writes into the state how the round ended.
    async fn conclude(
        &mut self,
        job: &Job,
        ended: std::result::Result<(), Failure>,
        listed_before: Option<DateTime<Utc>>,
    ) -> Result<Option<Conclusion>> {
        let (sync, request, key) = (self.sync, self.request, self.request.key);
        let ending = match ended {
            Ok(()) => Ending::Through(self.report.left),
            Err(Failure::LeaseLost) => return Ok(None),
            Err(failure) => Ending::Stopped(self.stopped(failure).await?),
        };
        let ended = Ended {
            asked: &request.tasks,
            is_awaited: request.is_awaited(),
            has_failures: self.report.failed > 0,
            listed_before,
            now: sync.now(),
            jitter: sync.random.jitter(),
        };
        let conclusion = conclude(&mut self.state, job, &ending, ended);
        if matches!(ending, Ending::Through(Left::Failed | Left::QuotaExceeded)) {
            tracing::warn!(connection = %key, code = self.state.last_error.as_deref(), "something is left");
        }
        self.tell(conclusion.notice.clone()).await?;
        Ok(Some(conclusion))
    }

    /// Whether anything was done that the next part of the run need not do again.
    fn came_to_something(&self) -> bool {
        self.report.is_worth_a_row() || self.began_at != (self.state.cursor.clone(), self.state.listing.clone())
    }

    /// Has a run fail, and rest, that is to continue once more after very many that came to nothing.
    fn end_idle_chain(&mut self) {
        if self.report.left == Left::MoreAtOnce && self.request.has_hopped_enough() && !self.came_to_something() {
            self.report.leave(Left::Failed, "Very many runs in a row came to nothing.");
        }
    }

    /// Why the round stopped; it stands in the log row, too.
    async fn stopped(&mut self, failure: Failure) -> Result<Stop> {
        Ok(match failure {
            Failure::Paced => {
                self.report.wait();
                Stop::Throttled
            }
            Failure::Withdrawn { as_read, refusal } => {
                self.report.say(format!(
                    "Google no longer permits access to this calendar ({refusal}); the instructor has to connect again."
                ));
                // A round for what was asked for meanwhile finds that nothing may run; the row still says why.
                self.report.changed = true;
                self.withdraw(&as_read, refusal).await?
            }
            Failure::ClientRefused(refusal) => {
                self.report.say(client_refused(&refusal).message().to_owned());
                Stop::ClientRefused { reason: refusal.reason }
            }
            Failure::QuotaExceeded => {
                let text = "Google's usage limit for this calendar is exceeded; we pause for hours.";
                self.report.leave(Left::QuotaExceeded, text);
                Stop::QuotaExceeded
            }
            Failure::LeaseLost => return Err(lease::lease_ran_out()),
            Failure::Other(error) => {
                tracing::error!(connection = %self.request.key, ?error, "the run failed");
                self.report.say(format!("The run failed: {}", error.message()));
                Stop::Failed { code: error.code() }
            }
        })
    }

    /// Stores that the permission is gone, with what the instructor is told.
    async fn withdraw(&self, as_read: &InstructorCalendarCredentials, refusal: Refusal) -> Result<Stop> {
        let reason = refusal.reason;
        let notice = self.sync.notice(as_read.key, NoticeKind::NeedsAttention { reason: reason.clone() });
        let status = ConnectionStatus::NeedsReauth { reason };
        match self.sync.google.store.save_status(as_read, &status, self.sync.now(), None, &[notice]).await {
            Ok(()) => {
                tracing::warn!(connection = %as_read.key, connections_withdrawn = 1, "the permission is gone");
                Ok(Stop::Withdrawn)
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Stop::Replaced),
            Err(error) => Err(error),
        }
    }

    /// Tells the instructor, once, that failures pile up.
    async fn tell(&self, notice: Option<NoticeKind>) -> Result<()> {
        let (key, code) = (self.request.key, self.state.last_error.as_deref());
        let Some(kind) = notice else { return Ok(()) };
        tracing::warn!(connection = %key, code, connections_failing = 1, "the connection keeps failing");
        self.sync.google.store.put_notices(key, &[self.sync.notice(key, kind)]).await
    }

    /// Delivers committed notices before the lease is given back: if this run dies here, the next one delivers them. Where
    /// some are left, a run has to come soon, even for a connection that no longer syncs.
    async fn deliver_notices(&mut self) {
        if !self.sync.deliver_notices(self.request.key).await {
            let again = self.sync.now() + DELIVER_AGAIN;
            self.state.next_sync_at = Some(self.state.next_sync_at.map_or(again, |next| next.min(again)));
        }
    }

    /// Takes in the requests that came meanwhile.
    fn take_in(&mut self, fresh: SyncState) {
        // The next owner of the lease raises the fence, by which this run is refused.
        self.state.pending.counter = fresh.pending.counter;
        self.state.pending.tasks.extend(fresh.pending.tasks);
    }

    /// Waits under the lease and takes in the requests that came meanwhile: the next round answers them too. It waits
    /// no longer than two listings lie apart, also when another process's clock is ahead.
    async fn wait(&mut self, until: DateTime<Utc>) -> Result<()> {
        let time = (until - self.sync.now()).min(BETWEEN_LISTINGS).to_std().unwrap_or_default();
        if !time.is_zero() {
            self.sync.google.clock.sleep(time).await;
            if let Some(fresh) = self.sync.google.store.state(self.request.key).await? {
                self.take_in(fresh);
            }
        }
        Ok(())
    }

    /// Gives the lease back with the requests that came meanwhile.
    async fn leave(&mut self, newcomers: Newcomers) -> Result<()> {
        let (sync, request) = (self.sync, self.request);
        // Who was to be polled no more may have logged in anew since that was found.
        if newcomers != Newcomers::AfterRest || self.state.next_sync_at.is_none() {
            self.state.next_sync_at = Some(sync.now());
        }
        let released = lease::release(sync.google.store.as_ref(), request.key, &mut self.state).await?;
        if !released || newcomers == Newcomers::AfterRest {
            return Ok(());
        }
        // Where a person bounded the run, another request counts as a person's only if it is for everything; otherwise the
        // settings decide.
        let is_for_everything = self.state.pending.tasks.contains(&SyncTask::FullReconcile);
        let trigger = match newcomers {
            Newcomers::ByMessage if !is_for_everything => SyncTrigger::Poll,
            Newcomers::ByMessage | Newcomers::AtOnce | Newcomers::AfterRest => request.trigger,
        };
        self.send_for_others(trigger).await
    }

    async fn finish(mut self, conclusion: Conclusion) -> Result<SyncRun> {
        let (sync, request) = (self.sync, self.request);
        if let Some(blocked) = conclusion.refused {
            // Only persons ask for everything, and what they may ask for this run may not do: one who found the lease
            // held left it here, or an earlier run did not come to it.
            if !request.by_a_person() && self.state.pending.tasks.contains(&SyncTask::FullReconcile) {
                self.send_for_others(SyncTrigger::Settings).await?;
            }
            let why = "Nothing may run for this connection now.";
            sync.end_in_vain(request, self.report, why, self.started_at).await?;
            return Ok(SyncRun::Blocked(blocked));
        }
        // What was done so far is recorded before the rest can be.
        let waits = conclusion.rest.as_ref().is_some_and(|rest| !rest.delay.is_zero());
        let idle_hops = match (self.came_to_something(), waits) {
            (true, _) => 0,
            (false, true) => request.idle_hops,
            (false, false) => request.idle_hops + 1,
        };
        let report = std::mem::take(&mut self.report);
        let ran = sync.record(request, report, self.direction, conclusion.outcome, self.started_at).await?;
        if let (SyncRun::Ran(log), Some(rest)) = (&ran, conclusion.rest) {
            self.send_for_the_rest(rest, log.id, idle_hops).await?;
        }
        Ok(ran)
    }

    /// Leaves a connection that backs off after a failure alone; its requests stay pending until then.
    async fn keep_resting(mut self) -> Result<SyncRun> {
        let (sync, request) = (self.sync, self.request);
        self.state.pending.tasks.extend(&request.tasks);
        if channel::hear(&mut self.state, self.notified_at, sync.now()) {
            self.state.pending.tasks.insert(SyncTask::Noticed);
        }
        self.state.next_sync_at = self.state.backoff_until;
        self.deliver_notices().await;
        lease::release(sync.google.store.as_ref(), request.key, &mut self.state).await?;
        if request.log_id.is_none() {
            return Ok(SyncRun::Held);
        }
        // The poll continues an earlier run: no message is needed until then.
        self.report.say("The connection rests after a failure; what is left follows after that.");
        sync.record(request, self.report, SyncDirection::TwoWay, SyncOutcome::Partial, self.started_at).await
    }

    /// Sends a message for what is pending.
    async fn send_for_others(&self, trigger: SyncTrigger) -> Result<()> {
        let tasks = self.state.pending.tasks.iter().copied().collect();
        let message = SyncMessage::new(self.request.key, trigger, tasks);
        self.sync.sync_queue.send(&message, Duration::ZERO).await
    }

    /// Sends a message for the rest of what was asked for, in the same bounds and with the same log row.
    async fn send_for_the_rest(&self, rest: Rest, log_id: SyncLogId, idle_hops: u32) -> Result<()> {
        let SyncRequest { key, trigger, asked, .. } = self.request.clone();
        let tasks = rest.tasks.into_iter().collect();
        let message = SyncMessage { log_id: Some(log_id), asked, idle_hops, ..SyncMessage::new(key, trigger, tasks) };
        self.sync.sync_queue.send(&message, rest.delay).await
    }
}
