//! What the dashboard draws and alarms watch is what the code measures, and nothing is measured unseen.

use calendar_sync::telemetry::metrics::{METRICS, Metric};
use calendar_tests::template::{entries, functions, list, resources, root, template, text};
use std::{collections::BTreeSet, fs, path::Path};

use serde_json::{Value, json};

const NAMESPACE: &str = "CalendarSync/${AWS::StackName}";
/// What a run's end is called in its line of the log.
const OUTCOMES: [&str; 4] = ["Completed", "Failed", "Partial", "Running"];
/// The metrics of AWS that are used here, each with what tells one resource's from another's.
const OF_AWS: [(&str, &str, &str); 9] = [
    ("AWS/ApiGateway", "4xx", "ApiId"),
    ("AWS/ApiGateway", "5xx", "ApiId"),
    ("AWS/ApiGateway", "Count", "ApiId"),
    ("AWS/ApiGateway", "Latency", "ApiId"),
    ("AWS/Lambda", "Errors", "FunctionName"),
    ("AWS/Lambda", "IteratorAge", "FunctionName"),
    ("AWS/Lambda", "Throttles", "FunctionName"),
    ("AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName"),
    ("AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName"),
];

fn dashboard() -> Value {
    serde_json::from_str(&text(&template()["Resources"]["Dashboard"]["Properties"]["DashboardBody"])).unwrap()
}

/// The texts of each row that a widget draws; `...` stands for what the row before has in the same places.
fn rows(widget: &Value) -> Vec<Vec<String>> {
    let mut rows: Vec<Vec<String>> = Vec::new();
    for row in list(&widget["properties"]["metrics"]) {
        let texts: Vec<String> = list(row).iter().filter_map(|part| part.as_str().map(str::to_owned)).collect();
        let row = match texts.split_first() {
            Some((dots, rest)) if dots == "..." => {
                let before = rows.last().expect("a row before");
                [&before[..before.len() - rest.len()], rest].concat()
            }
            _ => texts,
        };
        rows.push(row);
    }
    rows
}

fn drawn() -> Vec<Vec<String>> {
    list(&dashboard()["widgets"]).iter().flat_map(rows).collect()
}

/// The metrics that alarms watch: namespace, name, and the dimensions' names and values.
fn watched() -> Vec<Vec<String>> {
    let template = template();
    let alarms = resources(&template, "AWS::CloudWatch::Alarm").map(|(_, alarm)| &alarm["Properties"]);
    let metrics = alarms.flat_map(|alarm| match list(&alarm["Metrics"]) {
        [] => vec![alarm],
        many => many.iter().map(|each| &each["MetricStat"]["Metric"]).filter(|metric| !metric.is_null()).collect(),
    });
    let described = metrics.map(|metric| {
        let dimensions = list(&metric["Dimensions"]).iter().flat_map(|one| [text(&one["Name"]), text(&one["Value"])]);
        [text(&metric["Namespace"]), text(&metric["MetricName"])].into_iter().chain(dimensions).collect()
    });
    described.collect()
}

fn own(name: &str) -> Option<Metric> {
    METRICS.into_iter().find(|metric| metric.name == name)
}

#[test]
fn the_dashboard_and_the_alarms_name_no_metric_that_nothing_emits() {
    for metric in drawn().into_iter().chain(watched()) {
        let parts: Vec<_> = metric.iter().map(String::as_str).collect();
        let is_emitted = match parts.as_slice() {
            [NAMESPACE, name] => own(name).is_some_and(|metric| metric.by.is_none()),
            [NAMESPACE, name, by, value] => {
                own(name).is_some_and(|metric| metric.by == Some(by)) && OUTCOMES.contains(value)
            }
            ["AWS/Lambda", "Invocations", "FunctionName", _] => true,
            [namespace, name, by, _] => OF_AWS.contains(&(namespace, name, by)),
            _ => false,
        };
        assert!(is_emitted, "{metric:?}");
    }
}

#[test]
fn all_that_is_measured_is_on_the_dashboard_and_emitted_by_some_line_of_the_log() {
    let drawn = drawn();
    let mut code = String::new();
    each_source(&root().join("shared/src"), &mut |source| code.push_str(source));
    for Metric { name, .. } in METRICS {
        assert!(drawn.iter().any(|row| row[0] == NAMESPACE && row[1] == name), "{name} is drawn nowhere");
        let logged = [format!("{name} = "), format!("{name}, \"")];
        assert!(logged.iter().any(|field| code.contains(field.as_str())), "{name} is in no line of the log");
    }
    let outcomes: BTreeSet<_> = drawn.iter().filter(|row| row[1] == "duration_ms").map(|row| row[3].clone()).collect();
    assert_eq!(outcomes, OUTCOMES.map(str::to_owned).into());
}

/// The text of each source file in `folder` but those of metrics themselves.
fn each_source(folder: &Path, visit: &mut impl FnMut(&str)) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("telemetry") {
            each_source(&path, visit);
        } else if path.is_file() {
            visit(&fs::read_to_string(path).unwrap());
        }
    }
}

#[test]
fn the_dashboard_shows_each_alarm_and_the_errors_and_throttles_of_each_function() {
    let template = template();
    let dashboard = dashboard();
    let alarms: BTreeSet<_> =
        list(&dashboard["widgets"]).iter().flat_map(|widget| list(&widget["properties"]["alarms"])).map(text).collect();
    let deployed = resources(&template, "AWS::CloudWatch::Alarm").map(|(name, _)| format!("${{{name}.Arn}}"));
    assert_eq!(alarms, deployed.collect());
    for metric in ["Errors", "Throttles"] {
        let shown: BTreeSet<_> =
            drawn().into_iter().filter(|row| row[1] == metric).filter_map(|row| row.last().cloned()).collect();
        let functions = resources(&template, "AWS::Serverless::Function").map(|(name, _)| format!("${{{name}}}"));
        assert_eq!(shown, functions.collect(), "{metric}");
    }
}

/// Several stacks of one account count each for itself.
#[test]
fn functions_measure_under_the_name_of_their_stack() {
    let template = template();
    let variables = &template["Globals"]["Function"]["Environment"]["Variables"];
    assert_eq!(*variables, json!({ "LOG_LEVEL": "LogLevel", "METRICS_NAMESPACE": NAMESPACE }));
    for (name, function) in functions(&template) {
        assert!(entries(&function["Environment"]["Variables"]).all(|(name, _)| name != "METRICS_NAMESPACE"), "{name}");
    }
}
