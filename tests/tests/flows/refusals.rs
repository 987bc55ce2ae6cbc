//! Bad input of each kind gets a 4xx with a code, and a caller without permission learns nothing of what exists.

use std::collections::BTreeSet;

use calendar_tests::world::World;
use chrono::{TimeDelta, Utc};
use local_stack::{deployment::ROUTES, gateway::Access};
use reqwest::{Method, header};
use serde_json::{Value, json};

/// Requests, each with a field that cannot be taken, and which that is.
fn bad_requests(id: &str) -> Vec<(Method, String, Option<Value>, &'static str)> {
    let with = |changes: Value| {
        let mut body = json!({ "instructorId": id });
        body.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        body
    };
    vec![
        (Method::GET, "oauth/url".into(), None, "instructorId"),
        (Method::GET, "oauth/url?instructorId=".into(), None, "instructorId"),
        (Method::GET, "oauth/url?instructorId=x".into(), None, "instructorId"),
        (Method::GET, format!("oauth/url?instructorId={}", id.replace('-', "")), None, "instructorId"),
        (Method::GET, format!("oauth/url?instructorId={id}&returnPath=//evil.example"), None, "returnPath"),
        (Method::GET, "oauth/callback".into(), None, "state"),
        (Method::GET, "oauth/callback?state=abc".into(), None, "code"),
        (Method::POST, "oauth/callback".into(), Some(json!({ "state": "abc" })), "code"),
        (Method::GET, "status/x".into(), None, "instructorId"),
        (Method::GET, format!("status/{id}?cursor=x"), None, "cursor"),
        (Method::GET, format!("external-events/{id}?from=yesterday"), None, "from"),
        (Method::GET, format!("external-events/{id}?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z"), None, "to"),
        (Method::GET, format!("external-events/{id}?from=2026-01-02T00:00:00Z&to=2030-01-01T00:00:00Z"), None, "to"),
        (Method::GET, format!("external-events/{id}?conflictsOnly=perhaps"), None, "conflictsOnly"),
        (Method::GET, format!("external-events/{id}?cursor=%00"), None, "cursor"),
        (Method::POST, "sync".into(), Some(json!({})), "instructorId"),
        (Method::POST, "sync".into(), Some(json!({ "instructorId": 7 })), "instructorId"),
        (Method::POST, "sync".into(), Some(with(json!({ "direction": "sideways" }))), "direction"),
        (Method::POST, "sync".into(), Some(with(json!({ "startDate": "2025-11-01" }))), "endDate"),
        (
            Method::POST,
            "sync".into(),
            Some(with(json!({ "startDate": "2025-11-02", "endDate": "2025-11-01" }))),
            "endDate",
        ),
        (
            Method::POST,
            "sync".into(),
            Some(with(json!({ "startDate": "2025-11-31", "endDate": "2025-12-01" }))),
            "startDate",
        ),
        (
            Method::POST,
            "sync".into(),
            Some(with(json!({ "startDate": "2025-01-01", "endDate": "2026-12-01" }))),
            "endDate",
        ),
        (Method::POST, "sync".into(), Some(with(json!({ "direction": "x".repeat(3000) }))), "direction"),
        (Method::POST, "disconnect".into(), Some(with(json!({ "keepEvents": "yes" }))), "keepEvents"),
        (Method::PATCH, "settings".into(), Some(with(json!({ "syncIntervalMinutes": 4 }))), "syncIntervalMinutes"),
        (Method::PATCH, "settings".into(), Some(with(json!({ "syncIntervalMinutes": 1e9 }))), "syncIntervalMinutes"),
        (Method::PATCH, "settings".into(), Some(with(json!({ "syncIntervalMinutes": 5.5 }))), "syncIntervalMinutes"),
        (Method::PATCH, "settings".into(), Some(with(json!({ "shareTitles": "yes" }))), "shareTitles"),
        (Method::PATCH, "settings".into(), Some(with(json!({ "syncDirection": null, "autoSync": 1 }))), "autoSync"),
    ]
}

