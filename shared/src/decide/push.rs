//! Whether push works, from what changed and which notifications came. A change that a listing finds unannounced, or a
//! write of ours, should bring one; without it push is suspect until one comes, or the calendar was listed under a new
//! channel.

use chrono::{DateTime, TimeDelta, Utc};

use crate::model::{PushHealth, SyncState};

/// A notice comes within this time of its change, or push is suspect.
pub const NOTICE_WITHIN: TimeDelta = TimeDelta::minutes(2);

/// A notice is known to say nothing new when it is older than the start of the last good listing by this: clocks differ
/// a little, and Google may tell of a change before it lists it.
const SAFELY_OLDER: TimeDelta = TimeDelta::minutes(1);

/// How long a listing may lag behind the notice of a change, if it does: Google is not known to.
const MAX_LAG: TimeDelta = TimeDelta::minutes(1);

/// By Google's clock a channel may end so much earlier than by ours.
const CLOCKS_DIFFER: TimeDelta = TimeDelta::minutes(1);

/// Whether all that changed up to `now` was or will be told, as far as can be known: then a channel that is opened now
/// leaves nothing untold.
pub fn works(state: &SyncState, now: DateTime<Utc>) -> bool {
    state.push_health == PushHealth::Healthy && is_open(state, now + CLOCKS_DIFFER)
}

fn is_open(state: &SyncState, at: DateTime<Utc>) -> bool {
    state.channel.as_ref().is_some_and(|channel| channel.expires_at > at)
}

/// Whether a channel is open under which the calendar was not listed yet: earlier changes may have gone unannounced.
pub fn owes_listing(state: &SyncState, now: DateTime<Utc>) -> bool {
    state.push_health == PushHealth::Closed && is_open(state, now)
}

/// After a good listing that began at `began`: it pays what is owed if the channel was open by then.
pub fn after_listing(state: &SyncState, began: DateTime<Utc>) -> PushHealth {
    let opened = state.channel_opened_at.is_some_and(|at| at <= began);
    if opened && owes_listing(state, began) { PushHealth::Healthy } else { state.push_health.clone() }
}

/// Whether what the channel replaced has told all that it had to tell by `now`.
pub fn predecessors_are_done(state: &SyncState, now: DateTime<Utc>) -> bool {
    state.channel_opened_at.is_some_and(|at| now >= at + NOTICE_WITHIN)
}

/// After a change of which Google is to tell us: made at `at`, or found then by a listing, the one before which began at
/// `changed_after`. The first that is waited for counts.
pub fn after_change(state: &SyncState, at: DateTime<Utc>, changed_after: DateTime<Utc>) -> PushHealth {
    match &state.push_health {
        PushHealth::Healthy if is_open(state, at) => PushHealth::Awaiting { since: at, changed_after },
        other => other.clone(),
    }
}

/// After a notice that was received at `at`, however long its message was under way here. One that came before the
/// change, by clocks that differ a little, says nothing of it.
pub fn after_notice(health: &PushHealth, at: DateTime<Utc>) -> PushHealth {
    match health {
        PushHealth::Awaiting { changed_after, .. } | PushHealth::Suspect { changed_after, .. }
            if at >= *changed_after - NOTICE_WITHIN =>
        {
            PushHealth::Healthy
        }
        other => other.clone(),
    }
}

/// As it is `now`, if no notice has come: what was waited for long enough makes push suspect.
pub fn as_of(health: &PushHealth, now: DateTime<Utc>) -> PushHealth {
    match health {
        PushHealth::Awaiting { since, changed_after } if now >= *since + NOTICE_WITHIN => {
            PushHealth::Suspect { since: *since, changed_after: *changed_after }
        }
        other => other.clone(),
    }
}

/// Whether a push notification received at `at` needs no listing: the last complete one began after it, and push is not
/// waiting for a sign that it works.
pub fn says_nothing_new(state: &SyncState, at: DateTime<Utc>) -> bool {
    state.listed_at.is_some_and(|began| at + SAFELY_OLDER < began)
        && after_notice(&state.push_health, at) == state.push_health
}

