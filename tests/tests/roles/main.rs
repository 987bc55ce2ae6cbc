//! Each function's role in `template.yaml` allows exactly the calls that the function makes: a day needs all of them,
//! and the calls made are compared with those allowed. The service that invokes a function calls in its name too: its
//! queue or stream is read with the function's role.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "this is test code")]

mod day;

use std::collections::BTreeSet;

use calendar_sync::{
    adapters::dynamo::tables::TABLES,
    config::{Config, TableNames},
};
use calendar_tests::{
    template::{TABLE_RESOURCES, functions, mappings, one_or_many, template},
    world::World,
};
use local_stack::{
    aws::{Call, Kms},
    deployment::{
        FIRST_SYNC_QUEUE, LESSON_FEED, LESSON_FEED_DEAD_LETTERS, NOTICE_BUS, SECRET, SYNC_DEAD_LETTERS, SYNC_QUEUE,
    },
};
use serde_json::Value;

use crate::day::live_a_day;

/// What a function needs and no day shows: a data key is made only when the one that opened what it read is older than
/// a month.
const IN_TIME: [(&str, &str); 4] = [
    ("disconnect", "kms:GenerateDataKey"),
    ("oauth-callback", "kms:GenerateDataKey"),
    ("sync", "kms:GenerateDataKey"),
    ("sync-worker", "kms:GenerateDataKey"),
];

/// A first sync of more lessons than one run handles sends a message for the rest.
const AFTER_A_THOUSAND_LESSONS: &str = "sync-worker sqs:SendMessage calendar-first-syncs";

#[tokio::test]
async fn each_role_allows_exactly_the_calls_that_its_function_makes() {
    let world = World::start().await;
    live_a_day(&world).await;
    let mut made: BTreeSet<_> = world.aws_calls().iter().map(line).collect();
    let template = template();
    let mut allowed = allowed(&template);
    for (function, action) in IN_TIME {
        let line = format!("{function} {action} {}", Kms::KEY_ALIAS);
        assert!(!made.contains(&line), "{line} is seen after all");
        assert!(allowed.remove(&line), "{line} is not allowed");
    }
    made.extend(made_by_mappings(&template));
    let missing: Vec<_> = made.difference(&allowed).collect();
    let needless: Vec<_> = allowed.difference(&made).filter(|line| *line != AFTER_A_THOUSAND_LESSONS).collect();
    assert!(
        missing.is_empty() && needless.is_empty(),
        "called and not allowed: {missing:#?}\nallowed and not called: {needless:#?}"
    );
}

fn line(call: &Call) -> String {
    format!("{} {} {}", call.function, call.action, call.resource)
}

/// The roles of the template, resources by the names that the one-machine stack has for them.
fn allowed(template: &Value) -> BTreeSet<String> {
    let mut allowed = BTreeSet::new();
    for (name, function) in functions(template) {
        for policy in function["Policies"].as_array().unwrap() {
            for statement in policy["Statement"].as_array().expect("statements, and no policy of AWS's") {
                assert_eq!(statement["Effect"], "Allow");
                for resource in named(template, &statement["Resource"]) {
                    for action in one_or_many(&statement["Action"]) {
                        assert!(!action.contains('*') && !resource.contains('*'), "{name}: {action} on {resource}");
                        let resource = match action.split_once(':') {
                            Some(("dynamodb", _)) => table_or_stream(&resource),
                            Some(("sqs", _)) => queue(&resource),
                            _ => key_secret_or_bus(&resource).to_owned(),
                        };
                        allowed.insert(format!("{name} {action} {resource}"));
                    }
                }
            }
        }
    }
    allowed
}

/// What Lambda calls with a function's role, for the queue or the stream that invokes it, and for what fails for good
/// (<https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventsourcemapping.html>). `ListStreams` among them is asked
/// for when a mapping is made; the right to it on the one stream is enough.
fn made_by_mappings(template: &Value) -> BTreeSet<String> {
    let mut made = BTreeSet::new();
    for (name, mapping) in mappings(template) {
        for source in named(template, &mapping["EventSourceArn"]) {
            if source.contains("StreamArn") {
                let calls = ["DescribeStream", "GetRecords", "GetShardIterator", "ListStreams"];
                made.extend(calls.map(|call| format!("{name} dynamodb:{call} {source}")));
            } else {
                let calls = ["ReceiveMessage", "DeleteMessage", "GetQueueAttributes"];
                made.extend(calls.map(|call| format!("{name} sqs:{call} {}", queue(&source))));
            }
        }
        if let Some(dead_letters) = mapping["DestinationConfig"]["OnFailure"]["Destination"].as_str() {
            made.insert(format!("{name} sqs:SendMessage {}", queue(dead_letters)));
        }
    }
    made
}

/// The resources of a statement. What a condition chooses from (`!If`) is one of them.
fn named(template: &Value, value: &Value) -> Vec<String> {
    let all = one_or_many(value);
    match template["Conditions"].get(&all[0]) {
        Some(_) => vec![all[1..].join(" or ")],
        None => all,
    }
}

fn queue(resource: &str) -> String {
    match resource {
        "SyncQueue.Arn" => SYNC_QUEUE.to_owned(),
        "FirstSyncQueue.Arn" => FIRST_SYNC_QUEUE.to_owned(),
        "DeadLetters.Arn" => SYNC_DEAD_LETTERS.to_owned(),
        "LessonFeed.Arn" => LESSON_FEED.to_owned(),
        "LessonFeedDeadLetters.Arn" => LESSON_FEED_DEAD_LETTERS.to_owned(),
        other => panic!("{other} is unknown"),
    }
}

fn key_secret_or_bus(resource: &str) -> &'static str {
    match resource {
        "TokenKey.Arn" => Kms::KEY_ALIAS,
        "Secret" => SECRET,
        "Notices.Arn" => NOTICE_BUS,
        other => panic!("{other} is unknown"),
    }
}

/// A stream, or a table or an index of it; one that a condition chooses from is the same on either side.
fn table_or_stream(resource: &str) -> String {
    if resource.contains("StreamArn") {
        return resource.to_owned();
    }
    let tables: BTreeSet<_> = resource.split(" or ").map(table).collect();
    assert_eq!(tables.len(), 1, "{resource} is several tables");
    tables.into_iter().next().unwrap()
}

/// `CredentialsTable.Arn`, `${MappingsTable.Arn}/index/dirty_mappings`, or `…:table/${LessonsTableName}`.
fn table(resource: &str) -> String {
    let (reference, index) = match resource.split_once("/index/") {
        Some((reference, index)) => (reference, format!("/index/{index}")),
        None => (resource, String::new()),
    };
    let reference = reference.rsplit("${").next().unwrap().trim_end_matches('}');
    let names: TableNames = Config::from_vars(|_| None).tables();
    let is_it = |known: &&str| reference.strip_prefix(*known).is_some_and(|rest| [".Arn", "Name"].contains(&rest));
    let at = TABLE_RESOURCES.iter().position(is_it).unwrap_or_else(|| panic!("{resource} is unknown"));
    format!("{}{index}", (TABLES[at].name)(&names))
}
