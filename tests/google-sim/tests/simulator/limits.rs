//! Quotas, faults, batches and selectors.

use crate::common::{ADA, ALL, EVENTS, GRACE, World, refused, timed, with};
use chrono::Duration;
use google_sim::{Delivery, Effect, Fault, Request, Response, When};
use serde_json::json;

fn batch(world: &mut World, parts: &[Request]) -> Response {
    let written = parts.iter().enumerate().map(|(number, part)| {
        format!(
            "--x\r\nContent-Type: application/http\r\nContent-ID: <part-{number}>\r\n\r\n{} {} HTTP/1.1\r\n\
             Content-Type: application/json\r\n\r\n{}\r\n",
            part.method,
            part.path,
            String::from_utf8_lossy(&part.body)
        )
    });
    let body = written.chain(["--x--\r\n".to_owned()]).collect::<String>();
    let mut request = Request::new("POST", "/batch/calendar/v3")
        .bearer(&world.token)
        .header("Content-Type", "multipart/mixed; boundary=x");
    request.body = body.into_bytes();
    world.send(request)
}

/// The inner statuses, in the order of the answer.
fn statuses(answer: &Response) -> Vec<u16> {
    let text = answer.text();
    text.lines().filter_map(|line| line.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()).collect()
}

#[test]
fn a_users_minute_is_a_sliding_window() {
    let mut world = World::with(|config| config.limits.user_per_minute = Some(3));
    for _ in 0..3 {
        assert_eq!(world.call("GET", EVENTS).status, 200);
        world.pass(Duration::seconds(10));
    }
    refused(&world.call("GET", EVENTS), 403, "userRateLimitExceeded");
    world.pass(Duration::seconds(31));
    assert_eq!(world.call("GET", EVENTS).status, 200);
    refused(&world.call("GET", EVENTS), 403, "userRateLimitExceeded");
}

#[test]
fn one_user_does_not_use_up_anothers_minute_but_all_share_the_projects() {
    let mut world = World::with(|config| {
        config.limits.user_per_minute = Some(2);
        config.limits.project_per_minute = Some(3);
    });
    let grace = world.token_of(GRACE, &[ALL]);
    world.call("GET", EVENTS);
    world.call("GET", EVENTS);
    refused(&world.call("GET", EVENTS), 403, "userRateLimitExceeded");
    world.token = grace;
    assert_eq!(world.call("GET", EVENTS).status, 200);
    let mut statuses = std::collections::BTreeSet::new();
    for _ in 0..20 {
        let answer = world.call("GET", EVENTS);
        assert_eq!(crate::common::refusal(&answer).1, "rateLimitExceeded");
        statuses.insert(answer.status);
    }
    assert_eq!(statuses.into_iter().collect::<Vec<_>>(), [403, 429], "the same refusal under either status");
}

#[test]
fn a_patch_costs_three() {
    let mut world = World::with(|config| config.limits.user_per_minute = Some(4));
    let event = world.insert(&timed("2026-12-01", 9));
    let path = format!("{EVENTS}/{}", event["id"].as_str().unwrap());
    assert_eq!(world.call_with("PATCH", &path, &json!({"summary": "x"})).status, 200);
    refused(&world.call("GET", EVENTS), 403, "userRateLimitExceeded");
}

#[test]
fn rapid_writes_to_one_calendar_are_refused_for_every_writer() {
    let mut world = World::with(|config| config.limits.calendar_writes_per_minute = Some(2));
    world.google.share(world.now, ADA, GRACE, "writer");
    let event = world.insert(&timed("2026-12-01", 9));
    let path = format!("{EVENTS}/{}", event["id"].as_str().unwrap());
    world.pass(Duration::seconds(30));
    assert_eq!(
        world.call_with("PATCH", &path, &json!({"summary": "x"})).status,
        200,
        "a write is one, whatever it costs"
    );
    refused(&world.call("DELETE", &path), 403, "rateLimitExceeded");
    assert_eq!(world.call("GET", &path).status, 200, "reading goes on");
    let choir = "/calendar/v3/calendars/c_choir%40group.calendar.google.com/events";
    assert_eq!(world.call_with("POST", choir, &timed("2026-12-01", 9)).status, 200, "as does writing elsewhere");
    world.token = world.token_of(GRACE, &[ALL]);
    let shared = "/calendar/v3/calendars/ada%40example.com/events";
    let answer = world.call_with("POST", shared, &timed("2026-12-02", 9));
    refused(&answer, 403, "rateLimitExceeded");
    assert_eq!(answer.value()["error"]["errors"][0]["domain"], "usageLimits");
    world.pass(Duration::seconds(30));
    assert_eq!(world.call_with("POST", shared, &timed("2026-12-02", 9)).status, 200, "the window slides");
}

