use crate::common::{ADA, EVENTS, GRACE, HOLIDAYS, World, ids, refused};
use chrono::Duration;
use google_sim::Request;
use serde_json::{Value, json};

const SETTINGS: &str = "/calendar/v3/users/me/settings";
const ACL: &str = "/calendar/v3/calendars/primary/acl";

fn items(answer: &Value) -> Vec<Value> {
    answer["items"].as_array().unwrap().clone()
}

#[test]
fn the_palettes_are_those_that_google_shows() {
    let mut world = World::new();
    let colors = world.get("/calendar/v3/colors");
    assert_eq!((&colors["kind"], &colors["updated"]), (&json!("calendar#colors"), &json!("2012-02-14T00:00:00.000Z")));
    assert_eq!(colors["calendar"].as_object().unwrap().len(), 24);
    assert_eq!(colors["event"].as_object().unwrap().len(), 11);
    assert_eq!(colors["event"]["11"], json!({"background": "#dc2127", "foreground": "#1d1d1d"}));
    // The list of calendars names a colour of the palette.
    let entry = &world.get("/calendar/v3/users/me/calendarList")["items"][0];
    let id = entry["colorId"].as_str().unwrap();
    assert_eq!(entry["backgroundColor"], colors["calendar"][id]["background"]);
}

#[test]
fn every_setting_is_a_text_and_the_zone_is_the_accounts() {
    let mut world = World::new();
    let list = world.get(SETTINGS);
    assert_eq!(list["kind"], "calendar#settings");
    assert_eq!(items(&list).len(), 12);
    assert!(items(&list).iter().all(|setting| setting["kind"] == "calendar#setting" && setting["value"].is_string()));
    let zone = world.get(&format!("{SETTINGS}/timezone"));
    assert_eq!((&zone["id"], &zone["value"]), (&json!("timezone"), &json!("Europe/Berlin")));
    assert!(items(&list).contains(&zone));
    refused(&world.call("GET", &format!("{SETTINGS}/volume")), 404, "notFound");
    refused(&world.call("POST", &format!("{SETTINGS}/watch")), 501, "notImplemented");
}

#[test]
fn small_collections_are_paged_and_end_with_a_cursor() {
    let mut world = World::new();
    for (target, count) in [(SETTINGS, 12), ("/calendar/v3/users/me/calendarList", 3)] {
        let (mut seen, mut page) = (Vec::new(), String::new());
        let cursor = loop {
            let answer = world.get(&format!("{target}?maxResults=2{page}"));
            assert!(items(&answer).len() <= 2);
            seen.extend(items(&answer));
            match answer["nextPageToken"].as_str() {
                Some(token) => page = format!("&pageToken={token}"),
                None => break answer["nextSyncToken"].as_str().unwrap().to_owned(),
            }
            assert!(answer.get("nextSyncToken").is_none());
        };
        assert_eq!(seen.len(), count);
        assert_eq!(items(&world.get(&format!("{target}?syncToken={cursor}"))), Vec::<Value>::new());
        refused(&world.call("GET", &format!("{target}?syncToken=nonsense")), 400, "invalid");
        refused(&world.call("GET", &format!("{target}?pageToken=nonsense")), 400, "invalid");
        refused(&world.call("GET", &format!("{target}?maxResults=0")), 400, "invalidParameter");
        let other = if target == SETTINGS { ACL } else { SETTINGS };
        refused(&world.call("GET", &format!("{other}?syncToken={cursor}")), 400, "invalid");
        world.pass(Duration::days(29));
        world.token = world.token_of(ADA, &[crate::common::ALL]);
        refused(&world.call("GET", &format!("{target}?syncToken={cursor}")), 410, "fullSyncRequired");
    }
}

