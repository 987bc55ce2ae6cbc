use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
};

use tracing_subscriber::{EnvFilter, Layer as _, fmt as lines, layer::SubscriberExt as _};

use super::*;
use crate::telemetry::logged;

/// The units that `CloudWatch` knows and are used here
/// (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricDatum.html>).
const UNITS: [&str; 3] = ["Count", "Milliseconds", "Seconds"];

#[derive(Clone, Default)]
struct Output(Arc<Mutex<Vec<u8>>>);

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What `log` writes at `level`.
fn written(level: &str, namespace: Option<&str>, log: impl FnOnce()) -> String {
    let output = Output::default();
    let (writer, namespace) = (output.clone(), namespace.map(str::to_owned));
    let logged = logged(EnvFilter::new(level), namespace.is_some());
    let layer = lines::layer()
        .json()
        .flatten_event(true)
        .with_writer(move || writer.clone())
        .map_event_format(|json| WithMetrics::new(json, namespace));
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer.with_filter(logged)), log);
    String::from_utf8(output.0.lock().unwrap().clone()).unwrap()
}

/// The line that `log` writes.
fn line_of(namespace: Option<&str>, log: impl FnOnce()) -> Value {
    let text = written("info", namespace, log);
    assert!(text.ends_with('\n') && text.lines().count() == 1, "one line: {text}");
    serde_json::from_str(&text).unwrap()
}

/// What the specification says of `_aws`: nothing of it is optional here but the metrics themselves.
fn assert_is_in_the_embedded_metric_format(line: &Value) {
    let metadata = line["_aws"].as_object().unwrap();
    assert_eq!(metadata.keys().collect::<Vec<_>>(), ["CloudWatchMetrics", "Timestamp"]);
    let year_2020_ms = 1_577_836_800_000;
    assert!(metadata["Timestamp"].as_u64().unwrap() > year_2020_ms, "milliseconds since 1970: {metadata:?}");
    for directive in metadata["CloudWatchMetrics"].as_array().unwrap() {
        assert_eq!(directive.as_object().unwrap().keys().collect::<Vec<_>>(), ["Dimensions", "Metrics", "Namespace"]);
        assert!((1..=1024).contains(&directive["Namespace"].as_str().unwrap().len()));
        let [set] = directive["Dimensions"].as_array().unwrap().as_slice() else { panic!("one set: {directive}") };
        for dimension in set.as_array().unwrap() {
            let value = line[dimension.as_str().unwrap()].as_str().expect("a dimension is a text of the same line");
            assert!((1..=1024).contains(&value.len()));
        }
        let metrics = directive["Metrics"].as_array().unwrap();
        assert!((1..=100).contains(&metrics.len()));
        for metric in metrics {
            assert!(line[metric["Name"].as_str().unwrap()].is_number(), "the line has the number: {metric}");
            assert!(UNITS.contains(&metric["Unit"].as_str().unwrap()), "{metric}");
        }
    }
}

fn ran(push_to_stored_ms: Option<u64>) {
    tracing::info!(outcome = ?Some(1), duration_ms = 120_u64, google_calls = 2_u32, push_to_stored_ms, "synced");
}

#[test]
fn a_line_that_carries_metrics_is_in_the_embedded_metric_format() {
    let line = line_of(Some("CalendarSync/test"), || ran(Some(900)));
    assert_is_in_the_embedded_metric_format(&line);
    let metric = |name: &str, unit: &str| json!({ "Name": name, "Unit": unit });
    let expected = json!([
        {
            "Namespace": "CalendarSync/test", "Dimensions": [[]],
            "Metrics": [metric("google_calls", "Count"), metric("push_to_stored_ms", "Milliseconds")],
        },
        { "Namespace": "CalendarSync/test", "Dimensions": [["outcome"]], "Metrics": [metric("duration_ms", "Milliseconds")] },
    ]);
    assert_eq!(line["_aws"]["CloudWatchMetrics"], expected);
    assert_eq!(
        (&line["level"], &line["message"], &line["duration_ms"]),
        (&json!("INFO"), &json!("synced"), &json!(120))
    );
}

#[test]
fn a_metric_without_a_value_is_not_announced() {
    let line = line_of(Some("CalendarSync/test"), || ran(None));
    assert_is_in_the_embedded_metric_format(&line);
    assert!(!line.to_string().contains("push_to_stored_ms"), "{line}");
}

#[test]
fn metrics_are_written_at_every_level_of_logging_and_other_lines_are_not() {
    let both = || {
        tracing::info!(sent = 3, "renewals");
        ran(None);
    };
    for level in ["error", "off"] {
        let text = written(level, Some("CalendarSync/test"), both);
        assert!(text.contains("synced") && !text.contains("renewals"), "{level}: {text}");
        assert_eq!(written(level, None, both), "", "{level}");
    }
}

#[test]
fn lines_without_metrics_or_without_a_namespace_are_left_as_they_are() {
    let plain = line_of(Some("CalendarSync/test"), || tracing::info!(sent = 3, "renewals"));
    assert!(plain["_aws"].is_null() && plain["sent"] == 3, "{plain}");
    let local = line_of(None, || ran(Some(900)));
    assert!(local["_aws"].is_null() && local["push_to_stored_ms"] == 900, "{local}");
}

#[test]
fn each_metric_has_a_name_of_its_own_a_unit_and_no_id_for_a_dimension() {
    for (at, metric) in METRICS.iter().enumerate() {
        assert!(METRICS[at + 1..].iter().all(|other| other.name != metric.name), "{metric:?}");
        assert!(UNITS.contains(&metric.unit), "{metric:?}");
        assert!([None, Some("outcome")].contains(&metric.by), "{metric:?}");
    }
}
