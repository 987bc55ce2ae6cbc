//! Metrics: numbers in log lines that `CloudWatch` draws and raises alarms on. A field of a line that has the name of one is
//! one; the line then says so in `CloudWatch`'s embedded metric format, which costs no call.
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>

use std::{fmt, time::UNIX_EPOCH};

use serde_json::{Value, json};
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    fmt::{FmtContext, FormatEvent, FormatFields, format::Writer},
    registry::LookupSpan,
};

#[derive(Debug, Clone, Copy)]
pub struct Metric {
    pub name: &'static str,
    /// In `CloudWatch`'s words.
    pub unit: &'static str,
    /// The field of the same line by whose value it is told apart. Never an id: each value is a metric of its own.
    pub by: Option<&'static str>,
}

/// All that is measured.
pub const METRICS: [Metric; 13] = [
    // Of each run, or each part of one that goes on.
    Metric { name: "duration_ms", unit: "Milliseconds", by: Some("outcome") },
    count("google_calls"),
    count("throttled_runs"),
    // From the receipt of a push notification to the end of the run that stored its change.
    Metric { name: "push_to_stored_ms", unit: "Milliseconds", by: None },
    // From the host's write of a lesson to the end of the run that wrote its event.
    Metric { name: "lesson_to_google_ms", unit: "Milliseconds", by: None },
    // Of each minute's dispatcher.
    count("polls_sent"),
    Metric { name: "oldest_due_seconds", unit: "Seconds", by: None },
    // One for each time that it happens.
    count("clients_refused"),
    count("connections_failing"),
    count("connections_withdrawn"),
    count("notices_undelivered"),
    count("pushes_missed"),
    count("runs_cut"),
];

const fn count(name: &'static str) -> Metric {
    Metric { name, unit: "Count", by: None }
}

/// Whether lines of this kind may carry metrics.
pub fn are_in(lines: &Metadata<'_>) -> bool {
    METRICS.iter().any(|metric| lines.fields().field(metric.name).is_some())
}

/// The value of `_aws` in a line of the moment `at_ms` that carries metrics. Those of one dimension stand together.
fn directives(namespace: &str, at_ms: u64, carried: &[Metric]) -> Value {
    let mut dimensions: Vec<_> = carried.iter().map(|metric| metric.by).collect();
    dimensions.sort_unstable();
    dimensions.dedup();
    let of_dimension = |by: Option<&str>| {
        let metrics = carried.iter().filter(|metric| metric.by == by);
        let metrics: Vec<_> = metrics.map(|metric| json!({ "Name": metric.name, "Unit": metric.unit })).collect();
        json!({ "Namespace": namespace, "Dimensions": [Vec::from_iter(by)], "Metrics": metrics })
    };
    json!({ "Timestamp": at_ms, "CloudWatchMetrics": dimensions.into_iter().map(of_dimension).collect::<Vec<_>>() })
}

/// Lines of JSON; those that carry metrics say so.
pub(super) struct WithMetrics<F> {
    json: F,
    namespace: Option<String>,
}

impl<F> WithMetrics<F> {
    /// Without a namespace, lines stay as `json` writes them.
    pub(super) fn new(json: F, namespace: Option<String>) -> Self {
        Self { json, namespace }
    }
}

impl<S, N, F> FormatEvent<S, N> for WithMetrics<F>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let carried = carried_by(event);
        let Some(namespace) = self.namespace.as_ref().filter(|_| !carried.is_empty()) else {
            return self.json.format_event(context, writer, event);
        };
        let mut line = String::new();
        self.json.format_event(context, Writer::new(&mut line), event)?;
        let fields = line.strip_prefix('{').ok_or(fmt::Error)?;
        write!(writer, "{{\"_aws\":{},{fields}", directives(namespace, now_ms(), &carried))
    }
}

/// The metrics whose values are in the event: an optional field may have none.
fn carried_by(event: &Event<'_>) -> Vec<Metric> {
    struct Names(Vec<&'static str>);
    impl Visit for Names {
        fn record_debug(&mut self, field: &Field, _: &dyn fmt::Debug) {
            self.0.push(field.name());
        }
    }
    if !are_in(event.metadata()) {
        return Vec::new();
    }
    let mut names = Names(Vec::new());
    event.record(&mut names);
    METRICS.into_iter().filter(|metric| names.0.contains(&metric.name)).collect()
}

#[expect(clippy::disallowed_methods, reason = "a line is stamped with the machine's time, as tracing stamps it")]
fn now_ms() -> u64 {
    let now = std::time::SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_millis()).unwrap_or(0)
}

#[cfg(test)]
#[path = "metrics_tests.rs"]
mod tests;
