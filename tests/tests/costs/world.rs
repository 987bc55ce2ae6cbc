//! The real use-cases, store and Google client, with a clock that can be moved.

use std::{
    collections::BTreeSet,
    mem,
    sync::{Arc, MutexGuard},
    time::Duration,
};

use calendar_sync::{
    adapters::{dynamo::lesson_from_image, google},
    model::{CalendarId, ChannelId, ConnectionKey, LessonId, SyncState, SyncTask, SyncTrigger},
    ports::{Clock as _, LeaseAttempt, ReleaseOutcome, Store, SyncMessage},
    usecases::{
        handle_sync_message::HandleSyncMessage, note_lesson_changes::LessonChange,
        receive_notification::PushNotification,
    },
};
use calendar_tests::{
    contracts::store::{Host, HostTable},
    dynamo::{self, Counts, Traffic},
};
use chrono::{DateTime, TimeDelta, Utc};
use futures::stream::FuturesUnordered;
use google_sim::Google;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use testkit::{
    clock::TestClock,
    data::{credentials, first_login, instructor_row, key, lesson_id, lesson_row, noon, sealed, webhook_keys},
    google::{CLIENT, SCOPE, SimulatedGoogle, config, demo},
    ports::{FixedJitter, PlainVault, TestBus, TestQueue},
    wiring::{Ports, clients},
};
pub use testkit::{data::hour, google::ADA};
use uuid::Uuid;

use crate::parts::{Interrupted, Mailbox, Meanwhile, mailbox};

/// A connection, its host, and Google, with everything counted that the sync asks of the store and of Google.
pub struct World {
    google: SimulatedGoogle,
    pub store: Arc<dyn Store>,
    pub traffic: Traffic,
    pub key: ConnectionKey,
    ports: Ports,
    worker: HandleSyncMessage,
    /// What is done once after the next listing, before its answer is read.
    pub meanwhile: Arc<Meanwhile>,
    host: Arc<dyn Host>,
    clock: Arc<TestClock>,
    queue: Arc<TestQueue>,
    bus: Arc<TestBus>,
    mailbox: Mailbox,
}

/// What a run, or whatever is counted, cost.
#[derive(Debug)]
pub struct Cost {
    /// Requests to Google Calendar, each part of a batch for itself.
    pub google: u64,
    /// What they count against Google's quota.
    pub units: u64,
    pub dynamo: Counts,
    pub logs: usize,
    /// Messages to the queue.
    pub messages: usize,
    /// Notices that reached the bus.
    pub notices: usize,
}

impl World {
    /// A connection that has never synced; without push, it is polled.
    pub async fn new(push: bool) -> Self {
        let clock = TestClock::standing(noon());
        let google = SimulatedGoogle::start(demo(), &clock).await;
        let granted = google.lock().grant(clock.now(), CLIENT, ADA, &[SCOPE]);

        let (subject, traffic) = dynamo::counted().await;
        let (store, host, key) = (subject.store, subject.host, key(1, 2));
        host.put(HostTable::Instructors, instructor_row(key)).await;
        let mut credentials = credentials(key, "1", clock.now());
        credentials.tokens = sealed(key, &granted, clock.now());
        store.connect(&first_login(credentials)).await.unwrap();

        let (queue, bus, random) =
            (TestQueue::new(clock.clone()), Arc::new(TestBus::default()), Arc::new(FixedJitter(u16::MAX / 2)));
        let (address, mailbox) = mailbox().await;
        let meanwhile = Arc::new(Meanwhile::default());
        let http = Arc::new(Interrupted { http: google::client().unwrap(), meanwhile: meanwhile.clone() });
        let (calendar, login) = clients(http, &config(&google.base), clock.clone(), random.clone(), subject.limiter);
        let ports = Ports {
            store: store.clone(),
            calendar: Arc::new(calendar),
            login: Arc::new(login),
            vault: Arc::new(PlainVault),
            clock: clock.clone(),
            sync_queue: queue.clone(),
            bus: bus.clone(),
            random,
            webhook: push.then_some(address),
        };
        let worker = ports.worker();
        Self { google, store, traffic, key, ports, worker, meanwhile, host, clock, queue, bus, mailbox }
    }

