//! Requests of every endpoint as API Gateway and function URLs hand them on: method, path, query, headers, cookies, body.
//! Input: endpoint, query, cookie, content type or header, body, path parameter, separated by 0xff.
#![no_main]

use std::sync::LazyLock;

use calendar_functions::{
    connections, disconnect, external_events, oauth_callback, oauth_url, settings, status, sync, webhook,
};
use calendar_fuzz::{KEY, bootstrap, pieces, text, wait};
use lambda_http::{Request, http::Uri, request::LambdaRequest};
use libfuzzer_sys::fuzz_target;
use serde_json::json;

struct Endpoints {
    oauth_url: oauth_url::Deps,
    oauth_callback: oauth_callback::Deps,
    sync: sync::Deps,
    status: status::Deps,
    settings: settings::Deps,
    disconnect: disconnect::Deps,
    external_events: external_events::Deps,
    connections: connections::Deps,
    webhook: webhook::Deps,
}

static ENDPOINTS: LazyLock<Endpoints> = LazyLock::new(|| {
    wait(async {
        let on = bootstrap();
        Endpoints {
            oauth_url: oauth_url::Deps::new(&on).await.expect("a start"),
            oauth_callback: oauth_callback::Deps::new(&on).await.expect("a start"),
            sync: sync::Deps::new(&on).await.expect("a start"),
            status: status::Deps::new(&on).await.expect("a start"),
            settings: settings::Deps::new(&on).await.expect("a start"),
            disconnect: disconnect::Deps::new(&on).await.expect("a start"),
            external_events: external_events::Deps::new(&on).await.expect("a start"),
            connections: connections::Deps::new(&on).await.expect("a start"),
            webhook: webhook::Deps::new(&on).await.expect("a start"),
        }
    })
});

/// `None` for what no gateway hands on, since no HTTP server takes it: Lambda's own conversion stops at that.
fn request(data: &[u8]) -> Option<(u8, Request)> {
    let (endpoint, rest) = data.split_first()?;
    let mut pieces = pieces(rest);
    let mut next = || text(pieces.next());
    let (query, cookie, header, body, path) = (next(), next(), next(), next(), next());
    format!("https://api/?{query}").parse::<Uri>().ok()?;
    let method = ["GET", "GET", "POST", "POST", "GET", "PATCH", "POST", "GET", "POST", "GET"][usize::from(endpoint % 10)];
    let pairs = |pair: &str| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (name.to_owned(), json!(value))
    };
    let encoded = endpoint & 0x20 != 0;
    let body = if encoded { data_encoding::BASE64.encode(body.as_bytes()) } else { body };
    let own = KEY.instructor_id.to_string();
    let path = if path.is_empty() { own.clone() } else { path };
    let event = json!({
        "version": "2.0", "routeKey": "$default", "rawPath": "/", "rawQueryString": query,
        "queryStringParameters": query.split('&').map(pairs).collect::<serde_json::Map<_, _>>(),
        "pathParameters": { "instructorId": path },
        "cookies": [cookie],
        "headers": {
            "host": "api", "accept": "application/json", "content-type": "application/json",
            "x-goog-channel-id": query, "x-goog-channel-token": cookie, "x-goog-resource-state": header,
            "x-other": header,
        },
        "requestContext": {
            "http": { "method": method, "path": "/", "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "" },
            "timeEpoch": 0,
            "authorizer": { "jwt": { "claims": {
                "sub": "user", "tenant_id": if endpoint & 0x40 == 0 { KEY.tenant_id.to_string() } else { header.clone() },
                "instructor_id": own, "role": if endpoint & 0x80 == 0 { "admin" } else { header.as_str() },
            }, "scopes": null } },
        },
        "body": body, "isBase64Encoded": encoded,
    });
    let request: LambdaRequest = serde_json::from_value(event).ok()?;
    Some((endpoint % 10, request.into()))
}

fuzz_target!(|data: &[u8]| {
    let Some((endpoint, request)) = request(data) else { return };
    let on = &*ENDPOINTS;
    let answer = wait(async {
        match endpoint {
            0 => oauth_url::handle(&on.oauth_url, request).await,
            1 | 2 => oauth_callback::handle(&on.oauth_callback, request).await,
            3 => sync::handle(&on.sync, request).await,
            4 => status::handle(&on.status, request).await,
            5 => settings::handle(&on.settings, request).await,
            6 => disconnect::handle(&on.disconnect, request).await,
            7 => external_events::handle(&on.external_events, request).await,
            8 => webhook::handle(&on.webhook, request).await,
            _ => connections::handle(&on.connections, request).await,
        }
    });
    // Sealing needs a data key, which this AWS has not.
    assert!(answer.status().as_u16() != 500 || endpoint == 0, "{answer:?}");
});
