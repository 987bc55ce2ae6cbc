//! Logins in progress and the tokens that they end in.

use chrono::{DateTime, Utc};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::{ConnectionKey, GoogleAccount};

/// A secret that only [`crate::ports::TokenVault`] can open: base64 text, safe to store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SealedSecret(pub String);

/// Tokens as they are stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedTokens {
    /// The sealed access token.
    pub google_access_token: SealedSecret,
    /// The sealed refresh token.
    pub google_refresh_token: SealedSecret,
    /// When the access token ends.
    pub google_token_expiry: DateTime<Utc>,
}

/// Tokens in the open, for as long as a call lasts.
#[derive(Debug, Clone)]
pub struct CalendarOAuthTokens {
    /// What calls carry.
    pub access_token: SecretString,
    /// What new access tokens are asked with.
    pub refresh_token: SecretString,
    /// When the access token ends.
    pub expires_at: DateTime<Utc>,
}

/// What a completed login brings: the input from which a connection is made.
#[derive(Debug, Clone)]
pub struct CreateCalendarCredentials {
    /// Whose connection it becomes.
    pub key: ConnectionKey,
    /// Which account it is.
    pub google_account: GoogleAccount,
    /// The tokens.
    pub tokens: CalendarOAuthTokens,
    /// The scopes that were granted.
    pub granted_scopes: Vec<String>,
}

/// A login that began and has not come back yet: a row of `oauth_states`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OAuthState {
    /// 256 random bits, base64url; the key of the row.
    pub state: String,
    /// Whose connection it is to become.
    pub key: ConnectionKey,
    /// The PKCE verifier, sealed.
    pub verifier: SealedSecret,
    /// SHA-256 (base64url) of the cookie that the browser got that began the login.
    pub browser: String,
    /// Who began it: the caller's user id.
    pub began_by: String,
    /// Where on the frontend the browser returns to.
    pub return_path: String,
    /// Whether the instructor confirmed that another Google account may take the place of the present one.
    pub replace_account: bool,
    /// Ten minutes after it began.
    pub expires_at: DateTime<Utc>,
}
