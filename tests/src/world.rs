//! The whole product on one machine, as a person and a host application meet it: over HTTP.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::{Arc, OnceLock},
    time::Duration,
};

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use local_stack::{
    aws::{Call, Queues},
    deployment::{LESSON_FEED, LESSON_FEED_DEAD_LETTERS},
    gateway::Authorizer,
    settings::{GoogleChoice, Settings},
    stack::Stack,
};
use reqwest::{Client, Method, RequestBuilder, header};
use serde_json::{Value, json};

use crate::openapi::API;

/// How long something that happens in the background may take, on a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_mins(1);

/// A running stack, an instructor of its demo tenant, and a folder that goes when the test ends. A clone is another
/// person at the same machine.
#[derive(Debug, Clone)]
pub struct World {
    /// The API's address.
    pub api: String,
    /// The simulated Google's address.
    pub google: String,
    /// The demo instructor.
    pub instructor: String,
    /// What the API wants as bearer.
    pub token: String,
    /// Their Google account.
    pub account: String,
    client: Client,
    authorizer: Authorizer,
    stack: Arc<Stack>,
    _data: Option<Arc<tempfile::TempDir>>,
}

/// When an event in Google begins.
pub fn start_of(event: &Value) -> DateTime<Utc> {
    event["start"]["dateTime"].as_str().expect("a moment").parse().expect("a moment")
}

/// An answer: its status and its JSON, or null where it has none.
pub type Answer = (u16, Value);

impl World {
    /// Starts a stack of its own for one test. No lesson is there yet.
    pub async fn start() -> Self {
        let data = tempfile::tempdir().expect("a folder");
        let path = data.path().to_owned();
        Self { _data: Some(Arc::new(data)), ..Self::start_in(&path).await }
    }

    /// The same in a folder that stays.
    pub async fn start_in(data: &Path) -> Self {
        Self::start_with(data, Some(Duration::from_secs(1))).await
    }

    /// The same with all schedules at another rate, or each at its own.
    pub async fn start_with(data: &Path, schedule_every: Option<Duration>) -> Self {
        let settings = Settings {
            api_port: 0,
            google_port: 0,
            data: data.to_owned(),
            schedule_every,
            crash: None,
            google: GoogleChoice::Simulated,
        };
        let stack = Stack::start(&settings, Arc::new(|_| None)).await.expect("the stack starts");
        let client = calendar_sync::adapters::google::client().expect("a client"); // it follows no redirect
        let key = std::fs::read_to_string(data.join("token.key")).expect("the key of the tokens");
        let mut world = Self {
            api: stack.api_url.clone(),
            google: stack.google_url.clone(),
            instructor: String::new(),
            token: String::new(),
            account: Self::ACCOUNT.to_owned(),
            client,
            authorizer: Authorizer::new(key.as_bytes()),
            stack: Arc::new(stack),
            _data: None,
        };
        world = world.signed_in("").await;
        for lesson in world.lessons().await.values() {
            world.remove_lesson(lesson["id"].as_str().expect("an id")).await;
        }
        world
    }

    /// What `/dev/session` answers to `query`.
    pub async fn session(&self, query: &str) -> Value {
        self.send(self.client.get(format!("{}/dev/session{query}", self.api))).await.1
    }

    /// Another person at the same machine: whom `/dev/session` signs in for `query`.
    pub async fn signed_in(&self, query: &str) -> Self {
        let session = self.session(query).await;
        let text = |name: &str| session[name].as_str().expect("a text").to_owned();
        Self { instructor: text("instructorId"), token: text("token"), ..self.clone() }
    }

    /// The demo tenant's second instructor, who has a Google account of their own.
    pub async fn colleague(&self) -> Self {
        let colleague = self.signed_in("?instructor=5c7a1e00-0000-4000-8000-0000000000a2").await;
        Self { account: "grace@example.com".to_owned(), ..colleague }
    }

