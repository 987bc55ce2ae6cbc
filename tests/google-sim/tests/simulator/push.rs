//! Channels and notices.

use crate::common::{ADA, ALL, EVENTS, GRACE, HOLIDAYS, World, refused, timed};
use chrono::Duration;
use google_sim::{Delivery, Notice, Outcome, Response};
use serde_json::{Value, json};

const HOOK: &str = "https://example.com/hook";

fn channel(id: &str) -> Value {
    json!({"id": id, "type": "web_hook", "address": HOOK, "token": "secret"})
}

fn watch(world: &mut World, body: &Value) -> Response {
    world.call_with("POST", &format!("{EVENTS}/watch"), body)
}

fn header<'a>(notice: &'a Notice, name: &str) -> &'a str {
    notice.headers.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
}

/// What is due now, each delivered well.
fn delivered(world: &mut World) -> Vec<Notice> {
    let due = world.google.due_notices(world.now);
    for notice in &due {
        world.google.report(world.now, notice.id, Outcome::Answered(200));
    }
    due
}

#[test]
fn a_channel_begins_with_sync_and_its_numbers_grow_with_gaps() {
    let mut world = World::new();
    let answer = watch(&mut world, &channel("c1")).value();
    for hour in 9..19 {
        world.insert(&timed("2026-12-01", hour));
    }
    let notices = delivered(&mut world);
    assert_eq!(header(&notices[0], "x-goog-resource-state"), "sync");
    assert_eq!(header(&notices[0], "x-goog-message-number"), "1");
    assert!(notices[1..].iter().all(|notice| header(notice, "x-goog-resource-state") == "exists"));
    assert!(notices.iter().all(|notice| header(notice, "x-goog-resource-id") == answer["resourceId"]));
    assert!(notices.iter().all(|notice| header(notice, "x-goog-channel-token") == "secret"));
    let numbers: Vec<u64> =
        notices.iter().map(|notice| header(notice, "x-goog-message-number").parse().unwrap()).collect();
    assert!(numbers.is_sorted_by(|a, b| a < b) && *numbers.last().unwrap() > 11, "{numbers:?}");
}

#[test]
fn the_sync_message_may_overtake_the_answer_that_it_belongs_to() {
    for (share, delivery) in [(0.0, Delivery::Normal), (1.0, Delivery::After(40))] {
        let mut world = World::with(|config| config.behaviour.early_sync = share);
        assert_eq!(watch(&mut world, &channel("c1")).delivery, delivery);
        assert_eq!(header(&delivered(&mut world)[0], "x-goog-resource-state"), "sync", "it is due at once");
    }
}

#[test]
fn a_channel_id_is_used_up_even_after_the_channel_is_stopped() {
    let mut world = World::new();
    let answer = watch(&mut world, &channel("c1")).value();
    refused(&watch(&mut world, &channel("c1")), 400, "channelIdNotUnique");
    let stop = json!({"id": "c1", "resourceId": answer["resourceId"]});
    assert_eq!(world.call_with("POST", "/calendar/v3/channels/stop", &stop).status, 204);
    refused(&watch(&mut world, &channel("c1")), 400, "channelIdNotUnique");
    refused(&world.call_with("POST", "/calendar/v3/channels/stop", &stop), 404, "notFound");
}

#[test]
fn only_who_opened_a_channel_stops_it() {
    let mut world = World::new();
    let answer = watch(&mut world, &channel("c1")).value();
    world.token = world.token_of(GRACE, &[ALL]);
    let stop = json!({"id": "c1", "resourceId": answer["resourceId"]});
    refused(&world.call_with("POST", "/calendar/v3/channels/stop", &stop), 404, "notFound");
    assert_eq!(world.google.channels(world.now).len(), 1);
}

#[test]
fn an_address_is_https_or_where_it_is_allowed_loopback() {
    let mut world = World::new();
    let at = |id: &str, address: &str| json!({"id": id, "type": "web_hook", "address": address});
    let loopback = at("c1", "http://127.0.0.1:3000/hook");
    refused(&watch(&mut world, &loopback), 400, "push.webhookUrlNotHttps");
    world.google.behaviour_mut().loopback_webhooks = true;
    assert_eq!(watch(&mut world, &loopback).status, 200);
    for other in ["http://example.com/", "http://127.0.0.1.example.com/", "ftp://127.0.0.1/"] {
        refused(&watch(&mut world, &at("c2", other)), 400, "push.webhookUrlNotHttps");
    }
}

#[test]
fn a_calendar_of_googles_own_making_refuses_push() {
    let mut world = World::new();
    let target = format!("/calendar/v3/calendars/{}/events/watch", HOLIDAYS.replace('#', "%23"));
    let answer = world.call_with("POST", &target, &channel("c1"));
    refused(&answer, 400, "pushNotSupportedForRequestedResource");
}

