//! The use-cases on real adapters, with a clock that tests move, and people to act with.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{
        Arc, Mutex, MutexGuard,
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
        dynamo::{DynamoStore, tables},
        eventbridge::EventBridgeBus,
        google::{self, GoogleCalendar, GoogleLogin, Transport},
        kms::KmsVault,
        sqs::SqsSyncQueue,
        system::SystemRandom,
    },
    config::{Config, TableNames},
    model::{ConnectionKey, InstructorId, SyncOutcome, SyncTask, SyncTrigger, TenantId, WebhookKeys},
    ports::{CalendarError, Clock, Random},
    usecases::{
        begin_login::{BeginLogin, LoginOptions},
        disconnect::{Disconnect, Disconnected, Keep},
        finish_login::{FinishLogin, Finisher, LoginFailed, LoginFinished, LoginReturn},
        google_session::Google,
        sync_calendar::{Push, SyncCalendar, SyncRequest, SyncRun, UnderWay},
    },
};
use chrono::{DateTime, TimeDelta, Utc};
use google_sim::{Account, Request};
use local_stack::aws::{self, Kms, Queue, Queues, Secrets, Services};
use reqwest::Url;
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use uuid::Uuid;

use crate::interrupter::Interrupter;

const CLIENT: &str = "client";
const CLIENT_SECRET: &str = "client-secret";
const REDIRECT: &str = "http://localhost:3000/api/v1/calendar/oauth/callback";
const QUEUE: &str = "calendar-sync";
pub const LESSONS: usize = 3;

/// How long an answer is waited for. Deployed it is some seconds.
const PATIENCE: Duration = Duration::from_millis(500);
/// Longer than any lease of a call that died.
const LEASE: TimeDelta = TimeDelta::minutes(2);

/// No two moments are the same.
struct StageClock(Mutex<DateTime<Utc>>);
#[async_trait]
impl Clock for StageClock {
    fn now(&self) -> DateTime<Utc> {
        let mut now = self.0.lock().unwrap();
        *now += TimeDelta::milliseconds(1);
        *now
    }
    async fn sleep(&self, time: Duration) {
        *self.0.lock().unwrap() += time;
        tokio::task::yield_now().await;
    }
}

