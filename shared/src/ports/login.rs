//! Google's sign-in: consent, tokens, revocation.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use secrecy::SecretString;

use super::Refusal;
use crate::model::{CalendarOAuthTokens, GoogleAccount};

/// What a login brought.
#[derive(Debug, Clone)]
pub struct GrantedTokens {
    /// The tokens. There is a refresh token only where Google showed the consent screen.
    pub tokens: IssuedTokens,
    /// The scopes that the person granted, in any order.
    pub scopes: Vec<String>,
    /// Which account it is.
    pub account: GoogleAccount,
}

/// What the token endpoint issued.
#[derive(Debug, Clone)]
pub struct IssuedTokens {
    /// What calls carry.
    pub access_token: SecretString,
    /// When the access token ends.
    pub expires_at: DateTime<Utc>,
    /// Of a refresh: the token that takes the place of the one that was used, where the server rotates them (RFC
    /// 6749, section 6). Google does not.
    pub refresh_token: Option<SecretString>,
}

/// Why Google's token endpoint gave no token.
#[derive(Debug, Clone, thiserror::Error)]
pub enum LoginError {
    /// The code or the refresh token is not, or no longer, good. Only the person can mend it.
    #[error("the grant is not valid: {0}")]
    Withdrawn(Refusal),
    /// Google refuses our OAuth client, whoever logs in. Only the operator can mend it.
    #[error("Google refuses this application: {0}")]
    ClientRefused(Refusal),
    /// The answer names no account that can be trusted.
    #[error("no account: {0}")]
    NoAccount(&'static str),
    /// A passing failure.
    #[error("unavailable: {0}")]
    Unavailable(String),
}

/// Google's OAuth 2.0 endpoints, for one OAuth client.
#[async_trait]
pub trait Login: Send + Sync {
    /// Where to send the browser: asks for offline access, shows the consent screen, uses PKCE S256.
    fn authorize_url(&self, state: &str, pkce_verifier: &SecretString) -> String;
    /// The scopes that [`Self::authorize_url`] asks for and that a connection cannot work without.
    fn required_scopes(&self) -> &[String];
    /// The OAuth client's id.
    fn client_id(&self) -> &str;
    /// Exchanges an authorization code.
    async fn exchange(
        &self,
        code: &SecretString,
        pkce_verifier: &SecretString,
        now: DateTime<Utc>,
    ) -> Result<GrantedTokens, LoginError>;
    /// Asks for a new access token.
    async fn refresh(&self, refresh_token: &SecretString, now: DateTime<Utc>) -> Result<IssuedTokens, LoginError>;
    /// Withdraws the grant: all tokens that this account gave to the Google project.
    async fn revoke(&self, tokens: &CalendarOAuthTokens) -> Result<(), LoginError>;
}