#[test]
fn an_exhausted_quota_lasts() {
    let mut world = World::new();
    world.google.exhaust_quota(world.now, ADA, Duration::hours(5));
    refused(&world.call("GET", EVENTS), 403, "quotaExceeded");
    world.pass(Duration::minutes(30));
    refused(&world.call("GET", EVENTS), 403, "quotaExceeded");
    world.google.reset_quotas();
    assert_eq!(world.call("GET", EVENTS).status, 200);
}

#[test]
fn a_fault_hits_the_calls_that_it_names() {
    let mut world = World::new();
    world.google.inject(Fault::new("calendar.events.list", Effect::refuse(503, "backendError")).on(When::Nth(2)));
    world.google.inject(Fault::new("calendar.events.*", Effect::refuse(403, "rateLimitExceeded")).of(GRACE));
    let outcomes: Vec<u16> = (0..3).map(|_| world.call("GET", EVENTS).status).collect();
    assert_eq!(outcomes, [200, 503, 200]);
    world.token = world.token_of(GRACE, &[ALL]);
    refused(&world.call("GET", EVENTS), 403, "rateLimitExceeded");
    world.google.clear_faults();
    assert_eq!(world.call("GET", EVENTS).status, 200);
    assert_eq!(world.google.calls("calendar.events.list"), 5);
}

#[test]
fn a_share_of_calls_fails_by_seed() {
    let outcomes = || {
        let mut world = World::new();
        let refuse = Effect::refuse(500, "backendError");
        world.google.inject(Fault::new("*", refuse).on(When::Share(0.3)));
        (0..100).map(|_| world.call("GET", EVENTS).status).collect::<Vec<_>>()
    };
    let first = outcomes();
    let failed = first.iter().filter(|status| **status == 500).count();
    assert!((15..45).contains(&failed), "{failed}");
    assert_eq!(first, outcomes(), "the same seed fails the same calls");
}

#[test]
fn a_call_can_be_carried_out_and_its_answer_lost() {
    let mut world = World::new();
    for (effect, delivery, carried_out) in [
        (Effect::Timeout, Delivery::Never, false),
        (Effect::TimeoutAfterwards, Delivery::Never, true),
        (Effect::Cut, Delivery::Cut, false),
        (Effect::CutAfterwards, Delivery::Cut, true),
        (Effect::Slow(5), Delivery::After(5), true),
    ] {
        let before = world.google.events(ADA).len();
        world.google.inject(Fault::new("calendar.events.insert", effect));
        let answer = world.call_with("POST", EVENTS, &timed("2026-12-01", 9));
        world.google.clear_faults();
        assert_eq!(answer.delivery, delivery);
        assert_eq!(world.google.events(ADA).len() - before, usize::from(carried_out), "{delivery:?}");
    }
}

#[test]
fn a_batch_answers_in_order_with_a_status_for_each_part() {
    let mut world = World::new();
    let event = world.insert(&timed("2026-12-01", 9));
    let path = format!("{EVENTS}/{}", event["id"].as_str().unwrap());
    let answer = batch(
        &mut world,
        &[
            Request::new("GET", &path),
            Request::new("GET", &format!("{EVENTS}/unknown")),
            Request::new("POST", EVENTS).json(&timed("2026-12-02", 9)),
            Request::new("DELETE", &format!("{EVENTS}/unknown")),
        ],
    );
    assert_eq!(statuses(&answer), [200, 404, 200, 404]);
    let text = answer.text();
    let order: Vec<_> = (0..4).map(|n| text.find(&format!("<response-part-{n}>")).unwrap()).collect();
    assert!(order.is_sorted());
    assert_eq!(world.google.calls("calendar.events.get"), 2, "each part counts as a call");
}

#[test]
fn the_parts_of_a_batch_run_in_any_order() {
    let mut world = World::new();
    let mut orders = std::collections::BTreeSet::new();
    for _ in 0..10 {
        let parts: Vec<Request> =
            (0..4).map(|n| Request::new("POST", EVENTS).json(&timed("2026-12-02", 9 + n))).collect();
        let text = batch(&mut world, &parts).text();
        let mut etags: Vec<(usize, &str)> =
            text.split("\"etag\": ").skip(1).map(|rest| rest.split(',').next().unwrap()).enumerate().collect();
        etags.sort_by_key(|(_, etag)| *etag);
        orders.insert(etags.into_iter().map(|(n, _)| n).collect::<Vec<_>>());
    }
    assert!(orders.len() > 3, "{orders:?}");
}

#[test]
fn a_batch_is_limited_well_formed_and_free_of_working_locations() {
    let mut world = World::new();
    let many: Vec<Request> = (0..51).map(|_| Request::new("GET", EVENTS)).collect();
    refused(&batch(&mut world, &many), 400, "badRequest");
    refused(&batch(&mut world, &[]), 400, "badRequest");
    refused(&batch(&mut world, &[Request::new("GET", "http://example.com/x")]), 400, "badRequest");
    let place = json!({"eventType": "workingLocation", "visibility": "public", "transparency": "transparent",
        "workingLocationProperties": {"type": "homeOffice", "homeOffice": {}}});
    let place = crate::common::with(timed("2026-12-01", 9), &place);
    assert_eq!(world.call_with("POST", EVENTS, &place).status, 200);
    assert_eq!(statuses(&batch(&mut world, &[Request::new("POST", EVENTS).json(&place)])), [400]);
}

