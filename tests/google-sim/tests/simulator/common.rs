//! Ada, who has an account, a client that she allowed everything, and a clock that only tests move.

#![allow(clippy::needless_pass_by_value)]

use chrono::{DateTime, Duration, Utc};
use google_sim::{Config, Google, Request, Response};
use serde_json::{Value, json};

pub const CLIENT: &str = "test-client";
pub const SECRET: &str = "test-secret";
pub const REDIRECT: &str = "http://localhost:3000/callback";
pub const ADA: &str = "ada@example.com";
pub const GRACE: &str = "grace@example.com";
pub const HOLIDAYS: &str = "en.german#holiday@group.v.calendar.google.com";
pub const ALL: &str = "https://www.googleapis.com/auth/calendar";
pub const EVENTS: &str = "/calendar/v3/calendars/primary/events";

pub struct World {
    pub google: Google,
    pub now: DateTime<Utc>,
    pub token: String,
}

impl World {
    pub fn new() -> Self {
        Self::with(|_| {})
    }

    pub fn with(change: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config::demo(CLIENT, SECRET, REDIRECT);
        change(&mut config);
        let mut google = Google::new(1, config);
        let now = "2026-11-22T12:00:00Z".parse().unwrap();
        let token = google.grant(now, CLIENT, ADA, &[ALL]).access_token;
        Self { google, now, token }
    }

    pub fn token_of(&mut self, account: &str, scopes: &[&str]) -> String {
        self.google.grant(self.now, CLIENT, account, scopes).access_token
    }

    pub fn pass(&mut self, time: Duration) {
        self.now += time;
    }

    pub fn send(&mut self, request: Request) -> Response {
        self.google.handle(self.now, &request)
    }

    pub fn call(&mut self, method: &str, target: &str) -> Response {
        let request = Request::new(method, target).bearer(&self.token.clone());
        self.send(request)
    }

    pub fn call_with(&mut self, method: &str, target: &str, body: &Value) -> Response {
        let request = Request::new(method, target).bearer(&self.token.clone()).json(body);
        self.send(request)
    }

    /// Inserts an event and gives it as it was answered.
    pub fn insert(&mut self, event: &Value) -> Value {
        let answer = self.call_with("POST", EVENTS, event);
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.value()
    }

    pub fn get(&mut self, target: &str) -> Value {
        let answer = self.call("GET", target);
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.value()
    }

    /// Every item of a listing, page by page, and its cursor.
    pub fn list(&mut self, query: &str) -> (Vec<Value>, Option<String>) {
        let mut items = Vec::new();
        let mut page = String::new();
        loop {
            let answer = self.get(&format!("{EVENTS}?{query}{page}"));
            items.extend(answer["items"].as_array().unwrap().clone());
            match answer["nextPageToken"].as_str() {
                Some(token) => page = format!("&pageToken={token}"),
                None => return (items, answer["nextSyncToken"].as_str().map(str::to_owned)),
            }
        }
    }

    pub fn cursor(&mut self) -> String {
        self.list("").1.unwrap()
    }
}

/// Status and reason of a refusal.
pub fn refusal(answer: &Response) -> (u16, String) {
    let reason = answer.value()["error"]["errors"][0]["reason"].as_str().unwrap_or_default().to_owned();
    (answer.status, reason)
}

#[track_caller]
pub fn refused(answer: &Response, status: u16, reason: &str) {
    assert_eq!(refusal(answer), (status, reason.to_owned()), "{}", answer.text());
}

/// An event of an hour on that day, in the calendar's zone.
pub fn timed(day: &str, hour: u32) -> Value {
    json!({
        "start": {"dateTime": format!("{day}T{hour:02}:00:00"), "timeZone": "Europe/Berlin"},
        "end": {"dateTime": format!("{day}T{:02}:00:00", hour + 1), "timeZone": "Europe/Berlin"},
    })
}

pub fn with(mut event: Value, more: &Value) -> Value {
    event.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    event
}

pub fn ids(items: &[Value]) -> Vec<&str> {
    let mut ids: Vec<&str> = items.iter().map(|item| item["id"].as_str().unwrap()).collect();
    ids.sort_unstable();
    ids
}
