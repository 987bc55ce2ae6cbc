//! The built binaries under the protocol that AWS Lambda speaks with them:
//! <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod lambda;

use aws_sdk_dynamodb::types::AttributeValue;
use calendar_sync::model::{ChannelId, ConnectionKey};
use local_stack::{
    aws::{self, Kms, Queues, Secrets},
    deployment::SYNC_QUEUE,
};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use testkit::{
    aws::{LocalAws, queue},
    data::{WEBHOOK_KEY, key, webhook_keys},
    google::CLIENT,
};

use lambda::Lambda;

const KEY: ConnectionKey = key(1, 2);

/// Stand-ins for the AWS services that the binaries call, with all tables, and one instructor in them.
async fn start_aws() -> LocalAws {
    let secret = json!({ "googleClientSecret": "secret", "webhookKeys": [WEBHOOK_KEY] }).to_string();
    let secrets = Secrets::new([("calendar-sync".to_owned(), secret)]);
    let aws = LocalAws::start(vec![queue(SYNC_QUEUE)], secrets).await;
    let (dynamodb, names) = aws.create_tables().await;
    let row = [("tenant_id", KEY.tenant_id.to_string()), ("id", KEY.instructor_id.to_string())];
    let row = row.map(|(name, id)| (name.to_owned(), AttributeValue::S(id)));
    dynamodb.put_item().table_name(names.instructors).set_item(Some(row.into())).send().await.unwrap();
    aws
}

/// The environment that the functions are deployed with.
fn environment(aws: &LocalAws) -> Vec<(&'static str, String)> {
    let text = str::to_owned;
    vec![
        ("AWS_ENDPOINT_URL", aws.endpoint.clone()),
        ("AWS_REGION", text(aws::REGION)),
        ("AWS_ACCESS_KEY_ID", text("local")),
        ("AWS_SECRET_ACCESS_KEY", text("local")),
        ("EVENT_BUS_NAME", text("default")),
        ("FRONTEND_URL", text("https://example.com")),
        ("GOOGLE_CLIENT_ID", text(CLIENT)),
        ("GOOGLE_REDIRECT_URI", text("https://example.com/api/v1/calendar/oauth/callback")),
        ("KMS_KEY_ID", text(Kms::KEY_ALIAS)),
        ("SECRET_ID", text("calendar-sync")),
        ("SYNC_QUEUE_URL", Queues::url(SYNC_QUEUE)),
    ]
}

/// The messages that wait in the queue.
async fn messages(aws: &LocalAws) -> Vec<Value> {
    let client = aws_sdk_sqs::Client::new(&aws.sdk);
    let received = client.receive_message().queue_url(Queues::url(SYNC_QUEUE)).send().await.unwrap();
    let bodies = received.messages.unwrap_or_default().into_iter().filter_map(|message| message.body);
    bodies.map(|body| serde_json::from_str(&body).unwrap()).collect()
}

/// What API Gateway sends for a request of the instructor.
fn request(method: &str, path: &str, details: &Value) -> Value {
    let mut event = json!({
        "version": "2.0",
        "routeKey": format!("{method} {path}"),
        "rawPath": path,
        "rawQueryString": "",
        "headers": { "accept": "application/json", "content-length": "0", "host": "api.example.com" },
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "api",
            "authorizer": { "jwt": {
                "claims": { "sub": "user", "tenant_id": KEY.tenant_id, "instructor_id": KEY.instructor_id },
                "scopes": null,
            }},
            "domainName": "api.example.com",
            "domainPrefix": "api",
            "http": { "method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "" },
            "requestId": "JKJaXmPLvHcESHA=",
            "routeKey": format!("{method} {path}"),
            "stage": "$default",
            "time": "01/Mar/2026:08:00:00 +0000",
            "timeEpoch": 1_772_352_000_000_u64,
        },
        "isBase64Encoded": false,
    });
    for (name, detail) in details.as_object().unwrap() {
        event[name] = detail.clone();
    }
    event
}

/// What a function URL sends for a push notification.
fn notice(channel: &str, token: &str) -> Value {
    json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": "/api/v1/calendar/webhook",
        "rawQueryString": "",
        "headers": {
            "content-length": "0",
            "host": "url-id.lambda-url.eu-central-1.on.aws",
            "x-goog-channel-id": channel,
            "x-goog-channel-token": token,
            "x-goog-message-number": "7",
            "x-goog-resource-state": "exists",
        },
        "requestContext": {
            "accountId": "anonymous",
            "apiId": "url-id",
            "domainName": "url-id.lambda-url.eu-central-1.on.aws",
            "domainPrefix": "url-id",
            "http": {
                "method": "POST", "path": "/api/v1/calendar/webhook", "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.1", "userAgent": "APIs-Google",
            },
            "requestId": "e1506fd5-9e7b-434f-bd42-4f8fa224b599",
            "routeKey": "$default",
            "stage": "$default",
            "time": "01/Mar/2026:08:00:00 +0000",
            "timeEpoch": 1_772_352_000_000_u64,
        },
        "isBase64Encoded": false,
    })
}

fn body(answer: &Value) -> Value {
    serde_json::from_str(answer["body"].as_str().unwrap()).unwrap()
}

