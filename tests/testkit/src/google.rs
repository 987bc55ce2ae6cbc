//! The simulated Google: who may use it, where it is, and the ways to it.

use std::sync::{Arc, Mutex};

use calendar_sync::{
    adapters::google::{Answer, Request},
    config::{Config, GoogleConfig},
    ports::Clock as _,
};
use google_sim::{Google, Response};
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

/// Serves `google` at an address of its own, in the time of `clock`.
pub async fn serve(google: &Arc<Mutex<Google>>, clock: &Arc<TestClock>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let (google, clock) = (Arc::clone(google), Arc::clone(clock));
    tokio::spawn(google_sim::serve(listener, google, Arc::new(move || clock.now()), std::future::pending()));
    base
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
