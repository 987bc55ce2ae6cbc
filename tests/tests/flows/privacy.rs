//! Who sees what instructors plan.

use calendar_tests::world::World;
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use reqwest::Method;
use serde_json::{Value, json};

/// What a caller sees of the instructor's own events and of their status.
async fn seen(by: &World) -> [Value; 2] {
    [json!(by.external_events().await), by.status().await]
}

#[tokio::test]
async fn an_administrator_sees_when_an_instructor_is_busy_and_what_with_only_where_they_share_it() {
    let world = World::connected().await;
    let mut admin = world.signed_in("?role=admin&instructor=5c7a1e00-0000-4000-8000-0000000000a2").await;
    admin.instructor.clone_from(&world.instructor);
    let both = world.signed_in("?role=admin").await;
    let (start, end) = (world.in_hours(30), world.in_hours(31));
    let lesson = world.add_lesson("Violin", start).await;
    let planned = json!({
        "summary": "Dentist", "location": "Main Street 1",
        "start": { "dateTime": start }, "end": { "dateTime": end },
    });
    world.plan_event(planned).await;
    world.until("the flag", async || world.lesson(&lesson).await["hasConflict"] == true).await;

    let [open, status] = seen(&world).await;
    assert_eq!((&open[0]["title"], &open[0]["location"]), (&json!("Dentist"), &json!("Main Street 1")));
    assert_eq!(status["settings"]["shareTitles"], false, "by default");
    let [withheld, status] = seen(&admin).await;
    for field in ["googleEventId", "eventStart", "eventEnd", "blocks", "hasConflict", "conflicts"] {
        assert_eq!(withheld[0][field], open[0][field], "{field}");
    }
    let fields = ["title", "location", "private"].map(|field| withheld[0][field].clone());
    assert_eq!(fields, [Value::Null, Value::Null, json!(true)]);
    assert_eq!(status["conflicts"].as_array().unwrap().len(), 1);
    for word in ["Dentist", "Main Street"] {
        assert!(!format!("{withheld}{status}").contains(word), "{withheld} {status}");
    }
    assert_eq!(seen(&both).await[0], open, "an administrator who is this instructor sees their own");

    let change = json!({ "instructorId": world.instructor, "shareTitles": true });
    let (code, answer) = admin.call(Method::PATCH, "settings", Some(change)).await;
    assert_eq!((code, &answer["error"]["code"]), (403, &json!("instructor_only")), "the instructor alone decides");
    assert_eq!(seen(&admin).await[0], withheld);
    world.set(json!({ "shareTitles": true })).await;
    assert_eq!(seen(&admin).await[0], open);
    world.set(json!({ "shareTitles": false })).await;
    assert_eq!(seen(&admin).await[0], withheld);
}

#[tokio::test]
async fn an_event_that_is_private_for_a_while_has_its_title_before_and_after() {
    let world = World::connected().await;
    let id = world.plan_in_google("Dentist", world.in_hours(30), world.in_hours(31)).await;
    for (visibility, title) in [
        ("default", json!("Dentist")),
        ("private", Value::Null),
        ("public", json!("Dentist")),
        ("confidential", Value::Null),
        ("default", json!("Dentist")),
    ] {
        world.edit_in_google(&id, json!({ "visibility": visibility })).await;
        let shows = async || {
            let events = world.external_events().await;
            events.len() == 1 && events[0]["title"] == title && events[0]["private"] == title.is_null()
        };
        world.until(visibility, shows).await;
        let rows = json!(world.rows("external_calendar_events").await).to_string();
        assert_eq!(rows.contains("Dentist"), !title.is_null(), "{rows}");
    }
}

#[tokio::test]
async fn what_was_over_a_month_ago_is_not_stored_and_a_range_is_answered_from_when_all_is_known() {
    let world = World::start().await;
    let (hour, long_ago, lately) = (TimeDelta::hours(1), world.in_hours(-24 * 40), world.in_hours(-24 * 20));
    world.plan_in_google("Long ago", long_ago, long_ago + hour).await;
    let id = world.plan_in_google("Lately", lately, lately + hour).await;
    world.connect().await;
    let rows = world.rows("external_calendar_events").await;
    let stored: Vec<_> = rows.iter().map(|row| (&row["google_event_id"], &row["ttl"])).collect();
    assert_eq!(stored, [(&json!(id), &json!((lately + hour + TimeDelta::days(31)).timestamp()))]);

    let answered = async |to: DateTime<Utc>| {
        let [from, to] = [long_ago, to].map(|at| at.to_rfc3339_opts(SecondsFormat::Millis, true));
        let path = format!("external-events/{}?from={from}&to={to}", world.instructor);
        let (code, body) = world.call(Method::GET, &path, None).await;
        assert_eq!((code, &body["data"]["to"]), (200, &json!(to)), "{body}");
        body["data"].clone()
    };
    let month = answered(world.in_hours(0)).await;
    assert_eq!(month["from"], month["availableFrom"]);
    let from: DateTime<Utc> = month["from"].as_str().unwrap().parse().unwrap();
    assert!(from > long_ago + hour && from < lately, "{from}");
    assert_eq!(month["events"][0]["title"], "Lately");
    assert_eq!(answered(long_ago + hour).await["events"], json!([]), "of what is not known, nothing");
    let holidays = world.plan_in_google("Holidays", long_ago - hour, lately).await;
    world.sync().await;
    assert!(world.rows("external_calendar_events").await.iter().any(|row| row["google_event_id"] == json!(holidays)));
    assert_eq!(answered(long_ago + hour).await["events"], json!([]), "also of what goes on into what is known");
}
