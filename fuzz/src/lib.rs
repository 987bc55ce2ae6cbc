//! What the fuzz targets share: an AWS that answers at once and nearly nothing, a Google that answers what it is told,
//! and a runtime without threads.

use std::{
    collections::VecDeque,
    future::Future,
    sync::{
        Arc, LazyLock, Mutex,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_smithy_runtime_api::{
    client::{
        http::{HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector},
        orchestrator::{HttpRequest, HttpResponse},
        runtime_components::RuntimeComponents,
    },
    http::StatusCode,
};
use aws_smithy_types::{body::SdkBody, retry::RetryConfig};
use aws_types::{SdkConfig, region::Region};
use calendar_sync::{
    adapters::google::{Answer, Request, Transport},
    bootstrap::Bootstrap,
    config::Config,
    model::{ConnectionKey, InstructorId, TenantId},
    ports::{CalendarError, Clock, Random},
};
use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

pub const KEY: ConnectionKey =
    ConnectionKey { tenant_id: TenantId(Uuid::from_u128(1)), instructor_id: InstructorId(Uuid::from_u128(2)) };

/// Waits for `future` on this thread.
pub fn wait<T>(future: impl Future<Output = T>) -> T {
    static RUNTIME: LazyLock<tokio::runtime::Runtime> =
        LazyLock::new(|| tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime"));
    RUNTIME.block_on(future)
}

// ── AWS ────────────────────────────────────────────────────────────────────────────────────────────────────────────

/// The one answer to every call: no item, no message, and the secret.
const NOTHING: &str = r#"{"SecretString":"{\"googleClientSecret\":\"secret\",\"webhookKeys\":[\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\"]}"}"#;

#[derive(Debug, Clone)]
struct Silent;

impl HttpConnector for Silent {
    fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
        let ok = StatusCode::try_from(200).expect("a status");
        HttpConnectorFuture::ready(Ok(HttpResponse::new(ok, SdkBody::from(NOTHING))))
    }
}

impl HttpClient for Silent {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(Self)
    }
}

/// A function's set-up, on an AWS that keeps nothing.
pub fn bootstrap() -> Bootstrap {
    let aws = SdkConfig::builder()
        .behavior_version(aws_smithy_runtime_api::client::behavior_version::BehaviorVersion::latest())
        .region(Region::from_static("us-east-1"))
        .credentials_provider(SharedCredentialsProvider::new(Credentials::new("a", "b", None, None, "fuzz")))
        .retry_config(RetryConfig::disabled())
        .http_client(Silent)
        .build();
    Bootstrap::new(config(), aws)
}

/// What the functions are told.
pub fn config() -> Config {
    Config::from_vars(|name| {
        let value = match name {
            "EVENT_BUS_NAME" | "KMS_KEY_ID" | "SECRET_ID" => "name",
            "FRONTEND_URL" => "https://example.com",
            "GOOGLE_CLIENT_ID" => "client",
            "GOOGLE_CLIENT_SECRET" => "secret",
            "GOOGLE_REDIRECT_URI" => "https://example.com/api/v1/calendar/oauth/callback",
            "SYNC_QUEUE_URL" => "https://sqs.us-east-1.amazonaws.com/000000000000/queue",
            _ => return None,
        };
        Some(value.to_owned())
    })
}

// ── Google ─────────────────────────────────────────────────────────────────────────────────────────────────────────

/// Answers what it was given, one after the other, and then nothing.
#[derive(Clone)]
pub struct Told(pub Arc<Mutex<VecDeque<Answer>>>);

#[async_trait]
impl Transport for Told {
    async fn exchange(&self, _: Request, _: Duration) -> Result<Answer, CalendarError> {
        let answer = self.0.lock().expect("a lock").pop_front();
        answer.ok_or_else(|| CalendarError::Unavailable("no more answers".to_owned()))
    }
}

/// Time that passes only by sleeping.
pub struct Hand(AtomicI64);

impl Hand {
    /// Noon of a day in March.
    pub fn new() -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(0)))
    }
}

#[async_trait]
impl Clock for Hand {
    fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp(1_772_366_400, 0).expect("a moment")
            + TimeDelta::milliseconds(self.0.load(Ordering::Relaxed))
    }
    async fn sleep(&self, time: Duration) {
        self.0.fetch_add(i64::try_from(time.as_millis()).unwrap_or(i64::MAX).max(1), Ordering::Relaxed);
    }
}

pub struct ZeroRandom;

impl Random for ZeroRandom {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(7);
    }
}

// ── reading an input ───────────────────────────────────────────────────────────────────────────────────────────────

/// The pieces of an input, between bytes that stand in no text.
pub fn pieces(data: &[u8]) -> impl Iterator<Item = &[u8]> {
    data.split(|byte| *byte == 0xff)
}

pub fn text(piece: Option<&[u8]>) -> String {
    String::from_utf8_lossy(piece.unwrap_or_default()).into_owned()
}
