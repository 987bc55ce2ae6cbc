//! The log of runs, which a person reads in `status`, explains why something did or did not sync.

use calendar_tests::world::World;
use chrono::TimeDelta;
use serde_json::json;

/// Waits for a line of the log that says all of it.
async fn says(world: &World, words: &[&str]) {
    let said = async || world.reasons().await.lines().any(|line| words.iter().all(|words| line.contains(words)));
    world.until(&format!("a line with {words:?}"), said).await;
}

#[tokio::test]
async fn the_log_says_why_a_lesson_was_pushed_moved_put_back_and_removed() {
    let world = World::connected().await;
    let lesson = world.add_lesson("Piano", world.in_hours(30)).await;
    says(&world, &[&lesson, "its event was made"]).await;
    world.move_lesson(&lesson, world.in_hours(40)).await;
    says(&world, &[&lesson, "its event followed the lesson"]).await;
    world.settle().await;
    let event = world.events_of(&lesson).await[0]["id"].as_str().unwrap().to_owned();
    world.edit_in_google(&event, json!({ "summary": "Mine" })).await;
    says(&world, &[&lesson, "had been changed in Google and was put back"]).await;
    world.delete_in_google(&event).await;
    says(&world, &[&lesson, "had been deleted in Google and was put back"]).await;
    world.change_lesson(&lesson, json!({ "status": "cancelled" })).await;
    says(&world, &[&lesson, "was deleted, since the lesson is cancelled"]).await;
    world.change_lesson(&lesson, json!({ "status": "scheduled" })).await;
    says(&world, &[&lesson, "came back with the lesson"]).await;
    world.remove_lesson(&lesson).await;
    says(&world, &[&lesson, "was deleted, since the lesson no longer exists"]).await;
    let reasons = world.reasons().await;
    assert!(!reasons.contains("Piano") && !reasons.contains("Mine"), "no titles: {reasons}");
}

#[tokio::test]
async fn a_refusal_of_google_is_told_with_its_status_and_reason() {
    let world = World::connected().await;
    world.settle().await;
    for (status, reason, code, told) in [
        (403, "forbidden", "google_refused", "Google refuses to show this calendar"),
        (404, "notFound", "calendar_gone", "Google no longer shows this calendar"),
    ] {
        world.control("clear-faults", json!({})).await;
        let refusal = json!({ "refuse": { "status": status, "reason": reason } });
        world.fault("calendar.events.list", json!("always"), refusal).await;
        let (_, answer) = world.try_sync().await;
        let row = format!("{told} ({status} {reason}).");
        assert!(answer.to_string().contains(&row), "{answer}");
        assert!(world.reasons().await.contains(&row), "{}", world.reasons().await);
        let shown = world.status().await;
        assert_eq!((&shown["state"], &shown["reason"]), (&json!("failing"), &json!(code)));
        assert!(shown["description"].as_str().unwrap().starts_with(told), "{shown:#}");
    }
}

#[tokio::test]
async fn the_log_says_which_event_conflicts_and_why_another_does_not() {
    let world = World::start().await;
    let (start, end) = (world.in_hours(30), world.in_hours(31));
    let lesson = world.add_lesson("Piano", start).await;
    world.connect().await;
    world.settle().await;
    let dentist = world.plan_in_google("Dentist", start, end).await;
    says(&world, &[&lesson, &format!("it overlaps event {dentist}")]).await;
    let reminder = json!({
        "summary": "Reminder", "transparency": "transparent",
        "start": { "dateTime": start }, "end": { "dateTime": end },
    });
    let reminder = world.plan_event(reminder).await;
    says(&world, &[&lesson, &format!("event {reminder} at its time does not block, since it is marked as free")]).await;
    world.delete_in_google(&dentist).await;
    says(&world, &[&lesson, &format!("it no longer overlaps event {dentist}")]).await;
}

#[tokio::test]
async fn the_log_says_why_a_lesson_is_not_in_google() {
    let world = World::connected().await;
    let far = world.add_lesson("Far", world.in_hours(30) + TimeDelta::days(500)).await;
    says(&world, &[&far, "it has no event, since it lies outside of"]).await;
    let refusal = json!({ "refuse": { "status": 403, "reason": "requiredAccessLevel" } });
    world.fault("calendar.events.insert", json!("always"), refusal).await;
    let refused = world.add_lesson("Refused", world.in_hours(30)).await;
    let words = "Google refused with 403 requiredAccessLevel: You need to have writer access to this calendar.";
    says(&world, &[&refused, words]).await;
    assert_eq!(world.status().await["logs"][0]["outcome"], "partial");
    assert_eq!(world.lesson(&refused).await["calendarSyncStatus"], "failed");
    let failure = world.status().await["failures"][0].clone();
    assert_eq!(failure["lessonId"], json!(refused));
    assert_eq!(failure["reason"], words);
    world.control("clear-faults", json!({})).await;
    world.sync().await;
    assert_eq!(world.status().await["failures"], json!([]), "a person asked");
    assert_eq!(world.events_of(&refused).await.len(), 1);
}

#[tokio::test]
async fn the_fourth_change_of_an_event_of_ours_is_left_and_told() {
    let world = World::start().await;
    let lesson = world.add_lesson("Piano", world.in_hours(30)).await;
    world.connect().await;
    world.settle().await;
    let event = world.events_of(&lesson).await[0]["id"].as_str().unwrap().to_owned();
    let title = async || world.events_of(&lesson).await[0]["summary"].clone();
    for change in 1..=3 {
        world.edit_in_google(&event, json!({ "summary": format!("Change {change}") })).await;
        world.until("the put-back", async || title().await == "Piano").await;
        world.until("its notice", async || world.notices().await.len() == change).await;
    }
    world.edit_in_google(&event, json!({ "summary": "Change 4" })).await;
    says(&world, &[&lesson, "changed in Google more than three times"]).await;
    assert_eq!(world.status().await["logs"][0]["outcome"], "partial");
    assert_eq!(title().await, "Change 4");
    assert_eq!(world.lesson(&lesson).await["calendarSyncStatus"], "failed");
    world.sync().await;
    assert_eq!(title().await, "Piano", "a person asked");
}
