//! When to make an attempt and when to repeat it: within the user's and the fleet's quota, with exponential backoff and
//! full jitter, never after the deadline.
//!
//! Full jitter, a pause between zero and the ceiling, spreads clients that were refused at the same moment;
//! <https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/>.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::{fleet::FleetLimiter, http::EXCHANGE_TIMEOUT, pace::UserLimiter};
use crate::ports::{Access, CalendarError, Clock, Random};

/// Consecutive failed attempts after which the call fails.
const MAX_ATTEMPTS: u32 = 5;
const FIRST_MAX_PAUSE: Duration = Duration::from_secs(1);
const MAX_PAUSE: Duration = Duration::from_secs(16);
/// With less time than this an attempt is not worth its quota.
const MIN_ATTEMPT_TIME: Duration = Duration::from_millis(200);

/// The attempts of one call.
pub(super) struct Retry<'a> {
    clock: &'a dyn Clock,
    random: &'a dyn Random,
    user: &'a UserLimiter,
    fleet: &'a FleetLimiter,
    access: &'a Access,
    deadline: DateTime<Utc>,
    failures: u32,
}

impl<'a> Retry<'a> {
    /// `access` names the user and the OAuth client, each of which has a quota.
    pub fn new(
        clock: &'a dyn Clock,
        random: &'a dyn Random,
        (user, fleet): (&'a UserLimiter, &'a FleetLimiter),
        access: &'a Access,
        deadline: DateTime<Utc>,
    ) -> Self {
        Self { clock, random, user, fleet, access, deadline, failures: 0 }
    }

    /// Waits until both quotas have room for an attempt of `units`, and returns how long it may take. Fails, without
    /// asking Google, where there is no time to wait for that.
    pub async fn turn(&self, units: u32) -> Result<Duration, CalendarError> {
        self.time_left().ok_or_else(out_of_time)?;
        let latest = self.deadline - MIN_ATTEMPT_TIME;
        let start = self.user.reserve(&self.access.account, units, self.clock.now(), latest);
        self.wait_for(start).await?;
        let start = self.fleet.reserve(&self.access.client, units, self.clock.now(), latest).await;
        self.wait_for(start).await?;
        // There was time before the wait.
        self.time_left().ok_or(CalendarError::Paced)
    }

    /// Waits for a start that was reserved.
    async fn wait_for(&self, start: Option<DateTime<Utc>>) -> Result<(), CalendarError> {
        let pause = start.ok_or(CalendarError::Paced)? - self.clock.now();
        if pause > TimeDelta::zero() {
            self.clock.sleep(pause.to_std().unwrap_or_default()).await;
        }
        Ok(())
    }

    /// How long the next attempt may take; `None` when there is no time for one.
    fn time_left(&self) -> Option<Duration> {
        let left = (self.deadline - self.clock.now()).to_std().ok()?;
        (left >= MIN_ATTEMPT_TIME).then(|| left.min(EXCHANGE_TIMEOUT))
    }

    /// The next failure counts as a first one again.
    pub fn succeeded(&mut self) {
        self.failures = 0;
    }

    /// Waits after a failure; false when there is to be no further attempt.
    pub async fn failed(&mut self) -> bool {
        self.failures += 1;
        let mut bytes = [0; 4];
        self.random.fill(&mut bytes);
        let Some(pause) = pause(self.failures, u32::from_le_bytes(bytes), self.time_left()) else { return false };
        self.clock.sleep(pause).await;
        true
    }
}

pub(super) fn out_of_time() -> CalendarError {
    CalendarError::Unavailable("no time left".to_owned())
}

/// The pause after so many consecutive failures; `None` when it is time to give up. `random` is any number.
fn pause(failures: u32, random: u32, time_left: Option<Duration>) -> Option<Duration> {
    if failures >= MAX_ATTEMPTS {
        return None;
    }
    let ceiling = FIRST_MAX_PAUSE.saturating_mul(1 << (failures - 1)).min(MAX_PAUSE);
    let pause = ceiling.mul_f64(f64::from(random) / f64::from(u32::MAX));
    (pause + MIN_ATTEMPT_TIME <= time_left?).then_some(pause)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLENTY: Option<Duration> = Some(Duration::from_mins(1));

    #[test]
    fn a_pause_lies_between_nothing_and_a_ceiling_that_doubles() {
        for (failures, ceiling) in [(1, 1), (2, 2), (3, 4), (4, 8)] {
            assert_eq!(pause(failures, 0, PLENTY), Some(Duration::ZERO));
            assert_eq!(pause(failures, u32::MAX, PLENTY), Some(Duration::from_secs(ceiling)));
        }
    }

    #[test]
    fn the_fifth_failure_in_a_row_is_the_last() {
        assert_eq!(pause(MAX_ATTEMPTS, 0, PLENTY), None);
    }

    #[test]
    fn nothing_is_tried_that_would_outlast_the_deadline() {
        assert_eq!(pause(1, u32::MAX, Some(Duration::from_secs(1))), None);
        assert_eq!(pause(1, 0, Some(Duration::from_millis(199))), None);
        assert_eq!(pause(1, 0, None), None);
    }
}
