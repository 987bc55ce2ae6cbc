//! The real use-cases, store and Google client, with a clock that can be moved.

use std::{
    collections::BTreeSet,
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use calendar_sync::{
    Result,
    adapters::{
        google::{self, GoogleCalendar, GoogleLogin},
        system::SystemRandom,
    },
    config::{Config, GoogleConfig},
    model::{
        CalendarId, Channel, ChannelId, ConnectionId, ConnectionKey, ConnectionStatus, GoogleAccount,
        InstructorCalendarCredentials, InstructorId, LessonId, Notice, SealedSecret, SealedTokens, SyncSettings,
        SyncState, SyncTrigger, TenantId, WebhookKeys, WishKind,
    },
    ports::{
        Access, Calendar, CalendarError, Clock, Connect, Doorbell, LeaseAttempt, Listing, NewChannel, NoticeBus,
        Operation, OperationOutcome, ReleaseOutcome, Ring, Store, TokenVault,
    },
    usecases::{
        google_session,
        receive_notice::{PushNotice, ReceiveNotice},
        ring_due::RingDue,
        sync_calendar::{Push, SyncCalendar, SyncRequest, SyncRun},
    },
};
use calendar_tests::{
    contracts::store::{Host, HostTable},
    dynamo::{self, Traffic},
};
use chrono::{DateTime, TimeDelta, Utc};
use google_sim::Google;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::Mutex as AsyncMutex};
use uuid::Uuid;

pub const ADA: &str = "ada@example.com";
const CLIENT: &str = "client";
const SCOPE: &str = "https://www.googleapis.com/auth/calendar.events";
const KEY: &str = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";

/// A connection, its host, and Google, with everything counted that the sync asks of the store and of Google.
pub struct World {
    pub google: Arc<Mutex<Google>>,
    pub store: Arc<dyn Store>,
    pub traffic: Traffic,
    pub key: ConnectionKey,
    pub sync: SyncCalendar,
    /// What is done once after the next listing, before its answer is looked at.
    pub meanwhile: Arc<Meanwhile>,
    host: Arc<dyn Host>,
    clock: Arc<MovableClock>,
    bell: Arc<Bell>,
}

/// What a run, or whatever is counted, cost.
#[derive(Debug, PartialEq, Eq)]
pub struct Cost {
    /// Requests to Google Calendar, each part of a batch for itself.
    pub google: u64,
    /// Items written.
    pub written: usize,
    /// Items read.
    pub read: usize,
    /// Log rows.
    pub logs: usize,
}

impl World {
    /// A connection that has never synced; without push, it is polled.
    pub async fn new(push: bool) -> Self {
        let clock = Arc::new(MovableClock(Mutex::new("2026-03-01T12:00:00Z".parse().unwrap())));
        let mut config = google_sim::Config::demo(CLIENT, "secret", "http://localhost/callback");
        config.behaviour.loopback_webhooks = true;
        let mut google = Google::new(1, config);
        let granted = google.grant(clock.now(), CLIENT, ADA, &[SCOPE]);
        let google = Arc::new(Mutex::new(google));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let now = Arc::clone(&clock);
        let now = Arc::new(move || now.now());
        tokio::spawn(google_sim::serve(listener, Arc::clone(&google), now, std::future::pending()));

        let (subject, traffic) = dynamo::counted().await;
        let key =
            ConnectionKey { tenant_id: TenantId(Uuid::from_u128(1)), instructor_id: InstructorId(Uuid::from_u128(2)) };
        let row = json!({ "tenant_id": key.tenant_id, "id": key.instructor_id });
        subject.host.put(HostTable::Instructors, row).await;
        let tokens = SealedTokens {
            google_access_token: SealedSecret(granted.access_token),
            google_refresh_token: SealedSecret(granted.refresh_token),
            google_token_expiry: clock.now() + TimeDelta::seconds(3_599),
        };
        let login = Connect {
            credentials: credentials(key, tokens, clock.now()),
            asked_at: clock.now(),
            replaces: None,
            state: Some(SyncState::new(clock.now())),
        };
        subject.store.connect(&login).await.unwrap();

        let (bell, random) = (Arc::new(Bell::default()), Arc::new(SystemRandom));
        let settings = google_config(&base);
        let client = Arc::new(google::client().unwrap());
        let calendar = GoogleCalendar::new(client.clone(), &settings, clock.clone(), random.clone()).unwrap();
        let meanwhile = Arc::new(Meanwhile::default());
        let sync = SyncCalendar {
            google: google_session::Google {
                store: subject.store.clone(),
                calendar: Arc::new(Interrupted { calendar, meanwhile: meanwhile.clone() }),
                login: Arc::new(GoogleLogin::new(client, &settings, &SecretString::from("secret")).unwrap()),
                vault: Arc::new(OpenVault),
                clock: clock.clone(),
            },
            doorbell: bell.clone(),
            bus: Arc::new(NoBus),
            random,
            // Google's notices go nowhere; the tests bring them.
            push: push.then(|| Push { address: format!("{base}/nowhere"), keys: webhook_keys() }),
        };
        Self { google, store: subject.store, traffic, key, sync, meanwhile, host: subject.host, clock, bell }
    }

