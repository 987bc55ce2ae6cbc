//! What is too large, too long or too much is refused, and what every answer says to browsers.

use calendar_tests::world::World;
use chrono::{DateTime, SecondsFormat, Utc};
use reqwest::{Method, RequestBuilder, header};
use serde_json::{Value, json};

const BODIES: [(Method, &str); 4] = [
    (Method::POST, "sync"),
    (Method::POST, "disconnect"),
    (Method::PATCH, "settings"),
    (Method::POST, "oauth/callback"),
];

fn api(world: &World, method: Method, path: &str) -> RequestBuilder {
    let request = world.request(method, &format!("/api/v1/calendar/{path}")).bearer_auth(&world.token);
    request.header(header::ACCEPT, "application/json")
}

#[tokio::test]
async fn a_body_above_16_kb_is_too_large_for_every_endpoint() {
    let world = World::start().await;
    for (method, path) in BODIES {
        let body = |bytes: usize| format!("{{\"instructorId\": \"x\", \"padding\": \"{}\"}}", "x".repeat(bytes - 36));
        assert_eq!(body(16 * 1024).len(), 16 * 1024);
        let (code, answer) = world.send(api(&world, method.clone(), path).body(body(16 * 1024))).await;
        assert_eq!((code, &answer["error"]["code"]), (400, &json!("invalid_request")), "{path}: {answer}");
        let (code, answer) = world.send(api(&world, method, path).body(body(16 * 1024 + 1))).await;
        assert_eq!((code, &answer["error"]["code"]), (413, &json!("body_too_large")), "{path}: {answer}");
    }
}

#[tokio::test]
async fn a_text_above_2_kb_is_too_long_wherever_it_stands() {
    let world = World::start().await;
    let (id, long) = (world.instructor.clone(), "x".repeat(2049));
    let queries = [
        (format!("oauth/url?instructorId={long}"), "instructorId"),
        (format!("oauth/url?instructorId={id}&returnPath=/{long}"), "returnPath"),
        (format!("oauth/url?instructorId={id}&replaceAccount={long}"), "replaceAccount"),
        (format!("oauth/callback?state={long}&code=x"), "state"),
        (format!("oauth/callback?state=x&code={long}"), "code"),
        (format!("oauth/callback?state=x&error={long}"), "error"),
        (format!("status/{id}?cursor={long}"), "cursor"),
        (format!("external-events/{id}?cursor={long}"), "cursor"),
        (format!("external-events/{id}?from={long}"), "from"),
        (format!("external-events/{id}?to={long}"), "to"),
        (format!("external-events/{id}?conflictsOnly={long}"), "conflictsOnly"),
    ];
    for (path, field) in queries {
        let (code, answer) = world.send(api(&world, Method::GET, &path)).await;
        assert_eq!((code, &answer["error"]["details"][0]["field"]), (400, &json!(field)), "{answer}");
    }
    let bodies = [
        (Method::POST, "sync", json!({ "instructorId": long }), "instructorId"),
        (Method::POST, "sync", json!({ "instructorId": id, "startDate": long, "endDate": long }), "startDate"),
        (Method::PATCH, "settings", json!({ "instructorId": id, "syncDirection": long }), "syncDirection"),
        (Method::POST, "oauth/callback", json!({ "state": long, "code": "x" }), "state"),
        (Method::POST, "oauth/callback", json!({ "state": "x", "code": long }), "code"),
    ];
    for (method, path, body, field) in bodies {
        let (code, answer) = world.send(api(&world, method, path).json(&body)).await;
        assert_eq!((code, &answer["error"]["details"][0]["field"]), (400, &json!(field)), "{path}: {answer}");
    }
}

#[tokio::test]
async fn large_headers_are_refused_as_wrong_ones_are() {
    let world = World::start().await;
    let large = "x".repeat(8 * 1024); // API Gateway takes 10,240 bytes of all headers
    let (link, cookie) = world.begin_login().await;
    let back = world.consent(&link, "allow", |_| true).await;
    let name = cookie.split_once('=').unwrap().0;
    for cookie in [large.clone(), format!("{name}={large}"), "a=b; ".repeat(1500)] {
        let (code, answer) = world.come_back(&back, &cookie).await;
        assert_eq!((code, &answer["error"]["code"]), (400, &json!("other_browser")), "{answer}");
    }
    for header in ["x-goog-channel-id", "x-goog-channel-token", "x-goog-resource-state"] {
        let request = world.request(Method::POST, "/api/v1/calendar/webhook").header(header, &large);
        assert_eq!(world.send(request).await.0, 404, "{header}");
    }
    let claims = json!({ "sub": large, "tenant_id": "x", "instructor_id": world.instructor });
    let token = world.token_with(&claims, chrono::Utc::now());
    let request = world.request(Method::GET, &format!("/api/v1/calendar/status/{}", world.instructor));
    assert_eq!(world.send(request.bearer_auth(token)).await.0, 404);
}

