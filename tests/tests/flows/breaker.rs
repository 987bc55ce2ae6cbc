//! The breaker: a host whose lessons table is empty by mistake does not empty its instructors' calendars.

use calendar_tests::world::{World, start_of};
use serde_json::{Value, json};

#[tokio::test]
async fn a_host_that_loses_its_lessons_empties_no_calendar_until_a_person_asks() {
    let (world, lessons) = twelve_lessons(30).await;
    lose_all(&world, &lessons).await;
    assert_eq!(live(&world).await, 12);
    let failures = world.status().await["failures"].as_array().unwrap().clone();
    assert!(failures[0]["reason"].as_str().unwrap().starts_with("The lesson vanished together with many others."));

    let new = world.add_lesson("Violin", world.in_hours(50)).await;
    world.until("all else to go on", async || world.events_of(&new).await.len() == 1).await;
    let status = world.status().await;
    assert_eq!((&status["state"], live(&world).await), (&json!("active"), 13), "{status}");
    let told = world.notices_in_full().await;
    let failing: Vec<_> = told.iter().filter(|notice| notice["type"] == "sync.failing").collect();
    assert_eq!((failing.len(), &failing[0]["code"]), (1, &json!("lessons_vanished")), "{told:?}");

    // A sync by hand of other days comes to nothing of it.
    let (code, body) = world.try_sync_with(json!({ "startDate": "2020-01-01", "endDate": "2020-01-02" })).await;
    assert!(code < 300, "{code} {body}");
    assert_eq!((live(&world).await, is_held(&world).await), (13, true));

    // A sync by hand that fails comes to nothing of it.
    let down = json!({ "refuse": { "status": 503, "reason": "backendError" } });
    world.fault("calendar.events.list", json!("always"), down).await;
    let (code, body) = world.try_sync().await;
    assert!(code == 503 || body["data"]["outcome"] == "failed", "{code} {body}");
    assert_eq!((live(&world).await, is_held(&world).await), (13, true));
    world.control("clear-faults", json!({})).await;

    world.sync().await;
    assert_eq!((live(&world).await, is_held(&world).await), (1, false));
    world.remove_lesson(&new).await;
    world.until("the end of what vanishes alone", async || live(&world).await == 0).await;
}

#[tokio::test]
async fn a_host_that_loses_the_lessons_that_are_over_takes_none_of_their_events_along_either() {
    let (world, lessons) = twelve_lessons(-42).await;
    lose_all(&world, &lessons).await;
    assert_eq!(events(&world).await.len(), 12);
    world.sync().await;
    assert_eq!(events(&world).await.len(), 0);
}

#[tokio::test]
async fn lessons_that_come_back_find_their_events_as_they_were() {
    let (world, lessons) = twelve_lessons(30).await;
    let rows = world.rows("lessons").await;
    let events = world.in_google().await;
    lose_all(&world, &lessons).await;
    for row in rows {
        world.put_row("lessons", row).await;
    }
    world.until("all to be well", async || world.status().await["failures"] == json!([])).await;
    assert_eq!(world.in_google().await, events, "none was written");
}

#[tokio::test]
async fn a_host_that_loses_one_lesson_after_another_empties_no_calendar_either() {
    let (world, lessons) = twelve_lessons(30).await;
    for (lesson, left) in lessons.iter().zip((2..12).rev()) {
        world.remove_lesson(lesson).await;
        world.until("the end of an event", async || live(&world).await == left).await;
    }
    world.remove_lesson(&lessons[10]).await;
    until_it_trips(&world, "1 of 2 lessons have vanished, after 10 others within a day").await;
    assert_eq!(live(&world).await, 2);
    world.sync().await;
    assert_eq!(live(&world).await, 1);
}

/// The host loses all twelve. Nothing runs meanwhile, so that all are gone at once.
async fn lose_all(world: &World, lessons: &[String]) {
    world.set(json!({ "syncEnabled": false })).await;
    world.until("the end of runs", async || world.status().await["push"]["webhookExpiration"].is_null()).await;
    for lesson in lessons {
        world.remove_lesson(lesson).await;
    }
    world.set(json!({ "syncEnabled": true })).await;
    until_it_trips(world, "12 of 12 lessons have vanished").await;
}

/// Whether the breaker keeps what vanishes.
async fn is_held(world: &World) -> bool {
    let rows = world.rows("instructor_calendar_credentials").await;
    rows.iter().any(|row| row["removals"]["held"] == true)
}

/// Waits for the sentence that says so.
async fn until_it_trips(world: &World, lost: &str) {
    let sentence = format!("{lost}. Their events are kept until a person starts a sync by hand.");
    world.until(&sentence, async || world.reasons().await.lines().any(|line| line == sentence)).await;
}

/// A connected instructor with twelve lessons in Google, from so many hours from now on.
async fn twelve_lessons(first: i64) -> (World, Vec<String>) {
    let world = World::start().await;
    let mut lessons = Vec::new();
    for hour in first..first + 12 {
        lessons.push(world.add_lesson("Piano", world.in_hours(hour)).await);
    }
    world.connect().await;
    world.settle().await;
    assert_eq!(events(&world).await.len(), 12);
    (world, lessons)
}

/// The events that stand in Google.
async fn events(world: &World) -> Vec<Value> {
    world.in_google().await.into_iter().filter(|event| event["status"] != "cancelled").collect()
}

/// How many of them are of lessons that are to come.
async fn live(world: &World) -> usize {
    events(world).await.iter().filter(|event| start_of(event) > chrono::Utc::now()).count()
}
