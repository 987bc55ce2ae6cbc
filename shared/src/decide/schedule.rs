//! When a connection is polled next, and when its push channel is renewed.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::{backoff, push};
use crate::model::{PushHealth, SyncSettings, SyncState};

/// A change that push does not announce is found at most this long after the last complete listing.
pub const SAFETY_POLL_INTERVAL: TimeDelta = TimeDelta::hours(6);

/// The safety poll is due this much earlier: a minute until the dispatcher finds it due, and a minute over which
/// messages are spread.
const SAFETY_POLL_MARGIN: TimeDelta = TimeDelta::minutes(2);

/// And up to this much earlier by chance, so that polls do not come together. More would cost quota: each poll is a
/// listing.
const SAFETY_POLL_SPREAD: TimeDelta = TimeDelta::seconds(30);

/// The messages of one minute are received within this time, before those of the next.
const DISPATCH_SPREAD: Duration = Duration::from_secs(50);

/// The lifetime that we ask for. Google documents no maximum, gives a week by default and may shorten it: its answer
/// counts.
pub const CHANNEL_LIFETIME: Duration = Duration::from_hours(30 * 24);

/// A calendar that refused push is asked again after this time: the refusal may have been about our address.
const RETRY_REFUSED_CHANNEL_AFTER: TimeDelta = TimeDelta::days(1);

/// How often all lessons are reconciled with all mappings, and with our events in Google.
pub const FULL_RECONCILE_INTERVAL: TimeDelta = TimeDelta::days(1);

/// The next poll after a run that ended well; `None` when the instructor syncs by hand.
pub fn next_poll(settings: &SyncSettings, state: &SyncState, now: DateTime<Utc>, jitter: u16) -> Option<DateTime<Utc>> {
    if !settings.auto_sync || !settings.sync_enabled {
        return None;
    }
    if !settings.sync_direction.imports() {
        // Lesson changes send messages of their own; the daily full reconcile finds the rest.
        return Some(now + FULL_RECONCILE_INTERVAL + backoff::jitter(SAFETY_POLL_INTERVAL, jitter));
    }
    // Counted from the last listing: a run for a lesson does not list the calendar.
    let listed = state.listed_at.unwrap_or(now);
    let interval = backoff::jitter(TimeDelta::minutes(settings.sync_interval_minutes.into()), jitter);
    let ends = state.channel.as_ref().map(|channel| channel.expires_at).filter(|ends| *ends > now);
    // Google may announce a change before its listing shows it.
    let safety = if state.doubted_since.is_some() { interval.min(safety(jitter)) } else { safety(jitter) };
    let next = match (&state.push_health, ends) {
        // If the channel is not renewed, polling takes over when it ends.
        (PushHealth::Healthy, Some(ends)) => (listed + safety).min(ends + interval),
        (PushHealth::Awaiting { since, .. }, Some(_)) => *since + push::NOTICE_WITHIN,
        (PushHealth::Suspect { .. } | PushHealth::Unsupported { .. } | PushHealth::Closed, _) | (_, None) => {
            listed + interval
        }
    };
    Some(next.max(now))
}

/// Whether a poll that was due at `due_at` is done: a listing that began later was complete.
/// When messages wait for hours, a connection has many polls in the queue.
pub fn was_polled_since(state: &SyncState, due_at: DateTime<Utc>) -> bool {
    state.listed_at.is_some_and(|listed_at| listed_at > due_at)
}

fn safety(jitter: u16) -> TimeDelta {
    let earlier = SAFETY_POLL_SPREAD.num_milliseconds() * i64::from(jitter) / i64::from(u16::MAX);
    SAFETY_POLL_INTERVAL - SAFETY_POLL_MARGIN - TimeDelta::milliseconds(earlier)
}

/// Keeps the time that is set if chance could have given it: moving it writes to an index too, which costs twice as
/// much as the state.
pub fn next_poll_or_as_it_is(
    settings: &SyncSettings,
    state: &SyncState,
    now: DateTime<Utc>,
    jitter: u16,
) -> Option<DateTime<Utc>> {
    let [one_end, other_end] = [0, u16::MAX].map(|jitter| next_poll(settings, state, now, jitter));
    let possible = one_end.min(other_end)..=one_end.max(other_end);
    let stands = state.next_sync_at.filter(|at| *at > now);
    if stands.is_some() && possible.contains(&stands) { stands } else { next_poll(settings, state, now, jitter) }
}

/// When to replace a channel that was opened `now` and lives until `expires_at`: when a tenth of its life is left,
/// spread over half of that, so that channels opened together are not renewed together. A renewal costs two quota
/// units, so it does not come sooner; of the week that Google grants, enough is left for eight attempts.
pub fn renewal(now: DateTime<Utc>, expires_at: DateTime<Utc>, jitter: u16) -> DateTime<Utc> {
    let life = (expires_at - now).num_milliseconds().max(0);
    let spread = life / 20 * i64::from(jitter) / i64::from(u16::MAX);
    now + TimeDelta::milliseconds(life / 10 * 9 + spread)
}

/// Whether a channel opened at `opened_at` should have been replaced by `now`: at least half of the time for that is
/// over, whenever it was to begin.
pub fn renewal_is_late(opened_at: DateTime<Utc>, expires_at: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    now > expires_at - (expires_at - opened_at) / 40
}

/// When to ask again for a channel that Google refused: before an open one ends.
pub fn after_refusal(state: &SyncState, now: DateTime<Utc>) -> DateTime<Utc> {
    let ends = state.channel.as_ref().map(|channel| channel.expires_at).filter(|ends| *ends > now);
    ends.map_or(now + RETRY_REFUSED_CHANNEL_AFTER, |ends| ends.min(now + RETRY_REFUSED_CHANNEL_AFTER))
}

