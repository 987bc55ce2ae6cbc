//! What happens in Google: what the instructor does there, and what goes wrong.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::World;

impl World {
    /// An operation of the simulated Google's control API.
    pub async fn control(&self, operation: &str, body: Value) -> Value {
        let (code, answer) =
            self.send(self.client.post(format!("{}/control/{operation}", self.google)).json(&body)).await;
        assert_eq!(code, 200, "{operation}: {answer}");
        answer
    }

    /// Everything that stands in the instructor's Google calendar, tombstones as well.
    pub async fn in_google(&self) -> Vec<Value> {
        let (_, body) = self.send(self.client.get(format!("{}/control/calendars/{}", self.google, self.account))).await;
        match body {
            Value::Array(events) => events,
            Value::Object(events) => events.into_iter().map(|(_, event)| event).collect(),
            other => panic!("{other}"),
        }
    }

    /// The live events that a lesson has in Google.
    pub async fn events_of(&self, lesson: &str) -> Vec<Value> {
        let carries = |event: &Value| event["extendedProperties"]["private"]["lessonId"] == lesson;
        self.in_google().await.into_iter().filter(|event| event["status"] != "cancelled" && carries(event)).collect()
    }

    /// Plans something in Google as the instructor does; answers the event's id.
    pub async fn plan_in_google(&self, title: &str, start: DateTime<Utc>, end: DateTime<Utc>) -> String {
        let event = json!({ "summary": title, "start": { "dateTime": start }, "end": { "dateTime": end } });
        self.plan_event(event).await
    }

    /// Makes any event in Google as the instructor does; answers its id.
    pub async fn plan_event(&self, event: Value) -> String {
        let made = self.control("create-event", json!({ "calendar": self.account, "event": event })).await;
        made["id"].as_str().expect("an id").to_owned()
    }

    /// Edits an event in Google as the instructor does.
    pub async fn edit_in_google(&self, id: &str, changes: Value) {
        self.control("edit-event", json!({ "calendar": self.account, "id": id, "changes": changes })).await;
    }

    /// Deletes an event in Google as the instructor does.
    pub async fn delete_in_google(&self, id: &str) {
        self.control("delete-event", json!({ "calendar": self.account, "id": id })).await;
    }

    /// Lets something go wrong at Google: on which calls of `method`, and what happens to them.
    pub async fn fault(&self, method: &str, when: Value, effect: Value) {
        self.control("fault", json!({ "method": method, "when": when, "effect": effect })).await;
    }

    /// Calls of Google so far, by method.
    pub async fn google_calls(&self) -> BTreeMap<String, u64> {
        let (_, body) = self.send(self.client.get(format!("{}/control/calls", self.google))).await;
        let counts = body.as_object().expect("counts").iter();
        counts.filter_map(|(method, count)| Some((method.clone(), count.as_u64()?))).collect()
    }
}
