//! A conflict that a person says is fine, until that is taken back or the overlap has other times.

use calendar_tests::world::World;
use chrono::{DateTime, TimeDelta, Utc};
use reqwest::Method;
use serde_json::{Value, json};

/// A lesson that the dentist overlaps.
struct Overlap {
    world: World,
    lesson: String,
    dentist: String,
    start: DateTime<Utc>,
}

/// One instructor, whose syncs all run by hand or for what is asked for here.
async fn overlap() -> Overlap {
    let world = World::start().await;
    let start = world.in_hours(30);
    let lesson = world.add_lesson("Piano", start).await;
    world.connect().await;
    let half = start + TimeDelta::minutes(30);
    let dentist = world.plan_in_google("Dentist", half, half + TimeDelta::hours(1)).await;
    world.until("the flag", async || world.is_flagged(&lesson).await).await;
    world.settle().await;
    Overlap { world, lesson, dentist, start }
}

impl Overlap {
    /// The ids of the conflicts that are live, and of those that are ignored.
    async fn listed(&self) -> (Vec<String>, Vec<String>) {
        let status = self.world.status().await;
        let ids = |list: &str, count: &str| {
            let ids: Vec<String> =
                status[list].as_array().unwrap().iter().map(|pair| pair["id"].as_str().unwrap().to_owned()).collect();
            assert_eq!(status["counts"][count], json!(ids.len()), "{status}");
            ids
        };
        (ids("conflicts", "conflicts"), ids("ignoredConflicts", "conflictsIgnored"))
    }

    fn path(&self, id: &str) -> String {
        format!("conflicts/{}/{id}", self.world.instructor)
    }

    async fn put(&self, id: &str, state: &str) -> Value {
        let (code, body) = self.world.call(Method::PATCH, &self.path(id), Some(json!({ "state": state }))).await;
        assert_eq!(code, 200, "{body}");
        body["data"].clone()
    }

    /// What was told of conflicts, the first first.
    async fn told(&self) -> Vec<String> {
        let notices = self.world.notices_in_full().await.into_iter().rev();
        let of_conflicts = notices.filter(|notice| notice["type"] == "conflicts.changed");
        let changes = of_conflicts.flat_map(|notice| notice["conflicts"].as_array().unwrap().clone());
        changes.map(|change| change["change"].as_str().unwrap().to_owned()).collect()
    }

    async fn told_so_far(&self, wanted: &[&str]) {
        self.world.until("the notice", async || self.told().await.len() >= wanted.len()).await;
        self.world.settle().await;
        assert_eq!(self.told().await, wanted);
    }
}

#[tokio::test]
async fn a_conflict_that_is_fine_raises_no_flag_until_that_is_taken_back() {
    let on = overlap().await;
    let world = &on.world;
    let (live, _) = on.listed().await;
    let ignored = on.put(&live[0], "ignored").await;
    assert_eq!((&ignored["state"], &ignored["ignored"]["role"]), (&json!("ignored"), &json!("instructor")));
    assert_eq!(ignored["ignored"]["by"], json!(world.instructor));
    assert!(!world.is_flagged(&on.lesson).await, "at once");
    assert_eq!(on.listed().await, (vec![], live.clone()));
    assert_eq!(world.status().await["ignoredConflicts"][0]["title"], "Dentist");
    let event = world.external_events().await[0].clone();
    assert_eq!((&event["hasConflict"], &event["conflicts"][0]["state"]), (&json!(false), &json!("ignored")));
    let only = format!("external-events/{}?conflictsOnly=true", world.instructor);
    assert_eq!(world.call(Method::GET, &only, None).await.1["data"]["events"], json!([]));
    on.told_so_far(&["found", "ignored"]).await;

    assert_eq!(on.put(&live[0], "ignored").await, ignored, "by who said so first");
    world.sync().await;
    world.control("expire-cursors", json!({ "calendar": world.account })).await;
    world.sync().await;
    assert_eq!(on.listed().await, (vec![], live.clone()));
    assert!(!world.is_flagged(&on.lesson).await);
    on.told_so_far(&["found", "ignored"]).await;

    let again = on.put(&live[0], "live").await;
    assert_eq!((&again["state"], &again["ignored"]), (&json!("live"), &Value::Null));
    assert!(world.is_flagged(&on.lesson).await, "at once");
    assert_eq!(on.listed().await, (live.clone(), vec![]));
    on.told_so_far(&["found", "ignored", "unignored"]).await;
    world.sync().await;
    assert!(world.is_flagged(&on.lesson).await);
    on.told_so_far(&["found", "ignored", "unignored"]).await;
}

