//! Requests and answers in API Gateway's payload format 2.0, which function URLs share.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>

use std::collections::{BTreeMap, HashMap};

use anyhow::Context as _;
use axum::{
    body::Body,
    extract::Query,
    http::{
        HeaderMap, HeaderName, HeaderValue, Response, StatusCode,
        header::{CONTENT_TYPE, COOKIE, SET_COOKIE, USER_AGENT},
        request::Parts,
    },
};
use chrono::{DateTime, Utc};
use data_encoding::BASE64;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Access, Route};
use crate::{aws::ACCOUNT, system};

/// AWS tells a function the API's own host and scheme, whatever a caller says that they are.
const DOMAIN: &str = "localhost";

#[derive(Debug)]
pub struct Call<'a> {
    pub route: &'a Route,
    pub parts: &'a Parts,
    /// The parameters in its path, decoded.
    pub path_parameters: HashMap<String, String>,
    /// The claims of the token that the authorizer verified.
    pub claims: Option<Map<String, Value>>,
    pub body: &'a [u8],
}

impl Call<'_> {
    /// The event that the function gets.
    pub fn event(self, now: DateTime<Utc>) -> Value {
        let Self { route, parts, path_parameters, claims, body } = self;
        let mut headers = joined_headers(&parts.headers);
        headers.extend([("host", DOMAIN.to_owned()), ("x-forwarded-proto", "http".to_owned())]);
        let route_key = match route.access {
            Access::FunctionUrl => "$default".to_owned(),
            Access::Token | Access::Open => format!("{} {}", route.method, route.path),
        };
        let mut event = json!({
            "version": "2.0",
            "routeKey": route_key,
            "rawPath": parts.uri.path(),
            "rawQueryString": parts.uri.query().unwrap_or_default(),
            "headers": headers,
            "requestContext": {
                "accountId": ACCOUNT,
                "apiId": "local",
                "domainName": DOMAIN,
                "domainPrefix": DOMAIN,
                "http": {
                    "method": parts.method.as_str(),
                    "path": parts.uri.path(),
                    "protocol": "HTTP/1.1",
                    "sourceIp": "127.0.0.1",
                    "userAgent": parts.headers.get(USER_AGENT).map_or("", text),
                },
                "requestId": system::random_id(),
                "routeKey": route_key,
                "stage": "$default",
                "time": now.format("%d/%b/%Y:%H:%M:%S +0000").to_string(),
                "timeEpoch": now.timestamp_millis(),
            },
            "isBase64Encoded": false,
        });
        let cookies = cookies(&parts.headers);
        if !cookies.is_empty() {
            event["cookies"] = json!(cookies);
        }
        let query = joined_query(parts);
        if !query.is_empty() {
            event["queryStringParameters"] = json!(query);
        }
        if !path_parameters.is_empty() {
            event["pathParameters"] = json!(path_parameters);
        }
        if let Some(claims) = claims {
            event["requestContext"]["authorizer"] = json!({ "jwt": { "claims": claims, "scopes": null } });
        }
        if !body.is_empty() {
            match std::str::from_utf8(body) {
                Ok(text) if is_textual(&parts.headers) => event["body"] = json!(text),
                _ => {
                    event["body"] = json!(BASE64.encode(body));
                    event["isBase64Encoded"] = json!(true);
                }
            }
        }
        event
    }
}

/// A function's answer in payload format 2.0.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    status_code: u16,
    #[serde(default)]
    headers: HashMap<String, String>,
    #[serde(default)]
    cookies: Vec<String>,
    body: Option<String>,
    #[serde(default)]
    is_base64_encoded: bool,
}

/// Turns a function's answer into the response that the caller gets.
pub fn response(answer: Value) -> anyhow::Result<Response<Body>> {
    let answer: Answer = serde_json::from_value(answer).context("no answer in payload format 2.0")?;
    let body = answer.body.unwrap_or_default();
    let body = if answer.is_base64_encoded { Body::from(BASE64.decode(body.as_bytes())?) } else { Body::from(body) };
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(answer.status_code)?;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    for (name, value) in answer.headers {
        headers.insert(HeaderName::try_from(name)?, HeaderValue::try_from(value)?);
    }
    for cookie in answer.cookies {
        headers.append(SET_COOKIE, HeaderValue::try_from(cookie)?);
    }
    Ok(response)
}

