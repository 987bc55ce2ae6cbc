//! How long a change takes to the other side, over the whole of the one-machine stack, with push: from saving an event in
//! Google until it is among the external events with its lesson flagged, and from saving a lesson until its event stands
//! in Google. It fails if a second does not do for 95 of 100.
//!
//! `make latency`, or with a number of changes: `make latency CHANGES=20`.
#![allow(clippy::expect_used, clippy::print_stdout, reason = "this is a program for developers")]

use std::{
    process::ExitCode,
    time::{Duration, Instant},
};

use calendar_tests::world::{World, start_of};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

const CHANGES: usize = 200;
const GOAL: Duration = Duration::from_secs(1);
/// From one look to the next. What is measured is longer than it really took by half of it, and by the look.
const LOOKS: Duration = Duration::from_millis(10);
/// From the end of one change to the next: each is the first of its burst.
const PAUSE: Duration = Duration::from_millis(1_500);

#[tokio::main]
async fn main() -> ExitCode {
    let changes = std::env::args().nth(1).map_or(CHANGES, |text| text.parse().expect("a number of changes"));
    let data = tempfile::tempdir().expect("a folder");
    let ada = World::start_with(data.path(), None).await;
    let grace = ada.colleague().await;
    println!("load when it began: {}", load());
    let (from_google, to_google) = tokio::join!(from_google(&ada, changes), to_google(&grace, changes));
    println!("load when it ended: {}", load());
    println!("{:<32}{:>8}{:>8}{:>8}{:>8}   (milliseconds, {changes} changes)", "", "min", "median", "p95", "max");
    let good = [("event saved → lesson flagged", from_google), ("lesson saved → in Google", to_google)]
        .map(|(what, times)| table_row(what, times))
        .iter()
        .all(|p95| *p95 < GOAL);
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// An event wanders from lesson to lesson.
async fn from_google(ada: &World, changes: usize) -> Vec<Duration> {
    const LESSONS: i64 = 4;
    let slot = |n: usize| ada.in_hours(24 + 2 * (i64::try_from(n).expect("few") % LESSONS));
    let mut lessons = Vec::new();
    for n in 0..usize::try_from(LESSONS).expect("few") {
        lessons.push(ada.add_lesson("Piano", slot(n)).await);
    }
    ada.connect().await;
    let away = ada.in_hours(48);
    let event = ada.plan_in_google("Dentist", away, away + TimeDelta::hours(1)).await;
    ada.until("the event", async || !ada.external_events().await.is_empty()).await;
    let mut taken = Vec::new();
    for n in 0..changes {
        tokio::time::sleep(PAUSE).await;
        let (start, lesson) = (slot(n), &lessons[n % lessons.len()]);
        let saved = Instant::now();
        let times = json!({ "start": { "dateTime": start }, "end": { "dateTime": start + TimeDelta::hours(1) } });
        ada.edit_in_google(&event, times).await;
        while !ada.external_events().await.iter().any(|event| moment(&event["eventStart"]) == start) {
            tokio::time::sleep(LOOKS).await;
        }
        while !ada.is_flagged(lesson).await {
            tokio::time::sleep(LOOKS).await;
        }
        taken.push(saved.elapsed());
    }
    taken
}

/// A lesson is moved.
async fn to_google(grace: &World, changes: usize) -> Vec<Duration> {
    let first = grace.in_hours(24);
    let lesson = grace.add_lesson("Violin", first).await;
    grace.connect().await;
    grace.until("the event", async || !grace.events_of(&lesson).await.is_empty()).await;
    let mut taken = Vec::new();
    for n in 1..=changes {
        tokio::time::sleep(PAUSE).await;
        let start = first + TimeDelta::hours(i64::try_from(n).expect("few"));
        let saved = Instant::now();
        grace.move_lesson(&lesson, start).await;
        while grace.events_of(&lesson).await.first().map(start_of) != Some(start) {
            tokio::time::sleep(LOOKS).await;
        }
        taken.push(saved.elapsed());
    }
    taken
}

fn moment(value: &Value) -> DateTime<Utc> {
    value.as_str().expect("a text").parse().expect("a moment")
}

/// What the machine has to do besides, of the last minute, and for how many processors.
fn load() -> String {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let processors = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    format!("{} on {processors} processors", load.split(' ').next().unwrap_or_default())
}

/// Prints a row of the table; answers the time that 95 of 100 do not exceed.
fn table_row(what: &str, mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    let at = |percent: usize| times[(times.len() * percent).div_ceil(100).max(1) - 1];
    let columns = [0, 50, 95, 100].map(|percent| format!("{:>8}", at(percent).as_millis()));
    println!("{what:<32}{}", columns.concat());
    at(95)
}
