//! The machine's clock and randomness. No other file may ask for them (`clippy.toml`).

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::ports::{Clock, Random};

/// The machine's clock, or one that is set to another time.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock {
    now: fn() -> DateTime<Utc>,
}

impl SystemClock {
    /// A clock that shows `now`; it waits in real time.
    pub fn showing(now: fn() -> DateTime<Utc>) -> Self {
        Self { now }
    }
}

impl Default for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the place")]
    fn default() -> Self {
        Self { now: Utc::now }
    }
}

#[async_trait]
impl Clock for SystemClock {
    fn now(&self) -> DateTime<Utc> {
        (self.now)()
    }

    async fn sleep(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }
}

#[derive(Debug, Clone, Copy, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    #[expect(clippy::expect_used, reason = "a system without randomness can keep no secret: nothing may go on")]
    #[expect(clippy::disallowed_methods, reason = "this is the place")]
    fn fill(&self, bytes: &mut [u8]) {
        getrandom::fill(bytes).expect("the operating system gives random bytes");
    }
}
