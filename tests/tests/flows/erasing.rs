//! Erasing: of an instructor, or of a tenant, no row of ours is left.

use calendar_tests::world::World;
use reqwest::Method;
use serde_json::{Value, json};

/// The tables of this product, and not those of the host.
const TABLES: [&str; 8] = [
    "instructor_calendar_credentials",
    "calendar_event_mappings",
    "external_calendar_events",
    "calendar_sync_logs",
    "oauth_states",
    "google_accounts",
    "rate_limits",
    "erasures",
];

async fn administrator(world: &World) -> World {
    world.signed_in("?role=admin&instructor=5c7a1e00-0000-4000-8000-0000000000ad").await
}

async fn tenant(world: &World) -> String {
    world.session("").await["tenantId"].as_str().unwrap().to_owned()
}

/// The rows of all tables that name `id`, but for records of erasures.
async fn rows_with(world: &World, id: &str) -> Vec<String> {
    let mut found = Vec::new();
    for table in TABLES {
        let rows = world.rows(table).await.into_iter().filter(|row| row["asked_by"].is_null());
        found.extend(rows.map(|row| format!("{table}: {row}")).filter(|row| row.contains(id)));
    }
    found
}

async fn erase(admin: &World, body: Value) -> Value {
    let (code, answer) = admin.call(Method::POST, "erase", Some(body)).await;
    assert_eq!(code, 202, "{answer}");
    answer["data"].clone()
}

async fn erasure(admin: &World, id: &Value) -> Value {
    let (code, answer) = admin.call(Method::GET, &format!("erase/{}", id.as_str().unwrap()), None).await;
    assert_eq!(code, 200, "{answer}");
    answer["data"].clone()
}

async fn until_erased(admin: &World, id: &Value) -> Value {
    admin.until("the end of the erasure", async || erasure(admin, id).await["state"] == "erased").await;
    erasure(admin, id).await
}

/// Connected, with a lesson in Google, an import that overlaps it, and a login in progress.
async fn fill(world: &World) -> String {
    let lesson = world.add_lesson("Piano", world.in_hours(30)).await;
    world.plan_in_google("Dentist", world.in_hours(30), world.in_hours(31)).await;
    world.connect().await;
    world.until("the event", async || world.events_of(&lesson).await.len() == 1).await;
    world.until("the flag", async || world.is_flagged(&lesson).await).await;
    world.settle().await;
    world.begin_login().await;
    lesson
}

#[tokio::test]
async fn of_an_instructor_who_is_erased_no_row_is_left_and_a_colleague_keeps_theirs() {
    let world = World::start().await;
    let admin = administrator(&world).await;
    let colleague = world.colleague().await;
    let lesson = fill(&world).await;
    colleague.connect().await;
    for table in ["calendar_event_mappings", "external_calendar_events", "calendar_sync_logs", "oauth_states"] {
        let rows = rows_with(&world, &world.instructor).await;
        assert!(rows.iter().any(|row| row.starts_with(table)), "{table} has a row to erase");
    }
    let begun = erase(&admin, json!({ "erase": world.instructor, "confirm": world.instructor })).await;
    assert_eq!((&begun["id"], &begun["state"]), (&json!(world.instructor), &json!("erasing")));
    let ended = until_erased(&admin, &begun["id"]).await;
    assert_eq!(ended["instructorsErased"], 1);
    assert_eq!(rows_with(&world, &world.instructor).await, Vec::<String>::new());
    assert_eq!(world.events_of(&lesson).await, Vec::<Value>::new());
    assert!(!world.is_flagged(&lesson).await, "the host's row of the lesson stays, without our columns");
    assert_eq!(colleague.status().await["state"], "active");
    let told = world.notices_in_full().await;
    let told: Vec<_> = told.iter().filter(|notice| notice["type"] == "erasure.ended").collect();
    assert!(!told.is_empty(), "the end is told");
    for notice in &told {
        assert_eq!((&notice["id"], &notice["instructorId"]), (&told[0]["id"], &json!(world.instructor)));
    }

    world.connect().await;
    assert_eq!(world.status().await["state"], "active", "an instructor who was erased may connect again");
}

#[tokio::test]
async fn what_an_instructor_left_when_they_disconnected_is_erased_too_and_events_are_kept_by_choice() {
    let world = World::start().await;
    let admin = administrator(&world).await;
    let lesson = fill(&world).await;
    let body = json!({ "instructorId": world.instructor, "keepImported": true, "keepEvents": true });
    world.call(Method::POST, "disconnect", Some(body)).await;
    world.until("the end", async || world.status().await["state"] == "not_connected").await;
    assert_eq!(world.rows("external_calendar_events").await.len(), 1, "it was kept");
    let begun =
        erase(&admin, json!({ "erase": world.instructor, "confirm": world.instructor, "keepEvents": true })).await;
    until_erased(&admin, &begun["id"]).await;
    assert_eq!(rows_with(&world, &world.instructor).await, Vec::<String>::new());
    assert_eq!(world.events_of(&lesson).await.len(), 1, "Google's copy was to stay");
}