/// What a listing brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Brought {
    /// All that is in the calendar.
    Everything,
    /// A delta without items.
    Nothing,
    /// A delta of what was known.
    Known,
    /// A delta with something new.
    Changes,
}

impl Brought {
    pub fn of_delta(is_empty: bool, has_changes: bool) -> Self {
        match (is_empty, has_changes) {
            (_, true) => Self::Changes,
            (true, false) => Self::Nothing,
            (false, false) => Self::Known,
        }
    }
}

/// The doubt that is left by a good listing that began at `began`, `announced` by a notice or not. One that lags may bring
/// nothing of what its notice told, or only what an earlier notice did; listings settle it once they begin late enough
/// to show all of that. What a complete listing brought of its notice cannot be told.
pub fn doubted_after_listing(
    before: Option<DateTime<Utc>>,
    announced: bool,
    brought: Brought,
    began: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    match brought {
        Brought::Everything | Brought::Nothing if announced => Some(began),
        Brought::Known | Brought::Changes if announced => before.map(|_| began),
        Brought::Everything | Brought::Nothing | Brought::Known | Brought::Changes => {
            before.filter(|since| began < *since + MAX_LAG)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Channel, ChannelId};

    fn at(minute: i64) -> DateTime<Utc> {
        "2026-03-01T08:00:00Z".parse::<DateTime<Utc>>().unwrap() + TimeDelta::minutes(minute)
    }

    /// A state with a channel that ends after an hour.
    fn state(push_health: PushHealth) -> SyncState {
        let channel = Channel { id: ChannelId::from("c"), resource_id: "r".into(), expires_at: at(60) };
        SyncState { channel: Some(channel), push_health, ..SyncState::new(at(0)) }
    }

    fn unsupported() -> PushHealth {
        PushHealth::Unsupported { refusal: "403 forbidden".to_owned() }
    }

    #[test]
    fn the_first_change_whose_notice_is_to_come_counts_and_only_while_a_channel_is_open() {
        let awaiting = PushHealth::Awaiting { since: at(1), changed_after: at(0) };
        let made = |state: &SyncState, minute| after_change(state, at(minute), at(0));
        assert_eq!(made(&state(PushHealth::Healthy), 1), awaiting);
        assert_eq!(made(&state(awaiting.clone()), 2), awaiting);
        assert_eq!(made(&state(PushHealth::Healthy), 60), PushHealth::Healthy, "the channel has ended");
        let suspect = PushHealth::Suspect { since: at(0), changed_after: at(0) };
        for other in [suspect, unsupported(), PushHealth::Closed] {
            assert_eq!(made(&state(other.clone()), 1), other);
        }
    }

    #[test]
    fn without_a_notice_push_is_suspect_after_two_minutes() {
        let awaiting = PushHealth::Awaiting { since: at(1), changed_after: at(0) };
        assert_eq!(as_of(&awaiting, at(3) - TimeDelta::milliseconds(1)), awaiting);
        assert_eq!(as_of(&awaiting, at(3)), PushHealth::Suspect { since: at(1), changed_after: at(0) });
        assert_eq!(as_of(&PushHealth::Healthy, at(9)), PushHealth::Healthy);
    }

    #[test]
    fn nothing_is_untold_while_push_is_healthy_and_the_channel_is_safely_open() {
        let (healthy, soon) = (state(PushHealth::Healthy), at(59) - TimeDelta::milliseconds(1));
        assert!(works(&healthy, soon) && !works(&healthy, at(59)), "it ends in a minute");
        assert!(!works(&SyncState { channel: None, ..healthy }, soon), "there is none");
        let (since, changed_after) = (at(0), at(0));
        let suspect = PushHealth::Suspect { since, changed_after };
        for other in [PushHealth::Awaiting { since, changed_after }, suspect, PushHealth::Closed] {
            assert!(!works(&state(other.clone()), at(1)), "{other:?}");
        }
    }

    #[test]
    fn a_listing_is_owed_until_a_good_one_that_began_under_the_channel() {
        let opened = SyncState { channel_opened_at: Some(at(5)), ..state(PushHealth::Closed) };
        assert!(owes_listing(&opened, at(5)) && !owes_listing(&opened, at(60)), "it ends");
        assert!(!owes_listing(&SyncState { channel: None, ..opened.clone() }, at(5)), "there is none");
        assert!(!owes_listing(&state(PushHealth::Healthy), at(5)));
        assert_eq!(after_listing(&opened, at(5)), PushHealth::Healthy);
        assert_eq!(after_listing(&opened, at(5) - TimeDelta::milliseconds(1)), PushHealth::Closed);
        let suspect = PushHealth::Suspect { since: at(6), changed_after: at(6) };
        let doubted = SyncState { push_health: suspect.clone(), ..opened };
        assert_eq!(after_listing(&doubted, at(7)), suspect, "what is found without a notice heals nothing");
    }

    #[test]
    fn a_channel_that_was_replaced_may_still_have_something_to_tell_for_two_minutes() {
        let opened = SyncState { channel_opened_at: Some(at(0)), ..state(PushHealth::Healthy) };
        assert!(!predecessors_are_done(&opened, at(2) - TimeDelta::milliseconds(1)));
        assert!(predecessors_are_done(&opened, at(2)));
    }

    #[test]
    fn a_notification_makes_push_healthy_unless_it_is_older_than_the_change() {
        let (since, changed_after) = (at(40), at(10));
        for broken in [PushHealth::Awaiting { since, changed_after }, PushHealth::Suspect { since, changed_after }] {
            assert_eq!(after_notice(&broken, at(8)), PushHealth::Healthy, "its message was under way for long");
            assert_eq!(after_notice(&broken, at(7)), broken);
        }
        for other in [unsupported(), PushHealth::Closed] {
            assert_eq!(after_notice(&other, at(8)), other, "it came through a channel that no longer counts");
        }
    }

    #[test]
    fn what_was_stored_before_it_was_known_when_a_change_was_made_is_healed_by_any_notice() {
        let stored = r#"{ "state": "suspect", "since": "2026-03-01T08:00:00.000Z" }"#;
        let health: PushHealth = serde_json::from_str(stored).unwrap();
        assert_eq!(after_notice(&health, at(-600)), PushHealth::Healthy);
    }

    #[test]
    fn a_refused_channel_that_was_stored_without_googles_reason_is_read() {
        let health: PushHealth = serde_json::from_str(r#"{ "state": "unsupported" }"#).unwrap();
        assert_eq!(health, PushHealth::Unsupported { refusal: "unknown".to_owned() });
    }

    #[test]
    fn a_notice_stays_in_doubt_until_a_listing_that_brings_its_change_or_begins_a_minute_later() {
        use Brought::{Changes, Everything, Known, Nothing};
        let doubt = Some(at(1));
        for (before, announced, brought, began, after) in [
            (None, true, Nothing, at(1), doubt),
            (None, true, Everything, at(1), doubt),
            (None, true, Known, at(1), None),
            (None, true, Changes, at(1), None),
            (Some(at(0)), true, Changes, at(1), doubt),
            (doubt, false, Changes, at(2) - TimeDelta::milliseconds(1), doubt),
            (doubt, false, Everything, at(2) - TimeDelta::milliseconds(1), doubt),
            (doubt, false, Nothing, at(2), None),
            (None, false, Nothing, at(1), None),
        ] {
            let left = doubted_after_listing(before, announced, brought, began);
            assert_eq!(left, after, "{before:?} {announced} {brought:?} {began}");
        }
    }

    #[test]
    fn a_notice_says_nothing_new_when_it_is_safely_older_than_the_last_listing_and_none_is_awaited() {
        let listed = |health| SyncState { listed_at: Some(at(10)), ..state(health) };
        assert!(says_nothing_new(&listed(PushHealth::Healthy), at(8)));
        assert!(!says_nothing_new(&listed(PushHealth::Healthy), at(9)), "not by a margin");
        let suspect = PushHealth::Suspect { since: at(8), changed_after: at(8) };
        assert!(!says_nothing_new(&listed(suspect), at(8)), "it heals");
        assert!(!says_nothing_new(&state(PushHealth::Healthy), at(8)), "nothing was ever listed");
    }
}
