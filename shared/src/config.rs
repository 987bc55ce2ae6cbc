//! Settings, read from the environment. Each part is read where it is needed, so that a function needs no variable that
//! it does not use. An error names the variable that is missing or malformed.

use std::{fmt, sync::Arc};

use secrecy::SecretString;

use crate::{Error, ErrorKind, Result};

type Variable = dyn Fn(&str) -> Option<String> + Send + Sync;

/// Where settings come from: the environment, or a map in the local stack and in tests.
#[derive(Clone)]
pub struct Config {
    variable: Arc<Variable>,
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Config")
    }
}

/// Google's OAuth client and endpoints.
#[derive(Debug, Clone)]
pub struct GoogleConfig {
    /// `GOOGLE_CLIENT_ID`.
    pub client_id: String,
    /// `GOOGLE_REDIRECT_URI`, exactly as registered with Google.
    pub redirect_uri: String,
    /// `GOOGLE_CALENDAR_SCOPES`, separated by commas or spaces; `openid` and `email` are always added.
    pub scopes: Vec<String>,
    /// `GOOGLE_AUTHORIZE_URL`.
    pub authorize_url: String,
    /// `GOOGLE_TOKEN_URL`.
    pub token_url: String,
    /// `GOOGLE_REVOKE_URL`.
    pub revoke_url: String,
    /// `GOOGLE_CALENDAR_URL`, without a trailing slash.
    pub calendar_url: String,
    /// `GOOGLE_BATCH_URL`.
    pub batch_url: String,
    /// `GOOGLE_QUOTA_A_MINUTE`: the quota of the client's Google project, in units per minute.
    pub quota_a_minute: u32,
}

impl GoogleConfig {
    /// Whether Google sends browsers back over https.
    pub fn redirects_over_https(&self) -> bool {
        self.redirect_uri.starts_with("https:")
    }
}

/// Table names: `TABLE_<NAME>`, or the names of the specification.
#[derive(Debug, Clone)]
pub struct TableNames {
    /// `TABLE_CREDENTIALS`.
    pub credentials: String,
    /// `TABLE_MAPPINGS`.
    pub mappings: String,
    /// `TABLE_EXTERNAL_EVENTS`.
    pub external_events: String,
    /// `TABLE_SYNC_LOGS`.
    pub sync_logs: String,
    /// `TABLE_OAUTH_STATES`.
    pub oauth_states: String,
    /// `TABLE_GOOGLE_ACCOUNTS`.
    pub google_accounts: String,
    /// `TABLE_RATE_LIMITS`.
    pub rate_limits: String,
    /// `TABLE_ERASURES`.
    pub erasures: String,
    /// `TABLE_INSTRUCTORS`.
    pub instructors: String,
    /// `TABLE_LESSONS`.
    pub lessons: String,
}

/// Where Google sends push notifications.
#[derive(Debug, Clone)]
pub struct WebhookConfig {
    /// `WEBHOOK_URL`: the public HTTPS address of the webhook; `None` turns push off, and all calendars are polled.
    pub address: Option<String>,
}

/// The names of the claims that the API's authorizer has verified.
#[derive(Debug, Clone)]
pub struct ClaimNames {
    /// `CLAIM_TENANT`: the claim with the tenant's id.
    pub tenant: String,
    /// `CLAIM_INSTRUCTOR`: the claim with the instructor's id.
    pub instructor: String,
    /// `CLAIM_ROLE`: the claim with the role.
    pub role: String,
    /// `ADMIN_ROLE`: the role that may act for all instructors of the tenant.
    pub admin: String,
}

impl Config {
    pub fn from_env() -> Self {
        Self::from_vars(|name| std::env::var(name).ok())
    }

    pub fn from_vars(variable: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        Self { variable: Arc::new(variable) }
    }

