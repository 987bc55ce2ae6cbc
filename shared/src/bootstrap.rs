//! Wires a function at cold start. Each function asks for the adapters that it uses and links no others.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use aws_config::{
    BehaviorVersion, SdkConfig,
    environment::{EnvironmentVariableCredentialsProvider, EnvironmentVariableRegionProvider},
    retry::RetryConfig,
    stalled_stream_protection::StalledStreamProtectionConfig,
    timeout::TimeoutConfig,
};
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode};
use chrono::{DateTime, Utc};

use crate::{
    Error, Result,
    adapters::{
        dynamo::DynamoStore,
        eventbridge::EventBridgeBus,
        google::{self, GoogleCalendar, GoogleLogin},
        kms::KmsVault,
        secrets::Secrets,
        sqs::{SqsDeadLetters, SqsSyncQueue},
        system::{SystemClock, SystemRandom},
    },
    config::Config,
    model::WebhookKeys,
    ports::{
        Calendar, Clock, DeadLetters, EraseQueue, Login, NoticeBus, Random, RateLimiter, Store, SyncQueue, TokenVault,
    },
};

/// The roots of AWS's own certificates (<https://www.amazontrust.com/repository/>). Loading the system's bundle would
/// be the costliest part of a cold start; these five are parsed in next to no time.
const AWS_ROOTS: &[u8] = include_bytes!("amazon_trust_services.pem");

/// The time limits of one attempt of an AWS call, and of all its attempts together.
const AWS_ATTEMPT_TIMEOUT: Duration = Duration::from_secs(5);
pub const AWS_CALL_TIMEOUT: Duration = Duration::from_secs(12);

/// The settings and the AWS configuration, from which adapters are made.
#[derive(Debug, Clone)]
pub struct Bootstrap {
    pub config: Config,
    /// Region, credentials, endpoints and the shared HTTP client.
    pub aws: SdkConfig,
    clock: SystemClock,
    google: OnceLock<reqwest::Client>,
    secrets: OnceLock<Arc<Secrets>>,
}

impl Bootstrap {
    pub fn new(config: Config, aws: SdkConfig) -> Self {
        Self { config, aws, clock: SystemClock::default(), google: OnceLock::new(), secrets: OnceLock::new() }
    }

    /// Replaces the clock by one that shows `now`.
    #[must_use]
    pub fn with_time(self, now: fn() -> DateTime<Utc>) -> Self {
        Self { clock: SystemClock::showing(now), ..self }
    }

    /// From the environment, where Lambda puts the credentials of its role. `AWS_ENDPOINT_URL` and its variants are
    /// honoured.
    pub async fn from_env() -> Result<Self> {
        let roots = TrustStore::empty().with_pem_certificate(AWS_ROOTS);
        let tls = TlsContext::builder().with_trust_store(roots).build().map_err(Error::internal)?;
        let http = aws_smithy_http_client::Builder::new()
            .tls_provider(Provider::rustls(CryptoMode::Ring))
            .tls_context(tls)
            .build_https();
        let timeouts = TimeoutConfig::builder()
            .operation_attempt_timeout(AWS_ATTEMPT_TIMEOUT)
            .operation_timeout(AWS_CALL_TIMEOUT)
            .build();
        let aws = aws_config::defaults(BehaviorVersion::latest())
            .http_client(http)
            .credentials_provider(EnvironmentVariableCredentialsProvider::new())
            .region(EnvironmentVariableRegionProvider::new())
            .retry_config(RetryConfig::standard())
            .timeout_config(timeouts)
            // Timeouts bound every call, and bodies are too small for the stream to be supervised.
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .load()
            .await;
        Ok(Self::new(Config::from_env(), aws))
    }

    pub fn store(&self) -> Arc<dyn Store> {
        Arc::new(self.dynamo())
    }

    /// Google's quota, as all functions share it.
    pub fn rate_limiter(&self) -> Arc<dyn RateLimiter> {
        Arc::new(self.dynamo())
    }

    fn dynamo(&self) -> DynamoStore {
        DynamoStore::new(aws_sdk_dynamodb::Client::new(&self.aws), self.config.tables())
    }

    pub fn calendar(&self) -> Result<Arc<dyn Calendar>> {
        let (transport, config) = (Arc::new(self.google()?), self.config.google()?);
        Ok(Arc::new(GoogleCalendar::new(transport, &config, self.clock(), self.random(), self.rate_limiter())?))
    }

    /// Google's sign-in, with the client secret from the environment or from Secrets Manager. After a rotation warm
    /// functions keep the old client secret, which works until it is deleted: Google allows two at a time.
    pub async fn login(&self) -> Result<Arc<dyn Login>> {
        let secret = match self.config.google_client_secret() {
            Some(secret) => secret,
            None => self.secrets()?.get().await?.google_client_secret.clone(),
        };
        Ok(Arc::new(GoogleLogin::new(Arc::new(self.google()?), &self.config.google()?, &secret)?))
    }

    pub fn vault(&self) -> Result<Arc<dyn TokenVault>> {
        let client = aws_sdk_kms::Client::new(&self.aws);
        Ok(Arc::new(KmsVault::new(client, self.config.kms_key()?, self.clock(), self.random())))
    }

    pub fn sync_queue(&self) -> Result<Arc<dyn SyncQueue>> {
        Ok(Arc::new(self.sqs()?))
    }

    /// The same queue, for the messages of erasures.
    pub fn erase_queue(&self) -> Result<Arc<dyn EraseQueue>> {
        Ok(Arc::new(self.sqs()?))
    }

    fn sqs(&self) -> Result<SqsSyncQueue> {
        let (config, client) = (&self.config, aws_sdk_sqs::Client::new(&self.aws));
        Ok(SqsSyncQueue::new(client, config.sync_queue_url()?, config.first_sync_queue_url()?))
    }

    pub fn feed_dead_letters(&self) -> Result<Arc<dyn DeadLetters>> {
        let client = aws_sdk_sqs::Client::new(&self.aws);
        Ok(Arc::new(SqsDeadLetters::new(client, self.config.feed_dead_letters_url()?)))
    }

    pub fn bus(&self) -> Result<Arc<dyn NoticeBus>> {
        Ok(Arc::new(EventBridgeBus::new(aws_sdk_eventbridge::Client::new(&self.aws), self.config.event_bus()?)))
    }

    /// The keys of the webhook, at most a few minutes old. Ask each time, so that a rotation reaches warm functions.
    pub async fn webhook_keys(&self) -> Result<WebhookKeys> {
        Ok(self.secrets()?.get().await?.webhook_keys.clone())
    }

    pub fn clock(&self) -> Arc<dyn Clock> {
        Arc::new(self.clock)
    }

    pub fn random(&self) -> Arc<dyn Random> {
        Arc::new(SystemRandom)
    }

    /// One client for all calls to Google, so that they share connections.
    fn google(&self) -> Result<reqwest::Client> {
        if let Some(client) = self.google.get() {
            return Ok(client.clone());
        }
        let client = google::client()?;
        Ok(self.google.get_or_init(|| client).clone())
    }

    fn secrets(&self) -> Result<Arc<Secrets>> {
        if let Some(secrets) = self.secrets.get() {
            return Ok(Arc::clone(secrets));
        }
        let client = aws_sdk_secretsmanager::Client::new(&self.aws);
        let secrets = Arc::new(Secrets::new(client, self.config.secret_id()?, self.clock()));
        Ok(Arc::clone(self.secrets.get_or_init(|| secrets)))
    }
}
