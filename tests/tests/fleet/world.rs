//! A fleet of processes with a queue for live messages and one for first syncs, and the simulated Google with its quotas.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use calendar_sync::{
    Result,
    adapters::{
        google::{Answer, GoogleCalendar, GoogleLogin, Request, Transport},
        system::SystemRandom,
    },
    config::{Config, GoogleConfig},
    model::{
        CalendarId, ConnectionId, ConnectionKey, ConnectionStatus, GoogleAccount, InstructorCalendarCredentials,
        LessonId, Notice, SealedSecret, SealedTokens, SyncSettings, SyncState, SyncTask, SyncTrigger,
    },
    ports::{CalendarError, Clock, Connect, ConnectionStore as _, NoticeBus, SyncMessage, SyncQueue},
    usecases::{
        disconnect::Disconnect,
        dispatch_due_polls::DispatchDuePolls,
        google_session::Google,
        handle_sync_message::HandleSyncMessage,
        sync_calendar::{SyncCalendar, UnderWay},
    },
};
use chrono::{DateTime, TimeDelta, Utc};
use convergence::{memory_store::MemoryStore, ports::PlainVault};
use google_sim::{Account, Limits};
use secrecy::SecretString;
use serde_json::json;
use uuid::Uuid;

use crate::{key, now, virtual_time::VirtualClock};

const CLIENT: &str = "client";
const SCOPE: &str = "https://www.googleapis.com/auth/calendar.events";
/// What a call to Google takes, and each part of a batch besides.
const CALL: Duration = Duration::from_millis(100);
const PART: Duration = Duration::from_millis(5);

pub struct Fleet {
    pub clock: Arc<VirtualClock>,
    pub store: MemoryStore,
    pub google: Arc<Wire>,
    pub sync_queue: Arc<TestQueue>,
}

impl Fleet {
    /// So many connections that have never synced, each to an account of its own.
    pub fn new(connections: u128) -> Self {
        let account = |number| Account::new(&address(number), "Instructor", chrono_tz::Tz::UTC);
        let accounts = (0..connections).map(account).collect();
        let config = google_sim::Config {
            accounts,
            limits: Limits::default(),
            ..google_sim::Config::demo(CLIENT, "secret", "http://localhost/callback")
        };
        let clock = VirtualClock::new(now());
        let google = Mutex::new(google_sim::Google::new(1, config));
        let google = Arc::new(Wire { google, clock: clock.clone(), refused: AtomicUsize::new(0) });
        let sync_queue =
            Arc::new(TestQueue { clock: clock.clone(), queues: Mutex::default(), waits: Mutex::default() });
        let fleet = Self { clock, store: MemoryStore::default(), google, sync_queue };
        fleet.clock.play(async {
            for number in 0..connections {
                fleet.connect(number).await;
            }
        });
        fleet
    }

    async fn connect(&self, number: u128) {
        let key = key(number);
        let granted = self.google.lock().grant(now(), CLIENT, &address(number), &[SCOPE]);
        let sealed = |token: &str| SealedSecret(format!("{key}:{token}"));
        let credentials = InstructorCalendarCredentials {
            id: ConnectionId(Uuid::from_u128(number)),
            key,
            tokens: SealedTokens {
                google_access_token: sealed(&granted.access_token),
                google_refresh_token: sealed(&granted.refresh_token),
                google_token_expiry: now() + TimeDelta::seconds(3_599),
            },
            google_calendar_id: CalendarId::from("primary"),
            google_account: GoogleAccount { sub: number.to_string(), email: None },
            oauth_client: CLIENT.to_owned(),
            granted_scopes: vec![SCOPE.to_owned()],
            settings: SyncSettings::default(),
            status: ConnectionStatus::Active,
            created_at: now(),
            updated_at: now(),
        };
        let state = Some(SyncState::new(now()));
        let login = Connect { credentials, asked_at: now(), replaces: None, state };
        self.store.connect(&login).await.unwrap();
    }

    /// So many lessons of one instructor.
    pub fn plan_lessons(&self, number: u128, lessons: usize) {
        let key = key(number);
        for lesson in 0..lessons {
            let id = LessonId(Uuid::from_u128(number << 64 | u128::try_from(lesson).unwrap()));
            let at = now() + TimeDelta::hours(i64::try_from(lesson).unwrap() + 24);
            let row = json!({
                "tenant_id": key.tenant_id, "id": id, "instructor_id": key.instructor_id, "title": "Piano",
                "starts_at": at, "ends_at": at + TimeDelta::hours(1), "time_zone": "Etc/UTC", "status": "scheduled",
            });
            self.store.tables().lessons.insert((key.tenant_id, id), row);
        }
    }

    /// A process: what it keeps in memory is its own.
    pub fn process(&self) -> HandleSyncMessage {
        let (clock, random, config) = (self.clock.clone(), Arc::new(SystemRandom), config());
        let store = Arc::new(self.store.clone());
        let calendar =
            GoogleCalendar::new(self.google.clone(), &config, clock.clone(), random.clone(), store.clone()).unwrap();
        let login = GoogleLogin::new(self.google.clone(), &config, &SecretString::from("secret")).unwrap();
        let google =
            Google { store, calendar: Arc::new(calendar), login: Arc::new(login), vault: Arc::new(PlainVault), clock };
        let disconnect =
            Disconnect { google: google.clone(), sync_queue: self.sync_queue.clone(), random: random.clone() };
        let sync = SyncCalendar {
            google,
            sync_queue: self.sync_queue.clone(),
            bus: Arc::new(NoBus),
            random,
            push: None,
            glances: UnderWay::default(),
        };
        HandleSyncMessage { sync, disconnect }
    }

