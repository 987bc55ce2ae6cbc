//! The `multipart/mixed` form of a batch, and of its answer. Parts are matched by `Content-ID`: Google carries them
//! out in any order, and what it leaves out is simply missing.

use std::{collections::BTreeMap, fmt::Write as _};

use serde_json::Value;

/// No line of a body can begin with it: bodies are JSON on a single line.
const BOUNDARY: &str = "calendar_sync_part";
pub(super) const CONTENT_TYPE: &str = "multipart/mixed; boundary=calendar_sync_part";

const ID_PREFIX: &str = "operation-";
/// Google puts it before the `Content-ID` that it answers.
const ANSWER_PREFIX: &str = "response-";
/// More headers than any answer has; one with more is left out.
const MOST_HEADERS: usize = 64;

/// One inner request.
pub(super) struct Part<'a> {
    pub number: usize,
    pub method: &'static str,
    /// Path and query, escaped.
    pub path: String,
    pub etag: Option<&'a str>,
    pub body: Option<Value>,
}

/// One inner answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct PartAnswer<'a> {
    pub status: u16,
    pub body: &'a [u8],
}

pub(super) fn write<'a>(parts: impl Iterator<Item = Part<'a>>) -> String {
    let mut text = String::new();
    for part in parts {
        write_part(&mut text, &part);
    }
    text + "--" + BOUNDARY + "--\r\n"
}

fn write_part(text: &mut String, Part { number, method, path, etag, body }: &Part<'_>) {
    // Writing to a string cannot fail.
    let _ = write!(
        text,
        "--{BOUNDARY}\r\n\
         Content-Type: application/http\r\n\
         Content-ID: <{ID_PREFIX}{number}>\r\n\
         \r\n\
         {method} {path} HTTP/1.1\r\n"
    );
    if let Some(etag) = etag {
        // It comes from outside: it must not end its line.
        let etag: String = etag.chars().filter(|c| !c.is_control()).collect();
        let _ = write!(text, "If-Match: {etag}\r\n");
    }
    if let Some(body) = body {
        let _ = write!(text, "Content-Type: application/json\r\n\r\n{body}");
    } else {
        text.push_str("\r\n");
    }
    text.push_str("\r\n");
}

/// The answers by the numbers of their parts. What cannot be read is left out.
pub(super) fn read<'a>(content_type: Option<&str>, body: &'a [u8]) -> BTreeMap<usize, PartAnswer<'a>> {
    let Some(boundary) = content_type.and_then(boundary) else { return BTreeMap::new() };
    let mut answers = BTreeMap::new();
    for (number, answer) in split(body, &boundary).into_iter().filter_map(read_part) {
        answers.entry(number).or_insert(answer);
    }
    answers
}

/// The `boundary` parameter of a content type, quoted or not.
fn boundary(content_type: &str) -> Option<String> {
    let mut pieces = content_type.split(';');
    if !pieces.next()?.trim().eq_ignore_ascii_case("multipart/mixed") {
        return None;
    }
    let value = pieces.find_map(|piece| {
        let (name, value) = piece.split_once('=')?;
        name.trim().eq_ignore_ascii_case("boundary").then(|| value.trim().trim_matches('"'))
    })?;
    (!value.is_empty()).then(|| value.to_owned())
}

/// What stands between the boundary's lines. A last part without a boundary after it may be cut off, and counts as
/// missing.
fn split<'a>(body: &'a [u8], boundary: &str) -> Vec<&'a [u8]> {
    let (mut parts, mut start, mut at) = (Vec::new(), None, 0);
    for line in body.split_inclusive(|byte| *byte == b'\n') {
        let after = at + line.len();
        if let Some(rest) = line.strip_prefix(b"--").and_then(|line| line.strip_prefix(boundary.as_bytes())) {
            let rest = rest.trim_ascii_end();
            if rest.is_empty() || rest == b"--" {
                parts.extend(start.and_then(|start| body.get(start..at)));
                start = rest.is_empty().then_some(after);
            }
        }
        at = after;
    }
    parts
}

fn read_part(part: &[u8]) -> Option<(usize, PartAnswer<'_>)> {
    let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let httparse::Status::Complete((length, headers)) = httparse::parse_headers(part, &mut headers).ok()? else {
        return None;
    };
    let id = headers.iter().find(|header| header.name.eq_ignore_ascii_case("content-id"))?;
    let number = part_number(std::str::from_utf8(id.value).ok()?)?;

    let inner = part.get(length..)?.trim_ascii();
    let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    // A part without a body may end right after its headers, without the empty line.
    let length = match response.parse(inner).ok()? {
        httparse::Status::Complete(length) => length,
        httparse::Status::Partial => inner.len(),
    };
    Some((number, PartAnswer { status: response.code?, body: inner.get(length..)? }))
}

fn part_number(id: &str) -> Option<usize> {
    let id = id.trim().trim_start_matches('<').trim_end_matches('>');
    id.strip_prefix(ANSWER_PREFIX).unwrap_or(id).strip_prefix(ID_PREFIX)?.parse().ok()
}