    pub fn google(&self) -> MutexGuard<'_, Google> {
        self.google.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    pub fn advance(&self, by: TimeDelta) {
        *self.clock.0.lock().unwrap() += by;
    }

    // ── what people do ─────────────────────────────────────────────────────────────────────────────────────────
    /// A lesson of an hour, saved by the host.
    pub async fn lesson(&self, number: u128, starts_at: DateTime<Utc>) -> LessonId {
        let row = json!({
            "tenant_id": self.key.tenant_id, "id": Uuid::from_u128(number), "instructor_id": self.key.instructor_id,
            "title": "Piano", "starts_at": starts_at, "ends_at": starts_at + TimeDelta::hours(1),
            "time_zone": "Europe/Berlin", "status": "scheduled",
        });
        self.host.put(HostTable::Lessons, row).await;
        LessonId(Uuid::from_u128(number))
    }

    /// An event of an hour in Google; answers its id.
    pub fn plan(&self, starts_at: DateTime<Utc>) -> String {
        self.google().create_event(self.now(), ADA, &hour(starts_at)).unwrap()
    }

    pub fn edit(&self, id: &str, changes: &Value) {
        self.google().edit_event(self.now(), ADA, id, changes).unwrap();
    }

    // ── runs ───────────────────────────────────────────────────────────────────────────────────────────────────
    /// The first sync, as a login rings for it; then it is quiet for a minute.
    pub async fn connect(&self) {
        self.run(SyncTrigger::Connect, &[WishKind::Inbound, WishKind::Lessons, WishKind::Full]).await;
        self.advance(TimeDelta::minutes(1));
        self.reset();
    }

    /// A notice of Google, and the run that answers it.
    pub async fn notice(&self) {
        let channel = ChannelId::from("channel");
        let token = webhook_keys().sign(&channel, self.key);
        let receiver = ReceiveNotice { keys: webhook_keys(), doorbell: self.bell.clone(), clock: self.clock.clone() };
        let headers =
            PushNotice { channel_id: channel.as_str(), channel_token: token.expose_secret(), resource_state: "exists" };
        receiver.receive(&headers).await.unwrap();
        self.answer().await;
    }

    /// The schedule of each minute, and the runs that answer it; tells for how many connections it rang.
    pub async fn poll(&self) -> usize {
        let dispatch = RingDue {
            store: self.store.clone(),
            doorbell: self.bell.clone(),
            clock: self.clock.clone(),
            random: Arc::new(SystemRandom),
        };
        let rung = dispatch.ring().await.unwrap();
        self.answer().await;
        rung
    }

    async fn answer(&self) {
        let rings = mem::take(&mut *self.bell.0.lock().unwrap());
        for ring in rings {
            self.answer_one(&ring).await;
        }
    }

    pub async fn run(&self, trigger: SyncTrigger, wishes: &[WishKind]) {
        self.answer_one(&Ring::new(self.key, trigger, wishes.to_vec())).await;
    }

