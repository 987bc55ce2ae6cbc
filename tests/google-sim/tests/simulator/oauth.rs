//! Consent, codes, tokens and their end.

use std::collections::BTreeSet;

use crate::common::{ADA, ALL, CLIENT, EVENTS, GRACE, REDIRECT, SECRET, World, refused};
use chrono::Duration;
use google_sim::{Client, Delivery, GrantEnd, Request, Response};
use serde_json::{Value, json};

const EVENT_SCOPE: &str = "https://www.googleapis.com/auth/calendar.events";
const LIST_SCOPE: &str = "https://www.googleapis.com/auth/calendar.calendarlist.readonly";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

fn query(fields: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

fn auth_query(more: &[(&str, &str)]) -> String {
    let scope = format!("openid email {EVENT_SCOPE} {LIST_SCOPE}");
    let mut fields = vec![
        ("client_id", CLIENT),
        ("redirect_uri", REDIRECT),
        ("response_type", "code"),
        ("scope", scope.as_str()),
        ("access_type", "offline"),
        ("state", "s"),
    ];
    for (name, value) in more {
        fields.retain(|(known, _)| known != name);
        fields.push((name, value));
    }
    query(&fields)
}

fn open(world: &mut World, more: &[(&str, &str)]) -> Response {
    world.send(Request::new("GET", &format!("/o/oauth2/v2/auth?{}", auth_query(more))))
}

/// The parameters with which the browser is sent back.
fn sent_back(answer: &Response) -> Vec<(String, String)> {
    assert_eq!(answer.status, 303, "{}", answer.text());
    let location = answer.header_value("location").unwrap();
    let (address, query) = location.split_once('?').unwrap();
    assert_eq!(address, REDIRECT);
    form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}

fn param<'a>(fields: &'a [(String, String)], name: &str) -> Option<&'a str> {
    fields.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

fn decide(world: &mut World, page: &Response, form: &[(&str, &str)]) -> Response {
    let text = page.text();
    let (_, rest) = text.split_once("name=\"request\" value=\"").unwrap();
    let (request, _) = rest.split_once('"').unwrap();
    let mut fields = vec![("request", request)];
    fields.extend_from_slice(form);
    world.send(Request::new("POST", "/o/oauth2/v2/auth").form(&fields))
}

const ALLOW: [(&str, &str); 4] =
    [("account", ADA), ("scope", EVENT_SCOPE), ("scope", LIST_SCOPE), ("decision", "allow")];

fn code(world: &mut World, more: &[(&str, &str)]) -> String {
    let page = open(world, more);
    let answer = decide(world, &page, &ALLOW);
    param(&sent_back(&answer), "code").unwrap().to_owned()
}

fn exchange(world: &mut World, code: &str, more: &[(&str, &str)]) -> Response {
    let mut form = vec![
        ("client_id", CLIENT),
        ("client_secret", SECRET),
        ("redirect_uri", REDIRECT),
        ("grant_type", "authorization_code"),
        ("code", code),
    ];
    for (name, value) in more {
        form.retain(|(known, _)| known != name);
        form.push((name, value));
    }
    world.send(Request::new("POST", "/token").form(&form))
}

fn refresh(world: &mut World, token: &Value) -> Response {
    let form = [
        ("client_id", CLIENT),
        ("client_secret", SECRET),
        ("grant_type", "refresh_token"),
        ("refresh_token", token.as_str().unwrap()),
    ];
    world.send(Request::new("POST", "/token").form(&form))
}

fn login(world: &mut World) -> Value {
    let code = code(world, &[("prompt", "consent")]);
    exchange(world, &code, &[]).value()
}

fn error(answer: &Response) -> String {
    answer.value()["error"].as_str().unwrap_or_default().to_owned()
}

fn fresh() -> World {
    // No permission was given yet.
    let mut world = World::new();
    world.google.end_grants(world.now, ADA, GrantEnd::Revoked);
    world
}

