//! Seals secrets for one connection and opens them again.

use async_trait::async_trait;
use secrecy::SecretString;

use crate::{
    Result,
    model::{ConnectionKey, SealedSecret},
};

/// Envelope encryption bound to tenant and instructor (design rule S1).
#[async_trait]
pub trait TokenVault: Send + Sync {
    /// Seals `secret` for `key`.
    async fn seal(&self, key: ConnectionKey, secret: &SecretString) -> Result<SealedSecret>;
    /// Opens what was sealed for `key`; anything else fails.
    async fn open(&self, key: ConnectionKey, sealed: &SealedSecret) -> Result<SecretString>;
    /// Whether `sealed` is to be sealed anew: its data key is too old to seal.
    fn is_stale(&self, sealed: &SealedSecret) -> bool;
}
