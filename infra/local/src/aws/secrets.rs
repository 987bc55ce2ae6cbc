//! Secrets Manager: secrets under their names.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{ACCOUNT, Fault, REGION, wire};

/// Secrets by name.
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
    /// The account's secrets, each under its name.
    pub fn new(secrets: impl IntoIterator<Item = (String, String)>) -> Self {
        Self(secrets.into_iter().collect())
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
