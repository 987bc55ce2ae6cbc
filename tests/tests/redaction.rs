//! Nothing secret gets out: a process lives a day with every kind of event, at the loudest level of logging, and all
//! its output is searched for every secret, and for people's plans. The tables are searched for every secret, and for
//! what of people's plans nothing here uses.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, reason = "this is test code")]

use std::{collections::BTreeSet, path::Path, process::Command};

use calendar_tests::world::World;
use chrono::TimeDelta;
use reqwest::{Method, header};
use serde_json::{Value, json};

/// Where the day leaves its data and, in `secrets.json`, the values to search for.
const FOLDER: &str = "REDACTION_FOLDER";
/// In answers of Google that are none.
const MARKED: &str = "marked-7f3a91";
/// In what people have planned: it is stored, and shown to whom it concerns, but never logged or repeated in an error.
const PRIVATE: &str = "private5e21c7";
/// The title and place of an event that an instructor planned.
const PLANNED: &str = "private5e21c7 in Google";
/// In what of these plans is not to be stored: descriptions and guests, and of private events title and place.
const UNUSED: &str = "unused8b03d4";

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
    for word in [
        "the request was refused",
        "synced",
        "the run failed",
        "a message of the lesson feed is refused",
        "an event is left out",
        "ANSWER",
        "ANSWER feed",
        "other_account",
        "connection.needs_attention",
        "conflicts.changed",
    ] {
        assert!(output.contains(word), "the day was not as loud as it should be: no \"{word}\" in {output}");
    }

    let [secrets, states, unlogged]: [BTreeSet<String>; 3] =
        serde_json::from_str(&std::fs::read_to_string(folder.path().join("secrets.json")).unwrap()).unwrap();
    assert!(secrets.len() > 20, "{}", secrets.len());
    for secret in secrets.iter().map(String::as_str).chain([MARKED, PRIVATE, UNUSED]) {
        assert!(secret.len() > 8, "too short to be looked for: {secret}");
        let at = output.find(secret);
        assert_eq!(
            at,
            None,
            "{secret} is in the output: …{}",
            at.map_or("", |at| output.get(at.saturating_sub(400)..at + 60).unwrap_or(""))
        );
    }
    for line in output.lines().filter(|line| !line.starts_with("ANSWER")) {
        let found: Vec<_> = unlogged.iter().filter(|word| line.contains(*word)).collect();
        assert!(found.is_empty(), "{found:?} is in the log: {line}");
    }
    let tables = files(folder.path(), "dynamodb.sqlite") + &files(folder.path(), "aws.sqlite");
    assert!(tables.contains("lesson_i"), "the tables are there");
    assert!(!tables.contains(UNUSED), "something is stored that nothing uses");
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
    secrets.all.insert(local_stack::google::CLIENT_SECRET.to_owned());
    for key in ["token.key", "webhook.key", "kms.key"] {
        secrets.all.insert(std::fs::read_to_string(folder.join("data").join(key)).unwrap().trim().to_owned());
    }
    std::fs::write(folder.join("secrets.json"), json!([secrets.all, secrets.states, secrets.unlogged]).to_string())
        .unwrap();
}

/// Values that must not show anywhere.
#[derive(Default)]
struct Secrets {
    all: BTreeSet<String>,
    /// Those among them that are states of logins.
    states: BTreeSet<String>,
    /// What is stored, and partly shown to whom it concerns, and never logged: sealed tokens, and who the accounts are.
    unlogged: BTreeSet<String>,
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
    log_in_with("", world, decision, scopes, secrets).await
}