#[tokio::test]
async fn a_page_holds_so_many_and_says_where_the_next_begins() {
    let world = World::connected().await;
    let start = world.in_hours(30);
    for day in 0..3 {
        world
            .plan_event(json!({
                "summary": format!("Busy {day}"), "recurrence": ["RRULE:FREQ=HOURLY;COUNT=120"],
                "start": { "dateTime": start, "timeZone": "Etc/UTC" },
                "end": { "dateTime": start + chrono::TimeDelta::minutes(20 + day), "timeZone": "Etc/UTC" },
            }))
            .await;
    }
    world.until("the imports", async || world.rows("external_calendar_events").await.len() == 3).await;
    let (mut seen, mut cursor, mut pages) = (Vec::<Value>::new(), String::new(), 0);
    loop {
        let path = format!("external-events/{}?cursor={cursor}", world.instructor);
        let (code, body) = world.call(Method::GET, &path, None).await;
        assert_eq!(code, 200, "{body}");
        let events = body["data"]["events"].as_array().unwrap();
        assert!(events.len() <= 100, "{}", events.len());
        seen.extend(events.iter().map(|event| json!([event["googleEventId"], event["eventStart"]])));
        pages += 1;
        match body["data"]["nextCursor"].as_str() {
            Some(next) => cursor = next.to_owned(),
            None => break,
        }
    }
    let count = seen.len();
    seen.sort_by_key(ToString::to_string);
    seen.dedup();
    assert_eq!((count, seen.len(), pages), (360, 360, 4), "each once");
}

#[tokio::test]
async fn every_answer_tells_browsers_to_keep_nothing_and_guess_nothing() {
    let world = World::start().await;
    let get = |path: &str| world.request(Method::GET, &format!("/api/v1/calendar/{path}"));
    let webhook = world.request(Method::POST, "/api/v1/calendar/webhook");
    let answers = [
        (get(&format!("status/{}", world.instructor)).bearer_auth(&world.token), 200),
        (get("status/x").bearer_auth(&world.token), 400),
        (get("oauth/callback?state=x&code=y"), 303),
        (get("oauth/callback?state=x&code=y").header(header::ACCEPT, "application/json"), 400),
        (webhook, 404),
    ];
    for (request, status) in answers {
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), status);
        for (name, value) in [
            ("cache-control", "no-store"),
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
            ("strict-transport-security", "max-age=63072000"),
        ] {
            assert_eq!(
                answer.headers().get(name).and_then(|value| value.to_str().ok()),
                Some(value),
                "{status} {name}"
            );
        }
        assert!(answer.headers().get("server").is_none() && answer.headers().get("x-powered-by").is_none());
    }
}

/// A page that is open asks every few seconds.
#[tokio::test]
async fn what_a_caller_knows_already_is_not_sent_again() {
    let world = World::start().await;
    world.connect().await;
    world.sync_by_hand_alone().await;
    let (from, to) = (world.in_hours(0), world.in_hours(48));
    let range = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Secs, true);
    let events = format!("external-events/{}?from={}&to={}", world.instructor, range(from), range(to));
    for path in [format!("status/{}", world.instructor), events] {
        let ask = async |tag: &str| {
            let request = world.request(Method::GET, &format!("/api/v1/calendar/{path}")).bearer_auth(&world.token);
            let answer = request.header(header::IF_NONE_MATCH, tag).send().await.unwrap();
            let tag = answer.headers()[header::ETAG].to_str().unwrap().to_owned();
            (answer.status().as_u16(), tag, answer.bytes().await.unwrap())
        };
        let (status, tag, body) = ask("").await;
        assert!(status == 200 && !body.is_empty(), "{path}");
        let (status, again, body) = ask(&tag).await;
        assert_eq!((status, again.as_str(), body.len()), (304, tag.as_str(), 0), "{path}");
        world.plan_in_google("Dentist", world.in_hours(1), world.in_hours(2)).await;
        world.sync().await;
        let (status, changed, body) = ask(&tag).await;
        assert!(status == 200 && changed != tag && !body.is_empty(), "{path}");
    }
}

#[tokio::test]
async fn pages_of_other_origins_may_not_read_the_api() {
    let world = World::start().await;
    for origin in
        ["https://evil.example", "null", &world.api.replace("http:", "https:"), &format!("{}.evil.example", world.api)]
    {
        let preflight = world
            .request(Method::OPTIONS, "/api/v1/calendar/sync")
            .header(header::ORIGIN, origin)
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "authorization");
        let call = world.request(Method::GET, &format!("/api/v1/calendar/status/{}", world.instructor));
        for request in [preflight, call.header(header::ORIGIN, origin)] {
            let answer = request.send().await.unwrap();
            let allowed = answer.headers().get("access-control-allow-origin").map(|value| value.to_str().unwrap());
            assert!(allowed.is_none_or(|allowed| allowed == world.api), "{origin}: {allowed:?}");
        }
    }
    let own = world
        .request(Method::OPTIONS, "/api/v1/calendar/sync")
        .header(header::ORIGIN, &world.api)
        .header("access-control-request-method", "POST");
    assert_eq!(own.send().await.unwrap().headers()["access-control-allow-origin"], world.api);
}
