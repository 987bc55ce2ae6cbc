//! The use-cases on real adapters, with a clock that tests move, and people to act with.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{
        Arc, MutexGuard,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use aws_sdk_dynamodb::{
    config::{retry::RetryConfig, timeout::TimeoutConfig},
    types::AttributeValue,
};
use calendar_sync::{
    Result,
    adapters::{
        dynamo::DynamoStore,
        eventbridge::EventBridgeBus,
        google::{self, Transport},
        kms::KmsVault,
        sqs::SqsSyncQueue,
        system::SystemRandom,
    },
    model::{ConnectionKey, LessonId, SyncOutcome, SyncTask, SyncTrigger},
    ports::{CalendarError, Clock},
    usecases::{
        begin_login::{BeginLogin, LoginOptions},
        disconnect::{Disconnect, Disconnected, Keep},
        finish_login::{FinishLogin, Finisher, LoginFailed, LoginFinished, LoginReturn},
        sync::{SyncCalendar, SyncRequest, SyncRun},
    },
};
use calendar_tests::{
    contracts::store::{Host as _, HostTable},
    dynamo::DynamoHost,
};
use chrono::{DateTime, TimeDelta, Utc};
use google_sim::Account;
use local_stack::aws::{self, Kms, Queues, Secrets};
use secrecy::SecretString;
use serde_json::json;
use testkit::{
    aws::{LocalAws, queue},
    clock::TestClock,
    data::{hour, instructor_row, key, lesson_id, lesson_row},
    google::{SCOPE, SimulatedGoogle, code, config, demo},
    ports::FixedJitter,
    wiring::{Ports, clients},
};

use crate::interrupter::Interrupter;

const QUEUE: &str = "calendar-sync";
pub const LESSONS: usize = 3;

/// How long an answer is waited for. Deployed it is some seconds.
const PATIENCE: Duration = Duration::from_millis(500);
/// Longer than any lease of a call that died.
const LEASE: TimeDelta = TimeDelta::minutes(2);

/// A transport with short time limits.
struct Hasty(reqwest::Client);
#[async_trait]
impl Transport for Hasty {
    async fn exchange(&self, request: google::Request, time: Duration) -> Result<google::Answer, CalendarError> {
        self.0.exchange(request, time.min(PATIENCE)).await
    }
}

pub struct Stage {
    pub interrupter: Arc<Interrupter>,
    pub disconnect: Disconnect,
    pub erase_queue: Arc<SqsSyncQueue>,
    begin: BeginLogin,
    finish: FinishLogin,
    pub ports: Ports,
    sync: SyncCalendar,
    simulated: SimulatedGoogle,
    clock: Arc<TestClock>,
    host: DynamoHost,
    people: AtomicU64,
    _aws: LocalAws,
}

/// An instructor and their Google account.
#[derive(Debug, Clone)]
pub struct Person {
    pub key: ConnectionKey,
    pub account: String,
}

/// A browser that Google sends back.
#[derive(Debug, Clone)]
pub struct Returning {
    state: String,
    code: String,
    cookie: SecretString,
}

impl Stage {
    pub async fn set() -> Self {
        let interrupter = Interrupter::new();
        // Rows expire by the real time.
        let clock = TestClock::ticking(Utc::now());
        let mut simulated = demo();
        simulated.limits.project_per_minute = None;
        let simulated = SimulatedGoogle::start(simulated, &clock).await;
        let config = config(&interrupter.before(&simulated.base).await);

        let aws = LocalAws::start(vec![queue(QUEUE)], Secrets::new([])).await;
        let (client, names) = aws.create_tables().await;
        let host = DynamoHost { client, names: names.clone() };
        let sdk = aws::sdk_config(&interrupter.before(&aws.endpoint).await)
            .into_builder()
            .timeout_config(TimeoutConfig::builder().operation_attempt_timeout(PATIENCE).build())
            .retry_config(RetryConfig::standard().with_initial_backoff(Duration::ZERO))
            .build();

        let (store, kms) = (aws_sdk_dynamodb::Client::new(&sdk), aws_sdk_kms::Client::new(&sdk));
        let store = Arc::new(DynamoStore::new(store, names));
        let random = Arc::new(SystemRandom);
        let queue = Arc::new(SqsSyncQueue::new(aws_sdk_sqs::Client::new(&sdk), Queues::url(QUEUE), None));
        let http = Arc::new(Hasty(google::client().unwrap()));
        let (calendar, login) = clients(http, &config, clock.clone(), Arc::new(FixedJitter(0)), store.clone());
        let ports = Ports {
            store,
            calendar: Arc::new(calendar),
            login: Arc::new(login),
            vault: Arc::new(KmsVault::new(kms, Kms::KEY_ALIAS.to_owned(), clock.clone(), random.clone())),
            clock: clock.clone(),
            sync_queue: queue.clone(),
            bus: Arc::new(EventBridgeBus::new(aws_sdk_eventbridge::Client::new(&sdk), "default".to_owned())),
            random,
            webhook: Some("https://localhost:9/".to_owned()), // nothing listens there
        };
        Self {
            interrupter,
            disconnect: ports.disconnect(),
            erase_queue: queue,
            begin: ports.begin_login(),
            finish: ports.finish_login(),
            sync: ports.sync_calendar(),
            ports,
            simulated,
            clock,
            host,
            people: AtomicU64::new(1),
            _aws: aws,
        }
    }

