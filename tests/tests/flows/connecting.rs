//! Login, status, disconnect, reconnect.

use calendar_tests::world::World;
use reqwest::{Method, header};
use serde_json::json;

#[tokio::test]
async fn an_instructor_connects_sees_the_status_and_disconnects() {
    let world = World::start().await;
    assert_eq!(world.status().await["state"], "not_connected");
    let lesson = world.add_lesson("Piano", world.in_hours(30)).await;

    world.connect().await;
    let status = world.status().await;
    assert_eq!((&status["connected"], &status["state"]), (&json!(true), &json!("active")));
    assert_eq!(status["googleAccount"], World::ACCOUNT);
    assert_eq!(status["push"]["state"], "healthy");
    assert_eq!(status["logs"][0]["outcome"], "completed", "{status:#}");
    world.until("the lesson in Google", async || world.events_of(&lesson).await.len() == 1).await;

    let (code, body) = world.call(Method::POST, "disconnect", Some(json!({ "instructorId": world.instructor }))).await;
    assert!(code == 200 || code == 202, "{code} {body}");
    world.until("the end of the connection", async || world.status().await["state"] == "not_connected").await;
    assert!(world.events_of(&lesson).await.is_empty(), "our events leave with us");
    let row = world.lesson(&lesson).await;
    assert_eq!((&row["googleCalendarEventId"], &row["hasConflict"]), (&json!(null), &json!(false)));
    let (code, body) = world.call(Method::GET, &format!("external-events/{}", world.instructor), None).await;
    assert_eq!((code, &body["error"]["code"]), (404, &json!("not_connected")));
}

#[tokio::test]
async fn disconnecting_twice_is_as_good_as_once() {
    let world = World::start().await;
    let body = || Some(json!({ "instructorId": world.instructor }));
    assert_eq!(world.call(Method::POST, "disconnect", body()).await.0, 200);
    world.connect().await;
    world.call(Method::POST, "disconnect", body()).await;
    world.until("the end", async || world.status().await["state"] == "not_connected").await;
    assert_eq!(world.call(Method::POST, "disconnect", body()).await.0, 200);
}

#[tokio::test]
async fn after_a_disconnect_that_kept_our_events_a_reconnect_makes_no_second_ones_and_removes_orphans() {
    let world = World::start().await;
    let stays = world.add_lesson("Stays", world.in_hours(30)).await;
    let goes = world.add_lesson("Goes meanwhile", world.in_hours(40)).await;
    world.connect().await;
    world.settle().await;
    let keep = json!({ "instructorId": world.instructor, "keepEvents": true });
    world.call(Method::POST, "disconnect", Some(keep)).await;
    world.until("the end", async || world.status().await["state"] == "not_connected").await;
    assert_eq!(world.events_of(&stays).await.len(), 1);

    world.remove_lesson(&goes).await;
    world.connect().await;
    world.settle().await;
    assert_eq!(world.events_of(&stays).await.len(), 1, "no second event");
    assert_eq!(world.events_of(&goes).await.len(), 0, "no orphan");
}

#[tokio::test]
async fn reconnecting_the_same_account_goes_on_with_the_same_connection() {
    let world = World::start().await;
    let lesson = world.add_lesson("Piano", world.in_hours(30)).await;
    world.connect().await;
    world.settle().await;
    let before = world.status().await["connectionId"].clone();
    world.connect().await;
    world.settle().await;
    assert_eq!(world.status().await["connectionId"], before);
    assert_eq!(world.events_of(&lesson).await.len(), 1);
}

#[tokio::test]
async fn a_box_left_unticked_ends_in_a_clear_refusal_and_nothing_half_connected() {
    let world = World::start().await;
    let (auth_url, cookie) = world.begin_login().await;
    let back = world.consent(&auth_url, "allow", |scope| !scope.contains("calendar")).await;
    let (code, body) = world.come_back(&back, &cookie).await;
    assert_eq!((code, &body["error"]["code"]), (400, &json!("permission_missing")));
    assert_eq!(world.status().await["state"], "not_connected");
}

#[tokio::test]
async fn denied_consent_is_an_outcome_for_a_program_and_for_a_browser() {
    let world = World::start().await;
    let (auth_url, cookie) = world.begin_login().await;
    let back = world.consent(&auth_url, "deny", |_| true).await;
    let (code, body) = world.come_back(&back, &cookie).await;
    assert_eq!((code, &body["error"]["code"]), (400, &json!("consent_denied")));

    let (auth_url, cookie) = world.begin_login().await;
    let back = world.consent(&auth_url, "deny", |_| true).await;
    let path = back.strip_prefix(&world.api).unwrap();
    let answer = world.request(Method::GET, path).header(header::COOKIE, cookie).send().await.unwrap();
    assert_eq!(answer.status(), 303);
    let location = answer.headers()[header::LOCATION].to_str().unwrap();
    assert_eq!(location, format!("{}/?calendar=error&code=consent_denied", world.api));
}

#[tokio::test]
async fn a_login_comes_back_once_to_the_browser_that_began_it() {
    let world = World::start().await;
    let (auth_url, cookie) = world.begin_login().await;
    let back = world.consent(&auth_url, "allow", |_| true).await;
    let (_, other_cookie) = world.begin_login().await;
    let code_of = |(code, body): (u16, serde_json::Value)| (code, body["error"]["code"].clone());
    assert_eq!(code_of(world.come_back(&back, &other_cookie).await), (400, json!("other_browser")));
    assert_eq!(code_of(world.come_back(&back, "").await), (400, json!("other_browser")));
    assert_eq!(world.status().await["state"], "not_connected");
    assert_eq!(world.come_back(&back, &cookie).await.0, 200);
    assert_eq!(code_of(world.come_back(&back, &cookie).await), (400, json!("unknown_state")), "used already");
    let altered = back.replace("state=", "state=x");
    assert_eq!(code_of(world.come_back(&altered, &cookie).await), (400, json!("unknown_state")));
}
