//! When a connection is polled next, and when its push channel is renewed (design rules P1, P3).

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::{backoff, push};
use crate::model::{PushHealth, SyncSettings, SyncState};

/// What push does not tell is found so long after the last good listing at the latest.
pub const SAFETY_POLL: TimeDelta = TimeDelta::hours(6);

/// The safety poll is due so long before that, for the minute until it is found to be due and the minute over which its
/// rings are spread.
const BEFORE_THE_LAST_MOMENT: TimeDelta = TimeDelta::minutes(2);

/// And up to so long earlier still. Each listing of the many is one of Google's units, so none comes sooner than it has to;
/// and nobody's come together, since the listings that they are counted from do not.
const SAFETY_SPREAD: TimeDelta = TimeDelta::seconds(30);

/// What is rung for in one minute is heard within this time, before the next minute's.
const MINUTE: Duration = Duration::from_secs(50);

/// How long a channel is asked to live. Google names no longest life, gives a week where nobody asks, and makes it shorter
/// as it likes: its answer counts.
pub const CHANNEL_LIFETIME: Duration = Duration::from_hours(30 * 24);

/// A calendar that refuses push is asked again after this time: the refusal may have been about our address.
const ASK_AGAIN: TimeDelta = TimeDelta::days(1);

/// How often all lessons are compared with all mappings, and with our events in Google.
pub const DAILY: TimeDelta = TimeDelta::days(1);

/// The next poll after a run that ended well; never, when the instructor syncs by hand.
pub fn next_poll(settings: &SyncSettings, state: &SyncState, now: DateTime<Utc>, jitter: u16) -> Option<DateTime<Utc>> {
    if !settings.auto_sync || !settings.sync_enabled {
        return None;
    }
    if !settings.sync_direction.imports() {
        // Lessons ring by themselves; what else there is to find is found by the comparison that is due by then.
        return Some(now + DAILY + backoff::jitter(SAFETY_POLL, jitter));
    }
    // Counted from the last listing: a run for a lesson does not look into the calendar.
    let listed = state.listed_at.unwrap_or(now);
    let interval = backoff::jitter(TimeDelta::minutes(settings.sync_interval_minutes.into()), jitter);
    let ends = state.channel.as_ref().map(|channel| channel.expires_at).filter(|ends| *ends > now);
    // Google may have told of a change before it lists it.
    let safety = if state.looks_again { interval.min(safety(jitter)) } else { safety(jitter) };
    let next = match (&state.push_health, ends) {
        // Should nobody renew the channel, polling takes over where it ends.
        (PushHealth::Healthy, Some(ends)) => (listed + safety).min(ends + interval),
        (PushHealth::Awaiting { since, .. }, Some(_)) => *since + push::NOTICE_WITHIN,
        (PushHealth::Suspect { .. } | PushHealth::Unsupported { .. } | PushHealth::Closed, _) | (_, None) => {
            listed + interval
        }
    };
    Some(next.max(now))
}

/// Whether what was due at a moment is done: a listing that began later has ended well, and nobody wishes for more. Where
/// messages wait for hours, many polls of one connection do.
pub fn was_polled_since(state: &SyncState, due_at: DateTime<Utc>) -> bool {
    state.listed_at.is_some_and(|listed_at| listed_at > due_at) && state.pending.tasks.is_empty()
}

fn safety(jitter: u16) -> TimeDelta {
    let earlier = SAFETY_SPREAD.num_milliseconds() * i64::from(jitter) / i64::from(u16::MAX);
    SAFETY_POLL - BEFORE_THE_LAST_MOMENT - TimeDelta::milliseconds(earlier)
}

/// The same, where a time that stands and that chance could have set is left as it is: each that moves has to be written
/// to an index, too, which costs twice what the state does.
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

/// When a channel that was opened `now` and lives until `expires_at` is replaced: from when a tenth of its life is
/// left, spread over half of that by `jitter`, so that channels opened together are not renewed together. Each renewal is
/// two of Google's units, so it does not come sooner; of the week that Google grants, what is left is enough for eight
/// attempts.
pub fn renewal(now: DateTime<Utc>, expires_at: DateTime<Utc>, jitter: u16) -> DateTime<Utc> {
    let life = (expires_at - now).num_milliseconds().max(0);
    let spread = life / 20 * i64::from(jitter) / i64::from(u16::MAX);
    now + TimeDelta::milliseconds(life / 10 * 9 + spread)
}

/// Whether a channel that was opened at `opened_at` should have been replaced by `now`: whenever that was to begin, half of
/// the time for it is over, or more.
pub fn renewal_is_late(opened_at: DateTime<Utc>, expires_at: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    now > expires_at - (expires_at - opened_at) / 40
}

/// When Google is asked again for a channel that it refused: where one is open yet, by its end at the latest.
pub fn after_refusal(state: &SyncState, now: DateTime<Utc>) -> DateTime<Utc> {
    let ends = state.channel.as_ref().map(|channel| channel.expires_at).filter(|ends| *ends > now);
    ends.map_or(now + ASK_AGAIN, |ends| ends.min(now + ASK_AGAIN))
}

/// How long after it was found one of `due` connections is rung for: at once when there are few, anywhere in the
/// minute when there are as many as one minute takes.
pub fn spread(due: usize, at_most: usize, jitter: u16) -> Duration {
    let part = u32::try_from(due).unwrap_or(u32::MAX);
    let whole = u32::try_from(at_most).unwrap_or(u32::MAX);
    MINUTE.mul_f64((f64::from(part) / f64::from(whole)).min(1.0) * f64::from(jitter) / f64::from(u16::MAX))
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
        state.looks_again = true;
        assert_eq!(minutes(&settings, &state), Some(15), "the listing of a notice brought nothing");
        let rare = SyncSettings { sync_interval_minutes: 1_440, ..settings.clone() };
        assert_eq!(minutes(&rare, &state), Some(358), "no later than without");
        state.looks_again = false;
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
