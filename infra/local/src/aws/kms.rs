//! KMS: one symmetric key, kept in a file, that encrypts under an encryption context.
//!
//! <https://docs.aws.amazon.com/kms/latest/APIReference/API_GenerateDataKey.html>

use std::{collections::BTreeMap, path::Path};

use aes_gcm::{
    Aes256Gcm, Nonce,
    aead::{Aead, Generate, Key, KeyInit, Payload},
};
use anyhow::{Context as _, anyhow};
use data_encoding::{BASE64, HEXLOWER};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{ACCOUNT, Fault, REGION, wire};
use crate::private_file;

const NONCE_BYTES: usize = 12;

/// The one key of this account.
pub struct Kms {
    cipher: Aes256Gcm,
}

impl std::fmt::Debug for Kms {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Kms")
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GenerateDataKey {
    key_id: String,
    key_spec: Option<String>,
    #[serde(default)]
    encryption_context: Context,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Encrypt {
    key_id: String,
    plaintext: String,
    #[serde(default)]
    encryption_context: Context,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Decrypt {
    key_id: Option<String>,
    ciphertext_blob: String,
    #[serde(default)]
    encryption_context: Context,
}

/// Sorted, since the order of the pairs does not matter to KMS.
type Context = BTreeMap<String, String>;

impl Kms {
    /// The name by which callers ask for the key.
    pub const KEY_ALIAS: &str = "alias/calendar-sync";

    /// Reads the key, or makes it on the first run.
    pub fn open(file: &Path) -> anyhow::Result<Self> {
        let text = private_file::read_or_create(file, || HEXLOWER.encode(&Key::<Aes256Gcm>::generate()))?;
        let bytes = HEXLOWER.decode(text.trim().as_bytes())?;
        let cipher = Aes256Gcm::new_from_slice(&bytes)
            .map_err(|_| anyhow!("it holds no 256-bit key"))
            .with_context(|| format!("reading {}", file.display()))?;
        Ok(Self { cipher })
    }

    pub fn key_arn() -> String {
        format!("arn:aws:kms:{REGION}:{ACCOUNT}:{}", Self::KEY_ALIAS)
    }

    pub fn call(&self, operation: &str, body: &[u8]) -> Result<Value, Fault> {
        match operation {
            "GenerateDataKey" => {
                let input: GenerateDataKey = wire::input(body)?;
                known_key(&input.key_id)?;
                if input.key_spec.as_deref() != Some("AES_256") {
                    return Err(Fault::new("ValidationException", "KeySpec must be AES_256"));
                }
                let plaintext = Key::<Aes256Gcm>::generate();
                let blob = self.seal(&plaintext, &input.encryption_context)?;
                Ok(json!({
                    "KeyId": Self::key_arn(),
                    "Plaintext": BASE64.encode(&plaintext),
                    "CiphertextBlob": BASE64.encode(&blob),
                }))
            }
            "Encrypt" => {
                let input: Encrypt = wire::input(body)?;
                known_key(&input.key_id)?;
                let blob = self.seal(&base64(&input.plaintext)?, &input.encryption_context)?;
                Ok(json!({
                    "KeyId": Self::key_arn(),
                    "CiphertextBlob": BASE64.encode(&blob),
                    "EncryptionAlgorithm": "SYMMETRIC_DEFAULT",
                }))
            }
            "Decrypt" => {
                let input: Decrypt = wire::input(body)?;
                input.key_id.as_deref().map_or(Ok(()), known_key)?;
                let plaintext = self.open_sealed(&base64(&input.ciphertext_blob)?, &input.encryption_context)?;
                Ok(json!({
                    "KeyId": Self::key_arn(),
                    "Plaintext": BASE64.encode(&plaintext),
                    "EncryptionAlgorithm": "SYMMETRIC_DEFAULT",
                }))
            }
            _ => Err(Fault::unknown_operation(operation)),
        }
    }

    fn seal(&self, plaintext: &[u8], context: &Context) -> Result<Vec<u8>, Fault> {
        let nonce = Nonce::generate();
        let aad = associated_data(context)?;
        let payload = Payload { msg: plaintext, aad: &aad };
        let sealed = self
            .cipher
            .encrypt(&nonce, payload)
            .map_err(|_| Fault::new("ValidationException", "plaintext too long"))?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    fn open_sealed(&self, blob: &[u8], context: &Context) -> Result<Vec<u8>, Fault> {
        let refused = || Fault::new("InvalidCiphertextException", "");
        let (nonce, sealed) = blob.split_at_checked(NONCE_BYTES).ok_or_else(refused)?;
        let nonce = Nonce::try_from(nonce).map_err(|_| refused())?;
        let aad = associated_data(context)?;
        let payload = Payload { msg: sealed, aad: &aad };
        self.cipher.decrypt(&nonce, payload).map_err(|_| refused())
    }
}

fn known_key(id: &str) -> Result<(), Fault> {
    if id == Kms::KEY_ALIAS || id == Kms::key_arn() {
        Ok(())
    } else {
        Err(Fault::new("NotFoundException", format!("key `{id}` does not exist")))
    }
}

fn base64(text: &str) -> Result<Vec<u8>, Fault> {
    BASE64.decode(text.as_bytes()).map_err(|error| Fault::new("SerializationException", error.to_string()))
}

fn associated_data(context: &Context) -> Result<Vec<u8>, Fault> {
    serde_json::to_vec(context).map_err(|error| Fault::new("SerializationException", error.to_string()))
}
