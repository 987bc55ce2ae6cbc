//! The meaning of Google's refusals: one table for all places where Google may refuse.
//! <https://developers.google.com/workspace/calendar/api/guides/errors>,
//! <https://developers.google.com/identity/protocols/oauth2/web-server#offline>

use serde::Deserialize;

use crate::ports::{CalendarError, Refusal};

/// For a reason that is missing or unreadable.
const UNKNOWN: &str = "unknown";
const MAX_REASON_BYTES: usize = 64;
const MAX_MESSAGE_BYTES: usize = 200;
/// Marks text that was cut out of a message.
const CUT: &str = "…";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// A page of a full listing.
    Listing,
    /// A page of a listing that resumes from a sync token.
    Delta,
    Insert,
    Change,
    Get,
    Batch,
    Watch,
    Stop,
    /// The token endpoint or the revocation endpoint.
    TokenEndpoint,
}

impl Place {
    fn is_part(self) -> bool {
        matches!(self, Self::Insert | Self::Change | Self::Get)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// The same call may succeed within seconds.
    Passing,
    /// Too many calls in a minute.
    Throttled,
    /// A usage limit that recovers within hours; it holds for reads and writes.
    OverQuota,
    /// A usage limit that recovers within hours; it holds for writes alone.
    WritesOverQuota,
    /// The account may read the calendar and not write to it.
    WritesForbidden,
    /// The access token is invalid or expired; a new one may work.
    TokenRefused,
    /// The person withdrew the permission, or it lacks a scope.
    PermissionWithdrawn,
    /// Google refuses our OAuth client or its project: the operator has to repair it.
    ClientRefused,
    /// The calendar is gone, or no longer shared with this account.
    CalendarGone,
    /// The sync token is no longer valid.
    CursorLost,
    /// Google sends no push notifications for this calendar, or not to our address.
    PushNotPossible,
    /// Nothing has the event's or channel's id, or nothing any more.
    Gone,
    /// The same, or the calendar is gone: Google answers alike.
    NotFound,
    IdTaken,
    Changed,
    NotOrganizer,
    ZoneUnknown,
    /// This part is refused for a reason that may be gone within minutes.
    RefusedForNow,
    /// Any other refusal of this part or call alone.
    Refused,
}

pub(super) fn meaning(place: Place, refusal: &Refusal) -> Meaning {
    let Refusal { status, reason, .. } = refusal;
    match (place, *status, reason.as_str()) {
        (_, 408 | 500.., _) => Meaning::Passing,
        (Place::TokenEndpoint, 429, _) => Meaning::Throttled,
        (Place::TokenEndpoint, ..) => at_token_endpoint(reason),

        (Place::Insert | Place::Change, 403 | 429, "quotaExceeded") => Meaning::WritesOverQuota,
        (_, 403 | 429, word) if is_quota(word) => Meaning::OverQuota,
        (_, 429, _) => Meaning::Throttled,
        (_, 403, word) if is_throttling(word) => Meaning::Throttled,

        (Place::Watch, 401, push) if push.starts_with("push.") => Meaning::PushNotPossible,
        (_, 401, _) => Meaning::TokenRefused,
        // A listing needs the same permission, and its refusal decides about the connection.
        (Place::Watch, ..) => Meaning::PushNotPossible,
        (Place::Stop, 404, _) => Meaning::Gone,
        (Place::Stop, ..) => Meaning::Refused,

        (_, 403, "insufficientPermissions" | "ACCESS_TOKEN_SCOPE_INSUFFICIENT") => Meaning::PermissionWithdrawn,
        (_, 403, "accessNotConfigured" | "SERVICE_DISABLED" | "CONSUMER_SUSPENDED" | "CONSUMER_INVALID") => {
            Meaning::ClientRefused
        }
        (Place::Delta, 410, _) | (Place::Delta, 400, "invalid") => Meaning::CursorLost,
        (Place::Listing | Place::Delta, 404, _) | (_, 403, "notACalendarUser") => Meaning::CalendarGone,
        (place, ..) if place.is_part() => of_part(place, refusal),
        _ => Meaning::Refused,
    }
}

fn is_throttling(word: &str) -> bool {
    matches!(word, "rateLimitExceeded" | "userRateLimitExceeded" | "RATE_LIMIT_EXCEEDED")
}

fn is_quota(word: &str) -> bool {
    matches!(word, "quotaExceeded" | "dailyLimitExceeded")
}

fn of_part(place: Place, refusal: &Refusal) -> Meaning {
    match (place, refusal.status, refusal.reason.as_str()) {
        // Two parts of one batch clashed.
        (_, 409, "conflict") => Meaning::Passing,
        (Place::Change | Place::Get, 410, _) => Meaning::Gone,
        (Place::Change | Place::Get, 404, _) => Meaning::NotFound,
        (Place::Insert, 409, _) => Meaning::IdTaken,
        (_, 412, _) => Meaning::Changed,
        (_, 403, "requiredAccessLevel") => Meaning::WritesForbidden,
        (Place::Change, 403, "forbiddenForNonOrganizer") => Meaning::NotOrganizer,
        (_, 403, "forbiddenForNonOrganizer" | "forbiddenForServiceAccounts" | "eventTypeRestriction") => {
            Meaning::Refused
        }
        // Observed to pass by itself, for single events of a calendar that exists and may be written to.
        (_, 403 | 404, _) => Meaning::RefusedForNow,
        (_, 400, _) if refusal.message.contains("time zone definition") => Meaning::ZoneUnknown,
        _ => Meaning::Refused,
    }
}

/// The statuses vary here; RFC 6749 gives the meaning to the `error` code.
fn at_token_endpoint(word: &str) -> Meaning {
    match word {
        // A restriction by an administrator ends a grant as the person's withdrawal does.
        "invalid_grant" | "invalid_token" | "access_denied" | "admin_policy_enforced" => Meaning::PermissionWithdrawn,
        UNKNOWN | "temporarily_unavailable" | "server_error" | "internal_failure" => Meaning::Passing,
        "rate_limit_exceeded" | "slow_down" | "RESOURCE_EXHAUSTED" => Meaning::Throttled,
        word if is_throttling(word) || is_quota(word) => Meaning::Throttled,
        _ => Meaning::ClientRefused,
    }
}

/// The error of a refused call, where its place has no outcome of its own for the meaning.
pub(super) fn failure(place: Place, refusal: Refusal) -> CalendarError {
    match meaning(place, &refusal) {
        Meaning::Passing => CalendarError::Unavailable(refusal.to_string()),
        Meaning::Throttled => CalendarError::RateLimited,
        Meaning::OverQuota | Meaning::WritesOverQuota => CalendarError::QuotaExceeded,
        Meaning::TokenRefused => CalendarError::Unauthorized(refusal),
        Meaning::PermissionWithdrawn => CalendarError::PermissionWithdrawn(refusal),
        Meaning::ClientRefused => CalendarError::ClientRefused(refusal),
        Meaning::CalendarGone => CalendarError::CalendarGone(refusal),
        Meaning::PushNotPossible => CalendarError::PushNotPossible(refusal),
        Meaning::WritesForbidden
        | Meaning::CursorLost
        | Meaning::Gone
        | Meaning::NotFound
        | Meaning::IdTaken
        | Meaning::Changed
        | Meaning::NotOrganizer
        | Meaning::ZoneUnknown
        | Meaning::RefusedForNow
        | Meaning::Refused => CalendarError::Refused(refusal),
    }
}

/// Google's error envelopes. The calendar's own has `errors`; that of the API's front end (sign-in, scopes, a disabled
/// API) also has `status` and `details`; the token endpoint sends a code and a description.
#[derive(Deserialize)]
#[serde(untagged)]
enum Envelope {
    Api { error: Body },
    Token { error: String, error_description: Option<String> },
}

#[derive(Deserialize)]
struct Body {
    #[serde(default)]
    errors: Vec<Detail>,
    #[serde(default)]
    details: Vec<Detail>,
    status: Option<String>,
    message: Option<String>,
}

#[derive(Deserialize)]
struct Detail {
    reason: Option<String>,
}

impl Body {
    /// The front end's details are more precise than its `forbidden`.
    fn reason(&self) -> Option<&str> {
        let errors = self.errors.iter().find_map(|detail| detail.reason.as_deref());
        let details = self.details.iter().find_map(|detail| detail.reason.as_deref());
        errors.filter(|reason| *reason != "forbidden").or(details).or(errors).or(self.status.as_deref())
    }
}

/// Reads an answer without success.
pub(super) fn read(status: u16, body: &[u8]) -> Refusal {
    let (reason, message) = match serde_json::from_slice(body) {
        Ok(Envelope::Api { error }) => (error.reason().map(word).unwrap_or_default(), error.message),
        Ok(Envelope::Token { error, error_description }) => (word(&error), error_description),
        Err(_) => (String::new(), None),
    };
    let reason = if reason.is_empty() { UNKNOWN.to_owned() } else { reason };
    let message = message.map(|text| printable(&text)).filter(|text| *text != reason).unwrap_or_default();
    Refusal { status, reason, message }
}

/// A code of Google's, safe to log.
fn word(code: &str) -> String {
    let is_word = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    code.chars().filter(is_word).take(MAX_REASON_BYTES).collect()
}

/// A message of Google's, safe to log. Google may quote what it was sent, which may be a lesson's text: quoted text and
/// addresses are cut out.
fn printable(message: &str) -> String {
    let spaced: String = message.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let mut text = String::new();
    for word in without_quotes(&spaced).split_whitespace() {
        let word = if word.contains('@') { CUT } else { word };
        if text.len() + 1 + word.len() + CUT.len() > MAX_MESSAGE_BYTES {
            text.push_str(CUT);
            break;
        }
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(word);
    }
    text
}

/// Cuts out quotes. A quote opens where no letter or digit precedes it, so that an apostrophe is none, and closes with
/// the same character; without one it goes to the end.
fn without_quotes(text: &str) -> String {
    let mut kept = String::new();
    let mut before = ' ';
    let mut open = None;
    for c in text.chars() {
        match open {
            Some(quote) if c == quote => open = None,
            Some(_) => {}
            None if matches!(c, '"' | '\'' | '`') && !before.is_alphanumeric() => {
                open = Some(c);
                kept.push_str(CUT);
            }
            None => kept.push(c),
        }
        before = c;
    }
    kept
}

#[cfg(test)]
#[path = "refusals_tests.rs"]
mod tests;
