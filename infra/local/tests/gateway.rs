//! The gateway over HTTP, in front of functions that tell what they got.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use axum::{
    Router,
    body::Body,
    http::{Request, Response, StatusCode},
};
use lambda_http::RequestExt as _;
use local_stack::{
    deployment::ROUTES,
    functions::Functions,
    gateway::{Authorizer, Gateway},
    system,
};
use serde_json::{Map, Value, json};
use tower::ServiceExt as _;

const STATUS: &str = "/api/v1/calendar/status/7d9f";

fn authorizer() -> Authorizer {
    Authorizer::new(b"a key of this test")
}

fn api() -> Router {
    let mut functions = Functions::default();
    functions.http("status", |request| async move {
        let instructor = request.path_parameters().first("instructorId").map(str::to_owned);
        lambda_http::Response::builder()
            .status(StatusCode::ACCEPTED)
            .header("content-type", "application/json")
            .header("set-cookie", "a=1; HttpOnly")
            .body(json!({ "instructor": instructor }).to_string().into())
            .unwrap()
    });
    functions.http("sync", |_| async move { panic!("on purpose") });
    functions.http("webhook", |_| async move { lambda_http::Response::default() });
    let gateway = Gateway { functions, authorizer: authorizer() };
    gateway.router(&ROUTES).unwrap()
}

async fn ask(method: &str, path: &str, body: Vec<u8>) -> Response<Body> {
    let token = authorizer().issue(Map::new(), system::now()).unwrap();
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("authorization", format!("Bearer {token}"))
        .body(Body::from(body))
        .unwrap();
    api().oneshot(request).await.unwrap()
}

async fn json_of(response: Response<Body>) -> Value {
    let body = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
    serde_json::from_slice(&body).unwrap()
}

#[tokio::test]
async fn a_function_answers_through_its_own_handler() {
    let response = ask("GET", STATUS, vec![]).await;
    assert_eq!(response.status(), StatusCode::ACCEPTED);
    assert_eq!(response.headers()["set-cookie"], "a=1; HttpOnly");
    assert_eq!(json_of(response).await, json!({ "instructor": "7d9f" }));
}

#[tokio::test]
async fn a_call_without_a_good_token_never_reaches_a_function() {
    for token in ["", "Bearer ", "Bearer a.b.c"] {
        let request = Request::get(STATUS).header("authorization", token).body(Body::empty());
        let response = api().oneshot(request.unwrap()).await.unwrap();
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
        assert_eq!(json_of(response).await, json!({ "message": "Unauthorized" }));
    }
}

#[tokio::test]
async fn the_webhook_needs_no_token() {
    let request = Request::post("/api/v1/calendar/webhook").body(Body::empty()).unwrap();
    assert_eq!(api().oneshot(request).await.unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn other_paths_and_methods_are_not_found() {
    for (method, path) in [("GET", "/api/v1/calendar/other"), ("DELETE", STATUS)] {
        let response = ask(method, path, vec![]).await;
        assert_eq!(response.status(), StatusCode::NOT_FOUND);
        assert_eq!(json_of(response).await, json!({ "message": "Not Found" }));
    }
}

#[tokio::test]
async fn a_function_answers_whatever_host_and_scheme_the_caller_names() {
    let token = authorizer().issue(Map::new(), system::now()).unwrap();
    for odd in ["evil", "a b", "x:y:z", "[::", "%", ""] {
        for header in ["host", "x-forwarded-proto"] {
            let request = Request::get(STATUS).header("authorization", format!("Bearer {token}")).header(header, odd);
            let response = api().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
            assert_eq!(response.status(), StatusCode::ACCEPTED, "{header}: {odd}");
        }
    }
}

#[tokio::test]
async fn a_path_that_is_no_text_is_a_bad_request() {
    let response = ask("GET", "/api/v1/calendar/status/%ff", vec![]).await;
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    assert_eq!(json_of(response).await, json!({ "message": "Bad Request" }));
}

#[tokio::test]
async fn a_body_above_ten_mebibytes_is_too_large() {
    let webhook = "/api/v1/calendar/webhook";
    assert_eq!(ask("POST", webhook, vec![b'x'; 10 << 20]).await.status(), StatusCode::OK);
    let response = ask("POST", webhook, vec![b'x'; (10 << 20) + 1]).await;
    assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn a_panic_is_an_internal_server_error_without_its_text() {
    let response = ask("POST", "/api/v1/calendar/sync", vec![]).await;
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(json_of(response).await, json!({ "message": "Internal Server Error" }));
}
