//! Log rows as JSON.

use calendar_sync::model::{CalendarSyncLog, LogRow, PersonAct, timestamp};
use serde_json::{Value, json};

/// The counts of a run, by the specification's names.
pub fn counts(log: &CalendarSyncLog) -> Value {
    let mut counts = json!(log.counts);
    counts["durationMs"] = json!(log.duration_ms);
    counts
}

pub fn row(row: &LogRow) -> Value {
    match row {
        LogRow::Run(log) => run(log),
        LogRow::Act(act) => self::act(act),
    }
}

fn act(act: &PersonAct) -> Value {
    json!({
        "kind": "act",
        "id": act.id,
        "at": timestamp::format(act.at),
        "person": act.person,
        "act": act.act,
    })
}

fn run(log: &CalendarSyncLog) -> Value {
    let mut row = counts(log);
    row["kind"] = json!("run");
    row["person"] = json!(log.asked_by);
    row["id"] = json!(log.id);
    row["trigger"] = json!(log.trigger);
    row["direction"] = json!(log.direction);
    row["startedAt"] = json!(timestamp::format(log.started_at));
    row["googleCalls"] = json!(log.google_calls);
    row["outcome"] = json!(log.outcome);
    row["reasons"] = json!(log.reasons);
    row
}
