//! A log row as JSON.

use calendar_sync::model::{CalendarSyncLog, timestamp};
use serde_json::{Value, json};

/// The counts of a run, by the specification's names.
pub fn counts(log: &CalendarSyncLog) -> Value {
    let mut counts = json!(log.counts);
    counts["durationMs"] = json!(log.duration_ms);
    counts
}

pub fn row(log: &CalendarSyncLog) -> Value {
    let mut row = counts(log);
    row["id"] = json!(log.id);
    row["trigger"] = json!(log.trigger);
    row["direction"] = json!(log.direction);
    row["startedAt"] = json!(timestamp::format(log.started_at));
    row["googleCalls"] = json!(log.google_calls);
    row["outcome"] = json!(log.outcome);
    row["reasons"] = json!(log.reasons);
    row
}
