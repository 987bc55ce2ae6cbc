//! The process dies at a named point, starts again, and by what Google and the store then hold
//! nothing is lost and nothing doubled.
//!
//! Each machine lives the same day: connect, add lessons, move, cancel and remove some, while an event
//! in Google comes to overlap one. It dies at the n-th passing of a point, for n growing until the day
//! no longer reaches it. `KILL_EVERY=1` takes each n; without it, some are skipped.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod day;
mod machine;

use std::sync::Arc;

use day::Day;
use machine::{Died, Machine};
use tokio::{sync::Semaphore, task::JoinSet};

const POINTS: [&str; 6] = [
    "google-write:before",
    "google-write:after",
    "store-write:before",
    "store-write:after",
    "queue-ack:before",
    "queue-ack:after",
];
/// Machines at a time: they mostly wait for the lease of a dead holder to run out.
const AT_A_TIME: usize = 12;
/// Passings that are tried side by side.
const SIDE_BY_SIDE: usize = 8;
/// From here on passings are skipped,
const FIRST_FEW: u32 = 4;
/// so many at a time less one.
const USUAL_STRIDE: usize = 12;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_the_moment_of_death_nothing_is_lost_and_nothing_doubled() {
    let places = Arc::new(Semaphore::new(AT_A_TIME));
    let mut points = JoinSet::new();
    for point in POINTS {
        points.spawn(die_at_each(point, places.clone()));
    }
    while let Some(outcome) = points.join_next().await {
        outcome.unwrap();
    }
}

/// Dies at one passing of `point` after another, until a day ends without reaching it.
async fn die_at_each(point: &'static str, places: Arc<Semaphore>) {
    let mut passings = passings();
    let mut deaths = 0;
    loop {
        let tried = passings.by_ref().take(SIDE_BY_SIDE).map(|nth| {
            let places = places.clone();
            async move {
                let _place = places.acquire().await.unwrap();
                dies_and_recovers(&format!("{point}#{nth}")).await
            }
        });
        let died = futures::future::join_all(tried).await;
        deaths += died.iter().filter(|died| **died).count();
        if died.last() != Some(&true) {
            break;
        }
    }
    assert!(deaths > 0, "the day never reaches {point}");
    println!("{point}: {deaths} deaths");
}

/// The first few, and then every so many: `KILL_EVERY`.
fn passings() -> impl Iterator<Item = u32> {
    let every = std::env::var("KILL_EVERY").ok().and_then(|every| every.parse().ok()).unwrap_or(USUAL_STRIDE);
    (1..FIRST_FEW).chain((FIRST_FEW..).step_by(every))
}

/// Lives the day and its evening with a crash point, and the rest on a new start when it died. Tells whether it died.
async fn dies_and_recovers(point: &str) -> bool {
    let machine = Machine::new(point);
    let mut day = Day::begin();
    let whole = live_from(&machine, Some(point), &mut day).await;
    if whole.is_err() {
        live_from(&machine, None, &mut day).await.expect("nothing kills this start");
    }
    whole.is_err()
}

/// Starts the machine, and goes on with the day until what has settled was checked.
async fn live_from(machine: &Machine, crash: Option<&str>, day: &mut Day) -> Result<(), Died> {
    let run = machine.start(crash).await?;
    day.live(&run).await?;
    day.check(&run).await
}
