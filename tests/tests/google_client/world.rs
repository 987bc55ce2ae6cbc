//! A simulated Google with Ada's calendar, a client of it, and a clock that both read.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use calendar_sync::{
    adapters::google::{self, GoogleCalendar, GoogleLogin},
    config::{Config, GoogleConfig},
    model::{
        CalendarId, ChannelId, ConnectionKey, Event, EventId, InstructorId, LessonContent, LessonId, OwnEventId,
        TenantId,
    },
    ports::{
        Access, Calendar, Clock, EventPatch, GrantedTokens, Listing, ListingOutcome, Login, LoginError, NewChannel,
        Operation, OperationOutcome, Random,
    },
};
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use convergence::memory_store::{Fate, MemoryStore};
use futures::FutureExt;
use google_sim::{Effect, Fault, Google, When};
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use uuid::Uuid;

pub const ADA: &str = "ada@example.com";
pub const HOLIDAYS: &str = "en.german#holiday@group.v.calendar.google.com";
pub const CLIENT: &str = "client";
pub const CLIENT_SECRET: &str = "marked-client-secret";
pub const REDIRECT: &str = "http://localhost:3000/api/v1/calendar/oauth/callback";
pub const SCOPE: &str = "https://www.googleapis.com/auth/calendar.events";
pub const VERIFIER: &str = "marked-verifier-that-is-at-least-43-characters-long";

/// More events than one page holds.
pub const MANY: usize = 2_600;

pub fn now() -> DateTime<Utc> {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

/// By when calls are to end, where that is not what a test is about.
pub fn soon() -> DateTime<Utc> {
    now() + TimeDelta::minutes(1)
}

/// A clock that moves only while a caller sleeps.
pub struct TestClock(Mutex<DateTime<Utc>>);
impl TestClock {
    pub fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::new(now())))
    }
}
#[async_trait]
impl Clock for TestClock {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().unwrap()
    }
    async fn sleep(&self, time: Duration) {
        *self.0.lock().unwrap() += time;
    }
}

/// Full jitter of zero: no pause at all.
struct NoPause;
impl Random for NoPause {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(0);
    }
}

pub struct World {
    google: Arc<Mutex<Google>>,
    pub clock: Arc<TestClock>,
    pub calendar: GoogleCalendar,
    reservations: Arc<AtomicUsize>,
    pub login: GoogleLogin,
    pub access: Access,
}

fn config(base: &str) -> GoogleConfig {
    let base = base.to_owned();
    let config = Config::from_vars(move |name| {
        Some(match name {
            "GOOGLE_CLIENT_ID" => CLIENT.to_owned(),
            "GOOGLE_REDIRECT_URI" => REDIRECT.to_owned(),
            "GOOGLE_AUTHORIZE_URL" => format!("{base}/o/oauth2/v2/auth"),
            "GOOGLE_TOKEN_URL" => format!("{base}/token"),
            "GOOGLE_REVOKE_URL" => format!("{base}/revoke"),
            "GOOGLE_CALENDAR_URL" => format!("{base}/calendar/v3"),
            "GOOGLE_BATCH_URL" => format!("{base}/batch/calendar/v3"),
            "GOOGLE_QUOTA_A_MINUTE" => "1000000".to_owned(), // a fleet's; here is one process
            _ => return None,
        })
    });
    config.google().unwrap()
}

pub fn calendar_at(base: &str, clock: Arc<TestClock>) -> GoogleCalendar {
    calendar_over(base, clock, MemoryStore::default())
}

fn calendar_over(base: &str, clock: Arc<TestClock>, store: MemoryStore) -> GoogleCalendar {
    let client = Arc::new(google::client().unwrap());
    GoogleCalendar::new(client, &config(base), clock, Arc::new(NoPause), Arc::new(store)).unwrap()
}

/// A client whose every request goes through `transport`.
pub fn calendar_through(transport: Arc<dyn google::Transport>) -> GoogleCalendar {
    let config = config("https://google.test");
    let store = Arc::new(MemoryStore::default());
    GoogleCalendar::new(transport, &config, TestClock::new(), Arc::new(NoPause), store).unwrap()
}

