//! Google's sign-in: consent, tokens, revocation.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use secrecy::SecretString;

use super::Refusal;
use crate::model::{CalendarOAuthTokens, GoogleAccount};

#[derive(Debug, Clone)]
pub struct GrantedTokens {
    /// With a refresh token only where Google showed the consent screen.
    pub tokens: IssuedTokens,
    /// The scopes that the person granted, in any order.
    pub scopes: Vec<String>,
    pub account: GoogleAccount,
}

/// Tokens as the token endpoint issues them.
#[derive(Debug, Clone)]
pub struct IssuedTokens {
    pub access_token: SecretString,
    pub expires_at: DateTime<Utc>,
    /// After a refresh: the successor of the used token, where the server rotates them (RFC 6749, section 6). Google
    /// does not.
    pub refresh_token: Option<SecretString>,
}

/// Why Google's token endpoint issued no token.
#[derive(Debug, Clone, thiserror::Error)]
pub enum LoginError {
    /// The code or the refresh token is invalid or expired: the instructor has to connect again.
    #[error("the grant is not valid: {0}")]
    Withdrawn(Refusal),
    /// Google refuses our OAuth client, for all accounts: the operator has to repair it.
    #[error("Google refuses this application: {0}")]
    ClientRefused(Refusal),
    /// The answer names no account, or not in a verifiable way.
    #[error("no account: {0}")]
    NoAccount(&'static str),
    /// A transient failure.
    #[error("unavailable: {0}")]
    Unavailable(String),
}

/// Google's OAuth 2.0 endpoints, for one OAuth client.
#[async_trait]
pub trait Login: Send + Sync {
    /// The address of the consent screen: offline access, PKCE S256.
    fn authorize_url(&self, state: &str, pkce_verifier: &SecretString) -> String;
    /// The scopes that [`Self::authorize_url`] asks for; a connection needs all of them.
    fn required_scopes(&self) -> &[String];
    fn client_id(&self) -> &str;
    async fn exchange(
        &self,
        code: &SecretString,
        pkce_verifier: &SecretString,
        now: DateTime<Utc>,
    ) -> Result<GrantedTokens, LoginError>;
    async fn refresh(&self, refresh_token: &SecretString, now: DateTime<Utc>) -> Result<IssuedTokens, LoginError>;
    /// Withdraws the grant: all tokens that this account gave to the Google project become invalid.
    async fn revoke(&self, tokens: &CalendarOAuthTokens) -> Result<(), LoginError>;
}
