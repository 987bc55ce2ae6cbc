//! Functions: that each is there, when it runs, what it is told and what it may do.

use calendar_tests::template::{entries, events, functions, list, one_or_many, resources, root, template, text};
use std::{collections::BTreeSet, sync::Arc};

use calendar_functions::{
    conflicts, connections, disconnect, erase, external_events, lesson_changes, lesson_feed, oauth_callback, oauth_url,
    poll, renew_channels, settings, status, sync, sync_worker, webhook,
};
use calendar_sync::{bootstrap::Bootstrap, config::Config};
use local_stack::{
    aws::{self, Secrets, Services},
    deployment::{ROUTES, SCHEDULES},
    gateway::Access,
};
use serde_json::{Value as Yaml, json};
use tokio::net::TcpListener;

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

/// `sam build` runs cargo-lambda in the folder of `CodeUri`. In the workspace's root, tests would switch on features of the
/// dependencies. And where a profile does not say what a panic does, cargo-lambda lets it end the process.
#[test]
fn what_is_deployed_has_the_features_and_the_panics_of_what_is_tested() {
    assert_eq!(text(&template()["Globals"]["Function"]["CodeUri"]), "functions");
    let read = |path: &str| std::fs::read_to_string(root().join(path)).unwrap();
    let makefile = read("Makefile");
    for target in ["build", "package"] {
        let recipe = makefile.split(&format!("\n{target}:")).nth(1).unwrap().split("\n\n").next().unwrap();
        assert!(recipe.contains("--locked --release --package calendar-functions --bins"), "{target}: {recipe}");
    }
    let manifest = read("Cargo.toml");
    let release = manifest.split("\n[profile.release]\n").nth(1).unwrap().split("\n\n").next().unwrap();
    assert!(release.lines().any(|line| line == "panic = \"unwind\""), "{release}");
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

/// Lambda repeats what failed twice, a minute and two later, whatever EventBridge was told.
#[test]
fn a_scheduled_run_that_fails_is_left_to_the_next_one() {
    let template = template();
    for (name, function) in functions(&template) {
        let scheduled = events(function, "Schedule").next().is_some();
        let repeats = function["EventInvokeConfig"]["MaximumRetryAttempts"].as_i64();
        assert_eq!(repeats, scheduled.then_some(0), "{name}");
    }
}

/// A deployment that changes any of its parts writes the whole secret anew.
#[test]
fn the_secret_holds_both_keys_of_the_webhook_whichever_parameter_a_deployment_changes() {
    let template = template();
    let [condition, both, one] = list(&template["Resources"]["Secret"]["Properties"]["SecretString"]) else {
        panic!("no choice between one key and two");
    };
    assert_eq!(
        template["Conditions"][text(condition).as_str()],
        json!([["WebhookKeyBefore", ""]]),
        "unless it is empty"
    );
    let filled = |secret: &Yaml| {
        let secret = text(secret).replace("${GoogleClientSecret}", "secret").replace("${WebhookKey}", "key");
        serde_json::from_str::<Yaml>(&secret.replace("${WebhookKeyBefore}", "key before")).unwrap()
    };
    assert_eq!(filled(both), json!({ "googleClientSecret": "secret", "webhookKeys": ["key", "key before"] }));
    assert_eq!(filled(one), json!({ "googleClientSecret": "secret", "webhookKeys": ["key"] }));
    let before = &template["Parameters"]["WebhookKeyBefore"];
    assert_eq!((&before["Default"], &before["NoEcho"]), (&json!(""), &json!(true)));
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
            entries(yaml)
                .map(|(name, value)| (name.to_owned(), value_of(&one_or_many(value).concat())))
                .collect::<Vec<_>>()
        };
        let mut given = of(&template["Globals"]["Function"]["Environment"]["Variables"]);
        given.extend(of(&function["Environment"]["Variables"]));
        let config = Config::from_vars(move |wanted| {
            given.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.clone())
        });
        let bootstrap = Bootstrap::new(config, aws::sdk_config(&endpoint));
        let start = match name.as_str() {
            "conflicts" => conflicts::Deps::new(&bootstrap).await.map(drop),
            "connections" => connections::Deps::new(&bootstrap).await.map(drop),
            "disconnect" => disconnect::Deps::new(&bootstrap).await.map(drop),
            "erase" => erase::Deps::new(&bootstrap).await.map(drop),
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
    assert_eq!(started, 16);
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

/// What names a claim is for those whom API Gateway hands claims.
#[test]
fn the_functions_that_callers_reach_with_a_token_know_its_claims_and_no_other_does() {
    let template = template();
    for (name, function) in functions(&template) {
        let given = &function["Environment"]["Variables"];
        let reached = ROUTES.iter().any(|route| route.function == name && route.access != Access::FunctionUrl);
        for (variable, parameter) in [
            ("CLAIM_TENANT", "ClaimTenant"),
            ("CLAIM_INSTRUCTOR", "ClaimInstructor"),
            ("CLAIM_ROLE", "ClaimRole"),
            ("ADMIN_ROLE", "AdminRole"),
        ] {
            assert_eq!(given[variable].as_str(), reached.then_some(parameter), "{name}: {variable}");
        }
    }
}

/// Who is given a thing may use it; `roles` compares each role with the calls that its function makes.
#[test]
fn a_function_that_is_given_a_resource_may_use_it() {
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
        let told =
            entries(given).flat_map(|(_, value)| one_or_many(value)).filter(|value| value.ends_with(".QueueUrl"));
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
            assert_eq!(text(&event["Type"]), "Schedule", "{name}");
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
