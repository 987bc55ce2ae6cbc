//! Google's answers to the product: they are shown as flawed as they are to be, and noted for the checks.

use std::time::Duration;

use calendar_sync::model::ConnectionKey;
use chrono::{DateTime, TimeDelta, Utc};
use google_sim::{Delivery, Response};
use serde_json::{Value, json};

use crate::{
    coverage::Fault,
    exchange::{Call, Exchange, FOR_GOOD, lists_events},
    sim::{Halfway, State, number},
    truth::{self, Flaw},
};

impl State {
    /// Whether a listing of the calendar leaves out, now, how an event was changed last.
    fn lags_behind(&mut self, calendar: &str) -> bool {
        let lag = i64::try_from(self.google.behaviour_mut().listing_lag_ms).unwrap_or(i64::MAX);
        let since = self.now - TimeDelta::milliseconds(lag);
        let is_later =
            |event: &Value| event["updated"].as_str().and_then(|at| at.parse::<DateTime<Utc>>().ok()) > Some(since);
        lag > 0 && self.google.events(calendar).iter().any(is_later)
    }

    /// What Google answers, and the truth that is in it.
    pub(crate) fn google_answers(&mut self, to_google: &google_sim::Request, time: Duration) -> Response {
        let token = to_google.header_value("authorization").unwrap_or_default().to_owned();
        let caller = self.google.account_of(self.now, &token).unwrap_or_default();
        let key = self.speaker(to_google);
        let writes = to_google.path == "/batch/calendar/v3";
        let before = if writes { truth::stamps(&self.google) } else { truth::Stamps::new() };
        let lists = lists_events(to_google);
        if lists && !to_google.query.iter().any(|(name, _)| name == "pageToken") {
            let moment = self.truth.tick();
            if let Some(key) = key {
                self.truth.listed.insert(key, moment);
                self.truth.listed_at.insert(key, self.now);
                // A notice that comes after this listing may be taken for one from before it.
                self.truth.miss(Some(key).filter(|_| !self.ahead.is_zero()));
            }
        }
        let mut response = self.google.handle(self.now, to_google);
        let mut flawed = Vec::new();
        if lists && response.status == 200 {
            let is_delta = to_google.query.iter().any(|(name, _)| name == "syncToken");
            if self.nameless > 0 && !is_delta {
                self.coverage.met(Fault::CompleteListingWithItemWithoutId);
            }
            flawed = self.spoil(&caller, &mut response);
            if self.lags_behind(&caller) {
                self.truth.behind.extend(key);
                // Of what a whole listing does not show yet, and was made before the channel, no notice comes.
                self.truth.miss(key.filter(|_| !is_delta));
            }
        }
        let events = || self.google.events(&caller);
        if response.status == 410 && events().iter().any(|event| self.truth.is_unreadable(&caller, event)) {
            self.coverage.met(Fault::CursorLostWithUnreadableItem);
        }
        self.tell(|| {
            let body = String::from_utf8_lossy(&to_google.body);
            let parts = body.lines().filter(|line| line.contains(" /calendar/v3/"));
            let parts: Vec<&str> = parts.filter_map(|line| line.split('?').next()).collect();
            let answer = (response.status, response.delivery);
            let (method, path, key) = (&to_google.method, &to_google.path, key.map(number));
            format!("    {method} {path} {parts:?} for {key:?} → {answer:?}")
        });
        let answered = match response.delivery {
            Delivery::Normal => true,
            Delivery::After(millis) => Duration::from_millis(millis) < time,
            Delivery::Never | Delivery::Cut => false,
        };
        self.note(Exchange { flawed, ..Exchange::read(key, to_google, &response, answered) });
        let written = key.is_some_and(|key| writes && self.truth.changed_by(key, &caller, &self.google, &before));
        if written {
            self.halfway = Some(Halfway::GoogleWritten);
        }
        self.meet(to_google, &response, written);
        response
    }

