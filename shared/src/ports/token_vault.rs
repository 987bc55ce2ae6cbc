//! Seals the secrets of one connection and opens them again.

use async_trait::async_trait;
use secrecy::SecretString;

use crate::{
    Result,
    model::{ConnectionKey, SealedSecret},
};

/// Envelope encryption; each secret is bound to its tenant and instructor.
#[async_trait]
pub trait TokenVault: Send + Sync {
    async fn seal(&self, key: ConnectionKey, secret: &SecretString) -> Result<SealedSecret>;
    /// Opens a secret that was sealed for `key`. Fails for any other key.
    async fn open(&self, key: ConnectionKey, sealed: &SealedSecret) -> Result<SecretString>;
    /// Whether `sealed` should be sealed anew, since its data key is too old to seal.
    fn is_stale(&self, sealed: &SealedSecret) -> bool;
}
