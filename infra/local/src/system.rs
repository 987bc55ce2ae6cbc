//! The machine's clock and randomness: the one place of this crate that may ask for them.

use std::sync::OnceLock;

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

/// How far the clock of this process is ahead of the machine's.
static AHEAD: OnceLock<TimeDelta> = OnceLock::new();

/// Sets the clock, from which it goes on. Only the first setting counts: time never jumps in a running stack.
pub fn set_clock(at: DateTime<Utc>) {
    AHEAD.get_or_init(|| at - machine_time());
}

/// Whether the clock shows another time than the machine's.
pub fn is_clock_set() -> bool {
    AHEAD.get().is_some()
}

pub fn now() -> DateTime<Utc> {
    machine_time() + AHEAD.get().copied().unwrap_or_default()
}

#[expect(clippy::disallowed_methods, reason = "this is the place")]
fn machine_time() -> DateTime<Utc> {
    Utc::now()
}

#[expect(clippy::disallowed_methods, reason = "this is the place")]
pub fn random_id() -> Uuid {
    Uuid::new_v4()
}
