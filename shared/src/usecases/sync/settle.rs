//! What the state learns of how a round ended: that all is well, or for how long the connection rests, and what the
//! instructor is told of it.

use chrono::TimeDelta;

use super::{
    Failure, SyncCalendar, SyncRequest,
    report::{Ending, Report},
};
use crate::{
    ErrorKind, Result,
    decide::{backoff, schedule},
    model::{
        ConnectionKey, ConnectionStatus, InstructorCalendarCredentials, NoticeKind, SyncOutcome, SyncState, SyncTask,
        connection::Blocked,
    },
    ports::Refusal,
    services::google_session::client_refused,
};

/// What is rung for is heard within this time, or lost.
const MESSAGE_ARRIVES_WITHIN: TimeDelta = TimeDelta::minutes(5);

impl SyncCalendar {
    /// Writes how the round ended into the state.
    pub(super) async fn settle(
        &self,
        state: &mut SyncState,
        report: &mut Report,
        ended: Result<InstructorCalendarCredentials, Failure>,
        request: &SyncRequest,
    ) -> Result<(SyncOutcome, Option<Blocked>)> {
        let now = self.now();
        let goes_on = match &ended {
            Ok(_) => report.ending.goes_on(),
            Err(failure) => matches!(failure, Failure::Paced),
        };
        // A person's leave to try everything ends with their run, however that ends. What it removed, they asked for; what
        // it could not come to is held back as before.
        let theirs = !matches!(ended, Err(Failure::ManualOnly));
        let overrode = !goes_on && theirs && state.pending.tasks.remove(&SyncTask::RetryGivenUp);
        let came_to_all = matches!(&ended, Ok(credentials) if credentials.settings.sync_direction.writes())
            && report.ending == Ending::Complete
            && !report.narrowed;
        if overrode && came_to_all {
            state.removals = None;
        }
        match ended {
            Ok(_) if goes_on => {
                // The rest is marked. In a bounded run it may stand behind very many marks of others, and is looked for.
                let stays = |task: &SyncTask| {
                    *task == SyncTask::RetryGivenUp || report.narrowed && *task == SyncTask::FullReconcile
                };
                let asked = state.pending.tasks.iter().copied().filter(stays);
                report.rest = asked.chain([SyncTask::PushLessons]).collect();
                state.pending.tasks.clone_from(&report.rest);
                state.failures = 0;
                state.backoff_until = None;
                forget_error(state);
                if report.ending == Ending::Paced {
                    self.come_again_soon(state, request);
                } else {
                    state.next_sync_at = Some(now);
                }
                Ok((report.outcome(), None))
            }
            Ok(credentials) if report.ending == Ending::Complete => {
                self.end_well(state, &credentials);
                Ok((report.outcome(), None))
            }
            Ok(_) => {
                // What is left is marked.
                state.pending.tasks.remove(&SyncTask::FullReconcile);
                state.pending.tasks.insert(SyncTask::PushLessons);
                let (code, rest) = if report.ending == Ending::QuotaExceeded {
                    ("quota_exceeded", backoff::QUOTA_EXCEEDED_DELAY)
                } else {
                    ("unfinished", backoff::delay(state.failures + 1))
                };
                self.back_off(state, code, rest, request.key).await?;
                tracing::warn!(connection = %request.key, code, "something is left");
                Ok((SyncOutcome::Partial, None))
            }
            Err(Failure::Blocked(blocked)) => {
                // Taking down goes on by the poll, should this be the last to hear of it.
                let goes_on = blocked == Blocked::Disconnecting;
                state.next_sync_at = goes_on.then(|| now + backoff::delay(2));
                Ok((SyncOutcome::Failed, Some(blocked)))
            }
            Err(Failure::ManualOnly) => {
                state.next_sync_at = None;
                Ok((SyncOutcome::Failed, Some(Blocked::SwitchedOff)))
            }
            Err(Failure::DirectionOff) => Ok((SyncOutcome::Failed, Some(Blocked::SwitchedOff))),
            Err(Failure::Paced) => {
                report.wait();
                report.ending = Ending::Paced;
                report.rest.clone_from(&request.tasks);
                self.come_again_soon(state, request);
                Ok((SyncOutcome::Running, None))
            }
            Err(Failure::Withdrawn { as_read, refusal }) => {
                report.say(format!(
                    "Google no longer permits access to this calendar ({refusal}); the instructor has to connect again."
                ));
                self.withdrawn(state, &as_read, refusal).await?;
                Ok((SyncOutcome::Failed, None))
            }
            Err(Failure::ClientRefused(refusal)) => {
                let error = client_refused(&refusal);
                report.say(error.message().to_owned());
                let rest = backoff::delay(state.failures + 1).min(backoff::MAX_CLIENT_REFUSED_DELAY);
                self.back_off(state, error.code(), rest, request.key).await?;
                state.client_refused = Some(refusal.reason);
                Ok((SyncOutcome::Failed, None))
            }
            Err(Failure::QuotaExceeded) => {
                report.ending = Ending::QuotaExceeded;
                report.say("Google's usage limit for this calendar is exceeded; we pause for hours.");
                self.back_off(state, "quota_exceeded", backoff::QUOTA_EXCEEDED_DELAY, request.key).await?;
                Ok((SyncOutcome::Failed, None))
            }
            Err(Failure::Other(error)) => {
                tracing::error!(connection = %request.key, ?error, "the run failed");
                report.say(format!("The run failed: {}", error.message()));
                self.back_off(state, error.code(), backoff::delay(state.failures + 1), request.key).await?;
                Ok((SyncOutcome::Failed, None))
            }
            Err(Failure::NotConnected | Failure::LeaseLost) => Ok((SyncOutcome::Failed, Some(Blocked::Disconnecting))),
        }
    }