#[tokio::test]
async fn an_overlap_at_other_times_is_a_new_find() {
    let on = overlap().await;
    let world = &on.world;
    let (live, _) = on.listed().await;
    on.put(&live[0], "ignored").await;
    on.told_so_far(&["found", "ignored"]).await;
    let end = on.start + TimeDelta::hours(2);
    world.edit_in_google(&on.dentist, json!({ "summary": "Doctor", "end": { "dateTime": end } })).await;
    world.sync().await;
    assert_eq!(on.listed().await, (vec![], live.clone()), "they overlap at the same times");
    let start = on.start + TimeDelta::minutes(45);
    world.edit_in_google(&on.dentist, json!({ "start": { "dateTime": start } })).await;
    world.until("the flag", async || world.is_flagged(&on.lesson).await).await;
    assert_eq!(on.listed().await, (live.clone(), vec![]), "under the same id");
    on.told_so_far(&["found", "ignored", "found"]).await;

    on.put(&live[0], "ignored").await;
    world.move_lesson(&on.lesson, on.start + TimeDelta::minutes(30)).await;
    world.until("the flag", async || world.is_flagged(&on.lesson).await).await;
    on.told_so_far(&["found", "ignored", "found", "ignored", "found"]).await;

    on.put(&live[0], "ignored").await;
    on.told_so_far(&["found", "ignored", "found", "ignored", "found", "ignored"]).await;
    world.delete_in_google(&on.dentist).await;
    world.until("the end", async || on.listed().await == (vec![], vec![])).await;
    on.told_so_far(&["found", "ignored", "found", "ignored", "found", "ignored"]).await;
}

#[tokio::test]
async fn a_decision_during_a_run_stands() {
    let on = overlap().await;
    let world = &on.world;
    let (live, _) = on.listed().await;
    let slow = json!({ "method": "calendar.events.list", "effect": { "slow": 1500 } });
    for (state, flagged) in [("ignored", false), ("live", true), ("ignored", false)] {
        world.control("fault", slow.clone()).await;
        let decided = async {
            tokio::time::sleep(std::time::Duration::from_millis(500)).await;
            on.put(&live[0], state).await
        };
        tokio::join!(world.sync(), decided);
        world.control("clear-faults", json!({})).await;
        world.settle().await;
        assert_eq!(world.is_flagged(&on.lesson).await, flagged, "{state}");
        let (of_state, other) = on.listed().await;
        let (of_state, other) = if flagged { (of_state, other) } else { (other, of_state) };
        assert_eq!((of_state, other), (live.clone(), vec![]), "{state}");
    }
    on.told_so_far(&["found", "ignored", "unignored", "ignored"]).await;
}

#[tokio::test]
async fn where_nothing_runs_a_decision_counts_all_the_same() {
    let on = overlap().await;
    let world = &on.world;
    let (live, _) = on.listed().await;
    for off in [json!({ "autoSync": false }), json!({ "autoSync": true, "syncEnabled": false })] {
        world.set(off).await;
        for (state, flagged) in [("ignored", false), ("live", true)] {
            on.put(&live[0], state).await;
            assert_eq!(world.is_flagged(&on.lesson).await, flagged, "{state}");
        }
    }
    let all = ["found", "ignored", "unignored", "ignored", "unignored"];
    world.until("the notices", async || on.told().await == all).await;
}

#[tokio::test]
async fn an_administrator_decides_for_an_instructor_of_theirs_and_another_instructor_for_nobody() {
    let on = overlap().await;
    let world = &on.world;
    let (live, _) = on.listed().await;
    let tenant = world.session("").await["tenantId"].clone();
    let admin = json!({ "sub": "office-7", "tenant_id": tenant, "role": "admin" });
    let call = async |token: &str, path: String| {
        let request = world.request(Method::PATCH, &format!("/api/v1/calendar/{path}")).bearer_auth(token);
        world.send(request.json(&json!({ "state": "ignored" }))).await
    };
    let colleague = world.colleague().await;
    let (code, answer) = call(&colleague.token, on.path(&live[0])).await;
    assert_eq!((code, &answer["error"]["code"]), (404, &json!("not_found")));
    let theirs = format!("conflicts/{}/{}", colleague.instructor, live[0]);
    let (code, answer) = call(&colleague.token, theirs).await;
    assert_eq!((code, &answer["error"]["code"]), (404, &json!("unknown_conflict")), "it is another's");
    assert!(world.is_flagged(&on.lesson).await);
    let (code, answer) = call(&world.token_with(&admin, Utc::now()), on.path(&live[0])).await;
    assert_eq!(code, 200, "{answer}");
    let said = &world.status().await["ignoredConflicts"][0]["ignored"];
    assert_eq!((&said["by"], &said["role"]), (&json!("office-7"), &json!("admin")));
}

