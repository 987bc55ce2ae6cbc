//! When to try, and when to try again: within the user's and the fleet's quota, with exponential backoff and full jitter, never beyond
//! the deadline.
//!
//! Full jitter (a pause anywhere between nothing and the ceiling) spreads many clients that were refused at the same
//! moment; <https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/>.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::{fleet::FleetPacer, http::EXCHANGE_TIMEOUT, pace::Pacer};
use crate::ports::{Access, CalendarError, Clock, Random};

/// Tries in a row that may fail before the call does.
const MOST_TRIES: u32 = 5;
const FIRST_CEILING: Duration = Duration::from_secs(1);
const HIGHEST_CEILING: Duration = Duration::from_secs(16);
/// A try that has less time than this is not worth its quota.
const LEAST_TIME: Duration = Duration::from_millis(200);

/// The tries of one call.
pub(super) struct Retry<'a> {
    clock: &'a dyn Clock,
    random: &'a dyn Random,
    pacer: &'a Pacer,
    fleet: &'a FleetPacer,
    access: &'a Access,
    deadline: DateTime<Utc>,
    failures: u32,
}

impl<'a> Retry<'a> {
    /// The tries of a call with `access`, whose user and whose OAuth client have a quota each.
    pub fn new(
        clock: &'a dyn Clock,
        random: &'a dyn Random,
        (pacer, fleet): (&'a Pacer, &'a FleetPacer),
        access: &'a Access,
        deadline: DateTime<Utc>,
    ) -> Self {
        Self { clock, random, pacer, fleet, access, deadline, failures: 0 }
    }

    /// Waits until the user's quota and then the fleet's have room for a try of so many units, and says how long the
    /// try may take. Where there is no time to wait for that, Google is not asked.
    pub async fn turn(&self, units: u32) -> Result<Duration, CalendarError> {
        self.time_left().ok_or_else(out_of_time)?;
        let latest = self.deadline - LEAST_TIME;
        let start = self.pacer.book(&self.access.account, units, self.clock.now(), latest);
        self.wait_for(start).await?;
        let start = self.fleet.book(&self.access.client, units, self.clock.now(), latest).await;
        self.wait_for(start).await?;
        self.time_left().ok_or_else(out_of_time)
    }

    /// Waits for a start that was booked.
    async fn wait_for(&self, start: Option<DateTime<Utc>>) -> Result<(), CalendarError> {
        let pause = start.ok_or(CalendarError::Paced)? - self.clock.now();
        if pause > TimeDelta::zero() {
            self.clock.sleep(pause.to_std().unwrap_or_default()).await;
        }
        Ok(())
    }

    /// How long the next try may take; `None` when there is no time for one.
    fn time_left(&self) -> Option<Duration> {
        let left = (self.deadline - self.clock.now()).to_std().ok()?;
        (left >= LEAST_TIME).then(|| left.min(EXCHANGE_TIMEOUT))
    }

    /// Something was achieved: the next failure is a first one again.
    pub fn succeeded(&mut self) {
        self.failures = 0;
    }

    /// Waits after a failure; false when no other try is to be made.
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

/// The pause after so many failures in a row, `random` being any number; `None` when it is time to give up.
fn pause(failures: u32, random: u32, time_left: Option<Duration>) -> Option<Duration> {
    if failures >= MOST_TRIES {
        return None;
    }
    let ceiling = FIRST_CEILING.saturating_mul(1 << (failures - 1)).min(HIGHEST_CEILING);
    let pause = ceiling.mul_f64(f64::from(random) / f64::from(u32::MAX));
    (pause + LEAST_TIME <= time_left?).then_some(pause)
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
        assert_eq!(pause(MOST_TRIES, 0, PLENTY), None);
    }

    #[test]
    fn nothing_is_tried_that_would_outlast_the_deadline() {
        assert_eq!(pause(1, u32::MAX, Some(Duration::from_secs(1))), None);
        assert_eq!(pause(1, 0, Some(Duration::from_millis(199))), None);
        assert_eq!(pause(1, 0, None), None);
    }
}
