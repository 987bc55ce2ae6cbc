//! The token endpoint, revocation, and who the token is.

use std::collections::BTreeSet;

use chrono::{DateTime, Duration, Utc};
use data_encoding::{BASE64, BASE64URL_NOPAD};
use percent_encoding::percent_decode_str;
use ring::digest::{SHA256, digest};
use serde_json::{Value, json};

use super::id_token;
use super::tokens::{Challenge, GrantEnd};
use crate::Google;
use crate::config::RefreshTokens;
use crate::http::{Request, Response, lookup};

/// Tokens that were issued without the consent page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Granted {
    /// Good for an hour.
    pub access_token: String,
    /// Valid until it is revoked or expires.
    pub refresh_token: String,
}

/// A refusal in the form of RFC 6749.
struct Refused(u16, &'static str, &'static str);

const BAD_CODE: Refused = Refused(400, "invalid_grant", "Bad Request");

impl Google {
    /// `POST /token`.
    pub(crate) fn token(&mut self, now: DateTime<Utc>, request: &Request) -> Response {
        let form = request.form_fields();
        let answer = self.client_of(request, &form).and_then(|client| match lookup(&form, "grant_type") {
            Some("authorization_code") => self.exchange(now, &client, &form),
            Some("refresh_token") => self.refresh(now, &client, &form),
            Some(_) => Err(Refused(400, "unsupported_grant_type", "Invalid grant_type")),
            None => {
                let detail = "Missing required parameter: grant_type";
                Err(Refused(400, "invalid_request", detail))
            }
        });
        let response = match answer {
            Ok(answer) => Response::pretty(200, &answer),
            Err(Refused(status, error, detail)) => {
                Response::pretty(status, &json!({"error": error, "error_description": detail}))
            }
        };
        response.with("cache-control", "no-store")
    }

    /// The client, by form fields or Basic authentication.
    fn client_of(&self, request: &Request, form: &[(String, String)]) -> Result<String, Refused> {
        let basic = request
            .header_value("authorization")
            .and_then(|header| header.strip_prefix("Basic "))
            .and_then(|value| BASE64.decode(value.as_bytes()).ok())
            .and_then(|bytes| String::from_utf8(bytes).ok());
        let decode = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let (id, secret) = match basic.as_ref().and_then(|pair| pair.split_once(':')) {
            Some((id, secret)) => (decode(id), decode(secret)),
            None => (
                lookup(form, "client_id").unwrap_or_default().to_owned(),
                lookup(form, "client_secret").unwrap_or_default().to_owned(),
            ),
        };
        if id.is_empty() {
            return Err(Refused(400, "invalid_request", "Could not determine client ID from request."));
        }
        match self.tokens.clients.get(&id) {
            None => Err(Refused(401, "invalid_client", "The OAuth client was not found.")),
            Some(client) if client.secret != secret => Err(Refused(401, "invalid_client", "Unauthorized")),
            Some(_) => Ok(id),
        }
    }

    fn exchange(&mut self, now: DateTime<Utc>, client: &str, form: &[(String, String)]) -> Result<Value, Refused> {
        let code = lookup(form, "code").ok_or(Refused(400, "invalid_request", "Missing required parameter: code"))?;
        let Some(code) = self.tokens.codes.get_mut(code) else {
            return Err(Refused(400, "invalid_grant", "Malformed auth code."));
        };
        if code.used || code.expires <= now || code.asked.client != client {
            return Err(BAD_CODE);
        }
        if lookup(form, "redirect_uri") != Some(&code.asked.redirect_uri) {
            return Err(Refused(400, "redirect_uri_mismatch", "Bad Request"));
        }
        if let Some(challenge) = &code.asked.challenge {
            check_verifier(challenge, lookup(form, "code_verifier"))?;
        }
        code.used = true;
        let code = code.clone();
        let account = &code.account;
        let mut answer = self.access(now, client, account, &code.granted);
        if code.asked.offline && code.consent_shown {
            let (limits, random) = (&self.config.limits, &mut self.random);
            let token = self.tokens.issue_refresh(now, client, account, &code.granted, limits, random);
            answer["refresh_token"] = json!(token);
            if self.tokens.clients.get(client).is_some_and(|client| client.testing) {
                answer["refresh_token_expires_in"] = json!(604_799);
            }
        }
        self.add_id_token(now, &mut answer, client, account, code.asked.nonce.as_deref(), &code.granted);
        Ok(answer)
    }

    fn refresh(&mut self, now: DateTime<Utc>, client: &str, form: &[(String, String)]) -> Result<Value, Refused> {
        let detail = "Missing required parameter: refresh_token";
        let text = lookup(form, "refresh_token").ok_or(Refused(400, "invalid_request", detail))?;
        let token = self.tokens.use_refresh(now, text, client).map_err(ended)?;
        // A refresh may request fewer scopes, never more.
        let scopes: BTreeSet<String> = match lookup(form, "scope") {
            None => token.scopes.clone(),
            Some(wanted) => {
                let wanted = wanted.split_whitespace().filter_map(super::scopes::canonical);
                let wanted: BTreeSet<String> = wanted.collect();
                if !wanted.is_subset(&token.scopes) {
                    return Err(Refused(400, "invalid_scope", "Bad Request"));
                }
                wanted
            }
        };
        let mut answer = self.access(now, client, &token.account, &scopes);
        if self.config.behaviour.refresh_tokens == RefreshTokens::Rotated {
            let (limits, random) = (&self.config.limits, &mut self.random);
            self.tokens.end_refresh(text);
            let next = self.tokens.issue_refresh(now, client, &token.account, &token.scopes, limits, random);
            answer["refresh_token"] = json!(next);
        }
        if self.config.behaviour.id_token_with_refresh {
            self.add_id_token(now, &mut answer, client, &token.account, None, &scopes);
        }
        Ok(answer)
    }