pub fn login_at(base: &str, secret: &str) -> GoogleLogin {
    GoogleLogin::new(Arc::new(google::client().unwrap()), &config(base), &SecretString::from(secret)).unwrap()
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
        let mut config = google_sim::Config::demo(CLIENT, CLIENT_SECRET, REDIRECT);
        config.behaviour.loopback_webhooks = true;
        let mut google = Google::new(1, config);
        let token = google.grant(now(), CLIENT, ADA, &[SCOPE]).access_token;
        let google = Arc::new(Mutex::new(google));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let clock = TestClock::new();
        let (shown, time) = (Arc::clone(&google), Arc::clone(&clock));
        tokio::spawn(google_sim::serve(listener, shown, Arc::new(move || time.now()), std::future::pending()));
        let reservations = Arc::new(AtomicUsize::new(0));
        Self {
            google,
            calendar: calendar_over(&base, Arc::clone(&clock), slow_limiter(Arc::clone(&reservations))),
            clock,
            reservations,
            login: login_at(&base, CLIENT_SECRET),
            access: Access {
                account: "ada".to_owned(),
                client: CLIENT.to_owned(),
                token: token.into(),
                calendar: CalendarId::from("primary"),
            },
        }
    }

    pub fn google(&self) -> MutexGuard<'_, Google> {
        self.google.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn fault(&self, method: &str, when: When, effect: Effect) {
        self.google().inject(Fault::new(method, effect).on(when));
    }

    /// How often units of the fleet's quota were reserved.
    pub fn reservations(&self) -> usize {
        self.reservations.load(Ordering::SeqCst)
    }

    pub async fn list(&self, token: Option<&str>) -> Listing {
        self.calendar.list(&self.access, token, soon()).await
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
        self.google().create_event(now(), ADA, event).unwrap()
    }
    pub fn create_many(&self) {
        for n in 0..MANY {
            self.create(&busy(&n.to_string()));
        }
    }
    pub fn edit(&self, n: u128, changes: &Value) {
        self.google().edit_event(now(), ADA, id(n).as_str(), changes).unwrap();
    }

    /// Through the consent page, ticking `scopes`, to the code that the browser brings back.
    pub async fn consent(&self, scopes: &[&str]) -> SecretString {
        let url = self.login.authorize_url("state", &SecretString::from(VERIFIER));
        let browser = google::client().unwrap();
        let page = browser.get(&url).send().await.unwrap().text().await.unwrap();
        let (_, rest) = page.split_once("name=\"request\" value=\"").expect("a consent page");
        let (request, _) = rest.split_once('"').unwrap();
        let mut form = vec![("request", request), ("account", ADA), ("decision", "allow")];
        form.extend(scopes.iter().map(|scope| ("scope", *scope)));
        let back = browser.post(&url).form(&form).send().await.unwrap();
        let back: reqwest::Url = back.headers()["location"].to_str().unwrap().parse().unwrap();
        assert!(back.query_pairs().any(|pair| pair == ("state".into(), "state".into())));
        back.query_pairs().find(|(name, _)| name == "code").expect("a code").1.as_ref().into()
    }

    pub async fn exchange(&self, code: &SecretString) -> Result<GrantedTokens, LoginError> {
        self.login.exchange(code, &SecretString::from(VERIFIER), now()).await
    }
}

pub fn id(n: u128) -> EventId {
    let key = ConnectionKey { tenant_id: TenantId(Uuid::nil()), instructor_id: InstructorId(Uuid::nil()) };
    OwnEventId { lesson_id: LessonId(Uuid::from_u128(n)), generation: 0 }.encode(key)
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
    EventPatch { lesson_id: LessonId(Uuid::from_u128(n)), content }
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

pub fn token(outcome: &ListingOutcome) -> &str {
    match outcome {
        ListingOutcome::Complete { token } | ListingOutcome::Delta { token } => token,
        other => panic!("no token: {other:?}"),
    }
}

pub fn busy(summary: &str) -> Value {
    json!({
        "summary": summary,
        "start": { "dateTime": "2026-03-02T10:00:00Z" },
        "end": { "dateTime": "2026-03-02T11:00:00Z" },
    })
}

pub fn refuse(status: u16, reason: &str) -> Effect {
    Effect::Refuse { status, reason: reason.to_owned() }
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
