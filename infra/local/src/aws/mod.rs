//! The AWS services that the product calls, answering the real AWS SDK on one loopback listener.
//!
//! All of them speak JSON over `POST /` and name the operation in `X-Amz-Target`, which is all
//! that is needed to tell them apart. Everything they keep outlives the process.

mod calls;
mod dynamodb;
mod eventbridge;
mod kms;
mod secrets;
mod sqs;
mod wire;

use std::{path::Path, sync::Arc};

use aws_credential_types::Credentials;
use aws_types::{SdkConfig, region::Region, sdk_config::SharedCredentialsProvider};
use axum::{Router, body::Body, extract::State, http::Request, response::Response};
use tokio::net::TcpListener;

pub use calls::{Call, Calls};
pub use dynamodb::DynamoDb;
pub use eventbridge::{Bus, Notice};
pub use kms::Kms;
pub use secrets::Secrets;
pub use sqs::{DeadLetters, Queue, Queues};
pub use wire::Fault;

use crate::crash::{self, Boundary, CrashPoint};

/// The region and account that stand in every name made here.
pub const REGION: &str = "us-east-1";
pub const ACCOUNT: &str = "000000000000";

/// Every service, opened on the data folder.
#[derive(Debug)]
pub struct Services {
    pub dynamodb: DynamoDb,
    /// Encryption under keys that never leave it.
    pub kms: Kms,
    pub queues: Queues,
    pub bus: Bus,
    pub secrets: Secrets,
    pub calls: Calls,
    /// Where to die, when a test asks for it.
    pub crash: Option<Arc<CrashPoint>>,
}

impl Services {
    /// Opens all services on the data folder, making on the first run what they need.
    pub async fn open(
        data: &Path,
        queues: Vec<Queue>,
        secrets: Secrets,
        crash: Option<Arc<CrashPoint>>,
    ) -> anyhow::Result<Self> {
        let sqlite = data.join("aws.sqlite");
        Ok(Self {
            dynamodb: DynamoDb::open(&data.join("dynamodb.sqlite")).await?,
            kms: Kms::open(&data.join("kms.key"))?,
            queues: Queues::open(&sqlite, queues)?,
            bus: Bus::open(&sqlite)?,
            secrets,
            calls: Calls::default(),
            crash,
        })
    }
}

/// Answers AWS calls on `listener` for as long as the process lives.
pub async fn serve(listener: TcpListener, services: Arc<Services>) -> std::io::Result<()> {
    axum::serve(listener, Router::new().fallback(answer).with_state(services)).await
}

/// What an AWS client needs to reach the services at `endpoint`.
pub fn sdk_config(endpoint: &str) -> SdkConfig {
    SdkConfig::builder()
        .behavior_version(aws_sdk_sqs::config::BehaviorVersion::latest())
        .endpoint_url(endpoint)
        .region(Region::from_static(REGION))
        .credentials_provider(SharedCredentialsProvider::new(Credentials::from_keys("local", "local", None)))
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .build()
}

async fn answer(State(services): State<Arc<Services>>, request: Request<Body>) -> Response {
    let target =
        request.headers().get("x-amz-target").and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let (service, operation) = target.split_once('.').unwrap_or_default();
    let crash = services.crash.as_deref();
    let (head, body) = request.into_parts();
    let body = match wire::body(body).await {
        Ok(body) => body,
        Err(fault) => return wire::answer(Err(fault)),
    };
    services.calls.note(&head.headers, service, operation, &body);
    match service {
        "DynamoDB_20120810" | "DynamoDBStreams_20120810" => {
            let forwarded = services.dynamodb.call(Request::from_parts(head, Body::from(body)));
            if dynamodb::writes(operation) {
                crash::around(crash, Boundary::StoreWrite, forwarded).await
            } else {
                forwarded.await
            }
        }
        "AmazonSQS" => {
            let answered = async { wire::answer(services.queues.call(operation, &body).await) };
            if operation.starts_with("DeleteMessage") {
                crash::around(crash, Boundary::QueueAck, answered).await
            } else {
                answered.await
            }
        }
        _ => wire::answer(match service {
            "TrentService" => services.kms.call(operation, &body),
            "AWSEvents" => services.bus.call(operation, &body),
            "secretsmanager" => services.secrets.call(operation, &body),
            _ => Err(Fault::unknown_operation(&target)),
        }),
    }
}

/// Opens a database that several connections of this process share.
fn sqlite(file: &Path) -> rusqlite::Result<rusqlite::Connection> {
    let connection = rusqlite::Connection::open(file)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // A commit survives the death of the process; only a power cut may take the last ones.
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    Ok(connection)
}
