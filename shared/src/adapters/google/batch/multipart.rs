//! The `multipart/mixed` form of a batch and of its answer. Parts are matched by `Content-ID`: Google may answer them
//! in any order and leave some out.

use std::{collections::BTreeMap, fmt::Write as _};

use serde_json::Value;

/// No line of a body can begin with it, since bodies are JSON on a single line.
const BOUNDARY: &str = "calendar_sync_part";
pub(super) const CONTENT_TYPE: &str = "multipart/mixed; boundary=calendar_sync_part";

const ID_PREFIX: &str = "operation-";
/// Google's prefix to the `Content-ID` of the part that it answers.
const ANSWER_PREFIX: &str = "response-";
/// More headers than any answer has; an answer with more counts as missing.
const MAX_HEADERS: usize = 64;

pub(super) struct Part<'a> {
    pub number: usize,
    pub method: &'static str,
    /// Path and query, escaped.
    pub path: String,
    pub etag: Option<&'a str>,
    pub body: Option<Value>,
}

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
        // The etag comes from outside: it must not end its header line.
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

/// The answers by the numbers of their parts, without those that cannot be read.
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

/// The texts between boundary lines. A last part without a boundary after it may be cut off and counts as missing.
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
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let httparse::Status::Complete((length, headers)) = httparse::parse_headers(part, &mut headers).ok()? else {
        return None;
    };
    let id = headers.iter().find(|header| header.name.eq_ignore_ascii_case("content-id"))?;
    let number = part_number(std::str::from_utf8(id.value).ok()?)?;

    let inner = part.get(length..)?.trim_ascii();
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const TYPE: Option<&str> = Some("multipart/mixed; boundary=b");

    fn answered(body: &str) -> Vec<(usize, u16, String)> {
        let text = |answer: &PartAnswer<'_>| String::from_utf8_lossy(answer.body).into_owned();
        read(TYPE, body.as_bytes()).iter().map(|(number, answer)| (*number, answer.status, text(answer))).collect()
    }
    fn part(id: &str, inner: &str) -> String {
        format!("--b\r\nContent-Type: application/http\r\nContent-ID: {id}\r\n\r\n{inner}\r\n")
    }

    #[test]
    fn parts_are_written_as_google_documents_them() {
        let parts = [
            Part {
                number: 0,
                method: "PUT",
                path: "/calendar/v3/x?sendUpdates=none".to_owned(),
                etag: Some("\"1\""),
                body: Some(json!({ "summary": "a\r\n--calendar_sync_part" })),
            },
            Part { number: 1, method: "DELETE", path: "/calendar/v3/y".to_owned(), etag: None, body: None },
        ];
        let expected = concat!(
            "--calendar_sync_part\r\nContent-Type: application/http\r\nContent-ID: <operation-0>\r\n\r\n",
            "PUT /calendar/v3/x?sendUpdates=none HTTP/1.1\r\nIf-Match: \"1\"\r\nContent-Type: application/json\r\n\r\n",
            "{\"summary\":\"a\\r\\n--calendar_sync_part\"}\r\n",
            "--calendar_sync_part\r\nContent-Type: application/http\r\nContent-ID: <operation-1>\r\n\r\n",
            "DELETE /calendar/v3/y HTTP/1.1\r\n\r\n\r\n",
            "--calendar_sync_part--\r\n",
        );
        assert_eq!(write(parts.into_iter()), expected);
    }

    #[test]
    fn an_etag_cannot_add_headers() {
        let etag = Some("\"1\"\r\nX-Evil: 1");
        let evil = Part { number: 0, method: "GET", path: "/".to_owned(), etag, body: None };
        assert!(write([evil].into_iter()).contains("If-Match: \"1\"X-Evil: 1\r\n"));
    }

    #[test]
    fn answers_are_matched_by_id_in_whatever_order_they_come() {
        let body = part("<response-operation-1>", "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n{}")
            + &part("<response-operation-0>", "HTTP/1.1 200 OK\r\nETag: \"1\"\r\n\r\n{\"id\":\r\n1}")
            + "--b--\r\n";
        assert_eq!(answered(&body), [(0, 200, "{\"id\":\r\n1}".to_owned()), (1, 404, "{}".to_owned())]);
    }

    #[test]
    fn bare_line_feeds_preambles_and_epilogues_are_no_trouble() {
        let body =
            "preamble\n--b \ncontent-id: response-operation-7\n\nHTTP/1.1 204 No Content\n\n--b--\nepilogue\n--b\n";
        assert_eq!(answered(body), [(7, 204, String::new())]);
    }

    #[test]
    fn a_quoted_boundary_and_other_parameters_are_read() {
        let body = part("<response-operation-0>", "HTTP/1.1 200 OK\r\n\r\n{}") + "--b--";
        let content_type = Some("Multipart/Mixed; charset=UTF-8; Boundary=\"b\"");
        assert_eq!(read(content_type, body.as_bytes()).len(), 1);
    }

    #[test]
    fn a_part_that_is_cut_off_counts_as_missing() {
        let whole = part("<response-operation-0>", "HTTP/1.1 200 OK\r\n\r\n{}");
        let cut = part("<response-operation-1>", "HTTP/1.1 200 OK\r\n\r\n{\"id\":");
        assert_eq!(answered(&(whole + &cut)), [(0, 200, "{}".to_owned())]);
    }

    #[test]
    fn what_answers_nothing_is_left_out() {
        let good = "HTTP/1.1 200 OK\r\n\r\n{}";
        for (id, inner) in [
            ("<response-operation-x>", good),
            ("<response-other-0>", good),
            ("<response-operation-99999999999999999999999>", good),
            ("\u{e9}", good),
            ("<response-operation-0>", "200 OK"),
            ("<response-operation-0>", ""),
            ("<response-operation-0>", "HTTP/1.1 99999 OK\r\n\r\n{}"),
        ] {
            assert_eq!(answered(&(part(id, inner) + "--b--\r\n")), [], "{id} {inner}");
        }
    }

    #[test]
    fn of_two_answers_to_one_part_the_first_counts() {
        let body = part("<response-operation-0>", "HTTP/1.1 200 OK\r\n\r\n{}")
            + &part("<response-operation-0>", "HTTP/1.1 500 No\r\n\r\n{}")
            + "--b--";
        assert_eq!(answered(&body), [(0, 200, "{}".to_owned())]);
    }

    #[test]
    fn no_garbage_is_taken_for_an_answer_or_ends_in_a_panic() {
        let whole = part("<response-operation-0>", "HTTP/1.1 200 OK\r\n\r\n{}") + "--b--\r\n";
        for content_type in
            [None, Some(""), Some("text/html"), Some("multipart/mixed"), Some("multipart/mixed; boundary=")]
        {
            assert!(read(content_type, whole.as_bytes()).is_empty(), "{content_type:?}");
        }
        for end in 0..whole.len() {
            assert!(read(TYPE, &whole.as_bytes()[..end]).len() <= 1);
            let mut bent = whole.clone().into_bytes();
            bent[end] = 0xff;
            assert!(read(TYPE, &bent).len() <= 1);
        }
        let headers = "X: y\r\n".repeat(MAX_HEADERS + 1);
        let many =
            format!("--b\r\n{headers}Content-ID: <response-operation-0>\r\n\r\nHTTP/1.1 200 OK\r\n\r\n{{}}\r\n--b--");
        assert!(read(TYPE, many.as_bytes()).is_empty());
    }
}