#[test]
fn the_stricter_end_of_a_channel_wins() {
    let mut world = World::new();
    let lives = |answer: &Response, world: &World| {
        let end: i64 = answer.value()["expiration"].as_str().unwrap().parse().unwrap();
        end / 1000 - world.now.timestamp()
    };
    let week = watch(&mut world, &channel("c1"));
    assert_eq!(lives(&week, &world), 604_800);
    let mut body = channel("c2");
    body["params"] = json!({"ttl": "60"});
    let minute = watch(&mut world, &body);
    assert_eq!(lives(&minute, &world), 60);
    let mut body = channel("c3");
    body["expiration"] = json!((world.now + Duration::days(400)).timestamp_millis());
    let year = watch(&mut world, &body);
    assert_eq!(lives(&year, &world), 604_800);

    delivered(&mut world);
    world.pass(Duration::seconds(61));
    world.insert(&timed("2026-12-01", 9));
    assert_eq!(delivered(&mut world).len(), 2, "the one of a minute is over");
}

#[test]
fn only_four_failures_are_tried_again() {
    for (status, again) in
        [(500, true), (502, true), (503, true), (504, true), (404, false), (429, false), (200, false)]
    {
        let mut world = World::new();
        watch(&mut world, &channel("c1"));
        let notice = world.google.due_notices(world.now).remove(0);
        assert!(world.google.due_notices(world.now).is_empty(), "it is under way");
        world.google.report(world.now, notice.id, Outcome::Answered(status));
        world.pass(Duration::minutes(5));
        assert_eq!(world.google.due_notices(world.now).len(), usize::from(again), "{status}");
    }
}

#[test]
fn a_stopped_channel_may_deliver_for_a_while() {
    let mut world = World::with(|config| config.behaviour.linger_secs = 30);
    let answer = watch(&mut world, &channel("c1")).value();
    let stop = json!({"id": "c1", "resourceId": answer["resourceId"]});
    world.call_with("POST", "/calendar/v3/channels/stop", &stop);
    delivered(&mut world);
    world.insert(&timed("2026-12-01", 9));
    assert_eq!(delivered(&mut world).len(), 1);
    world.pass(Duration::seconds(31));
    world.insert(&timed("2026-12-02", 9));
    assert!(delivered(&mut world).is_empty());
}

#[test]
fn notices_are_lost_and_late_on_demand() {
    let mut world = World::new();
    watch(&mut world, &channel("c1"));
    delivered(&mut world);
    world.google.darken_push(true);
    world.insert(&timed("2026-12-01", 9));
    assert!(delivered(&mut world).is_empty());
    world.google.darken_push(false);
    world.google.behaviour_mut().notice_delay_ms = 3_600_000;
    world.insert(&timed("2026-12-02", 9));
    assert!(delivered(&mut world).is_empty());
    world.pass(Duration::hours(1));
    assert_eq!(delivered(&mut world).len(), 1);
}

#[test]
fn what_a_person_does_by_hand_is_announced_too() {
    let mut world = World::new();
    watch(&mut world, &channel("c1"));
    delivered(&mut world);
    let id = world.google.create_event(world.now, ADA, &timed("2026-12-01", 9)).unwrap();
    assert_eq!(delivered(&mut world).len(), 1);
    world.google.delete_event(world.now, ADA, &id).unwrap();
    assert_eq!(delivered(&mut world).len(), 1);
}

#[test]
fn a_watch_call_weighs_a_cursor_as_well() {
    let mut world = World::new();
    let answer = world.call_with("POST", &format!("{EVENTS}/watch?syncToken=nonsense"), &channel("c1"));
    refused(&answer, 400, "invalid");
}

#[test]
fn the_resource_is_named_as_it_was_watched() {
    let mut world = World::new();
    let uri = |answer: &Response| answer.value()["resourceUri"].as_str().unwrap().to_owned();
    let primary = watch(&mut world, &channel("c1"));
    assert_eq!(uri(&primary), "https://www.googleapis.com/calendar/v3/calendars/primary/events?alt=json");
    let named = world.call_with("POST", &format!("/calendar/v3/calendars/{ADA}/events/watch"), &channel("c2"));
    assert_eq!(uri(&named), "https://www.googleapis.com/calendar/v3/calendars/ada%40example.com/events?alt=json");
    assert_eq!(primary.value()["resourceId"], named.value()["resourceId"], "it is one feed");
    let notice = &delivered(&mut world)[0];
    assert_eq!(header(notice, "x-goog-resource-uri"), uri(&primary));
}

#[test]
fn an_address_of_an_unverified_domain_is_refused_on_demand() {
    let mut world = World::new();
    world.google.behaviour_mut().push_addresses = google_sim::PushAddresses::Refused;
    let answer = watch(&mut world, &channel("c1"));
    let message = format!("Unauthorized WebHook callback channel: {HOOK}");
    let error = json!({"domain": "global", "reason": "push.webhookUrlUnauthorized", "message": message});
    assert_eq!(answer.value(), json!({"error": {"code": 401, "errors": [error], "message": message}}));
    assert_eq!(answer.header_value("www-authenticate"), None, "the token is not at fault");
    assert!(world.google.channels(world.now).is_empty());
}