#[tokio::test]
async fn status_answers_api_gateway() {
    let aws = start_aws().await;
    let mut status = Lambda::start(env!("CARGO_BIN_EXE_status"), environment(&aws)).await;
    let of = |instructor: String| {
        let path = format!("/api/v1/calendar/status/{instructor}");
        request("GET", &path, &json!({ "pathParameters": { "instructorId": instructor } }))
    };

    let answer = status.invoke(of(KEY.instructor_id.to_string())).await.unwrap();
    assert_eq!(answer["statusCode"], 200, "{answer}");
    assert_eq!(answer["headers"]["content-type"], "application/json");
    assert_eq!(body(&answer)["data"]["state"], "not_connected");

    // The same process answers again, and what is not the caller's is not there.
    let answer = status.invoke(of(key(1, 3).instructor_id.to_string())).await.unwrap();
    assert_eq!((&answer["statusCode"], &body(&answer)["error"]["code"]), (&json!(404), &json!("not_found")));

    let mut anonymous = of(KEY.instructor_id.to_string());
    anonymous["requestContext"]["authorizer"] = Value::Null;
    assert_eq!(status.invoke(anonymous).await.unwrap()["statusCode"], 401);
}

#[tokio::test]
async fn oauth_url_answers_with_a_cookie() {
    let aws = start_aws().await;
    let mut oauth_url = Lambda::start(env!("CARGO_BIN_EXE_oauth-url"), environment(&aws)).await;
    let query = json!({
        "rawQueryString": format!("instructorId={}", KEY.instructor_id),
        "queryStringParameters": { "instructorId": KEY.instructor_id },
    });
    let event = request("GET", "/api/v1/calendar/oauth/url", &query);
    let answer = oauth_url.invoke(event).await.unwrap();
    assert_eq!(answer["statusCode"], 200, "{answer}");
    let url = body(&answer)["data"]["authUrl"].as_str().unwrap().to_owned();
    assert!(url.starts_with("https://accounts.google.com/o/oauth2/v2/auth?"), "{url}");
    let cookie = answer["cookies"][0].as_str().unwrap();
    assert!(
        cookie.starts_with("__Host-calendar_login_") && cookie.ends_with("; HttpOnly; SameSite=Lax; Secure"),
        "{cookie}"
    );
}

#[tokio::test]
async fn webhook_answers_its_function_url_and_sends_a_message_for_what_was_signed() {
    let aws = start_aws().await;
    let mut webhook = Lambda::start(env!("CARGO_BIN_EXE_webhook"), environment(&aws)).await;
    let token = webhook_keys().sign(&ChannelId::from("channel"), KEY);

    let answer = webhook.invoke(notice("another", token.expose_secret())).await.unwrap();
    assert_eq!(answer["statusCode"], 404, "{answer}");
    assert_eq!(messages(&aws).await, [] as [Value; 0]);

    let answer = webhook.invoke(notice("channel", token.expose_secret())).await.unwrap();
    assert_eq!((&answer["statusCode"], answer["body"].as_str().unwrap_or_default()), (&json!(200), ""));
    let messages = messages(&aws).await;
    assert_eq!(messages.len(), 1);
    assert_eq!(messages[0]["instructor_id"], json!(KEY.instructor_id));
}

#[tokio::test]
async fn sync_worker_answers_the_queue_with_the_messages_that_are_to_come_again() {
    let aws = start_aws().await;
    let mut worker = Lambda::start(env!("CARGO_BIN_EXE_sync-worker"), environment(&aws)).await;
    let message = json!({
        "tenant_id": KEY.tenant_id, "instructor_id": KEY.instructor_id, "trigger": "webhook", "tasks": ["pull_events"],
    });
    let record = |id: &str, body: &str| {
        json!({
            "messageId": id,
            "receiptHandle": "handle",
            "body": body,
            "attributes": { "ApproximateReceiveCount": "1", "SentTimestamp": "1772352000000" },
            "messageAttributes": {},
            "eventSource": "aws:sqs",
            "eventSourceARN": "arn:aws:sqs:eu-central-1:123456789012:calendar-sync",
            "awsRegion": "eu-central-1",
        })
    };
    // The instructor has no connection, so there is nothing to do; what is no message of ours never succeeds.
    let event = json!({ "Records": [record("done", &message.to_string()), record("garbage", "{")] });
    let answer = worker.invoke(event).await.unwrap();
    assert_eq!(answer, json!({ "batchItemFailures": [{ "itemIdentifier": "garbage" }] }));
}

#[tokio::test]
async fn poll_answers_its_schedule() {
    let aws = start_aws().await;
    let mut poll = Lambda::start(env!("CARGO_BIN_EXE_poll"), environment(&aws)).await;
    let event = json!({
        "version": "0", "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa", "detail-type": "Scheduled Event",
        "source": "aws.events", "account": "123456789012", "time": "2026-03-01T08:00:00Z", "region": "eu-central-1",
        "resources": ["arn:aws:events:eu-central-1:123456789012:rule/poll"], "detail": {},
    });
    assert_eq!(poll.invoke(event).await, Ok(Value::Null));
}

#[tokio::test]
async fn a_function_that_is_misconfigured_ends_and_names_the_variable() {
    let aws = start_aws().await;
    let mut environment = environment(&aws);
    environment.retain(|(name, _)| *name != "SYNC_QUEUE_URL");
    let output = lambda::ends(env!("CARGO_BIN_EXE_poll"), environment).await;
    assert!(output.contains("SYNC_QUEUE_URL is not set"), "{output}");
}
