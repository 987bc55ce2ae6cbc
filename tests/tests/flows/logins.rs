//! Tampered logins: none connects a calendar to another person's account.

use calendar_tests::world::{Answer, World};
use chrono::{TimeDelta, Utc};
use reqwest::{Method, Url, header};
use serde_json::{Value, json};

fn parameter(address: &str, name: &str) -> String {
    let address: Url = address.parse().unwrap();
    address.query_pairs().find(|(key, _)| key == name).expect("it is there").1.into_owned()
}

fn with_parameter(address: &str, name: &str, value: &str) -> String {
    let mut address: Url = address.parse().unwrap();
    let others: Vec<_> =
        address.query_pairs().filter(|(key, _)| key != name).map(|(k, v)| (k.into_owned(), v.into_owned())).collect();
    address.query_pairs_mut().clear().extend_pairs(others).append_pair(name, value);
    address.into()
}

fn code_of((status, body): Answer) -> (u16, String) {
    (status, body["error"]["code"].as_str().unwrap_or_default().to_owned())
}

fn refused(code: &str) -> (u16, String) {
    (400, code.to_owned())
}

/// By the page, with its own bearer token.
async fn finish_by_page(person: &World, state: &str, code: &str) -> Answer {
    person.call(Method::POST, "oauth/callback", Some(json!({ "state": state, "code": code }))).await
}

/// Nothing of a login is stored, and the account gave us nothing that is still good.
async fn assert_nothing_connected(world: &World) {
    assert_eq!(world.rows("instructor_calendar_credentials").await, Vec::<Value>::new());
    for account in world.rows("google_accounts").await {
        assert!(account.get("connections").is_none(), "{account}");
    }
}

#[tokio::test]
async fn a_victim_who_follows_an_attackers_consent_link_connects_nothing() {
    let attacker = World::start().await;
    let mut victim = attacker.signed_in("?instructor=5c7a1e00-0000-4000-8000-0000000000a2").await;
    victim.account = "grace@example.com".to_owned();
    let (link, attackers_cookie) = attacker.begin_login().await;
    let (_, victims_cookie) = victim.begin_login().await;
    let back = victim.consent(&link, "allow", |_| true).await;

    // The victim's browser comes back, with the victim's cookies or none, to the API and to the page.
    for cookie in [victims_cookie.as_str(), ""] {
        assert_eq!(code_of(victim.come_back(&back, cookie).await), refused("other_browser"));
    }
    let path = back.strip_prefix(&victim.api).unwrap();
    let sent_on = victim.request(Method::GET, path).header(header::COOKIE, &victims_cookie).send().await.unwrap();
    let location = sent_on.headers()[header::LOCATION].to_str().unwrap();
    assert!(location.starts_with(&format!("{}/?calendar=finish#state=", victim.api)), "{location}");
    let (state, code) = (parameter(&back, "state"), parameter(&back, "code"));
    assert_eq!(code_of(finish_by_page(&victim, &state, &code).await), refused("unknown_state"));
    // The attacker has the cookie and the state, but never sees the code.
    let guessed = with_parameter(&back, "code", "4/0AguessedByTheAttacker");
    assert_eq!(code_of(attacker.come_back(&guessed, &attackers_cookie).await), refused("code_refused"));
    assert_nothing_connected(&attacker).await;
}

#[tokio::test]
async fn a_stolen_code_is_worth_nothing_without_its_verifier() {
    let attacker = World::start().await;
    let mut victim = attacker.signed_in("?instructor=5c7a1e00-0000-4000-8000-0000000000a2").await;
    victim.account = "grace@example.com".to_owned();
    let (link, victims_cookie) = victim.begin_login().await;
    let victims_return = victim.consent(&link, "allow", |_| true).await;
    let stolen = parameter(&victims_return, "code");

    let (link, attackers_cookie) = attacker.begin_login().await;
    let attackers_return = attacker.consent(&link, "allow", |_| true).await;
    let injected = with_parameter(&attackers_return, "code", &stolen);
    assert_eq!(code_of(attacker.come_back(&injected, &attackers_cookie).await), refused("code_refused"));
    let (link, _) = attacker.begin_login().await;
    let by_page = finish_by_page(&attacker, &parameter(&link, "state"), &stolen).await;
    assert_eq!(code_of(by_page), refused("code_refused"));
    assert_nothing_connected(&attacker).await;
    assert_eq!(victim.come_back(&victims_return, &victims_cookie).await.0, 200, "the victim's own login still works");
}

#[tokio::test]
async fn a_state_that_was_used_is_used_up() {
    let world = World::start().await;
    let (link, cookie) = world.begin_login().await;
    let back = world.consent(&link, "allow", |_| true).await;
    let at_once = tokio::join!(world.come_back(&back, &cookie), world.come_back(&back, &cookie));
    let mut answers = [code_of(at_once.0), code_of(at_once.1)];
    answers.sort();
    assert_eq!(answers, [(200, String::new()), refused("unknown_state")], "one of two at the same moment");
    assert_eq!(code_of(world.come_back(&back, &cookie).await), refused("unknown_state"));
    let again = finish_by_page(&world, &parameter(&back, "state"), &parameter(&back, "code")).await;
    assert_eq!(code_of(again), refused("unknown_state"));
}