#[tokio::test]
async fn of_a_tenant_that_is_erased_no_row_is_left() {
    let world = World::start().await;
    let admin = administrator(&world).await;
    let colleague = world.colleague().await;
    fill(&world).await;
    colleague.connect().await;
    let body = json!({ "instructorId": colleague.instructor, "keepImported": true });
    colleague.call(Method::POST, "disconnect", Some(body)).await;
    let tenant = tenant(&world).await;
    let begun = erase(&admin, json!({ "erase": "tenant", "confirm": tenant })).await;
    let (code, refused) = admin
        .call(Method::POST, "erase", Some(json!({ "erase": world.instructor, "confirm": world.instructor })))
        .await;
    assert_eq!((code, &refused["error"]["code"]), (409, &json!("erasing")));
    let ended = until_erased(&admin, &begun["id"]).await;
    assert_eq!((&ended["id"], &ended["instructorsErased"]), (&json!("tenant"), &json!(2)));
    assert_eq!(rows_with(&world, &tenant).await, Vec::<String>::new());
    let told = world.notices_in_full().await;
    let told = told.iter().find(|notice| notice["type"] == "erasure.ended").unwrap();
    assert_eq!((&told["tenantId"], &told["instructorId"]), (&json!(tenant), &Value::Null));
}

#[tokio::test]
async fn while_an_erasure_goes_on_nobody_connects_and_who_asks_again_has_it_go_on() {
    let world = World::start().await;
    let admin = administrator(&world).await;
    fill(&world).await;
    let (link, cookie) = world.begin_login().await;
    let back = world.consent(&link, "allow", |_| true).await;
    let refuse = json!({ "refuse": { "status": 503, "reason": "backendError" } });
    world.fault("oauth2.revoke", json!("always"), refuse).await;
    let body = json!({ "erase": world.instructor, "confirm": world.instructor });
    let begun = erase(&admin, body.clone()).await;
    let (code, refused) = world.come_back(&back, &cookie).await;
    assert_eq!((code, &refused["error"]["code"]), (409, &json!("erasing")));
    let path = format!("oauth/url?instructorId={}", world.instructor);
    let (code, refused) = world.call(Method::GET, &path, None).await;
    assert_eq!((code, &refused["error"]["code"]), (409, &json!("erasing")));
    assert_eq!(erase(&admin, body).await["beganAt"], begun["beganAt"], "it is the same");
    let other = json!({ "erase": world.instructor, "confirm": world.instructor, "keepEvents": true });
    assert_eq!(admin.call(Method::POST, "erase", Some(other)).await.0, 409);
    assert_eq!(erasure(&admin, &begun["id"]).await["state"], "erasing");
    world.control("clear-faults", json!({})).await;
    until_erased(&admin, &begun["id"]).await;
    assert_eq!(rows_with(&world, &world.instructor).await, Vec::<String>::new());
}

#[tokio::test]
async fn an_erasure_is_for_administrators_and_confirmed_by_its_id() {
    let world = World::connected().await;
    let admin = administrator(&world).await;
    let own = json!({ "erase": world.instructor, "confirm": world.instructor });
    for answer in [
        world.call(Method::POST, "erase", Some(own)).await,
        world.call(Method::GET, "erase/tenant", None).await,
        admin.call(Method::GET, "erase/tenant", None).await,
        admin.call(Method::GET, "erase/everything", None).await,
    ] {
        assert_eq!(answer.0, 404, "{}", answer.1);
    }
    let tenant = tenant(&world).await;
    for (body, field) in [
        (json!({}), "erase"),
        (json!({ "erase": "everything", "confirm": tenant }), "erase"),
        (json!({ "erase": "tenant" }), "confirm"),
        (json!({ "erase": "tenant", "confirm": "tenant" }), "confirm"),
        (json!({ "erase": world.instructor, "confirm": tenant }), "confirm"),
        (json!({ "erase": "tenant", "confirm": tenant, "keepEvents": "yes" }), "keepEvents"),
    ] {
        let (code, answer) = admin.call(Method::POST, "erase", Some(body.clone())).await;
        assert_eq!((code, &answer["error"]["details"][0]["field"]), (400, &json!(field)), "{body}");
    }
    assert_eq!(world.status().await["state"], "active", "nothing was erased");
}