/// The same, begun with more parameters.
async fn log_in_with(
    more: &str,
    world: &World,
    decision: &str,
    scopes: impl Fn(&str) -> bool,
    secrets: &mut Secrets,
) -> (String, String) {
    let (link, cookie) = world.begin_login_with(more).await;
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

/// All tokens that Google ever gave, and those of the channels; as they are sealed, those that are stored now.
async fn tokens(world: &World, secrets: &mut Secrets) {
    let (_, state) = world.send(world.outside(&format!("{}/control/state", world.google))).await;
    for kind in ["access", "refresh", "codes"] {
        secrets.all.extend(state["tokens"][kind].as_object().unwrap().keys().cloned());
    }
    for row in world.rows("instructor_calendar_credentials").await {
        let columns = ["google_access_token", "google_refresh_token", "google_account_sub", "google_account_email"];
        secrets.unlogged.extend(columns.iter().filter_map(|column| row[column].as_str()).map(str::to_owned));
    }
    let channels = state["push"]["channels"].to_string();
    secrets
        .all
        .extend(channels.split("\"token\":\"").skip(1).filter_map(|rest| rest.split('"').next()).map(str::to_owned));
}

async fn live(world: &World, secrets: &mut Secrets) {
    secrets.all.insert(world.token.clone());
    connect(world, secrets).await;
    sync(world, secrets).await;
    be_fed(world).await;
    be_refused(world, secrets).await;
    turn_switches_and_look_around(world).await;
    let other = lose_the_grant_and_take_another_account(world, secrets).await;
    answered("status", &(200, world.status().await));
    answered("logs", &(200, json!(world.rows("calendar_sync_logs").await)));
    answered("notices", &(200, json!(world.notices_in_full().await)));
    println!("ANSWER {:?}", world.aws_calls());

    // The end, once more with Google in the way.
    world
        .control("fault", json!({ "method": "oauth2.revoke", "when": { "next": 1 }, "effect": { "garbage": MARKED } }))
        .await;
    let body = json!({ "instructorId": other.instructor });
    answered("disconnect", &other.call(Method::POST, "disconnect", Some(body)).await);
    other.until("the end", async || other.status().await["state"] == "not_connected").await;
    tokens(world, secrets).await;
}

/// Logins that come to nothing, and one that does.
async fn connect(world: &World, secrets: &mut Secrets) {
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
    assert_eq!(secrets.unlogged.len(), 4, "two sealed tokens, and the account by id and by address");
}

/// A sync with all that belongs to it, and one that fails in each way.
async fn sync(world: &World, secrets: &mut Secrets) {
    let start = world.in_hours(30);
    let lesson = world.add_lesson(PRIVATE, start).await;
    for (visibility, text) in [("default", PLANNED), ("private", UNUSED), ("confidential", UNUSED)] {
        world
            .plan_event(json!({
                "summary": text, "description": UNUSED, "location": text, "visibility": visibility,
                "attendees": [{ "email": format!("{UNUSED}@example.com") }],
                "start": { "dateTime": start }, "end": { "dateTime": world.in_hours(31) },
            }))
            .await;
    }
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
    let imports = world.rows("external_calendar_events").await;
    assert!(imports.len() == 3 && json!(imports).to_string().contains(PLANNED), "the events are imported: {imports:?}");
    // An event that is none, and the lesson's, changed by the instructor.
    let page = json!({ "items": [{ "id": "malformed", "start": PRIVATE }], "nextSyncToken": "of nothing" }).to_string();
    world.fault("calendar.events.list", json!({ "next": 1 }), json!({ "garbage": page })).await;
    world.sync().await;
    let event = world.events_of(&lesson).await[0]["id"].as_str().unwrap().to_owned();
    world.edit_in_google(&event, json!({ "summary": format!("{PRIVATE} too"), "description": PRIVATE })).await;
    world.until("the put-back", async || world.events_of(&lesson).await[0]["summary"] == PRIVATE).await;
    tokens(world, secrets).await;
}

/// Lessons by the feed, and what is none.
async fn be_fed(world: &World) {
    let start = world.in_hours(60);
    let good = json!({
        "type": "lesson.changed", "tenantId": world.session("").await["tenantId"],
        "lessonId": "1e550000-0000-4000-8000-000000000001", "version": 1,
        "lesson": {
            "instructorId": world.instructor, "title": PRIVATE, "description": PRIVATE, "location": PRIVATE,
            "timeZone": "Europe/Berlin", "startsAt": start, "endsAt": start + TimeDelta::hours(1), "status": "scheduled",
        },
    });
    let with = |field: &str, value: Value| {
        let mut wrong = good.clone();
        wrong["lesson"][field] = value;
        wrong
    };
    world.feed(&good.to_string()).await;
    let messages = [
        with("title", json!(format!("{PRIVATE}\u{0}"))),
        with("status", json!(PRIVATE)),
        with(PRIVATE, json!(PRIVATE)),
        json!({ "type": PRIVATE }),
        json!({ PRIVATE: PRIVATE }),
        json!(PRIVATE),
    ];
    world.feed(&json!(messages).to_string()).await;
    world.feed(&format!("{{\"{PRIVATE}\": \"{PRIVATE}")).await;
    let told = || "lesson.sync_changed".to_owned();
    world.until("the host is told", async || world.notices().await.contains(&told())).await;
    let mut reasons = Vec::new();
    while reasons.len() < 2 {
        reasons.extend(world.refused_by_the_feed().await.into_iter().map(|(_, reason)| reason));
    }
    answered("feed", &(200, json!(reasons)));
}

/// Calls that are refused, with secrets in every place.
async fn be_refused(world: &World, secrets: &mut Secrets) {
    let session = world.session("?role=admin").await["token"].as_str().unwrap().to_owned();
    secrets.all.insert(session.clone());
    let stolen = secrets.states.first().unwrap().clone();
    for token in [format!("{session}x"), stolen, PRIVATE.to_owned()] {
        let wrong = json!({ "instructorId": token, "state": token, "code": token, "syncDirection": token });
        for (method, path) in [
            (Method::POST, "sync"),
            (Method::PATCH, "settings"),
            (Method::POST, "disconnect"),
            (Method::POST, "oauth/callback"),
        ] {
            answered(path, &world.call(method.clone(), path, Some(wrong.clone())).await);
            let request = world.request(method, &format!("/api/v1/calendar/{path}")).json(&wrong);
            answered(path, &world.send(request.bearer_auth(&token)).await);
        }
        for (field, value) in [("syncDirection", &token), ("syncEnabled", &token), (&token, &token)] {
            let body = json!({ "instructorId": world.instructor, field: value });
            answered("settings", &world.call(Method::PATCH, "settings", Some(body)).await);
        }
        for path in [
            format!("external-events/{}?from={token}", world.instructor),
            format!("external-events/{}?cursor={token}&{token}=1", world.instructor),
            format!("external-events/{token}"),
            format!("status/{token}"),
            format!("status/{}?cursor={token}", world.instructor),
            format!("oauth/url?instructorId={token}&returnPath={token}"),
        ] {
            answered("a question", &world.call(Method::GET, &path, None).await);
        }
        let back = format!("/api/v1/calendar/oauth/callback?state={token}&code={token}&error={token}");
        let callback = world.request(Method::GET, &back).header(header::ACCEPT, "application/json");
        answered("callback", &world.send(callback.header(header::COOKIE, format!("calendar_login_x={token}"))).await);
        let request = world.request(Method::POST, "/api/v1/calendar/webhook").header("x-goog-channel-id", "c");
        answered("webhook", &world.send(request.header("x-goog-channel-token", &token)).await);
    }
}

/// Changes each setting, and looks at the instructor's own plans, which are for no other eyes.
async fn turn_switches_and_look_around(world: &World) {
    for change in [
        json!({ "syncDirection": "to_google" }),
        json!({ "syncDirection": "two_way", "syncIntervalMinutes": 5 }),
        json!({ "syncEnabled": false }),
        json!({ "syncEnabled": true, "autoSync": true }),
    ] {
        let mut body = json!({ "instructorId": world.instructor });
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        answered("settings", &world.call(Method::PATCH, "settings", Some(body)).await);
        world.until("rest", async || world.status().await["counts"]["lessonsWaiting"] == 0).await;
    }
    let shown = async || !world.external_events().await.is_empty();
    world.until("the imports", shown).await;
}

/// Whether the next message finds the connection as most do: no run, no request, no failure and no full reconcile is due.
async fn owes_nothing(world: &World) -> bool {
    let rows = world.rows("instructor_calendar_credentials").await;
    let row = |id: &str| rows.iter().find(|row| row["instructor_id"] == id);
    let state = row(&format!("{}#state", world.instructor));
    let (Some(state), Some(connection)) = (state, row(&world.instructor)) else { return false };
    let is_idle = ["lease_owner", "pending_tasks"].iter().all(|name| state[name].is_null()) && state["failures"] == 0;
    is_idle && state["reconciled_at"].as_str() > connection["updated_at"].as_str()
}

/// The permission is withdrawn and given again; then another account takes the place of the present one.
async fn lose_the_grant_and_take_another_account(world: &World, secrets: &mut Secrets) -> World {
    tokens(world, secrets).await;
    world.until("nothing owed", async || owes_nothing(world).await).await;
    world.control("end-grants", json!({ "account": world.account, "end": "revoked" })).await;
    world.change_state(json!({ "next_sync_at": "2026-01-01T00:00:00.000Z" })).await;
    world.until("the state", async || world.status().await["state"] == "needs_reauth").await;
    answered("needs_reauth", &(200, world.status().await));
    let body = json!({ "instructorId": world.instructor });
    answered("sync without a grant", &world.call(Method::POST, "sync", Some(body)).await);
    let (back, cookie) = log_in(world, "allow", |_| true, secrets).await;
    answered("reconnected", &world.come_back(&back, &cookie).await);
    tokens(world, secrets).await;

    let mut other = world.clone();
    "grace@example.com".clone_into(&mut other.account);
    let (back, cookie) = log_in(&other, "allow", |_| true, secrets).await;
    answered("another account", &other.come_back(&back, &cookie).await);
    for _ in 0..2 {
        // The second time nothing is there to be replaced.
        let (back, cookie) = log_in_with("&replaceAccount=true", &other, "allow", |_| true, secrets).await;
        answered("replaced", &other.come_back(&back, &cookie).await);
    }
    other.until("the first sync", async || other.status().await["lastSyncedAt"].is_string()).await;
    tokens(world, secrets).await;
    other
}
