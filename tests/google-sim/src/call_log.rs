//! Calls that could change something, with their answers.

use std::collections::VecDeque;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;

use crate::http::{Request, lookup};

/// The calls that are kept; older ones are dropped.
const MAX_CALLS: usize = 10_000;

/// A call of the Calendar API other than GET, alone or as a part of a batch.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WriteCall {
    /// When it arrived, by this Google's clock.
    pub at: DateTime<Utc>,
    /// The method's id in the discovery document, such as `calendar.events.patch`.
    pub method: &'static str,
    /// The account of its token, if that was valid.
    pub account: Option<String>,
    /// The path as sent, percent-encoded.
    pub path: String,
    /// The calendar that the path names, with `primary` resolved.
    pub calendar: Option<String>,
    /// The event that the path names, or for an insert the body.
    pub event: Option<String>,
    /// The decoded query, in order, including the batch's.
    pub query: Vec<(String, String)>,
    pub if_match: Option<String>,
    /// The body; null when there is none or it is not JSON.
    pub body: Value,
    /// Whether it was a part of a batch.
    pub in_batch: bool,
    /// The answered status; 599 when a fault withheld the answer.
    pub status: u16,
    /// The status of the executed call; `None` when a fault prevented it. It differs from `status` when the answer was
    /// lost.
    pub outcome: Option<u16>,
}

impl WriteCall {
    /// The first query parameter of that name, such as `sendUpdates`.
    pub fn param(&self, name: &str) -> Option<&str> {
        lookup(&self.query, name)
    }

    /// Whether it changed something.
    pub fn took_effect(&self) -> bool {
        self.outcome.is_some_and(|status| status < 300)
    }

    pub(crate) fn new(
        at: DateTime<Utc>,
        method: &'static str,
        account: Option<&str>,
        request: &Request,
        in_batch: bool,
    ) -> Self {
        let segments = request.segments();
        let after = |name: &str| {
            let place = segments.iter().position(|segment| segment == name)?;
            segments.get(place + 1).map(|segment| segment.clone().into_owned())
        };
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let calendar = after("calendars").map(|id| match account {
            Some(account) if id == "primary" => account.to_owned(),
            _ => id,
        });
        let no_event = ["watch", "import", "quickAdd"];
        let in_path = after("events").filter(|named| !no_event.contains(&named.as_str()));
        let named = in_path.or_else(|| body["id"].as_str().map(str::to_owned));
        Self {
            at,
            method,
            account: account.map(str::to_owned),
            path: request.path.clone(),
            event: named.filter(|_| method != "calendar.events.watch" && calendar.is_some()),
            calendar,
            query: request.query.clone(),
            if_match: request.header_value("if-match").map(str::to_owned),
            body,
            in_batch,
            status: 0,
            outcome: None,
        }
    }
}

#[derive(Clone, Debug, Default)]
pub(crate) struct CallLog(pub VecDeque<WriteCall>);

impl CallLog {
    pub fn push(&mut self, call: WriteCall) {
        if self.0.len() == MAX_CALLS {
            self.0.pop_front();
        }
        self.0.push_back(call);
    }
}
