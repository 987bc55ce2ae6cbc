//! What `template.yaml` deploys is what the code asks for, and what the one-machine stack runs.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "this is test code")]

use std::{collections::BTreeSet, path::Path, sync::Arc};

use calendar_functions::{
    disconnect, external_events, lesson_changes, lesson_feed, oauth_callback, oauth_url, poll, renew_channels,
    settings, status, sync, sync_worker, webhook,
};
use calendar_sync::{
    adapters::dynamo::tables::{Holds, IndexDefinition, KeyKind, TABLES, TableDefinition},
    bootstrap::Bootstrap,
    config::{Config, TableNames},
};
use local_stack::{
    aws::{self, Secrets, Services},
    deployment::{FIRST_SYNC_QUEUE, LESSON_FEED, QUEUE_TRIGGERS, ROUTES, SCHEDULES, SYNC_QUEUE},
    gateway::Access,
};
use serde_json::{Value as Yaml, json};
use tokio::net::TcpListener;

/// The queues that functions handle: their names on one machine, the resources, and those of their dead letters.
const QUEUE_RESOURCES: [(&str, &str, &str); 3] = [
    (SYNC_QUEUE, "SyncQueue", "DeadLetters"),
    (FIRST_SYNC_QUEUE, "FirstSyncQueue", "DeadLetters"),
    (LESSON_FEED, "LessonFeed", "LessonFeedDeadLetters"),
];

/// The resources that hold [`TABLES`], in the same order.
const TABLE_RESOURCES: [&str; 8] = [
    "CredentialsTable",
    "MappingsTable",
    "ExternalEventsTable",
    "SyncLogsTable",
    "OAuthStatesTable",
    "GoogleAccountsTable",
    "InstructorsTable",
    "LessonsTable",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// The template; what `CloudFormation` tags (`!Ref X`) reads as it is written (`X`).
fn template() -> Yaml {
    serde_saphyr::from_str(&std::fs::read_to_string(root().join("template.yaml")).unwrap()).unwrap()
}

fn text(yaml: &Yaml) -> String {
    yaml.as_str().unwrap_or_else(|| panic!("not a text: {yaml:?}")).to_owned()
}

fn list(yaml: &Yaml) -> &[Yaml] {
    yaml.as_array().map_or(&[], Vec::as_slice)
}

fn one_or_many(yaml: &Yaml) -> Vec<String> {
    yaml.as_array().map_or_else(|| vec![text(yaml)], |all| all.iter().map(text).collect())
}

fn entries(yaml: &Yaml) -> impl Iterator<Item = (&str, &Yaml)> {
    yaml.as_object().into_iter().flatten().map(|(name, value)| (name.as_str(), value))
}

fn resources<'a>(template: &'a Yaml, kind: &'a str) -> impl Iterator<Item = (&'a str, &'a Yaml)> {
    entries(&template["Resources"]).filter(move |(_, resource)| resource["Type"].as_str() == Some(kind))
}

/// Each function by the name of its binary.
fn functions(template: &Yaml) -> Vec<(String, &Yaml)> {
    resources(template, "AWS::Serverless::Function")
        .map(|(_, function)| (text(&function["Metadata"]["BuildProperties"]["Binary"]), &function["Properties"]))
        .collect()
}

fn events<'a>(function: &'a Yaml, kind: &'a str) -> impl Iterator<Item = &'a Yaml> {
    entries(&function["Events"])
        .filter(move |(_, event)| event["Type"].as_str() == Some(kind))
        .map(|(_, event)| &event["Properties"])
}

/// What ties a queue or the stream to a function: the function's name, and how.
fn mappings(template: &Yaml) -> impl Iterator<Item = (String, &Yaml)> {
    resources(template, "AWS::Lambda::EventSourceMapping").map(|(_, mapping)| {
        let function = &template["Resources"][text(&mapping["Properties"]["FunctionName"]).as_str()];
        (text(&function["Metadata"]["BuildProperties"]["Binary"]), &mapping["Properties"])
    })
}

