//! Push channels: opens a new one under the lease, and closes the one that it replaces when that has no more
//! notifications to send.

use chrono::{DateTime, TimeDelta, Utc};

use super::{Failure, SyncCalendar, round::Round};
use crate::{
    decide::{backoff, push, schedule},
    model::{
        Channel, ChannelId, ConnectionKey, InstructorCalendarCredentials, PushHealth, SyncSettings, SyncState,
        SyncTask, SyncTrigger,
    },
    ports::{CalendarError, NewChannel, SyncMessage},
    services::google_session::GoogleSession,
};

/// After a failed attempt, the next channel is opened no sooner than this.
const RETRY_AFTER: TimeDelta = TimeDelta::minutes(15);

/// Channels to be closed that are remembered. More come together only while Google leaves one attempt after another
/// unanswered; the oldest then stay open until they expire.
const MAX_RETIRED_CHANNELS: usize = 5;

/// How long a run may spend on closing replaced channels: the next run waits for its lease.
const MAX_CLOSING_TIME: TimeDelta = TimeDelta::seconds(5);

fn wanted(settings: &SyncSettings) -> bool {
    settings.auto_sync && settings.sync_direction.imports()
}

fn renewal_is_due(state: &SyncState, now: DateTime<Utc>) -> bool {
    state.renew_at.is_none_or(|at| at <= now)
}

/// Opens a channel where there is none or it is time for a new one. True if it took over from one that works: then no
/// change went unannounced, and no listing is owed.
pub async fn open_if_due(
    round: &mut Round<'_>,
    credentials: &InstructorCalendarCredentials,
    google: &mut GoogleSession<'_>,
) -> Result<bool, Failure> {
    let (sync, now) = (round.sync, round.sync.now());
    let Some(push) = sync.push.as_ref().filter(|_| wanted(&credentials.settings)) else {
        close(sync, round.state, credentials, round.request.deadline).await;
        return Ok(false);
    };
    if !renewal_is_due(round.state, now) {
        return Ok(false);
    }
    // Stored before Google is asked, so that the next run closes it should this one die before the answer is stored.
    let id = ChannelId(sync.random.uuid().to_string());
    let retired = &mut round.state.retired_channels;
    retired.push(id.clone());
    retired.drain(..retired.len().saturating_sub(MAX_RETIRED_CHANNELS));
    round.save().await?;
    let channel = NewChannel {
        token: push.keys.sign(&id, credentials.key),
        id: id.clone(),
        address: push.address.clone(),
        lifetime: schedule::CHANNEL_LIFETIME,
    };
    let opened = google.watch(&channel, round.request.deadline).await?;
    // Without an answer, Google may have opened it.
    if !matches!(opened, Err(CalendarError::Unavailable(_))) {
        round.state.retired_channels.retain(|retired| *retired != id);
    }
    let taken_over = match opened {
        Ok(opened) => take_over(sync, round.state, opened, now),
        Err(error) => {
            put_off(round, error, now)?;
            false
        }
    };
    round.save().await?;
    Ok(taken_over)
}

/// The new channel replaces the old one. True if that one worked.
fn take_over(sync: &SyncCalendar, state: &mut SyncState, opened: Channel, asked_at: DateTime<Utc>) -> bool {
    let opened_at = sync.now();
    let taken_over = push::works(state, opened_at);
    state.channel_opened_at = Some(opened_at);
    state.renew_at = Some(schedule::renewal(asked_at, opened.expires_at, sync.random.jitter()));
    if !taken_over {
        // Stored with the channel: if this run dies before its listing, the next one owes it.
        state.push_health = PushHealth::Closed;
    }
    state.retired_channels.extend(state.channel.replace(opened).map(|old| old.id));
    taken_over
}

/// Google opened no channel: it is asked again later, and the calendar is polled until then.
fn put_off(round: &mut Round<'_>, error: CalendarError, now: DateTime<Utc>) -> Result<(), Failure> {
    let state = &mut *round.state;
    let wait = match error {
        // It is the quota of listings, too.
        CalendarError::Paced => return Err(Failure::Paced),
        CalendarError::PushNotPossible(refusal) => {
            state.renew_at = Some(schedule::after_refusal(state, now));
            // A channel that is still open keeps sending.
            if state.channel.as_ref().is_none_or(|channel| channel.expires_at <= now) {
                state.push_health = PushHealth::Unsupported { refusal: refusal.to_string() };
            }
            round
                .report
                .say(format!("Google refuses to tell us of changes ({refusal}); the calendar is polled instead."));
            round.report.changed = true;
            return Ok(());
        }
        CalendarError::QuotaExceeded => backoff::QUOTA_EXCEEDED_DELAY,
        _ => RETRY_AFTER,
    };
    tracing::warn!(connection = %round.request.key, %error, "no channel could be opened; polling goes on");
    state.renew_at = Some(now + wait);
    Ok(())
}

