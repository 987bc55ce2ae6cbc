//! DynamoDB: dynoxide in this process, on a listener of its own that calls are passed on to.

use std::{fmt, path::Path, time::Duration};

use anyhow::Context as _;
use axum::{body::Body, http::Request, response::Response};
use dynoxide::Database;
use tokio::net::TcpListener;

use crate::{system, upstream::Upstream};

/// How often expired items are removed. AWS promises no more than "within a few days".
const TTL_SWEEP: Duration = Duration::from_mins(1);

/// The tables and their streams, in one database file.
pub struct DynamoDb {
    upstream: Upstream,
    database: Database,
}

impl DynamoDb {
    /// Opens the tables kept in `file`; expired items are swept for as long as the process lives, unless its clock was
    /// set: dynoxide sweeps by the machine's, and would take what is still good.
    pub async fn open(file: &Path) -> anyhow::Result<Self> {
        let path = file.to_str().context("the data folder's name is not UTF-8")?;
        let database = Database::new(path)?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let upstream = Upstream::new(&listener.local_addr()?.to_string())?;
        tokio::spawn(dynoxide::server::serve_with_shutdown(listener, database.clone(), std::future::pending()));
        if !system::is_clock_set() {
            tokio::spawn(sweep_expired(database.clone()));
        }
        Ok(Self { upstream, database })
    }

    /// The store itself, for reading streams as Lambda's own poller does.
    pub fn database(&self) -> &Database {
        &self.database
    }

    pub async fn call(&self, request: Request<Body>) -> Response {
        self.upstream.forward(request).await
    }
}

impl fmt::Debug for DynamoDb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DynamoDb")
    }
}

/// Whether an operation changes items.
pub fn writes(operation: &str) -> bool {
    matches!(operation, "PutItem" | "UpdateItem" | "DeleteItem" | "BatchWriteItem" | "TransactWriteItems")
}

async fn sweep_expired(database: Database) {
    let mut ticks = tokio::time::interval(TTL_SWEEP);
    loop {
        ticks.tick().await;
        let database = database.clone();
        let swept = tokio::task::spawn_blocking(move || database.sweep_ttl()).await;
        if let Ok(Err(error)) = swept {
            tracing::warn!(%error, "expired items stay until the next sweep");
        }
    }
}