    /// An optional variable; an empty one counts as absent.
    pub fn optional(&self, name: &str) -> Option<String> {
        (self.variable)(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
    }

    pub fn required(&self, name: &str) -> Result<String> {
        self.optional(name).ok_or_else(|| misconfigured(format!("{name} is not set")))
    }

    fn or(&self, name: &str, default: &str) -> String {
        self.optional(name).unwrap_or_else(|| default.to_owned())
    }

    fn url(&self, name: &str, default: Option<&str>) -> Result<String> {
        let value = match default {
            Some(default) => self.or(name, default),
            None => self.required(name)?,
        };
        let url: reqwest::Url =
            value.parse().map_err(|error| misconfigured(format!("{name} is not a URL ({error}): {value}")))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(misconfigured(format!("{name} is not an http or https URL: {value}")));
        }
        Ok(value.trim_end_matches('/').to_owned())
    }

    pub fn google(&self) -> Result<GoogleConfig> {
        let redirect_uri = self.required("GOOGLE_REDIRECT_URI")?;
        self.url("GOOGLE_REDIRECT_URI", None)?;
        Ok(GoogleConfig {
            client_id: self.required("GOOGLE_CLIENT_ID")?,
            redirect_uri, // unchanged: Google compares it character by character
            scopes: scopes(&self.or("GOOGLE_CALENDAR_SCOPES", "https://www.googleapis.com/auth/calendar.events"))?,
            authorize_url: self.url("GOOGLE_AUTHORIZE_URL", Some("https://accounts.google.com/o/oauth2/v2/auth"))?,
            token_url: self.url("GOOGLE_TOKEN_URL", Some("https://oauth2.googleapis.com/token"))?,
            revoke_url: self.url("GOOGLE_REVOKE_URL", Some("https://oauth2.googleapis.com/revoke"))?,
            calendar_url: self.url("GOOGLE_CALENDAR_URL", Some("https://www.googleapis.com/calendar/v3"))?,
            batch_url: self.url("GOOGLE_BATCH_URL", Some("https://www.googleapis.com/batch/calendar/v3"))?,
            quota_a_minute: self.quota_a_minute()?,
        })
    }

    fn quota_a_minute(&self) -> Result<u32> {
        let value = self.or("GOOGLE_QUOTA_A_MINUTE", "10000");
        value
            .parse()
            .ok()
            .filter(|units| *units > 0)
            .ok_or_else(|| misconfigured(format!("GOOGLE_QUOTA_A_MINUTE is not a number of units: {value}")))
    }

    /// `GOOGLE_CLIENT_SECRET`, where it is in the environment instead of Secrets Manager.
    pub fn google_client_secret(&self) -> Option<SecretString> {
        self.optional("GOOGLE_CLIENT_SECRET").map(SecretString::from)
    }

    pub fn tables(&self) -> TableNames {
        TableNames {
            credentials: self.or("TABLE_CREDENTIALS", "instructor_calendar_credentials"),
            mappings: self.or("TABLE_MAPPINGS", "calendar_event_mappings"),
            external_events: self.or("TABLE_EXTERNAL_EVENTS", "external_calendar_events"),
            sync_logs: self.or("TABLE_SYNC_LOGS", "calendar_sync_logs"),
            oauth_states: self.or("TABLE_OAUTH_STATES", "oauth_states"),
            google_accounts: self.or("TABLE_GOOGLE_ACCOUNTS", "google_accounts"),
            rate_limits: self.or("TABLE_RATE_LIMITS", "rate_limits"),
            erasures: self.or("TABLE_ERASURES", "erasures"),
            instructors: self.or("TABLE_INSTRUCTORS", "instructors"),
            lessons: self.or("TABLE_LESSONS", "lessons"),
        }
    }

    pub fn webhook(&self) -> Result<WebhookConfig> {
        let address = self.optional("WEBHOOK_URL").map(|_| self.url("WEBHOOK_URL", None)).transpose()?;
        Ok(WebhookConfig { address })
    }

    /// `FRONTEND_URL`: the page to which a browser returns after a login; return paths stay on its origin.
    pub fn frontend_url(&self) -> Result<String> {
        self.url("FRONTEND_URL", None)
    }

    pub fn claims(&self) -> ClaimNames {
        ClaimNames {
            tenant: self.or("CLAIM_TENANT", "tenant_id"),
            instructor: self.or("CLAIM_INSTRUCTOR", "instructor_id"),
            role: self.or("CLAIM_ROLE", "role"),
            admin: self.or("ADMIN_ROLE", "admin"),
        }
    }

