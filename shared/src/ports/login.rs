//! Google's sign-in: consent, tokens, revocation.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use secrecy::SecretString;

use crate::model::{CalendarOAuthTokens, GoogleAccount};

/// What a login brought.
#[derive(Debug, Clone)]
pub struct GrantedTokens {
    /// The access token and when it ends.
    pub access: RefreshedToken,
    /// `None` when Google did not show the consent screen and so gives none.
    pub refresh_token: Option<SecretString>,
    /// The scopes that the person granted, in any order.
    pub scopes: Vec<String>,
    /// Which account it is.
    pub account: GoogleAccount,
}

/// A new access token.
#[derive(Debug, Clone)]
pub struct RefreshedToken {
    /// What calls carry.
    pub access_token: SecretString,
    /// When it ends.
    pub expires_at: DateTime<Utc>,
}

/// How Google's token endpoint refuses.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// `invalid_grant`: the code or the refresh token is not, or no longer, good. Only a person can mend it.
    #[error("the grant is not valid")]
    InvalidGrant,
    /// Google refuses for another reason that trying again does not change (a wrong client secret, say).
    #[error("refused: {0}")]
    Refused(String),
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
    async fn refresh(&self, refresh_token: &SecretString, now: DateTime<Utc>) -> Result<RefreshedToken, LoginError>;
    /// Withdraws the grant: all tokens that this account gave to the Google project.
    async fn revoke(&self, tokens: &CalendarOAuthTokens) -> Result<(), LoginError>;
}
