//! Cursors: what they bring, what they are tied to, and how they end.

use std::collections::BTreeMap;

use crate::common::{ADA, EVENTS, GRACE, World, ids, refused, timed, with};
use chrono::Duration;
use serde_json::{Value, json};

#[test]
fn a_delta_brings_what_changed_and_a_new_cursor() {
    let mut world = World::new();
    world.insert(&timed("2026-12-01", 9));
    let cursor = world.cursor();
    let new = world.insert(&timed("2026-12-02", 9));
    let (items, next) = world.list(&format!("syncToken={cursor}"));
    assert_eq!(ids(&items), [new["id"].as_str().unwrap()]);
    let (items, _) = world.list(&format!("syncToken={}", next.unwrap()));
    assert!(items.is_empty());
}

#[test]
fn a_deleted_event_comes_as_a_bare_tombstone() {
    let mut world = World::new();
    let event = world.insert(&timed("2026-12-01", 9));
    let cursor = world.cursor();
    world.call("DELETE", &format!("{EVENTS}/{}", event["id"].as_str().unwrap()));
    let (items, _) = world.list(&format!("syncToken={cursor}"));
    let names: Vec<&String> = items[0].as_object().unwrap().keys().collect();
    assert_eq!(names, ["etag", "id", "kind", "status"]);
    assert_eq!(items[0]["status"], "cancelled");
}

#[test]
fn parameters_that_a_cursor_refuses_answer_400() {
    let mut world = World::new();
    let cursor = world.cursor();
    for parameter in [
        "iCalUID=x",
        "orderBy=updated",
        "privateExtendedProperty=a%3Db",
        "q=x",
        "sharedExtendedProperty=a%3Db",
        "timeMin=2026-01-01T00:00:00Z",
        "timeMax=2027-01-01T00:00:00Z",
        "updatedMin=2026-11-20T00:00:00Z",
        "showDeleted=false",
    ] {
        let answer = world.call("GET", &format!("{EVENTS}?syncToken={cursor}&{parameter}"));
        assert_eq!(answer.status, 400, "{parameter}");
    }
}

#[test]
fn a_malformed_cursor_is_400_invalid() {
    let mut world = World::new();
    let cursor = world.cursor();
    for token in ["nonsense", "", &cursor[..cursor.len() - 3], &format!("A{}", &cursor[1..])] {
        refused(&world.call("GET", &format!("{EVENTS}?syncToken={token}")), 400, "invalid");
    }
}

#[test]
fn a_cursor_is_tied_to_the_shape_of_its_request() {
    let mut world = World::new();
    let cursor = world.cursor();
    for shape in ["singleEvents=true", "eventTypes=default", "maxAttendees=1", "timeZone=Asia/Tokyo"] {
        let answer = world.call("GET", &format!("{EVENTS}?syncToken={cursor}&{shape}"));
        refused(&answer, 400, "invalid");
    }
    assert_eq!(world.call("GET", &format!("{EVENTS}?syncToken={cursor}&maxResults=7")).status, 200);
}

#[test]
fn a_cursor_of_another_calendar_is_400_and_of_another_account_410() {
    let mut world = World::new();
    let cursor = world.cursor();
    let choir = "/calendar/v3/calendars/c_choir%40group.calendar.google.com/events";
    refused(&world.call("GET", &format!("{choir}?syncToken={cursor}")), 400, "invalid");

    world.google.share(world.now, ADA, GRACE, "reader");
    let cursor = world.cursor();
    world.token = world.token_of(GRACE, &[crate::common::ALL]);
    let answer = world.call("GET", &format!("/calendar/v3/calendars/ada%40example.com/events?syncToken={cursor}"));
    refused(&answer, 410, "fullSyncRequired");
}

