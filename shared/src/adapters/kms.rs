//! The token vault: envelope encryption with data keys of KMS.
//!
//! A sealed secret carries its encrypted data key, so that KMS alone is needed to open it:
//!
//! ```text
//! version 1 │ data key made at 8 │ length 2 │ encrypted data key │ nonce 12 │ ciphertext and tag
//! ```
//!
//! The tenant is the KMS encryption context, the key of the cipher is derived from the data key and the instructor, and
//! both ids and the header are associated data: what was sealed for one connection opens for no other.

mod key_cache;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use aes_gcm::{
    Aes256Gcm, KeyInit, Nonce,
    aead::{Aead, Payload},
};
use async_trait::async_trait;
use aws_sdk_kms::{Client, primitives::Blob, types::DataKeySpec};
use chrono::{DateTime, Utc};
use data_encoding::BASE64URL_NOPAD;
use hkdf::Hkdf;
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use zeroize::Zeroizing;

use self::key_cache::KeyCache;
pub use self::key_cache::{MAX_AGE_IN_MEMORY, MAX_KEYS};
use crate::{
    Error, Result,
    model::{ConnectionKey, SealedSecret, TenantId},
    ports::{Clock, Random, TokenVault},
};

const VERSION: u8 = 1;
const HEADER_BYTES: usize = 1 + 8 + 2;
const NONCE_BYTES: usize = 12;
const KEY_BYTES: usize = 32;
const DERIVATION: &[u8] = b"calendar-sync connection key v1";

pub(crate) struct DataKey {
    tenant: TenantId,
    plain: Zeroizing<[u8; KEY_BYTES]>,
    encrypted: Vec<u8>,
    made_at: DateTime<Utc>,
}

pub struct KmsVault {
    client: Client,
    key_id: String,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    cache: Mutex<KeyCache>,
}

