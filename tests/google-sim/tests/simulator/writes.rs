//! Insert, update, patch and delete: what is checked, kept and refused.

use crate::common::{ADA, EVENTS, GRACE, HOLIDAYS, World, refused, timed, with};
use google_sim::Request;
use serde_json::{Value, json};

fn path(event: &Value) -> String {
    format!("{EVENTS}/{}", event["id"].as_str().unwrap())
}

#[test]
fn a_chosen_id_is_base32hex_of_five_to_1024_characters() {
    let mut world = World::new();
    for bad in ["abcd", "with-hyphen", "wxyz0", "UPPER1", &"a".repeat(1025)] {
        let event = with(timed("2026-12-01", 9), &json!({"id": bad}));
        refused(&world.call_with("POST", EVENTS, &event), 400, "invalid");
    }
    let event = with(timed("2026-12-01", 9), &json!({"id": "0129abuv"}));
    assert_eq!(world.insert(&event)["iCalUID"], "0129abuv@google.com");
}

#[test]
fn a_deleted_id_stays_taken() {
    let mut world = World::new();
    let lesson = with(timed("2026-12-01", 9), &json!({"id": "lesson1"}));
    let event = world.insert(&lesson);
    refused(&world.call_with("POST", EVENTS, &lesson), 409, "duplicate");
    assert_eq!(world.call("DELETE", &path(&event)).status, 204);
    refused(&world.call_with("POST", EVENTS, &lesson), 409, "duplicate");
    refused(&world.call("DELETE", &path(&event)), 410, "deleted");
    refused(&world.call("DELETE", &format!("{EVENTS}/unknown")), 404, "notFound");
}

#[test]
fn an_update_revives_a_deleted_event_until_the_bin_is_emptied() {
    let mut world = World::new();
    let lesson = with(timed("2026-12-01", 9), &json!({"id": "lesson1", "status": "confirmed"}));
    let event = world.insert(&lesson);
    world.call("DELETE", &path(&event));
    let revived = world.call_with("PUT", &path(&event), &lesson);
    assert_eq!(revived.value()["status"], "confirmed");
    world.call("DELETE", &path(&event));
    world.google.empty_bin(ADA);
    refused(&world.call_with("PUT", &path(&event), &lesson), 403, "forbidden");
    refused(&world.call_with("POST", EVENTS, &lesson), 409, "duplicate");
}

#[test]
fn each_write_changes_the_etag_even_while_the_clock_stands_still() {
    let mut world = World::new();
    let event = world.insert(&timed("2026-12-01", 9));
    let mut etags = vec![event["etag"].clone()];
    for _ in 0..3 {
        etags.push(world.call_with("PATCH", &path(&event), &json!({"summary": "same"})).value()["etag"].clone());
    }
    etags.dedup();
    assert_eq!(etags.len(), 4);
}

#[test]
fn a_stale_if_match_is_412_and_a_star_matches() {
    let mut world = World::new();
    let event = world.insert(&timed("2026-12-01", 9));
    world.call_with("PATCH", &path(&event), &json!({"summary": "other"}));
    for method in ["PUT", "PATCH", "DELETE"] {
        let request = Request::new(method, &path(&event)).bearer(&world.token).json(&timed("2026-12-01", 9));
        let answer = world.send(request.clone().header("If-Match", event["etag"].as_str().unwrap()));
        refused(&answer, 412, "conditionNotMet");
        assert!(world.send(request.header("If-Match", "*")).status < 300);
    }
}

#[test]
fn put_drops_what_it_leaves_out_and_patch_keeps_it() {
    let mut world = World::new();
    let rich = json!({
        "description": "notes", "location": "Room 3",
        "extendedProperties": {"private": {"lesson": "1", "other": "2"}},
    });
    let event = world.insert(&with(timed("2026-12-01", 9), &rich));
    let removal = json!({"location": null, "extendedProperties": {"private": {"other": null}}});
    let patched = world.call_with("PATCH", &path(&event), &removal).value();
    assert_eq!(patched["description"], "notes");
    assert!(patched.get("location").is_none());
    assert_eq!(patched["extendedProperties"]["private"], json!({"lesson": "1"}));
    let put = world.call_with("PUT", &path(&event), &timed("2026-12-01", 9)).value();
    assert!(put.get("description").is_none() && put.get("extendedProperties").is_none());
}