#[test]
fn access_rules_name_the_owner_and_each_account_that_was_let_in() {
    let mut world = World::new();
    world.google.share(world.now, ADA, GRACE, "reader");
    let list = world.get(ACL);
    assert_eq!(list["kind"], "calendar#acl");
    let owner = json!({"type": "user", "value": ADA});
    assert_eq!(ids(&items(&list)), ["user:ada@example.com", "user:grace@example.com"]);
    assert_eq!((&list["items"][0]["role"], &list["items"][0]["scope"]), (&json!("owner"), &owner));
    let rule = world.get(&format!("{ACL}/user:{GRACE}"));
    assert_eq!((&rule["kind"], &rule["role"]), (&json!("calendar#aclRule"), &json!("reader")));
    refused(&world.call("GET", &format!("{ACL}/user:nobody@example.com")), 404, "notFound");
}

#[test]
fn a_rule_that_was_taken_away_is_shown_on_demand_and_in_a_delta() {
    let mut world = World::new();
    world.google.share(world.now, ADA, GRACE, "writer");
    let cursor = world.get(ACL)["nextSyncToken"].as_str().unwrap().to_owned();
    assert_eq!(items(&world.get(&format!("{ACL}?syncToken={cursor}"))), Vec::<Value>::new());
    world.google.share(world.now, ADA, GRACE, "none");
    assert_eq!(ids(&items(&world.get(ACL))), ["user:ada@example.com"]);
    refused(&world.call("GET", &format!("{ACL}/user:{GRACE}")), 404, "notFound");
    for query in ["showDeleted=true".to_owned(), format!("syncToken={cursor}")] {
        let rules = items(&world.get(&format!("{ACL}?{query}")));
        let gone = rules.iter().find(|rule| rule["id"] == "user:grace@example.com").unwrap();
        assert_eq!(gone["role"], "none", "{query}");
    }
    refused(&world.call("GET", &format!("{ACL}?syncToken={cursor}&showDeleted=false")), 400, "badRequest");
}

#[test]
fn rules_are_for_those_who_may_write() {
    let mut world = World::new();
    let acl = |calendar: &str| format!("/calendar/v3/calendars/{}/acl", calendar.replace('#', "%23"));
    refused(&world.call("GET", &acl(GRACE)), 404, "notFound");
    for (role, status) in [("freeBusyReader", 403), ("reader", 403), ("writer", 200), ("owner", 200)] {
        world.google.share(world.now, GRACE, ADA, role);
        assert_eq!(world.call("GET", &acl(GRACE)).status, status, "{role}");
        assert_eq!(world.call("GET", &format!("{}/user:{ADA}", acl(GRACE))).status, status, "{role}");
    }
    refused(&world.call("GET", &acl(HOLIDAYS)), 403, "requiredAccessLevel");
    refused(&world.call_with("POST", ACL, &json!({})), 501, "notImplemented");
}

#[test]
fn a_post_may_stand_for_another_method() {
    let mut world = World::new();
    let event = world.insert(&crate::common::timed("2026-12-01", 9));
    let target = format!("{EVENTS}/{}", event["id"].as_str().unwrap());
    let overridden = |method: &str, target: &str| {
        Request::new("POST", target).header("X-HTTP-Method-Override", method).bearer(&world.token)
    };
    let patch = overridden("PATCH", &target).json(&json!({"summary": "Patched"}));
    let list = overridden("get", EVENTS).form(&[("fields", "items/summary"), ("maxResults", "1")]);
    let ignored = Request::new("GET", &target).header("X-HTTP-Method-Override", "DELETE").bearer(&world.token);
    assert_eq!(world.send(patch).value()["summary"], "Patched");
    assert_eq!(world.send(list).value(), json!({"items": [{"summary": "Patched"}]}));
    assert_eq!(world.send(ignored).value()["status"], "confirmed");
}

#[test]
fn a_search_finds_events_that_have_each_word_somewhere() {
    let mut world = World::new();
    let more = json!({
        "summary": "Piano Lesson", "location": "Room 3",
        "attendees": [{"email": GRACE, "displayName": "Grace Hill"}],
    });
    world.insert(&crate::common::with(crate::common::timed("2026-12-01", 9), &more));
    for (words, found) in [("room%20piano", 1), ("%20lesson%20", 1), ("hill", 1), ("piano%20violin", 0), ("ada", 1)] {
        let answer = world.get(&format!("{EVENTS}?q={words}"));
        assert_eq!(items(&answer).len(), found, "{words}");
    }
}
