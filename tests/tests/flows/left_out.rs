//! An event that cannot be taken in is left out and said so, and stops nothing else.

use calendar_tests::world::World;
use serde_json::{Value, json};

/// The next listing of the calendar from its start, after the cursor is lost, shows just these items.
async fn relisted_as(world: &World, items: Value) {
    world.control("expire-cursors", json!({ "calendar": World::ACCOUNT })).await;
    shown(world, 2, items).await;
}

/// The `nth` call from now on lists just these items. (Its token is none of Google's: the listing after it begins anew.)
async fn shown(world: &World, nth: u64, items: Value) {
    let page = json!({ "timeZone": "Europe/Berlin", "items": items, "nextSyncToken": "of nothing" }).to_string();
    world.fault("calendar.events.list", json!({ "nth": nth }), json!({ "garbage": page })).await;
}

/// A lesson whose event was deleted, and an import that flagged it and is gone, both while the product was not looking;
/// and another lesson, whose event stands.
async fn deleted_unseen() -> (World, [String; 2]) {
    let world = World::start().await;
    let other = world.add_lesson("Violin", world.in_hours(60)).await;
    let lesson = world.add_lesson("Piano", world.in_hours(30)).await;
    world.connect().await;
    let dentist = world.plan_in_google("Dentist", world.in_hours(30), world.in_hours(31)).await;
    world.until("the flag", async || world.is_flagged(&lesson).await).await;
    world.sync_by_hand_alone().await;
    world.delete_in_google(&dentist).await;
    let event = world.events_of(&lesson).await[0]["id"].as_str().unwrap().to_owned();
    world.delete_in_google(&event).await;
    (world, [lesson, other])
}

#[tokio::test]
async fn after_a_lost_cursor_an_unreadable_event_keeps_neither_old_rows_nor_our_missing_event() {
    let (world, [lesson, _]) = deleted_unseen().await;
    relisted_as(&world, json!([{ "id": "unreadable", "status": "confirmed", "start": 7 }])).await;
    assert_eq!(world.sync().await["outcome"], "completed");
    assert_eq!(world.rows("external_calendar_events").await, Vec::<Value>::new());
    assert!(!world.is_flagged(&lesson).await);
    assert_eq!(world.events_of(&lesson).await.len(), 1, "put back");
    let reasons = world.reasons().await;
    assert!(reasons.contains("Event unreadable was left out: it cannot be read."), "{reasons}");
}

#[tokio::test]
async fn an_item_without_an_id_may_be_an_event_of_ours_so_that_each_is_looked_at_and_old_rows_go() {
    let (world, [lesson, other]) = deleted_unseen().await;
    relisted_as(&world, json!([{ "status": "confirmed", "start": 7 }])).await;
    assert_eq!(world.sync().await["outcome"], "completed");
    assert_eq!(world.rows("external_calendar_events").await, Vec::<Value>::new());
    assert!(!world.is_flagged(&lesson).await);
    assert_eq!((world.events_of(&lesson).await.len(), world.events_of(&other).await.len()), (1, 1), "put back");
    world.until("the notices", async || world.notices().await.contains(&"event.changed_in_google".to_owned())).await;
    let told = world.notices_in_full().await;
    let told: Vec<_> = told.iter().filter(|notice| notice["type"] == "event.changed_in_google").collect();
    assert!(told.len() == 1 && told[0]["lessonId"] == lesson, "{told:?}");
    let reasons = world.reasons().await;
    assert!(reasons.contains("An event without an id was left out"), "{reasons}");
}

#[tokio::test]
async fn an_event_that_becomes_unreadable_no_longer_blocks_where_it_was() {
    let world = World::start().await;
    let lesson = world.add_lesson("Piano", world.in_hours(30)).await;
    world.connect().await;
    let dentist = world.plan_in_google("Dentist", world.in_hours(30), world.in_hours(31)).await;
    world.until("the flag", async || world.is_flagged(&lesson).await).await;
    world.sync_by_hand_alone().await;
    shown(&world, 1, json!([{ "id": dentist, "status": "confirmed", "start": { "dateTime": "soon" } }])).await;
    let answer = world.sync().await;
    assert!(!world.is_flagged(&lesson).await);
    let reasons = world.reasons().await;
    assert!(reasons.contains(&format!("Event {dentist} was left out: it cannot be read.")), "{reasons}");
    assert_eq!(answer["outcome"], "completed");
}

#[tokio::test]
async fn an_exception_that_becomes_unreadable_leaves_its_series_as_it_was_known() {
    let world = World::start().await;
    let lesson = world.add_lesson("Piano", world.in_hours(30)).await;
    world.connect().await;
    let times = json!({ "dateTime": world.in_hours(30), "timeZone": "UTC" });
    let end = json!({ "dateTime": world.in_hours(31), "timeZone": "UTC" });
    let weekly = json!({ "start": times, "end": end, "recurrence": ["RRULE:FREQ=WEEKLY"] });
    let series = world.plan_event(weekly).await;
    world.until("the flag", async || world.is_flagged(&lesson).await).await;
    world.sync_by_hand_alone().await;
    let exception = format!("{series}_{}", world.in_hours(30).format("%Y%m%dT%H%M%SZ"));
    let moved = json!({
        "start": { "dateTime": world.in_hours(35), "timeZone": "UTC" }, "end": { "dateTime": world.in_hours(36), "timeZone": "UTC" },
    });
    world.edit_in_google(&exception, moved).await;
    world.sync().await;
    assert!(!world.is_flagged(&lesson).await, "it moved away");
    shown(&world, 1, json!([{ "id": exception, "status": "confirmed", "start": { "dateTime": "soon" } }])).await;
    world.sync().await;
    assert!(!world.is_flagged(&lesson).await);
    assert_eq!(world.rows("external_calendar_events").await.len(), 2);
    let reasons = world.reasons().await;
    assert!(reasons.contains(&format!("Event {exception} was left out: it cannot be read.")), "{reasons}");
}

