//! What the tests begin with: connections, lessons and events.

use calendar_sync::{
    model::{
        Act, CalendarId, ConnectionId, ConnectionKey, ConnectionStatus, Event, EventId, EventTime, GoogleAccount,
        InstructorCalendarCredentials, InstructorId, LessonId, Person, PersonAct, PersonRole, SealedSecret,
        SealedTokens, SyncLogId, SyncSettings, SyncState, TenantId, WebhookKeys, timestamp,
    },
    ports::Connect,
};
use chrono::{DateTime, TimeDelta, Utc};
use google_sim::Granted;
use secrecy::SecretString;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    google::{CLIENT, SCOPE},
    ports::seal_plainly,
};

pub const WEBHOOK_KEY: &str = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";

pub fn webhook_keys() -> WebhookKeys {
    WebhookKeys::from_base64(&[SecretString::from(WEBHOOK_KEY)]).unwrap()
}

/// Noon of a day in March: when most tests begin.
pub fn noon() -> DateTime<Utc> {
    DateTime::from_timestamp(1_772_366_400, 0).unwrap()
}

pub const fn key(tenant: u128, instructor: u128) -> ConnectionKey {
    ConnectionKey {
        tenant_id: TenantId(Uuid::from_u128(tenant)),
        instructor_id: InstructorId(Uuid::from_u128(instructor)),
    }
}

pub const fn lesson_id(number: u128) -> LessonId {
    LessonId(Uuid::from_u128(number))
}

/// The credentials of a connection that is made now, to the account `sub`; their id is the instructor's.
pub fn credentials(key: ConnectionKey, sub: &str, now: DateTime<Utc>) -> InstructorCalendarCredentials {
    InstructorCalendarCredentials {
        id: ConnectionId(key.instructor_id.0),
        key,
        tokens: SealedTokens {
            google_access_token: SealedSecret("sealed access".to_owned()),
            google_refresh_token: SealedSecret("sealed refresh".to_owned()),
            google_token_expiry: now + TimeDelta::hours(1),
        },
        google_calendar_id: CalendarId::from("primary"),
        google_account: GoogleAccount { sub: sub.to_owned(), email: Some(format!("{sub}@example.com")) },
        oauth_client: CLIENT.to_owned(),
        granted_scopes: vec![SCOPE.to_owned()],
        settings: SyncSettings::default(),
        status: ConnectionStatus::Active,
        created_at: now,
        updated_at: now,
    }
}

/// The tokens that Google granted, as [`PlainVault`](crate::ports::PlainVault) seals them.
pub fn sealed(key: ConnectionKey, granted: &Granted, now: DateTime<Utc>) -> SealedTokens {
    SealedTokens {
        google_access_token: seal_plainly(key, &granted.access_token),
        google_refresh_token: seal_plainly(key, &granted.refresh_token),
        google_token_expiry: now + TimeDelta::seconds(3_599),
    }
}

pub fn first_login(credentials: InstructorCalendarCredentials) -> Connect {
    let now = credentials.created_at;
    let act = act(credentials.key, 0, now, Act::Connected);
    Connect { credentials, asked_at: now, replaces: None, state: Some(SyncState::new(now)), act }
}

/// An instructor, for themself.
pub fn person() -> Person {
    Person { subject: "user".to_owned(), role: PersonRole::Instructor }
}

/// A log row of what [`person`] did; rows sort by their number.
pub fn act(key: ConnectionKey, number: u128, at: DateTime<Utc>, act: Act) -> PersonAct {
    PersonAct { id: SyncLogId(Uuid::from_u128(number)), key, at, person: person(), act }
}

/// The host's row of an instructor.
pub fn instructor_row(key: ConnectionKey) -> Value {
    json!({ "tenant_id": key.tenant_id, "id": key.instructor_id })
}

/// The host's row of a lesson of an hour.
pub fn lesson_row(key: ConnectionKey, id: LessonId, title: &str, starts_at: DateTime<Utc>) -> Value {
    json!({
        "tenant_id": key.tenant_id, "id": id, "instructor_id": key.instructor_id, "title": title,
        "starts_at": timestamp::format(starts_at), "ends_at": timestamp::format(starts_at + TimeDelta::hours(1)),
        "time_zone": "Europe/Berlin", "status": "scheduled",
    })
}

/// An event as Google has told of it.
pub fn event(id: &str, start: DateTime<Utc>, end: DateTime<Utc>) -> Event {
    Event {
        id: EventId::from(id),
        etag: "\"1\"".to_owned(),
        summary: Some(format!("About {id}")),
        start: Some(EventTime::At { instant: start, zone: None }),
        end: Some(EventTime::At { instant: end, zone: None }),
        ..Event::default()
    }
}

/// The fields of an event of an hour, as a person saves it in Google.
pub fn hour(starts_at: DateTime<Utc>) -> Value {
    json!({
        "start": { "dateTime": starts_at, "timeZone": "Europe/Berlin" },
        "end": { "dateTime": starts_at + TimeDelta::hours(1), "timeZone": "Europe/Berlin" },
    })
}
