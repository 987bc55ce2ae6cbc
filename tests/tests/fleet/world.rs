//! A fleet of processes with a queue for live messages and one for first syncs, and the simulated Google with its quotas.

use std::{
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
        google::{Answer, Request, Transport},
        system::SystemRandom,
    },
    model::{SyncState, SyncTask, SyncTrigger},
    ports::{CalendarError, Clock, ConnectionStore as _, SyncMessage, SyncQueue},
    usecases::handle_sync_message::HandleSyncMessage,
};
use chrono::TimeDelta;
use convergence::memory_store::MemoryStore;
use google_sim::{Account, Limits};
use testkit::{
    clock::TestClock,
    data::{credentials, first_login, lesson_id, lesson_row, noon, sealed},
    google::{CLIENT, SCOPE, config, demo, from_google, to_google},
    ports::{PlainVault, TestBus, TestQueue},
    wiring::{Ports, clients},
};

use crate::key;

/// What a call to Google takes, and each part of a batch besides.
const CALL: Duration = Duration::from_millis(100);
const PART: Duration = Duration::from_millis(5);

pub struct Fleet {
    pub clock: Arc<TestClock>,
    pub store: MemoryStore,
    pub google: Arc<Wire>,
    pub queue: Arc<TestQueue>,
    longest_wait: Mutex<TimeDelta>,
}

impl Fleet {
    /// So many connections that have never synced, each to an account of its own.
    pub fn new(connections: u128) -> Self {
        let account = |number| Account::new(&address(number), "Instructor", chrono_tz::Tz::UTC);
        let accounts = (0..connections).map(account).collect();
        let config = google_sim::Config { accounts, limits: Limits::default(), ..demo() };
        let clock = TestClock::standing(noon());
        let google = Mutex::new(google_sim::Google::new(1, config));
        let google = Arc::new(Wire { google, clock: clock.clone(), refused: AtomicUsize::new(0) });
        let (queue, store) = (TestQueue::new(clock.clone()), MemoryStore::default());
        let fleet = Self { clock, store, google, queue, longest_wait: Mutex::default() };
        fleet.clock.play(async {
            for number in 0..connections {
                fleet.connect(number).await;
            }
        });
        fleet
    }

    async fn connect(&self, number: u128) {
        let granted = self.google.lock().grant(noon(), CLIENT, &address(number), &[SCOPE]);
        let mut credentials = credentials(key(number), &number.to_string(), noon());
        credentials.tokens = sealed(key(number), &granted, noon());
        self.store.connect(&first_login(credentials)).await.unwrap();
    }

    /// So many lessons of one instructor.
    pub fn plan_lessons(&self, number: u128, lessons: usize) {
        let key = key(number);
        for lesson in 0..lessons {
            let id = lesson_id(number << 64 | u128::try_from(lesson).unwrap());
            let at = noon() + TimeDelta::hours(i64::try_from(lesson).unwrap() + 24);
            self.store.tables().lessons.insert((key.tenant_id, id), lesson_row(key, id, "Piano", at));
        }
    }

    /// The ports of a process. What its clients of Google keep in memory is its own.
    fn ports(&self) -> Ports {
        let (clock, random, store) = (self.clock.clone(), Arc::new(SystemRandom), Arc::new(self.store.clone()));
        let config = config("https://google.test");
        let (calendar, login) = clients(self.google.clone(), &config, clock.clone(), random.clone(), store.clone());
        Ports {
            store,
            calendar: Arc::new(calendar),
            login: Arc::new(login),
            vault: Arc::new(PlainVault),
            clock,
            sync_queue: self.queue.clone(),
            bus: Arc::new(TestBus::default()),
            random,
            webhook: None,
        }
    }

    /// The queue's worker in a process of its own.
    pub fn process(&self) -> HandleSyncMessage {
        self.ports().worker()
    }

    /// Answers the messages of one queue, until `done`.
    pub async fn work(&self, process: &HandleSyncMessage, queue: Queue, done: &impl Fn() -> bool) {
        while !done() {
            let Some(queued) = self.queue.receive(|message| queue.holds(message)) else {
                self.clock.sleep(Duration::from_millis(200)).await;
                continue;
            };
            if queue == Queue::Live {
                let mut longest = self.longest_wait.lock().unwrap();
                *longest = (*longest).max(self.clock.now() - queued.visible_at);
            }
            Box::pin(process.handle(&queued.message)).await.unwrap();
        }
    }

    /// The longest that a message of the live queue has waited so far.
    pub fn longest_wait(&self) -> TimeDelta {
        *self.longest_wait.lock().unwrap()
    }

    /// How many messages wait in a queue.
    pub fn waiting(&self, queue: Queue) -> usize {
        self.queue.waiting(|message| queue.holds(message))
    }

    /// The schedule of each minute, until `done`.
    pub async fn dispatch(&self, done: &impl Fn() -> bool) {
        let dispatcher = self.ports().dispatcher();
        while !done() {
            dispatcher.dispatch().await.unwrap();
            self.clock.sleep(Duration::from_mins(1)).await;
        }
    }

    pub async fn send(&self, number: u128, trigger: SyncTrigger, tasks: &[SyncTask]) {
        let message = SyncMessage::new(key(number), trigger, tasks.to_vec());
        self.queue.send(&message, Duration::ZERO).await.unwrap();
    }

    pub fn state(&self, number: u128) -> SyncState {
        self.store.tables().states[&key(number)].clone()
    }
}

pub fn address(number: u128) -> String {
    format!("{number}@example.com")
}

/// The way to Google.
pub struct Wire {
    google: Mutex<google_sim::Google>,
    clock: Arc<TestClock>,
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
        let asked = to_google(request);
        let parts = u32::try_from(String::from_utf8_lossy(&asked.body).matches(" /calendar/v3/").count()).unwrap();
        self.clock.sleep(CALL / 2).await;
        let response = self.lock().handle(self.clock.now(), &asked);
        self.clock.sleep(CALL / 2 + PART * parts).await;
        let refused = String::from_utf8_lossy(&response.body).matches("ateLimitExceeded").count();
        self.refused.fetch_add(refused, Ordering::SeqCst);
        Ok(from_google(response))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Queue {
    Live,
    FirstSyncs,
}

impl Queue {
    fn holds(self, message: &SyncMessage) -> bool {
        message.is_first_sync() == (self == Self::FirstSyncs)
    }
}
