//! Google's two error envelopes, and what their reasons mean.
//! <https://developers.google.com/workspace/calendar/api/guides/errors>

use serde::Deserialize;

use crate::ports::CalendarError;

/// What stands for a reason that is missing or unreadable.
const UNKNOWN: &str = "unknown";
const LONGEST_REASON: usize = 64;

/// The calendar's own envelope has `errors`; the one of the API's front end (sign-in, scopes, a switched-off API)
/// has `status` and `details` as well.
#[derive(Deserialize)]
struct Envelope {
    error: Body,
}

#[derive(Deserialize)]
struct Body {
    #[serde(default)]
    errors: Vec<Reason>,
    #[serde(default)]
    details: Vec<Reason>,
    status: Option<String>,
}

#[derive(Deserialize)]
struct Reason {
    reason: Option<String>,
}

/// Google's `reason` in an error's body, fit to be logged.
pub(super) fn reason(body: &[u8]) -> String {
    let found = serde_json::from_slice::<Envelope>(body).ok().and_then(|Envelope { error }| {
        error.errors.into_iter().chain(error.details).find_map(|item| item.reason).or(error.status)
    });
    let mut reason: String = found.unwrap_or_default().chars().filter(|c| is_word(*c)).take(LONGEST_REASON).collect();
    if reason.is_empty() {
        UNKNOWN.clone_into(&mut reason);
    }
    reason
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-')
}

/// What an answer that is no success means for the call.
pub(super) fn classify(status: u16, body: &[u8]) -> CalendarError {
    let reason = reason(body);
    match (status, reason.as_str()) {
        (401, _) => CalendarError::Unauthorized,
        (403 | 429, "quotaExceeded" | "dailyLimitExceeded") => CalendarError::QuotaExceeded,
        (403, "rateLimitExceeded" | "userRateLimitExceeded") | (429, _) => CalendarError::RateLimited,
        (500.., _) => CalendarError::Unavailable(format!("{status} {reason}")),
        _ => CalendarError::Refused { status, reason },
    }
}

/// Whether the same call may succeed within seconds.
pub(super) fn is_passing(error: &CalendarError) -> bool {
    match error {
        CalendarError::RateLimited | CalendarError::Unavailable(_) => true,
        CalendarError::Unauthorized
        | CalendarError::Paced
        | CalendarError::QuotaExceeded
        | CalendarError::Refused { .. } => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calendar(reason: &str) -> String {
        format!(
            r#"{{"error":{{"errors":[{{"domain":"usageLimits","reason":"{reason}","message":"m"}}],"code":403,"message":"m"}}}}"#
        )
    }

    #[test]
    fn each_status_and_reason_has_its_meaning() {
        let refused = |status, reason: &str| CalendarError::Refused { status, reason: reason.to_owned() };
        let cases = [
            (401, "authError", CalendarError::Unauthorized),
            (403, "rateLimitExceeded", CalendarError::RateLimited),
            (403, "userRateLimitExceeded", CalendarError::RateLimited),
            (429, "rateLimitExceeded", CalendarError::RateLimited),
            (429, "somethingNew", CalendarError::RateLimited),
            (403, "quotaExceeded", CalendarError::QuotaExceeded),
            (429, "quotaExceeded", CalendarError::QuotaExceeded),
            (403, "forbiddenForNonOrganizer", refused(403, "forbiddenForNonOrganizer")),
            (404, "notFound", refused(404, "notFound")),
            (400, "invalid", refused(400, "invalid")),
            (500, "backendError", CalendarError::Unavailable("500 backendError".to_owned())),
            (503, "backendError", CalendarError::Unavailable("503 backendError".to_owned())),
        ];
        for (status, reason, meaning) in cases {
            assert_eq!(classify(status, calendar(reason).as_bytes()), meaning, "{status} {reason}");
        }
    }

    #[test]
    fn the_front_ends_envelope_is_read_too() {
        let both = br#"{"error":{"code":403,"message":"m","status":"PERMISSION_DENIED",
            "errors":[{"message":"m","domain":"global","reason":"insufficientPermissions"}],
            "details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"ACCESS_TOKEN_SCOPE_INSUFFICIENT"}]}}"#;
        assert_eq!(reason(both), "insufficientPermissions");
        let details =
            br#"{"error":{"code":403,"status":"PERMISSION_DENIED","details":[{"@type":"t"},{"reason":"R"}]}}"#;
        assert_eq!(reason(details), "R");
        assert_eq!(reason(br#"{"error":{"code":401,"status":"UNAUTHENTICATED"}}"#), "UNAUTHENTICATED");
    }

    #[test]
    fn what_is_no_envelope_has_an_unknown_reason() {
        for body in ["", "<html>", "{}", r#"{"error":"invalid_grant"}"#, r#"{"error":{"errors":[{"reason":7}]}}"#, "[1"]
        {
            assert_eq!(reason(body.as_bytes()), UNKNOWN, "{body}");
        }
    }

    #[test]
    fn a_reason_is_fit_to_be_logged() {
        assert_eq!(reason(calendar(r"a\nb\u001b[31m").as_bytes()), "ab31m");
        assert_eq!(reason(calendar(&"x".repeat(1000)).as_bytes()).len(), LONGEST_REASON);
    }
}