    async fn answer_one(&self, ring: &Ring) {
        let request = SyncRequest {
            key: ring.key,
            trigger: ring.trigger,
            wishes: ring.wishes.iter().copied().collect(),
            log_id: None,
            asked: None,
            noticed_at: ring.noticed_at,
            deadline: self.now() + TimeDelta::seconds(45),
        };
        let run = Box::pin(self.sync.run(&request)).await.unwrap();
        assert!(matches!(run, SyncRun::Ran(_) | SyncRun::Held), "{run:?}");
    }

    /// As a run leaves the state.
    pub async fn change_state(&self, change: impl FnOnce(&mut SyncState)) {
        let (owner, until) = (Uuid::from_u128(9), self.now() + TimeDelta::minutes(1));
        let attempt = self.store.acquire_lease(self.key, owner, self.now(), until, &BTreeSet::new()).await.unwrap();
        let LeaseAttempt::Granted(mut state) = attempt else { panic!("{attempt:?}") };
        change(&mut state);
        assert_eq!(self.store.release_lease(self.key, &state).await.unwrap(), ReleaseOutcome::Released);
    }

    // ── what it cost, and what came of it ──────────────────────────────────────────────────────────────────────
    /// Counts from here on.
    pub fn reset(&self) {
        self.traffic.written();
        self.traffic.read();
        self.google().reset_calls();
    }

    /// What `what` costs.
    pub async fn cost(&self, what: impl Future<Output = ()>) -> Cost {
        let before = self.store.logs(self.key, None, 1000).await.unwrap().len();
        self.reset();
        what.await;
        let (written, read, google) = (self.traffic.written(), self.traffic.read(), self.google().calendar_calls());
        Cost { google, written, read, logs: self.store.logs(self.key, None, 1000).await.unwrap().len() - before }
    }

    /// When the stored event begins.
    pub async fn stored(&self, id: &str) -> Option<DateTime<Utc>> {
        let found = self.store.external_event(self.key, &CalendarId::from("primary"), &id.into()).await.unwrap();
        found.map(|row| row.event_start)
    }

    /// What is stored of Google's events and the conflicts with them, as text.
    pub async fn everything(&self) -> BTreeSet<String> {
        let (store, key) = (&self.store, self.key);
        let mut found = BTreeSet::new();
        for (calendar, id) in store.external_ids(key).await.unwrap() {
            found.insert(format!("{:?}", store.external_event(key, &calendar, &id).await.unwrap()));
        }
        for pair in store.conflicts(key).await.unwrap() {
            let (from, to) = (pair.overlap_start, pair.overlap_end);
            found.insert(format!("{} {} {from} {to}", pair.lesson_id, pair.google_event_id));
            assert!(self.flagged(pair.lesson_id).await);
        }
        found
    }

    /// The events that conflict with lessons.
    pub async fn conflicts(&self) -> Vec<String> {
        let pairs = self.store.conflicts(self.key).await.unwrap();
        pairs.into_iter().map(|pair| pair.google_event_id.0).collect()
    }

    /// Whether the host's row of the lesson carries the flag.
    pub async fn flagged(&self, lesson: LessonId) -> bool {
        let row = self.host.row(HostTable::Lessons, self.key.tenant_id, lesson.0).await.unwrap();
        row["has_conflict"] == true
    }

    /// The host's `calendar_last_synced_at`.
    pub async fn last_synced_at(&self) -> DateTime<Utc> {
        let row = self.host.row(HostTable::Instructors, self.key.tenant_id, self.key.instructor_id.0).await.unwrap();
        row["calendar_last_synced_at"].as_str().unwrap().parse().unwrap()
    }
}

/// The fields of an event of an hour.
pub fn hour(starts_at: DateTime<Utc>) -> Value {
    json!({
        "start": { "dateTime": starts_at, "timeZone": "Europe/Berlin" },
        "end": { "dateTime": starts_at + TimeDelta::hours(1), "timeZone": "Europe/Berlin" },
    })
}

