//! How long a connection backs off after failures.

use chrono::TimeDelta;

pub const MAX_DELAY: TimeDelta = TimeDelta::hours(6);
/// After Google's `quotaExceeded`, whose recovery takes hours.
pub const QUOTA_EXCEEDED_DELAY: TimeDelta = TimeDelta::hours(3);
/// The longest delay while Google refuses our OAuth client: all connections come back within it when the operator has
/// repaired that.
pub const MAX_CLIENT_REFUSED_DELAY: TimeDelta = TimeDelta::hours(1);
/// The wait for room in a quota per minute. It is at least a minute with any jitter, so that what filled the quota no
/// longer counts.
pub const PACED: TimeDelta = TimeDelta::seconds(80);
/// Consecutive failures after which the instructor is told.
pub const NOTIFY_AFTER_FAILURES: u32 = 3;

/// After so many failures in a row, what Google refuses a lesson for now counts as refused for good: a few minutes are
/// waited for, and one lesson that is refused for longer does not count as a failure of the connection that is told.
pub const MAX_LESSON_FAILURES: u32 = NOTIFY_AFTER_FAILURES - 1;
/// After so many failures in a row, which take an hour, an event that should not be there and that Google refuses to
/// delete for now is left.
pub const MAX_ORPHAN_FAILURES: u32 = 6;

/// The delay after consecutive failed runs: a minute, doubled with each, six hours at most.
pub fn delay(failures: u32) -> TimeDelta {
    let doubled = 1_i32.checked_shl(failures.saturating_sub(1).min(30)).unwrap_or(i32::MAX);
    TimeDelta::minutes(1).checked_mul(doubled).unwrap_or(MAX_DELAY).min(MAX_DELAY)
}

/// `time` spread by ±25 %; `random` is any random number.
pub fn jitter(time: TimeDelta, random: u16) -> TimeDelta {
    let per_mille = 750 + i64::from(random) * 500 / i64::from(u16::MAX);
    TimeDelta::milliseconds(time.num_milliseconds().saturating_mul(per_mille) / 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_backoff_doubles_up_to_six_hours() {
        let minutes = |failures| delay(failures).num_minutes();
        assert_eq!(
            [minutes(1), minutes(2), minutes(3), minutes(9), minutes(10), minutes(u32::MAX)],
            [1, 2, 4, 256, 360, 360]
        );
    }

    #[test]
    fn jitter_stays_within_a_quarter() {
        let time = TimeDelta::minutes(100);
        assert_eq!([jitter(time, 0).num_minutes(), jitter(time, u16::MAX).num_minutes()], [75, 125]);
    }
}