/// The delay of one of `due` messages: none when there are few, anywhere in the minute when there are as many as a
/// minute takes.
pub fn spread(due: usize, at_most: usize, jitter: u16) -> Duration {
    let part = u32::try_from(due).unwrap_or(u32::MAX);
    let whole = u32::try_from(at_most).unwrap_or(u32::MAX);
    DISPATCH_SPREAD.mul_f64((f64::from(part) / f64::from(whole)).min(1.0) * f64::from(jitter) / f64::from(u16::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Channel, ChannelId, SyncDirection};

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn with_push_healthy_the_safety_poll_comes_within_six_hours_else_the_interval_counts() {
        let now = at("2026-03-01T08:00:00Z");
        let mut state = SyncState::new(now);
        let settings = SyncSettings::default();
        let minutes = |settings: &SyncSettings, state: &SyncState| {
            next_poll(settings, state, now, u16::MAX / 2).map(|next| ((next - now).num_seconds() + 30) / 60)
        };
        assert_eq!(minutes(&settings, &state), Some(15));
        state.channel =
            Some(Channel { id: ChannelId::from("c"), resource_id: "r".into(), expires_at: now + TimeDelta::days(7) });
        state.push_health = PushHealth::Healthy;
        assert_eq!(minutes(&settings, &state), Some(358), "a little less than six hours");
        assert_eq!([0, u16::MAX].map(|jitter| safety(jitter).num_seconds()), [358 * 60, 358 * 60 - 30]);
        state.doubted_since = Some(now);
        assert_eq!(minutes(&settings, &state), Some(15), "the listing of a notice brought nothing");
        let rare = SyncSettings { sync_interval_minutes: 1_440, ..settings.clone() };
        assert_eq!(minutes(&rare, &state), Some(358), "no later than without");
        state.doubted_since = None;
        state.channel.iter_mut().for_each(|channel| channel.expires_at = now + TimeDelta::minutes(90));
        assert_eq!(minutes(&settings, &state), Some(105), "the interval after the channel's end");
        state.push_health = PushHealth::Awaiting { since: now, changed_after: now };
        assert_eq!(minutes(&settings, &state), Some(2), "whether a notice comes");
        state.push_health = PushHealth::Suspect { since: now, changed_after: now };
        assert_eq!(minutes(&settings, &state), Some(15));
        state.listed_at = Some(now - TimeDelta::minutes(10));
        assert_eq!(minutes(&settings, &state), Some(5), "since the last listing");
        state.listed_at = Some(now - TimeDelta::minutes(20));
        assert_eq!(minutes(&settings, &state), Some(0), "it is overdue");
        let outbound = SyncSettings { sync_direction: SyncDirection::ToGoogle, ..settings.clone() };
        assert_eq!(minutes(&outbound, &state), Some(30 * 60), "nothing is imported");
        assert_eq!(minutes(&SyncSettings { auto_sync: false, ..settings }, &state), None);
    }

    #[test]
    fn a_poll_stays_where_it_is_while_chance_could_have_set_it() {
        let now = at("2026-03-01T08:00:00Z");
        let next = |settings: &SyncSettings, stands: i64| {
            let stands = now + TimeDelta::minutes(stands);
            let state = SyncState { next_sync_at: Some(stands), listed_at: Some(now), ..SyncState::new(now) };
            Some((next_poll_or_as_it_is(settings, &state, now, u16::MAX / 2)? - now).num_minutes())
        };
        let settings = SyncSettings::default();
        assert_eq!([11, 12, 18, 19].map(|at| next(&settings, at)), [14, 12, 18, 14].map(Some));
        assert_eq!(next(&SyncSettings { auto_sync: false, ..settings }, 12), None, "nothing is polled");
    }

    #[test]
    fn few_polls_are_sent_at_once_and_many_over_the_whole_minute() {
        assert!(spread(1, 300, u16::MAX) < Duration::from_secs(1));
        let of_many = |jitter| spread(300, 300, jitter).as_secs();
        assert_eq!([of_many(0), of_many(u16::MAX / 2), of_many(u16::MAX)], [0, 24, 50]);
    }

    #[test]
    fn a_channel_is_renewed_from_when_a_tenth_of_its_life_is_left() {
        let now = at("2026-03-01T00:00:00Z");
        let expires = now + TimeDelta::days(10);
        assert_eq!(renewal(now, expires, 0), now + TimeDelta::days(9));
        let last = now + TimeDelta::hours(9 * 24 + 12);
        assert_eq!(renewal(now, expires, u16::MAX), last);
        assert!(!renewal_is_late(now, expires, last + TimeDelta::hours(6)));
        assert!(renewal_is_late(now, expires, last + TimeDelta::hours(7)));
    }

    #[test]
    fn a_refusal_is_asked_about_again_a_day_later_and_no_later_than_the_open_channel_ends() {
        let now = at("2026-03-01T00:00:00Z");
        let after = |ends: TimeDelta| {
            let channel = Channel { id: ChannelId::from("c"), resource_id: "r".into(), expires_at: now + ends };
            (after_refusal(&SyncState { channel: Some(channel), ..SyncState::new(now) }, now) - now).num_hours()
        };
        assert_eq!([TimeDelta::days(3), TimeDelta::hours(8), TimeDelta::zero()].map(after), [24, 8, 24]);
        assert_eq!(after_refusal(&SyncState::new(now), now), now + TimeDelta::days(1));
    }
}
