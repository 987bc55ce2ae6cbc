//! What the unit tests begin with.

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use uuid::Uuid;

use crate::model::{
    CalendarId, ConnectionId, ConnectionKey, ConnectionStatus, Event, EventId, EventTime, GoogleAccount,
    InstructorCalendarCredentials, InstructorId, Lesson, LessonContent, LessonId, LessonStatus, SealedSecret,
    SealedTokens, SyncSettings, TenantId,
};

/// A connection by its numbers.
pub const fn key(tenant: u128, instructor: u128) -> ConnectionKey {
    ConnectionKey {
        tenant_id: TenantId(Uuid::from_u128(tenant)),
        instructor_id: InstructorId(Uuid::from_u128(instructor)),
    }
}

/// A lesson of an hour that has never been synced.
pub fn lesson(key: ConnectionKey, number: u128, title: &str, starts_at: DateTime<Utc>) -> Lesson {
    Lesson {
        tenant_id: key.tenant_id,
        id: LessonId(Uuid::from_u128(number)),
        instructor_id: key.instructor_id,
        status: LessonStatus::Scheduled,
        content: LessonContent {
            title: title.to_owned(),
            starts_at,
            ends_at: starts_at + TimeDelta::hours(1),
            time_zone: Tz::Europe__Berlin,
            description: None,
            location: None,
        },
        google_calendar_event_id: None,
        calendar_sync_status: None,
        has_conflict: false,
        calendar_sync_revision: 0,
        feed_version: None,
    }
}

/// An event that is repeated as `recurrence` says.
pub fn event(id: &str, start: EventTime, end: EventTime, recurrence: &[&str]) -> Event {
    Event {
        id: EventId::from(id),
        start: Some(start),
        end: Some(end),
        recurrence: recurrence.iter().map(|line| (*line).to_owned()).collect(),
        ..Event::default()
    }
}

/// A connection that works.
pub fn credentials(key: ConnectionKey) -> InstructorCalendarCredentials {
    let sealed = |name: &str| SealedSecret(format!("secret {name}"));
    InstructorCalendarCredentials {
        id: ConnectionId(Uuid::nil()),
        key,
        tokens: SealedTokens {
            google_access_token: sealed("access"),
            google_refresh_token: sealed("refresh"),
            google_token_expiry: DateTime::UNIX_EPOCH,
        },
        google_calendar_id: CalendarId::from("secret@example.com"),
        google_account: GoogleAccount { sub: "secret sub".into(), email: Some("secret@example.com".into()) },
        oauth_client: "client".into(),
        granted_scopes: Vec::new(),
        settings: SyncSettings::default(),
        status: ConnectionStatus::Active,
        created_at: DateTime::UNIX_EPOCH,
        updated_at: DateTime::UNIX_EPOCH,
    }
}
