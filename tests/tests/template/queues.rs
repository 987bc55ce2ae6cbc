//! Queues and the stream, and how their messages reach functions.

use calendar_tests::template::{
    functions, list, mapping_of, mappings, one_or_many, resources, stream_mapping, template, text,
};
use local_stack::deployment::{FIRST_SYNC_QUEUE, LESSON_FEED, QUEUE_TRIGGERS, SYNC_QUEUE};
use serde_json::Value as Yaml;

/// The queues that functions handle: their names on one machine, the resources, and those of their dead letters.
pub const QUEUE_RESOURCES: [(&str, &str, &str); 3] = [
    (SYNC_QUEUE, "SyncQueue", "DeadLetters"),
    (FIRST_SYNC_QUEUE, "FirstSyncQueue", "DeadLetters"),
    (LESSON_FEED, "LessonFeed", "LessonFeedDeadLetters"),
];

#[test]
fn a_queue_waits_six_times_as_long_as_its_function_and_gives_up_into_dead_letters() {
    let template = template();
    let functions = functions(&template);
    for trigger in &QUEUE_TRIGGERS {
        let known = QUEUE_RESOURCES.iter().find(|(name, ..)| *name == trigger.queue);
        let (_, resource, dead_letters) = known.unwrap_or_else(|| panic!("{} has no resource", trigger.queue));
        let queue = &template["Resources"][*resource]["Properties"];
        assert_eq!(text(&queue["RedrivePolicy"]["deadLetterTargetArn"]), format!("{dead_letters}.Arn"));
        let (_, worker) = functions.iter().find(|(name, _)| name == trigger.function).unwrap();
        let (function, mapping) = mapping_of(&template, &format!("{resource}.Arn"));
        assert_eq!(function, trigger.function);
        assert_eq!(mapping["BatchSize"].as_i64(), Some(i64::from(trigger.batch_size)));
        assert_eq!(one_or_many(&mapping["FunctionResponseTypes"]), ["ReportBatchItemFailures"]);
        let timeout = worker["Timeout"].as_i64().unwrap();
        assert!(queue["VisibilityTimeout"].as_i64().unwrap() >= 6 * timeout);
    }
    assert_eq!(QUEUE_TRIGGERS.len(), QUEUE_RESOURCES.len());
    let (_, stream) = stream_mapping(&template);
    assert_eq!(text(&stream["DestinationConfig"]["OnFailure"]["Destination"]), "DeadLetters.Arn");
}

#[test]
fn queues_are_encrypted_and_dead_letters_kept_for_a_fortnight() {
    let template = template();
    for (name, queue) in resources(&template, "AWS::SQS::Queue") {
        let queue = &queue["Properties"];
        assert_eq!(queue["SqsManagedSseEnabled"].as_bool(), Some(true), "{name}");
        if QUEUE_RESOURCES.iter().any(|(_, _, dead_letters)| *dead_letters == name) {
            assert_eq!(queue["MessageRetentionPeriod"].as_i64(), Some(14 * 24 * 60 * 60), "{name}");
        }
    }
}

/// A worker goes on with long work by messages to itself, of which Lambda would stop about the sixteenth
/// (<https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html>).
#[test]
fn only_a_function_that_sends_to_its_own_queue_may_go_on_in_a_loop() {
    let template = template();
    for (name, function) in functions(&template) {
        let sends_to = |queue: &Yaml| {
            let mut statements = list(&function["Policies"]).iter().flat_map(|policy| list(&policy["Statement"]));
            statements.any(|statement| {
                one_or_many(&statement["Action"]).contains(&"sqs:SendMessage".to_owned())
                    && one_or_many(&statement["Resource"]).contains(&text(queue))
            })
        };
        let loops = mappings(&template).any(|(of, mapping)| {
            of == name && mapping["EventSourceArn"].is_string() && sends_to(&mapping["EventSourceArn"])
        });
        assert_eq!(function["RecursiveLoop"].as_str(), loops.then_some("Allow"), "{name}");
    }
}

#[test]
fn what_the_lesson_feed_refuses_fits_into_its_dead_letters() {
    let template = template();
    let largest = |queue: &str| template["Resources"][queue]["Properties"]["MaximumMessageSize"].as_i64().unwrap();
    assert!(largest("LessonFeed") + 16 * 1024 <= largest("LessonFeedDeadLetters"));
}

#[test]
fn first_syncs_queue_up_where_no_other_sync_waits_behind_them() {
    let template = template();
    let at_once = |queue: &str| {
        let (_, mapping) = mapping_of(&template, queue);
        let parameter = text(&mapping["ScalingConfig"]["MaximumConcurrency"]);
        template["Parameters"][parameter.as_str()]["Default"].as_i64().unwrap() * mapping["BatchSize"].as_i64().unwrap()
    };
    assert!(at_once("FirstSyncQueue.Arn") * 10 < at_once("SyncQueue.Arn"));
    for (name, function) in functions(&template) {
        let told = !function["Environment"]["Variables"]["FIRST_SYNC_QUEUE_URL"].is_null();
        assert_eq!(told, ["oauth-callback", "poll", "sync-worker"].contains(&name.as_str()), "{name}");
    }
}

#[test]
fn a_lesson_change_is_tried_for_a_day_and_a_failing_one_is_told_apart() {
    let template = template();
    let (function, stream) = stream_mapping(&template);
    assert_eq!(function, "lesson-changes");
    assert_eq!(
        one_or_many(&stream["EventSourceArn"]),
        ["CreateHostTables", "LessonsTable.StreamArn", "LessonsStreamArn"]
    );
    assert_eq!(stream["MaximumRetryAttempts"].as_i64(), Some(-1));
    assert_eq!(stream["MaximumRecordAgeInSeconds"].as_i64(), Some(24 * 60 * 60));
    assert_eq!(stream["BisectBatchOnFunctionError"].as_bool(), Some(true));
    assert_eq!(one_or_many(&stream["FunctionResponseTypes"]), ["ReportBatchItemFailures"]);
}
