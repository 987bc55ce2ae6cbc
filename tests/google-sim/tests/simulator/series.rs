//! Series: expansion, exceptions, and "this and following".

use crate::common::{ADA, EVENTS, World, refused, timed, with};
use serde_json::{Value, json};

fn series(world: &mut World, day: &str, rule: &str) -> String {
    let event = world.insert(&with(timed(day, 9), &json!({"recurrence": [rule]})));
    event["id"].as_str().unwrap().to_owned()
}

fn starts(items: &[Value]) -> Vec<&str> {
    let text = |item: &'_ Value| item["start"]["dateTime"].as_str().map(str::len);
    assert!(items.iter().all(|item| text(item).is_some()));
    items.iter().map(|item| item["start"]["dateTime"].as_str().unwrap()).collect()
}

fn instances(world: &mut World, id: &str) -> Vec<Value> {
    world.get(&format!("{EVENTS}/{id}/instances"))["items"].as_array().unwrap().clone()
}

#[test]
fn occurrences_keep_the_hour_of_their_zone_across_dst() {
    let mut world = World::new();
    let id = series(&mut world, "2026-10-19", "RRULE:FREQ=WEEKLY;COUNT=2");
    let items = instances(&mut world, &id);
    assert_eq!(starts(&items), ["2026-10-19T09:00:00+02:00", "2026-10-26T09:00:00+01:00"]);
    assert_eq!(items[1]["id"], json!(format!("{id}_20261026T080000Z")));
    assert_eq!(items[1]["recurringEventId"], json!(id));
    assert_eq!(items[1]["iCalUID"], items[0]["iCalUID"]);
}

#[test]
fn a_series_occurs_where_it_starts_even_if_its_rule_leaves_that_day_out() {
    let mut world = World::new();
    // 2026-12-01 is a Tuesday.
    let id = series(&mut world, "2026-12-01", "RRULE:FREQ=WEEKLY;BYDAY=WE;COUNT=2");
    let instances = instances(&mut world, &id);
    let days: Vec<&str> = starts(&instances).into_iter().map(|start| &start[..10]).collect();
    assert_eq!(days, ["2026-12-01", "2026-12-02", "2026-12-09"], "and the count does not count it");
}

#[test]
fn occurrences_of_days_are_named_by_their_day() {
    let mut world = World::new();
    let event = json!({
        "start": {"date": "2026-12-30"}, "end": {"date": "2026-12-31"},
        "recurrence": ["RRULE:FREQ=DAILY;COUNT=3", "EXDATE;VALUE=DATE:20261231"],
    });
    let id = world.insert(&event)["id"].as_str().unwrap().to_owned();
    let items = instances(&mut world, &id);
    let ids: Vec<&str> = items.iter().map(|item| item["id"].as_str().unwrap()).collect();
    assert_eq!(ids, [format!("{id}_20261230"), format!("{id}_20270101")]);
    assert_eq!(items[1]["end"], json!({"date": "2027-01-02"}));
}

#[test]
fn an_until_is_inclusive_and_dates_come_and_go() {
    let mut world = World::new();
    let event = json!({"recurrence": [
        "RRULE:FREQ=DAILY;UNTIL=20261203T080000Z",
        "EXDATE;TZID=Europe/Berlin:20261202T090000",
        "RDATE;TZID=Europe/Berlin:20261205T150000",
    ]});
    let id = world.insert(&with(timed("2026-12-01", 9), &event))["id"].as_str().unwrap().to_owned();
    let items = instances(&mut world, &id);
    assert_eq!(starts(&items), ["2026-12-01T09:00:00+01:00", "2026-12-03T09:00:00+01:00", "2026-12-05T15:00:00+01:00"]);
}