fn mapping_of<'a>(template: &'a Yaml, queue: &str) -> (String, &'a Yaml) {
    let of_queue = |(_, mapping): &(String, &Yaml)| mapping["EventSourceArn"].as_str() == Some(queue);
    mappings(template).find(of_queue).unwrap_or_else(|| panic!("nobody handles {queue}"))
}

/// The mapping of the stream, which a condition chooses.
fn stream_mapping(template: &Yaml) -> (String, &Yaml) {
    mappings(template).find(|(_, mapping)| mapping["EventSourceArn"].is_array()).unwrap()
}

fn keys(yaml: &Yaml) -> Vec<(String, String)> {
    list(yaml).iter().map(|key| (text(&key["AttributeName"]), text(&key["KeyType"]))).collect()
}

fn expected_keys(partition: &str, sort: Option<&str>) -> Vec<(String, String)> {
    let sort = sort.map(|sort| (sort.to_owned(), "RANGE".to_owned()));
    std::iter::once((partition.to_owned(), "HASH".to_owned())).chain(sort).collect()
}

#[test]
fn tables_have_the_keys_and_indexes_that_the_code_creates() {
    let template = template();
    assert_eq!(resources(&template, "AWS::DynamoDB::Table").count(), TABLES.len());
    for (name, table) in TABLE_RESOURCES.iter().zip(&TABLES) {
        let deployed = &template["Resources"][*name]["Properties"];
        assert_eq!(keys(&deployed["KeySchema"]), expected_keys(table.partition, table.sort), "{name}");
        let attributes: Vec<_> = list(&deployed["AttributeDefinitions"])
            .iter()
            .map(|attribute| (text(&attribute["AttributeName"]), text(&attribute["AttributeType"])))
            .collect();
        let kind = |kind| match kind {
            KeyKind::Text => "S",
            KeyKind::Number => "N",
        };
        let expected: Vec<_> =
            table.key_attributes().into_iter().map(|(name, of)| (name.to_owned(), kind(of).to_owned())).collect();
        assert_eq!(attributes, expected, "{name}");
        for (property, local) in [("LocalSecondaryIndexes", true), ("GlobalSecondaryIndexes", false)] {
            let deployed = list(&deployed[property]);
            let defined: Vec<_> = table.indexes.iter().filter(|index| index.local == local).collect();
            assert_eq!(deployed.len(), defined.len(), "{name} {property}");
            for (deployed, defined) in deployed.iter().zip(defined) {
                assert_index(deployed, defined);
            }
        }
    }
}

fn assert_index(deployed: &Yaml, defined: &IndexDefinition) {
    assert_eq!(text(&deployed["IndexName"]), defined.name);
    let expected = expected_keys(defined.partition.0, Some(defined.sort.0));
    assert_eq!(keys(&deployed["KeySchema"]), expected, "{}", defined.name);
    let projection = &deployed["Projection"];
    let (kind, also): (_, &[&str]) = match defined.holds {
        Holds::Keys => ("KEYS_ONLY", &[]),
        Holds::All => ("ALL", &[]),
        Holds::Also(names) => ("INCLUDE", names),
    };
    assert_eq!(text(&projection["ProjectionType"]), kind, "{}", defined.name);
    let deployed: Vec<_> = list(&projection["NonKeyAttributes"]).iter().map(text).collect();
    assert_eq!(deployed, also, "{}", defined.name);
}

#[test]
fn tables_expire_stream_and_are_guarded_as_they_should() {
    let template = template();
    for (name, table) in TABLE_RESOURCES.iter().zip(&TABLES) {
        let resource = &template["Resources"][*name];
        let deployed = &resource["Properties"];
        let expiry = &deployed["TimeToLiveSpecification"];
        assert_eq!(expiry["AttributeName"].as_str(), table.ttl, "{name}");
        assert_eq!(expiry["Enabled"].as_bool(), table.ttl.map(|_| true), "{name}");
        let images = deployed["StreamSpecification"]["StreamViewType"].as_str();
        assert_eq!(images, table.stream.then_some("NEW_AND_OLD_IMAGES"), "{name}");
        assert_eq!(deployed["SSESpecification"]["SSEEnabled"].as_bool(), Some(true), "{name}");
        let keeps = *name != "OAuthStatesTable"; // logins in progress are all that may be lost
        let restorable = &deployed["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"];
        assert_eq!(restorable.as_bool(), keeps.then_some(true), "{name}");
        assert_eq!(deployed["DeletionProtectionEnabled"].as_bool(), keeps.then_some(true), "{name}");
        assert_eq!(resource["DeletionPolicy"].as_str(), Some(if keeps { "Retain" } else { "Delete" }), "{name}");
    }
}

