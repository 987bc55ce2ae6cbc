//! DynamoDB: dynoxide in this process, on a listener of its own that calls are forwarded to.

use std::{path::Path, time::Duration};

use anyhow::Context as _;
use axum::{
    body::Body,
    http::{Request, StatusCode, Uri, uri::Authority},
    response::{IntoResponse, Response},
};
use dynoxide::Database;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use tokio::net::TcpListener;

/// How often expired items are removed. AWS promises no more than "within a few days".
const TTL_SWEEP: Duration = Duration::from_mins(1);

/// The tables and their streams, in one SQLite file.
#[derive(Debug)]
pub struct DynamoDb {
    authority: Authority,
    client: Client<HttpConnector, Body>,
    database: DebugDatabase,
}

impl DynamoDb {
    /// Opens the tables kept in `file`; expired items are swept for as long as the process lives.
    pub async fn open(file: &Path) -> anyhow::Result<Self> {
        let path = file.to_str().context("the data folder's name is not UTF-8")?;
        let database = Database::new(path)?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let authority = listener.local_addr()?.to_string().parse()?;
        tokio::spawn(dynoxide::server::serve_with_shutdown(listener, database.clone(), std::future::pending()));
        tokio::spawn(sweep_expired(database.clone()));
        Ok(Self {
            authority,
            client: Client::builder(TokioExecutor::new()).build_http(),
            database: DebugDatabase(database),
        })
    }

    /// The store itself, for reading streams as Lambda's own poller does.
    pub fn database(&self) -> &Database {
        &self.database.0
    }

    /// Passes a call on as it came.
    pub async fn forward(&self, mut request: Request<Body>) -> Response {
        let target = Uri::builder().scheme("http").authority(self.authority.clone()).path_and_query("/").build();
        match target {
            Ok(target) => *request.uri_mut() = target,
            Err(error) => return unreachable_store(&error),
        }
        match self.client.request(request).await {
            Ok(response) => response.into_response(),
            Err(error) => unreachable_store(&error),
        }
    }
}

/// Whether an operation changes items.
pub fn writes(operation: &str) -> bool {
    matches!(operation, "PutItem" | "UpdateItem" | "DeleteItem" | "BatchWriteItem" | "TransactWriteItems")
}

fn unreachable_store(error: &dyn std::error::Error) -> Response {
    tracing::error!(%error, "the embedded DynamoDB did not answer");
    StatusCode::SERVICE_UNAVAILABLE.into_response()
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

/// `Database` prints nothing of itself.
struct DebugDatabase(Database);

impl std::fmt::Debug for DebugDatabase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Database")
    }
}
