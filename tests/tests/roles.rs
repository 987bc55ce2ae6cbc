//! Each function's role in `template.yaml` allows exactly the calls that the function makes: a day needs all of them,
//! and the calls made are compared with those allowed. The service that invokes a function calls in its name too: its
//! queue or stream is read with the function's role.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "this is test code")]

use std::{collections::BTreeSet, path::Path, time::Duration};

use calendar_sync::{
    adapters::dynamo::tables::TABLES,
    config::{Config, TableNames},
};
use calendar_tests::world::World;
use chrono::TimeDelta;
use local_stack::{
    aws::Call,
    deployment::{FIRST_SYNC_QUEUE, LESSON_FEED, LESSON_FEED_DEAD_LETTERS, SYNC_DEAD_LETTERS, SYNC_QUEUE},
};
use reqwest::Method;
use serde_json::{Value, json};

/// What a function needs and no day shows: a data key is made only when the one that opened what it read is older than
/// a month.
const IN_TIME: [(&str, &str); 4] = [
    ("disconnect", "kms:GenerateDataKey"),
    ("oauth-callback", "kms:GenerateDataKey"),
    ("sync", "kms:GenerateDataKey"),
    ("sync-worker", "kms:GenerateDataKey"),
];

/// How often a moment is tried that should be quiet.
const MAX_QUIET_MOMENTS: usize = 8;

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
        assert!(!made.contains(&format!("{function} {action} ")), "{function} {action} is seen after all");
        assert!(allowed.remove(&format!("{function} {action} ")), "{function} {action} is not allowed");
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

fn template() -> Value {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("template.yaml");
    serde_saphyr::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
}

fn resources<'a>(template: &'a Value, kind: &'a str) -> impl Iterator<Item = &'a Value> {
    template["Resources"].as_object().unwrap().values().filter(move |resource| resource["Type"] == kind)
}

fn binary(function: &Value) -> &str {
    function["Metadata"]["BuildProperties"]["Binary"].as_str().unwrap()
}

