//! Sign-in.

use std::{collections::BTreeMap, sync::Arc};

use calendar_sync::{
    adapters::google::{self, GoogleLogin},
    model::CalendarOAuthTokens,
    ports::{Access, Calendar, Login, LoginError, PageOutcome, PageRequest, Refusal},
};
use chrono::TimeDelta;
use google_sim::{Effect, RefreshTokens, When};
use secrecy::{ExposeSecret, SecretString};

use testkit::google::config;

use crate::world::{ADA, CLIENT, REDIRECT, SCOPE, VERIFIER, World, clients_at, now};

#[tokio::test]
async fn a_login_brings_tokens_the_account_and_the_scopes_that_were_granted() {
    let world = World::new().await;
    let code = world.consent(&[SCOPE]);
    let granted = world.exchange(&code).await.unwrap();
    assert_eq!(granted.account.email.as_deref(), Some(ADA));
    assert!(!granted.account.sub.is_empty());
    for scope in world.login.required_scopes() {
        assert!(granted.scopes.contains(scope), "{scope}");
    }
    assert!(granted.tokens.expires_at > now() + TimeDelta::minutes(59));

    let access = Access { token: granted.tokens.access_token, ..world.access.clone() };
    let listing = world.calendar.list(&access, PageRequest::default(), now() + TimeDelta::minutes(1)).await;
    assert!(matches!(listing.outcome, PageOutcome::Last { .. }));

    let refresh_token = granted.tokens.refresh_token.expect("the consent screen was shown");
    let refreshed = world.login.refresh(&refresh_token, now()).await.unwrap();
    assert_ne!(refreshed.access_token.expose_secret(), access.token.expose_secret());
}

#[test]
fn a_login_asks_for_consent_and_offline_access_with_pkce_and_for_nothing_granted_earlier() {
    let url = clients_at("http://127.0.0.1:9").1.authorize_url("state", &SecretString::from(VERIFIER));
    let url: reqwest::Url = url.parse().unwrap();
    let asked: BTreeMap<_, _> = url.query_pairs().into_owned().collect();
    for (name, value) in [
        ("response_type", "code"),
        ("client_id", CLIENT),
        ("redirect_uri", REDIRECT),
        ("state", "state"),
        // A refresh token comes only when the consent screen is shown.
        ("prompt", "consent"),
        ("access_type", "offline"),
        ("code_challenge_method", "S256"),
        ("scope", "https://www.googleapis.com/auth/calendar.events openid email"),
    ] {
        assert_eq!(asked.get(name).map(String::as_str), Some(value), "{name}");
    }
    // Revoking would take what was granted elsewhere along.
    assert!(!asked.contains_key("include_granted_scopes"));
    assert!(!url.as_str().contains(VERIFIER));
}

#[tokio::test]
async fn a_box_that_was_left_unticked_shows_in_the_granted_scopes() {
    let world = World::new().await;
    let code = world.consent(&[]);
    let granted = world.exchange(&code).await.unwrap();
    assert!(!granted.scopes.iter().any(|scope| scope == SCOPE), "{:?}", granted.scopes);
}

#[tokio::test]
async fn a_code_is_good_once_and_for_its_own_verifier() {
    let world = World::new().await;
    let code = world.consent(&[SCOPE]);
    let foreign = SecretString::from("another-verifier-that-is-at-least-43-characters");
    assert!(matches!(world.login.exchange(&code, &foreign, now()).await, Err(LoginError::Withdrawn(_))));

    let code = world.consent(&[SCOPE]);
    world.exchange(&code).await.unwrap();
    assert!(matches!(world.exchange(&code).await, Err(LoginError::Withdrawn(_))));
}

#[tokio::test]
async fn a_revoked_grant_refreshes_no_more_and_may_be_revoked_again() {
    let world = World::new().await;
    let granted = world.google().grant(now(), CLIENT, ADA, &[SCOPE]);
    let tokens = CalendarOAuthTokens {
        access_token: granted.access_token.into(),
        refresh_token: granted.refresh_token.into(),
        expires_at: now(),
    };
    world.login.refresh(&tokens.refresh_token, now()).await.unwrap();
    world.login.revoke(&tokens).await.unwrap();
    assert!(matches!(world.login.refresh(&tokens.refresh_token, now()).await, Err(LoginError::Withdrawn(_))));
    world.login.revoke(&tokens).await.expect("what is revoked already is no error");
}

#[tokio::test]
async fn a_failure_of_the_token_endpoint_passes_and_a_wrong_client_secret_does_not() {
    let world = World::new().await;
    let granted = world.google().grant(now(), CLIENT, ADA, &[SCOPE]);
    let refresh_token = granted.refresh_token.into();
    for effect in [
        Effect::refuse(503, "backendError"),
        Effect::refuse(429, "rateLimitExceeded"),
        Effect::Cut,
        Effect::Garbage("<html>".to_owned()),
        Effect::Garbage(String::new()),
    ] {
        world.fault("oauth2.token", When::Nth(1), effect.clone());
        let failure = world.login.refresh(&refresh_token, now()).await.unwrap_err();
        assert!(matches!(failure, LoginError::Unavailable(_)), "{effect:?}: {failure:?}");
        world.google().clear_faults();
    }
    let base = world.login.authorize_url("s", &SecretString::from(VERIFIER));
    let config = config(base.split_once("/o/oauth2").unwrap().0);
    let http = Arc::new(google::client().unwrap());
    let stranger = GoogleLogin::new(http, &config, &SecretString::from("wrong")).unwrap();
    let refused = stranger.refresh(&refresh_token, now()).await.unwrap_err();
    let LoginError::ClientRefused(refusal) = refused else { panic!("{refused:?}") };
    assert_eq!(refusal.to_string(), "401 invalid_client: Unauthorized");
}

#[tokio::test]
async fn a_client_that_google_refuses_is_told_from_a_grant_that_ended() {
    let world = World::new().await;
    let granted = world.google().grant(now(), CLIENT, ADA, &[SCOPE]);
    let refresh_token = granted.refresh_token.into();
    for (status, word) in [(401, "deleted_client"), (401, "unauthorized_client"), (400, "invalid_client")] {
        world.fault("oauth2.token", When::Nth(1), Effect::refuse(status, word));
        let failure = world.login.refresh(&refresh_token, now()).await.unwrap_err();
        let said = |refusal: &Refusal| refusal.reason == word;
        assert!(matches!(&failure, LoginError::ClientRefused(refusal) if said(refusal)), "{word}: {failure:?}");
        world.google().clear_faults();
    }
    world.fault("oauth2.token", When::Nth(1), Effect::refuse(400, "admin_policy_enforced"));
    let failure = world.login.refresh(&refresh_token, now()).await.unwrap_err();
    assert!(matches!(&failure, LoginError::Withdrawn(_)), "{failure:?}");
}

#[tokio::test]
async fn a_refresh_token_that_the_answer_rotates_is_handed_on() {
    let world = World::new().await;
    let granted = world.google().grant(now(), CLIENT, ADA, &[SCOPE]);
    let first = granted.refresh_token.into();
    assert!(world.login.refresh(&first, now()).await.unwrap().refresh_token.is_none(), "Google keeps it");
    world.google().behaviour_mut().refresh_tokens = RefreshTokens::Rotated;
    let second = world.login.refresh(&first, now()).await.unwrap().refresh_token.expect("another");
    assert!(matches!(world.login.refresh(&first, now()).await, Err(LoginError::Withdrawn(_))));
    world.login.refresh(&second, now()).await.expect("it is good");
}
