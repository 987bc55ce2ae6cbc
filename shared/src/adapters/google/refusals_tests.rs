use super::*;

fn refusal(status: u16, reason: &str, message: &str) -> Refusal {
    Refusal { status, reason: reason.to_owned(), message: message.to_owned() }
}

/// Checks rows of the table, each at all of its places.
fn check(rows: &[(&[Place], u16, &str, Meaning)]) {
    for (places, status, reason, expected) in rows {
        for place in *places {
            assert_eq!(meaning(*place, &refusal(*status, reason, "")), *expected, "{place:?} {status} {reason}");
        }
    }
}

const LISTINGS: &[Place] = &[Place::Listing, Place::Delta];
const PARTS: &[Place] = &[Place::Insert, Place::Change, Place::Get];
const WRITES: &[Place] = &[Place::Insert, Place::Change];
const ON_EVENT: &[Place] = &[Place::Change, Place::Get];
const WATCH: &[Place] = &[Place::Watch];
const READS: &[Place] = &[Place::Listing, Place::Delta, Place::Get, Place::Batch, Place::Watch, Place::Stop];
/// Places that need the person's permission, other than opening a push channel.
const CALLS: &[Place] = &[Place::Listing, Place::Delta, Place::Insert, Place::Change, Place::Get, Place::Batch];
const EVERYWHERE: &[Place] =
    &[Place::Listing, Place::Delta, Place::Insert, Place::Change, Place::Get, Place::Batch, Place::Watch, Place::Stop];

#[test]
fn failures_that_pass_throttling_and_used_up_quotas_are_told_apart() {
    check(&[
        (EVERYWHERE, 500, "backendError", Meaning::Passing),
        (EVERYWHERE, 503, "unknown", Meaning::Passing),
        (EVERYWHERE, 408, "unknown", Meaning::Passing),
        (PARTS, 409, "conflict", Meaning::Passing),
        (EVERYWHERE, 403, "rateLimitExceeded", Meaning::Throttled),
        (EVERYWHERE, 403, "userRateLimitExceeded", Meaning::Throttled),
        (EVERYWHERE, 429, "rateLimitExceeded", Meaning::Throttled),
        (EVERYWHERE, 429, "RATE_LIMIT_EXCEEDED", Meaning::Throttled),
        (EVERYWHERE, 429, "somethingNew", Meaning::Throttled),
        (EVERYWHERE, 403, "dailyLimitExceeded", Meaning::OverQuota),
        (READS, 403, "quotaExceeded", Meaning::OverQuota),
        (READS, 429, "quotaExceeded", Meaning::OverQuota),
        (WRITES, 403, "quotaExceeded", Meaning::WritesOverQuota),
        (WRITES, 429, "quotaExceeded", Meaning::WritesOverQuota),
        (PARTS, 403, "requiredAccessLevel", Meaning::WritesForbidden),
    ]);
}

#[test]
fn a_refused_token_a_withdrawn_permission_and_a_refused_client_are_told_apart() {
    check(&[
        (EVERYWHERE, 401, "authError", Meaning::TokenRefused),
        (EVERYWHERE, 401, "UNAUTHENTICATED", Meaning::TokenRefused),
        (CALLS, 403, "insufficientPermissions", Meaning::PermissionWithdrawn),
        (CALLS, 403, "ACCESS_TOKEN_SCOPE_INSUFFICIENT", Meaning::PermissionWithdrawn),
        (CALLS, 403, "accessNotConfigured", Meaning::ClientRefused),
        (CALLS, 403, "SERVICE_DISABLED", Meaning::ClientRefused),
        (CALLS, 403, "CONSUMER_SUSPENDED", Meaning::ClientRefused),
        (CALLS, 403, "CONSUMER_INVALID", Meaning::ClientRefused),
        (CALLS, 403, "notACalendarUser", Meaning::CalendarGone),
        (LISTINGS, 404, "notFound", Meaning::CalendarGone),
        (LISTINGS, 403, "forbidden", Meaning::Refused),
    ]);
}

