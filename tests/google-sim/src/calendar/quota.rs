//! Google's minute quotas, on a sliding window, and its limits beyond them.

use std::collections::{BTreeMap, VecDeque};

use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};

use crate::config::Limits;
use crate::error::{ApiError, Result};
use crate::random::Random;

/// The calls of the last minute, and who must wait for hours.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Quota {
    #[serde(skip)]
    projects: BTreeMap<String, Window>,
    #[serde(skip)]
    users: BTreeMap<(String, String), Window>,
    #[serde(skip)]
    writes: BTreeMap<String, Window>,
    /// Accounts whose anti-abuse limit is reached, and until when.
    pub exhausted: BTreeMap<String, DateTime<Utc>>,
}

/// The times, in milliseconds, of the calls of the last minute.
#[derive(Clone, Debug, Default)]
struct Window(VecDeque<i64>);

impl Window {
    /// Drops what is older than a minute and says how much is left.
    fn used(&mut self, now: i64) -> usize {
        while self.0.front().is_some_and(|at| now - at >= 60_000) {
            self.0.pop_front();
        }
        self.0.len()
    }
}

impl Quota {
    /// Counts a call of `cost` units, or refuses it; refused calls do not count.
    pub fn take(
        &mut self,
        now: DateTime<Utc>,
        project: &str,
        account: &str,
        cost: usize,
        limits: &Limits,
        random: &mut Random,
    ) -> Result<()> {
        if self.exhausted.get(account).is_some_and(|until| now < *until) {
            let message = "Calendar usage limits exceeded.";
            return Err(ApiError::usage(403, "quotaExceeded", message));
        }
        let millis = now.timestamp_millis();
        if let Some(limit) = limits.user_per_minute {
            let key = (project.to_owned(), account.to_owned());
            let window = self.users.entry(key).or_default();
            if window.used(millis) + cost > limit as usize {
                let message = "User Rate Limit Exceeded";
                return Err(ApiError::usage(403, "userRateLimitExceeded", message));
            }
        }
        if let Some(limit) = limits.project_per_minute {
            let window = self.projects.entry(project.to_owned()).or_default();
            if window.used(millis) + cost > limit as usize {
                // The same refusal comes under either status.
                let status = if random.chance(0.5) { 403 } else { 429 };
                let message = "Rate Limit Exceeded";
                return Err(ApiError::usage(status, "rateLimitExceeded", message));
            }
        }
        let units = || std::iter::repeat_n(millis, cost);
        if limits.user_per_minute.is_some() {
            let key = (project.to_owned(), account.to_owned());
            self.users.entry(key).or_default().0.extend(units());
        }
        if limits.project_per_minute.is_some() {
            self.projects.entry(project.to_owned()).or_default().0.extend(units());
        }
        Ok(())
    }

    /// Counts a write to `calendar`, or refuses it.
    pub fn take_write(&mut self, now: DateTime<Utc>, calendar: &str, limits: &Limits) -> Result<()> {
        let Some(limit) = limits.calendar_writes_per_minute else {
            return Ok(());
        };
        let millis = now.timestamp_millis();
        let window = self.writes.entry(calendar.to_owned()).or_default();
        if window.used(millis) >= limit as usize {
            return Err(ApiError::usage(403, "rateLimitExceeded", "Rate Limit Exceeded"));
        }
        window.0.push_back(millis);
        Ok(())
    }

    /// The account's anti-abuse limit is reached, for so long.
    pub fn exhaust(&mut self, now: DateTime<Utc>, account: &str, time: Duration) {
        self.exhausted.insert(account.to_owned(), now + time);
    }

    /// Forgets all calls and all waiting.
    pub fn reset(&mut self) {
        *self = Self::default();
    }
}