#[test]
fn an_instance_can_be_got_changed_and_cancelled_by_its_id() {
    let mut world = World::new();
    let id = series(&mut world, "2026-12-01", "RRULE:FREQ=DAILY;COUNT=3");
    let second = format!("{EVENTS}/{id}_20261202T080000Z");
    assert_eq!(world.get(&second)["status"], "confirmed");
    let moved = world.call_with("PATCH", &second, &timed("2026-12-09", 9)).value();
    assert_eq!(moved["originalStartTime"]["dateTime"], "2026-12-02T09:00:00+01:00");
    assert_eq!(moved["sequence"], 1);
    assert_eq!(world.get(&format!("{EVENTS}/{id}"))["sequence"], 0);

    let third = format!("{EVENTS}/{id}_20261203T080000Z");
    let body = with(timed("2026-12-03", 9), &json!({"status": "cancelled"}));
    assert_eq!(world.call_with("PUT", &third, &body).value()["status"], "cancelled");
    let items = instances(&mut world, &id);
    assert_eq!(starts(&items), ["2026-12-01T09:00:00+01:00", "2026-12-09T09:00:00+01:00"]);
    refused(&world.call("GET", &format!("{EVENTS}/{id}_20261224T080000Z")), 404, "notFound");
}

#[test]
fn single_events_replace_their_series_and_come_in_order() {
    let mut world = World::new();
    let id = series(&mut world, "2026-12-01", "RRULE:FREQ=DAILY;COUNT=4");
    world.call_with("PATCH", &format!("{EVENTS}/{id}_20261202T080000Z"), &timed("2026-12-20", 9));
    world.call("DELETE", &format!("{EVENTS}/{id}_20261203T080000Z"));
    let (items, _) = world.list("singleEvents=true&orderBy=startTime");
    assert_eq!(starts(&items), ["2026-12-01T09:00:00+01:00", "2026-12-04T09:00:00+01:00", "2026-12-20T09:00:00+01:00"]);
    refused(&world.call("GET", &format!("{EVENTS}?orderBy=startTime")), 400, "badRequest");
}

#[test]
fn both_bounds_of_a_window_are_exclusive_and_an_empty_one_is_refused() {
    let mut world = World::new();
    series(&mut world, "2026-12-01", "RRULE:FREQ=DAILY");
    let window = "singleEvents=true&timeMin=2026-12-05T10:00:00%2B01:00&timeMax=2026-12-07T09:00:00%2B01:00";
    let (items, _) = world.list(window);
    assert_eq!(starts(&items), ["2026-12-06T09:00:00+01:00"]);
    let empty = "timeMin=2026-12-05T10:00:00Z&timeMax=2026-12-05T10:00:00Z";
    refused(&world.call("GET", &format!("{EVENTS}?{empty}")), 400, "timeRangeEmpty");
}

#[test]
fn days_meet_a_window_in_the_calendars_zone() {
    let mut world = World::new();
    world.insert(&json!({"start": {"date": "2026-12-01"}, "end": {"date": "2026-12-02"}}));
    let day_before_midnight = "timeMin=2026-12-01T22:59:59Z&timeMax=2026-12-05T00:00:00Z";
    assert_eq!(world.list(day_before_midnight).0.len(), 1);
    let at_midnight = "timeMin=2026-12-01T23:00:00Z&timeMax=2026-12-05T00:00:00Z";
    assert_eq!(world.list(at_midnight).0.len(), 0);
    world.google.set_zone(ADA, chrono_tz::Tz::America__New_York);
    assert_eq!(world.list(at_midnight).0.len(), 1);
}

#[test]
fn this_and_following_at_the_same_time_makes_a_new_series_named_after_the_old_one() {
    let mut world = World::new();
    let id = series(&mut world, "2026-12-01", "RRULE:FREQ=DAILY;COUNT=10");
    world.call_with("PATCH", &format!("{EVENTS}/{id}"), &json!({"recurrence": ["RRULE:FREQ=DAILY;COUNT=9"]}));
    let before = world.get(&format!("{EVENTS}/{id}"));
    world.pass(chrono::Duration::minutes(1));
    let from = format!("{id}_20261204T080000Z");
    let new = world.google.split_series(world.now, ADA, &from, &json!({"summary": "new"})).unwrap();
    assert_eq!(new, format!("{id}_R20261204T090000"));
    let old = world.get(&format!("{EVENTS}/{id}"));
    assert_eq!(old["recurrence"], json!(["RRULE:FREQ=DAILY;UNTIL=20261203T225959Z"]));
    assert_eq!(old["sequence"], before["sequence"], "it keeps its sequence");
    assert_eq!(instances(&mut world, &id).len(), 3);
    let following = instances(&mut world, &new);
    assert_eq!(following.len(), 6);
    assert_eq!(following[0]["start"]["dateTime"], "2026-12-04T09:00:00+01:00");
    assert_eq!(following[0]["iCalUID"], json!(format!("{new}@google.com")));
    assert_eq!(
        (&following[0]["sequence"], &following[0]["created"]),
        (&before["sequence"], &before["created"]),
        "what is the same event under a new name keeps both"
    );
}