/// The roles of the template, resources by the names that the one-machine stack has for them.
fn allowed(template: &Value) -> BTreeSet<String> {
    let mut allowed = BTreeSet::new();
    for function in resources(template, "AWS::Serverless::Function") {
        let name = binary(function);
        for policy in function["Properties"]["Policies"].as_array().unwrap() {
            for statement in policy["Statement"].as_array().unwrap() {
                assert_eq!(statement["Effect"], "Allow");
                for resource in named(template, &statement["Resource"]) {
                    for action in one_or_many(&statement["Action"]) {
                        assert!(!action.contains('*') && !resource.contains('*'), "{name}: {action} on {resource}");
                        let resource = match action.split_once(':') {
                            Some(("dynamodb", _)) => table_or_stream(&resource),
                            Some(("sqs", _)) => queue(&resource),
                            _ => String::new(),
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
    for mapping in resources(template, "AWS::Lambda::EventSourceMapping") {
        let mapping = &mapping["Properties"];
        let name = binary(&template["Resources"][mapping["FunctionName"].as_str().unwrap()]);
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

fn one_or_many(value: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    value.as_array().map_or_else(|| vec![text(value)], |all| all.iter().map(text).collect())
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

/// `CredentialsTable.Arn`, `${MappingsTable.Arn}/index/dirty_mappings`, `…:table/${LessonsTableName}`, or a stream.
fn table_or_stream(resource: &str) -> String {
    if resource.contains("StreamArn") {
        return resource.to_owned();
    }
    let (reference, index) = match resource.split_once("/index/") {
        Some((reference, index)) => (reference, format!("/index/{index}")),
        None => (resource, String::new()),
    };
    let reference = reference.rsplit("${").next().unwrap().trim_end_matches('}');
    let names: TableNames = Config::from_vars(|_| None).tables();
    let resources = [
        "CredentialsTable.Arn",
        "MappingsTable.Arn",
        "ExternalEventsTable.Arn",
        "SyncLogsTable.Arn",
        "OAuthStatesTable.Arn",
        "GoogleAccountsTable.Arn",
        "RateLimitsTable.Arn",
        "InstructorsTableName",
        "LessonsTableName",
    ];
    let at = resources.iter().position(|known| *known == reference).unwrap_or_else(|| panic!("{resource} is unknown"));
    format!("{}{index}", (TABLES[at].name)(&names))
}

/// Everything that each function is there for. Syncs run first by hand, then by the worker.
async fn live_a_day(world: &World) {
    disconnect(world).await; // from nothing
    ask_of_nothing(world).await;
    world.control("limits", json!({ "channel_secs": 15 })).await;
    world.connect().await;
    for by_hand in [true, false] {
        set(world, json!({ "autoSync": !by_hand })).await;
        world.sync().await;
        sync_everything(world, by_hand).await;
    }
    world
        .until("a renewed channel", async || {
            world.aws_calls().iter().map(line).any(|call| call == "renew-channels sqs:SendMessage calendar-sync")
        })
        .await;

    world.control("limits", json!({ "channel_secs": 604_800 })).await;
    be_told_in_a_quiet_moment(world).await;
    be_fed(world).await;

    // Disconnected by the function itself, by the worker, which goes on while Google does not answer, and by a login
    // that lets another account take its place.
    disconnect(world).await;
    connect_slowly(world).await;
    fill(world).await;
    be_told_during_a_sync(world).await;
    ask_twice(world).await;
    disconnect(world).await;
    fill(world).await;
    let refuse = &json!({ "refuse": { "status": 503, "reason": "backendError" } });
    for method in ["oauth2.revoke", "batch"] {
        world.control("fault", json!({ "method": method, "when": { "next": 1 }, "effect": refuse })).await;
    }
    disconnect(world).await;
    fill(world).await;
    let mut other = world.clone();
    "grace@example.com".clone_into(&mut other.account);
    let take_over = async || {
        let (link, cookie) = other.begin_login_with("&replaceAccount=true").await;
        let back = other.consent(&link, "allow", |_| true).await;
        other.come_back(&back, &cookie).await.0
    };
    world.control("fault", json!({ "method": "oauth2.revoke", "when": { "next": 1 }, "effect": refuse })).await;
    assert_eq!(take_over().await, 409, "the worker goes on with it");
    world.until("the end", async || world.status().await["state"] == "not_connected").await;
    fill(world).await;
    assert_eq!(take_over().await, 200);
    other.until("the first sync", async || other.status().await["lastSyncedAt"].is_string()).await;

    // A permission that is withdrawn.
    other.control("end-grants", json!({ "account": other.account, "end": "revoked" })).await;
    let lesson = other.add_lesson("Piano", other.in_hours(90)).await;
    other.until("the state", async || other.status().await["state"] == "needs_reauth").await;
    other.remove_lesson(&lesson).await;
}

/// What is told some time after the last run is stored without the lease, in one transaction. Whether a moment is quiet
/// shows afterwards: a channel may be renewed just then.
async fn be_told_in_a_quiet_moment(world: &World) {
    let calls = ["PutItem", "DeleteItem"].map(|call| format!("sync-worker dynamodb:{call} external_calendar_events"));
    let made = || world.aws_calls().iter().map(line).filter(|call| calls.contains(call)).collect::<BTreeSet<_>>();
    for _ in (0..MAX_QUIET_MOMENTS).take_while(|_| made().len() < calls.len()) {
        let quiet = || tokio::time::sleep(Duration::from_secs(12));
        quiet().await;
        let start = world.in_hours(200);
        let id = world.plan_in_google("Quiet", start, start + TimeDelta::hours(1)).await;
        let is_known = async || world.external_events().await.iter().any(|event| event["googleEventId"] == json!(id));
        world.until("the event", &is_known).await;
        quiet().await;
        world.delete_in_google(&id).await;
        world.until("its end", async || !is_known().await).await;
    }
}

/// A lesson comes by the feed, and so does what is none.
async fn be_fed(world: &World) {
    let (id, starts_at) = ("1e550000-0000-4000-8000-000000000001", world.in_hours(60));
    let message = json!({
        "type": "lesson.changed", "tenantId": world.session("").await["tenantId"], "lessonId": id, "version": 1,
        "lesson": {
            "instructorId": world.instructor, "title": "Piano", "timeZone": "Europe/Berlin", "startsAt": starts_at,
            "endsAt": starts_at + TimeDelta::hours(1), "status": "scheduled",
        },
    });
    world.feed(&json!([message, {}]).to_string()).await;
    let told = || "lesson.sync_changed".to_owned();
    world.until("the host is told", async || world.notices().await.contains(&told())).await;
}

/// While its first sync is under way, a connection is polled for the first time.
async fn connect_slowly(world: &World) {
    let slow = json!({ "method": "calendar.events.list", "when": { "next": 1 }, "effect": { "slow": 5000 } });
    world.control("fault", slow).await;
    world.connect().await;
    disconnect(world).await;
}

/// Whether there is at least an instructor is looked up where there is no connection.
async fn ask_of_nothing(world: &World) {
    let body = Some(json!({ "instructorId": world.instructor }));
    let events = format!("external-events/{}", world.instructor);
    for (method, path, body) in
        [(Method::POST, "sync", body.clone()), (Method::PATCH, "settings", body), (Method::GET, events.as_str(), None)]
    {
        let (code, answer) = world.call(method, path, body).await;
        assert_eq!((code, &answer["error"]["code"]), (404, &json!("not_connected")), "{path}");
    }
}

async fn set(world: &World, change: Value) {
    let mut body = json!({ "instructorId": world.instructor });
    body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
    let (code, answer) = world.call(Method::PATCH, "settings", Some(body)).await;
    assert_eq!(code, 200, "{answer}");
}

/// What is told of during a sync by hand is seen to by that very sync, in a round of its own.
async fn be_told_during_a_sync(world: &World) {
    let slow = json!({ "method": "calendar.events.list", "effect": { "slow": 2000 } });
    let (start, end) = (world.in_hours(80), world.in_hours(81));
    for _ in 0..3 {
        world.control("fault", slow.clone()).await;
        let planned = async {
            tokio::time::sleep(Duration::from_millis(500)).await;
            world.plan_in_google("Meanwhile", start, end).await
        };
        let (_, meanwhile) = tokio::join!(world.sync(), planned);
        world.control("clear-faults", json!({})).await;
        world.settle().await;
        world.delete_in_google(&meanwhile).await;
        world.settle().await;
    }
}

/// Who asks by hand during a sync is answered by the worker, which asks itself again while that sync goes on.
async fn ask_twice(world: &World) {
    let slow = json!({ "method": "calendar.events.list", "when": { "next": 1 }, "effect": { "slow": 5000 } });
    world.control("fault", slow).await;
    let second = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        world.sync().await
    };
    tokio::join!(world.sync(), second);
    world.settle().await;
}

/// Connects, with a lesson in Google and an import that overlaps it.
async fn fill(world: &World) {
    let lesson = world.add_lesson("Piano", world.in_hours(80)).await;
    world.connect().await;
    world.plan_in_google("Dentist", world.in_hours(80), world.in_hours(81)).await;
    world.until("the event", async || world.events_of(&lesson).await.len() == 1).await;
    world.until("the flag", async || world.lesson(&lesson).await["hasConflict"] == true).await;
    world.settle().await;
}

async fn disconnect(world: &World) {
    world.call(Method::POST, "disconnect", Some(json!({ "instructorId": world.instructor }))).await;
    world.until("the end", async || world.status().await["state"] == "not_connected").await;
}

/// Lessons come, move and go; events overlap them and go; a series; a token that ends; a cursor that is lost.
async fn sync_everything(world: &World, by_hand: bool) {
    let step = async || {
        if by_hand {
            world.sync().await;
        }
    };
    // What waits is seen to by hand, or sees to itself.
    let settle = async || {
        let rests = async || {
            step().await;
            world.status().await["counts"]["lessonsWaiting"] == 0
        };
        world.until("rest", rests).await;
        world.sync().await;
    };
    let (start, end) = (world.in_hours(30), world.in_hours(31));
    let lesson = world.add_lesson("Piano", start).await;
    let gone = world.add_lesson("Choir", world.in_hours(50)).await;
    world.until("the marks", async || world.rows("calendar_event_mappings").await.len() >= 2).await;
    step().await;
    world
        .until("the events", async || {
            world.events_of(&lesson).await.len() == 1 && world.events_of(&gone).await.len() == 1
        })
        .await;
    settle().await;
    let dentist = world.plan_in_google("Dentist", start + TimeDelta::minutes(30), end).await;
    let series = world
        .plan_event(json!({
            "summary": "Yoga", "recurrence": ["RRULE:FREQ=WEEKLY"],
            "start": { "dateTime": start, "timeZone": "Etc/UTC" }, "end": { "dateTime": end, "timeZone": "Etc/UTC" },
        }))
        .await;
    step().await;
    world.until("the flag", async || world.lesson(&lesson).await["hasConflict"] == true).await;
    assert!(!world.external_events().await.is_empty());
    world.delete_in_google(&dentist).await;
    world.delete_in_google(&series).await;
    world.control("expire-access-tokens", json!({ "account": world.account })).await;
    world.remove_lesson(&gone).await;
    step().await;
    world.until("the end of the flag", async || world.lesson(&lesson).await["hasConflict"] == false).await;
    world.until("the end of the lesson", async || world.events_of(&gone).await.is_empty()).await;
    move_a_day(world, if by_hand { "Asia/Tokyo" } else { "America/New_York" }, step).await;
    world.control("expire-cursors", json!({ "calendar": world.account })).await;
    let event = world.events_of(&lesson).await[0]["id"].as_str().unwrap().to_owned();
    world.edit_in_google(&event, json!({ "summary": "Mine" })).await;
    step().await;
    world.until("the put-back", async || world.events_of(&lesson).await[0]["summary"] == "Piano").await;
    set(world, json!({ "syncDirection": "to_google" })).await;
    step().await;
    world.until("imports cleared", async || world.external_events().await.is_empty()).await;
    set(world, json!({ "syncDirection": "two_way" })).await;
    step().await;
    world.remove_lesson(&lesson).await;
    step().await;
    world.until("the end of the event", async || world.events_of(&lesson).await.is_empty()).await;
    settle().await;
}

/// A whole day begins at another moment once the calendar's time zone has moved.
async fn move_a_day(world: &World, zone: &str, step: impl AsyncFn()) {
    let date = |days| (world.in_hours(0) + TimeDelta::days(days)).date_naive();
    let day = json!({ "summary": "Trip", "start": { "date": date(5) }, "end": { "date": date(6) } });
    let trip = world.plan_event(day).await;
    let is_known = async || world.external_events().await.iter().any(|event| event["googleEventId"] == json!(trip));
    step().await;
    world.until("the day", is_known).await;
    world.control("set-zone", json!({ "calendar": world.account, "zone": zone })).await;
    // Nothing tells of a zone; something else does.
    let other = world.plan_in_google("Meanwhile", world.in_hours(60), world.in_hours(61)).await;
    step().await;
    world.until("the move", async || world.status().await["timeZone"] == zone).await;
    world.delete_in_google(&trip).await;
    world.delete_in_google(&other).await;
    step().await;
}
