//! Batches: `multipart/mixed`, answered part by part.

use std::collections::BTreeSet;
use std::io::Write;

use chrono::{DateTime, Utc};

use crate::Google;
use crate::calendar::api;
use crate::error::{ApiError, Result};
use crate::http::{Delivery, Request, Response};

/// One call of a batch, with the id under which it is answered.
struct Part {
    content_id: Option<String>,
    call: Request,
}

impl Google {
    /// Answers a batch. The parts are executed in random order and answered in the order of the request.
    pub(crate) fn batch(&mut self, now: DateTime<Utc>, request: &Request) -> Response {
        self.with_faults("batch", None, |google| match google.parts_of(request) {
            Ok(parts) => google.answer_parts(now, &parts),
            Err(error) => error.response(),
        })
    }

    fn parts_of(&self, request: &Request) -> Result<Vec<Part>> {
        let broken = || ApiError::bad_request("Failed to parse batch request.");
        let parts = read_parts(request).ok_or_else(broken)?;
        let limit = self.config.limits.batch;
        if parts.is_empty() {
            return Err(broken());
        }
        if parts.len() > limit {
            let message = format!("The batch request exceeds the limit of {limit} calls.");
            return Err(ApiError::bad_request(&message));
        }
        Ok(parts)
    }

    fn answer_parts(&mut self, now: DateTime<Utc>, parts: &[Part]) -> Response {
        let mut order: Vec<usize> = (0..parts.len()).collect();
        self.random.shuffle(&mut order);
        let mut answers: Vec<Option<Response>> = parts.iter().map(|_| None).collect();
        let mut changed = BTreeSet::new();
        for place in order {
            let call = &parts[place].call;
            // Two writes to one event clash.
            let clash = api::changed_by(call).is_some_and(|event| !changed.insert(event));
            answers[place] =
                Some(if clash { ApiError::conflict().response() } else { self.calendar_call(now, call, true) });
        }
        let boundary = format!("batch_{}", self.random.text(32));
        let mut body = Vec::new();
        for (part, answer) in parts.iter().zip(answers.into_iter().flatten()) {
            write_part(&mut body, &boundary, part, &answer);
        }
        let _ = write!(body, "--{boundary}--\r\n");
        Response { status: 200, body, ..Response::default() }
            .with("content-type", &format!("multipart/mixed; boundary={boundary}"))
    }
}

fn write_part(body: &mut Vec<u8>, boundary: &str, part: &Part, answer: &Response) {
    // A single part cannot stay unanswered: a fault that drops a response is a backend error here.
    let failed;
    let answer = if matches!(answer.delivery, Delivery::Never | Delivery::Cut) {
        failed = ApiError::new(503, "global", "backendError", "Backend Error").response();
        &failed
    } else {
        answer
    };
    let _ = write!(body, "--{boundary}\r\nContent-Type: application/http\r\n");
    if let Some(id) = &part.content_id {
        let _ = match id.strip_prefix('<') {
            Some(inner) => write!(body, "Content-ID: <response-{inner}\r\n"),
            None => write!(body, "Content-ID: response-{id}\r\n"),
        };
    }
    let _ = write!(body, "\r\nHTTP/1.1 {} {}\r\n", answer.status, phrase(answer.status));
    for (name, value) in &answer.headers {
        let _ = write!(body, "{name}: {value}\r\n");
    }
    let _ = write!(body, "content-length: {}\r\n\r\n", answer.body.len());
    body.extend_from_slice(&answer.body);
    body.extend_from_slice(b"\r\n");
}

fn phrase(status: u16) -> &'static str {
    hyper::StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()).unwrap_or("Unknown")
}

fn read_parts(request: &Request) -> Option<Vec<Part>> {
    let kind = request.header_value("content-type")?;
    let boundary = kind.split(';').map(str::trim).find_map(|part| part.strip_prefix("boundary="))?.trim_matches('"');
    let body = std::str::from_utf8(&request.body).ok()?;
    let delimiter = format!("--{boundary}");
    let mut pieces = body.split(delimiter.as_str());
    pieces.next()?;
    let mut parts = Vec::new();
    for piece in pieces {
        if piece.starts_with("--") {
            return Some(parts);
        }
        parts.push(read_part(request, piece.trim_start_matches(['\r', '\n']))?);
    }
    // The closing delimiter is missing.
    None
}

fn read_part(outer: &Request, text: &str) -> Option<Part> {
    let (headers, rest) = split_head(text)?;
    let headers = read_headers(headers);
    let content_id = crate::http::lookup(&headers, "content-id").map(str::to_owned);
    let (head, body) = split_head(rest).unwrap_or((rest, ""));
    let (line, inner_headers) = head.split_once('\n').unwrap_or((head, ""));
    let mut words = line.split_whitespace();
    let (method, target) = (words.next()?, words.next()?);
    if !target.starts_with('/') {
        return None;
    }
    let mut call = Request::new(method, target);
    call.headers = read_headers(inner_headers);
    call.body = body.trim_end_matches(['\r', '\n']).as_bytes().to_vec();
    inherit(&mut call, outer);
    Some(Part { content_id, call })
}

/// Headers (except `Content-…`) and parameters of the batch apply to each part that does not set them.
fn inherit(call: &mut Request, outer: &Request) {
    for (name, value) in &outer.headers {
        if !name.starts_with("content-") && call.header_value(name).is_none() {
            call.headers.push((name.clone(), value.clone()));
        }
    }
    for (name, value) in &outer.query {
        if call.param(name).is_none() {
            call.query.push((name.clone(), value.clone()));
        }
    }
}

/// What stands before and after the first empty line.
fn split_head(text: &str) -> Option<(&str, &str)> {
    ["\r\n\r\n", "\n\n"].iter().filter_map(|gap| text.split_once(gap)).min_by_key(|(head, _)| head.len())
}

fn read_headers(text: &str) -> Vec<(String, String)> {
    text.lines()
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.trim().to_ascii_lowercase(), value.trim().to_owned()))
        .collect()
}
