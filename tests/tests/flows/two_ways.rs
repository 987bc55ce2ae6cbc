//! Lessons out, events in, conflicts found and cleared.

use calendar_tests::world::{World, start_of};
use chrono::TimeDelta;
use reqwest::Method;
use serde_json::json;

#[tokio::test]
async fn a_lesson_stands_in_google_once_and_follows_every_change() {
    let world = World::connected().await;
    let lesson = world.add_lesson("Piano", world.in_hours(30)).await;
    world.until("the event", async || world.events_of(&lesson).await.len() == 1).await;
    assert_eq!(world.events_of(&lesson).await[0]["summary"], "Piano");
    world.until("the host's columns", async || world.lesson(&lesson).await["calendarSyncStatus"] == "synced").await;
    let event = world.events_of(&lesson).await[0]["id"].clone();
    assert_eq!(world.lesson(&lesson).await["googleCalendarEventId"], event);

    world.move_lesson(&lesson, world.in_hours(50)).await;
    world.until("the move", async || start_of(&world.events_of(&lesson).await[0]) == world.in_hours(50)).await;
    world.change_lesson(&lesson, json!({ "status": "cancelled" })).await;
    world.until("the removal", async || world.events_of(&lesson).await.is_empty()).await;
    world.until("the column", async || world.lesson(&lesson).await["googleCalendarEventId"].is_null()).await;
    world.change_lesson(&lesson, json!({ "status": "scheduled" })).await;
    world.until("the return", async || world.events_of(&lesson).await.len() == 1).await;
    world.remove_lesson(&lesson).await;
    world.until("the end", async || world.events_of(&lesson).await.is_empty()).await;
    assert_eq!(world.notices().await, Vec::<String>::new(), "none of this was the instructor's doing in Google");
}

#[tokio::test]
async fn an_event_planned_in_google_flags_the_lesson_that_it_overlaps_until_it_goes() {
    let world = World::connected().await;
    let (start, other) = (world.in_hours(30), world.in_hours(32));
    let lesson = world.add_lesson("Piano", start).await;
    let free = world.add_lesson("Choir", other).await;
    world
        .until("both in Google", async || {
            world.events_of(&free).await.len() == 1 && world.events_of(&lesson).await.len() == 1
        })
        .await;
    let dentist = world.plan_in_google("Dentist", start + TimeDelta::minutes(30), other).await;
    world.until("the flag", async || world.lesson(&lesson).await["hasConflict"] == true).await;
    assert_eq!(world.lesson(&free).await["hasConflict"], false, "touching is no conflict");
    assert_eq!(world.lesson(&lesson).await["status"], "scheduled", "flagged, never cancelled");
    let events = world.external_events().await;
    assert_eq!(events.len(), 1, "our own events are not external: {events:#?}");
    assert_eq!((&events[0]["title"], &events[0]["conflicts"][0]["lessonId"]), (&json!("Dentist"), &json!(lesson)));
    let status = world.status().await;
    assert_eq!(
        (&status["counts"]["conflicts"], &status["conflicts"][0]["googleEventId"], &status["conflicts"][0]["title"]),
        (&json!(1), &json!(dentist), &json!("Dentist"))
    );
    world.until("the notice", async || world.notices().await == ["conflicts.changed"]).await;

    world.delete_in_google(&dentist).await;
    world.until("the end of it", async || world.lesson(&lesson).await["hasConflict"] == false).await;
    assert!(world.external_events().await.is_empty());
    world.until("the notice", async || world.notices().await == ["conflicts.changed"; 2]).await;
}

#[tokio::test]
async fn a_lesson_moved_onto_an_event_is_flagged_and_moved_away_is_not() {
    let world = World::connected().await;
    world.plan_in_google("Dentist", world.in_hours(30), world.in_hours(32)).await;
    let lesson = world.add_lesson("Piano", world.in_hours(50)).await;
    world
        .until("both known", async || {
            world.external_events().await.len() == 1 && world.events_of(&lesson).await.len() == 1
        })
        .await;
    world.move_lesson(&lesson, world.in_hours(31)).await;
    world.until("the flag", async || world.lesson(&lesson).await["hasConflict"] == true).await;
    world.move_lesson(&lesson, world.in_hours(33)).await;
    world.until("the flag's end", async || world.lesson(&lesson).await["hasConflict"] == false).await;
}

#[tokio::test]
async fn a_lesson_takes_its_conflicts_along_when_it_leaves_the_window_without_an_event() {
    let world = World::connected().await;
    world.set(json!({ "syncDirection": "from_google" })).await;
    let (near, far) = (world.in_hours(30), world.in_hours(30) + TimeDelta::days(600));
    for start in [near, far] {
        world.plan_in_google("Dentist", start, start + TimeDelta::hours(1)).await;
    }
    let lesson = world.add_lesson("Piano", near).await;
    let flagged = async |flag: bool| {
        world.until("the flag", async || world.lesson(&lesson).await["hasConflict"] == flag).await;
    };
    flagged(true).await;
    world.move_lesson(&lesson, world.in_hours(50) + TimeDelta::days(600)).await;
    flagged(false).await;
    world.move_lesson(&lesson, far).await;
    flagged(true).await;
    world.move_lesson(&lesson, world.in_hours(-300)).await;
    flagged(false).await;
}

