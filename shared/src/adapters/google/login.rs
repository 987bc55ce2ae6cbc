//! Google's sign-in: consent, tokens, revocation.
//! <https://developers.google.com/identity/protocols/oauth2/web-server>

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use data_encoding::BASE64URL_NOPAD;
use futures::future::BoxFuture;
use http::{Method, StatusCode};
use oauth2::{
    AsyncHttpClient, AuthType, AuthUrl, AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndpointNotSet,
    EndpointSet, ExtraTokenFields, HttpRequest, HttpResponse, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl,
    RefreshToken, RequestTokenError, Scope, StandardRevocableToken, StandardTokenResponse, TokenResponse as _,
    TokenUrl,
    basic::{BasicErrorResponse, BasicRevocationErrorResponse, BasicTokenIntrospectionResponse, BasicTokenType},
};
use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use super::{
    http::{Answer, Transport, request},
    refusals::{self, Meaning, Place},
};
use crate::{
    Error, Result,
    config::GoogleConfig,
    model::{CalendarOAuthTokens, GoogleAccount},
    ports::{CalendarError, GrantedTokens, IssuedTokens, Login, LoginError},
};

/// A browser waits for the end of a login, and a run for its token.
pub const LOGIN_TIMEOUT: Duration = Duration::from_secs(10);

type TokenAnswer = StandardTokenResponse<IdToken, BasicTokenType>;
type TokenError = RequestTokenError<LoginError, BasicErrorResponse>;
type Client = oauth2::Client<
    BasicErrorResponse,
    TokenAnswer,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
>;

/// The issuer of Google's id tokens, in its two spellings
/// (<https://developers.google.com/identity/openid-connect/openid-connect#validatinganidtoken>).
const ISSUERS: [&str; 2] = ["https://accounts.google.com", "accounts.google.com"];
const FORM: &str = "application/x-www-form-urlencoded";
/// Of an access token, where the answer names no lifetime.
const DEFAULT_LIFETIME: TimeDelta = TimeDelta::hours(1);

/// Bytes of an account's id (OpenID Connect Core 1.0, section 2) and of its address (RFC 5321, section 4.5.3).
const MAX_SUB_BYTES: usize = 255;
const MAX_EMAIL_BYTES: usize = 320;
const MAX_SCOPE_BYTES: usize = 256;
const MAX_SCOPES: usize = 64;

/// The id token names the account; only a login brings one.
#[derive(Clone, Serialize, Deserialize)]
struct IdToken {
    id_token: Option<String>,
}

impl std::fmt::Debug for IdToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("IdToken([redacted])")
    }
}

impl ExtraTokenFields for IdToken {}

pub struct GoogleLogin {
    transport: Arc<dyn Transport>,
    client: Client,
    scopes: Vec<String>,
    revoke_url: Url,
}

impl GoogleLogin {
    /// `transport` is usually a [`super::client`].
    pub fn new(transport: Arc<dyn Transport>, config: &GoogleConfig, client_secret: &SecretString) -> Result<Self> {
        let client = oauth2::Client::new(ClientId::new(config.client_id.clone()))
            .set_client_secret(ClientSecret::new(client_secret.expose_secret().to_owned()))
            .set_auth_type(AuthType::RequestBody)
            .set_auth_uri(AuthUrl::new(config.authorize_url.clone()).map_err(Error::internal)?)
            .set_token_uri(TokenUrl::new(config.token_url.clone()).map_err(Error::internal)?)
            .set_redirect_uri(RedirectUrl::new(config.redirect_uri.clone()).map_err(Error::internal)?);
        let revoke_url = Url::parse(&config.revoke_url).map_err(Error::internal)?;
        Ok(Self { transport, client, scopes: config.scopes.clone(), revoke_url })
    }
}

/// How `oauth2` reaches the token endpoint. A refusal is caught before `oauth2` sees it, since its error drops the
/// status.
struct TokenEndpoint<'a>(&'a dyn Transport);

impl<'c> AsyncHttpClient<'c> for TokenEndpoint<'_> {
    type Error = LoginError;
    type Future = BoxFuture<'c, Result<HttpResponse, LoginError>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(async move {
            let answer = self.0.exchange(request, LOGIN_TIMEOUT).await.map_err(|error| unavailable(&error))?;
            if answer.status() == StatusCode::OK { Ok(answer) } else { Err(refusal(&answer)) }
        })
    }
}

fn unavailable(error: &CalendarError) -> LoginError {
    LoginError::Unavailable(error.to_string())
}

