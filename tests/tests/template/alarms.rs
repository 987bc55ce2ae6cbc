//! Alarms: what would otherwise fail unseen is told.

use calendar_tests::template::{list, resources, root, template, text};
use std::{collections::BTreeSet, fs};

use local_stack::{deployment::ROUTES, gateway::Access};
use serde_json::{Value as Yaml, json};

use crate::queues::QUEUE_RESOURCES;

/// The alarms on a metric of a resource.
fn alarms<'a>(template: &'a Yaml, metric: &'a str, of: &'a str) -> Vec<&'a Yaml> {
    let watches = |alarm: &Yaml| {
        list(&alarm["Dimensions"]).iter().any(|dimension| text(&dimension["Value"]).split('.').next() == Some(of))
    };
    resources(template, "AWS::CloudWatch::Alarm")
        .map(|(_, alarm)| &alarm["Properties"])
        .filter(|alarm| alarm["MetricName"] == metric && watches(alarm))
        .collect()
}

/// Whether the first of what is counted raises it, within a minute.
fn tells_the_first(alarm: &Yaml) -> bool {
    alarm["ComparisonOperator"] == "GreaterThanThreshold"
        && alarm["Threshold"] == 0
        && alarm["Period"] == 60
        && alarm["EvaluationPeriods"] == 1
        && alarm["TreatMissingData"] == "notBreaching"
}

#[test]
fn the_first_message_that_failed_for_good_raises_an_alarm() {
    let template = template();
    for (_, _, dead_letters) in QUEUE_RESOURCES {
        let alarms = alarms(&template, "ApproximateNumberOfMessagesVisible", dead_letters);
        assert!(alarms.len() == 1 && tells_the_first(alarms[0]), "{dead_letters}: {alarms:?}");
    }
}

#[test]
fn messages_that_wait_too_long_raise_an_alarm() {
    let template = template();
    for (_, queue, _) in QUEUE_RESOURCES {
        assert_eq!(alarms(&template, "ApproximateAgeOfOldestMessage", queue).len(), 1, "{queue}");
    }
    assert_eq!(alarms(&template, "IteratorAge", "LessonChangesFunction").len(), 1);
}

/// Google does not repeat a notice that is answered 429.
#[test]
fn the_first_notice_that_is_turned_away_raises_an_alarm() {
    let template = template();
    for metric in ["Throttles", "Errors"] {
        let alarms = alarms(&template, metric, "WebhookFunction");
        assert!(alarms.len() == 1 && tells_the_first(alarms[0]), "{metric}: {alarms:?}");
    }
}

/// No person calls these functions, so that a failure would go unnoticed.
#[test]
fn a_schedule_that_fails_or_does_not_run_raises_an_alarm() {
    let template = template();
    for function in ["PollFunction", "RenewChannelsFunction"] {
        assert_eq!(alarms(&template, "Errors", function).len(), 1, "{function}");
        let stopped = alarms(&template, "Invocations", function);
        assert_eq!(stopped.len(), 1, "{function}");
        assert_eq!(stopped[0]["ComparisonOperator"], "LessThanThreshold", "{function}");
        assert_eq!(stopped[0]["TreatMissingData"], "breaching", "{function}: a function that never runs tells nothing");
    }
}

/// API Gateway answers for a function that fails, or finds no room, with 5xx.
#[test]
fn each_function_that_fails_raises_an_alarm() {
    let template = template();
    let errors = alarms(&template, "5xx", "Api");
    assert_eq!(errors.len(), 1);
    for (name, function) in resources(&template, "AWS::Serverless::Function") {
        let binary = text(&function["Metadata"]["BuildProperties"]["Binary"]);
        let is_behind_the_api =
            ROUTES.iter().any(|route| route.function == binary && route.access != Access::FunctionUrl);
        assert_eq!(alarms(&template, "Errors", name).len(), usize::from(!is_behind_the_api), "{name}");
    }
}

/// The alarm on what the code measures under `metric`: how much of it is too much, of which statistic.
fn on_our_own(metric: &str) -> (String, f64) {
    let template = template();
    let alarms: Vec<_> = resources(&template, "AWS::CloudWatch::Alarm")
        .map(|(_, alarm)| &alarm["Properties"])
        .filter(|alarm| alarm["MetricName"] == metric)
        .collect();
    let [alarm] = alarms.as_slice() else { panic!("{metric}: {alarms:?}") };
    assert_eq!(alarm["ComparisonOperator"], "GreaterThanThreshold", "{metric}");
    (text(&alarm["Statistic"]), alarm["Threshold"].as_f64().unwrap())
}

#[test]
fn what_no_instructor_can_mend_raises_an_alarm_at_once_and_what_hits_many_soon() {
    for at_once in ["clients_refused", "notices_undelivered"] {
        assert_eq!(on_our_own(at_once), ("Sum".to_owned(), 0.0), "{at_once}");
    }
    for many in ["connections_failing", "connections_withdrawn", "pushes_missed"] {
        let (statistic, threshold) = on_our_own(many);
        assert!(statistic == "Sum" && threshold >= 10.0, "one alone is for its instructor: {many}");
    }
    assert_eq!(on_our_own("oldest_due_seconds"), ("Maximum".to_owned(), 900.0), "the default polling interval");
    assert_eq!(on_our_own("throttled_runs"), ("Average".to_owned(), 0.5));
}

#[test]
fn each_alarm_notifies_and_has_a_section_of_its_own_in_the_operations_guide() {
    let template = template();
    let guide = fs::read_to_string(root().join("docs/operations.md")).unwrap();
    let sections: Vec<_> = guide.split("\n### ").skip(1).filter(|section| section.starts_with('`')).collect();
    let mut explained = BTreeSet::new();
    for section in sections {
        let (heading, steps) = section.split_once('\n').unwrap();
        let alarms: Vec<_> = heading.split('`').filter(|word| word.ends_with("Alarm")).collect();
        assert!(!alarms.is_empty() && alarms.iter().all(|name| explained.insert(*name)), "{heading}");
        let steps = steps.split("\n#").next().unwrap();
        for part in ["\n1. ", "\n2. ", "\n3. ", "\nMended by "] {
            assert!(steps.contains(part), "{heading} lacks {part:?}");
        }
    }
    let deployed: BTreeSet<_> = resources(&template, "AWS::CloudWatch::Alarm").map(|(name, _)| name).collect();
    assert_eq!(explained, deployed);
    let told = json!(["HasAlarmTopic", ["AlarmTopicArn"], "AWS::NoValue"]);
    for (name, alarm) in resources(&template, "AWS::CloudWatch::Alarm") {
        assert_eq!(alarm["Properties"]["AlarmActions"], told, "{name}");
    }
    let output = &template["Outputs"]["AlarmTopic"]["Value"];
    assert_eq!([&output[0], &output[1]], ["HasAlarmTopic", "AlarmTopicArn"]);
    assert!(text(&output[2]).contains("sent nowhere"), "who deploys without a topic reads so");
}