#[test]
fn consent_gives_a_code_and_the_code_tokens() {
    let mut world = fresh();
    let page = open(&mut world, &[]);
    assert!(page.text().contains(ADA) && page.text().contains(GRACE));
    let answer = decide(&mut world, &page, &ALLOW);
    let back = sent_back(&answer);
    assert_eq!(param(&back, "state"), Some("s"));
    assert_eq!(param(&back, "iss"), Some("https://accounts.google.com"));
    let tokens = exchange(&mut world, param(&back, "code").unwrap(), &[]).value();
    assert_eq!(tokens["expires_in"], 3599);
    assert_eq!(tokens["token_type"], "Bearer");
    assert!(tokens["refresh_token"].is_string() && tokens["id_token"].is_string());
    let scopes: BTreeSet<&str> = tokens["scope"].as_str().unwrap().split(' ').collect();
    let email = "https://www.googleapis.com/auth/userinfo.email";
    assert_eq!(scopes, BTreeSet::from(["openid", email, EVENT_SCOPE, LIST_SCOPE]));
}

#[test]
fn a_code_works_once_for_its_client_and_address_and_for_ten_minutes() {
    let mut world = fresh();
    let other = Client {
        id: "other".to_owned(),
        secret: "other".to_owned(),
        redirect_uris: Vec::new(),
        project: "other".to_owned(),
        testing: false,
    };
    world.google.add_client(other);
    let used = code(&mut world, &[]);
    assert_eq!(exchange(&mut world, &used, &[]).status, 200);
    assert_eq!(error(&exchange(&mut world, &used, &[])), "invalid_grant");
    let code_now = code(&mut world, &[("prompt", "consent")]);
    let foreign = [("client_id", "other"), ("client_secret", "other")];
    assert_eq!(error(&exchange(&mut world, &code_now, &foreign)), "invalid_grant");
    let elsewhere = [("redirect_uri", "http://localhost:3000/callback/")];
    assert_eq!(error(&exchange(&mut world, &code_now, &elsewhere)), "redirect_uri_mismatch");
    world.pass(Duration::minutes(11));
    assert_eq!(error(&exchange(&mut world, &code_now, &[])), "invalid_grant");
}

#[test]
fn a_challenge_wants_its_verifier() {
    let mut world = fresh();
    let pkce = [("code_challenge", CHALLENGE), ("code_challenge_method", "S256"), ("prompt", "consent")];
    let code = code(&mut world, &pkce);
    assert_eq!(error(&exchange(&mut world, &code, &[])), "invalid_grant");
    assert_eq!(error(&exchange(&mut world, &code, &[("code_verifier", CHALLENGE)])), "invalid_grant");
    assert_eq!(exchange(&mut world, &code, &[("code_verifier", VERIFIER)]).status, 200);
}

#[test]
fn a_client_must_know_its_secret_in_either_form() {
    let mut world = fresh();
    let wrong = exchange(&mut world, "code", &[("client_secret", "wrong")]);
    assert_eq!((wrong.status, error(&wrong)), (401, "invalid_client".to_owned()));
    let granted = login(&mut world);
    let basic = format!("Basic {}", data_encoding::BASE64.encode(format!("{CLIENT}:{SECRET}").as_bytes()));
    let form = [("grant_type", "refresh_token"), ("refresh_token", granted["refresh_token"].as_str().unwrap())];
    let answer = world.send(Request::new("POST", "/token").form(&form).header("Authorization", &basic));
    assert_eq!(answer.status, 200);
}

#[test]
fn an_unticked_box_is_not_granted_and_no_box_at_all_still_signs_in() {
    let mut world = fresh();
    let page = open(&mut world, &[]);
    let answer = decide(&mut world, &page, &[("account", ADA), ("scope", LIST_SCOPE), ("decision", "allow")]);
    let some = sent_back(&answer);
    let tokens = exchange(&mut world, param(&some, "code").unwrap(), &[]).value();
    assert!(!tokens["scope"].as_str().unwrap().contains(EVENT_SCOPE));
    world.token = tokens["access_token"].as_str().unwrap().to_owned();
    refused(&world.call("GET", EVENTS), 403, "insufficientPermissions");
    assert_eq!(world.call("GET", "/calendar/v3/users/me/calendarList").status, 200);

    let page = open(&mut world, &[("prompt", "consent")]);
    let answer = decide(&mut world, &page, &[("account", ADA), ("decision", "allow")]);
    assert!(param(&sent_back(&answer), "code").is_some());
}