/// The meaning of an answer without success from the token or revocation endpoint.
fn refusal(answer: &Answer) -> LoginError {
    let refusal = refusals::read(answer.status().as_u16(), answer.body());
    match refusals::meaning(Place::TokenEndpoint, &refusal) {
        Meaning::PermissionWithdrawn => LoginError::Withdrawn(refusal),
        Meaning::ClientRefused => LoginError::ClientRefused(refusal),
        _ => LoginError::Unavailable(refusal.to_string()),
    }
}

#[async_trait]
impl Login for GoogleLogin {
    /// `prompt=consent`, because Google issues a refresh token only after showing the consent screen. Scopes that were
    /// granted to the client earlier are not included (`include_granted_scopes`), since revoking the token would revoke
    /// them too.
    fn authorize_url(&self, state: &str, pkce_verifier: &SecretString) -> String {
        let verifier = PkceCodeVerifier::new(pkce_verifier.expose_secret().to_owned());
        let (url, _) = self
            .client
            .authorize_url(|| CsrfToken::new(state.to_owned()))
            .add_scopes(self.scopes.iter().cloned().map(Scope::new))
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier))
            .add_extra_param("access_type", "offline")
            .add_extra_param("prompt", "consent")
            .url();
        url.into()
    }

    fn required_scopes(&self) -> &[String] {
        &self.scopes
    }

    fn client_id(&self) -> &str {
        self.client.client_id()
    }

    async fn exchange(
        &self,
        code: &SecretString,
        pkce_verifier: &SecretString,
        now: DateTime<Utc>,
    ) -> Result<GrantedTokens, LoginError> {
        let answer = self
            .client
            .exchange_code(AuthorizationCode::new(code.expose_secret().to_owned()))
            .set_pkce_verifier(PkceCodeVerifier::new(pkce_verifier.expose_secret().to_owned()))
            .request_async(&TokenEndpoint(&*self.transport))
            .await
            .map_err(failure)?;
        // RFC 6749 section 5.1: an answer without scopes grants those that were asked for.
        let scopes = match answer.scopes() {
            Some(scopes) => bounded(scopes.iter().map(|scope| canonical(scope))),
            None => self.scopes.clone(),
        };
        Ok(GrantedTokens {
            account: account(answer.extra_fields().id_token.as_deref(), self.client_id())?,
            scopes,
            tokens: issued(&answer, now),
        })
    }

    async fn refresh(&self, refresh_token: &SecretString, now: DateTime<Utc>) -> Result<IssuedTokens, LoginError> {
        let token = RefreshToken::new(refresh_token.expose_secret().to_owned());
        let answer = self
            .client
            .exchange_refresh_token(&token)
            .request_async(&TokenEndpoint(&*self.transport))
            .await
            .map_err(failure)?;
        Ok(issued(&answer, now))
    }

    /// Sent by hand, since `oauth2` refuses a plain-http address, which the local stack has.
    async fn revoke(&self, tokens: &CalendarOAuthTokens) -> Result<(), LoginError> {
        let form = form_urlencoded::Serializer::new(String::new())
            .append_pair("token", tokens.refresh_token.expose_secret())
            .finish();
        let request = request(Method::POST, &self.revoke_url, Some((FORM, form.into_bytes())))
            .map_err(|error| unavailable(&error))?;
        let answer = self.transport.exchange(request, LOGIN_TIMEOUT).await.map_err(|error| unavailable(&error))?;
        if answer.status().is_success() {
            return Ok(());
        }
        match refusal(&answer) {
            // The token was invalid already, which is what we want.
            LoginError::Withdrawn(_) => Ok(()),
            error => Err(error),
        }
    }
}

fn issued(answer: &TokenAnswer, now: DateTime<Utc>) -> IssuedTokens {
    let lifetime = answer.expires_in().and_then(|time| TimeDelta::from_std(time).ok()).unwrap_or(DEFAULT_LIFETIME);
    IssuedTokens {
        access_token: answer.access_token().secret().clone().into(),
        expires_at: now.checked_add_signed(lifetime).unwrap_or(now),
        refresh_token: answer.refresh_token().map(|token| token.secret().clone().into()),
    }
}

/// Without the answer's body, which may hold tokens.
fn failure(error: TokenError) -> LoginError {
    match error {
        RequestTokenError::Request(failure) => failure,
        RequestTokenError::ServerResponse(_) | RequestTokenError::Parse(..) => {
            LoginError::Unavailable("the token endpoint's answer cannot be read".to_owned())
        }
        RequestTokenError::Other(_) => LoginError::Unavailable("the token endpoint answered nothing".to_owned()),
    }
}

