//! The history of a value.

use chrono::{DateTime, Utc};

/// A value and its earlier values, each with the time from which it held.
#[derive(Debug, Clone)]
pub struct Past<T>(Vec<(DateTime<Utc>, T)>);

impl<T> Default for Past<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Past<T> {
    /// Sets the value from now on.
    pub fn note(&mut self, now: DateTime<Utc>, value: T) {
        self.0.push((now, value));
    }

    pub fn latest(&self) -> Option<&T> {
        self.0.last().map(|(_, value)| value)
    }

    /// Whether it never had another value.
    pub fn was_always(&self, so: impl Fn(&T) -> bool) -> bool {
        self.0.iter().all(|(_, value)| so(value))
    }

    /// All values that it had at any time since `from`.
    pub fn since(&self, from: DateTime<Utc>) -> impl Iterator<Item = &T> {
        let first = self.0.partition_point(|(at, _)| *at <= from).saturating_sub(1);
        self.0.iter().skip(first).map(|(_, value)| value)
    }
}