#[test]
fn a_cursor_expires_with_time_on_demand_and_when_sharing_changes() {
    let mut world = World::new();
    let cursor = world.cursor();
    world.google.expire_cursors(world.now, ADA);
    refused(&world.call("GET", &format!("{EVENTS}?syncToken={cursor}")), 410, "fullSyncRequired");

    let cursor = world.cursor();
    assert_eq!(world.call("GET", &format!("{EVENTS}?syncToken={cursor}")).status, 200);
    world.google.share(world.now, ADA, GRACE, "reader");
    refused(&world.call("GET", &format!("{EVENTS}?syncToken={cursor}")), 410, "fullSyncRequired");

    let cursor = world.cursor();
    world.pass(Duration::days(29));
    world.token = world.token_of(ADA, &[crate::common::ALL]);
    refused(&world.call("GET", &format!("{EVENTS}?syncToken={cursor}")), 410, "fullSyncRequired");
}

#[test]
fn an_ordered_or_searched_listing_gives_no_cursor() {
    let mut world = World::new();
    for query in ["orderBy=updated", "singleEvents=true&orderBy=startTime", "q=x", "iCalUID=x"] {
        assert_eq!(world.list(query).1, None, "{query}");
    }
    assert!(world.list("timeMin=2026-01-01T00:00:00Z").1.is_some());
}

#[test]
fn what_changes_between_two_pages_is_in_the_next_delta() {
    let mut world = World::new();
    for day in 1..=6 {
        world.insert(&timed(&format!("2026-12-0{day}"), 9));
    }
    let first = world.get(&format!("{EVENTS}?maxResults=3"));
    let shown = first["items"][0]["id"].as_str().unwrap();
    world.call("DELETE", &format!("{EVENTS}/{shown}"));
    let late = world.insert(&timed("2026-12-07", 9));
    let token = first["nextPageToken"].as_str().unwrap();
    let second = world.get(&format!("{EVENTS}?maxResults=30&pageToken={token}"));
    let cursor = second["nextSyncToken"].as_str().unwrap();
    let (items, _) = world.list(&format!("syncToken={cursor}"));
    let changed = ids(&items);
    assert!(changed.contains(&shown) && changed.contains(&late["id"].as_str().unwrap()));
}

#[test]
fn a_page_token_is_tied_to_its_query() {
    let mut world = World::new();
    for hour in 9..13 {
        world.insert(&timed("2026-12-01", hour));
    }
    let first = world.get(&format!("{EVENTS}?maxResults=2"));
    let token = first["nextPageToken"].as_str().unwrap();
    assert!(first.get("nextSyncToken").is_none(), "a page has one token or the other");
    refused(&world.call("GET", &format!("{EVENTS}?pageToken={token}&showDeleted=true")), 400, "invalid");
    assert_eq!(world.call("GET", &format!("{EVENTS}?pageToken={token}&maxResults=1")).status, 200);
}

#[test]
fn pages_may_be_empty_and_go_on() {
    let mut world = World::with(|config| config.behaviour.thin_pages = 0.7);
    for day in 1..=9 {
        world.insert(&timed(&format!("2026-12-0{day}"), 9));
    }
    let (mut pages, mut empty, mut seen, mut query) = (0, 0, 0, String::new());
    loop {
        let page = world.get(&format!("{EVENTS}?maxResults=3{query}"));
        let items = page["items"].as_array().unwrap().len();
        pages += 1;
        seen += items;
        empty += usize::from(items == 0);
        match page["nextPageToken"].as_str() {
            Some(token) => query = format!("&pageToken={token}"),
            None => break,
        }
    }
    assert_eq!(seen, 9);
    assert!(empty > 0 && pages > 3, "{pages} pages, {empty} of them empty");
}

