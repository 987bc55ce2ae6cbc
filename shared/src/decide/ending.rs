//! How a run ended, and what follows: how it shows in the log, what is left for whom, when the connection is looked at
//! again, for how long it rests, and what the instructor is told.

use std::{collections::BTreeSet, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    backoff,
    job::{Job, Refused},
    schedule,
};
use crate::model::{NoticeKind, SyncOutcome, SyncState, SyncTask, connection::Blocked};

/// The message for what is left arrives within this time, or is lost.
const MESSAGE_ARRIVES_WITHIN: TimeDelta = TimeDelta::minutes(5);

/// What a run that came to its end has left. Of two the worse counts: the later one here.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Left {
    #[default]
    Nothing,
    /// There was only more to do than time: the rest is to follow at once.
    MoreAtOnce,
    /// The rest has to wait: we hold back, below what Google allows a minute.
    Throttled,
    /// Something is left for a later run, since it failed.
    Failed,
    /// The same, since Google's usage limit was met.
    QuotaExceeded,
}

/// Why a run did not come to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    /// There was no room in what Google allows a minute: a later run goes on.
    Throttled,
    /// Google's usage limit: hours of rest.
    QuotaExceeded,
    /// Google refuses our OAuth client.
    ClientRefused { reason: String },
    /// The instructor's permission is gone or does not suffice; the connection says so.
    Withdrawn,
    /// The permission that is gone was that of a connection which was taken down or made anew meanwhile: the next run sees
    /// how that one stands.
    Replaced,
    /// Anything else, by the code of its error.
    Failed { code: &'static str },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// It came to its end.
    Through(Left),
    Stopped(Stop),
}

impl Ending {
    pub fn is_throttled(&self) -> bool {
        matches!(self, Self::Through(Left::Throttled) | Self::Stopped(Stop::Throttled))
    }
}

/// What is known of a run when it has ended, beside its job.
#[derive(Debug, Clone, Copy)]
pub struct Ended<'a> {
    /// What the run was asked for, without what was pending.
    pub asked: &'a BTreeSet<SyncTask>,
    /// Whether a person follows the log row.
    pub is_awaited: bool,
    /// Whether Google refused lessons.
    pub has_failures: bool,
    /// When the last complete listing had begun before.
    pub listed_before: Option<DateTime<Utc>>,
    pub now: DateTime<Utc>,
    /// Any random number.
    pub jitter: u16,
}

/// What becomes of requests that came while the run was at work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Newcomers {
    /// They are answered in the same run, if there is time, else by a message.
    AtOnce,
    /// By a message: the run had bounds that are not theirs.
    ByMessage,
    /// By the poll after the connection's rest.
    AfterRest,
}

/// What a message asks the next run for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rest {
    pub tasks: BTreeSet<SyncTask>,
    pub delay: Duration,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conclusion {
    pub outcome: SyncOutcome,
    pub rest: Option<Rest>,
    pub newcomers: Newcomers,
    /// What the instructor is told, once.
    pub notice: Option<NoticeKind>,
    /// Why nothing ran.
    pub refused: Option<Blocked>,
}

impl Conclusion {
    fn of(outcome: SyncOutcome, newcomers: Newcomers) -> Self {
        Self { outcome, rest: None, newcomers, notice: None, refused: None }
    }
}