    pub fn google(&self) -> MutexGuard<'_, google_sim::Google> {
        self.simulated.lock()
    }

    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// Lets the lease of the dead process expire.
    pub fn wait_for_the_lease(&self) {
        self.pass(LEASE);
    }

    pub fn pass(&self, time: TimeDelta) {
        self.clock.advance(time);
    }

    // ── people ─────────────────────────────────────────────────────────────────────────────────────────────────

    /// A new instructor with a few lessons and their own account.
    pub async fn person(&self) -> Person {
        let account = self.account();
        self.person_with(&account).await
    }

    pub fn account(&self) -> String {
        let account = format!("person-{}@example.com", self.people.fetch_add(1, Ordering::SeqCst));
        self.google().add_account(Account::new(&account, "Instructor", chrono_tz::Europe::Berlin));
        account
    }

    /// A new instructor with a few lessons who uses `account`.
    pub async fn person_with(&self, account: &str) -> Person {
        let number = u128::from(self.people.fetch_add(1, Ordering::SeqCst));
        let key = key(1 + number % 2, number);
        self.host.put(HostTable::Instructors, instructor_row(key)).await;
        for lesson in 1..=LESSONS {
            self.put_lesson(key, lesson).await;
        }
        Person { key, account: account.to_owned() }
    }

    pub async fn put_lesson(&self, key: ConnectionKey, lesson: usize) {
        let starts_at = self.now() + TimeDelta::days(i64::try_from(lesson).unwrap());
        let row = lesson_row(key, lesson_of(key, lesson), &format!("Lesson {lesson}"), starts_at);
        self.host.put(HostTable::Lessons, row).await;
    }

    /// The host removes a lesson without a stream record.
    pub async fn remove_lesson(&self, person: &Person, lesson: usize) {
        let key = person.key;
        self.host.remove(HostTable::Lessons, key.tenant_id, lesson_of(key, lesson).0).await;
    }

    // ── what they do ───────────────────────────────────────────────────────────────────────────────────────────

    /// Begins a login and allows everything on Google's consent screen.
    pub async fn leave_for_google(&self, person: &Person, replace_account: bool) -> Returning {
        let options = LoginOptions { return_path: None, replace_account };
        let begun = self.begin.begin(person.key, &testkit::data::person(), &options).await.unwrap();
        let returned = self.simulated.consent(&begun.auth_url, &person.account, &[SCOPE]);
        Returning { state: begun.state, code: code(&returned).to_owned(), cookie: begun.browser }
    }

    pub async fn come_back(&self, from: Returning) -> Result<LoginFinished, LoginFailed> {
        let returned = LoginReturn { state: from.state, answer: Ok(from.code.into()) };
        self.finish.finish(returned, &Finisher::Browser(Some(from.cookie))).await
    }

    /// Connects, from the first click to the first sync.
    pub async fn connect(&self, person: &Person) {
        let returning = self.leave_for_google(person, false).await;
        self.come_back(returning).await.map_err(|failed| failed.error).unwrap();
        self.sync(person).await;
    }

    /// Runs a full sync, which has to succeed.
    pub async fn sync(&self, person: &Person) {
        let run = self.run(person).await.unwrap();
        let SyncRun::Ran(log) = run else { panic!("{run:?}") };
        assert_eq!(log.outcome, SyncOutcome::Completed, "{:?}", log.reasons);
    }

    pub async fn run(&self, person: &Person) -> Result<SyncRun> {
        let tasks = BTreeSet::from([SyncTask::PullEvents, SyncTask::PushLessons, SyncTask::FullReconcile]);
        let deadline = self.now() + TimeDelta::seconds(45);
        let key = person.key;
        let request = SyncRequest {
            key,
            trigger: SyncTrigger::Connect,
            tasks,
            log_id: None,
            asked: None,
            asked_by: None,
            notified_at: None,
            due_at: None,
            changed_at: None,
            idle_hops: 0,
            deadline,
        };
        self.sync.run(&request).await
    }

    pub async fn begin_to_disconnect(&self, person: &Person, keep: Keep) -> Result<Disconnected> {
        self.disconnect.begin(person.key, keep, &testkit::data::person(), self.now() + TimeDelta::seconds(20)).await
    }

    /// Disconnects as a person does who asks again until it is done.
    pub async fn disconnect_at_last(&self, person: &Person, keep: Keep) {
        for _ in 0..4 {
            if self.begin_to_disconnect(person, keep).await.is_ok_and(|ended| ended == Disconnected::Done) {
                return;
            }
            self.wait_for_the_lease();
            // The worker comes by.
            drop(self.run(person).await);
        }
        panic!("{person:?} is still connected");
    }

    // ── what stands then ───────────────────────────────────────────────────────────────────────────────────────

    /// The titles in a Google calendar, and how often.
    pub fn in_google(&self, account: &str) -> BTreeMap<String, usize> {
        let mut titles = BTreeMap::new();
        for event in self.google().events(account) {
            if event["status"] != "cancelled" {
                *titles.entry(event["summary"].as_str().unwrap_or_default().to_owned()).or_default() += 1;
            }
        }
        titles
    }

    /// The instructor plans something else.
    pub fn plan(&self, account: &str, title: &str) {
        let mut event = hour(self.now() + TimeDelta::days(1));
        event["summary"] = json!(title);
        self.simulated.plan(account, &event);
    }

    /// How many grants the account still gives us.
    pub fn grants(&self, account: &str) -> usize {
        let state = self.google().state();
        let tokens = state["tokens"]["refresh"].as_object().unwrap().values();
        tokens.filter(|token| token["account"] == account && token["ended"].is_null()).count()
    }

    pub async fn sealed_refresh_token(&self, person: &Person) -> String {
        let credentials = self.ports.store.credentials(person.key).await.unwrap().unwrap();
        credentials.tokens.google_refresh_token.0
    }

    /// All that our tables say of a connection, its logs excepted.
    pub async fn rows(&self, person: &Person) -> Vec<String> {
        let key = person.key;
        let mut found = self.query(&self.host.names.credentials, "tenant_id", key.tenant_id.to_string()).await;
        let own = key.instructor_id.to_string();
        found.retain(|row| row["instructor_id"].as_s().is_ok_and(|instructor| instructor.starts_with(&own)));
        for table in [&self.host.names.mappings, &self.host.names.external_events] {
            found.extend(self.query(table, "connection", key.to_string()).await);
        }
        let accounts =
            self.host.client.scan().table_name(&self.host.names.google_accounts).send().await.unwrap().items.unwrap();
        let uses = AttributeValue::Ss(vec![key.to_string()]);
        found.extend(accounts.into_iter().filter(|account| account.get("connections") == Some(&uses)));
        found.iter().map(|row| format!("{row:?}")).collect()
    }

    /// What stands on the host's row of the instructor.
    pub async fn host_says_that_it_syncs(&self, person: &Person) -> bool {
        let (tenant, id) = (person.key.tenant_id, person.key.instructor_id.0);
        self.host.row(HostTable::Instructors, tenant, id).await.unwrap()["calendar_sync_enabled"].as_bool().unwrap()
    }

    async fn query(&self, table: &str, partition: &str, value: String) -> Vec<HashMap<String, AttributeValue>> {
        let request = self.host.client.query().table_name(table).key_condition_expression("#key = :key");
        let request = request.expression_attribute_names("#key", partition);
        let request = request.expression_attribute_values(":key", AttributeValue::S(value));
        request.send().await.unwrap().items.unwrap()
    }

    /// Nothing of a connection is left, here or in Google.
    pub async fn assert_gone(&self, person: &Person, what: &str) {
        assert_eq!(self.rows(person).await, Vec::<String>::new(), "{what}");
        assert_eq!(self.in_google(&person.account), BTreeMap::from([("Dentist".to_owned(), 1)]), "{what}");
        for lesson in 1..=LESSONS {
            let id = lesson_of(person.key, lesson).0;
            let row = self.host.row(HostTable::Lessons, person.key.tenant_id, id).await.unwrap();
            assert!(row.get("google_calendar_event_id").is_none(), "{what}: {row}");
            assert!(row.get("calendar_sync_status").is_none(), "{what}: {row}");
        }
    }

    /// How many channels Google keeps open for the account.
    pub fn channels(&self, account: &str) -> usize {
        let now = self.now();
        self.google().channels(now).iter().filter(|channel| channel.calendar == account).count()
    }

    /// Each lesson stands in Google once.
    pub fn assert_whole(&self, account: &str, what: &str) {
        let lessons = (1..=LESSONS).map(|lesson| (format!("Lesson {lesson}"), 1));
        let expected: BTreeMap<_, _> = lessons.chain([("Dentist".to_owned(), 1)]).collect();
        assert_eq!(self.in_google(account), expected, "{what}");
    }
}

fn lesson_of(key: ConnectionKey, lesson: usize) -> LessonId {
    lesson_id((key.instructor_id.0.as_u128() << 8) + u128::try_from(lesson).unwrap())
}