fn credentials(key: ConnectionKey, tokens: SealedTokens, now: DateTime<Utc>) -> InstructorCalendarCredentials {
    InstructorCalendarCredentials {
        id: ConnectionId(Uuid::from_u128(3)),
        key,
        tokens,
        google_calendar_id: CalendarId::from("primary"),
        google_account: GoogleAccount { sub: "1".to_owned(), email: Some(ADA.to_owned()) },
        oauth_client: CLIENT.to_owned(),
        granted_scopes: vec![SCOPE.to_owned()],
        settings: SyncSettings::default(),
        status: ConnectionStatus::Active,
        created_at: now,
        updated_at: now,
    }
}

fn webhook_keys() -> WebhookKeys {
    WebhookKeys::from_base64(&[SecretString::from(KEY)]).unwrap()
}

fn google_config(base: &str) -> GoogleConfig {
    let base = base.to_owned();
    let config = Config::from_vars(move |name| {
        Some(match name {
            "GOOGLE_CLIENT_ID" => CLIENT.to_owned(),
            "GOOGLE_REDIRECT_URI" => "http://localhost/callback".to_owned(),
            "GOOGLE_TOKEN_URL" => format!("{base}/token"),
            "GOOGLE_CALENDAR_URL" => format!("{base}/calendar/v3"),
            "GOOGLE_BATCH_URL" => format!("{base}/batch/calendar/v3"),
            _ => return None,
        })
    });
    config.google().unwrap()
}

struct MovableClock(Mutex<DateTime<Utc>>);
#[async_trait]
impl Clock for MovableClock {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().unwrap()
    }
    async fn sleep(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }
}

/// Rings that wait to be answered.
#[derive(Default)]
struct Bell(Mutex<Vec<Ring>>);
#[async_trait]
impl Doorbell for Bell {
    async fn ring(&self, ring: &Ring, _: Duration) -> Result<()> {
        self.0.lock().unwrap().push(ring.clone());
        Ok(())
    }
}

struct NoBus;
#[async_trait]
impl NoticeBus for NoBus {
    async fn publish(&self, _: &[Notice]) -> Result<()> {
        Ok(())
    }
}

/// Seals nothing: what keys cost is not counted here.
struct OpenVault;
#[async_trait]
impl TokenVault for OpenVault {
    async fn seal(&self, _: ConnectionKey, secret: &SecretString) -> Result<SealedSecret> {
        Ok(SealedSecret(secret.expose_secret().to_owned()))
    }
    async fn open(&self, _: ConnectionKey, sealed: &SealedSecret) -> Result<SecretString> {
        Ok(SecretString::from(sealed.0.clone()))
    }
    fn is_stale(&self, _: &SealedSecret) -> bool {
        false
    }
}

type Doing = futures::future::BoxFuture<'static, ()>;

/// What others do while a listing is under way.
#[derive(Default)]
pub struct Meanwhile(AsyncMutex<Option<Doing>>);
impl Meanwhile {
    pub async fn set(&self, doing: impl Future<Output = ()> + Send + 'static) {
        *self.0.lock().await = Some(Box::pin(doing));
    }
}

struct Interrupted {
    calendar: GoogleCalendar,
    meanwhile: Arc<Meanwhile>,
}

#[async_trait]
impl Calendar for Interrupted {
    async fn list(&self, access: &Access, token: Option<&str>, deadline: DateTime<Utc>) -> Listing {
        let listing = self.calendar.list(access, token, deadline).await;
        let doing = self.meanwhile.0.lock().await.take();
        if let Some(doing) = doing {
            doing.await;
        }
        listing
    }
    async fn batch(
        &self,
        access: &Access,
        operations: &[Operation],
        deadline: DateTime<Utc>,
    ) -> (Vec<OperationOutcome>, u32) {
        self.calendar.batch(access, operations, deadline).await
    }
    async fn watch(&self, access: &Access, channel: &NewChannel) -> Result<Channel, CalendarError> {
        self.calendar.watch(access, channel).await
    }
    async fn stop(&self, access: &Access, channel: &Channel) -> Result<(), CalendarError> {
        self.calendar.stop(access, channel).await
    }
}