#[test]
fn start_and_end_are_required_of_one_kind_and_in_order() {
    let mut world = World::new();
    let day = json!({"date": "2026-12-01"});
    let moment = json!({"dateTime": "2026-12-01T10:00:00Z"});
    let earlier = json!({"dateTime": "2026-12-01T09:00:00Z"});
    let cases = [
        (json!({"end": moment}), "required"),
        (json!({"start": moment}), "required"),
        (json!({"start": day, "end": moment}), "invalid"),
        (json!({"start": moment, "end": earlier}), "timeRangeEmpty"),
        (json!({"start": {"dateTime": "tomorrow"}, "end": moment}), "invalid"),
        (json!({"start": with(moment.clone(), &json!({"timeZone": "Mars/Base"})), "end": moment}), "invalid"),
    ];
    for (event, reason) in cases {
        refused(&world.call_with("POST", EVENTS, &event), 400, reason);
    }
}

#[test]
fn a_moment_without_offset_is_read_in_its_zone_or_the_calendars() {
    let mut world = World::new();
    let event = json!({
        "start": {"dateTime": "2026-07-01T10:00:00", "timeZone": "America/New_York"},
        "end": {"dateTime": "2026-07-01T17:00:00"},
    });
    let stored = world.insert(&event);
    assert_eq!(stored["start"], json!({"dateTime": "2026-07-01T16:00:00+02:00", "timeZone": "America/New_York"}));
    assert_eq!(stored["end"]["dateTime"], "2026-07-01T17:00:00+02:00");
    let shown = world.get(&format!("{}?timeZone=Asia/Tokyo", path(&stored)));
    assert_eq!(shown["start"]["dateTime"], "2026-07-01T23:00:00+09:00");
}

#[test]
fn a_timed_series_needs_a_zone_and_a_rule_that_can_be_read() {
    let mut world = World::new();
    let utc = json!({
        "start": {"dateTime": "2026-12-01T10:00:00Z"}, "end": {"dateTime": "2026-12-01T11:00:00Z"},
        "recurrence": ["RRULE:FREQ=DAILY"],
    });
    refused(&world.call_with("POST", EVENTS, &utc), 400, "required");
    for bad in ["RRULE:FREQ=NEVER", "DTSTART:20260101", "RRULE:FREQ=MONTHLY;BYMONTHDAY=40"] {
        let event = with(timed("2026-12-01", 9), &json!({"recurrence": [bad]}));
        refused(&world.call_with("POST", EVENTS, &event), 400, "invalid");
    }
}

#[test]
fn a_lower_sequence_is_refused_and_moving_raises_it() {
    let mut world = World::new();
    let event = world.insert(&with(timed("2026-12-01", 9), &json!({"sequence": 3})));
    let moved = world.call_with("PATCH", &path(&event), &timed("2026-12-02", 9)).value();
    assert_eq!(moved["sequence"], 4);
    let stale = with(timed("2026-12-02", 9), &json!({"sequence": 3}));
    refused(&world.call_with("PUT", &path(&event), &stale), 400, "invalid");
}

#[test]
fn a_change_of_reminders_does_not_show_in_updated() {
    let mut world = World::new();
    let event = world.insert(&timed("2026-12-01", 9));
    world.pass(chrono::Duration::minutes(1));
    let reminders = json!({"reminders": {"useDefault": false, "overrides": [{"method": "popup", "minutes": 5}]}});
    let changed = world.call_with("PATCH", &path(&event), &reminders).value();
    assert_eq!(changed["updated"], event["updated"]);
    assert_ne!(changed["etag"], event["etag"]);
}

#[test]
fn reminders_are_at_most_five_and_text_messages_are_dropped() {
    let mut world = World::new();
    let popup = |minutes: i64| json!({"method": "popup", "minutes": minutes});
    let set = |overrides: Vec<Value>| json!({"reminders": {"useDefault": false, "overrides": overrides}});
    let sms = json!({"method": "sms", "minutes": 5});
    let event = world.insert(&with(timed("2026-12-01", 9), &set(vec![popup(5), sms])));
    assert_eq!(event["reminders"]["overrides"], json!([popup(5)]));
    for bad in [set((0..6).map(popup).collect()), set(vec![popup(40_321)]), set(vec![popup(-1)])] {
        refused(&world.call_with("PATCH", &path(&event), &bad), 400, "invalid");
    }
}