#[tokio::test]
async fn a_lesson_given_to_an_instructor_without_a_connection_shows_nothing_of_the_one_before() {
    let ada = World::start().await;
    let grace = ada.colleague().await;
    ada.connect().await;
    let start = ada.in_hours(30);
    let lesson = ada.add_lesson("Piano", start).await;
    ada.plan_in_google("Dentist", start, start + TimeDelta::hours(1)).await;
    ada.until("the flag", async || ada.is_flagged(&lesson).await).await;
    ada.until("the columns", async || ada.lesson(&lesson).await["calendarSyncStatus"] == "synced").await;

    let tenant = ada.rows("lessons").await[0]["tenant_id"].clone();
    let key = json!({ "tenant_id": tenant, "id": lesson });
    let to_grace = json!({ "instructor_id": grace.instructor });
    assert!(ada.change_row_if("attribute_exists(id)", "lessons", key, to_grace).await);
    ada.until("the removal", async || ada.events_of(&lesson).await.is_empty()).await;
    ada.until("the end of the flag", async || !grace.is_flagged(&lesson).await).await;
    let row = grace.lesson(&lesson).await;
    assert_eq!((&row["googleCalendarEventId"], &row["calendarSyncStatus"]), (&json!(null), &json!(null)));
}

#[tokio::test]
async fn what_the_instructor_does_to_our_event_is_put_back_and_told() {
    let world = World::connected().await;
    let start = world.in_hours(30);
    let lesson = world.add_lesson("Piano", start).await;
    world.until("the event", async || world.events_of(&lesson).await.len() == 1).await;
    world.settle().await;
    let event = world.events_of(&lesson).await[0]["id"].as_str().unwrap().to_owned();
    world.edit_in_google(&event, json!({ "summary": "Mine now", "description": "bring the notes", "attendees": [{ "email": "guest@example.com" }] })).await;
    world.until("the put-back", async || world.events_of(&lesson).await[0]["summary"] == "Piano").await;
    let back = world.events_of(&lesson).await[0].clone();
    assert_eq!(back["description"], "bring the notes", "what others wrote stays");
    assert_eq!(back["attendees"][0]["email"], "guest@example.com");
    world.until("the notice", async || world.notices().await == ["event.changed_in_google"]).await;

    world.delete_in_google(&event).await;
    world.until("its return", async || world.events_of(&lesson).await.len() == 1).await;
    world.until("the notice", async || world.notices().await.len() == 2).await;
    world.settle().await;
    assert_eq!(world.events_of(&lesson).await[0]["attendees"][0]["email"], "guest@example.com", "guests come back too");
}

#[tokio::test]
async fn a_sync_by_hand_answers_with_its_counts_and_one_with_nothing_to_do_makes_one_call() {
    let world = World::connected().await;
    let lesson = world.add_lesson("Piano", world.in_hours(30)).await;
    world.until("the event", async || world.events_of(&lesson).await.len() == 1).await;
    world.settle().await;
    world.control("reset-calls", json!({})).await;
    let counts = world.sync().await;
    for name in ["eventsSynced", "eventsCreated", "eventsUpdated", "eventsDeleted", "conflictsDetected"] {
        assert_eq!(counts[name], 0, "{counts}");
    }
    assert!(counts["durationMs"].is_u64());
    assert_eq!(world.google_calls().await.values().sum::<u64>(), 1, "{:?}", world.google_calls().await);
}

#[tokio::test]
async fn settings_switch_directions_and_can_be_undone() {
    let world = World::connected().await;
    let start = world.in_hours(30);
    let lesson = world.add_lesson("Piano", start).await;
    world.plan_in_google("Dentist", start, start + TimeDelta::hours(1)).await;
    world.until("the flag", async || world.lesson(&lesson).await["hasConflict"] == true).await;
    world.set(json!({ "syncDirection": "to_google" })).await;
    world.until("imports cleared", async || world.external_events().await.is_empty()).await;
    world.until("conflicts cleared", async || world.lesson(&lesson).await["hasConflict"] == false).await;
    world.set(json!({ "syncDirection": "two_way" })).await;
    world.until("the flag again", async || world.lesson(&lesson).await["hasConflict"] == true).await;

    world.set(json!({ "syncEnabled": false })).await;
    let (code, body) = world.call(Method::POST, "sync", Some(json!({ "instructorId": world.instructor }))).await;
    assert_eq!((code, &body["error"]["code"]), (409, &json!("sync_disabled")));
    world.move_lesson(&lesson, world.in_hours(70)).await;
    world.set(json!({ "syncEnabled": true })).await;
    world
        .until("the move that waited", async || {
            world.events_of(&lesson).await.first().is_some_and(|event| start_of(event) == world.in_hours(70))
        })
        .await;
}

#[tokio::test]
async fn a_withdrawn_permission_is_told_once_and_disconnect_still_works() {
    let world = World::connected().await;
    let lesson = world.add_lesson("Piano", world.in_hours(30)).await;
    world.until("the event", async || world.events_of(&lesson).await.len() == 1).await;
    world.control("end-grants", json!({ "account": World::ACCOUNT, "end": "revoked" })).await;
    world.move_lesson(&lesson, world.in_hours(40)).await;
    world.until("the state", async || world.status().await["state"] == "needs_reauth").await;
    world.until("the notice", async || world.notices().await == ["connection.needs_attention"]).await;
    let (code, body) = world.call(Method::POST, "sync", Some(json!({ "instructorId": world.instructor }))).await;
    assert_eq!((code, &body["error"]["code"]), (409, &json!("needs_reauth")));
    let (code, body) = world.call(Method::POST, "disconnect", Some(json!({ "instructorId": world.instructor }))).await;
    assert!(code < 300, "{body}");
    world.until("the end", async || world.status().await["state"] == "not_connected").await;
    assert_eq!(world.notices().await.len(), 1);
}
