//! Secrets Manager: secrets under their names.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use serde::Deserialize;
use serde_json::{Value, json};

use super::{ACCOUNT, Fault, REGION, wire};

pub struct Secrets(Mutex<BTreeMap<String, String>>);

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.all().keys()).finish()
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GetSecretValue {
    secret_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PutSecretValue {
    secret_id: String,
    secret_string: String,
}

impl Secrets {
    /// The account's secrets, each under its name.
    pub fn new(secrets: impl IntoIterator<Item = (String, String)>) -> Self {
        Self(Mutex::new(secrets.into_iter().collect()))
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<String, String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn call(&self, operation: &str, body: &[u8]) -> Result<Value, Fault> {
        let unknown = || Fault::new("ResourceNotFoundException", "Secrets Manager can't find the specified secret.");
        let answer = |name: &str| {
            json!({
                "ARN": format!("arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:{name}"),
                "Name": name,
                "VersionStages": ["AWSCURRENT"],
            })
        };
        match operation {
            "GetSecretValue" => {
                let GetSecretValue { secret_id } = wire::input(body)?;
                let mut value = answer(&secret_id);
                value["SecretString"] = json!(self.all().get(&secret_id).ok_or_else(unknown)?);
                Ok(value)
            }
            "PutSecretValue" => {
                let PutSecretValue { secret_id, secret_string } = wire::input(body)?;
                *self.all().get_mut(&secret_id).ok_or_else(unknown)? = secret_string;
                Ok(answer(&secret_id))
            }
            _ => Err(Fault::unknown_operation(operation)),
        }
    }
}
