//! How much work the rules of one event may ask for.

use chrono::TimeDelta;

/// The steps that one question about a year may take. A day that is looked at is a step, and so is each time that is
/// made of it: enough for every ten minutes, around the clock.
pub(super) const MAX_STEPS: u64 = 120_000;

/// The steps that are left.
#[derive(Debug)]
pub(super) struct Budget {
    left: u64,
    is_spent: bool,
}

impl Budget {
    /// For a question about a year, or one whose answer does not grow with time.
    pub(super) fn of_a_year() -> Self {
        Self { left: MAX_STEPS, is_spent: false }
    }

    /// For a question about `time`: as much again for each year that it goes beyond the first.
    pub(super) fn of(time: TimeDelta) -> Self {
        let years = u64::try_from(time.num_days() / 366).unwrap_or(0);
        Self { left: MAX_STEPS.saturating_mul(years + 1), is_spent: false }
    }

    /// Takes `steps`, and answers whether they were left.
    pub(super) fn spend(&mut self, steps: u64) -> bool {
        match self.left.checked_sub(steps) {
            Some(left) => self.left = left,
            None => self.is_spent = true,
        }
        !self.is_spent
    }

    /// Whether more was asked for than there was.
    pub(super) fn is_spent(&self) -> bool {
        self.is_spent
    }
}
