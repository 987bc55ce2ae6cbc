//! What of an instructor's plans is stored and shown.

use calendar_tests::world::World;
use serde_json::{Value, json};

#[tokio::test]
async fn an_event_that_is_private_for_a_while_has_its_title_before_and_after() {
    let world = World::connected().await;
    let id = world.plan_in_google("Dentist", world.in_hours(30), world.in_hours(31)).await;
    for (visibility, title) in [
        ("default", json!("Dentist")),
        ("private", Value::Null),
        ("public", json!("Dentist")),
        ("confidential", Value::Null),
        ("default", json!("Dentist")),
    ] {
        world.edit_in_google(&id, json!({ "visibility": visibility })).await;
        let shows = async || {
            let events = world.external_events().await;
            events.len() == 1 && events[0]["title"] == title && events[0]["private"] == title.is_null()
        };
        world.until(visibility, shows).await;
        let rows = json!(world.rows("external_calendar_events").await).to_string();
        assert_eq!(rows.contains("Dentist"), !title.is_null(), "{rows}");
    }
}