#[tokio::test]
async fn bad_input_of_each_kind_is_refused_with_a_code_and_the_field() {
    let world = World::connected().await;
    let id = world.instructor.clone();
    for (method, path, body, field) in bad_requests(&id) {
        let request = world.request(method.clone(), &format!("/api/v1/calendar/{path}")).bearer_auth(&world.token);
        let request = request.header(header::ACCEPT, "application/json");
        let request = if let Some(body) = &body { request.json(body) } else { request };
        let (code, answer) = world.send(request).await;
        assert_eq!(code, 400, "{method} {path} {body:?}: {answer}");
        assert_eq!(answer["success"], false);
        assert_eq!(answer["error"]["code"], "invalid_request", "{method} {path}: {answer}");
        assert_eq!(answer["error"]["details"][0]["field"], field, "{method} {path} {body:?}: {answer}");
    }
}

#[tokio::test]
async fn bodies_that_are_no_json_object_are_refused() {
    let world = World::start().await;
    for body in ["", "{", "[]", "\"text\"", "null", "\u{0}", "{\"instructorId\": \"\u{fffd}"] {
        let request = world.request(Method::POST, "/api/v1/calendar/sync").bearer_auth(&world.token).body(body);
        let (code, answer) = world.send(request).await;
        assert_eq!((code, &answer["error"]["code"]), (400, &json!("malformed_json")), "{body:?}: {answer}");
    }
    let large = format!("{{\"instructorId\": \"{}\"}}", "x".repeat(20_000));
    let request = world.request(Method::POST, "/api/v1/calendar/sync").bearer_auth(&world.token).body(large);
    assert_eq!(world.send(request).await.0, 413);
}

/// A call of each endpoint that takes a token, about `instructor`; and the state of a login, for the one that takes it.
fn calls(instructor: &str, state: &str) -> Vec<(Method, String, Option<Value>)> {
    let id = instructor;
    vec![
        (Method::GET, format!("oauth/url?instructorId={id}"), None),
        (Method::POST, "oauth/callback".into(), Some(json!({ "state": state, "code": "4/code" }))),
        (Method::POST, "sync".into(), Some(json!({ "instructorId": id }))),
        (Method::GET, format!("status/{id}"), None),
        (Method::PATCH, "settings".into(), Some(json!({ "instructorId": id, "autoSync": false }))),
        (Method::POST, "disconnect".into(), Some(json!({ "instructorId": id }))),
        // In a tenant of their own an administrator may erase; what is confirmed is another one.
        (Method::POST, "erase".into(), Some(json!({ "erase": "tenant", "confirm": id }))),
        (Method::GET, format!("erase/{id}"), None),
        (Method::GET, format!("external-events/{id}"), None),
        (Method::GET, "connections".into(), None),
        (Method::PATCH, format!("conflicts/{id}/{CONFLICT}"), Some(json!({ "state": "ignored" }))),
    ]
}

const CONFLICT: &str = "1e550000000040008000000000000001feedfeedfeedfeed";

#[test]
fn every_endpoint_that_takes_a_token_is_tried() {
    let tried: BTreeSet<_> = calls("{instructorId}", "")
        .into_iter()
        .map(|(method, path, _)| {
            (method, path.replace(CONFLICT, "{conflictId}").replace("erase/{instructorId}", "erase/{id}"))
        })
        .map(|(method, path)| format!("{method} /api/v1/calendar/{}", path.split('?').next().unwrap()))
        .collect();
    let all = ROUTES.iter().filter(|route| route.access == Access::Token);
    assert_eq!(tried, all.map(|route| format!("{} {}", route.method, route.path)).collect());
}

/// All that a caller sees of an answer, save its date.
async fn seen(world: &World, token: Option<&str>, call: (Method, String, Option<Value>)) -> (u16, String, String) {
    let (method, path, body) = call;
    let mut request = world.request(method, &format!("/api/v1/calendar/{path}"));
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    if let Some(body) = body {
        request = request.json(&body);
    }
    let answer = request.send().await.unwrap();
    let mut headers: Vec<_> = answer.headers().iter().filter(|(name, _)| *name != header::DATE).collect();
    headers.sort_by_key(|(name, _)| name.as_str());
    (answer.status().as_u16(), format!("{headers:?}"), answer.text().await.unwrap())
}

