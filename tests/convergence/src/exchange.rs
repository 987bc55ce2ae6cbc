//! Calls to Google with their answers, part by part: read from the wire, so that the checks see what Google sees.

use google_sim::{Delivery, Request, Response};
use serde_json::Value;

use calendar_sync::model::ConnectionKey;

/// The reason of Google's lasting refusals in a history.
pub const FOR_GOOD: &str = "eventTypeRestriction";

/// Transient refusals.
const PASSING: [&str; 4] = ["rateLimitExceeded", "userRateLimitExceeded", "quotaExceeded", "authError"];

/// Whether a call lists a calendar's events. One that asks for a single event only finds out whether the calendar exists.
pub fn lists_events(call: &Request) -> bool {
    let only_probes = call.query.iter().any(|(name, value)| name == "maxResults" && value == "1");
    call.method == "GET" && call.path.ends_with("/events") && !only_probes
}

/// One call of the Calendar API, alone or as a part of a batch.
#[derive(Debug, Clone)]
pub struct Call {
    pub method: String,
    /// The path, without the query.
    pub path: String,
    /// The query, unescaped.
    pub query: Vec<(String, String)>,
    pub if_match: Option<String>,
    /// The body; null when there is none.
    pub body: Value,
    /// The status of the answer; 0 when Google left the part out, or answered with something else.
    pub status: u16,
    pub answer: Value,
}

/// One exchange with Google for a connection.
#[derive(Debug, Clone)]
pub struct Exchange {
    pub key: Option<ConnectionKey>,
    pub calls: Vec<Call>,
    pub answered: bool,
    /// The events that a listing showed so that they cannot be read.
    pub flawed: Vec<String>,
}

impl Call {
    /// Whether it asks for a change of an event.
    pub fn writes(&self) -> bool {
        self.method != "GET" && self.path.contains("/events") && !self.path.ends_with("/watch")
    }

    /// Whether it only closes a channel.
    pub fn stops(&self) -> bool {
        self.path.ends_with("/channels/stop")
    }

    pub fn calendar(&self) -> &str {
        let rest = self.path.strip_prefix("/calendar/v3/calendars/").unwrap_or_default();
        rest.split('/').next().unwrap_or_default()
    }

    /// The event that it names, in its path or in its body.
    pub fn event(&self) -> Option<&str> {
        let of_path = self.path.split_once("/events/").map(|(_, id)| id).filter(|id| *id != "watch");
        of_path.or_else(|| self.body["id"].as_str())
    }

    pub fn reason(&self) -> &str {
        self.answer["error"]["errors"][0]["reason"].as_str().unwrap_or_default()
    }

    /// Whether Google refuses it for good.
    pub fn is_refused_for_good(&self) -> bool {
        let gone = matches!(self.status, 404 | 410) && self.method != "POST";
        (400..500).contains(&self.status)
            && !matches!(self.status, 401 | 409 | 412 | 429)
            && !gone
            && !PASSING.contains(&self.reason())
    }

    /// Google's word, where it says that the person's permission is gone or lacks a scope.
    pub fn withdraws(&self) -> Option<&str> {
        const WORDS: [&str; 4] = ["invalid_grant", "invalid_token", "access_denied", "admin_policy_enforced"];
        const SCOPES: [&str; 2] = ["insufficientPermissions", "ACCESS_TOKEN_SCOPE_INSUFFICIENT"];
        let word = self.answer["error"].as_str().filter(|word| WORDS.contains(word));
        // (Of a channel that may not be opened or closed, the connection need not end.)
        let of_channel = self.path.ends_with("/watch") || self.stops();
        let scope = Some(self.reason()).filter(|reason| self.status == 403 && SCOPES.contains(reason) && !of_channel);
        word.or(scope)
    }

    /// What the state may say of the connection because of this answer, where that is more than that something failed.
    pub fn accounts_for(&self) -> Option<&'static str> {
        match (self.status, self.reason()) {
            (403 | 429, "quotaExceeded" | "dailyLimitExceeded") => Some("quota_exceeded"),
            (403, "notACalendarUser") => Some("calendar_gone"),
            (404, _) if self.lists() => Some("calendar_gone"),
            (401, _) => Some("client_refused"),
            (400..500, _) if self.answer["error"].is_string() => Some("client_refused"),
            (400..500, _) if self.lists() => Some("google_refused"),
            _ => None,
        }
    }

    fn lists(&self) -> bool {
        self.method == "GET" && self.path.ends_with("/events")
    }

    /// Whether it succeeded.
    pub fn is_well(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

impl Exchange {
    /// Reads a call and its answer; a batch has a call for each part.
    pub fn read(key: Option<ConnectionKey>, request: &Request, response: &Response, answered: bool) -> Self {
        let calls = if request.path.starts_with("/batch/") {
            batch(request, response)
        } else {
            vec![Call {
                method: request.method.clone(),
                path: request.path.clone(),
                query: request.query.clone(),
                if_match: None,
                body: json(&request.body),
                status: if is_garbage(&response.body) { 0 } else { response.status },
                answer: if response.status < 300 { Value::Null } else { json(&response.body) },
            }]
        };
        Self { key, calls, answered: answered && response.delivery != Delivery::Never, flawed: Vec::new() }
    }

    /// Whether it is the first page of a listing.
    pub fn begins_listing(&self) -> bool {
        let begins = |call: &Call| call.lists() && !call.query.iter().any(|(name, _)| name == "pageToken");
        self.calls.iter().any(begins)
    }

    /// Whether all of it succeeded.
    pub fn is_well(&self) -> bool {
        self.answered && self.calls.iter().all(Call::is_well)
    }
}

/// Whether a successful answer is not JSON.
fn is_garbage(body: &[u8]) -> bool {
    body.trim_ascii().first().is_some_and(|first| *first != b'{')
}

fn json(text: &[u8]) -> Value {
    serde_json::from_slice(text).unwrap_or_default()
}

/// The pieces of a multipart body, by the number in their `Content-ID`.
fn pieces(text: &str) -> Vec<(&str, &str)> {
    let numbered = text.split("operation-").skip(1);
    numbered.filter_map(|piece| piece.split_once('>')).collect()
}

fn batch(request: &Request, response: &Response) -> Vec<Call> {
    let (asked, answered) = (String::from_utf8_lossy(&request.body), String::from_utf8_lossy(&response.body));
    let answers = pieces(&answered);
    let call = |(number, piece): (&str, &str)| {
        let (head, body) = piece.trim_start().split_once("\r\n\r\n")?;
        let (line, headers) = head.split_once("\r\n").unwrap_or((head, ""));
        let mut words = line.split(' ');
        let target = Request::new(words.next()?, words.next()?);
        let answer = answers.iter().find(|(other, _)| *other == number).map(|(_, answer)| *answer).unwrap_or_default();
        let status = answer.split_once("HTTP/1.1 ").and_then(|(_, rest)| rest.split(' ').next()?.parse().ok());
        let said = answer.trim_start().split_once("\r\n\r\n").map_or("", |(_, said)| said);
        let said = said.split_once("\r\n--").map_or("", |(said, _)| said);
        let line_of = |text: &str| json(text.lines().next().unwrap_or_default().as_bytes());
        Some(Call {
            method: target.method,
            path: target.path,
            query: target.query,
            if_match: headers.lines().find_map(|line| line.strip_prefix("If-Match: ")).map(str::to_owned),
            body: line_of(body),
            status: status.filter(|_| !is_garbage(said.as_bytes())).unwrap_or(0),
            answer: json(said.as_bytes()),
        })
    };
    pieces(&asked).into_iter().filter_map(call).collect()
}