#[tokio::test]
async fn what_cannot_be_decided_is_refused_with_a_code() {
    let on = overlap().await;
    let world = &on.world;
    let (live, _) = on.listed().await;
    let send = async |path: String, body: String| {
        let request = world.request(Method::PATCH, &format!("/api/v1/calendar/{path}")).bearer_auth(&world.token);
        let (code, answer) = world.send(request.body(body)).await;
        (code, answer["error"]["code"].clone(), answer["error"]["details"][0]["field"].clone())
    };
    let (fine, none) = (json!({ "state": "ignored" }).to_string(), Value::Null);
    for unknown in [&"0".repeat(48), "x", "%00", &live[0].to_uppercase(), &format!("{}0", live[0]), &"9".repeat(3000)] {
        let answer = send(on.path(unknown), fine.clone()).await;
        assert_eq!(answer, (404, json!("unknown_conflict"), none.clone()), "{unknown}");
    }
    let invalid = |field: &str| (400, json!("invalid_request"), json!(field));
    for body in [
        json!({}),
        json!({ "state": null }),
        json!({ "state": "perhaps" }),
        json!({ "state": "Ignored" }),
        json!({ "state": 1 }),
        json!({ "state": "x".repeat(3000) }),
    ] {
        assert_eq!(send(on.path(&live[0]), body.to_string()).await, invalid("state"), "{body}");
    }
    assert_eq!(send(format!("conflicts/x/{}", live[0]), fine).await, invalid("instructorId"));
    for body in ["", "{", "[]", "null"] {
        let answer = send(on.path(&live[0]), body.to_owned()).await;
        assert_eq!(answer, (400, json!("malformed_json"), none.clone()), "{body}");
    }
    let large = format!("{{\"state\": \"ignored\", \"padding\": \"{}\"}}", "x".repeat(16 * 1024));
    assert_eq!(send(on.path(&live[0]), large).await, (413, json!("body_too_large"), none));
    assert_eq!(on.listed().await, (live, vec![]));
    assert!(world.is_flagged(&on.lesson).await);
}

#[tokio::test]
async fn twenty_conflicts_of_a_lesson_are_ignored_and_no_more() {
    let world = World::start().await;
    let start = world.in_hours(30);
    let lesson = world.add_lesson("Piano", start).await;
    world.connect().await;
    world.sync_by_hand_alone().await;
    let minute = |n: i64| start + TimeDelta::minutes(2 * n);
    for n in 0..23 {
        world.plan_in_google(&format!("Call {n}"), minute(n), minute(n) + TimeDelta::minutes(1)).await;
    }
    world.sync().await;
    let on = Overlap { world, lesson, dentist: String::new(), start };
    let world = &on.world;
    let (live, _) = on.listed_of_twenty().await;
    for id in &live {
        on.put(id, "ignored").await;
        assert!(world.is_flagged(&on.lesson).await, "others are live");
    }
    world.sync().await;
    let (rest, ignored) = on.listed_of_twenty().await;
    assert_eq!((rest.len(), &ignored), (3, &live), "what was left out is live");
    let (code, answer) = world.call(Method::PATCH, &on.path(&rest[0]), Some(json!({ "state": "ignored" }))).await;
    assert_eq!((code, &answer["error"]["code"]), (409, &json!("too_many_ignored")));
    on.put(&live[0], "live").await;
    on.put(&rest[0], "ignored").await;
    assert_eq!(on.listed_of_twenty().await.1.len(), 20);
}

impl Overlap {
    /// As [`Self::listed`], of a lesson that more events overlap than are listed.
    async fn listed_of_twenty(&self) -> (Vec<String>, Vec<String>) {
        let status = self.world.status().await;
        let ids = |list: &str| -> Vec<String> {
            status[list].as_array().unwrap().iter().map(|pair| pair["id"].as_str().unwrap().to_owned()).collect()
        };
        (ids("conflicts"), ids("ignoredConflicts"))
    }
}