#[tokio::test]
async fn a_wrong_caller_cannot_tell_a_foreign_calendar_from_one_that_does_not_exist() {
    let world = World::connected().await;
    let own = world.instructor.clone();
    let tenant = world.session("").await["tenantId"].as_str().unwrap().to_owned();
    let (auth_url, _) = world.begin_login().await;
    let state = auth_url.split("state=").nth(1).unwrap().split('&').next().unwrap().to_owned();
    let before = world.status().await;

    let (unknown, elsewhere) = ("5c7a1e00-0000-4000-8000-00000000dead", "5c7a1e00-0000-4000-8000-0000000000ff");
    let grace = "5c7a1e00-0000-4000-8000-0000000000a2";
    let wrong = [
        json!({ "sub": "u", "tenant_id": elsewhere, "role": "admin" }),
        json!({ "sub": "u", "tenant_id": elsewhere, "instructor_id": own, "role": "instructor" }),
        json!({ "sub": "u", "tenant_id": tenant, "instructor_id": grace, "role": "instructor" }),
        json!({ "sub": "u", "tenant_id": tenant, "role": "student" }),
        json!({ "sub": "u", "tenant_id": tenant, "role": "Admin" }),
        json!({ "sub": "u", "tenant_id": tenant }),
        json!({ "sub": "u", "instructor_id": own, "role": "admin" }),
        json!({ "sub": "u", "tenant_id": "*", "role": "admin" }),
    ];
    for claims in wrong {
        let token = world.token_with(&claims, Utc::now());
        for (not_yours, not_there) in calls(&own, &state).into_iter().zip(calls(unknown, "never-begun")) {
            let path = not_yours.1.clone();
            let may_be_malformed = ["oauth/callback", "erase"].contains(&&*path);
            let answer = seen(&world, Some(&token), not_yours).await;
            // The list of their own tenant, which has no connections.
            let of_their_own = path == "connections" && answer.2.contains("\"connections\":[]");
            let refused = answer.0 == 404 || (may_be_malformed && answer.0 == 400);
            assert!(refused || of_their_own, "{claims} {path}: {answer:?}");
            assert_eq!(answer, seen(&world, Some(&token), not_there).await, "{claims} {path}");
        }
    }

    let good = json!({ "sub": own, "tenant_id": tenant, "instructor_id": own, "role": "instructor" });
    let expired = world.token_with(&good, Utc::now() - TimeDelta::days(1));
    let altered = format!("{}x", world.token);
    let unsigned = format!("{}.{}.", "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0", world.token.split('.').nth(1).unwrap());
    for token in [None, Some(""), Some("x"), Some("a.b.c"), Some(&*expired), Some(&*altered), Some(&*unsigned)] {
        for (not_yours, not_there) in calls(&own, &state).into_iter().zip(calls(unknown, "never-begun")) {
            let answer = seen(&world, token, not_yours).await;
            assert_eq!(answer.0, 401, "{token:?}: {answer:?}");
            assert_eq!(answer, seen(&world, token, not_there).await, "{token:?}");
        }
    }

    let after = world.status().await;
    for part in ["connectionId", "state", "settings", "googleAccount"] {
        assert_eq!(after[part], before[part], "none of them changed anything");
    }
    let admin = world.token_with(&json!({ "sub": "u", "tenant_id": tenant, "role": "admin" }), Utc::now());
    assert_eq!(seen(&world, Some(&admin), (Method::GET, format!("status/{own}"), None)).await.0, 200);
}

#[tokio::test]
async fn a_notice_that_google_did_not_send_is_refused() {
    let world = World::connected().await;
    let notice = |channel: &str, token: &str| {
        world
            .request(Method::POST, "/api/v1/calendar/webhook")
            .header("x-goog-channel-id", channel)
            .header("x-goog-channel-token", token)
            .header("x-goog-resource-state", "exists")
    };
    for (channel, token) in [("", ""), ("x", "y"), ("c", &"A".repeat(86)), ("c", &"é".repeat(40))] {
        let (code, _) = world.send(notice(channel, token)).await;
        assert_eq!(code, 404, "{channel} {token}");
    }
    assert_eq!(world.send(world.request(Method::POST, "/api/v1/calendar/webhook")).await.0, 404);
}
