//! `openapi.yaml` describes the API that is served, and its examples are what it describes.

use calendar_tests::openapi::API;
use local_stack::deployment::ROUTES;
use serde_json::{Value, json};

const STATUS: &str = "/api/v1/calendar/status/5c7a1e00-0000-4000-8000-0000000000a1";

#[test]
fn the_document_has_the_routes_that_are_served() {
    let served = ROUTES.iter().map(|route| (route.method.to_owned(), route.path.to_owned()));
    assert_eq!(API.operations(), served.collect());
}

#[test]
fn every_example_is_what_its_schema_describes() {
    let examples = API.examples();
    assert!(examples.len() >= 4, "{} examples", examples.len());
    for (schema, example) in examples {
        if let Err(error) = API.validate(&schema, &example) {
            panic!("{schema}: {error}");
        }
    }
}

#[test]
fn an_answer_that_the_document_does_not_know_is_refused() {
    let not_connected = json!({ "success": true, "data": {
        "connected": false, "state": "not_connected", "reason": null, "description": "No calendar is connected.",
        "counts": { "lessonsWaiting": 0, "lessonsFailed": 0, "conflicts": 0, "conflictsIgnored": 0 },
        "failures": [], "conflicts": [], "ignoredConflicts": [], "logs": [], "nextCursor": null,
    }});
    assert_eq!(API.check("GET", STATUS, 200, &not_connected), Ok(()));
    let altered = |change: fn(&mut Value)| {
        let mut answer = not_connected.clone();
        change(&mut answer["data"]);
        answer
    };
    for wrong in [
        altered(|data| data["state"] = json!("gone")),
        altered(|data| data["nextCursor"] = json!("1")),
        altered(|data| data["more"] = json!(1)),
        altered(|data| data["counts"] = json!({ "conflicts": 0 })),
        altered(|data| data["connected"] = json!(true)), // which says more
        json!({ "success": true }),
        json!({ "success": false, "error": { "code": "internal", "message": "…" } }),
    ] {
        assert!(API.check("GET", STATUS, 200, &wrong).is_err(), "{wrong}");
    }
    assert!(API.check("GET", STATUS, 204, &not_connected).is_err());
    assert!(API.check("PUT", STATUS, 200, &not_connected).is_err());
    assert!(API.check("GET", "/api/v1/calendar/status", 200, &not_connected).is_err());
}