#[test]
fn this_and_following_at_another_time_makes_a_series_with_an_id_of_its_own() {
    let mut world = World::new();
    let id = series(&mut world, "2026-12-01", "RRULE:FREQ=DAILY;COUNT=10");
    let old = world.get(&format!("{EVENTS}/{id}"));
    world.pass(chrono::Duration::minutes(1));
    let from = format!("{id}_20261204T080000Z");
    let new = world.google.split_series(world.now, ADA, &from, &timed("2026-12-04", 14)).unwrap();
    assert!(!new.contains('_') && new != id, "{new}");
    let following = instances(&mut world, &new);
    assert_eq!(following.len(), 7);
    assert_eq!(following[0]["start"]["dateTime"], "2026-12-04T14:00:00+01:00");
    assert_eq!(following[0]["id"], json!(format!("{new}_20261204T130000Z")));
    assert_eq!(following[0]["iCalUID"], json!(format!("{new}@google.com")));
    assert_eq!(following[0]["sequence"], 1);
    assert_ne!(following[0]["created"], old["created"]);
    assert_eq!(world.get(&format!("{EVENTS}/{id}"))["sequence"], old["sequence"]);
}

#[test]
fn what_was_split_off_names_its_occurrences_after_the_first_series() {
    let mut world = World::new();
    let id = series(&mut world, "2026-12-01", "RRULE:FREQ=DAILY;COUNT=10");
    let from = format!("{id}_20261204T080000Z");
    let new = world.google.split_series(world.now, ADA, &from, &json!({"summary": "new"})).unwrap();
    let second = format!("{id}_20261205T080000Z");
    assert_eq!(instances(&mut world, &new)[1]["id"], json!(second));
    let moved = world.call_with("PATCH", &format!("{EVENTS}/{second}"), &timed("2026-12-05", 18)).value();
    assert_eq!(moved["recurringEventId"], json!(new));
    assert_eq!(starts(&instances(&mut world, &new))[1], "2026-12-05T18:00:00+01:00");

    let last = world.google.split_series(world.now, ADA, &format!("{id}_20261206T080000Z"), &json!({})).unwrap();
    assert_eq!(last, format!("{id}_R20261206T090000"));
    world.call("DELETE", &format!("{EVENTS}/{new}"));
    assert_eq!(world.get(&format!("{EVENTS}/{second}"))["status"], "cancelled");
    assert_eq!((instances(&mut world, &id).len(), instances(&mut world, &last).len()), (3, 5));
}

#[test]
fn a_split_leaves_each_single_date_in_its_half_alone() {
    let mut world = World::new();
    let event = json!({"recurrence": [
        "EXDATE;TZID=Europe/Berlin:20261202T090000,20261207T090000",
        "RRULE:FREQ=DAILY;COUNT=10",
        "RDATE;TZID=Europe/Berlin:20261124T150000,20261220T150000",
    ]});
    let id = world.insert(&with(timed("2026-12-01", 9), &event))["id"].as_str().unwrap().to_owned();
    let before = instances(&mut world, &id);
    let from = format!("{id}_20261204T080000Z");
    let new = world.google.split_series(world.now, ADA, &from, &json!({"summary": "new"})).unwrap();
    assert_eq!(
        world.get(&format!("{EVENTS}/{id}"))["recurrence"],
        json!([
            "EXDATE;TZID=Europe/Berlin:20261202T090000",
            "RRULE:FREQ=DAILY;UNTIL=20261203T225959Z",
            "RDATE;TZID=Europe/Berlin:20261124T150000",
        ])
    );
    assert_eq!(
        world.get(&format!("{EVENTS}/{new}"))["recurrence"],
        json!([
            "EXDATE;TZID=Europe/Berlin:20261207T090000",
            "RRULE:FREQ=DAILY;COUNT=7",
            "RDATE;TZID=Europe/Berlin:20261220T150000",
        ]),
        "a count counts what an EXDATE leaves out, and no RDATE"
    );
    let after: Vec<Value> = [instances(&mut world, &id), instances(&mut world, &new)].concat();
    assert_eq!(starts(&after), starts(&before), "nothing is doubled or lost");
}

