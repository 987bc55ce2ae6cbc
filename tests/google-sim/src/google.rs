//! The whole of a simulated Google: plain data, told the time with every call.

use std::collections::BTreeMap;

use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::calendar::{Calendars, Quota};
use crate::call_log::CallLog;
use crate::config::Config;
use crate::faults::{self, Fault};
use crate::http::{Request, Response};
use crate::oauth::Tokens;
use crate::push::{Notice, Outcome, Push};
use crate::random::Random;

/// A simulated Google: its accounts, calendars, tokens and channels. It does no I/O, knows no clock
/// but the one it is told, and takes its randomness from a seed: the same calls give the same answers.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Google {
    pub(crate) config: Config,
    pub(crate) random: Random,
    pub(crate) clock: Clock,
    pub(crate) tokens: Tokens,
    pub(crate) calendars: Calendars,
    pub(crate) push: Push,
    pub(crate) quota: Quota,
    pub(crate) faults: Vec<Fault>,
    pub(crate) calls: BTreeMap<String, u64>,
    #[serde(skip)]
    pub(crate) writes: CallLog,
}

/// What a test made of the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Clock {
    /// As much ahead of the real time, in milliseconds.
    Ahead(i64),
    Frozen(DateTime<Utc>),
}

impl Clock {
    pub fn read(self, now: DateTime<Utc>) -> DateTime<Utc> {
        match self {
            Self::Ahead(millis) => now + Duration::milliseconds(millis),
            Self::Frozen(at) => at,
        }
    }
}

impl Google {
    /// A new Google with what `config` says. Two with the same seed behave alike.
    pub fn new(seed: u64, config: Config) -> Self {
        let mut calendars = Calendars::default();
        for account in &config.accounts {
            calendars.add(account);
        }
        Self {
            tokens: Tokens::new(&config),
            config,
            random: Random::new(seed),
            clock: Clock::Ahead(0),
            calendars,
            push: Push::default(),
            quota: Quota::default(),
            faults: Vec::new(),
            calls: BTreeMap::new(),
            writes: CallLog::default(),
        }
    }

    /// Answers a request, whichever of Google's hosts it was meant for, the control API, or the page.
    pub fn handle(&mut self, now: DateTime<Utc>, request: &Request) -> Response {
        let response = if request.path.starts_with("/control/") {
            self.control_request(now, request)
        } else if matches!(request.path.as_str(), "/" | "/events") {
            self.page(now, request)
        } else {
            self.answer(self.clock.read(now), request)
        };
        self.tell_push(self.clock.read(now));
        response
    }

    fn answer(&mut self, now: DateTime<Utc>, request: &Request) -> Response {
        if request.path.starts_with("/calendar/v3/") {
            return self.calendar_call(now, &request.overridden(), false);
        }
        match (request.method.as_str(), request.path.as_str()) {
            ("POST", "/batch/calendar/v3") => self.batch(now, request),
            ("GET", "/o/oauth2/v2/auth" | "/o/oauth2/auth") => {
                self.with_faults("oauth2.auth", None, |google| google.authorize(now, request))
            }
            ("POST", "/o/oauth2/v2/auth") => self.decide(now, request),
            ("POST", "/token") => self.with_faults("oauth2.token", None, |google| google.token(now, request)),
            ("POST", "/revoke") => self.with_faults("oauth2.revoke", None, |google| google.revoke(now, request)),
            ("GET" | "POST", "/v1/userinfo" | "/oauth2/v3/userinfo") => {
                self.with_faults("oauth2.userinfo", None, |google| google.userinfo(now, request))
            }
            ("GET" | "POST", "/tokeninfo" | "/oauth2/v3/tokeninfo") => self.token_info(now, request),
            ("GET", "/oauth2/v3/certs") => Response::pretty(200, &crate::oauth::jwks()),
            ("GET", "/oauth2/v1/certs") => Response::pretty(200, &crate::oauth::certificates()),
            ("GET", "/.well-known/openid-configuration" | "/.well-known/oauth-authorization-server") => {
                Response::pretty(200, &crate::oauth::discovery(&request.base()))
            }
            _ => Response::pretty(404, &json!({"error": "not_found"})),
        }
    }

    /// Counts a call of `method`, carries it out, and lets the fault that hits it do its work.
    pub(crate) fn with_faults(
        &mut self,
        method: &str,
        account: Option<&str>,
        call: impl FnOnce(&mut Self) -> Response,
    ) -> Response {
        *self.calls.entry(method.to_owned()).or_default() += 1;
        match faults::strike(&mut self.faults, &mut self.random, method, account) {
            Some(effect) => effect.on(method, || call(self)),
            None => call(self),
        }
    }

    /// Notices for whatever has changed since the last time.
    pub(crate) fn tell_push(&mut self, now: DateTime<Utc>) {
        let touched = std::mem::take(&mut self.calendars.touched);
        if !touched.is_empty() {
            let (behaviour, random) = (&self.config.behaviour, &mut self.random);
            self.push.changed(now, &touched, behaviour, random);
        }
    }

    /// The notices that are to be delivered now. Each is to be reported.
    pub fn due_notices(&mut self, now: DateTime<Utc>) -> Vec<Notice> {
        let now = self.clock.read(now);
        self.push.due(now)
    }

    /// When, by the caller's clock, the next notice will be due; none while the clock stands still
    /// before it.
    pub fn next_notice_at(&self) -> Option<DateTime<Utc>> {
        let due = self.push.next_due()?;
        match self.clock {
            Clock::Ahead(millis) => Some(due - Duration::milliseconds(millis)),
            Clock::Frozen(at) => (due <= at).then_some(due),
        }
    }

    /// How the delivery of a notice went.
    pub fn report(&mut self, now: DateTime<Utc>, notice: u64, outcome: Outcome) {
        let now = self.clock.read(now);
        self.push.report(now, notice, outcome);
    }

    /// The same Google after its program was started again.
    #[must_use]
    pub fn resumed(mut self) -> Self {
        self.push.resume();
        self
    }
}