#[test]
fn extended_properties_are_dropped_cut_and_counted() {
    let mut world = World::new();
    let event = json!({"extendedProperties": {"private": {"k".repeat(45): "gone", "long": "v".repeat(2000)}}});
    let stored = world.insert(&with(timed("2026-12-01", 9), &event));
    let private = stored["extendedProperties"]["private"].as_object().unwrap();
    assert_eq!(private.len(), 1);
    assert_eq!(private["long"].as_str().unwrap().len(), 1024);
    let many: serde_json::Map<String, Value> = (0..301).map(|n| (format!("k{n}"), json!("v"))).collect();
    let event = with(timed("2026-12-01", 9), &json!({"extendedProperties": {"private": many}}));
    refused(&world.call_with("POST", EVENTS, &event), 400, "invalid");
}

#[test]
fn event_types_keep_to_their_rules() {
    let mut world = World::new();
    let timed = |more: Value| with(timed("2026-12-01", 9), &more);
    let day = |more: Value| with(json!({"start": {"date": "2026-12-01"}, "end": {"date": "2026-12-02"}}), &more);
    let place = json!({"eventType": "workingLocation", "visibility": "public", "transparency": "transparent",
        "workingLocationProperties": {"type": "homeOffice", "homeOffice": {}}});
    let birthday = json!({"eventType": "birthday", "visibility": "private", "transparency": "transparent",
        "recurrence": ["RRULE:FREQ=YEARLY"]});
    for good in [
        timed(json!({"eventType": "outOfOffice"})),
        timed(json!({"eventType": "focusTime"})),
        timed(place.clone()),
        day(place.clone()),
        day(birthday.clone()),
    ] {
        world.insert(&good);
    }
    for bad in [
        day(json!({"eventType": "outOfOffice"})),
        timed(json!({"eventType": "focusTime", "transparency": "transparent"})),
        timed(with(place.clone(), &json!({"visibility": "private"}))),
        timed(with(place.clone(), &json!({"workingLocationProperties": null}))),
        day(with(birthday, &json!({"recurrence": []}))),
        timed(json!({"eventType": "fromGmail"})),
    ] {
        refused(&world.call_with("POST", EVENTS, &bad), 400, "eventTypeRestriction");
    }
    let plain = world.insert(&timed(json!({})));
    let other = json!({"eventType": "focusTime"});
    refused(&world.call_with("PATCH", &path(&plain), &other), 400, "eventTypeRestriction");
    let choir = "/calendar/v3/calendars/c_choir%40group.calendar.google.com/events";
    refused(&world.call_with("POST", choir, &timed(other)), 400, "eventTypeRestriction");
}

#[test]
fn who_may_only_read_may_not_write_and_who_may_not_see_finds_nothing() {
    let mut world = World::new();
    world.token = world.token_of(GRACE, &[crate::common::ALL]);
    let target = "/calendar/v3/calendars/ada%40example.com/events";
    refused(&world.call("GET", target), 404, "notFound");
    world.google.share(world.now, ADA, GRACE, "reader");
    assert_eq!(world.call("GET", target).status, 200);
    refused(&world.call_with("POST", target, &timed("2026-12-01", 9)), 403, "requiredAccessLevel");
    world.google.share(world.now, ADA, GRACE, "writer");
    assert_eq!(world.call_with("POST", target, &timed("2026-12-01", 9)).status, 200);

    world.token = world.token_of(ADA, &[crate::common::ALL]);
    let holidays = format!("/calendar/v3/calendars/{}/events", HOLIDAYS.replace('#', "%23"));
    refused(&world.call_with("POST", &holidays, &timed("2026-12-01", 9)), 403, "requiredAccessLevel");
}

#[test]
fn a_free_busy_reader_sees_single_events_without_their_words() {
    let mut world = World::new();
    let series = json!({"summary": "Secret", "recurrence": ["RRULE:FREQ=DAILY;COUNT=3"]});
    world.insert(&with(timed("2026-12-01", 9), &series));
    world.google.share(world.now, ADA, GRACE, "freeBusyReader");
    world.token = world.token_of(GRACE, &[crate::common::ALL]);
    let listed = world.get("/calendar/v3/calendars/ada%40example.com/events");
    assert_eq!(listed["items"].as_array().unwrap().len(), 3);
    assert!(!listed.to_string().contains("Secret"));
}

