//! The switches of a connection.

use calendar_tests::world::World;
use serde_json::json;

#[tokio::test]
async fn two_people_who_turn_different_switches_at_once_both_have_their_way() {
    let world = World::start().await;
    world.connect().await;
    for round in 0..8 {
        let (auto, minutes) = (round % 2 == 1, 30 + round);
        tokio::join!(world.set(json!({ "autoSync": auto })), world.set(json!({ "syncIntervalMinutes": minutes })),);
        let settings = world.status().await["settings"].clone();
        assert_eq!((&settings["autoSync"], &settings["syncIntervalMinutes"]), (&json!(auto), &json!(minutes)));
    }
}
