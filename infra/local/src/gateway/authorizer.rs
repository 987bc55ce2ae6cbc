//! The API's JWT authorizer, with tokens of this machine's own making.

use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde_json::{Map, Value, json};

const ISSUER: &str = "http://localhost:3000/dev";
const AUDIENCE: &str = "calendar-sync";
const LIFETIME: TimeDelta = TimeDelta::hours(12);

/// Issues development tokens and verifies them as API Gateway would.
#[derive(Clone)]
pub struct Authorizer {
    signing: EncodingKey,
    verifying: DecodingKey,
}

impl std::fmt::Debug for Authorizer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Authorizer")
    }
}

impl Authorizer {
    /// An authorizer for tokens under `key`.
    pub fn new(key: &[u8]) -> Self {
        Self { signing: EncodingKey::from_secret(key), verifying: DecodingKey::from_secret(key) }
    }

    /// A token with `claims`, good for half a day from `now`.
    pub fn issue(&self, mut claims: Map<String, Value>, now: DateTime<Utc>) -> anyhow::Result<String> {
        claims.extend([
            ("iss".to_owned(), json!(ISSUER)),
            ("aud".to_owned(), json!(AUDIENCE)),
            ("iat".to_owned(), json!(now.timestamp())),
            ("exp".to_owned(), json!((now + LIFETIME).timestamp())),
        ]);
        Ok(jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &self.signing)?)
    }

    /// The claims of an `Authorization` header, all of them strings as API Gateway hands them on.
    ///
    /// None for a missing, foreign or forged token, and for one that is over at `now`: callers learn no more than that.
    pub fn claims(&self, authorization: Option<&str>, now: DateTime<Utc>) -> Option<Map<String, Value>> {
        let token = authorization?;
        let token = token.strip_prefix("Bearer ").unwrap_or(token);
        let mut rules = Validation::new(Algorithm::HS256);
        rules.set_issuer(&[ISSUER]);
        rules.set_audience(&[AUDIENCE]);
        // The library would ask the machine's clock, which may not be the stack's.
        rules.validate_exp = false;
        let claims = jsonwebtoken::decode::<Map<String, Value>>(token, &self.verifying, &rules).ok()?.claims;
        if claims.get("exp")?.as_i64()? <= now.timestamp() {
            return None;
        }
        Some(claims.into_iter().map(|(name, value)| (name, as_text(value))).collect())
    }
}

fn as_text(claim: Value) -> Value {
    match claim {
        Value::String(_) => claim,
        other => Value::String(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system;

    fn token(key: &[u8], issued: DateTime<Utc>) -> String {
        let claims = Map::from_iter([("role".to_owned(), json!("admin"))]);
        let token = Authorizer::new(key).issue(claims, issued).unwrap();
        format!("Bearer {token}")
    }

    #[test]
    fn a_token_of_ours_gives_its_claims_as_strings() {
        let claims = Authorizer::new(b"key").claims(Some(&token(b"key", system::now())), system::now()).unwrap();
        assert_eq!(claims["role"], "admin");
        assert!(claims["exp"].is_string());
    }

    #[test]
    fn a_missing_expired_or_forged_token_gives_nothing() {
        let (authorizer, now) = (Authorizer::new(b"key"), system::now());
        for token in [None, Some("Bearer x.y.z"), Some(token(b"other", now).as_str())] {
            assert_eq!(authorizer.claims(token, now), None, "{token:?}");
        }
        let token = token(b"key", now);
        assert!(authorizer.claims(Some(&token), now + LIFETIME - TimeDelta::seconds(1)).is_some());
        assert_eq!(authorizer.claims(Some(&token), now + LIFETIME), None);
    }
}