/// Each name of a table that the code reads from its environment is given, and names that very table.
#[test]
fn the_environment_names_the_tables() {
    let variables = &template()["Globals"]["Function"]["Environment"]["Variables"];
    let given: Vec<_> = entries(variables).map(|(name, value)| (name.to_owned(), text(value))).collect();
    let names: TableNames =
        Config::from_vars(move |wanted| given.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.clone()))
            .tables();
    for (resource, table) in TABLE_RESOURCES.iter().zip(&TABLES) {
        let TableDefinition { name, .. } = table;
        let host = matches!(*resource, "InstructorsTable" | "LessonsTable");
        let expected = if host { format!("{resource}Name") } else { (*resource).to_owned() };
        assert_eq!(*name(&names), expected);
    }
}

#[test]
fn every_binary_has_a_function_and_every_function_a_binary() {
    let binaries: BTreeSet<_> = std::fs::read_dir(root().join("functions/src/bin"))
        .unwrap()
        .map(|file| file.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    let template = template();
    let deployed: Vec<_> = functions(&template).into_iter().map(|(binary, _)| binary).collect();
    assert_eq!(deployed.iter().cloned().collect::<BTreeSet<_>>(), binaries);
    assert_eq!(deployed.len(), binaries.len());
    for (name, function) in resources(&template, "AWS::Serverless::Function") {
        assert_eq!(function["Metadata"]["BuildMethod"].as_str(), Some("rust-cargolambda"), "{name}");
        assert!(function["Properties"]["Runtime"].is_null(), "{name} has a runtime of its own");
    }
    let all = &template["Globals"]["Function"];
    assert_eq!(text(&all["Runtime"]), "provided.al2023");
    assert_eq!(list(&all["Architectures"]).iter().map(text).collect::<Vec<_>>(), ["arm64"]);
}

#[test]
fn routes_and_who_may_call_them_are_those_of_the_one_machine_stack() {
    let template = template();
    let mut deployed = BTreeSet::new();
    for (name, function) in functions(&template) {
        for event in events(function, "HttpApi") {
            assert_eq!(text(&event["ApiId"]), "Api");
            let open = event["Auth"]["Authorizer"].as_str();
            assert!(matches!(open, None | Some("NONE")), "{name} has an authorizer of its own");
            let access = if open.is_some() { "Open" } else { "Token" };
            deployed.insert((text(&event["Method"]), text(&event["Path"]), name.clone(), access.to_owned()));
        }
        if !function["FunctionUrlConfig"].is_null() {
            assert_eq!(text(&function["FunctionUrlConfig"]["AuthType"]), "NONE");
            let path = "/api/v1/calendar/webhook".to_owned();
            deployed.insert(("POST".to_owned(), path, name, format!("{:?}", Access::FunctionUrl)));
        }
    }
    let local = ROUTES.iter().map(|route| {
        let access = format!("{:?}", route.access);
        (route.method.to_owned(), route.path.to_owned(), route.function.to_owned(), access)
    });
    assert_eq!(deployed, local.collect());
    let auth = &template["Resources"]["Api"]["Properties"]["Auth"];
    let authorizer = &auth["Authorizers"][text(&auth["DefaultAuthorizer"]).as_str()];
    assert_eq!(text(&authorizer["IdentitySource"]), "$request.header.Authorization");
    assert_eq!(text(&authorizer["JwtConfiguration"]["issuer"]), "JwtIssuer");
    assert_eq!(text(&authorizer["JwtConfiguration"]["audience"]), "JwtAudience");
}

#[test]
fn schedules_are_those_of_the_one_machine_stack() {
    let template = template();
    let mut deployed = BTreeSet::new();
    for (name, function) in functions(&template) {
        deployed.extend(events(function, "Schedule").map(|event| (name.clone(), text(&event["Schedule"]))));
    }
    let local = SCHEDULES.iter().map(|(name, every)| {
        // EventBridge wants the singular for one, and refuses the plural.
        let rate = match every.as_secs() {
            60 => "rate(1 minute)".to_owned(),
            3600 => "rate(1 hour)".to_owned(),
            seconds => format!("rate({} minutes)", seconds / 60),
        };
        ((*name).to_owned(), rate)
    });
    assert_eq!(deployed, local.collect());
}

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

/// A function that lacks a variable says so at its start: here each starts with just what the template gives it.
#[tokio::test]
async fn each_function_starts_with_the_environment_that_it_is_given() {
    let data = tempfile::tempdir().unwrap();
    let secret = r#"{"googleClientSecret":"secret","webhookKeys":["AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="]}"#;
    let secrets = Secrets::new([("Secret".to_owned(), secret.to_owned())]);
    let services = Arc::new(Services::open(data.path(), Vec::new(), secrets, None).await.unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(aws::serve(listener, services));

    let template = template();
    let mut started = 0;
    for (name, function) in functions(&template) {
        let of = |yaml: &Yaml| {
            entries(yaml).map(|(name, value)| (name.to_owned(), value_of(&text(value)))).collect::<Vec<_>>()
        };
        let mut given = of(&template["Globals"]["Function"]["Environment"]["Variables"]);
        given.extend(of(&function["Environment"]["Variables"]));
        let config = Config::from_vars(move |wanted| {
            given.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.clone())
        });
        let bootstrap = Bootstrap::new(config, aws::sdk_config(&endpoint));
        let start = match name.as_str() {
            "disconnect" => disconnect::Deps::new(&bootstrap).await.map(drop),
            "external-events" => external_events::Deps::new(&bootstrap).await.map(drop),
            "lesson-changes" => lesson_changes::Deps::new(&bootstrap).await.map(drop),
            "lesson-feed" => lesson_feed::Deps::new(&bootstrap).await.map(drop),
            "oauth-callback" => oauth_callback::Deps::new(&bootstrap).await.map(drop),
            "oauth-url" => oauth_url::Deps::new(&bootstrap).await.map(drop),
            "poll" => poll::Deps::new(&bootstrap).await.map(drop),
            "renew-channels" => renew_channels::Deps::new(&bootstrap).await.map(drop),
            "settings" => settings::Deps::new(&bootstrap).await.map(drop),
            "status" => status::Deps::new(&bootstrap).await.map(drop),
            "sync" => sync::Deps::new(&bootstrap).await.map(drop),
            "sync-worker" => sync_worker::Deps::new(&bootstrap).await.map(drop),
            "webhook" => webhook::Deps::new(&bootstrap).await.map(drop),
            other => panic!("{other} is started by no test"),
        };
        start.unwrap_or_else(|error| panic!("{name}: {error:?}"));
        started += 1;
    }
    assert_eq!(started, 13);
}

/// What CloudFormation puts in place of a reference, as far as its shape matters.
fn value_of(reference: &str) -> String {
    match reference {
        "SyncQueue.QueueUrl" | "FirstSyncQueue.QueueUrl" | "LessonFeedDeadLetters.QueueUrl" => {
            format!("https://sqs.eu-central-1.amazonaws.com/1/{reference}")
        }
        "GoogleQuotaAMinute" => "10000".to_owned(),
        "GoogleRedirectUri" => "https://api.example.com/api/v1/calendar/oauth/callback".to_owned(),
        "GoogleCalendarScopes" => "https://www.googleapis.com/auth/calendar.events".to_owned(),
        "FrontendUrl" => "https://www.example.com/scheduling".to_owned(),
        other => other.replace("${WebhookFunctionUrl.FunctionUrl}", "https://webhook.example.com/"),
    }
}

/// Who is given a thing may use it; `roles.rs` compares each role with the calls that its function makes.
#[test]
fn whoever_is_told_of_a_thing_may_use_it() {
    let template = template();
    for (name, function) in functions(&template) {
        let policies = list(&function["Policies"]).iter().flat_map(|policy| list(&policy["Statement"]));
        let allowed: BTreeSet<_> = policies.flat_map(|statement| list(&statement["Action"])).map(text).collect();
        let given = &function["Environment"]["Variables"];
        for (variable, action) in [
            ("EVENT_BUS_NAME", "events:PutEvents"),
            ("SECRET_ID", "secretsmanager:GetSecretValue"),
            ("KMS_KEY_ID", "kms:GenerateDataKey"),
        ] {
            assert_eq!(!given[variable].is_null(), allowed.contains(action), "{name}: {variable}, {action}");
        }
        let queues: BTreeSet<_> = list(&function["Policies"])
            .iter()
            .flat_map(|policy| list(&policy["Statement"]))
            .filter(|statement| list(&statement["Action"]).iter().any(|action| text(action) == "sqs:SendMessage"))
            .flat_map(|statement| one_or_many(&statement["Resource"]))
            .map(|resource| resource.replace(".Arn", ".QueueUrl"))
            .filter(|queue| queue != "DeadLetters.QueueUrl") // which Lambda itself sends to
            .collect();
        let told = entries(given).map(|(_, value)| text(value)).filter(|value| value.ends_with(".QueueUrl"));
        assert_eq!(told.collect::<BTreeSet<_>>(), queues, "{name}");
    }
}

/// A role is what its function names and nothing that SAM adds: events of other kinds bring AWS's policies for all queues
/// and all streams of the account, and every function gets AWS's policy for all logs.
#[test]
fn what_sam_gives_a_role_by_itself_ends_at_its_own_logs() {
    let template = template();
    for (name, function) in functions(&template) {
        for (_, event) in entries(&function["Events"]) {
            assert!(["HttpApi", "Schedule"].contains(&text(&event["Type"]).as_str()), "{name}: {event}");
        }
        assert!(function["Role"].is_null() && function["PermissionsBoundary"].is_null(), "{name} is an exception");
    }
    assert_eq!(text(&template["Globals"]["Function"]["PermissionsBoundary"]), "FunctionBoundary");
    let boundary = &template["Resources"]["FunctionBoundary"]["Properties"]["PolicyDocument"]["Statement"];
    let expected = json!([
        { "Effect": "Allow", "NotAction": "logs:*", "Resource": "*" },
        { "Effect": "Allow", "Action": ["logs:CreateLogStream", "logs:PutLogEvents"], "Resource": "Logs.Arn" },
    ]);
    assert_eq!(*boundary, expected);
}

#[test]
fn the_api_lets_in_listed_origins_alone_and_only_so_many_calls() {
    let template = template();
    let api = &template["Resources"]["Api"]["Properties"];
    let cors = &api["CorsConfiguration"];
    assert_eq!(text(&cors["AllowOrigins"]), "AllowedOrigins");
    let origins = &template["Parameters"]["AllowedOrigins"];
    assert!(origins["Default"].is_null(), "whoever deploys names them");
    assert_eq!(cors["AllowCredentials"].as_bool(), Some(true), "which `*` would not go with");
    let methods: BTreeSet<_> = list(&cors["AllowMethods"]).iter().map(text).collect();
    let used = ROUTES.iter().filter(|route| route.access != Access::FunctionUrl).map(|route| route.method.to_owned());
    assert_eq!(methods, used.collect());
    assert_eq!(list(&cors["AllowHeaders"]).iter().map(text).collect::<Vec<_>>(), ["authorization", "content-type"]);
    let limits = &api["DefaultRouteSettings"];
    assert!(limits["ThrottlingRateLimit"].as_i64().is_some_and(|rate| (1..=1000).contains(&rate)));
    assert!(limits["ThrottlingBurstLimit"].as_i64().is_some_and(|burst| (1..=2000).contains(&burst)));
    let webhook = &functions(&template).into_iter().find(|(name, _)| name == "webhook").unwrap().1;
    assert_eq!(text(&webhook["ReservedConcurrentExecutions"]), "WebhookConcurrency", "its address is open to all");
}