#[tokio::test]
async fn a_denied_login_is_used_up_too() {
    let world = World::start().await;
    let (link, cookie) = world.begin_login().await;
    let back = world.consent(&link, "deny", |_| true).await;
    assert_eq!(code_of(world.come_back(&back, &cookie).await), refused("consent_denied"));
    let with_code = with_parameter(&with_parameter(&back, "error", ""), "code", "4/code");
    assert_eq!(code_of(world.come_back(&with_code, &cookie).await), refused("unknown_state"));
}

#[tokio::test]
async fn a_login_that_took_longer_than_ten_minutes_is_unknown() {
    let world = World::start().await;
    let (link, cookie) = world.begin_login().await;
    let back = world.consent(&link, "allow", |_| true).await;
    let [mut row] = world.rows("oauth_states").await.try_into().unwrap();
    let expires: chrono::DateTime<Utc> = row["expires_at"].as_str().unwrap().parse().unwrap();
    assert!((Utc::now() + TimeDelta::minutes(9)..=Utc::now() + TimeDelta::minutes(10)).contains(&expires));
    // As it is eleven minutes later, before DynamoDB finds the time to remove it.
    row["expires_at"] = json!("2026-01-01T00:00:00.000Z");
    world.put_row("oauth_states", row).await;
    assert_eq!(code_of(world.come_back(&back, &cookie).await), refused("unknown_state"));
    let by_page = finish_by_page(&world, &parameter(&back, "state"), &parameter(&back, "code")).await;
    assert_eq!(code_of(by_page), refused("unknown_state"));
    assert_nothing_connected(&world).await;
}

#[tokio::test]
async fn an_altered_or_foreign_state_connects_nothing() {
    let world = World::start().await;
    let other = world.signed_in("?instructor=5c7a1e00-0000-4000-8000-0000000000a2").await;
    let (link, cookie) = world.begin_login().await;
    let back = world.consent(&link, "allow", |_| true).await;
    let (other_link, other_cookie) = other.begin_login().await;
    let (state, foreign) = (parameter(&link, "state"), parameter(&other_link, "state"));

    let mut altered: Vec<String> = (0..state.len())
        .step_by(7)
        .map(|at| {
            let letter = if &state[at..=at] == "A" { "B" } else { "A" };
            format!("{}{letter}{}", &state[..at], &state[at + 1..])
        })
        .collect();
    altered.extend([
        state[1..].to_owned(),
        format!("{state}A"),
        state.to_lowercase(),
        "A".repeat(43),
        "A".repeat(2000),
    ]);
    for state in altered {
        let answer = code_of(world.come_back(&with_parameter(&back, "state", &state), &cookie).await);
        assert!([refused("unknown_state"), refused("other_browser")].contains(&answer), "{state}: {answer:?}");
    }
    for state in ["", "%", "a b", "a\u{e9}", "\u{0}", "../x", &"A".repeat(2049)] {
        let (status, body) = world.come_back(&with_parameter(&back, "state", state), &cookie).await;
        assert_eq!((status, &body["error"]["details"][0]["field"]), (400, &json!("state")), "{state:?}: {body}");
    }
    // Another login's state, with this one's cookie and code.
    let with_foreign = with_parameter(&back, "state", &foreign);
    for cookie in [&cookie, &format!("calendar_login_{}={}", &foreign[..16], cookie.split_once('=').unwrap().1)] {
        assert_eq!(code_of(world.come_back(&with_foreign, cookie).await), refused("other_browser"));
    }
    assert_eq!(code_of(world.come_back(&with_foreign, &other_cookie).await), refused("code_refused"));
    assert_nothing_connected(&world).await;
    assert_eq!(world.come_back(&back, &cookie).await.0, 200, "none of it used the login up");
}

#[tokio::test]
async fn a_login_for_one_instructor_is_finished_by_no_other() {
    let world = World::start().await;
    let other = world.signed_in("?instructor=5c7a1e00-0000-4000-8000-0000000000a2").await;
    let admin = world.signed_in("?role=admin&instructor=5c7a1e00-0000-4000-8000-0000000000a2").await;
    let (link, _) = world.begin_login().await;
    let back = world.consent(&link, "allow", |_| true).await;
    let (state, code) = (parameter(&back, "state"), parameter(&back, "code"));
    for person in [&other, &admin] {
        assert_eq!(code_of(finish_by_page(person, &state, &code).await), refused("unknown_state"));
    }
    assert_eq!(finish_by_page(&world, &state, &code).await.0, 200);
}

