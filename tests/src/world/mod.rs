//! The whole product on one machine, as a person and a host application meet it: over HTTP.

mod host;
mod in_google;

use std::{
    collections::BTreeSet,
    path::Path,
    sync::{Arc, OnceLock},
    time::Duration,
};

use aws_sdk_dynamodb::error::SdkError;
use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use local_stack::{
    aws::Call,
    gateway::Authorizer,
    settings::{GoogleChoice, Settings},
    stack::Stack,
};
use reqwest::{Client, Method, RequestBuilder, header};
use serde_json::{Value, json};

use crate::openapi::API;

/// How long something that happens in the background may take, on a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_mins(3);

/// A running stack, an instructor of its demo tenant, and a folder that goes when the test ends. A clone is another
/// person at the same machine.
#[derive(Debug, Clone)]
pub struct World {
    pub api: String,
    /// The simulated Google's address.
    pub google: String,
    pub instructor: String,
    /// What the API wants as bearer.
    pub token: String,
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
    /// The account of the demo instructor.
    pub const ACCOUNT: &str = "ada@example.com";

    /// Starts a stack of its own for one test. No lesson is there yet.
    pub async fn start() -> Self {
        let data = tempfile::tempdir().expect("a folder");
        let path = data.path().to_owned();
        Self { _data: Some(Arc::new(data)), ..Self::start_in(&path).await }
    }

    /// The same, with a calendar that is connected.
    pub async fn connected() -> Self {
        let world = Self::start().await;
        world.connect().await;
        world
    }

    /// A stack in a folder that stays.
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

    pub async fn rows(&self, table: &str) -> Vec<Value> {
        let scan = self.tables().scan().table_name(table).into_paginator().items().send();
        let items = scan.try_collect().await.expect("an answer");
        items.into_iter().map(|row| serde_dynamo::aws_sdk_dynamodb_1::from_item(row).expect("a row")).collect()
    }

    /// Puts a row as it is.
    pub async fn put_row(&self, table: &str, row: Value) {
        let item = serde_dynamo::aws_sdk_dynamodb_1::to_item(row).expect("an item");
        self.tables().put_item().table_name(table).set_item(Some(item)).send().await.expect("an answer");
    }

    /// Sets what is to change of a row, and says whether the condition for it held.
    pub async fn change_row_if(&self, condition: &str, table: &str, key: Value, changes: Value) -> bool {
        let item = |value: Value| serde_dynamo::aws_sdk_dynamodb_1::to_item(value).expect("an item");
        let changes = item(changes);
        let sets: Vec<_> = changes.keys().map(|name| format!("#{name} = :{name}")).collect();
        let update = self.tables().update_item().table_name(table).set_key(Some(item(key)));
        let update = changes.into_iter().fold(update, |update, (name, value)| {
            update
                .expression_attribute_names(format!("#{name}"), &name)
                .expression_attribute_values(format!(":{name}"), value)
        });
        let update = update.update_expression(format!("SET {}", sets.join(", "))).condition_expression(condition);
        match update.send().await.map_err(SdkError::into_service_error) {
            Ok(_) => true,
            Err(error) if error.is_conditional_check_failed_exception() => false,
            Err(error) => panic!("{error:?}"),
        }
    }

    /// Changes the hot state of the connection between two runs, as if time had passed.
    pub async fn change_state(&self, changes: Value) {
        self.until("the end of a run", async || self.try_to_change_state(changes.clone()).await).await;
    }

    /// The same, unless a run is under way or there is no connection.
    pub async fn try_to_change_state(&self, changes: Value) -> bool {
        let rows = self.rows("instructor_calendar_credentials").await;
        let name = format!("{}#state", self.instructor);
        let Some(state) = rows.iter().find(|row| row["instructor_id"] == name) else { return false };
        let key = json!({ "tenant_id": state["tenant_id"], "instructor_id": name });
        let no_run = "attribute_exists(lease_until) AND attribute_not_exists(lease_owner)";
        self.change_row_if(no_run, "instructor_calendar_credentials", key, changes).await
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
        let (code, body) = self.try_sync().await;
        assert!(matches!(code, 200 | 202), "{code} {body}");
        body["data"].clone()
    }

    /// The same, also where it is refused or fails: of one that went on in the background, its log row.
    pub async fn try_sync(&self) -> Answer {
        self.try_sync_with(json!({})).await
    }

    /// The same, bounded.
    pub async fn try_sync_with(&self, mut bounds: Value) -> Answer {
        bounds["instructorId"] = json!(self.instructor);
        let (code, body) = self.call(Method::POST, "sync", Some(bounds)).await;
        if code != 202 {
            return (code, body);
        }
        let row = async || {
            let status = self.status().await;
            let rows = status["logs"].as_array().expect("a list");
            rows.iter().find(|row| row["id"] == body["data"]["logId"]).expect("the promised row").clone()
        };
        self.until("the end of the sync", async || row().await["outcome"] != "running").await;
        (code, json!({ "data": row().await }))
    }

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
        self.until("the end of push", async || self.status().await["push"]["webhookExpiration"].is_null()).await;
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

    /// What the log says of the last runs, newest first, one sentence a line.
    pub async fn reasons(&self) -> String {
        let status = self.status().await;
        let rows = status["logs"].as_array().expect("a list").iter();
        let sentences = rows.filter_map(|row| row["reasons"].as_array()).flatten();
        sentences.map(|sentence| sentence.as_str().expect("a text")).collect::<Vec<_>>().join("\n")
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