/// Writes how the run of `job` ended into the state, which begins to wait for the next.
pub fn conclude(state: &mut SyncState, job: &Job, ending: &Ending, ended: Ended<'_>) -> Conclusion {
    let others = state.pending.tasks.clone();
    if *ending == Ending::Through(Left::Nothing) && overrides(job) && job.allowed().writes() && !job.is_bounded() {
        // A person's leave to remove what had vanished is used up. What a run did not come to stays held back.
        state.removals = None;
    }
    let conclusion = match ending {
        Ending::Through(Left::Nothing) => {
            state.pending.tasks.clear();
            recover(state);
            state.last_synced_at = Some(ended.now);
            state.next_sync_at = schedule::next_poll_or_as_it_is(&job.settings, state, ended.now, ended.jitter);
            Conclusion::of(outcome(ended), Newcomers::AtOnce)
        }
        Ending::Through(Left::MoreAtOnce) => {
            let tasks = rest_of(job);
            state.pending.tasks.clone_from(&tasks);
            recover(state);
            // Sooner, each minute's poll would begin a chain of messages of its own beside this one.
            state.next_sync_at = Some(ended.now + MESSAGE_ARRIVES_WITHIN);
            let rest = Some(Rest { tasks, delay: Duration::ZERO });
            Conclusion { rest, ..Conclusion::of(SyncOutcome::Running, Newcomers::AtOnce) }
        }
        Ending::Through(Left::Throttled) => {
            let tasks = rest_of(job);
            state.pending.tasks.clone_from(&tasks);
            recover(state);
            wait_for_room(state, tasks, ended)
        }
        Ending::Stopped(Stop::Throttled) => {
            state.pending.tasks.clone_from(&job.tasks);
            wait_for_room(state, ended.asked.clone(), ended)
        }
        Ending::Stopped(Stop::Withdrawn) => {
            state.pending.tasks = left_after_failure(job, false);
            state.last_error = Some("needs_reauth".to_owned());
            state.client_refused = None;
            (state.next_sync_at, state.renew_at) = (None, None);
            Conclusion::of(SyncOutcome::Failed, Newcomers::AtOnce)
        }
        Ending::Stopped(Stop::Replaced) => {
            state.pending.tasks = left_after_failure(job, false);
            state.next_sync_at = Some(ended.now);
            Conclusion::of(SyncOutcome::Failed, Newcomers::AtOnce)
        }
        Ending::Through(Left::Failed | Left::QuotaExceeded) | Ending::Stopped(_) => {
            let is_through = matches!(ending, Ending::Through(_));
            state.pending.tasks = left_after_failure(job, is_through);
            let notice = back_off(state, ending, &ended);
            let outcome = if is_through { SyncOutcome::Partial } else { SyncOutcome::Failed };
            Conclusion { notice, ..Conclusion::of(outcome, Newcomers::AfterRest) }
        }
    };
    keep_announcement(state, job.announced, ending.is_throttled(), ended.listed_before);
    if job.is_bounded() { leave_to_others(state, others, conclusion, ended.now) } else { conclusion }
}

/// Writes into the state that nothing ran. What was `asked` for stays pending, but for a person's leave to try everything:
/// that ends with their run.
pub fn refuse(
    state: &mut SyncState,
    asked: &BTreeSet<SyncTask>,
    refused: Refused,
    announced: bool,
    now: DateTime<Utc>,
) -> Conclusion {
    match refused {
        Refused::Blocked(blocked) => {
            state.pending.tasks.extend(asked);
            state.pending.tasks.remove(&SyncTask::RetryGivenUp);
            // The poll goes on with a disconnect, should this be the last to hear of it.
            state.next_sync_at = (blocked == Blocked::Disconnecting).then(|| now + backoff::delay(2));
        }
        Refused::ManualOnly => {
            state.pending.tasks.extend(asked);
            state.next_sync_at = None;
        }
        Refused::DirectionOff => {
            poll_for_others(state, now);
            let refused = Some(refused.as_blocked());
            return Conclusion { refused, ..Conclusion::of(SyncOutcome::Failed, Newcomers::ByMessage) };
        }
    }
    state.pending.tasks.remove(&SyncTask::Noticed);
    keep_announcement(state, announced, false, state.listed_at);
    let refused = Some(refused.as_blocked());
    Conclusion { refused, ..Conclusion::of(SyncOutcome::Failed, Newcomers::AtOnce) }
}

/// Counts that the run before was cut: its function timed out, ran out of memory or was replaced, or its store failed. It is
/// a failure like any other, but that its lease has been waited for: only the second in a row rests, and so on.
pub fn count_cut(state: &mut SyncState, now: DateTime<Utc>, jitter: u16) -> Option<NoticeKind> {
    let rest = (state.failures > 0).then(|| now + backoff::jitter(backoff::delay(state.failures), jitter));
    state.failures += 1;
    state.cuts += 1;
    state.last_error = Some(SyncState::RUN_CUT.to_owned());
    // A rest that is longer, for Google's usage limit, stands.
    state.backoff_until = state.backoff_until.max(rest);
    notice_of_failures(state)
}

/// Whether a person gave leave to try everything again.
fn overrides(job: &Job) -> bool {
    job.asks_for(SyncTask::RetryGivenUp)
}

fn outcome(ended: Ended<'_>) -> SyncOutcome {
    if ended.has_failures { SyncOutcome::Partial } else { SyncOutcome::Completed }
}

fn recover(state: &mut SyncState) {
    (state.failures, state.cuts) = (0, 0);
    state.backoff_until = None;
    state.last_error = None;
    state.client_refused = None;
}

/// What a run that came to its end leaves to the next. The lessons are marked; in a bounded run they may stand behind very
/// many marks of others, and are looked for.
fn rest_of(job: &Job) -> BTreeSet<SyncTask> {
    let stays = |task: &SyncTask| match task {
        SyncTask::RetryGivenUp => true,
        SyncTask::FullReconcile => job.is_bounded(),
        SyncTask::PullEvents | SyncTask::PushLessons | SyncTask::Noticed => false,
    };
    job.tasks.iter().copied().filter(stays).chain([SyncTask::PushLessons]).collect()
}