    /// Notes what an exchange means for a connection and for its events.
    fn note(&mut self, exchange: Exchange) {
        self.trouble |= !exchange.is_well();
        let withdraws = exchange.calls.iter().any(|call| call.withdraws().is_some());
        if let Some(key) = exchange.key.filter(|_| withdraws) {
            self.truth.leave_behind(key);
            self.truth.miss([key]);
        }
        // Without a channel no notice comes.
        let is_refused = |call: &Call| call.path.ends_with("/watch") && call.reason().starts_with("push.");
        let has_no_channel = exchange.calls.iter().any(is_refused);
        self.truth.miss(exchange.key.filter(|_| has_no_channel));
        for call in exchange.calls.iter().filter(|call| call.method == "DELETE" && call.is_refused_for_good()) {
            if let Some(id) = call.event() {
                self.truth.refuse(id);
            }
        }
        self.exchanges.push(exchange);
    }

    /// The connection whose token a request carries: in its header, or in its form.
    fn speaker(&self, request: &google_sim::Request) -> Option<ConnectionKey> {
        let header = request.header_value("authorization").map(|value| value.trim_start_matches("Bearer ").to_owned());
        let form = google_sim::Request::new("POST", &format!("/?{}", String::from_utf8_lossy(&request.body)));
        let in_form = form.query.into_iter().find(|(name, _)| name == "refresh_token" || name == "token");
        let token = header.filter(|token| !token.is_empty()).or(in_form.map(|(_, token)| token))?;
        self.truth.tokens.get(&token).copied()
    }

    /// Shows some items of a listing otherwise than they are, and answers which.
    fn spoil(&mut self, calendar: &str, listing: &mut Response) -> Vec<String> {
        let mut flawed = Vec::new();
        if !self.truth.has_flaws() && self.nameless == 0 {
            return flawed;
        }
        let Ok(mut body) = serde_json::from_slice::<Value>(&listing.body) else { return flawed };
        let Some(items) = body["items"].as_array_mut() else { return flawed };
        for item in &mut *items {
            if let Some(flaw) = self.truth.flaw(calendar, item) {
                flaw.spoil(item);
                // (An exception, or an event that recurs no more, has no line to spoil.)
                let is_spoilt = flaw != Flaw::Line || item["recurrence"].is_array();
                let told = item["id"].as_str().filter(|_| is_spoilt);
                flawed.extend(told.map(str::to_owned));
            }
        }
        if self.nameless > 0 {
            self.nameless -= 1;
            self.coverage.met(Fault::ItemWithoutId);
            items.push(
                json!({ "status": "confirmed", "start": { "date": "2026-12-24" }, "end": { "date": "2026-12-25" } }),
            );
        }
        listing.body = body.to_string().into_bytes();
        flawed
    }

    /// Notes which fault an answer is.
    fn meet(&mut self, request: &google_sim::Request, response: &Response, written: bool) {
        let lists = lists_events(request);
        let text = String::from_utf8_lossy(&response.body);
        let has = |word: &str| text.contains(word);
        let is_answer = response.delivery == Delivery::Normal && !has("<html>");
        let met = [
            (Fault::GoogleRateLimited, has("ateLimitExceeded")),
            (Fault::GoogleQuotaExceeded, has("quotaExceeded")),
            (Fault::GoogleServerError, response.status == 500 || response.status == 503 || has("backendError")),
            (Fault::CursorLost, has("fullSyncRequired")),
            (Fault::TokenExpired, response.status == 401 || has("authError")),
            (Fault::GrantWithdrawn, has("invalid_grant")),
            (Fault::GoogleRefusedForGood, has(FOR_GOOD)),
            (Fault::GoogleGarbage, has("<html>")),
            (Fault::TokenEndpointDown, request.path == "/token" && (!is_answer || response.status >= 500)),
            (Fault::ScopeMissing, has("insufficientPermissions")),
            (Fault::CalendarGone, lists && response.status == 404),
            (Fault::PushAddressRefused, has("webhookUrlUnauthorized")),
            (Fault::ZoneUnknown, has("Invalid time zone definition")),
            (Fault::EmptyPages, lists && has("nextPageToken")),
            (Fault::GoogleAnswerLost, written && (response.status >= 500 || response.delivery != Delivery::Normal)),
        ];
        for (fault, _) in met.iter().filter(|(_, met)| *met) {
            self.coverage.met(*fault);
        }
    }
}
