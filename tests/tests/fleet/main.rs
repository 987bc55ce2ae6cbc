//! Many connections: when each is sent a message, and what Google is asked in a minute.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "this is test code")]

mod dispatch;
mod quotas;
mod virtual_time;
mod world;

use calendar_sync::model::{ConnectionKey, InstructorId, TenantId};
use chrono::{DateTime, Utc};
use uuid::Uuid;

fn now() -> DateTime<Utc> {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

/// The connections: each is another tenant's.
fn key(number: u128) -> ConnectionKey {
    ConnectionKey { tenant_id: TenantId(Uuid::from_u128(number)), instructor_id: InstructorId(Uuid::from_u128(number)) }
}