/// No pause between two tries.
struct NoPause;
impl Random for NoPause {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(0);
    }
}

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
    begin: BeginLogin,
    finish: FinishLogin,
    pub sync: SyncCalendar,
    simulated: Arc<Mutex<google_sim::Google>>,
    clock: Arc<StageClock>,
    host: aws_sdk_dynamodb::Client,
    names: TableNames,
    people: AtomicU64,
    _data: tempfile::TempDir,
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
        let clock = Arc::new(StageClock(Mutex::new(Utc::now())));

        let mut config = google_sim::Config::demo(CLIENT, CLIENT_SECRET, REDIRECT);
        config.limits.project_per_minute = None;
        let simulated = Arc::new(Mutex::new(google_sim::Google::new(1, config)));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = interrupter.before(&listener.local_addr().unwrap().to_string()).await;
        let time = Arc::clone(&clock);
        tokio::spawn(google_sim::serve(
            listener,
            Arc::clone(&simulated),
            Arc::new(move || time.now()),
            std::future::pending(),
        ));
        let config = config_of(base);

        let data = tempfile::tempdir().unwrap();
        let queues = vec![Queue { name: QUEUE, visibility_timeout: 30, dead_letters: None }];
        let services = Services::open(data.path(), queues, Secrets::new([]), None).await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let direct = listener.local_addr().unwrap().to_string();
        tokio::spawn(aws::serve(listener, Arc::new(services)));
        let sdk = aws::sdk_config(&interrupter.before(&direct).await)
            .into_builder()
            .timeout_config(TimeoutConfig::builder().operation_attempt_timeout(PATIENCE).build())
            .retry_config(RetryConfig::standard().with_initial_backoff(Duration::ZERO))
            .build();
        let host = aws_sdk_dynamodb::Client::new(&aws::sdk_config(&format!("http://{direct}")));
        let names = config.tables();
        tables::create_all(&host, &names).await.unwrap();

        let (http, of_google) = (Arc::new(Hasty(google::client().unwrap())), config.google().unwrap());
        let store = Arc::new(DynamoStore::new(aws_sdk_dynamodb::Client::new(&sdk), names.clone()));
        let calendar =
            GoogleCalendar::new(http.clone(), &of_google, clock.clone(), Arc::new(NoPause), store.clone()).unwrap();
        let google = Google {
            store,
            calendar: Arc::new(calendar),
            login: Arc::new(GoogleLogin::new(http, &of_google, &SecretString::from(CLIENT_SECRET)).unwrap()),
            vault: Arc::new(KmsVault::new(
                aws_sdk_kms::Client::new(&sdk),
                Kms::KEY_ALIAS.to_owned(),
                clock.clone(),
                Arc::new(SystemRandom),
            )),
            clock: clock.clone(),
        };
        let sync_queue = Arc::new(SqsSyncQueue::new(aws_sdk_sqs::Client::new(&sdk), Queues::url(QUEUE), None));
        let bus = Arc::new(EventBridgeBus::new(aws_sdk_eventbridge::Client::new(&sdk), "default".to_owned()));
        let random: Arc<dyn Random> = Arc::new(SystemRandom);
        let Google { store, login, vault, .. } = google.clone();
        // No receiver for push notifications.
        let key = SecretString::from("AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=");
        let push = Push { address: "https://localhost:9/".to_owned(), keys: WebhookKeys::from_base64(&[key]).unwrap() };
        Self {
            interrupter,
            disconnect: Disconnect { google: google.clone(), sync_queue: sync_queue.clone(), random: random.clone() },
            begin: BeginLogin { store, login, vault, clock: clock.clone(), random: random.clone() },
            finish: FinishLogin { google: google.clone(), sync_queue: sync_queue.clone(), random: random.clone() },
            sync: SyncCalendar { google, sync_queue, bus, random, push: Some(push), glances: UnderWay::default() },
            simulated,
            clock,
            host,
            names,
            people: AtomicU64::new(1),
            _data: data,
        }
    }

    pub fn google(&self) -> MutexGuard<'_, google_sim::Google> {
        self.simulated.lock().unwrap()
    }

    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// Lets the lease of the dead process expire.
    pub fn wait_for_the_lease(&self) {
        self.pass(LEASE);
    }

    pub fn pass(&self, time: TimeDelta) {
        *self.clock.0.lock().unwrap() += time;
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
        let key = ConnectionKey {
            tenant_id: TenantId(Uuid::from_u128(1 + number % 2)),
            instructor_id: InstructorId(Uuid::from_u128(number)),
        };
        self.put(&self.names.instructors, json!({ "tenant_id": key.tenant_id, "id": key.instructor_id })).await;
        for lesson in 1..=LESSONS {
            self.put_lesson(key, lesson).await;
        }
        Person { key, account: account.to_owned() }
    }

    pub async fn put_lesson(&self, key: ConnectionKey, lesson: usize) {
        let starts_at = self.now() + TimeDelta::days(i64::try_from(lesson).unwrap());
        let row = json!({
            "tenant_id": key.tenant_id, "id": lesson_id(key, lesson), "instructor_id": key.instructor_id,
            "title": format!("Lesson {lesson}"), "starts_at": starts_at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true),
            "ends_at": (starts_at + TimeDelta::hours(1)).to_rfc3339_opts(chrono::SecondsFormat::Millis, true),
            "time_zone": "Europe/Berlin", "status": "scheduled",
        });
        self.put(&self.names.lessons, row).await;
    }

    async fn put(&self, table: &str, row: Value) {
        let item = serde_dynamo::aws_sdk_dynamodb_1::to_item(row).unwrap();
        self.host.put_item().table_name(table).set_item(Some(item)).send().await.unwrap();
    }

    /// The host removes a lesson without a stream record.
    pub async fn remove_lesson(&self, person: &Person, lesson: usize) {
        let text = |id: Uuid| AttributeValue::S(id.to_string());
        let request = self.host.delete_item().table_name(&self.names.lessons);
        let key = person.key;
        request.key("tenant_id", text(key.tenant_id.0)).key("id", text(lesson_id(key, lesson))).send().await.unwrap();
    }

    // ── what they do ───────────────────────────────────────────────────────────────────────────────────────────

    /// Begins a login and allows everything on Google's consent screen.
    pub async fn leave_for_google(&self, person: &Person, replace_account: bool) -> Returning {
        let options = LoginOptions { return_path: None, replace_account };
        let begun = self.begin.begin(person.key, "user", &options).await.unwrap();
        let asked: Url = begun.auth_url.parse().unwrap();
        let mut google = self.google();
        let page =
            google.handle(self.now(), &Request::new("GET", &format!("{}?{}", asked.path(), asked.query().unwrap())));
        let text = page.text();
        let request = text.split("name=\"request\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        let scope = "https://www.googleapis.com/auth/calendar.events";
        let form =
            [("request", request.as_str()), ("account", &person.account), ("decision", "allow"), ("scope", scope)];
        let answer = google.handle(self.now(), &Request::new("POST", asked.path()).form(&form));
        let back: Url = answer.header_value("location").unwrap().parse().unwrap();
        let code = back.query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned();
        Returning { state: begun.state, code, cookie: begun.browser }
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
            noticed_at: None,
            due_at: None,
            deadline,
        };
        self.sync.run(&request).await
    }

    pub async fn begin_to_disconnect(&self, person: &Person, keep: Keep) -> Result<Disconnected> {
        self.disconnect.begin(person.key, keep, self.now() + TimeDelta::seconds(20)).await
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
        let start = self.now() + TimeDelta::days(1);
        let event = json!({
            "summary": title, "start": { "dateTime": start }, "end": { "dateTime": start + TimeDelta::hours(1) },
        });
        let now = self.now();
        self.google().create_event(now, account, &event).unwrap();
    }

    /// How many grants the account still gives us.
    pub fn grants(&self, account: &str) -> usize {
        let state = self.google().state();
        let tokens = state["tokens"]["refresh"].as_object().unwrap().values();
        tokens.filter(|token| token["account"] == account && token["ended"].is_null()).count()
    }

    pub async fn sealed_refresh_token(&self, person: &Person) -> String {
        let credentials = self.disconnect.google.store.credentials(person.key).await.unwrap().unwrap();
        credentials.tokens.google_refresh_token.0
    }

    /// All that our tables say of a connection, its logs excepted.
    pub async fn rows(&self, person: &Person) -> Vec<String> {
        let key = person.key;
        let mut found = self.query(&self.names.credentials, "tenant_id", key.tenant_id.to_string()).await;
        let own = key.instructor_id.to_string();
        found.retain(|row| row["instructor_id"].as_s().is_ok_and(|instructor| instructor.starts_with(&own)));
        for table in [&self.names.mappings, &self.names.external_events] {
            found.extend(self.query(table, "connection", key.to_string()).await);
        }
        let accounts = self.host.scan().table_name(&self.names.google_accounts).send().await.unwrap().items.unwrap();
        let uses = AttributeValue::Ss(vec![key.to_string()]);
        found.extend(accounts.into_iter().filter(|account| account.get("connections") == Some(&uses)));
        found.iter().map(|row| format!("{row:?}")).collect()
    }

    /// What stands on the host's row of the instructor.
    pub async fn host_says_that_it_syncs(&self, person: &Person) -> bool {
        let rows = self.query(&self.names.instructors, "tenant_id", person.key.tenant_id.to_string()).await;
        let id = AttributeValue::S(person.key.instructor_id.to_string());
        *rows.iter().find(|row| row["id"] == id).unwrap()["calendar_sync_enabled"].as_bool().unwrap()
    }

    async fn query(&self, table: &str, partition: &str, value: String) -> Vec<HashMap<String, AttributeValue>> {
        let request = self.host.query().table_name(table).key_condition_expression("#key = :key");
        let request = request.expression_attribute_names("#key", partition);
        let request = request.expression_attribute_values(":key", AttributeValue::S(value));
        request.send().await.unwrap().items.unwrap()
    }

    /// Nothing of a connection is left, here or in Google.
    pub async fn assert_gone(&self, person: &Person, what: &str) {
        assert_eq!(self.rows(person).await, Vec::<String>::new(), "{what}");
        assert_eq!(self.in_google(&person.account), BTreeMap::from([("Dentist".to_owned(), 1)]), "{what}");
        for lesson in 1..=LESSONS {
            let text = |id: Uuid| AttributeValue::S(id.to_string());
            let request = self.host.get_item().table_name(&self.names.lessons);
            let request = request.key("tenant_id", text(person.key.tenant_id.0));
            let row = request.key("id", text(lesson_id(person.key, lesson))).send().await.unwrap().item.unwrap();
            assert!(!row.contains_key("google_calendar_event_id"), "{what}: {row:?}");
            assert!(!row.contains_key("calendar_sync_status"), "{what}: {row:?}");
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

fn lesson_id(key: ConnectionKey, lesson: usize) -> Uuid {
    Uuid::from_u128((key.instructor_id.0.as_u128() << 8) + u128::try_from(lesson).unwrap())
}

fn config_of(base: String) -> Config {
    Config::from_vars(move |name| {
        Some(match name {
            "GOOGLE_CLIENT_ID" => CLIENT.to_owned(),
            "GOOGLE_REDIRECT_URI" => REDIRECT.to_owned(),
            "GOOGLE_AUTHORIZE_URL" => format!("{base}/o/oauth2/v2/auth"),
            "GOOGLE_TOKEN_URL" => format!("{base}/token"),
            "GOOGLE_REVOKE_URL" => format!("{base}/revoke"),
            "GOOGLE_CALENDAR_URL" => format!("{base}/calendar/v3"),
            "GOOGLE_BATCH_URL" => format!("{base}/batch/calendar/v3"),
            _ => return None,
        })
    })
}