#[test]
fn a_cursor_is_lost_by_410_or_400_invalid_and_only_where_there_is_one() {
    check(&[
        (&[Place::Delta], 410, "fullSyncRequired", Meaning::CursorLost),
        (&[Place::Delta], 410, "updatedMinTooLongAgo", Meaning::CursorLost),
        (&[Place::Delta], 400, "invalid", Meaning::CursorLost),
        (&[Place::Delta], 400, "badRequest", Meaning::Refused),
        (&[Place::Listing], 410, "fullSyncRequired", Meaning::Refused),
        (&[Place::Listing], 400, "invalid", Meaning::Refused),
    ]);
}

#[test]
fn a_refusal_of_one_part_concerns_that_part_alone() {
    check(&[
        (ON_EVENT, 404, "notFound", Meaning::NotFound),
        (ON_EVENT, 410, "deleted", Meaning::Gone),
        (&[Place::Insert], 409, "duplicate", Meaning::IdTaken),
        (ON_EVENT, 409, "duplicate", Meaning::Refused),
        (PARTS, 412, "conditionNotMet", Meaning::Changed),
        (&[Place::Change], 403, "forbiddenForNonOrganizer", Meaning::NotOrganizer),
        (&[Place::Insert], 403, "forbiddenForNonOrganizer", Meaning::Refused),
        (PARTS, 403, "forbiddenForServiceAccounts", Meaning::Refused),
        (PARTS, 403, "eventTypeRestriction", Meaning::Refused),
        (PARTS, 403, "forbidden", Meaning::RefusedForNow),
        (&[Place::Insert], 404, "notFound", Meaning::RefusedForNow),
        (PARTS, 400, "invalid", Meaning::Refused),
        (&[Place::Batch], 400, "badRequest", Meaning::Refused),
        (&[Place::Batch], 403, "forbidden", Meaning::Refused),
    ]);
    for message in ["Invalid time zone definition for start time.", "Missing time zone definition for end time."] {
        assert_eq!(meaning(Place::Insert, &refusal(400, "invalid", message)), Meaning::ZoneUnknown, "{message}");
        assert_eq!(meaning(Place::Batch, &refusal(400, "invalid", message)), Meaning::Refused, "{message}");
    }
}

#[test]
fn a_channel_that_is_refused_says_nothing_of_the_connection() {
    check(&[
        (WATCH, 401, "push.webhookUrlUnauthorized", Meaning::PushNotPossible),
        (WATCH, 400, "push.webhookUrlNotHttps", Meaning::PushNotPossible),
        (WATCH, 400, "pushNotSupportedForRequestedResource", Meaning::PushNotPossible),
        (WATCH, 400, "channelIdNotUnique", Meaning::PushNotPossible),
        (WATCH, 403, "forbidden", Meaning::PushNotPossible),
        (WATCH, 403, "insufficientPermissions", Meaning::PushNotPossible),
        (WATCH, 403, "accessNotConfigured", Meaning::PushNotPossible),
        (WATCH, 404, "notFound", Meaning::PushNotPossible),
        (&[Place::Stop], 404, "notFound", Meaning::Gone),
        (&[Place::Stop], 403, "insufficientPermissions", Meaning::Refused),
        (&[Place::Stop], 400, "invalid", Meaning::Refused),
    ]);
}

#[test]
fn the_token_endpoint_tells_the_persons_grant_from_our_client() {
    let endpoint: &[Place] = &[Place::TokenEndpoint];
    check(&[
        (endpoint, 400, "invalid_grant", Meaning::PermissionWithdrawn),
        (endpoint, 400, "invalid_token", Meaning::PermissionWithdrawn),
        (endpoint, 400, "admin_policy_enforced", Meaning::PermissionWithdrawn),
        (endpoint, 403, "access_denied", Meaning::PermissionWithdrawn),
        (endpoint, 401, "invalid_client", Meaning::ClientRefused),
        (endpoint, 401, "deleted_client", Meaning::ClientRefused),
        (endpoint, 401, "unauthorized_client", Meaning::ClientRefused),
        (endpoint, 400, "invalid_request", Meaning::ClientRefused),
        (endpoint, 503, "invalid_grant", Meaning::Passing),
        (endpoint, 400, "temporarily_unavailable", Meaning::Passing),
        (endpoint, 400, "server_error", Meaning::Passing),
        (endpoint, 400, "internal_failure", Meaning::Passing),
        (endpoint, 403, "unknown", Meaning::Passing),
        (endpoint, 429, "unknown", Meaning::Throttled),
        (endpoint, 429, "invalid_client", Meaning::Throttled),
        (endpoint, 403, "rate_limit_exceeded", Meaning::Throttled),
        (endpoint, 400, "slow_down", Meaning::Throttled),
        (endpoint, 403, "rateLimitExceeded", Meaning::Throttled),
        (endpoint, 403, "userRateLimitExceeded", Meaning::Throttled),
        (endpoint, 403, "RATE_LIMIT_EXCEEDED", Meaning::Throttled),
        (endpoint, 403, "quotaExceeded", Meaning::Throttled),
        (endpoint, 403, "dailyLimitExceeded", Meaning::Throttled),
        (endpoint, 400, "RESOURCE_EXHAUSTED", Meaning::Throttled),
    ]);
}

