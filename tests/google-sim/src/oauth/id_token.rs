//! The id token: a JWT signed with RS256.
//!
//! The key signs the simulator's own tokens alone and is no secret: a client that accepts it trusts the simulator and
//! no other issuer.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use chrono::{DateTime, Duration, Utc};
use data_encoding::BASE64URL_NOPAD;
use ring::rand::SystemRandom;
use ring::rsa::{KeyPair, PublicKeyComponents};
use ring::signature::RSA_PKCS1_SHA256;
use serde_json::{Value, json};

use super::scopes::SIGN_IN;
use crate::config::Account;

/// The issuer that Google's clients insist on.
pub(crate) const ISSUER: &str = "https://accounts.google.com";

const KEY_ID: &str = "google-sim-1";
const KEY: &[u8] = include_bytes!("signing_key.der");
const CERTIFICATE: &str = include_str!("signing_cert.pem");

fn key() -> Option<&'static KeyPair> {
    static PARSED: OnceLock<Option<KeyPair>> = OnceLock::new();
    PARSED.get_or_init(|| KeyPair::from_pkcs8(KEY).ok()).as_ref()
}

/// An id token for `account`, good for an hour.
pub(crate) fn sign(
    now: DateTime<Utc>,
    account: &Account,
    client: &str,
    nonce: Option<&str>,
    granted: &BTreeSet<String>,
) -> Option<String> {
    let header = json!({"alg": "RS256", "kid": KEY_ID, "typ": "JWT"});
    let mut claims = json!({
        "iss": ISSUER,
        "azp": client,
        "aud": client,
        "sub": account.sub,
        "iat": now.timestamp(),
        "exp": (now + Duration::hours(1)).timestamp(),
    });
    if let Some(nonce) = nonce {
        claims["nonce"] = json!(nonce);
    }
    claims_of(&mut claims, account, granted);
    let encode = |part: &Value| BASE64URL_NOPAD.encode(part.to_string().as_bytes());
    let signed = format!("{}.{}", encode(&header), encode(&claims));
    let key = key()?;
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature).ok()?;
    Some(format!("{signed}.{}", BASE64URL_NOPAD.encode(&signature)))
}

/// The claims that the scopes allow.
pub(crate) fn claims_of(claims: &mut Value, account: &Account, granted: &BTreeSet<String>) {
    if granted.contains(SIGN_IN[1]) {
        claims["email"] = json!(account.email);
        claims["email_verified"] = json!(true);
    }
    if granted.contains(SIGN_IN[2]) {
        claims["name"] = json!(account.name);
    }
}

/// `/oauth2/v3/certs`: the public key as a JWK.
pub(crate) fn jwks() -> Value {
    let Some(key) = key() else {
        return json!({"keys": []});
    };
    let public: PublicKeyComponents<Vec<u8>> = key.public().into();
    json!({"keys": [{
        "kty": "RSA",
        "alg": "RS256",
        "use": "sig",
        "kid": KEY_ID,
        "n": BASE64URL_NOPAD.encode(&public.n),
        "e": BASE64URL_NOPAD.encode(&public.e),
    }]})
}

/// `/oauth2/v1/certs`: the same key as a certificate.
pub(crate) fn certificates() -> Value {
    json!({ KEY_ID: CERTIFICATE })
}

/// `/.well-known/openid-configuration`, with the addresses at which this simulator is reached.
pub(crate) fn discovery(base: &str) -> Value {
    json!({
        "issuer": ISSUER,
        "authorization_endpoint": format!("{base}/o/oauth2/v2/auth"),
        "token_endpoint": format!("{base}/token"),
        "revocation_endpoint": format!("{base}/revoke"),
        "userinfo_endpoint": format!("{base}/v1/userinfo"),
        "jwks_uri": format!("{base}/oauth2/v3/certs"),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "scopes_supported": ["openid", "email", "profile"],
        "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
        "claims_supported": ["aud", "email", "email_verified", "exp", "iat", "iss", "name", "sub"],
        "code_challenge_methods_supported": ["plain", "S256"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
    })
}
