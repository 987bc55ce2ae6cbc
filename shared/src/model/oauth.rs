//! Logins in progress, and the tokens that they end with.

use std::fmt;

use chrono::{DateTime, Utc};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::{ConnectionKey, Person};

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GoogleAccount {
    /// Google's stable id of the account.
    pub sub: String,
    /// The account's address, for display only.
    pub email: Option<String>,
}

impl fmt::Debug for GoogleAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GoogleAccount([redacted])")
    }
}

/// A secret that only [`crate::ports::TokenVault`] can open: base64 text, safe to store.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SealedSecret(pub String);

impl fmt::Debug for SealedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealedSecret([redacted])")
    }
}

/// Tokens as they are stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedTokens {
    pub google_access_token: SealedSecret,
    pub google_refresh_token: SealedSecret,
    /// When the access token expires.
    pub google_token_expiry: DateTime<Utc>,
}

/// Plaintext tokens, in memory for the duration of a call.
#[derive(Debug, Clone)]
pub struct CalendarOAuthTokens {
    pub access_token: SecretString,
    pub refresh_token: SecretString,
    /// When the access token expires.
    pub expires_at: DateTime<Utc>,
}

/// The result of a completed login, from which a connection is made.
#[derive(Debug, Clone)]
pub struct CreateCalendarCredentials {
    pub key: ConnectionKey,
    pub google_account: GoogleAccount,
    pub tokens: CalendarOAuthTokens,
    pub granted_scopes: Vec<String>,
}

/// A login in progress: a row of `oauth_states`.
#[derive(Clone, PartialEq, Eq)]
pub struct OAuthState {
    /// 256 random bits, base64url; the key of the row.
    pub state: String,
    pub key: ConnectionKey,
    /// The PKCE verifier, sealed.
    pub verifier: SealedSecret,
    /// SHA-256 (base64url) of the cookie that the browser got that began the login.
    pub browser: String,
    pub began_by: Person,
    /// Where on the frontend the browser returns to.
    pub return_path: String,
    /// Whether the instructor confirmed that another Google account may replace the present one.
    pub replace_account: bool,
    /// Ten minutes after the login began.
    pub expires_at: DateTime<Utc>,
}

impl fmt::Debug for OAuthState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OAuthState").field("key", &self.key).finish_non_exhaustive()
    }
}
