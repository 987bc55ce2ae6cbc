//! The breaker: a host whose lessons table is empty by mistake does not empty its instructors' calendars, neither at
//! once nor lesson by lesson.

use chrono::{DateTime, TimeDelta, Utc};

use crate::model::Removals;

/// Events that may be removed because their lessons vanished, however few others there are.
const MAX_REMOVALS: u32 = 10;
/// Removals are counted over this time: a table that is emptied reaches us in pieces, run after run.
const COUNTING_PERIOD: TimeDelta = TimeDelta::days(1);

/// How many removals still count at `now`.
pub fn recent(removals: Option<Removals>, now: DateTime<Utc>) -> u32 {
    removals.filter(|removals| now - removals.since < COUNTING_PERIOD).map_or(0, |removals| removals.count)
}

/// Counts one more removal. Only a run that finished all that a person asked for releases what is held back.
pub fn counted(removals: Option<Removals>, now: DateTime<Utc>) -> Removals {
    match (removals, recent(removals, now)) {
        (Some(removals), 1..) => Removals { count: removals.count + 1, ..removals },
        _ => Removals { since: now, count: 1, held: is_held(removals) },
    }
}

/// Removals are held back from now on; waiting does not release them.
pub fn tripped(removals: Option<Removals>, now: DateTime<Utc>) -> Removals {
    Removals { since: now, count: recent(removals, now), held: true }
}

/// Whether removals are held back until a person asks for a sync.
pub fn is_held(removals: Option<Removals>) -> bool {
    removals.is_some_and(|removals| removals.held)
}

/// Whether `vanished` lessons could trip the breaker, before the number of live events is known.
pub fn is_suspicious(vanished: u32, recent: u32) -> bool {
    vanished > 0 && vanished + recent > MAX_REMOVALS
}

/// Whether removing the events of `vanished` lessons needs a person: together with recent removals they are many, and
/// more than half of the events that the calendar had. `live`: our events there now.
pub fn trips(vanished: u32, recent: u32, live: u32) -> bool {
    is_suspicious(vanished, recent) && (vanished + recent) * 2 > live + recent
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn removing_more_than_ten_and_more_than_half_of_the_lessons_needs_a_person() {
        assert!(trips(11, 0, 21));
        assert!(!trips(11, 0, 22), "half of them");
        assert!(!trips(10, 0, 10), "ten of them");
    }

    #[test]
    fn lessons_that_vanish_one_by_one_trip_the_breaker_too() {
        // Of 100 lessons, one vanishes at a time.
        let (mut live, mut removed) = (100, 0);
        while !trips(1, removed, live) {
            (live, removed) = (live - 1, removed + 1);
        }
        assert_eq!(removed, 50);
        assert!(!trips(0, removed, live), "nothing vanishes");
    }

    #[test]
    fn a_tripped_breaker_holds_removals_back_and_counted_removals_do_not() {
        let now = DateTime::UNIX_EPOCH;
        let counted = Some(counted(None, now));
        let tripped = Some(tripped(counted, now));
        assert_eq!([None, counted, tripped].map(is_held), [false, false, true]);
        assert_eq!(tripped.map(|removals| removals.count), Some(1));
        let at_once = super::tripped(None, now);
        assert!(
            is_held(Some(super::counted(Some(at_once), now))),
            "the first removal that a person asked for leaves the rest"
        );
    }

    #[test]
    fn removals_count_towards_the_breaker_for_a_day() {
        let start = DateTime::UNIX_EPOCH;
        let (noon, end) = (start + TimeDelta::hours(12), start + TimeDelta::days(1));
        let first = counted(None, start);
        let second = counted(Some(first), noon);
        assert_eq!(second, Removals { since: start, count: 2, held: false });
        assert_eq!([recent(Some(second), noon), recent(Some(second), end), recent(None, noon)], [2, 0, 0]);
        assert_eq!(counted(Some(second), end), Removals { since: end, count: 1, held: false });
    }
}
