//! Keeps our calls below Google's quota per user and minute, so that we do not use up an instructor's quota ourselves.
//! <https://developers.google.com/workspace/calendar/api/guides/quota>

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Mutex, PoisonError},
};

use chrono::{DateTime, TimeDelta, Utc};

use crate::ports::Operation;

/// Google allows 600; the rest is for other functions at work for the same user.
const UNITS_A_MINUTE: u32 = 500;
const MINUTE: TimeDelta = TimeDelta::minutes(1);

/// What a call costs that is not a part of a batch.
pub(super) const ONE_CALL: u32 = 1;

/// What an operation costs.
pub(super) fn units(operation: &Operation) -> u32 {
    match operation {
        Operation::Patch { .. } => 3,
        Operation::Get { .. } | Operation::Insert { .. } | Operation::Replace { .. } | Operation::Delete { .. } => 1,
    }
}

/// The last minute of every user whom this process made calls for, by account.
#[derive(Default)]
pub(super) struct UserLimiter(Mutex<BTreeMap<String, Window>>);

impl UserLimiter {
    /// When a call of so many units may start, which then counts as made; `None`, counting nothing, when that would be
    /// after `latest`.
    pub fn reserve(
        &self,
        account: &str,
        units: u32,
        now: DateTime<Utc>,
        latest: DateTime<Utc>,
    ) -> Option<DateTime<Utc>> {
        let mut windows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for window in windows.values_mut() {
            window.forget(now);
        }
        windows.retain(|_, window| !window.0.is_empty());
        let start = windows.get(account).map_or(now, |window| window.room_at(units, now));
        if start > latest {
            return None;
        }
        windows.entry(account.to_owned()).or_default().0.push_back((start, units));
        Some(start)
    }
}

/// When one user's calls of the last minute start, and what each costs, in order. Those that wait are among them.
#[derive(Default)]
struct Window(VecDeque<(DateTime<Utc>, u32)>);

impl Window {
    fn forget(&mut self, now: DateTime<Utc>) {
        while self.0.front().is_some_and(|(start, _)| *start + MINUTE <= now) {
            self.0.pop_front();
        }
    }

    /// When there will be room for so many units: no minute may hold more than its share.
    fn room_at(&self, units: u32, now: DateTime<Utc>) -> DateTime<Utc> {
        let mut used: u32 = self.0.iter().map(|(_, units)| units).sum();
        let mut start = now;
        for (earlier, cost) in &self.0 {
            if used + units <= UNITS_A_MINUTE {
                break;
            }
            used -= cost;
            start = start.max(*earlier + MINUTE);
        }
        start
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::{EventId, LessonContent, LessonId},
        ports::EventPatch,
    };

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(second)
    }

    /// Seconds at which a call of so many units starts, with all the time in the world.
    fn start(limiter: &UserLimiter, account: &str, units: u32, second: i64) -> i64 {
        (limiter.reserve(account, units, at(second), DateTime::<Utc>::MAX_UTC).unwrap() - at(0)).num_seconds()
    }

    #[test]
    fn a_call_that_fits_into_the_minute_starts_at_once() {
        let limiter = UserLimiter::default();
        assert_eq!(start(&limiter, "ada", UNITS_A_MINUTE - 1, 0), 0);
        assert_eq!(start(&limiter, "ada", 1, 5), 5);
    }

    #[test]
    fn a_call_that_does_not_fit_starts_when_enough_has_slid_out_of_the_minute() {
        let limiter = UserLimiter::default();
        for second in 0..5 {
            assert_eq!(start(&limiter, "ada", UNITS_A_MINUTE / 5, second), second);
        }
        assert_eq!(start(&limiter, "ada", 1, 10), 60);
        assert_eq!(start(&limiter, "ada", UNITS_A_MINUTE / 5, 10), 61, "the one that waits counts already");
        assert_eq!(start(&limiter, "ada", 1, 59), 61);
    }

    #[test]
    fn no_minute_ever_holds_more_than_its_share() {
        let limiter = UserLimiter::default();
        let mut calls: Vec<(i64, u32)> = Vec::new();
        for n in 0..400_u32 {
            let units = 1 + n * 37 % 150;
            calls.push((start(&limiter, "ada", units, i64::from(n / 3)), units));
        }
        assert!(calls.is_sorted_by_key(|(start, _)| *start));
        for (begin, _) in &calls {
            let minute = calls.iter().filter(|(start, _)| (*begin..*begin + 60).contains(start));
            let held: u32 = minute.map(|(_, units)| units).sum();
            assert!(held <= UNITS_A_MINUTE, "{held} from {begin} on");
        }
    }

    #[test]
    fn one_user_does_not_wait_for_another() {
        let limiter = UserLimiter::default();
        assert_eq!(start(&limiter, "ada", UNITS_A_MINUTE, 0), 0);
        assert_eq!(start(&limiter, "grace", UNITS_A_MINUTE, 0), 0);
    }

    #[test]
    fn a_call_that_would_start_too_late_is_not_made_and_not_counted() {
        let limiter = UserLimiter::default();
        start(&limiter, "ada", UNITS_A_MINUTE, 0);
        assert_eq!(limiter.reserve("ada", 100, at(1), at(59)), None);
        assert_eq!(limiter.reserve("ada", UNITS_A_MINUTE, at(1), at(60)), Some(at(60)));
    }

    #[test]
    fn users_without_calls_are_forgotten() {
        let limiter = UserLimiter::default();
        start(&limiter, "ada", 1, 0);
        start(&limiter, "grace", 1, 60);
        assert_eq!(limiter.0.lock().unwrap().keys().collect::<Vec<_>>(), ["grace"]);
    }

    #[test]
    fn a_patch_costs_three_and_everything_else_one() {
        let id = EventId::from("e1");
        let content = LessonContent {
            title: String::new(),
            starts_at: at(0),
            ends_at: at(1),
            time_zone: chrono_tz::Tz::UTC,
            description: None,
            location: None,
        };
        let event = EventPatch { lesson_id: LessonId(uuid::Uuid::nil()), content };
        for (operation, cost) in [
            (Operation::Get { id: id.clone() }, 1),
            (Operation::Insert { id: id.clone(), event: event.clone() }, 1),
            (Operation::Replace { id: id.clone(), etag: None, event: event.clone() }, 1),
            (Operation::Patch { id: id.clone(), etag: String::new(), event }, 3),
            (Operation::Delete { id, etag: None }, 1),
        ] {
            assert_eq!(units(&operation), cost, "{operation:?}");
        }
    }
}
