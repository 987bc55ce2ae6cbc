//! Many connections: when each is sent a message, and what Google is asked in a minute.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "this is test code")]

mod burst;
mod dispatch;
mod quotas;
mod world;

use calendar_sync::model::ConnectionKey;

/// The connections: each is another tenant's.
fn key(number: u128) -> ConnectionKey {
    testkit::data::key(number, number)
}
