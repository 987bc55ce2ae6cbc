//! A simulated Google with Ada's calendar, a client of it, and a clock that both read.

use std::{
    sync::{
        Arc, MutexGuard,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use calendar_sync::{
    adapters::google::{self, GoogleCalendar, GoogleLogin, Transport},
    config::GoogleConfig,
    model::{CalendarId, ChannelId, Event, EventId, LessonContent, OwnEventId},
    ports::{
        Access, Calendar, EventPatch, GrantedTokens, Login, LoginError, NewChannel, Operation, OperationOutcome, Page,
        PageOutcome, PageRequest,
    },
};
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use convergence::memory_store::{Fate, MemoryStore};
use futures::FutureExt;
use google_sim::{Effect, Fault, Google, When};
use secrecy::SecretString;
use serde_json::{Value, json};
pub use testkit::{
    clock::TestClock,
    data::noon as now,
    google::{ADA, CLIENT, CLIENT_SECRET, REDIRECT, SCOPE},
};
use testkit::{
    data::{hour, key, lesson_id},
    google::{SimulatedGoogle, code, demo},
    ports::FixedJitter,
    wiring::clients,
};

pub const HOLIDAYS: &str = "en.german#holiday@group.v.calendar.google.com";
pub const VERIFIER: &str = "marked-verifier-that-is-at-least-43-characters-long";

/// More events than one page holds.
pub const MANY: usize = 2_600;

/// By when calls are to end, where that is not what a test is about.
pub fn soon() -> DateTime<Utc> {
    now() + TimeDelta::minutes(1)
}

pub struct World {
    google: SimulatedGoogle,
    pub clock: Arc<TestClock>,
    pub calendar: GoogleCalendar,
    reservations: Arc<AtomicUsize>,
    pub login: GoogleLogin,
    pub access: Access,
}

/// The quota is a fleet's; here is one process.
fn config(base: &str) -> GoogleConfig {
    GoogleConfig { quota_a_minute: 1_000_000, ..testkit::google::config(base) }
}

fn clients_over(
    transport: Arc<dyn Transport>,
    base: &str,
    clock: Arc<TestClock>,
    store: MemoryStore,
) -> (GoogleCalendar, GoogleLogin) {
    clients(transport, &config(base), clock, Arc::new(FixedJitter(0)), Arc::new(store))
}

/// Clients of a Google at `base`.
pub fn clients_at(base: &str) -> (GoogleCalendar, GoogleLogin) {
    clients_over(Arc::new(google::client().unwrap()), base, TestClock::skipping(now()), MemoryStore::default())
}

/// A client whose every request goes through `transport`.
pub fn calendar_through(transport: Arc<dyn Transport>) -> GoogleCalendar {
    clients_over(transport, "https://google.test", TestClock::skipping(now()), MemoryStore::default()).0
}

/// A rate limiter that answers after a moment, so that other calls may ask meanwhile.
fn slow_limiter(asked: Arc<AtomicUsize>) -> MemoryStore {
    MemoryStore::new(Arc::new(move |_| {
        asked.fetch_add(1, Ordering::SeqCst);
        Box::pin(tokio::task::yield_now().map(|()| Fate::Answered))
    }))
}

impl World {
    pub async fn new() -> Self {
        let clock = TestClock::skipping(now());
        let google = SimulatedGoogle::start(demo(), &clock).await;
        let token = google.lock().grant(now(), CLIENT, ADA, &[SCOPE]).access_token;
        let reservations = Arc::new(AtomicUsize::new(0));
        let http = Arc::new(google::client().unwrap());
        let (calendar, login) =
            clients_over(http, &google.base, Arc::clone(&clock), slow_limiter(Arc::clone(&reservations)));
        let access = Access {
            account: "ada".to_owned(),
            client: CLIENT.to_owned(),
            token: token.into(),
            calendar: CalendarId::from("primary"),
        };
        Self { google, clock, calendar, reservations, login, access }
    }

    pub fn google(&self) -> MutexGuard<'_, Google> {
        self.google.lock()
    }

    pub fn fault(&self, method: &str, when: When, effect: Effect) {
        self.google().inject(Fault::new(method, effect).on(when));
    }

    /// How often units of the fleet's quota were reserved.
    pub fn reservations(&self) -> usize {
        self.reservations.load(Ordering::SeqCst)
    }

    /// The first page of everything, or of the changes since a sync token.
    pub async fn list(&self, sync_token: Option<&str>) -> Page {
        self.page(sync_token, None).await
    }

    pub async fn page(&self, sync_token: Option<&str>, page_token: Option<&str>) -> Page {
        self.calendar.list(&self.access, PageRequest { sync_token, page_token }, soon()).await
    }

    /// All pages of everything.
    pub async fn pages(&self) -> Vec<Page> {
        let mut pages = vec![self.list(None).await];
        while let Some(PageOutcome::More { page_token }) = pages.last().map(|page| page.outcome.clone()) {
            pages.push(self.page(None, Some(&page_token)).await);
        }
        pages
    }

    pub async fn batch(&self, operations: &[Operation]) -> (Vec<OperationOutcome>, u32) {
        self.calendar.batch(&self.access, operations, soon()).await
    }

    pub async fn one(&self, operation: Operation) -> OperationOutcome {
        let (outcomes, _) = self.batch(&[operation]).await;
        outcomes.into_iter().next().unwrap()
    }

    pub fn event(&self, n: u128) -> Value {
        self.google().event(ADA, id(n).as_str()).unwrap()
    }

    /// What a person does by hand.
    pub fn create(&self, event: &Value) -> String {
        self.google.plan(ADA, event)
    }
    pub fn create_many(&self) {
        for n in 0..MANY {
            self.create(&busy(&n.to_string()));
        }
    }
    pub fn edit(&self, n: u128, changes: &Value) {
        self.google.edit(ADA, id(n).as_str(), changes);
    }

    /// Allows `scopes` on the consent page; returns the code that the browser brings back.
    pub fn consent(&self, scopes: &[&str]) -> SecretString {
        let auth_url = self.login.authorize_url("state", &SecretString::from(VERIFIER));
        let returned = self.google.consent(&auth_url, ADA, scopes);
        assert!(returned.contains(&("state".to_owned(), "state".to_owned())));
        code(&returned).into()
    }

    pub async fn exchange(&self, code: &SecretString) -> Result<GrantedTokens, LoginError> {
        self.login.exchange(code, &SecretString::from(VERIFIER), now()).await
    }
}

pub fn id(n: u128) -> EventId {
    OwnEventId { lesson_id: lesson_id(n), generation: 0 }.encode(key(0, 0))
}

pub fn lesson(n: u128, title: &str) -> EventPatch {
    let content = LessonContent {
        title: title.to_owned(),
        starts_at: "2026-03-02T08:00:00Z".parse().unwrap(),
        ends_at: "2026-03-02T09:00:00Z".parse().unwrap(),
        time_zone: Tz::Europe__Berlin,
        description: None,
        location: Some("Room 2".to_owned()),
    };
    EventPatch { lesson_id: lesson_id(n), content }
}

pub fn insert(n: u128) -> Operation {
    Operation::Insert { id: id(n), event: lesson(n, "Piano") }
}
pub fn get(n: u128) -> Operation {
    Operation::Get { id: id(n) }
}
pub fn delete(n: u128) -> Operation {
    Operation::Delete { id: id(n), etag: None }
}
pub fn revive(n: u128) -> Operation {
    Operation::Replace { id: id(n), etag: None, event: lesson(n, "Piano") }
}
pub fn patch(n: u128, etag: &str) -> Operation {
    Operation::Patch { id: id(n), etag: etag.to_owned(), event: lesson(n, "Cello") }
}

pub fn shown(outcome: OperationOutcome) -> Event {
    match outcome {
        OperationOutcome::Event(event) => *event,
        other => panic!("no event: {other:?}"),
    }
}

pub fn sync_token(page: &Page) -> &str {
    match &page.outcome {
        PageOutcome::Last { sync_token } => sync_token,
        other => panic!("no sync token: {other:?}"),
    }
}

/// The events that could be read.
pub fn events(page: &Page) -> Vec<&Event> {
    page.items.iter().filter_map(|item| item.as_ref().ok()).collect()
}

pub fn busy(summary: &str) -> Value {
    let mut event = hour(now() + TimeDelta::hours(22));
    event["summary"] = json!(summary);
    event
}

/// A channel to an address where no server listens.
pub fn channel(id: &str) -> NewChannel {
    NewChannel {
        id: ChannelId::from(id),
        address: "http://127.0.0.1:9/webhook".to_owned(),
        token: "marked-channel-token".into(),
        lifetime: Duration::from_hours(24),
    }
}
