//! Delivers push notifications and reports the outcome to the simulator.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::Empty;
use hyper::body::Bytes;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::task::JoinSet;

use super::Shell;
use crate::push::{Notice, Outcome};

/// How long a receiver may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// The longest sleep, since the clock can be moved at any time.
const NAP: Duration = Duration::from_millis(250);

type Sender = Client<HttpConnector, Empty<Bytes>>;

/// Runs until it is dropped.
pub(super) async fn run(shell: Arc<Shell>) -> Result<(), Infallible> {
    let sender: Sender = Client::builder(TokioExecutor::new()).build_http();
    let mut deliveries = JoinSet::new();
    loop {
        let due = {
            let now = shell.now();
            shell.google().due_notices(now)
        };
        for notice in due {
            let (shell, sender) = (Arc::clone(&shell), sender.clone());
            deliveries.spawn(async move {
                let outcome = deliver(&sender, &notice).await;
                let now = shell.now();
                shell.google().report(now, notice.id, outcome);
            });
        }
        let next = shell.google().next_notice_at();
        let wait = next.and_then(|at| (at - shell.now()).to_std().ok()).unwrap_or(NAP).min(NAP);
        tokio::select! {
            () = shell.wake.notified() => {}
            () = tokio::time::sleep(wait) => {}
            Some(_) = deliveries.join_next() => {}
        }
    }
}

/// Only plain HTTP is spoken: an `https` receiver counts as unreachable.
async fn deliver(sender: &Sender, notice: &Notice) -> Outcome {
    let mut request = hyper::Request::post(&notice.address).header("content-length", "0");
    for (name, value) in &notice.headers {
        request = request.header(name, value);
    }
    let Ok(request) = request.body(Empty::new()) else {
        return Outcome::Unreachable;
    };
    match tokio::time::timeout(PATIENCE, sender.request(request)).await {
        Ok(Ok(response)) => Outcome::Answered(response.status().as_u16()),
        _ => Outcome::Unreachable,
    }
}