/// Schedules a run that closes the replaced channel, where this one listed nothing: of changes just before the
/// replacement, only the old channel sends notifications, possibly later.
pub async fn close_later(sync: &SyncCalendar, key: ConnectionKey) -> Result<(), Failure> {
    let delay = push::NOTICE_WITHIN.to_std().unwrap_or_default();
    Ok(sync.sync_queue.send(&SyncMessage::new(key, SyncTrigger::Poll, Vec::new()), delay).await?)
}

/// Closes the retired channels once they have no more notifications to send. Closing that fails is repeated by the next
/// run; the notifications of an open channel do no harm.
pub async fn close_retired(round: &mut Round<'_>, google: &mut GoogleSession<'_>) {
    let deadline = round.request.deadline.min(round.sync.now() + MAX_CLOSING_TIME);
    for retired in round.state.retired() {
        if !stop(google, &retired, deadline).await {
            break;
        }
        round.state.retired_channels.retain(|id| *id != retired.id);
    }
}

/// Closes a channel. False where it may succeed later; then the other channels would take as long to fail.
async fn stop(google: &mut GoogleSession<'_>, channel: &Channel, deadline: DateTime<Utc>) -> bool {
    let stopped = google.stop(channel, deadline).await;
    if let Err(error) = &stopped {
        tracing::warn!(channel = %channel.id, %error, "a channel could not be closed");
    }
    !stopped.is_err_and(|error| error.may_pass())
}

/// Closes all channels, since nothing is to be imported any more. It succeeds whatever Google answers; a channel that
/// stays open expires.
pub async fn close(
    sync: &SyncCalendar,
    state: &mut SyncState,
    credentials: &InstructorCalendarCredentials,
    deadline: DateTime<Utc>,
) {
    state.renew_at = None;
    let retired = state.retired();
    state.retired_channels.clear();
    let Some(channel) = state.channel.take() else { return };
    state.push_health = PushHealth::Closed;
    if let Ok(mut google) = GoogleSession::open(&sync.google, credentials).await {
        for channel in [&channel].into_iter().chain(&retired) {
            if !stop(&mut google, channel, deadline).await {
                break;
            }
        }
    }
}

/// Learns from the push notifications that came since the state was stored that push works. True when there were any. Of
/// two that one listing answers, it may bring the change of the one and not yet the other's.
pub fn hear(state: &mut SyncState, notified_at: Option<DateTime<Utc>>, now: DateTime<Utc>) -> bool {
    // A run that found the lease held left only the fact that a notification came.
    let left = state.pending.tasks.contains(&SyncTask::Noticed).then_some(now);
    for at in notified_at.into_iter().chain(left) {
        state.push_health = push::after_notice(&state.push_health, at);
    }
    if notified_at.is_some() && left.is_some() {
        state.doubted_since = Some(now);
    }
    notified_at.is_some() || left.is_some()
}

impl Round<'_> {
    /// Notes that push went dark, if the notice of a change is overdue.
    pub(super) fn note_silence(&mut self) {
        let health = push::as_of(&self.state.push_health, self.sync.now());
        if health != self.state.push_health {
            self.state.push_health = health;
            tracing::warn!(connection = %self.request.key, pushes_missed = 1, "Google did not tell us of a change");
            self.report
                .say("Google did not tell us of a change. The calendar is polled at its interval until it does.");
            self.report.changed = true;
        }
    }

    /// Notes that something was written of which Google is to tell us.
    pub(super) fn expect_notice(&mut self) {
        let now = self.sync.now();
        self.state.push_health = push::after_change(self.state, now, now);
    }

    /// Notes that a listing which began at `began` has found what no notice told of. It was changed after the one before.
    pub(super) fn note_missing_notice(&mut self, began: DateTime<Utc>) {
        let changed_after = self.state.listed_at.unwrap_or(began);
        self.state.push_health = push::after_change(self.state, began, changed_after);
    }
}