#[test]
fn denial_goes_back_to_the_client_and_a_bad_request_does_not() {
    let mut world = fresh();
    let page = open(&mut world, &[]);
    let answer = decide(&mut world, &page, &[("account", ADA), ("decision", "deny")]);
    assert_eq!(param(&sent_back(&answer), "error"), Some("access_denied"));
    for (change, word) in [
        (("client_id", "unknown"), "invalid_client"),
        (("redirect_uri", "https://evil.example/"), "redirect_uri_mismatch"),
        (("scope", "everything"), "invalid_scope"),
        (("response_type", "token"), "unsupported_response_type"),
        (("prompt", "none consent"), "invalid_request"),
        (("code_challenge", "short"), "invalid_request"),
    ] {
        let page = open(&mut world, &[change]);
        assert!(page.status >= 400 && page.text().contains(word), "{word}");
        assert!(page.header_value("location").is_none());
    }
}

#[test]
fn a_page_can_be_answered_once() {
    let mut world = fresh();
    let page = open(&mut world, &[]);
    decide(&mut world, &page, &ALLOW);
    assert_eq!(decide(&mut world, &page, &ALLOW).status, 400);
}

#[test]
fn a_refresh_token_comes_only_when_consent_was_shown_and_asked_for_offline() {
    let mut world = fresh();
    assert!(login(&mut world)["refresh_token"].is_string());
    let silent = open(&mut world, &[("login_hint", ADA)]);
    let code_again = param(&sent_back(&silent), "code").unwrap().to_owned();
    let tokens = exchange(&mut world, &code_again, &[]).value();
    assert!(tokens["access_token"].is_string() && tokens.get("refresh_token").is_none());
    let online = code(&mut world, &[("prompt", "consent"), ("access_type", "online")]);
    assert!(exchange(&mut world, &online, &[]).value().get("refresh_token").is_none());
}

#[test]
fn who_has_agreed_before_only_chooses_the_account() {
    let mut world = fresh();
    login(&mut world);
    let page = open(&mut world, &[]);
    assert!(!page.text().contains("name=\"scope\""));
    let known = decide(&mut world, &page, &[("account", ADA), ("decision", "choose")]);
    assert!(param(&sent_back(&known), "code").is_some());
    let page = open(&mut world, &[]);
    let new = decide(&mut world, &page, &[("account", GRACE), ("decision", "choose")]);
    assert!(new.text().contains("name=\"scope\""), "Grace has agreed to nothing yet");
}

#[test]
fn prompt_none_never_shows_a_page() {
    let mut world = fresh();
    let answer = open(&mut world, &[("prompt", "none"), ("login_hint", ADA)]);
    assert_eq!(param(&sent_back(&answer), "error"), Some("interaction_required"));
    let answer = open(&mut world, &[("prompt", "none")]);
    assert_eq!(param(&sent_back(&answer), "error"), Some("login_required"));
    login(&mut world);
    let answer = open(&mut world, &[("prompt", "none"), ("login_hint", ADA)]);
    assert!(param(&sent_back(&answer), "code").is_some());
}

#[test]
fn incremental_consent_covers_what_was_granted_before() {
    let mut world = fresh();
    login(&mut world);
    let more = [("scope", ALL), ("include_granted_scopes", "true")];
    let page = open(&mut world, &more);
    let form = [("account", ADA), ("scope", ALL), ("decision", "allow")];
    let answer = decide(&mut world, &page, &form);
    let back = sent_back(&answer);
    let tokens = exchange(&mut world, param(&back, "code").unwrap(), &[]).value();
    let scope = tokens["scope"].as_str().unwrap();
    assert!(scope.contains(EVENT_SCOPE) && scope.contains("openid"));
}

#[test]
fn refreshing_keeps_the_refresh_token_and_an_access_token_ends() {
    let mut world = fresh();
    let tokens = login(&mut world);
    world.token = tokens["access_token"].as_str().unwrap().to_owned();
    assert_eq!(world.call("GET", EVENTS).status, 200);
    world.pass(Duration::hours(1));
    refused(&world.call("GET", EVENTS), 401, "authError");
    let fresh = refresh(&mut world, &tokens["refresh_token"]).value();
    assert!(fresh.get("refresh_token").is_none());
    world.token = fresh["access_token"].as_str().unwrap().to_owned();
    assert_eq!(world.call("GET", EVENTS).status, 200);
}

