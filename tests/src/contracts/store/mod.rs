//! The contract of [`Store`] and [`RateLimiter`], one file for each part of it.

pub mod acts;
pub mod conflicts;
pub mod connections;
pub mod dispatch;
pub mod erasures;
pub mod external_events;
pub mod host;
pub mod lease;
pub mod logins;
pub mod logs_and_notices;
pub mod mappings;
pub mod mentions;
pub mod rate_limits;
pub mod tenants;

use std::{collections::BTreeSet, sync::Arc};

use async_trait::async_trait;
use calendar_sync::{
    model::{
        CalendarEventMapping, CalendarId, ConnectionId, ConnectionKey, Event, EventId, EventStatus, EventTime, Extent,
        ExternalCalendarEvent, InstructorCalendarCredentials, Notice, NoticeKind, SchedulingConflict, SyncState,
        SyncTask, TenantId, Window,
    },
    ports::{Connect, LeaseAttempt, RateLimiter, Store},
};
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use serde_json::Value;
use testkit::data::{self, event, first_login, key as connection, lesson_id as lesson, noon};
use uuid::Uuid;

/// An empty store, and the host that shares its tables.
pub struct Subject {
    pub store: Arc<dyn Store>,
    pub limiter: Arc<dyn RateLimiter>,
    pub host: Arc<dyn Host>,
}

/// The host application's own hand in its tables.
#[async_trait]
pub trait Host: Send + Sync {
    /// Puts a row as it is.
    async fn put(&self, table: HostTable, row: Value);
    /// Removes a row, as its expiry does.
    async fn remove(&self, table: HostTable, tenant: TenantId, id: Uuid);
    async fn row(&self, table: HostTable, tenant: TenantId, id: Uuid) -> Option<Value>;
}

#[derive(Debug, Clone, Copy)]
pub enum HostTable {
    Lessons,
    Instructors,
}

/// A connection of tenant 1.
fn instructor(number: u128) -> ConnectionKey {
    connection(1, number)
}

/// Noon of a day in March 2026, and so many minutes.
fn at(day: i64, minutes: i64) -> DateTime<Utc> {
    noon() + TimeDelta::days(day - 1) + TimeDelta::minutes(minutes)
}

fn window(from: DateTime<Utc>, to: DateTime<Utc>) -> Window {
    Window { from, to }
}

fn primary() -> CalendarId {
    CalendarId::from("primary")
}

fn tasks(kinds: &[SyncTask]) -> BTreeSet<SyncTask> {
    kinds.iter().copied().collect()
}

fn credentials(key: ConnectionKey, id: u128, sub: &str) -> InstructorCalendarCredentials {
    let credentials = data::credentials(key, sub, at(1, 0));
    InstructorCalendarCredentials { id: ConnectionId(Uuid::from_u128(id)), ..credentials }
}

fn login(key: ConnectionKey, id: u128, sub: &str) -> Connect {
    first_login(credentials(key, id, sub))
}

impl Subject {
    async fn connected(&self, key: ConnectionKey) -> InstructorCalendarCredentials {
        let login = login(key, key.instructor_id.0.as_u128(), &key.to_string());
        self.store.connect(&login).await.unwrap();
        login.credentials
    }

    async fn state(&self, key: ConnectionKey) -> SyncState {
        self.store.state(key).await.unwrap().unwrap()
    }

    /// Takes the lease at noon for ten minutes.
    async fn leased(&self, key: ConnectionKey, owner: u128) -> SyncState {
        match self.acquire(key, owner, 0, &[]).await {
            LeaseAttempt::Granted(state) => *state,
            other => panic!("{other:?}"),
        }
    }

    async fn acquire(&self, key: ConnectionKey, owner: u128, minute: i64, kinds: &[SyncTask]) -> LeaseAttempt {
        let (now, until) = (at(1, minute), at(1, minute + 10));
        self.store.acquire_lease(key, Uuid::from_u128(owner), now, until, &tasks(kinds)).await.unwrap()
    }
}

fn mapping(key: ConnectionKey, number: u128, start: DateTime<Utc>) -> CalendarEventMapping {
    CalendarEventMapping::new(key, lesson(number), start, start + TimeDelta::hours(1))
}

fn moment(instant: DateTime<Utc>) -> EventTime {
    EventTime::At { instant, zone: None }
}

fn external(event: Event) -> ExternalCalendarEvent {
    ExternalCalendarEvent::new(&primary(), event, Tz::UTC, None).unwrap()
}

fn single(id: &str, start: DateTime<Utc>, end: DateTime<Utc>) -> ExternalCalendarEvent {
    external(event(id, start, end))
}

/// A daily series of hours; `None` never ends.
fn series(id: &str, start: DateTime<Utc>, last_end: Option<DateTime<Utc>>) -> ExternalCalendarEvent {
    let recurrence = vec!["RRULE:FREQ=DAILY".to_owned()];
    let event = Event { recurrence, ..event(id, start, start + TimeDelta::hours(1)) };
    let extent = Extent { first_start: start, last_end };
    ExternalCalendarEvent::new(&primary(), event, Tz::UTC, Some(extent)).unwrap()
}

/// A series with as many dates and as long texts as are stored.
fn largest(id: &str) -> ExternalCalendarEvent {
    let text = Some("ü".repeat(100_000));
    let line = "RDATE:20300101T120000Z".to_owned();
    let recurrence = vec![line.clone(); ExternalCalendarEvent::MAX_RECURRENCE_BYTES / (line.len() + 1)];
    let event = Event { summary: text.clone(), location: text, recurrence, ..event(id, at(1, 0), at(1, 60)) };
    let extent = Extent { first_start: at(1, 0), last_end: None };
    ExternalCalendarEvent::new(&primary(), event, Tz::UTC, Some(extent)).unwrap()
}

/// An exception of `series` that stood on `original` and was moved to `start`.
fn exception(series: &str, original: DateTime<Utc>, start: DateTime<Utc>) -> ExternalCalendarEvent {
    let id = format!("{}_{}", EventId::from(series).stem(), original.format("%Y%m%dT%H%M%SZ"));
    external(Event {
        recurring_event_id: Some(EventId::from(series)),
        original_start: Some(moment(original)),
        ..event(&id, start, start + TimeDelta::hours(1))
    })
}

fn cancelled(exception: ExternalCalendarEvent) -> ExternalCalendarEvent {
    let event = Event { status: EventStatus::Cancelled, ..exception.event.clone() };
    ExternalCalendarEvent { event, ..exception }
}

fn conflict(number: u128, event: &str, day: i64) -> SchedulingConflict {
    SchedulingConflict {
        lesson_id: lesson(number),
        lesson_start: at(day, 10),
        lesson_end: at(day, 70),
        calendar_id: primary(),
        google_event_id: EventId::from(event),
        occurrence_start: at(day, 0),
        overlap_start: at(day, 10),
        overlap_end: at(day, 20),
        found_at: at(1, 0),
        ignored: None,
    }
}

fn notice(key: ConnectionKey, id: u128, minute: i64) -> Notice {
    let kind = NoticeKind::SyncFailing { code: "google_unavailable".to_owned() };
    Notice { id: Uuid::from_u128(id), key, kind, at: at(1, minute) }
}
