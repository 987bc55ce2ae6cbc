//! The demo host's API, on its own tables.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use aws_sdk_dynamodb::{Client, types::AttributeValue};
use axum::{
    Router,
    body::Body,
    http::{Method, Request, StatusCode, header::CONTENT_TYPE},
};
use local_stack::{
    aws::Secrets,
    dev::{self, Host},
    gateway::Authorizer,
    system,
};
use serde_json::{Value, json};
use testkit::aws::LocalAws;
use tower::ServiceExt as _;

/// A host on an empty data folder, seeded.
struct Demo {
    router: Router,
    client: Client,
    authorizer: Authorizer,
    _aws: LocalAws,
}

impl Demo {
    async fn open() -> Self {
        let aws = LocalAws::start(Vec::new(), Secrets::new([])).await;
        let (client, names) = aws.create_tables().await;
        let authorizer = Authorizer::new(b"key");
        let host = Host {
            client: client.clone(),
            instructors: names.instructors,
            lessons: names.lessons,
            authorizer: authorizer.clone(),
            google_url: "http://localhost:3001".into(),
            services: aws.services.clone(),
        };
        dev::seed(&host, system::now()).await.unwrap();
        Self { router: host.router(), client, authorizer, _aws: aws }
    }

    async fn ask(&self, method: Method, path: &str, body: Value) -> (StatusCode, Value) {
        let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
        let request = Request::builder().method(method).uri(path).header(CONTENT_TYPE, "application/json");
        let response = self.router.clone().oneshot(request.body(body).unwrap()).await.unwrap();
        let status = response.status();
        let bytes = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
        (status, serde_json::from_slice(&bytes).unwrap_or_default())
    }
}

fn lesson() -> Value {
    json!({
        "title": "Violin",
        "startsAt": "2027-01-11T10:00:00+01:00",
        "endsAt": "2027-01-11T11:00:00+01:00",
        "timeZone": "Europe/Berlin",
    })
}

#[tokio::test]
async fn a_session_is_the_demo_instructors_unless_the_query_names_another() {
    let demo = Demo::open().await;
    let (_, session) = demo.ask(Method::GET, "/dev/session", json!(null)).await;
    let token = format!("Bearer {}", session["token"].as_str().unwrap());
    let claims = demo.authorizer.claims(Some(&token), system::now()).unwrap();
    assert_eq!(claims["tenant_id"], session["tenantId"]);
    assert_eq!(claims["instructor_id"], session["instructorId"]);
    assert_eq!(claims["role"], "instructor");
    assert_eq!(session["googleUrl"], "http://localhost:3001");

    let other = "00000000-0000-4000-8000-000000000009";
    let path = format!("/dev/session?tenant={other}&instructor={other}&role=admin");
    let (_, session) = demo.ask(Method::GET, &path, json!(null)).await;
    assert_eq!((&session["tenantId"], &session["instructorId"]), (&json!(other), &json!(other)));
    let (status, _) = demo.ask(Method::GET, "/dev/session?tenant=x", json!(null)).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn an_instructor_is_added_once() {
    let demo = Demo::open().await;
    let id = "00000000-0000-4000-8000-000000000009";
    let path = format!("/dev/instructors?instructor={id}");
    for (name, expected) in [("Lin", StatusCode::CREATED), ("Other", StatusCode::OK)] {
        let (status, _) = demo.ask(Method::POST, &path, json!({ "name": name, "email": "lin@example.com" })).await;
        assert_eq!(status, expected);
    }
    let key = |value: &str| AttributeValue::S(value.to_owned());
    let row = demo.client.get_item().table_name("instructors").key("id", key(id));
    let row = row.key("tenant_id", key("5c7a1e00-0000-4000-8000-000000000001")).send().await.unwrap().item.unwrap();
    assert_eq!(row["name"], key("Lin"));
    let (status, _) = demo.ask(Method::POST, &path, json!({ "name": "Lin" })).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn the_first_run_finds_lessons_in_the_coming_days() {
    let demo = Demo::open().await;
    let (_, lessons) = demo.ask(Method::GET, "/dev/lessons", json!(null)).await;
    let now = system::now().to_rfc3339();
    let starts: Vec<&str> = lessons.as_array().unwrap().iter().map(|one| one["startsAt"].as_str().unwrap()).collect();
    assert!(starts.len() >= 3 && starts.is_sorted() && starts[0] > now.as_str(), "{starts:?}");
}

#[tokio::test]
async fn a_lesson_is_added_moved_cancelled_and_removed() {
    let demo = Demo::open().await;
    let (status, added) = demo.ask(Method::POST, "/dev/lessons", lesson()).await;
    assert_eq!((status, &added["startsAt"]), (StatusCode::CREATED, &json!("2027-01-11T09:00:00Z")));
    let path = format!("/dev/lessons/{}", added["id"].as_str().unwrap());

    let change = json!({ "endsAt": "2027-01-11T12:00:00+01:00", "status": "cancelled" });
    let (_, changed) = demo.ask(Method::PATCH, &path, change).await;
    assert_eq!(changed["endsAt"], "2027-01-11T11:00:00Z");
    assert_eq!((&changed["status"], &changed["title"]), (&json!("cancelled"), &json!("Violin")));

    assert_eq!(demo.ask(Method::DELETE, &path, json!(null)).await.0, StatusCode::NO_CONTENT);
    assert_eq!(demo.ask(Method::DELETE, &path, json!(null)).await.0, StatusCode::NOT_FOUND);
    assert_eq!(demo.ask(Method::PATCH, &path, json!({})).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_change_leaves_the_columns_of_the_sync_as_they_are() {
    let demo = Demo::open().await;
    let (_, added) = demo.ask(Method::POST, "/dev/lessons", lesson()).await;
    let (_, session) = demo.ask(Method::GET, "/dev/session", json!(null)).await;
    let text = |value: &Value| AttributeValue::S(value.as_str().unwrap().to_owned());
    demo.client
        .update_item()
        .table_name("lessons")
        .key("tenant_id", text(&session["tenantId"]))
        .key("id", text(&added["id"]))
        .update_expression("SET calendar_sync_status = :synced")
        .expression_attribute_values(":synced", AttributeValue::S("synced".into()))
        .send()
        .await
        .unwrap();
    let path = format!("/dev/lessons/{}", added["id"].as_str().unwrap());
    let (_, changed) = demo.ask(Method::PATCH, &path, json!({ "title": "Viola" })).await;
    assert_eq!((&changed["title"], &changed["calendarSyncStatus"]), (&json!("Viola"), &json!("synced")));
}

#[tokio::test]
async fn bad_input_is_a_400_with_a_code() {
    let demo = Demo::open().await;
    for (field, bad) in [
        ("title", json!("")),
        ("endsAt", json!("2027-01-11T10:00:00+01:00")),
        ("startsAt", json!("soon")),
        ("timeZone", json!("Atlantis")),
        ("status", json!("done")),
    ] {
        let mut body = lesson();
        body[field] = bad;
        let (status, answer) = demo.ask(Method::POST, "/dev/lessons", body).await;
        assert_eq!((status, &answer["error"]["code"]), (StatusCode::BAD_REQUEST, &json!("invalid_request")), "{field}");
    }
    let (status, _) = demo.ask(Method::PATCH, "/dev/lessons/none", json!({})).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}