#[tokio::test]
async fn the_log_says_by_event_which_recurrence_is_not_understood_or_asks_for_too_much_work() {
    let world = World::connected().await;
    world.sync_by_hand_alone().await;
    let with = |id: &str, line: &str| {
        json!({
            "id": id, "status": "confirmed", "recurrence": [line],
            "start": { "dateTime": world.in_hours(30), "timeZone": "UTC" },
            "end": { "dateTime": world.in_hours(31), "timeZone": "UTC" },
        })
    };
    let items = json!([with("odd", "RRULE:FREQ=SOMETIMES"), with("endless", "RRULE:FREQ=SECONDLY")]);
    shown(&world, 1, items).await;
    world.sync().await;
    let reasons = world.reasons().await;
    for said in [
        "Not all of the recurrence of event odd is understood; it was taken as far as it is.",
        "Event endless was left out: its rule of recurrence asks for too much work.",
    ] {
        assert!(reasons.contains(said), "{reasons}");
    }
}

/// Anyone can send it as an invitation.
#[tokio::test]
async fn an_event_too_large_to_store_is_left_out_and_everything_else_syncs() {
    let world = World::start().await;
    let lesson = world.add_lesson("Piano", world.in_hours(30)).await;
    world.connect().await;
    world.sync_by_hand_alone().await;
    let times = json!({ "start": { "dateTime": world.in_hours(30) }, "end": { "dateTime": world.in_hours(31) } });
    let with = |id: &str, more: Value| {
        let mut event = times.clone();
        event["id"] = json!(id);
        event["status"] = json!("confirmed");
        event.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        event
    };
    let days: Vec<String> =
        (0..24_000).map(|n| format!("RDATE:20{:02}0101T{:02}0000Z", 30 + n / 960, n % 24)).collect();
    let long = "v".repeat(3_000);
    let items = json!([
        with("toolarge", json!({ "recurrence": days })),
        with(&long, json!({})),
        with("dentist", json!({ "summary": "Dentist" })),
        with("texts", json!({ "summary": "ü".repeat(90_000), "location": "ü".repeat(90_000) })),
    ]);
    shown(&world, 1, items).await;
    let moved = world.in_hours(50);
    world.move_lesson(&lesson, moved).await;
    assert_eq!(world.sync().await["outcome"], "completed");
    let rows = world.rows("external_calendar_events").await;
    let mut ids: Vec<_> = rows.iter().map(|row| row["google_event_id"].as_str().unwrap()).collect();
    ids.sort_unstable();
    assert_eq!(ids, ["dentist", "texts"]);
    assert_eq!(calendar_tests::world::start_of(&world.events_of(&lesson).await[0]), moved);
    let reasons = world.reasons().await;
    assert!(reasons.contains("Event toolarge was left out: it is too large to store."), "{reasons}");
    assert!(
        reasons.contains(&format!("Event {}… was left out: it is too large to store.", "v".repeat(1024))),
        "{reasons}"
    );
}

#[tokio::test]
async fn a_series_that_goes_on_for_too_long_or_in_an_unknown_zone_is_named_in_the_log() {
    let world = World::connected().await;
    world.sync_by_hand_alone().await;
    let series = |id: &str, zone: &str, rule: &str| {
        let [start, end] = [30, 31].map(|hours| json!({ "dateTime": world.in_hours(hours), "timeZone": zone }));
        json!({ "id": id, "status": "confirmed", "start": start, "end": end, "recurrence": [rule] })
    };
    let items = json!([
        series("counts", "Europe/Berlin", "RRULE:FREQ=DAILY;COUNT=61000"),
        series("nowhere", "Mars/Olympus", "RRULE:FREQ=DAILY"),
        series("plain", "Europe/Berlin", "RRULE:FREQ=DAILY"),
    ]);
    shown(&world, 1, items).await;
    assert_eq!(world.sync().await["outcome"], "completed");
    let reasons = world.reasons().await;
    for said in [
        "Event counts was left out: its rule of recurrence asks for too much work.",
        "Not all of the recurrence of event nowhere is understood; it was taken as far as it is.",
    ] {
        assert!(reasons.contains(said), "{reasons}");
    }
    assert!(!reasons.contains("plain"), "{reasons}");
    let rows = world.rows("external_calendar_events").await;
    let mut ids: Vec<_> = rows.iter().map(|row| row["google_event_id"].as_str().unwrap()).collect();
    ids.sort_unstable();
    assert_eq!(ids, ["nowhere", "plain"]);
}
