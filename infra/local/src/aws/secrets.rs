//! Secrets Manager: named secrets in one private file, random on the first run.

use std::{collections::BTreeMap, path::Path};

use anyhow::Context as _;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{ACCOUNT, Fault, REGION, wire};
use crate::private_file;

/// Secrets by name.
#[derive(Default)]
pub struct Secrets(BTreeMap<String, String>);

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GetSecretValue {
    secret_id: String,
}

impl Secrets {
    /// Reads the secrets kept in `file`, or keeps what `make` gives on the first run.
    pub fn open(file: &Path, make: impl FnOnce() -> BTreeMap<String, String>) -> anyhow::Result<Self> {
        let text = private_file::read_or_create(file, || json!(make()).to_string())?;
        let secrets =
            serde_json::from_str(&text).with_context(|| format!("{} is no map of names to secrets", file.display()))?;
        Ok(Self(secrets))
    }

    /// Answers one operation.
    pub fn call(&self, operation: &str, body: &[u8]) -> Result<Value, Fault> {
        if operation != "GetSecretValue" {
            return Err(Fault::unknown_operation(operation));
        }
        let GetSecretValue { secret_id } = wire::input(body)?;
        let secret = self.0.get(&secret_id).ok_or_else(|| {
            Fault::new("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
        })?;
        Ok(json!({
            "ARN": format!("arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:{secret_id}"),
            "Name": secret_id,
            "SecretString": secret,
            "VersionStages": ["AWSCURRENT"],
        }))
    }
}
