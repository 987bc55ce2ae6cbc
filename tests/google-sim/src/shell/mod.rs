//! The HTTP server around the simulator.

mod deliver;
mod exchange;
mod store;

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::Google;
use store::Keeper;
pub use store::load;

type Clock = Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>;

/// Where the state is kept between runs.
#[derive(Clone, Debug)]
pub struct Stored(pub PathBuf);

struct Shell {
    google: Arc<Mutex<Google>>,
    clock: Clock,
    keeper: Option<Keeper>,
    /// Notified after each call: there may be push notifications to send.
    wake: Notify,
}

impl Shell {
    /// Takes a poisoned lock too: a panic leaves no half-done state.
    fn google(&self) -> MutexGuard<'_, Google> {
        self.google.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> DateTime<Utc> {
        (self.clock)()
    }
}

/// Serves `google` on `listener` and delivers its notices, until `shutdown`.
///
/// # Errors
/// When the listener fails.
pub async fn serve(
    listener: TcpListener,
    google: Arc<Mutex<Google>>,
    clock: Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    run(listener, google, clock, None, shutdown).await
}

/// The same, with a file: each answer waits until its state is stored.
///
/// # Errors
/// When the listener or the file fails.
pub async fn serve_stored(
    listener: TcpListener,
    google: Arc<Mutex<Google>>,
    clock: Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>,
    stored: Stored,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    run(listener, google, clock, Some(Keeper::new(stored.0)), shutdown).await
}

async fn run(
    listener: TcpListener,
    google: Arc<Mutex<Google>>,
    clock: Clock,
    keeper: Option<Keeper>,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let shell = Arc::new(Shell { google, clock, keeper, wake: Notify::new() });
    let mut tasks = JoinSet::new();
    tasks.spawn(deliver::run(Arc::clone(&shell)));
    let mut shutdown = Box::pin(shutdown);
    loop {
        let stream = tokio::select! {
            () = &mut shutdown => return Ok(()),
            // Ended connections are cleared away as they go.
            Some(_) = tasks.join_next() => continue,
            accepted = listener.accept() => accepted?.0,
        };
        // Small answers must not wait for the next packet.
        stream.set_nodelay(true)?;
        let shell = Arc::clone(&shell);
        tasks.spawn(async move {
            let service = service_fn(|request| exchange::answer(Arc::clone(&shell), request));
            // A connection that ends early was closed by the client, or by a fault.
            let _ =
                http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service).await;
            Ok::<(), Infallible>(())
        });
    }
}