/// Lower-case names, repeated headers joined by commas, cookies apart.
fn joined_headers(headers: &HeaderMap) -> BTreeMap<&str, String> {
    let mut joined = BTreeMap::<&str, String>::new();
    for (name, value) in headers.iter().filter(|(name, _)| *name != COOKIE) {
        append(joined.entry(name.as_str()).or_default(), text(value));
    }
    joined
}

/// Repeated parameters joined by commas.
fn joined_query(parts: &Parts) -> BTreeMap<String, String> {
    let mut joined = BTreeMap::<String, String>::new();
    let pairs = Query::<Vec<(String, String)>>::try_from_uri(&parts.uri);
    for (name, value) in pairs.map(|Query(pairs)| pairs).unwrap_or_default() {
        append(joined.entry(name).or_default(), &value);
    }
    joined
}

fn append(joined: &mut String, value: &str) {
    if !joined.is_empty() {
        joined.push(',');
    }
    joined.push_str(value);
}

fn cookies(headers: &HeaderMap) -> Vec<&str> {
    headers
        .get_all(COOKIE)
        .iter()
        .flat_map(|value| text(value).split("; "))
        .filter(|cookie| !cookie.is_empty())
        .collect()
}

fn is_textual(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).map_or("", text);
    ["text/", "application/json", "application/javascript", "application/xml"]
        .iter()
        .any(|textual| kind.starts_with(textual))
}

fn text(value: &HeaderValue) -> &str {
    value.to_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use axum::http::Request;
    use lambda_http::{RequestExt as _, RequestPayloadExt as _, request::LambdaRequest};

    use super::*;

    const STATUS: Route = Route {
        method: "GET",
        path: "/api/v1/calendar/status/{instructorId}",
        function: "status",
        access: Access::Token,
    };

    /// The request as a handler sees it.
    fn seen(request: Request<&str>, claims: Option<Map<String, Value>>) -> lambda_http::Request {
        let (parts, body) = request.into_parts();
        let call = Call {
            route: &STATUS,
            parts: &parts,
            path_parameters: HashMap::from([("instructorId".to_owned(), "i 1".to_owned())]),
            claims,
            body: body.as_bytes(),
        };
        serde_json::from_value::<LambdaRequest>(call.event(system::now())).unwrap().into()
    }

    #[test]
    fn a_handler_sees_parameters_cookies_and_claims() {
        let request =
            Request::get("/api/v1/calendar/status/i%201?a=1&a=2&b=%2F").header("cookie", "x=1; y=2").body("").unwrap();
        let claims = Map::from_iter([("role".to_owned(), json!("admin"))]);
        let seen = seen(request, Some(claims));
        assert_eq!(seen.path_parameters().first("instructorId"), Some("i 1"));
        assert_eq!(seen.query_string_parameters().all("a"), Some(vec!["1", "2"]));
        assert_eq!(seen.query_string_parameters().first("b"), Some("/"));
        assert_eq!(seen.headers()["cookie"], "x=1; y=2");
        let Some(lambda_http::request::RequestContext::ApiGatewayV2(context)) = seen.request_context_ref() else {
            panic!("no context of API Gateway v2")
        };
        let claims = context.authorizer.as_ref().unwrap().jwt.as_ref().unwrap().claims.clone();
        assert_eq!(claims["role"], "admin");
    }

    #[test]
    fn a_json_body_arrives_as_text_and_any_other_as_bytes() {
        for kind in ["application/json", "application/octet-stream"] {
            let request = Request::post("/").header("content-type", kind).body(r#"{"a":1}"#).unwrap();
            let seen = seen(request, None);
            assert_eq!(matches!(seen.body(), lambda_http::Body::Text(_)), kind == "application/json");
            assert_eq!(seen.json::<Value>().unwrap_or_else(|_| Some(json!({"a": 1}))), Some(json!({"a": 1})));
        }
    }

    #[tokio::test]
    async fn an_answer_keeps_its_status_headers_cookies_and_bytes() {
        let response = response(json!({
            "statusCode": 202,
            "headers": { "content-type": "image/png" },
            "cookies": ["a=1; HttpOnly", "b=2"],
            "body": BASE64.encode(&[0xff, 0]),
            "isBase64Encoded": true,
        }))
        .unwrap();
        assert_eq!(response.status(), 202);
        assert_eq!(response.headers()["content-type"], "image/png");
        assert_eq!(response.headers().get_all(SET_COOKIE).iter().count(), 2);
        let body = axum::body::to_bytes(response.into_body(), 10).await.unwrap();
        assert_eq!(body.as_ref(), [0xff, 0]);
    }
}