    /// A token with any claims, issued at any time for half a day.
    pub fn token_with(&self, claims: &Value, issued_at: DateTime<Utc>) -> String {
        self.authorizer.issue(claims.as_object().expect("claims").clone(), issued_at).expect("a token")
    }

    /// The AWS calls that each function has made.
    pub fn aws_calls(&self) -> BTreeSet<Call> {
        self.stack.services.calls.made()
    }

    /// The rows of one of our tables.
    pub async fn rows(&self, table: &str) -> Vec<Value> {
        let scan = self.tables().scan().table_name(table).send().await.expect("an answer");
        scan.items()
            .iter()
            .cloned()
            .map(|row| serde_dynamo::aws_sdk_dynamodb_1::from_item(row).expect("a row"))
            .collect()
    }

    /// Puts a row as it is.
    pub async fn put_row(&self, table: &str, row: Value) {
        let item = serde_dynamo::aws_sdk_dynamodb_1::to_item(row).expect("an item");
        self.tables().put_item().table_name(table).set_item(Some(item)).send().await.expect("an answer");
    }

    fn tables(&self) -> aws_sdk_dynamodb::Client {
        aws_sdk_dynamodb::Client::new(&self.stack.sdk)
    }

    /// Sends a request and reads its answer, which is one that the API's document knows.
    pub async fn send(&self, request: RequestBuilder) -> Answer {
        let request = request.build().expect("a request");
        let (method, path) = (request.method().clone(), request.url().path().to_owned());
        let answer = self.client.execute(request).await.expect("an answer");
        let status = answer.status().as_u16();
        let text = answer.text().await.expect("a body");
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        if path.starts_with("/api/") {
            API.check(method.as_str(), &path, status, &body).unwrap_or_else(|error| panic!("{error}: {body}"));
        }
        (status, body)
    }

