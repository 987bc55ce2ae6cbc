//! How long the first sync of a large calendar takes, over the whole of the one-machine stack: from pressing Allow until all
//! lessons are in Google, and until the calendar is known as a whole. It fails if the lessons take two minutes, if a run
//! comes to its deadline, if the status does not show how far it is, or if a row is missing or too many.
//!
//! `make first-sync`, or with a number of events: `make first-sync EVENTS=5000`.
#![allow(clippy::expect_used, clippy::print_stdout, reason = "this is a program for developers")]

use std::{
    path::Path,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use calendar_sync::{model::ExternalCalendarEvent, usecases::handle_sync_message::RUN_LASTS};
use calendar_tests::world::World;
use chrono::{DateTime, TimeDelta, Utc};
use google_sim::{Config, Google};
use serde_json::{Value, json};
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    Layer,
    layer::{Context, SubscriberExt as _},
    util::SubscriberInitExt as _,
};

const EVENTS: i64 = 25_000;
const LESSONS: i64 = 200;
/// From Allow until the last lesson is in Google.
const GOAL: Duration = Duration::from_mins(2);
/// After this it has failed.
const PATIENCE: Duration = Duration::from_mins(20);
const LOOKS: Duration = Duration::from_millis(250);
/// The events lie this long ago and ahead, two or three at each lesson if they are 25,000.
const PAST: TimeDelta = TimeDelta::days(300);
const AHEAD: TimeDelta = TimeDelta::days(394);

#[tokio::main]
async fn main() {
    let events = std::env::args().nth(1).map_or(EVENTS, |text| text.parse().expect("a number of events"));
    let runs = Runs::default();
    tracing_subscriber::registry().with(runs.clone()).init();
    let data = tempfile::tempdir().expect("a folder");
    let began = Instant::now();
    let kept = fill(&data.path().join("google.json"), events);
    let ada = World::start_with(data.path(), None).await;
    for n in 0..LESSONS {
        ada.add_lesson("Piano", ada.in_hours(24 * (1 + n / 4) + 2 * (n % 4))).await;
    }
    println!("{events} events and {LESSONS} lessons were made in {:.1} s", began.elapsed().as_secs_f64());

    let (auth_url, cookie) = ada.begin_login().await;
    let allowed = Instant::now();
    let back = ada.consent(&auth_url, "allow", |_| true).await;
    assert_eq!(ada.come_back(&back, &cookie).await.0, 200);
    let seen = watch(&ada, allowed).await;
    let rows = ada.rows("external_calendar_events").await.len();
    let (runs, longest) = runs.count_and_longest();
    let calls: Value = ada.send(ada.outside(&format!("{}/control/calls", ada.google))).await.1;

    println!("all lessons in Google after {:.1} s", seen.lessons.as_secs_f64());
    println!("the whole calendar known after {:.1} s", seen.calendar.as_secs_f64());
    println!("rows stored: {rows}");
    println!("runs: {runs}, the longest of {:.1} s", longest.as_secs_f64());
    println!("calls to Google: {calls}");
    println!("events listed, as the status showed it: {:?}", seen.listed);
    assert!(seen.lessons < GOAL, "the lessons took too long");
    assert!(longest < RUN_LASTS.to_std().expect("it is positive"), "a run came to its deadline");
    assert!(events < 10_000 || seen.listed.len() > 3, "the status did not show how far it was");
    assert!(seen.listed.is_sorted(), "what was listed is listed");
    // Meanwhile another one may have become too old.
    assert!((kept - 1..=kept).contains(&rows), "{kept} events are to be stored");
}

/// Puts events of half an hour into Ada's calendar, in a file that the simulated Google begins with. Answers how many of
/// them are to be stored.
fn fill(file: &Path, events: i64) -> usize {
    let now: DateTime<Utc> = std::time::SystemTime::now().into();
    let mut google = Google::new(1, Config::demo("none", "none", "http://localhost/"));
    google.behaviour_mut().loopback_webhooks = true;
    let mut kept = 0;
    for n in 0..events {
        let start = now - PAST + (PAST + AHEAD) * i32::try_from(n).expect("few") / i32::try_from(events).expect("few");
        let event = json!({
            "summary": format!("Appointment {n}"), "location": "Main Street 1",
            "start": { "dateTime": start }, "end": { "dateTime": start + TimeDelta::minutes(30) },
        });
        kept += usize::from(start + TimeDelta::minutes(30) >= now - ExternalCalendarEvent::RETENTION);
        google.create_event(now, World::ACCOUNT, &event).expect("an event");
    }
    std::fs::write(file, serde_json::to_vec(&google).expect("a state")).expect("a file");
    kept
}

/// What was seen between Allow and the end of the first sync.
#[derive(Debug, Default)]
struct Seen {
    lessons: Duration,
    calendar: Duration,
    /// The numbers of events that the status showed, each once.
    listed: Vec<u64>,
}

async fn watch(ada: &World, allowed: Instant) -> Seen {
    let mut seen = Seen::default();
    while seen.lessons.is_zero() || seen.calendar.is_zero() {
        assert!(allowed.elapsed() < PATIENCE, "it did not come to its end: {:#}", ada.status().await);
        let status = ada.status().await;
        let listed = status["progress"]["eventsListed"].as_u64();
        seen.listed.extend(listed.filter(|listed| seen.listed.last() != Some(listed)));
        let are_synced = async || ada.lessons().await.values().all(|lesson| lesson["calendarSyncStatus"] == "synced");
        if seen.lessons.is_zero() && are_synced().await {
            seen.lessons = allowed.elapsed();
        }
        if seen.calendar.is_zero() && status["lastSyncedAt"].is_string() {
            seen.calendar = allowed.elapsed();
        }
        tokio::time::sleep(LOOKS).await;
    }
    seen
}

/// How long each run took, as it logs at its end.
#[derive(Debug, Clone, Default)]
struct Runs(Arc<Mutex<Vec<u64>>>);

impl Runs {
    fn count_and_longest(&self) -> (usize, Duration) {
        let runs = self.0.lock().expect("no run has panicked");
        (runs.len(), Duration::from_millis(runs.iter().max().copied().unwrap_or(0)))
    }
}

impl<S: Subscriber> Layer<S> for Runs {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        event.record(&mut &*self);
    }
}

impl Visit for &Runs {
    fn record_u64(&mut self, field: &Field, value: u64) {
        if field.name() == "duration_ms" {
            self.0.lock().expect("no run has panicked").push(value);
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
}