/// Leaves what is left to a later run: nothing has failed. The poll comes for it, and sees to it that nothing is lost where
/// a message is sent, since a person waits.
fn wait_for_room(state: &mut SyncState, tasks: BTreeSet<SyncTask>, ended: Ended<'_>) -> Conclusion {
    state.pending.tasks.extend([SyncTask::PullEvents, SyncTask::PushLessons]);
    let wait = if ended.is_awaited { MESSAGE_ARRIVES_WITHIN } else { backoff::jitter(backoff::PACED, ended.jitter) };
    state.next_sync_at = Some(ended.now + wait);
    if !ended.is_awaited {
        return Conclusion::of(outcome(ended), Newcomers::AfterRest);
    }
    let rest = Some(Rest { tasks, delay: backoff::PACED.to_std().unwrap_or_default() });
    Conclusion { rest, ..Conclusion::of(SyncOutcome::Running, Newcomers::AfterRest) }
}

fn left_after_failure(job: &Job, is_through: bool) -> BTreeSet<SyncTask> {
    let mut left = job.tasks.clone();
    left.remove(&SyncTask::RetryGivenUp);
    if is_through {
        // What is left is marked.
        left.remove(&SyncTask::FullReconcile);
        left.insert(SyncTask::PushLessons);
    }
    left
}

/// Lets the connection rest after a failure, and tells the instructor once when failures pile up.
fn back_off(state: &mut SyncState, ending: &Ending, ended: &Ended<'_>) -> Option<NoticeKind> {
    let usual = backoff::delay(state.failures + 1);
    let (code, rest) = match ending {
        Ending::Through(Left::QuotaExceeded) | Ending::Stopped(Stop::QuotaExceeded) => {
            ("quota_exceeded", backoff::QUOTA_EXCEEDED_DELAY)
        }
        Ending::Stopped(Stop::ClientRefused { .. }) => ("client_refused", usual.min(backoff::MAX_CLIENT_REFUSED_DELAY)),
        Ending::Stopped(Stop::Failed { code }) => (*code, usual),
        Ending::Through(_) | Ending::Stopped(_) => ("unfinished", usual),
    };
    fail(state, code);
    if let Ending::Stopped(Stop::ClientRefused { reason }) = ending {
        state.client_refused = Some(reason.clone());
    }
    state.backoff_until = Some(ended.now + backoff::jitter(rest, ended.jitter));
    state.next_sync_at = state.backoff_until;
    notice_of_failures(state)
}

fn fail(state: &mut SyncState, code: &str) {
    state.failures += 1;
    state.last_error = Some(code.to_owned());
    state.client_refused = None;
}

/// Told once: when failures pile up.
fn notice_of_failures(state: &SyncState) -> Option<NoticeKind> {
    let code = state.last_error.clone().filter(|_| state.failures == backoff::NOTIFY_AFTER_FAILURES)?;
    Some(NoticeKind::SyncFailing { code })
}

/// Keeps that Google told of a change, where the listing that this caused failed or has more pages: so that the next run
/// does not count the change as unannounced.
fn keep_announcement(state: &mut SyncState, announced: bool, is_throttled: bool, listed_before: Option<DateTime<Utc>>) {
    let is_left = state.failures > 0 || is_throttled || state.listing.is_some();
    if announced && is_left && state.listed_at == listed_before {
        state.pending.tasks.insert(SyncTask::Noticed);
    }
}

/// After a run that a person bounded: what was pending for `others` still is.
fn leave_to_others(
    state: &mut SyncState,
    others: BTreeSet<SyncTask>,
    conclusion: Conclusion,
    now: DateTime<Utc>,
) -> Conclusion {
    if state.failures > 0 {
        // The person sees that it failed; whoever tries again is not to go beyond its bounds.
        state.pending.tasks.remove(&SyncTask::FullReconcile);
        state.pending.tasks.extend(&others);
        return conclusion;
    }
    state.pending.tasks = others;
    poll_for_others(state, now);
    let newcomers = match conclusion.newcomers {
        Newcomers::AtOnce => Newcomers::ByMessage,
        other => other,
    };
    Conclusion { newcomers, ..conclusion }
}

/// A connection that is not polled may have a pending request all the same.
fn poll_for_others(state: &mut SyncState, now: DateTime<Utc>) {
    let goes_on = state.next_sync_at.is_some() || !state.pending.tasks.is_empty();
    state.next_sync_at = goes_on.then_some(now);
}

#[cfg(test)]
mod tests;
