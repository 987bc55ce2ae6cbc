//! The simulated Google: who may use it, where it is, and the ways to it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use calendar_sync::{
    adapters::google::{Answer, Request},
    config::{Config, GoogleConfig},
    ports::Clock as _,
};
use google_sim::{Google, Request as ToGoogle, Response};
use serde_json::Value;
use tokio::net::TcpListener;

use crate::clock::TestClock;

pub const CLIENT: &str = "client";
/// Its secret. It is marked, so that a test finds it where it leaks.
pub const CLIENT_SECRET: &str = "marked-client-secret";
pub const REDIRECT: &str = "http://localhost:3000/api/v1/calendar/oauth/callback";
pub const SCOPE: &str = "https://www.googleapis.com/auth/calendar.events";
/// The first account of [`google_sim::Config::demo`].
pub const ADA: &str = "ada@example.com";

/// Ada and Grace, who allow notices to be sent to this machine.
pub fn demo() -> google_sim::Config {
    let mut config = google_sim::Config::demo(CLIENT, CLIENT_SECRET, REDIRECT);
    config.behaviour.loopback_webhooks = true;
    config
}

/// The configuration of a product whose Google is at `base`.
pub fn config(base: &str) -> GoogleConfig {
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
            _ => return None,
        })
    });
    config.google().unwrap()
}

/// The simulated Google at an address of its own, in the time of the test's clock.
pub struct SimulatedGoogle {
    google: Arc<Mutex<Google>>,
    clock: Arc<TestClock>,
    pub base: String,
}

impl SimulatedGoogle {
    pub async fn start(config: google_sim::Config, clock: &Arc<TestClock>) -> Self {
        let google = Arc::new(Mutex::new(Google::new(1, config)));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let time = Arc::clone(clock);
        let now = Arc::new(move || time.now());
        tokio::spawn(google_sim::serve(listener, Arc::clone(&google), now, std::future::pending()));
        Self { google, clock: Arc::clone(clock), base }
    }

    pub fn lock(&self) -> MutexGuard<'_, Google> {
        self.google.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A person saves an event; returns its id.
    pub fn plan(&self, account: &str, event: &Value) -> String {
        let now = self.clock.now();
        self.lock().create_event(now, account, event).unwrap()
    }

    /// A person edits an event.
    pub fn edit(&self, account: &str, id: &str, changes: &Value) {
        let now = self.clock.now();
        self.lock().edit_event(now, account, id, changes).unwrap();
    }

    /// A person allows `scopes` on the consent screen at `auth_url`; returns the query of the address that the browser
    /// is sent back to.
    pub fn consent(&self, auth_url: &str, account: &str, scopes: &[&str]) -> Vec<(String, String)> {
        let now = self.clock.now();
        let auth_url: http::Uri = auth_url.parse().unwrap();
        let target = auth_url.path_and_query().unwrap().as_str();
        let page = self.lock().handle(now, &ToGoogle::new("GET", target)).text();
        let (_, rest) = page.split_once("name=\"request\" value=\"").expect("a consent page");
        let (request, _) = rest.split_once('"').unwrap();
        let mut form = vec![("request", request), ("account", account), ("decision", "allow")];
        form.extend(scopes.iter().map(|scope| ("scope", *scope)));
        let answer = self.lock().handle(now, &ToGoogle::new("POST", auth_url.path()).form(&form));
        ToGoogle::new("GET", answer.header_value("location").expect("the way back")).query
    }
}

/// The code that Google sends a browser back with.
pub fn code(returned: &[(String, String)]) -> &str {
    &returned.iter().find(|(name, _)| name == "code").expect("a code").1
}

/// A request of the product, as a Google in the same process takes it.
pub fn to_google(request: Request) -> google_sim::Request {
    let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
    let mut asked = google_sim::Request::new(request.method().as_str(), target);
    for (name, value) in request.headers() {
        asked = asked.header(name.as_str(), value.to_str().unwrap());
    }
    asked.body = request.into_body();
    asked
}

/// Its answer, as the product takes it.
pub fn from_google(response: Response) -> Answer {
    let mut answer = Answer::new(response.body);
    *answer.status_mut() = response.status.try_into().unwrap();
    for (name, value) in &response.headers {
        let name: http::HeaderName = name.parse().unwrap();
        answer.headers_mut().append(name, value.parse().unwrap());
    }
    answer
}
