//! Replies: `{"success": true, "data": …}`, or `{"success": false, "error": {…}}` with a matching status.

use data_encoding::BASE64URL_NOPAD;
use lambda_http::{
    Body, Request, Response,
    http::{HeaderName, HeaderValue, StatusCode, header},
};
use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::{Error, ErrorKind, Result};

/// 200 with `data`.
pub fn ok(data: &impl Serialize) -> Result<Response<Body>> {
    success(StatusCode::OK, data)
}

/// 200 with `data` and a tag of it; 304 and no body if the caller names that tag (`If-None-Match`): a page that asks every
/// few seconds is seldom told anything new.
pub fn unless_known(request: &Request, data: &impl Serialize) -> Result<Response<Body>> {
    let mut response = ok(data)?;
    let tag = format!("\"{}\"", &BASE64URL_NOPAD.encode(&Sha256::digest(response.body().as_ref()))[..22]);
    let named = request.headers().get_all(header::IF_NONE_MATCH).iter().filter_map(|tags| tags.to_str().ok());
    // A proxy that compresses answers marks their tags as weak.
    if named.flat_map(|tags| tags.split(',')).any(|known| known.trim().trim_start_matches("W/") == tag) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        *response.body_mut() = Body::Empty;
        response.headers_mut().remove(header::CONTENT_TYPE);
    }
    response.headers_mut().insert(header::ETAG, HeaderValue::try_from(tag).map_err(Error::internal)?);
    Ok(response)
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
        ErrorKind::Forbidden => StatusCode::FORBIDDEN,
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

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(tags: &str, data: &str) -> (u16, usize, String) {
        let mut request = Request::new(Body::Empty);
        request.headers_mut().insert(header::IF_NONE_MATCH, HeaderValue::try_from(tags).unwrap());
        let response = unless_known(&request, &data).unwrap();
        let tag = response.headers()[header::ETAG].to_str().unwrap().to_owned();
        (response.status().as_u16(), response.body().as_ref().len(), tag)
    }

    #[test]
    fn a_caller_who_names_the_tag_of_the_answer_gets_no_body() {
        let (status, length, tag) = asked("", "lessons");
        assert_eq!((status, length), (200, r#"{"data":"lessons","success":true}"#.len()));
        for tags in [&tag, &format!("W/{tag}"), &format!("\"other\", {tag}")] {
            assert_eq!(asked(tags, "lessons"), (304, 0, tag.clone()), "{tags}");
        }
        for tags in ["\"other\"", "*", &tag[1..], "é"] {
            assert_eq!(asked(tags, "lessons").0, 200, "{tags}");
        }
        assert_eq!(asked(&tag, "fewer lessons").0, 200);
    }
}
