//! Replies: `{"success": true, "data": …}`, or `{"success": false, "error": {…}}` with a matching status.

use lambda_http::{
    Body, Response,
    http::{HeaderName, HeaderValue, StatusCode, header},
};
use serde::Serialize;
use serde_json::{Value, json};

use crate::{Error, ErrorKind, Result};

/// 200 with `data`.
pub fn ok(data: &impl Serialize) -> Result<Response<Body>> {
    success(StatusCode::OK, data)
}

/// 202: the work continues; `data` says how to follow it.
pub fn accepted(data: &impl Serialize) -> Result<Response<Body>> {
    success(StatusCode::ACCEPTED, data)
}

pub fn redirect(location: &str) -> Result<Response<Body>> {
    let location = HeaderValue::from_str(location).map_err(Error::internal)?;
    let mut response = render(StatusCode::SEE_OTHER, &Value::Null);
    *response.body_mut() = Body::Empty;
    response.headers_mut().insert(header::LOCATION, location);
    Ok(response)
}

pub fn empty() -> Response<Body> {
    let mut response = render(StatusCode::OK, &Value::Null);
    *response.body_mut() = Body::Empty;
    response
}

/// The reply to a handler's result. Errors are logged here, and nowhere else.
pub fn answer(result: Result<Response<Body>>) -> Response<Body> {
    result.unwrap_or_else(|error| problem(&error))
}

fn success(status: StatusCode, data: &impl Serialize) -> Result<Response<Body>> {
    let data = serde_json::to_value(data).map_err(Error::internal)?;
    Ok(render(status, &json!({ "success": true, "data": data })))
}

/// An error as its status code and public text.
pub fn problem(error: &Error) -> Response<Body> {
    let status = match error.kind() {
        ErrorKind::Invalid => StatusCode::BAD_REQUEST,
        ErrorKind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        ErrorKind::Unauthenticated => StatusCode::UNAUTHORIZED,
        ErrorKind::NotFound => StatusCode::NOT_FOUND,
        ErrorKind::Conflict | ErrorKind::Refused => StatusCode::CONFLICT,
        ErrorKind::RateLimited => StatusCode::TOO_MANY_REQUESTS,
        ErrorKind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        ErrorKind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    };
    if status.is_server_error() {
        tracing::error!(?error, "the request failed");
    } else {
        tracing::info!(code = error.code(), %status, "the request was refused");
    }
    let mut body = json!({ "success": false, "error": { "code": error.code(), "message": error.message() } });
    if !error.details().is_empty() {
        body["error"]["details"] = json!(error.details());
    }
    let mut response = render(status, &body);
    if let Some(wait) = error.wait() {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(wait.as_secs().max(1)));
    }
    response
}

fn render(status: StatusCode, body: &Value) -> Response<Body> {
    const HEADERS: [(HeaderName, &str); 6] = [
        (header::CONTENT_TYPE, "application/json"),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
        (header::STRICT_TRANSPORT_SECURITY, "max-age=63072000"),
    ];
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}