impl KmsVault {
    /// Makes data keys under the KMS key `key_id`.
    pub fn new(client: Client, key_id: String, clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> Self {
        Self { client, key_id, clock, random, cache: Mutex::default() }
    }

    fn cached<T>(&self, use_it: impl FnOnce(&mut KeyCache) -> T) -> T {
        use_it(&mut self.cache.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The data key for new secrets of a tenant.
    async fn sealing_key(&self, tenant: TenantId) -> Result<Arc<DataKey>> {
        let now = self.clock.now();
        if let Some(key) = self.cached(|cache| cache.for_sealing(tenant, now, self.random.jitter())) {
            return Ok(key);
        }
        let made = self
            .client
            .generate_data_key()
            .key_id(&self.key_id)
            .key_spec(DataKeySpec::Aes256)
            .set_encryption_context(Some(context(tenant)))
            .send()
            .await
            .map_err(|error| Error::unavailable("kms_unavailable", error))?;
        let encrypted = made.ciphertext_blob.map(Blob::into_inner).unwrap_or_default();
        let key = DataKey { tenant, plain: plain(made.plaintext)?, encrypted, made_at: now };
        Ok(self.cached(|cache| cache.insert(key, now)))
    }

    /// The data key that a secret of a tenant was sealed with.
    async fn opening_key(&self, tenant: TenantId, encrypted: &[u8], made_at: DateTime<Utc>) -> Result<Arc<DataKey>> {
        let now = self.clock.now();
        if let Some(key) = self.cached(|cache| cache.for_opening(tenant, encrypted, now)) {
            return Ok(key);
        }
        let opened = self
            .client
            .decrypt()
            .key_id(&self.key_id)
            .ciphertext_blob(Blob::new(encrypted))
            .set_encryption_context(Some(context(tenant)))
            .send()
            .await
            .map_err(|error| match error.as_service_error() {
                Some(refused) if refused.is_invalid_ciphertext_exception() => unreadable(),
                _ => Error::unavailable("kms_unavailable", error),
            })?;
        let key = DataKey { tenant, plain: plain(opened.plaintext)?, encrypted: encrypted.to_vec(), made_at };
        Ok(self.cached(|cache| cache.insert(key, now)))
    }
}

#[async_trait]
impl TokenVault for KmsVault {
    async fn seal(&self, key: ConnectionKey, secret: &SecretString) -> Result<SealedSecret> {
        let data_key = self.sealing_key(key.tenant_id).await?;
        let mut nonce = [0; NONCE_BYTES];
        self.random.fill(&mut nonce);
        seal(&data_key, key, nonce, secret.expose_secret())
    }

    async fn open(&self, key: ConnectionKey, sealed: &SealedSecret) -> Result<SecretString> {
        let bytes = BASE64URL_NOPAD.decode(sealed.0.as_bytes()).map_err(|_| unreadable())?;
        let sealed = Sealed::read(&bytes).ok_or_else(unreadable)?;
        let data_key = self.opening_key(key.tenant_id, sealed.encrypted_key, sealed.made_at).await?;
        sealed.open(&data_key, key)
    }

    fn is_stale(&self, sealed: &SealedSecret) -> bool {
        let bytes = BASE64URL_NOPAD.decode(sealed.0.as_bytes()).unwrap_or_default();
        Sealed::read(&bytes).is_some_and(|sealed| key_cache::is_replaced(sealed.made_at, self.clock.now()))
    }
}

struct Sealed<'a> {
    header: &'a [u8],
    made_at: DateTime<Utc>,
    encrypted_key: &'a [u8],
    nonce: [u8; NONCE_BYTES],
    ciphertext: &'a [u8],
}

impl<'a> Sealed<'a> {
    fn read(bytes: &'a [u8]) -> Option<Self> {
        let (fixed, _) = bytes.split_at_checked(HEADER_BYTES)?;
        let (version, rest) = fixed.split_first()?;
        let (made_at, length) = rest.split_first_chunk::<8>()?;
        let length = usize::from(u16::from_be_bytes(length.try_into().ok()?));
        let (header, rest) = bytes.split_at_checked(HEADER_BYTES + length)?;
        let (nonce, ciphertext) = rest.split_first_chunk::<NONCE_BYTES>()?;
        (*version == VERSION).then_some(Self {
            header,
            made_at: DateTime::from_timestamp(i64::from_be_bytes(*made_at), 0)?,
            encrypted_key: header.get(HEADER_BYTES..)?,
            nonce: *nonce,
            ciphertext,
        })
    }

    fn open(&self, data_key: &DataKey, key: ConnectionKey) -> Result<SecretString> {
        let payload = Payload { msg: self.ciphertext, aad: &associated_data(self.header, key) };
        let plain = cipher(data_key, key)?.decrypt(&Nonce::from(self.nonce), payload).map_err(|_| unreadable())?;
        Ok(String::from_utf8(plain).map_err(|_| unreadable())?.into())
    }
}

fn seal(data_key: &DataKey, key: ConnectionKey, nonce: [u8; NONCE_BYTES], secret: &str) -> Result<SealedSecret> {
    let length = u16::try_from(data_key.encrypted.len()).map_err(Error::internal)?;
    let mut bytes = vec![VERSION];
    bytes.extend(data_key.made_at.timestamp().to_be_bytes());
    bytes.extend(length.to_be_bytes());
    bytes.extend(&data_key.encrypted);
    let payload = Payload { msg: secret.as_bytes(), aad: &associated_data(&bytes, key) };
    let ciphertext = cipher(data_key, key)?.encrypt(&Nonce::from(nonce), payload).map_err(|_| unreadable())?;
    bytes.extend(nonce);
    bytes.extend(ciphertext);
    Ok(SealedSecret(BASE64URL_NOPAD.encode(&bytes)))
}

/// The cipher with the connection's own key. The data key is uniformly random, so HKDF needs no extraction (RFC 5869,
/// section 3.3).
fn cipher(data_key: &DataKey, key: ConnectionKey) -> Result<Aes256Gcm> {
    let mut derived = Zeroizing::new([0; KEY_BYTES]);
    let hkdf = Hkdf::<Sha256>::from_prk(&*data_key.plain).map_err(|error| Error::internal(error.to_string()))?;
    hkdf.expand_multi_info(&[DERIVATION, key.instructor_id.0.as_bytes()], &mut *derived)
        .map_err(|error| Error::internal(error.to_string()))?;
    Aes256Gcm::new_from_slice(&*derived).map_err(|error| Error::internal(error.to_string()))
}

fn associated_data(header: &[u8], key: ConnectionKey) -> Vec<u8> {
    [header, key.tenant_id.0.as_bytes(), key.instructor_id.0.as_bytes()].concat()
}

fn context(tenant: TenantId) -> HashMap<String, String> {
    HashMap::from([("tenant_id".to_owned(), tenant.to_string())])
}

fn plain(blob: Option<Blob>) -> Result<Zeroizing<[u8; KEY_BYTES]>> {
    let bytes = Zeroizing::new(blob.map(Blob::into_inner).unwrap_or_default());
    let key: [u8; KEY_BYTES] =
        bytes.as_slice().try_into().map_err(|_| Error::internal("KMS gave a data key of another length"))?;
    Ok(Zeroizing::new(key))
}

fn unreadable() -> Error {
    Error::internal("a sealed secret does not open")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::key;

    const NONCE: [u8; NONCE_BYTES] = [7; NONCE_BYTES];

    fn data_key(tenant: u128) -> DataKey {
        let plain = Zeroizing::new([9; KEY_BYTES]);
        DataKey { tenant: key(tenant, 0).tenant_id, plain, encrypted: vec![5; 184], made_at: DateTime::UNIX_EPOCH }
    }
    fn bytes(sealed: &SealedSecret) -> Vec<u8> {
        BASE64URL_NOPAD.decode(sealed.0.as_bytes()).unwrap()
    }
    fn opened(bytes: &[u8], key: ConnectionKey) -> Option<String> {
        let secret = Sealed::read(bytes)?.open(&data_key(1), key).ok()?;
        Some(secret.expose_secret().to_owned())
    }

    #[test]
    fn what_is_sealed_for_a_connection_opens_for_it_alone() {
        let sealed = bytes(&seal(&data_key(1), key(1, 2), NONCE, "a token").unwrap());
        assert_eq!(opened(&sealed, key(1, 2)).as_deref(), Some("a token"));
        assert_eq!(opened(&sealed, key(1, 3)), None);
        // Also where KMS would decrypt the data key.
        assert_eq!(opened(&sealed, key(2, 2)), None);
    }

    #[test]
    fn a_sealed_secret_with_any_byte_changed_does_not_open() {
        let sealed = bytes(&seal(&data_key(1), key(1, 2), NONCE, "a token").unwrap());
        for at in 0..sealed.len() {
            let mut bent = sealed.clone();
            bent[at] ^= 1;
            assert_eq!(opened(&bent, key(1, 2)), None, "byte {at}");
            assert_eq!(opened(&sealed[..at], key(1, 2)), None, "cut to {at}");
        }
    }

    #[test]
    fn a_sealed_secret_shows_nothing_of_the_secret_or_the_key() {
        let sealed = bytes(&seal(&data_key(1), key(1, 2), NONCE, "a token").unwrap());
        assert!(!sealed.windows(5).any(|window| window == b"token"));
        assert!(!sealed.windows(KEY_BYTES).any(|window| window == [9; KEY_BYTES]));
        let other = bytes(&seal(&data_key(1), key(1, 3), NONCE, "a token").unwrap());
        assert_ne!(sealed, other, "each connection has a key of its own");
    }

    #[test]
    fn the_moment_at_which_the_data_key_was_made_travels_along() {
        let made_at = DateTime::from_timestamp(1_772_352_000, 0).unwrap();
        let sealed = bytes(&seal(&DataKey { made_at, ..data_key(1) }, key(1, 2), NONCE, "a token").unwrap());
        assert_eq!(Sealed::read(&sealed).unwrap().made_at, made_at);
    }
}
