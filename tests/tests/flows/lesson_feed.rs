//! Lessons of a host that keeps them elsewhere: told by the feed, and what became of them told back.

use calendar_tests::world::{World, start_of};
use chrono::{DateTime, TimeDelta, Utc};
use reqwest::Method;
use serde_json::{Value, json};

const LESSON: &str = "1e550000-0000-4000-8000-000000000001";

/// A host whose lessons are not in DynamoDB.
struct Host {
    world: World,
    tenant: Value,
}

impl Host {
    async fn connected() -> Self {
        let world = World::connected().await;
        let tenant = world.session("").await["tenantId"].clone();
        Self { world, tenant }
    }

    fn changed(&self, version: u64, title: &str, starts_at: DateTime<Utc>) -> Value {
        json!({
            "type": "lesson.changed", "tenantId": self.tenant, "lessonId": LESSON, "version": version,
            "lesson": {
                "instructorId": self.world.instructor, "title": title, "timeZone": "Europe/Berlin",
                "startsAt": starts_at, "endsAt": starts_at + TimeDelta::hours(1), "status": "scheduled",
            },
        })
    }

    fn removed(&self, version: u64) -> Value {
        json!({ "type": "lesson.removed", "tenantId": self.tenant, "lessonId": LESSON, "version": version })
    }

    async fn tell(&self, message: &Value) {
        self.world.feed(&message.to_string()).await;
        self.world.until("an empty feed", async || self.world.feed_is_empty().await).await;
    }

    /// What the host was told last of our columns, and how often.
    async fn told(&self) -> (Option<Value>, usize) {
        let notices = self.world.notices_in_full().await.into_iter();
        let told: Vec<_> = notices.filter(|notice| notice["type"] == "lesson.sync_changed").collect();
        let count = told.len();
        (told.into_iter().max_by_key(|notice| notice["revision"].as_u64()), count)
    }

    async fn in_google(&self) -> Vec<Value> {
        self.world.events_of(LESSON).await
    }
}

#[tokio::test]
async fn a_fed_lesson_stands_in_google_and_its_host_is_told_what_became_of_it() {
    let host = Host::connected().await;
    let world = &host.world;
    let start = world.in_hours(30);
    host.tell(&host.changed(1, "Piano", start)).await;
    let is_told = async |expected: &Value| {
        let told = host.told().await.0.unwrap_or_default();
        expected.as_object().unwrap().iter().all(|(name, value)| told[name] == *value)
    };
    world.until("the event", async || host.in_google().await.len() == 1).await;
    let event = host.in_google().await.remove(0);
    assert_eq!((&event["summary"], start_of(&event)), (&json!("Piano"), start));
    let synced = json!({
        "tenantId": host.tenant, "instructorId": world.instructor, "lessonId": LESSON,
        "googleEventId": event["id"], "syncStatus": "synced", "hasConflict": false,
    });
    world.until("the event's id, told", async || is_told(&synced).await).await;

    let dentist = world.plan_in_google("Dentist", start, start + TimeDelta::hours(1)).await;
    world.until("the conflict, told", async || is_told(&json!({ "hasConflict": true })).await).await;
    world.until("the notice", async || world.notices().await.contains(&"conflicts.changed".to_owned())).await;
    world.delete_in_google(&dentist).await;
    world.until("its end, told", async || is_told(&json!({ "hasConflict": false })).await).await;

    let (_, before) = host.told().await;
    host.tell(&host.changed(2, "Violin", start)).await;
    world.until("the new title", async || host.in_google().await[0]["summary"] == "Violin").await;
    world.settle().await;
    assert_eq!(world.lesson(LESSON).await["googleCalendarEventId"], event["id"], "our columns stay");
    let (last, after) = host.told().await;
    assert_eq!(last.unwrap()["syncStatus"], "synced");
    assert!(after <= before + 2, "at most that it was pending, and that it is not: {after} after {before}");

    let mut cancelled = host.changed(3, "Violin", start);
    cancelled["lesson"]["status"] = json!("cancelled");
    host.tell(&cancelled).await;
    world.until("the removal", async || host.in_google().await.is_empty()).await;
    let gone = json!({ "googleEventId": null, "syncStatus": null });
    world.until("the removal, told", async || is_told(&gone).await).await;
}

#[tokio::test]
async fn messages_that_come_late_change_nothing_and_bring_nothing_back() {
    let host = Host::connected().await;
    let world = &host.world;
    let [first, second, third] = [30, 40, 50].map(|hour| world.in_hours(hour));
    host.tell(&host.changed(3, "Third", third)).await;
    host.tell(&host.changed(2, "Second", second)).await;
    world.until("the event", async || host.in_google().await.len() == 1).await;
    world.settle().await;
    let event = host.in_google().await.remove(0);
    assert_eq!((&event["summary"], start_of(&event)), (&json!("Third"), third));

    host.tell(&json!([host.removed(5), host.changed(4, "Fourth", first)])).await;
    world.until("the end", async || host.in_google().await.is_empty()).await;
    host.tell(&host.changed(4, "Fourth", first)).await;
    host.tell(&host.removed(5)).await;
    world.settle().await;
    assert_eq!(host.in_google().await, Vec::<Value>::new());

    let change = world.request(Method::PATCH, &format!("/dev/lessons/{LESSON}")).json(&json!({ "title": "Back" }));
    assert_eq!(world.send(change).await.0, 404, "what it left is no lesson");

    host.tell(&host.changed(6, "Sixth", first)).await;
    world.until("its return", async || host.in_google().await.len() == 1).await;
    assert_eq!(host.in_google().await[0]["summary"], "Sixth");
    assert_eq!(world.refused_by_the_feed().await, [], "late is not wrong");
}

#[tokio::test]
async fn a_message_that_is_wrong_is_kept_as_it_came_and_takes_no_other_along() {
    let host = Host::connected().await;
    let world = &host.world;
    let good = host.changed(1, "Piano", world.in_hours(30));
    let mut wrong = host.changed(2, "Piano", world.in_hours(30));
    wrong["lesson"]["endsAt"] = json!("soon");
    world.feed("<xml/>").await;
    let list = json!([wrong, good]);
    host.tell(&list).await;
    world.until("the event", async || host.in_google().await.len() == 1).await;
    let mut refused = Vec::new();
    while refused.len() < 2 {
        refused.extend(world.refused_by_the_feed().await);
    }
    refused.sort();
    let expected = [
        ("<xml/>".to_owned(), "The body is not JSON: expected value at line 1 column 1.".to_owned()),
        (list.to_string(), "1: `lesson.endsAt` is not a moment with an offset (RFC 3339)".to_owned()),
    ];
    assert_eq!(refused, expected);
}

/// SQS refuses some characters that JSON can spell.
#[tokio::test]
async fn what_is_refused_of_one_message_is_kept_once_whatever_it_holds() {
    let host = Host::connected().await;
    let world = &host.world;
    let good = host.changed(1, "Piano", world.in_hours(30));
    let list = format!(r#"[{{}}, {{"type": "\uffff"}}, {good}, {{"type": "lesson.removed"}}]"#);
    world.feed(&list).await;
    world.until("an empty feed", async || world.feed_is_empty().await).await;
    world.until("the event", async || host.in_google().await.len() == 1).await;
    let reasons =
        ["1: `type` is missing", "2: `type` is neither lesson.changed nor lesson.removed", "4: `tenantId` is missing"];
    assert_eq!(world.refused_by_the_feed().await, [(list, reasons.join("\n"))]);
    assert_eq!(world.refused_by_the_feed().await, [], "once");
}
