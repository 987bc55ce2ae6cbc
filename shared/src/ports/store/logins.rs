//! Logins in progress.

use async_trait::async_trait;

use crate::{Result, model::OAuthState};

/// What a login that comes back is compared with.
#[async_trait]
pub trait LoginStore: Send + Sync {
    /// Stores a login that begins.
    async fn put_oauth_state(&self, state: &OAuthState) -> Result<()>;
    /// A login in progress, without using it up.
    async fn oauth_state(&self, state: &str) -> Result<Option<OAuthState>>;
    /// Takes a login out: only one caller ever gets it. Whether it has expired is the caller's to see, whose clock
    /// it is; rows outlive their expiry by days.
    async fn take_oauth_state(&self, state: &str) -> Result<Option<OAuthState>>;
}
