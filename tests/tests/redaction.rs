//! Nothing secret gets out (design rule S7): a process lives a day in which everything happens that can, at the loudest
//! level of logging, and all that it wrote is searched for every secret that there was.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, reason = "this is test code")]

use std::{collections::BTreeSet, path::Path, process::Command};

use calendar_tests::world::World;
use reqwest::{Method, header};
use serde_json::{Value, json};

/// Where the day leaves its data and, in `secrets.json`, what nobody may find.
const FOLDER: &str = "REDACTION_FOLDER";
/// In answers of Google that are none, and in the instructor's own plans.
const MARKED: &str = "marked-7f3a91";

#[test]
fn no_secret_is_in_any_output_answer_or_table() {
    let folder = tempfile::tempdir().unwrap();
    let day = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "the_day", "--ignored", "--nocapture"])
        .env(FOLDER, folder.path())
        .env("RUST_LOG", "trace")
        .env("RUST_BACKTRACE", "1")
        .output()
        .unwrap();
    let output = String::from_utf8_lossy(&[day.stdout, day.stderr].concat()).into_owned();
    assert!(day.status.success(), "{output}");
    for word in ["the request was refused", "synced", "the run failed", "ANSWER"] {
        assert!(output.contains(word), "the day was not as loud as it should be: no \"{word}\" in {output}");
    }

    let [secrets, states]: [BTreeSet<String>; 2] =
        serde_json::from_str(&std::fs::read_to_string(folder.path().join("secrets.json")).unwrap()).unwrap();
    assert!(secrets.len() > 20, "{}", secrets.len());
    for secret in secrets.iter().map(String::as_str).chain([MARKED]) {
        assert!(secret.len() > 8, "too short to be looked for: {secret}");
        let at = output.find(secret);
        assert_eq!(
            at,
            None,
            "{secret} is in the output: …{}",
            at.map_or("", |at| output.get(at.saturating_sub(400)..at + 60).unwrap_or(""))
        );
    }
    let tables = files(folder.path(), "dynamodb.sqlite") + &files(folder.path(), "aws.sqlite");
    assert!(tables.contains("lesson_i"), "the tables are there");
    // The state of a login is the key of its row: without the cookie it is worth nothing.
    for secret in secrets.difference(&states) {
        assert!(!tables.contains(secret), "{secret} is in the tables");
    }
}

/// A file and its journals, as text.
fn files(folder: &Path, name: &str) -> String {
    let all = std::fs::read_dir(folder.join("data")).unwrap().map(|file| file.unwrap().path());
    let found: Vec<_> = all.filter(|file| file.file_name().unwrap().to_str().unwrap().starts_with(name)).collect();
    assert!(!found.is_empty(), "{name}");
    found.into_iter().map(|file| String::from_utf8_lossy(&std::fs::read(file).unwrap()).into_owned()).collect()
}

#[tokio::test]
#[ignore = "it runs in a process of its own, within the other test"]
async fn the_day() {
    let folder = std::path::PathBuf::from(std::env::var(FOLDER).unwrap());
    calendar_sync::telemetry::init();
    let world = World::start_in(&folder.join("data")).await;
    let mut secrets = Secrets::default();
    live(&world, &mut secrets).await;
    for key in ["token.key", "webhook.key", "kms.key"] {
        secrets.all.insert(std::fs::read_to_string(folder.join("data").join(key)).unwrap().trim().to_owned());
    }
    std::fs::write(folder.join("secrets.json"), json!([secrets.all, secrets.states]).to_string()).unwrap();
}

/// What nobody may find.
#[derive(Default)]
struct Secrets {
    all: BTreeSet<String>,
    /// Those among them that are states of logins.
    states: BTreeSet<String>,
}

/// Everything that a call answers is part of the output, but what is meant for the caller alone.
fn answered(what: &str, answer: &(u16, Value)) {
    println!("ANSWER {what}: {} {}", answer.0, answer.1);
}

/// Logs in, and keeps all that is secret about it.
async fn log_in(
    world: &World,
    decision: &str,
    scopes: impl Fn(&str) -> bool,
    secrets: &mut Secrets,
) -> (String, String) {
    let (link, cookie) = world.begin_login().await;
    let back = world.consent(&link, decision, scopes).await;
    secrets.all.insert(cookie.split_once('=').unwrap().1.to_owned());
    for name in ["state=", "code=", "code_challenge="] {
        for address in [&link, &back] {
            let found = address.split(name).nth(1).and_then(|rest| rest.split('&').next());
            let found = found.filter(|found| found.len() > 8).map(|found| found.replace("%2F", "/"));
            if name == "state=" {
                secrets.states.extend(found.clone());
            }
            secrets.all.extend(found);
        }
    }
    (back, cookie)
}

