//! What the host application does, and what it sees: lessons, notices, and the lesson feed.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use local_stack::{
    aws::Queues,
    deployment::{LESSON_FEED, LESSON_FEED_DEAD_LETTERS},
};
use reqwest::Method;
use serde_json::{Value, json};

use super::World;

impl World {
    fn lessons_path(&self) -> String {
        format!("/dev/lessons?instructor={}", self.instructor)
    }

    /// Adds a lesson of an hour; answers its id.
    pub async fn add_lesson(&self, title: &str, starts_at: DateTime<Utc>) -> String {
        let body = json!({
            "title": title, "startsAt": starts_at, "endsAt": starts_at + TimeDelta::hours(1),
            "timeZone": "Europe/Berlin", "status": "scheduled",
        });
        let (code, lesson) =
            self.send(self.request(Method::POST, &self.lessons_path()).bearer_auth(&self.token).json(&body)).await;
        assert_eq!(code, 201, "{lesson}");
        lesson["id"].as_str().expect("an id").to_owned()
    }

    pub async fn change_lesson(&self, id: &str, change: Value) {
        let request = self.request(Method::PATCH, &format!("/dev/lessons/{id}")).bearer_auth(&self.token).json(&change);
        let (code, body) = self.send(request).await;
        assert_eq!(code, 200, "{body}");
    }

    pub async fn move_lesson(&self, id: &str, starts_at: DateTime<Utc>) {
        self.change_lesson(id, json!({ "startsAt": starts_at, "endsAt": starts_at + TimeDelta::hours(1) })).await;
    }

    pub async fn remove_lesson(&self, id: &str) {
        let (code, body) =
            self.send(self.request(Method::DELETE, &format!("/dev/lessons/{id}")).bearer_auth(&self.token)).await;
        assert!(code < 300, "{code} {body}");
    }

    pub async fn lessons(&self) -> BTreeMap<String, Value> {
        let (code, body) = self.send(self.request(Method::GET, &self.lessons_path()).bearer_auth(&self.token)).await;
        assert_eq!(code, 200, "{body}");
        let rows = body.as_array().expect("a list").clone();
        rows.into_iter().map(|row| (row["id"].as_str().expect("an id").to_owned(), row)).collect()
    }

    pub async fn lesson(&self, id: &str) -> Value {
        self.lessons().await.remove(id).unwrap_or(Value::Null)
    }

    /// What reached the event bus, newest first: the notices' types.
    pub async fn notices(&self) -> Vec<String> {
        let type_of = |notice: &Value| notice["type"].as_str().expect("a type").to_owned();
        self.notices_in_full().await.iter().map(type_of).collect()
    }

    /// The same, whole.
    pub async fn notices_in_full(&self) -> Vec<Value> {
        let (_, body) = self.send(self.request(Method::GET, "/dev/notices").bearer_auth(&self.token)).await;
        let rows = body.as_array().expect("a list").iter();
        rows.map(|row| row["detail"].clone()).collect()
    }

    /// Sends a message to the lesson feed.
    pub async fn feed(&self, body: &str) {
        let sent = self.queues().send_message().queue_url(Queues::url(LESSON_FEED)).message_body(body).send();
        sent.await.expect("an answer");
    }

    /// Whether the lesson feed has no message left.
    pub async fn feed_is_empty(&self) -> bool {
        let asked = self.queues().get_queue_attributes().queue_url(Queues::url(LESSON_FEED)).send();
        let answer = asked.await.expect("an answer");
        let counts = answer.attributes().expect("attributes").iter();
        counts.filter(|(name, _)| name.as_str().starts_with("Approximate")).all(|(_, count)| count == "0")
    }

    /// Takes what the lesson feed has refused since it was asked last: each message and why.
    pub async fn refused_by_the_feed(&self) -> Vec<(String, String)> {
        let received = self
            .queues()
            .receive_message()
            .queue_url(Queues::url(LESSON_FEED_DEAD_LETTERS))
            .max_number_of_messages(10)
            .message_attribute_names("All")
            .send();
        let refused = received.await.expect("an answer").messages.unwrap_or_default().into_iter();
        let reason = |message: &aws_sdk_sqs::types::Message| {
            let reason = message.message_attributes.as_ref()?.get("reason")?;
            reason.string_value.clone()
        };
        refused
            .map(|message| (message.body.clone().unwrap_or_default(), reason(&message).unwrap_or_default()))
            .collect()
    }

    fn queues(&self) -> aws_sdk_sqs::Client {
        aws_sdk_sqs::Client::new(&self.stack.sdk)
    }

    /// Whether a lesson carries the flag of a conflict.
    pub async fn is_flagged(&self, lesson: &str) -> bool {
        self.lesson(lesson).await["hasConflict"] == true
    }
}