#[test]
fn cancelled_instances_are_listed_without_being_asked_for() {
    let mut world = World::new();
    let series = world.insert(&with(timed("2026-12-01", 9), &json!({"recurrence": ["RRULE:FREQ=DAILY;COUNT=5"]})));
    let id = format!("{}_20261202T080000Z", series["id"].as_str().unwrap());
    world.call("DELETE", &format!("{EVENTS}/{id}"));
    let (items, _) = world.list("");
    let gone = items.iter().find(|item| item["id"] == json!(id)).unwrap();
    assert_eq!(gone["recurringEventId"], series["id"]);
    assert_eq!(gone["originalStartTime"]["dateTime"], "2026-12-02T09:00:00+01:00");
    assert!(gone.get("start").is_none());
}

#[test]
fn an_edit_of_one_instance_brings_its_series_along_and_later_than_it() {
    let mut world = World::new();
    let series = world.insert(&with(timed("2026-12-01", 9), &json!({"recurrence": ["RRULE:FREQ=DAILY;COUNT=5"]})));
    let id = series["id"].as_str().unwrap();
    let cursor = world.cursor();
    world.call_with("PATCH", &format!("{EVENTS}/{id}_20261202T080000Z"), &json!({"summary": "x"}));
    let (items, _) = world.list(&format!("syncToken={cursor}"));
    let order: Vec<_> = items.iter().map(|item| item["id"].as_str().unwrap()).collect();
    assert_eq!(order, [&format!("{id}_20261202T080000Z"), id]);
}

#[test]
fn an_exception_that_a_trimmed_rule_cuts_off_loses_its_series() {
    let mut world = World::new();
    let series = world.insert(&with(timed("2026-12-01", 9), &json!({"recurrence": ["RRULE:FREQ=DAILY;COUNT=5"]})));
    let id = series["id"].as_str().unwrap();
    world.call_with("PATCH", &format!("{EVENTS}/{id}_20261204T080000Z"), &json!({"summary": "x"}));
    let cursor = world.cursor();
    let trimmed = json!({"recurrence": ["RRULE:FREQ=DAILY;COUNT=2"]});
    world.call_with("PATCH", &format!("{EVENTS}/{id}"), &trimmed);
    let (items, _) = world.list(&format!("syncToken={cursor}"));
    let cut = items.iter().find(|item| item["id"] == json!(format!("{id}_20261204T080000Z"))).unwrap();
    let names: Vec<&String> = cut.as_object().unwrap().keys().collect();
    assert_eq!(names, ["etag", "id", "kind", "status"]);
}

#[test]
fn a_deleted_series_is_one_tombstone() {
    let mut world = World::new();
    let series = world.insert(&with(timed("2026-12-01", 9), &json!({"recurrence": ["RRULE:FREQ=DAILY"]})));
    let id = series["id"].as_str().unwrap();
    world.call_with("PATCH", &format!("{EVENTS}/{id}_20261204T080000Z"), &json!({"summary": "x"}));
    let cursor = world.cursor();
    world.call("DELETE", &format!("{EVENTS}/{id}"));
    let (items, _) = world.list(&format!("syncToken={cursor}"));
    assert_eq!(ids(&items), [id]);
}

#[test]
fn one_touch_of_an_endless_series_brings_hundreds_of_single_events() {
    let mut world = World::new();
    let series = world.insert(&with(timed("2026-12-01", 9), &json!({"recurrence": ["RRULE:FREQ=WEEKLY"]})));
    let (_, cursor) = world.list("singleEvents=true");
    world.call_with("PATCH", &format!("{EVENTS}/{}", series["id"].as_str().unwrap()), &json!({"summary": "x"}));
    let (items, _) = world.list(&format!("singleEvents=true&syncToken={}", cursor.unwrap()));
    assert_eq!(items.len(), 730);
    let last = items.iter().filter_map(|item| item["start"]["dateTime"].as_str()).max();
    assert!(last.unwrap().starts_with("2040-"), "{last:?}");
}