#[test]
fn a_fault_hits_single_parts_of_a_batch() {
    let mut world = World::new();
    let lost = Fault::new("calendar.events.insert", Effect::TimeoutAfterwards);
    world.google.inject(lost.on(When::Nth(2)));
    let parts: Vec<Request> = (0..3).map(|_| Request::new("POST", EVENTS).json(&timed("2026-12-02", 9))).collect();
    let answer = batch(&mut world, &parts);
    let mut outcomes = statuses(&answer);
    outcomes.sort_unstable();
    assert_eq!(outcomes, [200, 200, 503]);
    assert_eq!(world.google.events(ADA).len(), 3);
}

#[test]
fn a_selector_leaves_only_what_was_asked_for() {
    let mut world = World::new();
    world.insert(&timed("2026-12-01", 9));
    let listed = world.get(&format!("{EVENTS}?fields=items(id,start/dateTime)"));
    assert!(listed.get("nextSyncToken").is_none(), "who does not ask for the cursor gets none");
    assert_eq!(listed["items"][0].as_object().unwrap().len(), 2);
    refused(&world.call("GET", &format!("{EVENTS}?fields=nonsense")), 400, "invalidParameter");
}

#[test]
fn what_is_not_kept_says_so() {
    let mut world = World::new();
    refused(&world.call("POST", &format!("{EVENTS}/quickAdd?text=Lunch")), 501, "notImplemented");
    refused(&world.call("GET", "/calendar/v3/nothing"), 404, "notFound");
}

#[test]
fn the_front_end_words_its_refusals_in_an_envelope_of_its_own() {
    let mut world = World::new();
    let login = "Expected OAuth 2 access token, login cookie or other valid authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.";
    let header = json!({"locationType": "header", "location": "Authorization"});
    let unauthenticated = |reason: &str, short: &str, message: &str| {
        let detail = with(json!({"domain": "global", "reason": reason, "message": short}), &header);
        json!({"error": {"code": 401, "message": format!("{message} {login}"), "errors": [detail], "status": "UNAUTHENTICATED"}})
    };
    let missing = world.send(Request::new("GET", EVENTS));
    let message = "Request is missing required authentication credential.";
    assert_eq!(missing.value(), unauthenticated("required", "Login Required.", message));
    assert_eq!(missing.header_value("www-authenticate"), Some("Bearer realm=\"https://accounts.google.com/\""));

    let bad = world.send(Request::new("GET", EVENTS).bearer("nonsense"));
    let message = "Request had invalid authentication credentials.";
    assert_eq!(bad.value(), unauthenticated("authError", "Invalid Credentials", message));
    assert!(bad.header_value("www-authenticate").unwrap().ends_with("error=\"invalid_token\""));
}

#[test]
fn a_missing_scope_is_told_with_the_method_that_lacks_it_also_as_a_fault() {
    let mut world = World::new();
    let events = world.token_of(ADA, &["https://www.googleapis.com/auth/calendar.events"]);
    let body = |method: &str| {
        json!({"error": {
            "code": 403,
            "message": "Request had insufficient authentication scopes.",
            "errors": [{"domain": "global", "reason": "insufficientPermissions", "message": "Insufficient Permission"}],
            "status": "PERMISSION_DENIED",
            "details": [{
                "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                "reason": "ACCESS_TOKEN_SCOPE_INSUFFICIENT",
                "domain": "googleapis.com",
                "metadata": {"service": "calendar-json.googleapis.com", "method": method},
            }],
        }})
    };
    let list = world.send(Request::new("GET", "/calendar/v3/users/me/calendarList").bearer(&events));
    assert_eq!((list.status, list.value()), (403, body("calendar.v3.CalendarList.List")));

    let effect = Effect::refuse(403, "insufficientPermissions");
    world.google.inject(Fault::new("calendar.events.*", effect));
    let listed = world.call("GET", EVENTS);
    assert_eq!((listed.status, listed.value()), (403, body("calendar.v3.Events.List")));
}

#[test]
fn the_calendar_words_its_refusals_without_a_status() {
    let mut world = World::new();
    let effect = Effect::refuse(403, "forbiddenForNonOrganizer");
    world.google.inject(Fault::new("calendar.events.insert", effect));
    let message = "Shared properties can only be changed by the organizer of the event.";
    let error = json!({"domain": "calendar", "reason": "forbiddenForNonOrganizer", "message": message});
    let answer = world.call_with("POST", EVENTS, &timed("2026-12-01", 9));
    assert_eq!(answer.value(), json!({"error": {"code": 403, "errors": [error], "message": message}}));
    assert_eq!(answer.header_value("www-authenticate"), None);
}