#[test]
fn each_kind_of_error_envelope_is_read() {
    let calendar = br#"{"error":{"errors":[{"domain":"calendar","reason":"forbiddenForNonOrganizer","message":"m"}],
        "code":403,"message":"Shared properties can only be changed by the organizer of the event."}}"#;
    let message = "Shared properties can only be changed by the organizer of the event.";
    assert_eq!(read(403, calendar), refusal(403, "forbiddenForNonOrganizer", message));
    let both = br#"{"error":{"code":403,"message":"m","status":"PERMISSION_DENIED",
        "errors":[{"message":"m","domain":"global","reason":"insufficientPermissions"}],
        "details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"ACCESS_TOKEN_SCOPE_INSUFFICIENT"}]}}"#;
    assert_eq!(read(403, both), refusal(403, "insufficientPermissions", "m"));
    let exact = br#"{"error":{"code":403,"status":"PERMISSION_DENIED","errors":[{"reason":"forbidden"}],
        "details":[{"@type":"t"},{"reason":"CONSUMER_SUSPENDED"}]}}"#;
    assert_eq!(read(403, exact).reason, "CONSUMER_SUSPENDED");
    assert_eq!(read(401, br#"{"error":{"code":401,"status":"UNAUTHENTICATED"}}"#).reason, "UNAUTHENTICATED");
    let token = br#"{"error":"invalid_client","error_description":"The OAuth client was not found."}"#;
    assert_eq!(read(401, token), refusal(401, "invalid_client", "The OAuth client was not found."));
    assert_eq!(read(400, br#"{"error":"invalid_grant"}"#), refusal(400, "invalid_grant", ""));
}

#[test]
fn an_answer_without_an_error_envelope_has_an_unknown_reason() {
    for body in ["", "<html>", "{}", r#"{"error":7}"#, r#"{"error":{"errors":[{"reason":7}]}}"#, "[1"] {
        assert_eq!(read(400, body.as_bytes()), refusal(400, UNKNOWN, ""), "{body}");
    }
}

#[test]
fn reason_and_message_are_fit_to_be_logged() {
    let said = |reason: &str, message: &str| {
        let body = serde_json::json!({ "error": { "errors": [{ "reason": reason }], "message": message } });
        read(400, body.to_string().as_bytes())
    };
    assert_eq!(said("a\nb\u{1b}[31m", "").reason, "ab31m");
    assert_eq!(said(&"x".repeat(1000), "").reason.len(), MAX_REASON_BYTES);
    assert_eq!(said("r", "r").message, "", "it repeats the reason");
    for (message, kept) in [
        ("Not\tFound\n\u{7f}", "Not Found"),
        (
            "Invalid value for: Invalid format: \"Piano with Ada\" is malformed",
            "Invalid value for: Invalid format: … is malformed",
        ),
        ("Invalid string value: 'Piano'. It couldn't be read.", "Invalid string value: …. It couldn't be read."),
        ("Unclosed \"Piano with Ada", "Unclosed …"),
        ("No access for ada@example.com here", "No access for … here"),
    ] {
        assert_eq!(said("r", message).message, kept);
    }
    let long = said("r", &"wörter ".repeat(100)).message;
    assert!(long.len() <= MAX_MESSAGE_BYTES && long.ends_with(CUT), "{long}");
    assert_eq!(said("r", &"x".repeat(10_000)).message, CUT);
}