/// All tokens that Google ever gave, and those of the channels.
async fn tokens(world: &World, secrets: &mut Secrets) {
    let (_, state) = world.send(world.outside(&format!("{}/control/state", world.google))).await;
    for kind in ["access", "refresh", "codes"] {
        secrets.all.extend(state["tokens"][kind].as_object().unwrap().keys().cloned());
    }
    let channels = state["push"]["channels"].to_string();
    secrets
        .all
        .extend(channels.split("\"token\":\"").skip(1).filter_map(|rest| rest.split('"').next()).map(str::to_owned));
}

async fn live(world: &World, secrets: &mut Secrets) {
    secrets.all.insert(world.token.clone());
    // Logins that come to nothing, and one that does.
    let (back, cookie) = log_in(world, "deny", |_| true, secrets).await;
    answered("denied", &world.come_back(&back, &cookie).await);
    let (back, cookie) = log_in(world, "allow", |scope| !scope.contains("calendar"), secrets).await;
    answered("unticked", &world.come_back(&back, &cookie).await);
    let (back, cookie) = log_in(world, "allow", |_| true, secrets).await;
    answered("another browser", &world.come_back(&back, "calendar_login_x=y").await);
    answered("altered", &world.come_back(&back.replace("code=4", "code=5"), &cookie).await);
    let (back, cookie) = log_in(world, "allow", |_| true, secrets).await;
    let garbage = json!({ "method": "oauth2.token", "when": { "next": 1 }, "effect": { "garbage": MARKED } });
    world.control("fault", garbage.clone()).await;
    answered("garbage", &world.come_back(&back, &cookie).await);
    let (back, cookie) = log_in(world, "allow", |_| true, secrets).await;
    let path = back.strip_prefix(&world.api).unwrap();
    let by_browser = world.request(Method::GET, path).header(header::COOKIE, cookie).send().await.unwrap();
    println!("ANSWER connected: {:?}", by_browser.headers()[header::LOCATION]);
    world.until("the first sync", async || world.status().await["lastSyncedAt"].is_string()).await;
    tokens(world, secrets).await;

    // A sync with all that belongs to it, and one that fails in each way.
    let start = world.in_hours(30);
    let lesson = world.add_lesson("Piano", start).await;
    world.plan_in_google("Dentist", start, world.in_hours(31)).await;
    world.until("the flag", async || world.lesson(&lesson).await["hasConflict"] == true).await;
    let mut hour = 0;
    for method in ["oauth2.token", "calendar.events.list", "batch"] {
        for effect in [
            json!({ "garbage": MARKED }),
            json!({ "refuse": { "status": 500, "reason": "backendError" } }),
            json!({ "refuse": { "status": 403, "reason": "forbidden" } }),
            json!("cut"),
        ] {
            world.control("fault", json!({ "method": method, "when": { "next": 1 }, "effect": effect })).await;
            world.control("expire-access-tokens", json!({ "account": world.account })).await;
            world.move_lesson(&lesson, world.in_hours(32 + hour)).await;
            hour += 1;
            let body = json!({ "instructorId": world.instructor });
            answered("sync", &world.call(Method::POST, "sync", Some(body)).await);
            let faults = format!("{}/control/faults", world.google);
            let struck = async || world.send(world.outside(&faults)).await.1[0]["seen"] != 0;
            world.until("the fault", struck).await;
            world.control("clear-faults", json!({})).await;
            world.sync().await;
        }
    }
    tokens(world, secrets).await;

    // Calls that are refused, with secrets in every place.
    let session = world.session("?role=admin").await["token"].as_str().unwrap().to_owned();
    secrets.all.insert(session.clone());
    for token in [format!("{session}x"), secrets.all.iter().next().unwrap().clone()] {
        for path in ["sync", "disconnect", "oauth/callback"] {
            let body = json!({ "instructorId": token, "state": token, "code": token });
            let request =
                world.request(Method::POST, &format!("/api/v1/calendar/{path}")).bearer_auth(&token).json(&body);
            world.send(request).await;
        }
        let request = world.request(Method::POST, "/api/v1/calendar/webhook").header("x-goog-channel-id", "c");
        answered("webhook", &world.send(request.header("x-goog-channel-token", &token)).await);
    }
    answered("status", &(200, world.status().await));
    answered("logs", &(200, json!(world.rows("calendar_sync_logs").await)));
    answered("notices", &(200, json!(world.notices().await)));
    println!("ANSWER {:?}", world.aws_calls());

    // The end, once more with Google in the way.
    world
        .control("fault", json!({ "method": "oauth2.revoke", "when": { "next": 1 }, "effect": { "garbage": MARKED } }))
        .await;
    let body = json!({ "instructorId": world.instructor });
    answered("disconnect", &world.call(Method::POST, "disconnect", Some(body)).await);
    world.until("the end", async || world.status().await["state"] == "not_connected").await;
    tokens(world, secrets).await;
}
