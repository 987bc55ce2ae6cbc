//! Google rewrites texts. What it makes of ours is no change by the instructor, also where its answer was lost.

use calendar_sync::model::{NoticeKind, SyncStatus};
use chrono::TimeDelta;
use google_sim::{Effect, Fault, Texts, When};
use serde_json::{Map, Value, json};

use crate::stage::Stage;

/// The next write is carried out, and its answer is lost.
fn lose_the_next_answer(stage: &Stage, method: &str) {
    let fault = Fault::new(method, Effect::RefuseAfterwards { status: 503 });
    stage.world.sim.state().google.inject(fault.on(When::Nth(1)));
}

/// Texts of which Google keeps something else.
fn texts() -> Map<String, Value> {
    let fence = "-::~:~::~:~:~:~:~:~:~:~:~:~:~:~:~:~:~:~:~:~:~:~::~:~::-";
    let block =
        format!("{fence}\nJoin with Google Meet: https://meet.google.com/abc\n\nPlease do not edit this.\n{fence}");
    let description = format!("  Bring notes.\n\n{block}\n{}", "é ".repeat(5_000));
    let columns = [("title", "  Piano\t"), ("location", " Room 1 "), ("description", &description)];
    columns.into_iter().map(|(name, text)| (name.to_owned(), json!(text))).collect()
}

fn assert_agreed(stage: &Stage, writes: [u64; 2]) {
    let mapping = stage.mapping();
    assert_eq!((mapping.sync_status, mapping.restores), (SyncStatus::Synced, 0));
    assert_eq!(["calendar.events.insert", "calendar.events.update"].map(|method| stage.calls(method)), writes);
    assert_eq!(stage.calls("calendar.events.patch"), 0);
    let changed = |kind: &NoticeKind| matches!(kind, NoticeKind::EventChangedInGoogle { .. });
    assert!(!stage.told().iter().any(|notice| changed(&notice.kind)), "{:?}", stage.told());
    let shown = stage.event();
    assert_eq!((&shown["summary"], &shown["location"]), (&json!("Piano"), &json!("Room 1")));
    assert!(shown["description"].as_str().unwrap().starts_with("Bring notes.\n\né é"), "{shown}");
}

#[test]
fn an_update_whose_answer_was_lost_is_agreed_on_as_google_renders_it() {
    let mut stage = Stage::new();
    stage.world.sim.state().google.behaviour_mut().texts = Texts::Rewritten;
    stage.add_lesson();
    stage.settle(TimeDelta::minutes(2));
    lose_the_next_answer(&stage, "calendar.events.update");
    stage.change_columns(stage.lesson(), texts());
    // The second meets the event changed, and what it has become is agreed on.
    assert_agreed(&stage, [1, 2]);
    stage.settle(TimeDelta::days(2));
    assert_agreed(&stage, [1, 2]);
}

#[test]
fn an_event_whose_making_was_not_answered_is_agreed_on_as_google_renders_it() {
    let mut stage = Stage::new();
    stage.world.sim.state().google.behaviour_mut().texts = Texts::Rewritten;
    lose_the_next_answer(&stage, "calendar.events.insert");
    stage.add_lesson();
    stage.change_columns(stage.lesson(), texts());
    // The second meets its id taken.
    assert_agreed(&stage, [2, 0]);
    stage.settle(TimeDelta::days(2));
    assert_agreed(&stage, [2, 0]);
}
