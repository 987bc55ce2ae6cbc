//! The switches of a connection.

use calendar_tests::world::World;
use serde_json::json;

#[tokio::test]
async fn two_people_who_turn_different_switches_at_once_both_have_their_way() {
    let world = World::connected().await;
    for round in 0..8 {
        let (auto, minutes) = (round % 2 == 1, 30 + round);
        tokio::join!(world.set(json!({ "autoSync": auto })), world.set(json!({ "syncIntervalMinutes": minutes })),);
        let settings = world.status().await["settings"].clone();
        assert_eq!((&settings["autoSync"], &settings["syncIntervalMinutes"]), (&json!(auto), &json!(minutes)));
    }
}

#[tokio::test]
async fn push_says_that_changes_in_google_are_not_followed_and_why() {
    let world = World::connected().await;
    let says = async |why: &str| {
        let push = world.status().await["push"].clone();
        assert!(push["state"] == "off" && push["description"].as_str().unwrap().contains(why), "{why}: {push}");
    };
    for (off, on, why) in [
        (json!({ "syncEnabled": false }), json!({ "syncEnabled": true }), "the sync is switched off"),
        (json!({ "syncDirection": "to_google" }), json!({ "syncDirection": "two_way" }), "no events are imported"),
        (json!({ "autoSync": false }), json!({ "autoSync": true }), "only when a person starts a sync"),
    ] {
        world.set(off).await;
        says(why).await;
        world.set(on).await;
        assert_ne!(world.status().await["push"]["state"], "off");
    }
    world.control("end-grants", json!({ "account": World::ACCOUNT, "end": "revoked" })).await;
    world.try_sync().await;
    world.until("the state", async || world.status().await["state"] == "needs_reauth").await;
    says("until it is connected again").await;
}