#[test]
fn a_series_that_comes_back_tells_which_exceptions_did_not() {
    let mut world = World::new();
    let series = world.insert(&with(timed("2026-12-01", 9), &json!({"recurrence": ["RRULE:FREQ=DAILY;COUNT=5"]})));
    let id = series["id"].as_str().unwrap();
    let exception = format!("{id}_20261204T080000Z");
    world.call_with("PATCH", &format!("{EVENTS}/{exception}"), &json!({"summary": "x"}));
    let cursor = world.cursor();
    world.call("DELETE", &format!("{EVENTS}/{id}"));
    world.call_with("PATCH", &format!("{EVENTS}/{id}"), &json!({"status": "confirmed"}));
    let (items, _) = world.list(&format!("syncToken={cursor}"));
    assert_eq!(ids(&items), [id, &exception]);
    let gone = items.iter().find(|item| item["id"] == json!(exception)).unwrap();
    assert_eq!(gone["status"], "cancelled");
}

#[test]
fn an_event_that_becomes_a_series_takes_its_single_self_away_even_while_pages_are_read() {
    let mut world = World::new();
    let event = world.insert(&timed("2026-12-01", 9));
    let id = event["id"].as_str().unwrap();
    let (_, cursor) = world.list("singleEvents=true");
    let cursor = cursor.unwrap();
    world.call_with("PATCH", &format!("{EVENTS}/{id}"), &json!({"recurrence": ["RRULE:FREQ=DAILY;COUNT=3"]}));
    let delta = format!("{EVENTS}?singleEvents=true&syncToken={cursor}&maxResults=1");
    let first = world.get(&delta);
    world.call_with("PATCH", &format!("{EVENTS}/{id}"), &json!({"summary": "renamed"}));
    let mut seen = vec![first["items"][0].clone()];
    let mut page = first;
    while let Some(token) = page["nextPageToken"].as_str() {
        page = world.get(&format!("{delta}&pageToken={token}"));
        seen.extend(page["items"].as_array().unwrap().clone());
    }
    let gone = seen.iter().any(|item| item["id"] == json!(id) && item["status"] == "cancelled");
    assert!(gone, "{seen:?}");
}

#[test]
fn a_change_of_a_series_gives_it_and_its_exceptions_one_etag() {
    let mut world = World::new();
    let event = with(timed("2026-12-01", 9), &json!({"recurrence": ["RRULE:FREQ=DAILY;COUNT=5"]}));
    let id = world.insert(&event)["id"].as_str().unwrap().to_owned();
    let paths: Vec<String> = [&id, &format!("{id}_20261202T080000Z"), &format!("{id}_20261203T080000Z")]
        .map(|id| format!("{EVENTS}/{id}"))
        .into();
    for path in &paths[1..] {
        world.call_with("PATCH", path, &json!({"summary": "moved"}));
    }
    let marks = |world: &mut World| -> Vec<(Value, Value)> {
        let events = paths.iter().map(|path| world.get(path));
        events.map(|event| (event["etag"].clone(), event["updated"].clone())).collect()
    };
    let before = marks(&mut world);
    assert!(before.iter().all(|mark| *mark == before[0]), "after an edit of an instance: {before:?}");
    world.call_with("PATCH", &paths[0], &json!({"description": "for all"}));
    let after = marks(&mut world);
    assert!(after.iter().all(|mark| *mark == after[0] && *mark != before[0]), "after one of the series: {after:?}");
}

#[test]
fn a_listing_says_what_its_calendar_is_for() {
    let mut world = World::new();
    let choir = "/calendar/v3/calendars/c_choir@group.calendar.google.com";
    assert_eq!(world.get(&format!("{choir}/events"))["description"], "Rehearsals and concerts");
    assert_eq!(world.get(choir)["description"], "Rehearsals and concerts");
    assert!(world.get(EVENTS).get("description").is_none());
}