#[test]
fn revoking_an_access_token_takes_the_grant_of_the_whole_project() {
    let mut world = fresh();
    let twin = Client {
        id: "twin".to_owned(),
        secret: "twin".to_owned(),
        redirect_uris: Vec::new(),
        project: "demo-project".to_owned(),
        testing: false,
    };
    world.google.add_client(twin);
    let twin = world.google.grant(world.now, "twin", ADA, &[ALL]);
    let tokens = login(&mut world);
    let target = format!("/revoke?token={}", tokens["access_token"].as_str().unwrap());
    assert_eq!(world.send(Request::new("POST", &target)).status, 200);
    assert_eq!(error(&refresh(&mut world, &tokens["refresh_token"])), "invalid_grant");
    world.token = twin.access_token;
    refused(&world.call("GET", EVENTS), 401, "authError");
    assert_eq!(world.send(Request::new("POST", &target)).status, 400);
    assert!(open(&mut world, &[]).text().contains("name=\"scope\""), "consent is asked for anew");
}

#[test]
fn every_way_in_which_a_grant_ends_is_invalid_grant() {
    for end in [
        GrantEnd::Revoked,
        GrantEnd::Expired,
        GrantEnd::AdminPolicy,
        GrantEnd::SessionControl,
        GrantEnd::AccountDisabled,
        GrantEnd::TimeBased,
    ] {
        let mut world = fresh();
        let tokens = login(&mut world);
        world.google.end_grants(world.now, ADA, end);
        let answer = refresh(&mut world, &tokens["refresh_token"]);
        assert_eq!((answer.status, error(&answer)), (400, "invalid_grant".to_owned()), "{end:?}");
    }
}

#[test]
fn a_refresh_token_dies_of_disuse_of_testing_and_of_its_hundred_successors() {
    let mut world = fresh();
    let tokens = login(&mut world);
    world.pass(Duration::days(184));
    assert_eq!(error(&refresh(&mut world, &tokens["refresh_token"])), "invalid_grant");

    let first = world.google.grant(world.now, CLIENT, ADA, &[ALL]).refresh_token;
    for _ in 0..100 {
        world.google.grant(world.now, CLIENT, ADA, &[ALL]);
    }
    assert_eq!(error(&refresh(&mut world, &Value::from(first))), "invalid_grant");

    let mut world = World::with(|config| config.clients[0].testing = true);
    let tokens = login(&mut world);
    assert_eq!(tokens["refresh_token_expires_in"], 604_799);
    world.pass(Duration::days(6));
    assert_eq!(refresh(&mut world, &tokens["refresh_token"]).status, 200);
    world.pass(Duration::days(2));
    assert_eq!(error(&refresh(&mut world, &tokens["refresh_token"])), "invalid_grant");
}

#[test]
fn userinfo_tells_what_the_scopes_allow() {
    let mut world = fresh();
    let tokens = login(&mut world);
    let request = Request::new("GET", "/v1/userinfo").bearer(tokens["access_token"].as_str().unwrap());
    let info = world.send(request).value();
    assert_eq!(info["email"], ADA);
    assert!(info["sub"].is_string() && info.get("name").is_none());
    assert_eq!(world.send(Request::new("GET", "/v1/userinfo")).status, 401);
}

#[test]
fn a_call_without_a_token_is_401_from_the_front_end() {
    let mut world = fresh();
    let answer = world.send(Request::new("GET", EVENTS));
    refused(&answer, 401, "required");
    assert_eq!(answer.value()["error"]["status"], "UNAUTHENTICATED");
    assert_eq!(answer.delivery, Delivery::Normal);
}

#[test]
fn a_call_beyond_its_scopes_is_403_from_the_front_end() {
    let mut world = fresh();
    world.token = world.token_of(ADA, &["https://www.googleapis.com/auth/calendar.events.readonly"]);
    assert_eq!(world.call("GET", EVENTS).status, 200);
    let answer = world.call("GET", "/calendar/v3/users/me/calendarList");
    refused(&answer, 403, "insufficientPermissions");
    let error = &answer.value()["error"];
    assert_eq!(error["status"], "PERMISSION_DENIED");
    assert_eq!(error["details"][0]["reason"], "ACCESS_TOKEN_SCOPE_INSUFFICIENT");
    assert_eq!(error["details"][0]["metadata"]["method"], "calendar.v3.CalendarList.List");
}

#[test]
fn the_calendars_own_refusals_have_an_envelope_without_status() {
    let mut world = fresh();
    world.token = world.token_of(ADA, &[crate::common::ALL]);
    let answer = world.call("GET", &format!("{EVENTS}/absent1"));
    let expected = json!({"error": {
        "errors": [{"domain": "global", "reason": "notFound", "message": "Not Found"}],
        "code": 404,
        "message": "Not Found",
    }});
    assert_eq!(answer.value(), expected);
}
