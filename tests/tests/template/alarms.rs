//! Alarms: what would otherwise fail unseen is told.

use calendar_tests::template::{list, resources, root, template, text};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

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

/// These are counted by a line of the log.
#[test]
fn notices_that_stay_behind_and_a_client_that_google_refuses_raise_an_alarm() {
    let template = template();
    let code = root().join("shared/src");
    let lines = [
        ("UndeliveredNotices", code.join("usecases/sync/mod.rs")),
        ("RefusedClients", code.join("services/google_session.rs")),
    ];
    let filters: BTreeMap<_, _> = resources(&template, "AWS::Logs::MetricFilter").collect();
    assert!(filters.keys().copied().eq(lines.iter().map(|(name, _)| *name).collect::<BTreeSet<_>>()), "{filters:?}");
    for (name, source) in lines {
        let filter = &filters[name]["Properties"];
        let line = text(&filter["FilterPattern"]);
        assert!(fs::read_to_string(source).unwrap().contains(&line), "{line} is not logged");
        let counted = &filter["MetricTransformations"][0];
        let namespace = text(&counted["MetricNamespace"]);
        assert!(namespace.contains("${AWS::StackName}"), "{name} counts for all stacks of the account");
        let watch = |alarm: &&Yaml| {
            alarm["MetricName"] == counted["MetricName"] && alarm["Namespace"] == counted["MetricNamespace"]
        };
        let alarms = resources(&template, "AWS::CloudWatch::Alarm").map(|(_, alarm)| &alarm["Properties"]);
        assert_eq!(alarms.filter(watch).count(), 1, "{name}");
    }
}

#[test]
fn each_alarm_notifies_and_is_explained_in_the_operations_guide() {
    let template = template();
    let guide = fs::read_to_string(root().join("docs/operations.md")).unwrap();
    let named: BTreeSet<_> = guide.split('`').filter(|word| word.ends_with("Alarm")).collect();
    let deployed: BTreeSet<_> = resources(&template, "AWS::CloudWatch::Alarm").map(|(name, _)| name).collect();
    assert_eq!(named, deployed);
    let told = json!(["HasAlarmTopic", ["AlarmTopicArn"], "AWS::NoValue"]);
    for (name, alarm) in resources(&template, "AWS::CloudWatch::Alarm") {
        assert_eq!(alarm["Properties"]["AlarmActions"], told, "{name}");
    }
    let output = &template["Outputs"]["AlarmTopic"]["Value"];
    assert_eq!([&output[0], &output[1]], ["HasAlarmTopic", "AlarmTopicArn"]);
    assert!(text(&output[2]).contains("sent nowhere"), "who deploys without a topic reads so");
}
