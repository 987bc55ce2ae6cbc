//! Logins in progress.

use async_trait::async_trait;

use crate::{Result, model::OAuthState};

/// What a login that comes back is compared with.
#[async_trait]
pub trait LoginStore: Send + Sync {
    async fn put_oauth_state(&self, state: &OAuthState) -> Result<()>;
    /// Without taking it.
    async fn oauth_state(&self, state: &str) -> Result<Option<OAuthState>>;
    /// Removes a login and returns it, to one caller only. The caller checks whether it has expired: rows outlive their
    /// expiry by days.
    async fn take_oauth_state(&self, state: &str) -> Result<Option<OAuthState>>;
}