#[test]
fn following_a_second_time_from_the_same_instance_makes_a_series_of_another_id() {
    let mut world = World::new();
    let id = series(&mut world, "2026-12-01", "RRULE:FREQ=DAILY;COUNT=10");
    let second = format!("{id}_20261202T080000Z");
    let new = world.google.split_series(world.now, ADA, &second, &json!({"summary": "following"})).unwrap();
    world.call("DELETE", &format!("{EVENTS}/{new}"));
    let whole = json!({"recurrence": ["RRULE:FREQ=DAILY;COUNT=10"]});
    world.call_with("PATCH", &format!("{EVENTS}/{id}"), &whole);
    let again = world.google.split_series(world.now, ADA, &second, &json!({"summary": "following"})).unwrap();
    assert_ne!(again, new, "an id stays taken");
    assert_eq!(world.get(&format!("{EVENTS}/{new}"))["status"], "cancelled");
}

#[test]
fn following_from_the_first_instance_changes_the_series_itself() {
    let mut world = World::new();
    let id = series(&mut world, "2026-12-01", "RRULE:FREQ=DAILY;COUNT=10");
    let first = format!("{id}_20261201T080000Z");
    let changed = world.google.split_series(world.now, ADA, &first, &json!({"summary": "following"})).unwrap();
    assert_eq!(changed, id);
    let items = instances(&mut world, &id);
    assert_eq!((items.len(), &items[0]["summary"]), (10, &json!("following")));
}

#[test]
fn moving_a_whole_series_cuts_off_its_exceptions() {
    let mut world = World::new();
    let id = series(&mut world, "2026-12-01", "RRULE:FREQ=DAILY;COUNT=3");
    world.call_with("PATCH", &format!("{EVENTS}/{id}_20261202T080000Z"), &json!({"summary": "x"}));
    world.call_with("PATCH", &format!("{EVENTS}/{id}"), &timed("2026-12-01", 10));
    let items = instances(&mut world, &id);
    assert_eq!(starts(&items)[1], "2026-12-02T10:00:00+01:00");
    assert_eq!(items.len(), 3);
}

#[test]
fn a_rule_that_never_matches_ends_with_the_start() {
    let mut world = World::new();
    let id = series(&mut world, "2026-12-01", "RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30");
    assert_eq!(instances(&mut world, &id).len(), 1);
}

#[test]
fn two_readings_of_the_wall_clock_that_name_one_moment_are_one_occurrence() {
    let mut world = World::new();
    // On 28 March 2027 the clocks of Berlin jump from 2:00 to 3:00.
    let time = |time: &str| json!({"dateTime": format!("2027-03-21T{time}:00"), "timeZone": "Europe/Berlin"});
    let series = world.insert(&json!({
        "start": time("02:30"),
        "end": time("02:45"),
        "recurrence": ["RRULE:FREQ=WEEKLY;COUNT=2", "RDATE;TZID=Europe/Berlin:20270328T033000"],
    }));
    let instances = world.get(&format!("{EVENTS}/{}/instances?timeZone=UTC", series["id"].as_str().unwrap()));
    let starts: Vec<&str> =
        instances["items"].as_array().unwrap().iter().map(|item| item["start"]["dateTime"].as_str().unwrap()).collect();
    assert_eq!(starts, ["2027-03-21T01:30:00Z", "2027-03-28T01:30:00Z"]);
}
