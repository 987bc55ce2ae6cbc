//! Randomness comes from outside, so that tests can repeat it.

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

    /// For [`crate::decide::backoff`] and [`crate::decide::schedule`], which spread times by it.
    fn jitter(&self) -> u16 {
        let mut bytes = [0; 2];
        self.fill(&mut bytes);
        u16::from_be_bytes(bytes)
    }
}