#[tokio::test]
async fn the_cookie_of_a_login_is_out_of_reach_of_scripts() {
    let world = World::start().await;
    let path = format!("/api/v1/calendar/oauth/url?instructorId={}", world.instructor);
    let answer = world.request(Method::GET, &path).bearer_auth(&world.token).send().await.unwrap();
    let cookie = answer.headers()[header::SET_COOKIE].to_str().unwrap();
    for part in ["HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=600"] {
        assert!(cookie.split("; ").any(|have| have == part), "{part}: {cookie}");
    }
}

#[tokio::test]
async fn a_box_left_unticked_leaves_nothing_half_connected() {
    let world = World::start().await;
    let (link, cookie) = world.begin_login().await;
    let back = world.consent(&link, "allow", |scope| !scope.contains("calendar")).await;
    let (status, body) = world.come_back(&back, &cookie).await;
    assert_eq!((status, &body["error"]["code"]), (400, &json!("permission_missing")));
    let message = body["error"]["message"].as_str().unwrap();
    assert!(message.contains("calendar.events") && message.contains("box"), "it says what to do: {message}");
    assert_nothing_connected(&world).await;
    assert_eq!(world.google_calls().await.get("oauth2.revoke"), Some(&1), "the rest of the grant is given back");
    assert_eq!(world.status().await["state"], "not_connected");
    world.connect().await;
}

/// A second login with a box left unticked changes nothing about a connection that exists.
#[tokio::test]
async fn a_box_left_unticked_in_a_second_login_harms_no_connection() {
    let world = World::connected().await;
    let (link, cookie) = world.begin_login().await;
    let back = world.consent(&link, "allow", |scope| !scope.contains("calendar")).await;
    assert_eq!(code_of(world.come_back(&back, &cookie).await), refused("permission_missing"));
    assert_eq!(world.google_calls().await.get("oauth2.revoke"), None, "revoking would end the connection's grant");
    world.sync().await;
    assert_eq!(world.status().await["state"], "active");
}

#[tokio::test]
async fn a_reconnect_goes_on_with_the_same_connection_and_doubles_no_event() {
    let world = World::start().await;
    let lesson = world.add_lesson("Piano", world.in_hours(30)).await;
    world.plan_in_google("Dentist", world.in_hours(40), world.in_hours(41)).await;
    world.connect().await;
    world.settle().await;
    let (before, event) = (world.status().await, world.events_of(&lesson).await[0]["id"].clone());
    for _ in 0..3 {
        world.connect().await;
        world.settle().await;
    }
    let after = world.status().await;
    assert_eq!(after["connectionId"], before["connectionId"]);
    let events = world.events_of(&lesson).await;
    assert_eq!((events.len(), &events[0]["id"]), (1, &event));
    assert_eq!(world.external_events().await.len(), 1);
    let connections = world.rows("instructor_calendar_credentials").await;
    assert_eq!(connections.iter().filter(|row| row["id"].is_string()).count(), 1);
    assert_eq!(after["logs"][0]["outcome"], "completed");
}

#[tokio::test]
async fn another_account_takes_the_place_of_the_present_one_only_when_that_was_confirmed() {
    let mut world = World::start().await;
    let lesson = world.add_lesson("Piano", world.in_hours(30)).await;
    world.plan_in_google("In the old calendar", world.in_hours(30), world.in_hours(31)).await;
    world.connect().await;
    world.until("the flag", async || world.lesson(&lesson).await["hasConflict"] == true).await;
    let body = json!({ "instructorId": world.instructor, "syncIntervalMinutes": 30 });
    assert_eq!(world.call(Method::PATCH, "settings", Some(body)).await.0, 200);
    world.settle().await;

    world.account = "grace@example.com".to_owned();
    let (link, cookie) = world.begin_login().await;
    let back = world.consent(&link, "allow", |_| true).await;
    assert_eq!(code_of(world.come_back(&back, &cookie).await), (409, "other_account".to_owned()));
    assert_eq!(world.status().await["googleAccount"], World::ACCOUNT, "the present one goes on");

    let (link, cookie) = world.begin_login_with("&replaceAccount=true").await;
    let back = world.consent(&link, "allow", |_| true).await;
    assert_eq!(world.come_back(&back, &cookie).await.0, 200);
    world.until("the lesson in the new calendar", async || world.events_of(&lesson).await.len() == 1).await;
    world.until("the flag's end", async || world.lesson(&lesson).await["hasConflict"] == false).await;
    world.settle().await;
    let status = world.status().await;
    assert_eq!(status["googleAccount"], "grace@example.com");
    assert_eq!(status["settings"]["syncIntervalMinutes"], 30, "what the instructor chose stays: {status:#}");
    assert!(world.external_events().await.is_empty(), "imports start anew");
    let mut old = world.clone();
    old.account = World::ACCOUNT.to_owned();
    assert!(old.events_of(&lesson).await.is_empty(), "our events have left the old calendar");
    assert_eq!(old.in_google().await.iter().filter(|event| event["status"] != "cancelled").count(), 1);
}