    /// A request to the API, without a token.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.api))
    }

    /// A request to another address.
    pub fn outside(&self, address: &str) -> RequestBuilder {
        self.client.get(address)
    }

    /// Calls the calendar API as the demo instructor.
    pub async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let request = self.request(method, &format!("/api/v1/calendar/{path}")).bearer_auth(&self.token);
        self.send(match body {
            Some(body) => request.json(&body),
            None => request,
        })
        .await
    }

    /// The status of the connection.
    pub async fn status(&self) -> Value {
        let (code, body) = self.call(Method::GET, &format!("status/{}", self.instructor), None).await;
        assert_eq!(code, 200, "{body}");
        body["data"].clone()
    }

    /// The imported events of the next month.
    pub async fn external_events(&self) -> Vec<Value> {
        let (code, body) = self.call(Method::GET, &format!("external-events/{}", self.instructor), None).await;
        assert_eq!(code, 200, "{body}");
        body["data"]["events"].as_array().expect("a list").clone()
    }

    /// Starts a sync by hand, waits for it where it goes on in the background, and answers its counts.
    pub async fn sync(&self) -> Value {
        let (code, body) = self.call(Method::POST, "sync", Some(json!({ "instructorId": self.instructor }))).await;
        assert!(matches!(code, 200 | 202), "{code} {body}");
        if code == 200 {
            return body["data"].clone();
        }
        let row = async || {
            let status = self.status().await;
            let rows = status["logs"].as_array().expect("a list");
            rows.iter().find(|row| row["id"] == body["data"]["logId"]).expect("the promised row").clone()
        };
        self.until("the end of the sync", async || row().await["outcome"] != "running").await;
        row().await
    }

    /// Turns switches.
    pub async fn set(&self, change: Value) {
        let mut body = json!({ "instructorId": self.instructor });
        let fields = change.as_object().expect("an object").clone();
        body.as_object_mut().expect("an object").extend(fields);
        let (code, answer) = self.call(Method::PATCH, "settings", Some(body)).await;
        assert_eq!(code, 200, "{answer}");
    }

    /// From now on nothing runs but what is asked for by hand.
    pub async fn sync_by_hand_alone(&self) {
        self.set(json!({ "autoSync": false })).await;
        self.until("the end of push", async || self.status().await["push"]["state"] == "closed").await;
        self.settle().await;
    }

    /// Begins a login: the address of the consent screen and the cookie.
    pub async fn begin_login(&self) -> (String, String) {
        self.begin_login_with("").await
    }

    /// The same, with more parameters.
    pub async fn begin_login_with(&self, more: &str) -> (String, String) {
        let path = format!("/api/v1/calendar/oauth/url?instructorId={}{more}", self.instructor);
        let answer = self.request(Method::GET, &path).bearer_auth(&self.token).send().await.expect("an answer");
        assert_eq!(answer.status(), 200);
        let cookie = answer.headers()[header::SET_COOKIE].to_str().expect("a cookie").to_owned();
        let cookie = cookie.split(';').next().expect("a pair").to_owned();
        let body: Value = answer.json().await.expect("JSON");
        (body["data"]["authUrl"].as_str().expect("an address").to_owned(), cookie)
    }

    /// Fills in the consent screen as a person does; answers where Google sends the browser back to.
    pub async fn consent(&self, auth_url: &str, decision: &str, scopes: impl Fn(&str) -> bool) -> String {
        let page = self.client.get(auth_url).send().await.expect("a page").text().await.expect("a text");
        let attribute = |tag: &str, name: &str| {
            let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
            Some(rest.split('"').next()?.replace("&amp;", "&"))
        };
        let mut form: Vec<(String, String)> = vec![("decision".into(), decision.into())];
        for tag in page.split('<').filter(|tag| tag.starts_with("input ")) {
            let (Some(name), Some(value)) = (attribute(tag, "name"), attribute(tag, "value")) else { continue };
            let taken = match attribute(tag, "type").as_deref() {
                Some("checkbox") => scopes(&value),
                Some("radio") => value == self.account,
                _ => true,
            };
            if taken {
                form.push((name, value));
            }
        }
        let address = auth_url.split('?').next().expect("an address");
        let answer = self.client.post(address).form(&form).send().await.expect("an answer");
        answer.headers()[header::LOCATION].to_str().expect("a location").to_owned()
    }

    /// Brings the browser back from Google; as a program does, that wants JSON.
    pub async fn come_back(&self, location: &str, cookie: &str) -> Answer {
        self.send(self.client.get(location).header(header::COOKIE, cookie).header(header::ACCEPT, "application/json"))
            .await
    }

    /// Connects the calendar and waits for the first sync.
    pub async fn connect(&self) {
        let (auth_url, cookie) = self.begin_login().await;
        let back = self.consent(&auth_url, "allow", |_| true).await;
        let (code, body) = self.come_back(&back, &cookie).await;
        assert_eq!(code, 200, "{body}");
        self.until("the first sync", async || self.status().await["lastSyncedAt"].is_string()).await;
    }

    /// The start of the `hour`th hour from now on: the same one, also when an hour ends during the tests.
    pub fn in_hours(&self, hour: i64) -> DateTime<Utc> {
        static NOW: OnceLock<DateTime<Utc>> = OnceLock::new();
        let now = *NOW.get_or_init(Utc::now);
        (now + TimeDelta::hours(hour)).duration_trunc(TimeDelta::hours(1)).expect("an hour")
    }

    fn lessons_path(&self) -> String {
        format!("/dev/lessons?instructor={}", self.instructor)
    }

    /// Adds a lesson of an hour; answers its id.
    pub async fn add_lesson(&self, title: &str, starts_at: DateTime<Utc>) -> String {
        let body = json!({
            "title": title, "startsAt": starts_at, "endsAt": starts_at + TimeDelta::hours(1),
            "timeZone": "Europe/Berlin", "status": "scheduled",
        });
        let (code, lesson) =
            self.send(self.request(Method::POST, &self.lessons_path()).bearer_auth(&self.token).json(&body)).await;
        assert_eq!(code, 201, "{lesson}");
        lesson["id"].as_str().expect("an id").to_owned()
    }

    /// Changes a lesson.
    pub async fn change_lesson(&self, id: &str, change: Value) {
        let request = self.request(Method::PATCH, &format!("/dev/lessons/{id}")).bearer_auth(&self.token).json(&change);
        let (code, body) = self.send(request).await;
        assert_eq!(code, 200, "{body}");
    }

    /// Moves a lesson.
    pub async fn move_lesson(&self, id: &str, starts_at: DateTime<Utc>) {
        self.change_lesson(id, json!({ "startsAt": starts_at, "endsAt": starts_at + TimeDelta::hours(1) })).await;
    }

    /// Removes a lesson's row.
    pub async fn remove_lesson(&self, id: &str) {
        let (code, body) =
            self.send(self.request(Method::DELETE, &format!("/dev/lessons/{id}")).bearer_auth(&self.token)).await;
        assert!(code < 300, "{code} {body}");
    }

    /// The lessons by id.
    pub async fn lessons(&self) -> BTreeMap<String, Value> {
        let (code, body) = self.send(self.request(Method::GET, &self.lessons_path()).bearer_auth(&self.token)).await;
        assert_eq!(code, 200, "{body}");
        let rows = body.as_array().expect("a list").clone();
        rows.into_iter().map(|row| (row["id"].as_str().expect("an id").to_owned(), row)).collect()
    }

    /// One lesson.
    pub async fn lesson(&self, id: &str) -> Value {
        self.lessons().await.remove(id).unwrap_or(Value::Null)
    }

    /// What reached the event bus, newest first: the notices' types.
    pub async fn notices(&self) -> Vec<String> {
        let type_of = |notice: &Value| notice["type"].as_str().expect("a type").to_owned();
        self.notices_in_full().await.iter().map(type_of).collect()
    }

    /// The same, whole.
    pub async fn notices_in_full(&self) -> Vec<Value> {
        let (_, body) = self.send(self.request(Method::GET, "/dev/notices").bearer_auth(&self.token)).await;
        let rows = body.as_array().expect("a list").iter();
        rows.map(|row| row["detail"].clone()).collect()
    }

    /// Sends a message to the lesson feed.
    pub async fn feed(&self, body: &str) {
        let sent = self.queues().send_message().queue_url(Queues::url(LESSON_FEED)).message_body(body).send();
        sent.await.expect("an answer");
    }

    /// Whether the lesson feed has no message left.
    pub async fn feed_is_empty(&self) -> bool {
        let asked = self.queues().get_queue_attributes().queue_url(Queues::url(LESSON_FEED)).send();
        let answer = asked.await.expect("an answer");
        let counts = answer.attributes().expect("attributes").iter();
        counts.filter(|(name, _)| name.as_str().starts_with("Approximate")).all(|(_, count)| count == "0")
    }

    /// Takes what the lesson feed has refused since it was asked last: each message and why.
    pub async fn refused_by_the_feed(&self) -> Vec<(String, String)> {
        let received = self
            .queues()
            .receive_message()
            .queue_url(Queues::url(LESSON_FEED_DEAD_LETTERS))
            .max_number_of_messages(10)
            .message_attribute_names("All")
            .send();
        let refused = received.await.expect("an answer").messages.unwrap_or_default().into_iter();
        let reason = |message: &aws_sdk_sqs::types::Message| {
            let reason = message.message_attributes.as_ref()?.get("reason")?;
            reason.string_value.clone()
        };
        refused
            .map(|message| (message.body.clone().unwrap_or_default(), reason(&message).unwrap_or_default()))
            .collect()
    }

    fn queues(&self) -> aws_sdk_sqs::Client {
        aws_sdk_sqs::Client::new(&self.stack.sdk)
    }

    /// An operation of the simulated Google's control API.
    pub async fn control(&self, operation: &str, body: Value) -> Value {
        let (code, answer) =
            self.send(self.client.post(format!("{}/control/{operation}", self.google)).json(&body)).await;
        assert_eq!(code, 200, "{operation}: {answer}");
        answer
    }

    /// The account of the demo instructor.
    pub const ACCOUNT: &str = "ada@example.com";

    /// Everything that stands in the instructor's Google calendar, tombstones as well.
    pub async fn in_google(&self) -> Vec<Value> {
        let (_, body) = self.send(self.client.get(format!("{}/control/calendars/{}", self.google, self.account))).await;
        match body {
            Value::Array(events) => events,
            Value::Object(events) => events.into_iter().map(|(_, event)| event).collect(),
            other => panic!("{other}"),
        }
    }

    /// The live events that a lesson has in Google.
    pub async fn events_of(&self, lesson: &str) -> Vec<Value> {
        let carries = |event: &Value| event["extendedProperties"]["private"]["lessonId"] == lesson;
        self.in_google().await.into_iter().filter(|event| event["status"] != "cancelled" && carries(event)).collect()
    }

    /// Plans something in Google as the instructor does; answers the event's id.
    pub async fn plan_in_google(&self, title: &str, start: DateTime<Utc>, end: DateTime<Utc>) -> String {
        let event = json!({ "summary": title, "start": { "dateTime": start }, "end": { "dateTime": end } });
        self.plan_event(event).await
    }

    /// Makes any event in Google as the instructor does; answers its id.
    pub async fn plan_event(&self, event: Value) -> String {
        let made = self.control("create-event", json!({ "calendar": self.account, "event": event })).await;
        made["id"].as_str().expect("an id").to_owned()
    }

    /// Edits an event in Google as the instructor does.
    pub async fn edit_in_google(&self, id: &str, changes: Value) {
        self.control("edit-event", json!({ "calendar": self.account, "id": id, "changes": changes })).await;
    }

    /// Deletes an event in Google as the instructor does.
    pub async fn delete_in_google(&self, id: &str) {
        self.control("delete-event", json!({ "calendar": self.account, "id": id })).await;
    }

    /// Lets something go wrong at Google: on which calls of `method`, and what happens to them.
    pub async fn fault(&self, method: &str, when: Value, effect: Value) {
        self.control("fault", json!({ "method": method, "when": when, "effect": effect })).await;
    }

    /// What the log says of the last runs, newest first, one sentence a line.
    pub async fn reasons(&self) -> String {
        let status = self.status().await;
        let rows = status["logs"].as_array().expect("a list").iter();
        let sentences = rows.flat_map(|row| row["reasons"].as_array().expect("a list"));
        sentences.map(|sentence| sentence.as_str().expect("a text")).collect::<Vec<_>>().join("\n")
    }

    /// Whether a lesson carries the flag of a conflict.
    pub async fn is_flagged(&self, lesson: &str) -> bool {
        self.lesson(lesson).await["hasConflict"] == true
    }

    /// Calls of Google so far, by method.
    pub async fn google_calls(&self) -> BTreeMap<String, u64> {
        let (_, body) = self.send(self.client.get(format!("{}/control/calls", self.google))).await;
        let counts = body.as_object().expect("counts").iter();
        counts.filter_map(|(method, count)| Some((method.clone(), count.as_u64()?))).collect()
    }

    /// Waits until `holds`, for a while.
    pub async fn until(&self, what: &str, holds: impl AsyncFn() -> bool) {
        let waited = tokio::time::timeout(PATIENCE, async {
            while !holds().await {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        });
        assert!(waited.await.is_ok(), "{what} did not come about; the status is {:#}", self.status().await);
    }

    /// Waits until nothing waits to be written and no run is under way, then syncs by hand once more.
    pub async fn settle(&self) {
        // By hand, since a connection may not follow changes by itself.
        let nothing_waits = async || {
            self.sync().await;
            self.status().await["counts"]["lessonsWaiting"] == 0
        };
        self.until("rest", nothing_waits).await;
        self.sync().await;
    }
}