    /// All that was wished for is done.
    fn end_well(&self, state: &mut SyncState, credentials: &InstructorCalendarCredentials) {
        let now = self.now();
        state.pending.tasks.clear();
        state.failures = 0;
        state.backoff_until = None;
        forget_error(state);
        state.last_synced_at = Some(now);
        state.next_sync_at = schedule::next_poll_or_as_it_is(&credentials.settings, state, now, self.random.jitter());
    }

    /// Leaves what is left to a later run: nothing has failed. The poll comes for it, and sees to it that nothing is lost
    /// where the rest is rung for.
    fn come_again_soon(&self, state: &mut SyncState, request: &SyncRequest) {
        state.pending.tasks.extend([SyncTask::PullEvents, SyncTask::PushLessons]);
        let wait = if request.is_awaited() {
            MESSAGE_ARRIVES_WITHIN
        } else {
            backoff::jitter(backoff::PACED, self.random.jitter())
        };
        state.next_sync_at = Some(self.now() + wait);
    }

    /// Lets the connection rest after a failure, and tells the instructor once when failures pile up.
    async fn back_off(&self, state: &mut SyncState, code: &str, rest: TimeDelta, key: ConnectionKey) -> Result<()> {
        state.failures += 1;
        state.last_error = Some(code.to_owned());
        state.client_refused = None;
        state.backoff_until = Some(self.now() + backoff::jitter(rest, self.random.jitter()));
        state.next_sync_at = state.backoff_until;
        if state.failures == backoff::NOTIFY_AFTER_FAILURES {
            tracing::warn!(connection = %key, code, connections_failing = 1, "the connection keeps failing");
            let notice = self.notice(key, NoticeKind::SyncFailing { code: code.to_owned() });
            self.google.store.put_notices(key, &[notice]).await?;
        }
        Ok(())
    }

    async fn withdrawn(
        &self,
        state: &mut SyncState,
        as_read: &InstructorCalendarCredentials,
        Refusal { reason, .. }: Refusal,
    ) -> Result<()> {
        let notice = self.notice(as_read.key, NoticeKind::NeedsAttention { reason: reason.clone() });
        let status = ConnectionStatus::NeedsReauth { reason };
        state.last_error = Some("needs_reauth".to_owned());
        state.client_refused = None;
        match self.google.store.save_status(as_read, &status, self.now(), &[notice]).await {
            Ok(()) => {
                tracing::warn!(connection = %as_read.key, connections_withdrawn = 1, "the permission is gone");
                state.next_sync_at = None;
                state.renew_at = None;
                Ok(())
            }
            // Taken down meanwhile, or connected anew: that is for the next run to see.
            Err(error) if error.kind() == ErrorKind::NotFound => {
                state.next_sync_at = Some(self.now());
                Ok(())
            }
            Err(error) => Err(error),
        }
    }
}

fn forget_error(state: &mut SyncState) {
    state.last_error = None;
    state.client_refused = None;
}
