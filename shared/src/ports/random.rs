//! Randomness comes from outside, so that tests can repeat it.

use chrono::{DateTime, Utc};
use uuid::Uuid;

/// Unguessable bytes.
pub trait Random: Send + Sync {
    fn fill(&self, bytes: &mut [u8]);

    /// Version 4.
    fn uuid(&self) -> Uuid {
        let mut bytes = [0; 16];
        self.fill(&mut bytes);
        uuid::Builder::from_random_bytes(bytes).into_uuid()
    }

    /// Version 7, which sorts by `at`.
    fn time_ordered_id(&self, at: DateTime<Utc>) -> Uuid {
        let mut random = [0; 10];
        self.fill(&mut random);
        uuid::Builder::from_unix_timestamp_millis(u64::try_from(at.timestamp_millis()).unwrap_or(0), &random)
            .into_uuid()
    }

    /// For [`crate::decide::backoff`] and [`crate::decide::schedule`], which spread times by it.
    fn jitter(&self) -> u16 {
        let mut bytes = [0; 2];
        self.fill(&mut bytes);
        u16::from_be_bytes(bytes)
    }
}
