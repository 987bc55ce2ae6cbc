//! The log names who did what, whether they are the instructor or an administrator.

use calendar_tests::world::World;
use chrono::{DateTime, TimeDelta, Utc};
use reqwest::Method;
use serde_json::{Value, json};

/// The administrator at the page of `world`'s instructor.
async fn administrator(world: &World) -> (World, String) {
    let mut admin = world.signed_in("?role=admin&instructor=5c7a1e00-0000-4000-8000-0000000000ad").await;
    let subject = std::mem::replace(&mut admin.instructor, world.instructor.clone());
    (admin, subject)
}

/// What people did, as the status lists it: the latest first.
async fn acts(world: &World) -> Vec<Value> {
    let status = world.status().await;
    let rows = status["logs"].as_array().unwrap().iter().filter(|row| row["kind"] == "act");
    rows.map(|row| json!([row["person"]["role"], row["person"]["subject"], row["act"]])).collect()
}

fn instructor(world: &World, act: &Value) -> Value {
    json!(["instructor", world.instructor, act])
}

#[tokio::test]
async fn each_act_of_a_person_has_a_row_with_who_did_it() {
    let world = World::start().await;
    let (admin, office) = administrator(&world).await;
    let by_office = |act: Value| json!(["admin", office, act]);
    let mut done = vec![];
    let told = async |done: &[Value]| {
        let told = acts(&world).await;
        assert_eq!(told, done.iter().rev().cloned().collect::<Vec<_>>());
    };
    world.connect().await;
    done.push(instructor(&world, &json!({ "code": "connected" })));
    told(&done).await;

    let changed = |setting: &str, to: Value| json!({ "code": "setting_changed", "setting": setting, "to": to });
    world.set(json!({ "syncDirection": "to_google", "syncEnabled": true })).await;
    done.push(instructor(&world, &changed("syncDirection", json!("to_google"))));
    world.set(json!({ "shareTitles": true })).await;
    done.push(instructor(&world, &changed("shareTitles", json!(true))));
    admin.set(json!({ "syncIntervalMinutes": 60 })).await;
    done.push(by_office(changed("syncIntervalMinutes", json!(60))));
    admin.set(json!({ "syncIntervalMinutes": 60, "syncDirection": null })).await;
    let refused = json!({ "instructorId": world.instructor, "shareTitles": false, "autoSync": false });
    assert_eq!(admin.call(Method::PATCH, "settings", Some(refused)).await.0, 403);
    told(&done).await;

    admin.sync().await;
    let status = world.status().await;
    let run = status["logs"].as_array().unwrap().iter().find(|row| row["trigger"] == "manual").unwrap();
    assert_eq!((&run["kind"], &run["person"]), (&json!("run"), &json!({ "subject": office, "role": "admin" })));
    let first = status["logs"].as_array().unwrap().iter().find(|row| row["trigger"] == "connect").unwrap();
    assert_eq!(first["person"], Value::Null, "nobody asked for it by hand");

    admin.connect().await;
    done.push(by_office(json!({ "code": "connected_again" })));
    told(&done).await;
    let choices = json!({ "instructorId": world.instructor, "keepEvents": true });
    let (code, answer) = admin.call(Method::POST, "disconnect", Some(choices)).await;
    assert!(code == 200 || code == 202, "{code} {answer}");
    done.push(by_office(json!({ "code": "disconnected", "keepEvents": true, "keepImported": false })));
    world.until("the end", async || world.status().await["state"] == "not_connected").await;
    told(&done).await;

    for row in world.rows("calendar_sync_logs").await.iter().filter(|row| row["act"].is_object()) {
        let at: DateTime<Utc> = row["at"].as_str().unwrap().parse().unwrap();
        assert_eq!(row["ttl"], json!((at + TimeDelta::days(90)).timestamp()));
    }
}

#[tokio::test]
async fn another_account_in_place_of_the_present_one_is_one_row() {
    let mut world = World::connected().await;
    "grace@example.com".clone_into(&mut world.account);
    let log_in = async |more: &str| {
        let (link, cookie) = world.begin_login_with(more).await;
        let back = world.consent(&link, "allow", |_| true).await;
        world.come_back(&back, &cookie).await.0
    };
    assert_eq!(log_in("").await, 409);
    let connected = instructor(&world, &json!({ "code": "connected" }));
    assert_eq!(acts(&world).await, std::slice::from_ref(&connected), "what was refused was not done");
    assert_eq!(log_in("&replaceAccount=true").await, 200);
    let replaced = instructor(&world, &json!({ "code": "account_replaced" }));
    assert_eq!(acts(&world).await, [replaced, connected]);
}
