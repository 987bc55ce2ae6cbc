//! Pacing: what one user may ask of Google in a minute is never used up.

use calendar_sync::ports::{
    Access, Calendar, CalendarError, Clock, Operation, OperationOutcome, PageOutcome, PageRequest,
};
use chrono::TimeDelta;
use futures::future::join_all;

use crate::world::{World, insert, now, patch, shown};

const PATIENT: TimeDelta = TimeDelta::minutes(30);
const HASTY: TimeDelta = TimeDelta::seconds(30);

#[tokio::test]
async fn more_writes_than_a_minute_allows_wait_for_the_next_and_google_refuses_none() {
    let world = World::new().await;
    let operations: Vec<Operation> = (0..1_200).map(insert).collect();
    let (outcomes, calls) = world.calendar.batch(&world.access, &operations, now() + PATIENT).await;
    assert!(outcomes.iter().all(|outcome| matches!(outcome, OperationOutcome::Event(_))), "{outcomes:?}");
    assert_eq!((calls, world.google().calls("calendar.events.insert")), (24, 1_200));
    assert_eq!(world.clock.now() - now(), TimeDelta::minutes(2));
}

#[tokio::test]
async fn a_patch_counts_three_times() {
    let world = World::new().await;
    world.google().limits_mut().user_per_minute = Some(500);
    let inserts: Vec<Operation> = (0..200).map(insert).collect();
    let (outcomes, _) = world.calendar.batch(&world.access, &inserts, now() + PATIENT).await;
    let patches: Vec<Operation> = (0..).zip(outcomes).map(|(n, outcome)| patch(n, &shown(outcome).etag)).collect();
    let (outcomes, _) = world.calendar.batch(&world.access, &patches, now() + PATIENT).await;
    assert!(outcomes.iter().all(|outcome| matches!(outcome, OperationOutcome::Event(_))), "{outcomes:?}");
    assert_eq!(world.google().calls("calendar.events.patch"), 200, "none was refused");
}

#[tokio::test]
async fn what_has_no_time_to_wait_is_not_asked_of_google() {
    let world = World::new().await;
    let operations: Vec<Operation> = (0..600).map(insert).collect();
    let (outcomes, _) = world.calendar.batch(&world.access, &operations, now() + HASTY).await;
    let (made, later) = outcomes.split_at(500);
    assert!(made.iter().all(|outcome| matches!(outcome, OperationOutcome::Event(_))), "{made:?}");
    assert!(later.iter().all(|o| *o == OperationOutcome::TryLater(CalendarError::Paced)), "{later:?}");
    assert_eq!(world.google().calls("calendar.events.insert"), 500);

    let listing = world.calendar.list(&world.access, PageRequest::default(), now() + HASTY).await;
    assert_eq!(listing.outcome, PageOutcome::Failed(CalendarError::Paced));
    assert_eq!((listing.calls, world.google().calls("calendar.events.list")), (0, 0));
    assert_eq!(world.clock.now(), now(), "nothing was waited for in vain");

    let another = Access { account: "grace".to_owned(), ..world.access.clone() };
    let listing = world.calendar.list(&another, PageRequest::default(), now() + HASTY).await;
    assert!(matches!(listing.outcome, PageOutcome::Last { .. }), "another user's minute is their own");
}

#[tokio::test]
async fn a_process_keeps_the_units_of_one_reservation_however_many_calls_ask_at_once() {
    let world = World::new().await;
    join_all((0..5).map(|_| world.list(None))).await;
    assert_eq!(world.reservations(), 5, "each saw that nothing was left");
    for _ in 0..50 {
        world.list(None).await;
    }
    assert_eq!(world.reservations(), 5, "fifty calls live on what was left over");
    world.list(None).await;
    assert_eq!(world.reservations(), 6);
}