#[test]
fn a_malformed_body_is_a_parse_error() {
    let mut world = World::new();
    let mut request = Request::new("POST", EVENTS).bearer(&world.token);
    request.body = b"{not json".to_vec();
    refused(&world.send(request), 400, "parseError");
}

#[test]
fn texts_are_kept_as_sent_until_google_is_told_to_rewrite_them() {
    let mut world = World::new();
    let fence = "-::~:~::~:~:~:~::~:~::-";
    let block = format!("Notes\n{fence}\nJoin with Google Meet\n{fence}\n");
    let texts = json!({"summary": " Piano ", "location": " ", "description": block});
    let kept = world.insert(&with(timed("2026-12-01", 9), &texts));
    assert_eq!((&kept["summary"], &kept["description"]), (&json!(" Piano "), &json!(block)));

    world.google.behaviour_mut().texts = google_sim::Texts::Rewritten;
    let stored = world.insert(&with(timed("2026-12-01", 9), &texts));
    assert_eq!((&stored["summary"], &stored["description"]), (&json!("Piano"), &json!("Notes")));
    assert!(stored.get("location").is_none(), "nothing is left of it");
    let long = json!({"description": "x".repeat(9_000)});
    let patched = world.call_with("PATCH", &path(&stored), &long).value();
    assert_eq!(patched["description"].as_str().unwrap().len(), 8_192);
}

#[test]
fn a_conference_that_is_asked_for_comes_with_its_entry_points_and_a_link() {
    let mut world = World::new();
    let request = json!({"createRequest": {"requestId": "r1", "conferenceSolutionKey": {"type": "hangoutsMeet"}}});
    let body = with(timed("2026-12-01", 9), &json!({"conferenceData": request}));
    let without = world.insert(&body);
    assert!(without.get("conferenceData").is_none(), "who does not say that they know it touches none");

    let answer = world.call_with("POST", &format!("{EVENTS}?conferenceDataVersion=1"), &body).value();
    let data = &answer["conferenceData"];
    assert_eq!(data["createRequest"]["status"], json!({"statusCode": "success"}));
    assert_eq!(data["entryPoints"][0]["entryPointType"], "video");
    assert_eq!(data["entryPoints"][0]["uri"], answer["hangoutLink"]);
    let link = format!("https://meet.google.com/{}", data["conferenceId"].as_str().unwrap());
    assert_eq!(answer["hangoutLink"], json!(link));

    let kept = world.call_with("PUT", &path(&answer), &timed("2026-12-01", 10)).value();
    assert_eq!((&kept["hangoutLink"], &kept["conferenceData"]), (&json!(link), data));
    let versioned = format!("{}?conferenceDataVersion=1", path(&answer));
    let again = world.call_with("PATCH", &versioned, &json!({"conferenceData": request})).value();
    assert_eq!(again["hangoutLink"], json!(link), "the same request makes the same conference");
    let gone = world.call_with("PATCH", &versioned, &json!({"conferenceData": null})).value();
    assert!(gone.get("hangoutLink").is_none() && gone.get("conferenceData").is_none());
    let unnamed = json!({"conferenceData": {"createRequest": {}}});
    refused(&world.call_with("PATCH", &versioned, &unnamed), 400, "required");
}

#[test]
fn a_day_that_ends_when_it_begins_is_taken_and_met_by_a_window_of_that_day() {
    let mut world = World::new();
    let day = json!({"date": "2026-12-09"});
    let event = world.insert(&json!({"start": day, "end": day}));
    assert_eq!((&event["start"], &event["end"]), (&day, &day), "it is shown as it was sent");
    for (window, met) in [
        ("timeMin=2026-12-09T10:00:00Z&timeMax=2026-12-09T11:00:00Z", 1),
        ("timeMin=2026-12-08T10:00:00Z&timeMax=2026-12-08T11:00:00Z", 0),
        ("timeMin=2026-12-09T23:00:00Z&timeMax=2026-12-10T11:00:00Z", 0),
    ] {
        assert_eq!(world.list(window).0.len(), met, "{window}");
    }
    let earlier = json!({"start": day, "end": {"date": "2026-12-08"}});
    refused(&world.call_with("POST", EVENTS, &earlier), 400, "timeRangeEmpty");
}
