//! Whatever waits, waits longer than one call that hangs: to AWS or Google, in a handler, in a function, for whoever called
//! that. So a service that does not answer once is told in an answer, and is no function that was cut off.

use std::time::Duration;

use calendar_functions::{disconnect, sync};
use calendar_sync::{
    adapters::google::LOGIN_TIMEOUT,
    bootstrap::AWS_CALL_TIMEOUT,
    usecases::{erase::BEGUN_WITHIN, handle_sync_message::RUN_LASTS},
};
use calendar_tests::template::{functions, template};
use local_stack::deployment::ROUTES;

/// How long an HTTP API waits for a function
/// (<https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html>).
const GATEWAY_WAITS: Duration = Duration::from_secs(30);

/// The time limit of a function.
fn limit(function: &str) -> Duration {
    let template = template();
    let functions = functions(&template);
    let (_, found) = functions.iter().find(|(name, _)| name == function).unwrap();
    Duration::from_secs(u64::try_from(found["Timeout"].as_i64().unwrap()).unwrap())
}

#[test]
fn a_call_to_aws_that_hangs_ends_before_its_function() {
    for (name, _) in functions(&template()) {
        assert!(AWS_CALL_TIMEOUT < limit(&name), "{name}");
    }
}

#[test]
fn a_function_that_a_caller_waits_for_ends_before_the_gateway_gives_up() {
    for route in &ROUTES {
        assert!(limit(route.function) < GATEWAY_WAITS, "{}", route.function);
    }
}

#[test]
fn the_message_of_an_erasure_comes_when_the_function_that_stores_it_has_ended() {
    assert!(limit("erase") < BEGUN_WITHIN);
}

#[test]
fn what_is_stopped_for_want_of_time_can_still_be_stored() {
    for (name, stops_after) in [
        ("sync", sync::ANSWER_WITHIN.to_std().unwrap()),
        ("disconnect", disconnect::ANSWER_WITHIN.to_std().unwrap()),
        ("sync-worker", RUN_LASTS.to_std().unwrap()),
        ("oauth-callback", LOGIN_TIMEOUT),
    ] {
        assert!(stops_after + AWS_CALL_TIMEOUT < limit(name), "{name}");
    }
}
