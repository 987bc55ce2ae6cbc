//! Bursts: of push notifications, and of lesson changes whose echoes come as notifications.

use chrono::TimeDelta;

use crate::world::{ADA, World, hour};

const NOTICES: i32 = 500;

/// A burst of notices, each of another change of one event, and so many answered at a time in so many processes; answers
/// how many listings it cost.
async fn burst(at_once: usize, processes: usize) -> u64 {
    let world = World::new(false).await;
    let start = world.now() + TimeDelta::hours(1);
    let event = world.plan(start);
    world.connect().await;
    let last = start + TimeDelta::minutes(NOTICES.into());
    let listings = || world.google().calls("calendar.events.list");
    world
        .burst(NOTICES, at_once, processes, |n| {
            assert!(n != 1 || at_once > 0 || listings() == 1, "the first is answered before the next comes");
            world.edit(&event, &hour(start + TimeDelta::minutes((n + 1).into())));
        })
        .await;
    assert_eq!(world.stored(&event).await, Some(last), "the last state wins");
    listings()
}

#[tokio::test]
async fn a_burst_of_500_notices_that_are_answered_as_they_come_causes_three_syncs_at_most() {
    let listings = burst(0, 1).await;
    assert!(listings <= 3, "{listings} listings");
}

#[tokio::test]
async fn a_burst_of_500_notices_that_come_faster_than_they_are_answered_causes_three_syncs_at_most() {
    let listings = burst(20, 1).await;
    assert!(listings <= 3, "{listings} listings");
}

#[tokio::test]
async fn a_burst_that_many_processes_answer_at_once_causes_three_syncs_at_most() {
    let listings = burst(20, 20).await;
    assert!(listings <= 3, "{listings} listings");
}

#[tokio::test]
async fn a_lesson_change_costs_its_write_and_one_listing_also_in_a_long_row_of_them() {
    const CHANGES: i32 = 100;
    let world = World::new(true).await;
    let start = world.now() + TimeDelta::hours(5);
    let lesson = world.lesson(1, start).await;
    world.connect().await;
    world.echo().await;
    world.answer().await;
    world.reset();
    for n in 1..=CHANGES {
        world.move_lesson(lesson, start + TimeDelta::minutes(n.into())).await;
        world.answer().await;
        let echo_takes = TimeDelta::milliseconds([0, 300, 1_500, 9_000][usize::try_from(n).unwrap() % 4]);
        world.advance(echo_takes);
        world.echo().await;
        world.answer().await;
        world.advance(TimeDelta::seconds(10) - echo_takes);
    }
    let google = world.google();
    assert!(google.calendar_calls() <= 2 * CHANGES as u64, "{} calls", google.calendar_calls());
    assert_eq!(google.calls("calendar.events.update"), CHANGES as u64);
    let event: chrono::DateTime<chrono::Utc> =
        google.events(ADA)[0]["start"]["dateTime"].as_str().unwrap().parse().unwrap();
    assert_eq!(event, start + TimeDelta::minutes(CHANGES.into()), "the last state wins");
}
