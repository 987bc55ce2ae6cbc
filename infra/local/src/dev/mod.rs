//! What the host application does in production: its people, its lessons, its tokens. Local stack only.

mod instructors;
mod lessons;
mod page;
mod refusal;
mod seed;
mod session;

use std::sync::Arc;

use aws_sdk_dynamodb::Client;
use axum::{
    Json, Router,
    extract::State,
    routing::{get, patch, post},
};

use self::refusal::Refusal;
use crate::{
    aws::{Notice, Services},
    gateway::Authorizer,
};

pub use seed::seed;

/// How many notices are shown.
const LATEST: u32 = 200;

#[derive(Debug)]
pub struct Host {
    pub client: Client,
    /// The name of its table of instructors.
    pub instructors: String,
    /// The name of its table of lessons.
    pub lessons: String,
    /// Who signs its people in.
    pub authorizer: Authorizer,
    /// Where a person sees their Google calendar.
    pub google_url: String,
    pub services: Arc<Services>,
}

impl Host {
    /// Its page at `/`, and its API under `/dev`.
    pub fn router(self) -> Router {
        Router::new()
            .route("/dev/session", get(session::session))
            .route("/dev/instructors", post(instructors::create))
            .route("/dev/lessons", get(lessons::list).post(lessons::create))
            .route("/dev/lessons/{id}", patch(lessons::change).delete(lessons::remove))
            .route("/dev/notices", get(notices))
            .with_state(Arc::new(self))
            .merge(page::router())
    }
}

/// What reached the event bus, newest first.
async fn notices(State(host): State<Arc<Host>>) -> Result<Json<Vec<Notice>>, Refusal> {
    Ok(Json(host.services.bus.latest(LATEST)?))
}
