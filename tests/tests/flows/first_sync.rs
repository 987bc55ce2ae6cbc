//! A calendar of several pages: how far its listing is shows in the status.

use calendar_tests::world::World;
use chrono::TimeDelta;
use serde_json::{Value, json};

/// The progress that the status shows, each time that it changes, until nothing is shown any more after something was.
async fn progress(world: &World) -> Vec<Value> {
    let mut seen: Vec<Value> = Vec::new();
    loop {
        let status = world.status().await;
        match &status["progress"] {
            Value::Null if !seen.is_empty() => return seen,
            Value::Null => {}
            progress if seen.last() == Some(progress) => {}
            progress => seen.push(progress.clone()),
        }
    }
}

#[tokio::test]
async fn how_far_a_listing_of_many_pages_is_shows_in_the_status_until_it_is_complete() {
    let world = World::start().await;
    for n in 0..60 {
        let start = world.in_hours(100 + n);
        world.plan_in_google("Rehearsal", start, start + TimeDelta::hours(1)).await;
    }
    for n in 0..3 {
        world.add_lesson("Piano", world.in_hours(24 + n)).await;
    }
    world.control("limits", json!({ "page": 4 })).await;
    world.control("fault", json!({ "method": "calendar.events.list", "effect": { "slow": 500 } })).await;

    let (auth_url, cookie) = world.begin_login().await;
    let back = world.consent(&auth_url, "allow", |_| true).await;
    assert_eq!(world.come_back(&back, &cookie).await.0, 200);
    let seen = progress(&world).await;
    assert!(seen.is_sorted_by_key(|progress| progress["eventsListed"].as_u64()), "{seen:#?}");
    let listed = |progress: &Value| progress["eventsListed"] != 0;
    assert!(seen.iter().filter(|progress| listed(progress)).count() > 3, "{seen:#?}");
    let last = seen.last().unwrap();
    assert_eq!([&last["lessonsWaiting"], &last["lessonsInAll"]], [0, 3]);
    assert!(world.status().await["lastSyncedAt"].as_str() > last["startedAt"].as_str());

    world.settle().await;
    assert_eq!(world.status().await["progress"], Value::Null, "a listing of changes is none of the whole");
    world.control("expire-cursors", json!({ "calendar": world.account })).await;
    let (_, anew) = tokio::join!(world.sync(), progress(&world));
    assert!(anew.last().unwrap()["startedAt"].as_str() > last["startedAt"].as_str());
}
