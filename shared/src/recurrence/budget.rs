//! How many steps the rules of one event may take.

use chrono::TimeDelta;

/// The steps of one question about a year. Each day that is examined is a step, and each time made of it: enough for an
/// occurrence every twenty minutes.
pub(super) const MAX_STEPS: u64 = 60_000;

#[derive(Debug, Clone, Copy)]
pub(super) struct Budget {
    steps: u64,
    spent: u64,
}

impl Budget {
    /// What `steps` leave of the budget of a year. `None` if they are more than that.
    pub(super) fn beside(steps: u64) -> Option<Self> {
        MAX_STEPS.checked_sub(steps).map(|left| Self { steps: left, spent: 0 })
    }

    /// For a question about `time`: the same again for each year beyond the first.
    pub(super) fn of(time: TimeDelta) -> Self {
        let years = u64::try_from(time.num_days() / 366).unwrap_or(0);
        Self { steps: MAX_STEPS.saturating_mul(years + 1), spent: 0 }
    }

    /// Takes `steps`; false when fewer were left.
    pub(super) fn spend(&mut self, steps: u64) -> bool {
        self.spent = self.spent.saturating_add(steps);
        !self.is_spent()
    }

    pub(super) fn is_spent(&self) -> bool {
        self.spent > self.steps
    }

    pub(super) fn spent(&self) -> u64 {
        self.spent
    }
}