/// As many of the scopes as are stored. Google grants those that were asked for, and those that were granted before.
fn bounded(scopes: impl Iterator<Item = String>) -> Vec<String> {
    scopes.filter(|scope| scope.len() <= MAX_SCOPE_BYTES).take(MAX_SCOPES).collect()
}

/// Google grants `email` and `profile` under longer names.
fn canonical(scope: &str) -> String {
    match scope {
        "https://www.googleapis.com/auth/userinfo.email" => "email",
        "https://www.googleapis.com/auth/userinfo.profile" => "profile",
        other => other,
    }
    .to_owned()
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: String,
    email: Option<String>,
}

/// The account in an id token. The token came from the token endpoint over TLS, so its signature need not be checked
/// (OpenID Connect Core 1.0, section 3.1.3.7, step 6); its issuer and audience are.
fn account(id_token: Option<&str>, client_id: &str) -> Result<GoogleAccount, LoginError> {
    let claims = id_token.ok_or(LoginError::NoAccount("no_id_token"))?.split('.').nth(1);
    let claims: Claims = claims
        .and_then(|claims| BASE64URL_NOPAD.decode(claims.as_bytes()).ok())
        .and_then(|claims| serde_json::from_slice(&claims).ok())
        .ok_or(LoginError::NoAccount("unreadable_id_token"))?;
    if !ISSUERS.contains(&claims.iss.as_str()) || claims.aud != client_id {
        return Err(LoginError::NoAccount("foreign_id_token"));
    }
    if claims.sub.len() > MAX_SUB_BYTES {
        return Err(LoginError::NoAccount("unreadable_id_token"));
    }
    // It is shown and nothing else: without it, the account is as good.
    Ok(GoogleAccount { sub: claims.sub, email: claims.email.filter(|email| email.len() <= MAX_EMAIL_BYTES) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id_token(claims: &str) -> String {
        format!("{}.{}.signature", BASE64URL_NOPAD.encode(b"{}"), BASE64URL_NOPAD.encode(claims.as_bytes()))
    }

    #[test]
    fn an_id_token_names_the_account() {
        let token = id_token(r#"{"iss":"https://accounts.google.com","aud":"us","sub":"1","email":"a@b.c","new":[]}"#);
        let expected = GoogleAccount { sub: "1".to_owned(), email: Some("a@b.c".to_owned()) };
        assert_eq!(account(Some(&token), "us").unwrap(), expected);
        let without_address = id_token(r#"{"iss":"accounts.google.com","aud":"us","sub":"1"}"#);
        assert_eq!(account(Some(&without_address), "us").unwrap().email, None);
    }

    #[test]
    fn a_foreign_or_unreadable_id_token_is_refused() {
        for token in [
            None,
            Some(String::new()),
            Some("a.b.c".to_owned()),
            Some(id_token("{}")),
            Some(id_token(r#"{"iss":"https://accounts.google.com","aud":"them","sub":"1"}"#)),
            Some(id_token(r#"{"iss":"https://elsewhere.test","aud":"us","sub":"1"}"#)),
        ] {
            assert!(matches!(account(token.as_deref(), "us"), Err(LoginError::NoAccount(_))), "{token:?}");
        }
    }

    #[test]
    fn what_an_id_token_says_of_an_account_is_bounded() {
        let said = |sub: usize, email: usize| {
            let (sub, email) = ("s".repeat(sub), "e".repeat(email));
            let claims = format!(r#"{{"iss":"accounts.google.com","aud":"us","sub":"{sub}","email":"{email}"}}"#);
            account(Some(&id_token(&claims)), "us").map(|account| account.email.is_some())
        };
        assert!(said(MAX_SUB_BYTES, MAX_EMAIL_BYTES).unwrap());
        assert!(!said(MAX_SUB_BYTES, MAX_EMAIL_BYTES + 1).unwrap());
        assert!(matches!(said(MAX_SUB_BYTES + 1, 1), Err(LoginError::NoAccount("unreadable_id_token"))));
    }

    #[test]
    fn scopes_are_bounded_in_length_and_number() {
        let granted = (0..=MAX_SCOPES).map(|n| format!("scope{n}"));
        let long = "x".repeat(MAX_SCOPE_BYTES + 1);
        let bounded = bounded(std::iter::once(long).chain(granted));
        assert_eq!((bounded.len(), bounded[0].as_str()), (MAX_SCOPES, "scope0"));
    }

    #[test]
    fn scopes_are_known_by_either_of_their_names() {
        assert_eq!(canonical("https://www.googleapis.com/auth/userinfo.email"), "email");
        assert_eq!(canonical("https://www.googleapis.com/auth/calendar"), "https://www.googleapis.com/auth/calendar");
    }
}