    fn access(&mut self, now: DateTime<Utc>, client: &str, account: &str, scopes: &BTreeSet<String>) -> Value {
        let (limits, random) = (&self.config.limits, &mut self.random);
        let token = self.tokens.issue_access(now, client, account, scopes, limits, random);
        json!({
            "access_token": token,
            "expires_in": limits.access_token_secs,
            "scope": self.scope_text(scopes),
            "token_type": "Bearer",
        })
    }

    fn add_id_token(
        &self,
        now: DateTime<Utc>,
        answer: &mut Value,
        client: &str,
        account: &str,
        nonce: Option<&str>,
        scopes: &BTreeSet<String>,
    ) {
        let account = self.tokens.accounts.get(account);
        if scopes.contains("openid")
            && let Some(account) = account
            && let Some(token) = id_token::sign(now, account, client, nonce, scopes)
        {
            answer["id_token"] = json!(token);
        }
    }

    /// `POST /revoke`: the token stands in the form or in the query.
    pub(crate) fn revoke(&mut self, now: DateTime<Utc>, request: &Request) -> Response {
        let form = request.form_fields();
        let token = lookup(&form, "token").or_else(|| request.param("token"));
        let delay = Duration::seconds(self.config.behaviour.revocation_secs);
        match token {
            Some(token) if self.tokens.revoke(now, token, delay) => Response::pretty(200, &json!({})),
            Some(_) => {
                let detail = "Token expired or revoked";
                let error = json!({"error": "invalid_token", "error_description": detail});
                Response::pretty(400, &error)
            }
            None => {
                let detail = "Missing required parameter: token";
                let error = json!({"error": "invalid_request", "error_description": detail});
                Response::pretty(400, &error)
            }
        }
    }

    /// `GET /v1/userinfo`.
    pub(crate) fn userinfo(&self, now: DateTime<Utc>, request: &Request) -> Response {
        let token = self.tokens.access(now, request);
        let account = token.and_then(|token| self.tokens.accounts.get(&token.account));
        let (Some(token), Some(account)) = (token, account) else {
            let error = json!({"error": "invalid_request", "error_description": "Invalid Credentials"});
            return Response::pretty(401, &error);
        };
        let mut claims = json!({ "sub": account.sub });
        id_token::claims_of(&mut claims, account, &token.scopes);
        Response::pretty(200, &claims)
    }

    /// `/tokeninfo`: what an access token is good for.
    pub(crate) fn token_info(&self, now: DateTime<Utc>, request: &Request) -> Response {
        let form = request.form_fields();
        let text = lookup(&form, "access_token").or_else(|| request.param("access_token"));
        let bearer = text.map(|text| Request::default().bearer(text));
        let token = bearer.as_ref().or(Some(request)).and_then(|request| self.tokens.access(now, request));
        let Some(token) = token else {
            let error = json!({"error": "invalid_token", "error_description": "Invalid Value"});
            return Response::pretty(400, &error);
        };
        let scopes: Vec<&str> = token.scopes.iter().map(String::as_str).collect();
        let mut info = json!({
            "azp": token.client,
            "aud": token.client,
            "scope": scopes.join(" "),
            "exp": token.expires.timestamp().to_string(),
            "expires_in": (token.expires - now).num_seconds().to_string(),
            "access_type": "offline",
        });
        if let Some(account) = self.tokens.accounts.get(&token.account) {
            info["sub"] = json!(account.sub);
            id_token::claims_of(&mut info, account, &token.scopes);
        }
        Response::pretty(200, &info)
    }
}

fn check_verifier(challenge: &Challenge, verifier: Option<&str>) -> Result<(), Refused> {
    let verifier = verifier.ok_or(Refused(400, "invalid_grant", "Missing code verifier."))?;
    let answer = if challenge.sha256 {
        BASE64URL_NOPAD.encode(digest(&SHA256, verifier.as_bytes()).as_ref())
    } else {
        verifier.to_owned()
    };
    if (43..=128).contains(&verifier.len()) && answer == challenge.value {
        Ok(())
    } else {
        Err(Refused(400, "invalid_grant", "Invalid code verifier."))
    }
}

/// Google has several sentences for one error; only `invalid_grant` is to be relied on.
fn ended(end: GrantEnd) -> Refused {
    let detail = match end {
        GrantEnd::Revoked => "Token has been expired or revoked.",
        GrantEnd::Expired | GrantEnd::TimeBased => "Bad Request",
        GrantEnd::AdminPolicy => "admin_policy_enforced",
        GrantEnd::SessionControl => "reauth related error (invalid_rapt)",
        GrantEnd::AccountDisabled => "Account has been deleted or disabled",
    };
    Refused(400, "invalid_grant", detail)
}