    /// Answers the messages of one queue, until `done`.
    pub async fn work(&self, process: &HandleSyncMessage, queue: Queue, done: &impl Fn() -> bool) {
        while !done() {
            match self.sync_queue.hear(queue) {
                Some(message) => Box::pin(process.handle(&message)).await.unwrap(),
                None => self.clock.sleep(Duration::from_millis(200)).await,
            }
        }
    }

    /// The schedule of each minute, until `done`.
    pub async fn dispatch(&self, done: &impl Fn() -> bool) {
        let due = DispatchDuePolls {
            store: Arc::new(self.store.clone()),
            sync_queue: self.sync_queue.clone(),
            clock: self.clock.clone(),
            random: Arc::new(SystemRandom),
        };
        while !done() {
            due.dispatch().await.unwrap();
            self.clock.sleep(Duration::from_mins(1)).await;
        }
    }

    pub async fn send(&self, number: u128, trigger: SyncTrigger, tasks: &[SyncTask]) {
        let message = SyncMessage::new(key(number), trigger, tasks.to_vec());
        self.sync_queue.send(&message, Duration::ZERO).await.unwrap();
    }

    pub fn state(&self, number: u128) -> SyncState {
        self.store.tables().states[&key(number)].clone()
    }
}

pub fn address(number: u128) -> String {
    format!("{number}@example.com")
}

fn config() -> GoogleConfig {
    let config = Config::from_vars(|name| match name {
        "GOOGLE_CLIENT_ID" => Some(CLIENT.to_owned()),
        "GOOGLE_REDIRECT_URI" => Some("http://localhost/callback".to_owned()),
        _ => None,
    });
    config.google().unwrap()
}

pub struct Wire {
    google: Mutex<google_sim::Google>,
    clock: Arc<VirtualClock>,
    refused: AtomicUsize,
}

impl Wire {
    pub fn lock(&self) -> MutexGuard<'_, google_sim::Google> {
        self.google.lock().unwrap()
    }

    /// Calls, parts of a batch among them, that were refused since a quota was used up.
    pub fn refused(&self) -> usize {
        self.refused.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl Transport for Wire {
    async fn exchange(&self, request: Request, _: Duration) -> Result<Answer, CalendarError> {
        let target = request.uri().path_and_query().unwrap().as_str().to_owned();
        let mut asked = google_sim::Request::new(request.method().as_str(), &target);
        for (name, value) in request.headers() {
            asked = asked.header(name.as_str(), value.to_str().unwrap());
        }
        asked.body = request.into_body();
        let parts = u32::try_from(String::from_utf8_lossy(&asked.body).matches(" /calendar/v3/").count()).unwrap();
        self.clock.sleep(CALL / 2).await;
        let response = self.lock().handle(self.clock.now(), &asked);
        self.clock.sleep(CALL / 2 + PART * parts).await;
        let refused = String::from_utf8_lossy(&response.body).matches("ateLimitExceeded").count();
        self.refused.fetch_add(refused, Ordering::SeqCst);
        let mut answer = Answer::new(response.body);
        *answer.status_mut() = response.status.try_into().unwrap();
        for (name, value) in &response.headers {
            let name: reqwest::header::HeaderName = name.parse().unwrap();
            answer.headers_mut().append(name, value.parse().unwrap());
        }
        Ok(answer)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Queue {
    Live,
    FirstSyncs,
}

/// A message, and when it may be heard.
type Waiting = (DateTime<Utc>, SyncMessage);

/// The queues, and how long their messages waited to be received.
pub struct TestQueue {
    clock: Arc<VirtualClock>,
    queues: Mutex<[VecDeque<Waiting>; 2]>,
    waits: Mutex<Vec<(Queue, TimeDelta)>>,
}

impl TestQueue {
    fn hear(&self, queue: Queue) -> Option<SyncMessage> {
        let mut queues = self.queues.lock().unwrap();
        let waiting = &mut queues[usize::from(queue == Queue::FirstSyncs)];
        let place = waiting.iter().position(|(visible_at, _)| *visible_at <= self.clock.now())?;
        let (visible_at, message) = waiting.remove(place)?;
        self.waits.lock().unwrap().push((queue, self.clock.now() - visible_at));
        Some(message)
    }

    /// The longest that a message in a queue has waited so far.
    pub fn longest_wait(&self, queue: Queue) -> TimeDelta {
        let waits = self.waits.lock().unwrap();
        waits.iter().filter(|(of, _)| *of == queue).map(|(_, wait)| *wait).max().unwrap_or_default()
    }

    pub fn waiting(&self, queue: Queue) -> BTreeSet<ConnectionKey> {
        let queues = self.queues.lock().unwrap();
        queues[usize::from(queue == Queue::FirstSyncs)].iter().map(|(_, message)| message.key).collect()
    }
}

#[async_trait]
impl SyncQueue for TestQueue {
    async fn send(&self, message: &SyncMessage, delay: Duration) -> Result<()> {
        let mut queues = self.queues.lock().unwrap();
        queues[usize::from(message.is_first_sync())].push_back((self.clock.now() + delay, message.clone()));
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
