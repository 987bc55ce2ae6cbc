//! Many overlaps at once: each occurrence shows the lessons that it overlaps, and lists stay bounded.

use calendar_tests::world::World;
use chrono::TimeDelta;
use reqwest::Method;
use serde_json::{Value, json};

/// The occurrences of the next month, or those that overlap a lesson.
async fn events(world: &World, conflicts_only: bool) -> Vec<Value> {
    let path = format!("external-events/{}?conflictsOnly={conflicts_only}", world.instructor);
    let (code, body) = world.call(Method::GET, &path, None).await;
    assert_eq!(code, 200, "{body}");
    body["data"]["events"].as_array().unwrap().clone()
}

#[tokio::test]
async fn each_occurrence_of_a_series_shows_a_lesson_that_it_overlaps_though_both_are_one_conflict() {
    let world = World::start().await;
    let start = world.in_hours(30);
    let time = |minutes| json!({ "dateTime": start + TimeDelta::minutes(minutes), "timeZone": "Etc/UTC" });
    let lesson = world.add_lesson("Workshop", start).await;
    world.change_lesson(&lesson, json!({ "endsAt": start + TimeDelta::hours(6) })).await;
    world.connect().await;
    let hourly = json!({ "summary": "Call", "recurrence": ["RRULE:FREQ=HOURLY;COUNT=9"] });
    let series = |more: Value| {
        let mut event = hourly.clone();
        event.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        event
    };
    let calls = world.plan_event(series(json!({ "start": time(-60), "end": time(-50) }))).await;
    world.until("the conflict", async || world.status().await["counts"]["conflicts"] == 1).await;
    assert_eq!(world.status().await["conflicts"][0]["title"], "Call");

    let overlapping = async |conflicts_only: bool| {
        let events = events(&world, conflicts_only).await;
        let marked = events.iter().filter(|event| event["hasConflict"] == true);
        marked.map(|event| event["conflicts"][0].clone()).collect::<Vec<_>>()
    };
    for conflicts_only in [false, true] {
        let pairs = overlapping(conflicts_only).await;
        assert_eq!(pairs.len(), 6, "{pairs:#?}");
        let of_this = |pair: &Value| pair["googleEventId"] == json!(calls) && pair["lessonId"] == json!(lesson);
        assert!(pairs.iter().all(of_this), "{pairs:#?}");
        assert!(pairs.iter().all(|pair| pair["overlapStart"] == pair["occurrenceStart"]), "{pairs:#?}");
    }
    assert_eq!([events(&world, true).await.len(), events(&world, false).await.len()], [6, 9]);
}

#[tokio::test]
async fn a_lesson_under_thirty_events_counts_them_all_and_lists_twenty() {
    let world = World::start().await;
    let start = world.in_hours(30);
    let lesson = world.add_lesson("Piano", start).await;
    world.connect().await;
    world.sync_by_hand_alone().await;
    let minute = |n: i64| start + TimeDelta::minutes(2 * n);
    let mut events = Vec::new();
    for n in 0..30 {
        events.push(world.plan_in_google(&format!("Call {n}"), minute(n), minute(n) + TimeDelta::minutes(1)).await);
    }
    world.sync().await;
    assert!(world.is_flagged(&lesson).await);
    let listed = async || {
        let status = world.status().await;
        let titles = status["conflicts"].as_array().unwrap().iter().map(|conflict| conflict["title"].clone());
        (status["counts"]["conflicts"].clone(), titles.collect::<Vec<_>>())
    };
    let calls = |numbers: Vec<i64>| numbers.into_iter().map(|n| json!(format!("Call {n}"))).collect::<Vec<_>>();
    assert_eq!(listed().await, (json!(30), calls((0..20).collect())));
    world.delete_in_google(&events[0]).await;
    world.sync().await;
    assert_eq!(listed().await, (json!(29), calls((1..21).collect())));
    world.until("the notices", async || world.notices().await.len() == 2).await;
    let last = world.notices_in_full().await[0].clone();
    let changes: Vec<_> = last["conflicts"].as_array().unwrap().iter().collect();
    let told = changes.iter().map(|change| (&change["change"], &change["googleEventId"])).collect::<Vec<_>>();
    assert_eq!(told, [(&json!("cleared"), &json!(events[0])), (&json!("found"), &json!(events[20]))]);
}
