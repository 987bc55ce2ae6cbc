//! Bad input of each kind gets a 4xx with a code, and whoever may not see a thing learns nothing of it.

use calendar_tests::world::World;
use reqwest::{Method, header};
use serde_json::{Value, json};

#[tokio::test]
async fn bad_input_of_each_kind_is_refused_with_a_code_and_the_field() {
    let world = World::start().await;
    world.connect().await;
    let id = world.instructor.clone();
    let with = |changes: Value| {
        let mut body = json!({ "instructorId": id });
        body.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        body
    };
    let cases: Vec<(Method, String, Option<Value>, &str)> = vec![
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
        (Method::PATCH, "settings".into(), Some(with(json!({ "syncDirection": null, "autoSync": 1 }))), "autoSync"),
    ];
    for (method, path, body, field) in cases {
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

#[tokio::test]
async fn not_yours_and_not_there_look_the_same() {
    let world = World::start().await;
    world.connect().await;
    let own = world.instructor.clone();
    let nobody = "5c7a1e00-0000-4000-8000-00000000dead";
    let other_tenant = world.session("?tenant=5c7a1e00-0000-4000-8000-0000000000ff&role=admin").await;
    let other_instructor = world.session("?instructor=5c7a1e00-0000-4000-8000-0000000000a2").await;
    let no_role = world.session("?role=student&instructor=").await;
    let admin = world.session("?role=admin").await;
    let calls = |id: &str| -> Vec<(Method, String, Option<Value>)> {
        vec![
            (Method::GET, format!("oauth/url?instructorId={id}"), None),
            (Method::GET, format!("status/{id}"), None),
            (Method::POST, "sync".into(), Some(json!({ "instructorId": id }))),
            (Method::POST, "disconnect".into(), Some(json!({ "instructorId": id }))),
            (Method::PATCH, "settings".into(), Some(json!({ "instructorId": id, "autoSync": false }))),
            (Method::GET, format!("external-events/{id}"), None),
        ]
    };
    let answer = async |token: &Value, (method, path, body): (Method, String, Option<Value>)| {
        let request = world.request(method, &format!("/api/v1/calendar/{path}")).bearer_auth(token.as_str().unwrap());
        world.send(if let Some(body) = body { request.json(&body) } else { request }).await
    };
    for (session, who) in [(&other_tenant, "another tenant"), (&other_instructor, "another instructor")] {
        for (there, not_there) in calls(&own).into_iter().zip(calls(nobody)) {
            let path = there.1.clone();
            let seen = answer(&session["token"], there).await;
            assert_eq!(seen.0, 404, "{who} {path}: {}", seen.1);
            assert_eq!(seen, answer(&session["token"], not_there).await, "{who} {path}");
        }
    }
    if let Some(token) = no_role["token"].as_str() {
        for call in calls(nobody) {
            assert_eq!(answer(&json!(token), call).await.0, 404);
        }
    }
    assert_eq!(answer(&admin["token"], (Method::GET, format!("status/{own}"), None)).await.0, 200);
    for token in ["", "x", "a.b.c"] {
        for call in calls(&own) {
            assert_eq!(answer(&json!(token), call).await.0, 401);
        }
    }
}

#[tokio::test]
async fn a_notice_that_google_did_not_send_is_refused() {
    let world = World::start().await;
    world.connect().await;
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
