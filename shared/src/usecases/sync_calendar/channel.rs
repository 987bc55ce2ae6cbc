//! Push channels: opened under the lease before the listing, the old one closed after it (design rule P1).

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::{Failure, SyncCalendar, round::Round};
use crate::{
    model::{Channel, ChannelId, InstructorCalendarCredentials, PushHealth, SyncSettings, SyncState},
    ports::{CalendarError, NewChannel},
    reconcile::schedule,
    usecases::google_session::GoogleSession,
};

/// How long a channel is asked to live; Google may make it shorter, and its answer counts.
const LIFETIME: Duration = Duration::from_hours(7 * 24);

/// A calendar that refuses push is asked again after this time: the refusal may have been about our address.
const ASK_AGAIN: chrono::TimeDelta = chrono::TimeDelta::days(1);

/// Whether there is a channel to open, to replace or to close.
pub fn is_due(sync: &SyncCalendar, settings: &SyncSettings, state: &SyncState, now: DateTime<Utc>) -> bool {
    if sync.push.is_some() && wanted(settings) {
        state.renew_at.is_none_or(|at| at <= now)
    } else {
        state.channel.is_some()
    }
}

fn wanted(settings: &SyncSettings) -> bool {
    settings.auto_sync && settings.sync_direction.imports()
}

/// Opens a channel where there is none or it is time for a new one. Answers the old one, to be closed once the
/// calendar was listed under the new one.
pub async fn open_if_due(
    round: &mut Round<'_>,
    credentials: &InstructorCalendarCredentials,
    google: &mut GoogleSession<'_>,
) -> Result<Option<Channel>, Failure> {
    let (sync, now) = (round.sync, round.sync.now());
    let Some(push) = sync.push.as_ref().filter(|_| wanted(&credentials.settings)) else {
        close(round, credentials).await?;
        return Ok(None);
    };
    if !is_due(sync, &credentials.settings, round.state, now) {
        return Ok(None);
    }
    // Known before Google is asked: a channel that a crash leaves behind is recognised by its notices.
    let id = ChannelId(sync.random.uuid().to_string());
    round.state.pending_channel = Some(id.clone());
    round.save().await?;
    let channel = NewChannel {
        token: push.keys.sign(&id, credentials.key),
        id,
        address: push.address.clone(),
        lifetime: LIFETIME,
    };
    let answer = google.watch(&channel).await?;
    round.state.pending_channel = None;
    let old = match answer {
        Ok(opened) => {
            round.state.renew_at = Some(schedule::renewal(now, opened.expires_at, sync.luck()));
            round.state.push_health = PushHealth::Healthy;
            round.state.channel.replace(opened)
        }
        Err(CalendarError::Refused { reason, .. }) => {
            round
                .report
                .say(format!("Google refuses to tell us of changes ({reason}); the calendar is polled instead."));
            round.report.changed = true;
            round.state.push_health = PushHealth::Unsupported;
            round.state.renew_at = Some(now + ASK_AGAIN);
            None
        }
        Err(error) => {
            tracing::warn!(connection = %credentials.key, %error, "no channel could be opened; polling goes on");
            round.state.renew_at = Some(now + chrono::TimeDelta::minutes(15));
            None
        }
    };
    round.save().await?;
    Ok(old)
}

/// Closes a channel. One that stays open sends notices that do no harm, until it ends by itself.
pub async fn stop(google: &mut GoogleSession<'_>, channel: &Channel) {
    if let Err(error) = google.stop(channel).await {
        tracing::warn!(channel = %channel.id, %error, "an old channel could not be closed");
    }
}

/// Closes the channel for good, because nothing is to be imported any more. It succeeds whatever Google says.
pub async fn close(round: &mut Round<'_>, credentials: &InstructorCalendarCredentials) -> Result<(), Failure> {
    round.state.renew_at = None;
    let Some(channel) = round.state.channel.take() else { return Ok(()) };
    if let Ok(mut google) = GoogleSession::open(&round.sync.google, credentials).await {
        stop(&mut google, &channel).await;
    }
    round.state.push_health = PushHealth::Closed;
    Ok(())
}
