//! Two versions of the product at work on the same rows, as during a deployment and after one that was taken back.

use calendar_tests::world::World;
use chrono::TimeDelta;
use serde_json::{Value, json};

/// What this version knows nothing of.
const LATER: &str = "of_a_later_version";

/// The rows that stand for as long as a connection or a lesson: what is stored beside them exists nowhere else. Conflicts
/// and external events are found anew, a log row and a notice are written once.
fn stands(table: &str, row: &Value) -> bool {
    table != "calendar_event_mappings" || row.get("base").is_some()
}

#[tokio::test]
async fn what_a_later_version_has_stored_beside_stays_whatever_this_one_does() {
    const TABLES: [&str; 2] = ["instructor_calendar_credentials", "calendar_event_mappings"];
    let world = World::start().await;
    let start = world.in_hours(30);
    let lesson = world.add_lesson("Piano", start).await;
    world.connect().await;
    let dentist = world.plan_in_google("Dentist", start, start + TimeDelta::hours(1)).await;
    world.until("the flag", async || world.is_flagged(&lesson).await).await;
    world.settle().await;
    let mut marked = Vec::new();
    for table in TABLES {
        for mut row in world.rows(table).await.into_iter().filter(|row| stands(table, row)) {
            row[LATER] = json!("kept");
            world.put_row(table, row.clone()).await;
            marked.push((table, row));
        }
    }
    assert_eq!(marked.len(), 3, "the connection, its state and the lesson's mapping: {marked:?}");

    world.move_lesson(&lesson, start + TimeDelta::hours(2)).await;
    world.until("the lesson's move", async || !world.is_flagged(&lesson).await).await;
    world.edit_in_google(&dentist, json!({ "summary": "Doctor" })).await;
    let event = world.events_of(&lesson).await[0]["id"].as_str().unwrap().to_owned();
    world.delete_in_google(&event).await;
    world.until("the event anew", async || !world.events_of(&lesson).await.is_empty()).await;
    world.set(json!({ "syncIntervalMinutes": 5 })).await;
    let an_hour_ago = world.in_hours(-1);
    world.change_state(json!({ "renew_at": an_hour_ago, "sync_token": "refused" })).await;
    world.sync().await;
    world.settle().await;

    for (table, before) in marked {
        let rows = world.rows(table).await;
        let is_it = |row: &&Value| ["instructor_id", "lesson_id", "sk"].iter().all(|key| row[key] == before[key]);
        let now = rows.iter().find(is_it).unwrap_or_else(|| panic!("gone: {before}"));
        assert_eq!(now[LATER], "kept", "{now}");
        assert_ne!(*now, before, "nothing was written");
    }
}