    /// `SYNC_QUEUE_URL`: the queue of the sync worker.
    pub fn sync_queue_url(&self) -> Result<String> {
        self.url("SYNC_QUEUE_URL", None)
    }

    /// `FEED_DEAD_LETTERS_URL`: the queue for messages of the lesson feed that are refused.
    pub fn feed_dead_letters_url(&self) -> Result<String> {
        self.url("FEED_DEAD_LETTERS_URL", None)
    }

    /// `FIRST_SYNC_QUEUE_URL`: the queue of first syncs, for functions that send to it.
    pub fn first_sync_queue_url(&self) -> Result<Option<String>> {
        let name = "FIRST_SYNC_QUEUE_URL";
        self.optional(name).map(|_| self.url(name, None)).transpose()
    }

    /// `EVENT_BUS_NAME`: the bus that notices go to.
    pub fn event_bus(&self) -> Result<String> {
        self.required("EVENT_BUS_NAME")
    }

    /// `KMS_KEY_ID`: the key under which data keys are made.
    pub fn kms_key(&self) -> Result<String> {
        self.required("KMS_KEY_ID")
    }

    /// `SECRET_ID`: the secret with the client secret and the webhook keys.
    pub fn secret_id(&self) -> Result<String> {
        self.required("SECRET_ID")
    }
}

fn scopes(text: &str) -> Result<Vec<String>> {
    let mut scopes: Vec<String> =
        text.split([',', ' ']).map(str::trim).filter(|scope| !scope.is_empty()).map(str::to_owned).collect();
    if let Some(bad) = scopes.iter().find(|scope| !scope.starts_with("https://www.googleapis.com/auth/calendar")) {
        return Err(misconfigured(format!("GOOGLE_CALENDAR_SCOPES names what is no calendar scope: {bad}")));
    }
    scopes.extend(["openid", "email"].map(str::to_owned));
    Ok(scopes)
}

fn misconfigured(text: String) -> Error {
    Error::new(ErrorKind::Internal, "misconfigured", text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(variables: &'static [(&'static str, &'static str)]) -> Config {
        Config::from_vars(move |name| {
            variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn scopes_come_separated_by_commas_or_spaces_and_openid_and_email_are_added() {
        let google = config(&[
            ("GOOGLE_CLIENT_ID", "id"),
            ("GOOGLE_REDIRECT_URI", "http://localhost:3000/api/v1/calendar/oauth/callback"),
            (
                "GOOGLE_CALENDAR_SCOPES",
                "https://www.googleapis.com/auth/calendar, https://www.googleapis.com/auth/calendar.events",
            ),
        ])
        .google()
        .unwrap();
        assert_eq!(
            google.scopes,
            [
                "https://www.googleapis.com/auth/calendar",
                "https://www.googleapis.com/auth/calendar.events",
                "openid",
                "email"
            ]
        );
    }

    #[test]
    fn an_error_names_the_variable_that_is_missing_or_malformed() {
        let missing = config(&[("GOOGLE_CLIENT_ID", "id")]).google().unwrap_err();
        assert_eq!(missing.message(), "GOOGLE_REDIRECT_URI is not set");
        let malformed = config(&[("FRONTEND_URL", "localhost")]).frontend_url().unwrap_err();
        assert!(malformed.message().starts_with("FRONTEND_URL is not"), "{malformed}");
        let quota = config(&[
            ("GOOGLE_CLIENT_ID", "id"),
            ("GOOGLE_REDIRECT_URI", "http://localhost/cb"),
            ("GOOGLE_QUOTA_A_MINUTE", "0"),
        ]);
        let quota = quota.google().unwrap_err();
        assert!(quota.message().starts_with("GOOGLE_QUOTA_A_MINUTE is not"), "{quota}");
        let scope = config(&[
            ("GOOGLE_CLIENT_ID", "id"),
            ("GOOGLE_REDIRECT_URI", "http://localhost/cb"),
            ("GOOGLE_CALENDAR_SCOPES", "calendar"),
        ]);
        assert!(scope.google().unwrap_err().message().contains("GOOGLE_CALENDAR_SCOPES"));
    }
}
