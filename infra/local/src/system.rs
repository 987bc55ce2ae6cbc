//! The machine's clock and randomness: the one place of this crate that may ask for them.

use chrono::{DateTime, Utc};
use uuid::Uuid;

/// Now.
#[expect(clippy::disallowed_methods, reason = "this is the place")]
pub fn now() -> DateTime<Utc> {
    Utc::now()
}

/// A random id.
#[expect(clippy::disallowed_methods, reason = "this is the place")]
pub fn random_id() -> Uuid {
    Uuid::new_v4()
}
