//! The simulated Google as a program. Its settings come from the environment; see the README.

use std::env;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex};

use chrono::Utc;
use google_sim::{Config, Google, Stored, load, serve, serve_stored};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> io::Result<()> {
    let set = |name: &str, usual: &str| env::var(name).unwrap_or_else(|_| usual.to_owned());
    let mut config = Config::demo(
        &set("GOOGLE_CLIENT_ID", "demo-client.apps.googleusercontent.com"),
        &set("GOOGLE_CLIENT_SECRET", "demo-secret"),
        &set("GOOGLE_REDIRECT_URI", "http://localhost:3000/api/v1/calendar/oauth/callback"),
    );
    config.behaviour.loopback_webhooks = true;
    if set("GOOGLE_SIM_QUOTAS", "on") == "off" {
        config.limits = config.limits.without_quotas();
    }
    let seed = set("GOOGLE_SIM_SEED", "1").parse().map_err(io::Error::other)?;
    let listener = TcpListener::bind(set("GOOGLE_SIM_ADDRESS", "127.0.0.1:3001")).await?;
    println!("google-sim listens on http://{}", listener.local_addr()?);

    let clock = Arc::new(Utc::now);
    let stop = async {
        let _ = tokio::signal::ctrl_c().await;
    };
    let Ok(file) = env::var("GOOGLE_SIM_STATE") else {
        let google = Arc::new(Mutex::new(Google::new(seed, config)));
        return serve(listener, google, clock, stop).await;
    };
    let google = Arc::new(Mutex::new(load(Path::new(&file), seed, config)?));
    serve_stored(listener, google, clock, Stored(file.into()), stop).await
}
