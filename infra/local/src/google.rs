//! The simulated Google, in this process.

use std::{
    path::Path,
    sync::{Arc, Mutex},
};

use anyhow::Context as _;
use axum::{Router, body::Body, extract::State, http::Method, http::Request, response::Response};
use google_sim::{Config, Stored, load, serve_stored};
use tokio::{net::TcpListener, task::JoinSet};

use crate::{
    crash::{self, Boundary, CrashPoint},
    system,
    upstream::Upstream,
};

const CLIENT_ID: &str = "local-stack.apps.googleusercontent.com";
/// No secret: it opens nothing but the simulator of this machine.
pub const CLIENT_SECRET: &str = "secret-of-the-simulated-client";
const SEED: u64 = 1;

/// A simulated Google that keeps its state in a file.
#[derive(Debug)]
pub struct SimulatedGoogle {
    /// Where a person's browser reaches it.
    pub url: String,
    /// Where the product's calls go: the same place, or one that watches for a crash point on the way.
    api_url: String,
    redirect_uri: String,
}

impl SimulatedGoogle {
    /// Serves on `listener`, within `tasks`, the state kept in `file`.
    pub async fn start(
        listener: TcpListener,
        file: &Path,
        redirect_uri: String,
        crash: Option<Arc<CrashPoint>>,
        tasks: &mut JoinSet<()>,
    ) -> anyhow::Result<Self> {
        let mut config = Config::demo(CLIENT_ID, CLIENT_SECRET, &redirect_uri);
        config.behaviour.loopback_webhooks = true;
        let clients = config.clients.clone();
        let mut google = load(file, SEED, config).with_context(|| format!("reading {}", file.display()))?;
        // The file may come from a run on another port.
        for client in clients {
            google.add_client(client);
        }

        let address = listener.local_addr()?;
        let url = format!("http://localhost:{}", address.port());
        let api_url = match crash {
            None => url.clone(),
            Some(crash) => watched(&address.to_string(), crash, tasks).await?,
        };
        let serving = serve_stored(
            listener,
            Arc::new(Mutex::new(google)),
            Arc::new(system::now),
            Stored(file.to_owned()),
            std::future::pending(),
        );
        tasks.spawn(async {
            if let Err(error) = serving.await {
                tracing::error!(%error, "the simulated Google stopped");
            }
        });
        Ok(Self { url, api_url, redirect_uri })
    }

    /// What the product has to be told to talk to it.
    pub fn variables(&self) -> [(&'static str, String); 7] {
        let Self { url, api_url, redirect_uri } = self;
        [
            ("GOOGLE_CLIENT_ID", CLIENT_ID.to_owned()),
            ("GOOGLE_REDIRECT_URI", redirect_uri.clone()),
            ("GOOGLE_AUTHORIZE_URL", format!("{url}/o/oauth2/v2/auth")),
            ("GOOGLE_TOKEN_URL", format!("{api_url}/token")),
            ("GOOGLE_REVOKE_URL", format!("{api_url}/revoke")),
            ("GOOGLE_CALENDAR_URL", format!("{api_url}/calendar/v3")),
            ("GOOGLE_BATCH_URL", format!("{api_url}/batch/calendar/v3")),
        ]
    }
}

/// A listener that passes calls on to `google` and dies at the crash point.
async fn watched(google: &str, crash: Arc<CrashPoint>, tasks: &mut JoinSet<()>) -> anyhow::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    let router = Router::new().fallback(pass_on).with_state((Upstream::new(google)?, crash));
    tasks.spawn(async { axum::serve(listener, router).await.unwrap_or_default() });
    Ok(url)
}

async fn pass_on(State((google, crash)): State<(Upstream, Arc<CrashPoint>)>, request: Request<Body>) -> Response {
    let writes = request.method() != Method::GET;
    let answered = google.forward(request);
    if writes { crash::around(Some(&crash), Boundary::GoogleWrite, answered).await } else { answered.await }
}
