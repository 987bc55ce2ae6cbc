//! Disconnecting: what an attempt to remove our events from Google has settled, and when the next one comes.

use chrono::TimeDelta;

use super::backoff;
use crate::ports::{CalendarError, OperationOutcome};

/// After this many attempts without progress, our events stay in Google.
pub const MAX_FRUITLESS_ATTEMPTS: u32 = 6;

/// Why events are left in Google.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Obstacle {
    /// Time ran out, or Google did not answer.
    Time,
    /// Google's usage limit is exceeded.
    Quota,
    /// Our own rate limits left no room.
    Pace,
}

impl Obstacle {
    pub fn of(error: &CalendarError) -> Self {
        match error {
            CalendarError::Paced => Self::Pace,
            CalendarError::QuotaExceeded => Self::Quota,
            CalendarError::Unauthorized(_)
            | CalendarError::PermissionWithdrawn(_)
            | CalendarError::ClientRefused(_)
            | CalendarError::CalendarGone(_)
            | CalendarError::PushNotPossible(_)
            | CalendarError::Refused(_)
            | CalendarError::RateLimited
            | CalendarError::Unavailable(_) => Self::Time,
        }
    }
}

/// The result of one attempt to remove our events from Google.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GoogleCleanup {
    /// No event of ours is left that Google lets us remove.
    Wholly,
    Partly {
        /// Whether fewer are left than before.
        progress: bool,
        obstacle: Obstacle,
    },
}

impl GoogleCleanup {
    pub fn in_vain() -> Self {
        Self::Partly { progress: false, obstacle: Obstacle::Time }
    }

    pub fn waits() -> Self {
        Self::Partly { progress: false, obstacle: Obstacle::Pace }
    }
}

/// The number of attempts without progress, and how long to back off before the next; `None` when there is to be no
/// further attempt. An attempt that made progress or was rate limited does not count.
pub fn next_attempt(in_vain: u32, progress: bool, obstacle: Obstacle) -> Option<(u32, TimeDelta)> {
    let in_vain = if progress || obstacle == Obstacle::Pace { in_vain } else { in_vain + 1 };
    let rest = match obstacle {
        Obstacle::Pace => backoff::PACED,
        Obstacle::Quota => backoff::QUOTA_EXCEEDED_DELAY,
        Obstacle::Time if progress => TimeDelta::zero(),
        Obstacle::Time => backoff::delay(in_vain),
    };
    (in_vain <= MAX_FRUITLESS_ATTEMPTS).then_some((in_vain, rest))
}

pub fn is_gone(outcome: &OperationOutcome) -> bool {
    matches!(outcome, OperationOutcome::Deleted | OperationOutcome::Gone)
}

/// The events that are gone or that Google refuses to delete for good, and what prevented the others. A refusal
/// for now counts as one for good in the last attempt.
pub fn settled<'a, T>(batch: &'a [T], outcomes: &[OperationOutcome], in_vain: u32) -> (Vec<&'a T>, Option<Obstacle>) {
    let (mut settled, mut obstacle) = (Vec::new(), None);
    for (event, outcome) in batch.iter().zip(outcomes) {
        match outcome {
            OperationOutcome::TryLater(CalendarError::QuotaExceeded) => obstacle = Some(Obstacle::Quota),
            OperationOutcome::TryLater(CalendarError::Paced) => obstacle = obstacle.or(Some(Obstacle::Pace)),
            OperationOutcome::TryLater(_) => obstacle = obstacle.or(Some(Obstacle::Time)),
            OperationOutcome::RefusedForNow(_) if in_vain < MAX_FRUITLESS_ATTEMPTS => {
                obstacle = obstacle.or(Some(Obstacle::Time));
            }
            OperationOutcome::Event(_)
            | OperationOutcome::Deleted
            | OperationOutcome::Gone
            | OperationOutcome::IdTaken
            | OperationOutcome::Changed
            | OperationOutcome::NotOrganizer(_)
            | OperationOutcome::Refused(_)
            | OperationOutcome::RefusedForNow(_) => settled.push(event),
        }
    }
    (settled, obstacle)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::Refusal;

    #[test]
    fn an_attempt_to_disconnect_that_makes_progress_is_not_counted() {
        assert_eq!(
            next_attempt(MAX_FRUITLESS_ATTEMPTS, true, Obstacle::Time),
            Some((MAX_FRUITLESS_ATTEMPTS, TimeDelta::zero()))
        );
        assert_eq!(next_attempt(0, false, Obstacle::Time), Some((1, TimeDelta::minutes(1))));
        assert!(next_attempt(MAX_FRUITLESS_ATTEMPTS - 1, false, Obstacle::Time).is_some());
        assert_eq!(next_attempt(MAX_FRUITLESS_ATTEMPTS, false, Obstacle::Time), None);
    }

    #[test]
    fn after_an_exceeded_quota_the_next_attempt_is_hours_later() {
        assert_eq!(next_attempt(0, true, Obstacle::Quota), Some((0, backoff::QUOTA_EXCEEDED_DELAY)));
        assert_eq!(next_attempt(0, false, Obstacle::Quota), Some((1, backoff::QUOTA_EXCEEDED_DELAY)));
    }

    #[test]
    fn waiting_for_the_quota_of_a_minute_is_not_counted_as_an_attempt() {
        assert_eq!(
            next_attempt(MAX_FRUITLESS_ATTEMPTS, false, Obstacle::Pace),
            Some((MAX_FRUITLESS_ATTEMPTS, backoff::PACED))
        );
    }

    #[test]
    fn events_gone_or_refused_are_settled_and_the_others_name_the_obstacle() {
        let batch = ["gone", "later", "refused", "too fast"];
        let refusal = Refusal { status: 403, reason: "forbidden".to_owned(), message: String::new() };
        let refused = OperationOutcome::Refused(refusal);
        let later = OperationOutcome::TryLater;
        let outcomes =
            [OperationOutcome::Gone, later(CalendarError::QuotaExceeded), refused, later(CalendarError::RateLimited)];
        assert_eq!(settled(&batch, &outcomes, 0), (vec![&"gone", &"refused"], Some(Obstacle::Quota)));
        assert_eq!(settled(&batch[..1], &outcomes[..1], 0), (vec![&"gone"], None));
    }

    #[test]
    fn what_is_refused_for_now_is_in_the_way_until_the_last_attempt() {
        let refusal = Refusal { status: 403, reason: "forbidden".to_owned(), message: String::new() };
        let outcomes = [OperationOutcome::RefusedForNow(refusal)];
        let settles = |in_vain| {
            let (settled, obstacle) = settled(&["e"], &outcomes, in_vain);
            (settled.len(), obstacle)
        };
        assert_eq!([settles(0), settles(MAX_FRUITLESS_ATTEMPTS - 1)], [(0, Some(Obstacle::Time)); 2]);
        assert_eq!(settles(MAX_FRUITLESS_ATTEMPTS), (1, None));
    }
}
