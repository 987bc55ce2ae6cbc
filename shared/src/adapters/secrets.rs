//! The product's own secrets in Secrets Manager: Google's client secret and the webhook's keys.
//!
//! The secret is one JSON object: `{"googleClientSecret": "…", "webhookKeys": ["<base64>", …]}`. The first webhook key
//! signs and all of them verify. To rotate: put the new key second, wait for [`MAX_STALE_AGE`], then put it first.

use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_secretsmanager::Client;
use chrono::{DateTime, TimeDelta, Utc};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tracing::warn;

use crate::{Error, Result, model::WebhookKeys, ports::Clock};

/// The age from which a warm function reads the secret again.
const REFRESH_AFTER: TimeDelta = TimeDelta::minutes(5);
/// The age up to which it goes on with the old secret while Secrets Manager does not answer.
pub const MAX_STALE_AGE: TimeDelta = TimeDelta::hours(1);

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AppSecrets {
    pub google_client_secret: SecretString,
    pub webhook_keys: WebhookKeys,
}

/// Reads the secret, and again every few minutes.
pub struct Secrets {
    client: Client,
    id: String,
    clock: Arc<dyn Clock>,
    kept: Mutex<Option<(Arc<AppSecrets>, DateTime<Utc>)>>,
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Secrets").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Secrets {
    /// `id`: the secret's name or ARN.
    pub fn new(client: Client, id: String, clock: Arc<dyn Clock>) -> Self {
        Self { client, id, clock, kept: Mutex::default() }
    }

    /// At most a few minutes old; older only while Secrets Manager does not answer.
    pub async fn get(&self) -> Result<Arc<AppSecrets>> {
        let now = self.clock.now();
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let younger_than = |limit| kept.as_ref().filter(|(_, since)| now - *since < limit).map(|(kept, _)| kept);
        if let Some(secrets) = younger_than(REFRESH_AFTER) {
            return Ok(Arc::clone(secrets));
        }
        match (self.fetch().await, younger_than(MAX_STALE_AGE)) {
            (Ok(secrets), _) => {
                let secrets = Arc::new(secrets);
                *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = Some((Arc::clone(&secrets), now));
                Ok(secrets)
            }
            (Err(error), Some(kept)) => {
                warn!(?error, "going on with the secrets as they were");
                Ok(Arc::clone(kept))
            }
            (Err(error), None) => Err(error),
        }
    }

    async fn fetch(&self) -> Result<AppSecrets> {
        let answer = self
            .client
            .get_secret_value()
            .secret_id(&self.id)
            .send()
            .await
            .map_err(|error| Error::unavailable("secrets_unavailable", error))?;
        let text = SecretString::from(answer.secret_string.unwrap_or_default());
        // serde's own error may quote the secret.
        serde_json::from_str(text.expose_secret()).map_err(|_| Error::internal("the secret has not the form it must"))
    }
}