    pub fn google(&self) -> MutexGuard<'_, Google> {
        self.google.lock()
    }

    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    pub fn advance(&self, by: TimeDelta) {
        self.clock.advance(by);
    }

    // ── what people do ─────────────────────────────────────────────────────────────────────────────────────────
    /// A lesson of an hour, saved by the host.
    pub async fn lesson(&self, number: u128, starts_at: DateTime<Utc>) -> LessonId {
        let id = lesson_id(number);
        self.host.put(HostTable::Lessons, lesson_row(self.key, id, "Piano", starts_at)).await;
        id
    }

    /// Moves a lesson as the host does, and has the change noted as the table's stream tells it.
    pub async fn move_lesson(&self, lesson: LessonId, starts_at: DateTime<Utc>) {
        let old = self.lesson_row(lesson).await;
        let mut new = old.clone();
        new["starts_at"] = json!(starts_at);
        new["ends_at"] = json!(starts_at + TimeDelta::hours(1));
        self.host.put(HostTable::Lessons, new.clone()).await;
        let [old, new] = [old, new].map(|row| lesson_from_image(serde_dynamo::to_item(row).unwrap()));
        self.ports.note_lesson_changes().note(&[LessonChange { old, new, at: self.clock.now() }]).await.unwrap();
    }

    async fn lesson_row(&self, lesson: LessonId) -> Value {
        self.host.row(HostTable::Lessons, self.key.tenant_id, lesson.0).await.unwrap()
    }

    /// An event of an hour in Google; answers its id.
    pub fn plan(&self, starts_at: DateTime<Utc>) -> String {
        self.google.plan(ADA, &hour(starts_at))
    }

    pub fn edit(&self, id: &str, changes: &Value) {
        self.google.edit(ADA, id, changes);
    }

    // ── runs ───────────────────────────────────────────────────────────────────────────────────────────────────
    /// The first sync, as after a login; then a quiet minute.
    pub async fn connect(&self) {
        self.run(SyncTrigger::Connect, &[SyncTask::PullEvents, SyncTask::PushLessons, SyncTask::FullReconcile]).await;
        self.advance(TimeDelta::minutes(1));
        self.reset();
    }

    /// A notice of Google, and the run that answers it.
    pub async fn notice(&self) {
        let channel = ChannelId::from("channel");
        let token = webhook_keys().sign(&channel, self.key);
        self.receive(channel.as_str(), token.expose_secret()).await;
        self.answer().await;
    }

    async fn receive(&self, channel_id: &str, channel_token: &str) {
        let notice = PushNotification { channel_id, channel_token, resource_state: "exists" };
        self.ports.receive_notification().receive(&notice).await.unwrap();
    }

    /// Waits for the notifications of what was written, and handles a message for each.
    pub async fn echo(&self) {
        let come = async {
            while self.mailbox.lock().unwrap().is_empty() {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), come).await.expect("a notice");
        let notices = mem::take(&mut *self.mailbox.lock().unwrap());
        for [channel, token] in notices {
            self.receive(&channel, &token).await;
        }
    }

    /// So many notices in a second, each of a change that `change` makes, and the runs that answer them in so many
    /// processes, `at_once` at a time beside those that wait: with none, each is done with before the next comes.
    pub async fn burst(&self, notices: i32, at_once: usize, processes: usize, change: impl Fn(i32)) {
        let workers: Vec<_> = (0..processes).map(|_| self.ports.worker()).collect();
        let mut worker = workers.into_iter().cycle();
        let mut runs = FuturesUnordered::new();
        for n in 0..notices {
            change(n);
            let message = SyncMessage::new(self.key, SyncTrigger::Webhook, vec![SyncTask::PullEvents]);
            runs.push(self.start(worker.next().unwrap(), SyncMessage { notified_at: Some(self.now()), ..message }));
            self.clock.work(&mut runs, at_once).await;
            self.advance(TimeDelta::seconds(1) / notices);
        }
        self.finish(runs).await;
    }

    /// Lets the clock go on until all has ended that waits for it.
    async fn finish(&self, mut runs: FuturesUnordered<impl Future<Output = ()>>) {
        loop {
            self.clock.work(&mut runs, 0).await;
            if runs.is_empty() {
                return;
            }
            self.advance(TimeDelta::milliseconds(10));
        }
    }

    /// The schedule of each minute, and the runs that follow; returns how many connections had a message.
    pub async fn poll(&self) -> usize {
        let sent = self.ports.dispatcher().dispatch().await.unwrap();
        self.answer().await;
        sent
    }

    /// Handles the messages that were sent.
    pub async fn answer(&self) {
        for queued in self.queue.take() {
            self.answer_one(queued.message).await;
        }
    }

    pub async fn run(&self, trigger: SyncTrigger, tasks: &[SyncTask]) {
        self.answer_one(SyncMessage::new(self.key, trigger, tasks.to_vec())).await;
    }

    async fn answer_one(&self, message: SyncMessage) {
        self.finish([self.start(self.worker.clone(), message)].into_iter().collect()).await;
    }

    /// A run that may wait for the clock.
    async fn start(&self, worker: HandleSyncMessage, message: SyncMessage) {
        Box::pin(worker.handle(&message)).await.unwrap();
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
        self.traffic.take();
        self.queue.take_sent();
        self.bus.take();
        self.google().reset_calls();
    }

    pub async fn cost(&self, what: impl Future<Output = ()>) -> Cost {
        let before = self.store.logs(self.key, None, 1000).await.unwrap().len();
        self.reset();
        what.await;
        let dynamo = self.traffic.take();
        let [google, patches] = {
            let google = self.google();
            [google.calendar_calls(), google.calls("calendar.events.patch")]
        };
        Cost {
            google,
            units: google + 2 * patches,
            dynamo,
            logs: self.store.logs(self.key, None, 1000).await.unwrap().len() - before,
            messages: self.queue.take_sent(),
            notices: self.bus.take().len(),
        }
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
        self.lesson_row(lesson).await["has_conflict"] == true
    }

    /// The host's `calendar_last_synced_at`.
    pub async fn last_synced_at(&self) -> DateTime<Utc> {
        let row = self.host.row(HostTable::Instructors, self.key.tenant_id, self.key.instructor_id.0).await.unwrap();
        row["calendar_last_synced_at"].as_str().unwrap().parse().unwrap()
    }
}
