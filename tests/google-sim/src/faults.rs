//! Faults on demand: what goes wrong, on which calls, and how often.

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::error::ApiError;
use crate::http::{Delivery, Response};
use crate::random::Random;

/// A fault and the calls that it hits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fault {
    /// The method, such as `calendar.events.list`; a trailing `*` stands for any ending.
    pub method: String,
    /// Only calls of this account; none for every account.
    #[serde(default)]
    pub account: Option<String>,
    #[serde(default)]
    pub when: When,
    pub effect: Effect,
    /// How many calls of that method there have been since the fault was put in.
    #[serde(default)]
    pub seen: u64,
}

/// Which calls a fault hits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    #[default]
    Always,
    /// Only the n-th call from now, counted from 1.
    Nth(u64),
    /// The next n calls.
    Next(u64),
    /// That share of the calls, between 0 and 1.
    Share(f64),
}

/// What a fault does to a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// It is refused before anything happens.
    Refuse { status: u16, reason: String },
    /// It is carried out, and the caller is told that it failed with this status.
    RefuseAfterwards { status: u16 },
    /// It is not carried out and never answered.
    Timeout,
    /// It is carried out and never answered.
    TimeoutAfterwards,
    /// It is not carried out, and the connection is cut.
    Cut,
    /// It is carried out, and the connection is cut.
    CutAfterwards,
    /// It is carried out, and answered after so many milliseconds.
    Slow(u64),
    /// Its answer is not what was asked for: `200` with this text.
    Garbage(String),
}

impl Fault {
    /// A fault on every call of `method`.
    pub fn new(method: &str, effect: Effect) -> Self {
        Self { method: method.to_owned(), account: None, when: When::Always, effect, seen: 0 }
    }

    /// The same fault on some calls only.
    #[must_use]
    pub fn on(self, when: When) -> Self {
        Self { when, ..self }
    }

    /// The same fault for one account only.
    #[must_use]
    pub fn of(self, account: &str) -> Self {
        Self { account: Some(account.to_owned()), ..self }
    }

    fn concerns(&self, method: &str, account: Option<&str>) -> bool {
        let named = match self.method.strip_suffix('*') {
            Some(start) => method.starts_with(start),
            None => method == self.method,
        };
        named && (self.account.is_none() || self.account.as_deref() == account)
    }
}

/// The first fault that hits a call of `method`; every fault that concerns it counts it.
pub(crate) fn strike(faults: &mut [Fault], random: &mut Random, method: &str, account: Option<&str>) -> Option<Effect> {
    let mut effect = None;
    for fault in faults {
        if !fault.concerns(method, account) {
            continue;
        }
        fault.seen += 1;
        let hit = match fault.when {
            When::Always => true,
            When::Nth(n) => fault.seen == n,
            When::Next(n) => fault.seen <= n,
            When::Share(share) => random.chance(share),
        };
        if hit && effect.is_none() {
            effect = Some(fault.effect.clone());
        }
    }
    effect
}

impl Effect {
    /// A refusal with a reason such as `rateLimitExceeded`.
    pub fn refuse(status: u16, reason: &str) -> Self {
        Self::Refuse { status, reason: reason.to_owned() }
    }

    /// What becomes of a call of `method` that this hits.
    pub(crate) fn on(self, method: &str, call: impl FnOnce() -> Response) -> Response {
        match self {
            Self::Refuse { status, reason } => refusal(method, status, &reason),
            Self::RefuseAfterwards { status } => {
                call();
                refusal(method, status, "backendError")
            }
            Self::Timeout => undelivered(Delivery::Never),
            Self::TimeoutAfterwards => {
                call();
                undelivered(Delivery::Never)
            }
            Self::Cut => undelivered(Delivery::Cut),
            Self::CutAfterwards => {
                call();
                undelivered(Delivery::Cut)
            }
            Self::Slow(millis) => Response { delivery: Delivery::After(millis), ..call() },
            Self::Garbage(text) => Response::html(200, text),
        }
    }
}

/// A refusal in the envelope and, for a reason that Google is known to give, in the words of its place.
fn refusal(method: &str, status: u16, reason: &str) -> Response {
    if method.starts_with("oauth2.") {
        return Response::pretty(status, &json!({ "error": reason, "error_description": reason }));
    }
    let error = match reason {
        "userRateLimitExceeded" => ApiError::usage(status, reason, "User Rate Limit Exceeded"),
        "rateLimitExceeded" => ApiError::usage(status, reason, "Rate Limit Exceeded"),
        "quotaExceeded" => ApiError::usage(status, reason, "Calendar usage limits exceeded."),
        "backendError" => ApiError::new(status, "global", reason, "Backend Error"),
        "fullSyncRequired" => ApiError::full_sync_required(),
        "authError" => ApiError::unauthenticated(false),
        "required" if status == 401 => ApiError::unauthenticated(true),
        "insufficientPermissions" => ApiError::insufficient_scope(method),
        "forbiddenForNonOrganizer" => ApiError::not_the_organizer(),
        "requiredAccessLevel" => ApiError::forbidden(reason, "You need to have writer access to this calendar."),
        "push.webhookUrlUnauthorized" => {
            ApiError::new(status, "global", reason, "Unauthorized WebHook callback channel")
        }
        other => ApiError::new(status, "global", reason, other),
    };
    error.response()
}

/// What callers in process see where a socket would show nothing: a status that no server sends.
fn undelivered(delivery: Delivery) -> Response {
    Response { delivery, ..Response::empty(599) }
}