#[test]
fn a_listing_lags_on_demand_and_misses_nothing_in_the_end() {
    let mut world = World::new();
    let kept = world.insert(&with(timed("2026-12-01", 9), &json!({"summary": "old"})));
    let gone = world.insert(&timed("2026-12-01", 10));
    world.pass(Duration::seconds(10));
    world.google.behaviour_mut().listing_lag_ms = 5_000;
    let id = |event: &Value| event["id"].as_str().unwrap().to_owned();
    let (_, cursor) = world.list("");
    let added = world.insert(&timed("2026-12-02", 9));
    world.call_with("PATCH", &format!("{EVENTS}/{}", id(&kept)), &json!({"summary": "new"}));
    world.call("DELETE", &format!("{EVENTS}/{}", id(&gone)));
    world.pass(Duration::seconds(4));

    let (items, mut late) = world.list(&format!("syncToken={}", cursor.unwrap()));
    assert!(items.is_empty(), "nothing of it shows yet");
    let (complete, _) = world.list("");
    let mut before = [id(&kept), id(&gone)];
    before.sort_unstable();
    assert_eq!(ids(&complete), before);
    assert!(complete.iter().any(|event| event["summary"] == "old"), "as it was");
    assert_eq!(world.get(&format!("{EVENTS}/{}", id(&kept)))["summary"], "new", "a single event is never late");

    // A cursor from meanwhile, also one that was given after older ones became void, brings all of it later.
    world.google.expire_cursors(world.now, ADA);
    refused(&world.call("GET", &format!("{EVENTS}?syncToken={}", late.unwrap())), 410, "fullSyncRequired");
    late = world.list("").1;
    world.pass(Duration::seconds(2));
    let (items, _) = world.list(&format!("syncToken={}", late.unwrap()));
    let mut all = [id(&kept), id(&gone), id(&added)];
    all.sort_unstable();
    assert_eq!(ids(&items), all);
}

#[test]
fn a_listing_whose_first_page_was_fresh_takes_nothing_back_when_a_lag_begins() {
    let mut world = World::new();
    let kept = world.insert(&timed("2026-12-01", 9));
    let gone = world.insert(&timed("2026-12-01", 10));
    world.call("DELETE", &format!("{EVENTS}/{}", gone["id"].as_str().unwrap()));
    world.pass(Duration::seconds(1));
    let first = world.get(&format!("{EVENTS}?maxResults=1&showDeleted=true"));
    world.google.behaviour_mut().listing_lag_ms = 5_000;
    let token = first["nextPageToken"].as_str().unwrap();
    let second = world.get(&format!("{EVENTS}?showDeleted=true&pageToken={token}"));

    let shown = [&first, &second].map(|page| page["items"].as_array().unwrap().clone()).concat();
    let statuses: BTreeMap<&str, &str> =
        shown.iter().map(|item| (item["id"].as_str().unwrap(), item["status"].as_str().unwrap())).collect();
    let is = |event: &Value| statuses[event["id"].as_str().unwrap()];
    assert_eq!((is(&kept), is(&gone)), ("confirmed", "cancelled"), "as the cursor takes for granted");
    assert!(second["nextSyncToken"].is_string());
}

#[test]
fn a_series_that_is_deleted_shows_whole_in_a_listing_that_lags() {
    let mut world = World::new();
    let event = with(timed("2026-12-01", 9), &json!({"recurrence": ["RRULE:FREQ=DAILY;COUNT=3"]}));
    let path = format!("{EVENTS}/{}", world.insert(&event)["id"].as_str().unwrap());
    world.call_with("PATCH", &format!("{path}_20261202T080000Z"), &json!({"summary": "moved"}));
    world.pass(Duration::seconds(10));
    let (before, _) = world.list("singleEvents=true&orderBy=startTime");
    world.google.behaviour_mut().listing_lag_ms = 5_000;
    world.call("DELETE", &path);
    assert_eq!(world.list("singleEvents=true&orderBy=startTime").0, before);
    world.pass(Duration::seconds(6));
    assert!(world.list("singleEvents=true").0.is_empty());
}
