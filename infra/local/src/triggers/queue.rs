//! Lambda's poller of an SQS queue, reading partial batch answers.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html>

use std::{collections::HashSet, time::Duration};

use aws_sdk_sqs::{
    Client,
    error::DisplayErrorContext,
    types::{DeleteMessageBatchRequestEntry, Message, MessageSystemAttributeName},
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::{
    aws::{Queues, REGION},
    functions::Functions,
};

/// How long to wait after the queue could not be read.
const PAUSE: Duration = Duration::from_secs(1);

/// A function that handles a queue's messages.
#[derive(Debug, Clone, Copy)]
pub struct QueueTrigger {
    pub queue: &'static str,
    pub function: &'static str,
    /// Messages in one invocation; 10 at most.
    pub batch_size: i32,
    pub concurrency: u32,
}

/// What a function with `ReportBatchItemFailures` answers.
#[derive(Deserialize, Default)]
struct BatchAnswer {
    #[serde(default, rename = "batchItemFailures")]
    failures: Vec<BatchItemFailure>,
}

#[derive(Deserialize)]
struct BatchItemFailure {
    #[serde(rename = "itemIdentifier")]
    id: String,
}

impl QueueTrigger {
    /// Handles messages as they come, for as long as the process lives.
    pub async fn run(self, client: Client, functions: Functions) {
        let pollers = (0..self.concurrency).map(|_| self.poll(&client, &functions));
        futures::future::join_all(pollers).await;
    }

    async fn poll(self, client: &Client, functions: &Functions) {
        loop {
            match self.receive(client).await {
                Ok(messages) if messages.is_empty() => {}
                Ok(messages) => self.handle(messages, client, functions).await,
                Err(error) => {
                    tracing::error!(queue = self.queue, error = %DisplayErrorContext(error), "the queue is read again");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }

    async fn receive(self, client: &Client) -> Result<Vec<Message>, aws_sdk_sqs::Error> {
        let received = client
            .receive_message()
            .queue_url(Queues::url(self.queue))
            .max_number_of_messages(self.batch_size)
            .wait_time_seconds(20)
            .message_system_attribute_names(MessageSystemAttributeName::All)
            .message_attribute_names("All")
            .send()
            .await?;
        Ok(received.messages.unwrap_or_default())
    }

    /// Deletes what succeeded; what failed comes again when its visibility timeout is over.
    async fn handle(self, messages: Vec<Message>, client: &Client, functions: &Functions) {
        let answer = match functions.invoke(self.function, self.event(&messages)).await {
            Ok(answer) => answer,
            Err(error) => {
                tracing::error!(function = self.function, %error, "the whole batch comes again");
                return;
            }
        };
        let entries: Result<Vec<_>, _> = succeeded(&messages, &answer)
            .into_iter()
            .enumerate()
            .map(|(index, message)| {
                DeleteMessageBatchRequestEntry::builder()
                    .id(index.to_string())
                    .set_receipt_handle(message.receipt_handle.clone())
                    .build()
            })
            .collect();
        let Ok(entries) = entries else { return };
        if entries.is_empty() {
            return;
        }
        let deletion = client.delete_message_batch().queue_url(Queues::url(self.queue)).set_entries(Some(entries));
        if let Err(error) = deletion.send().await {
            tracing::error!(queue = self.queue, error = %DisplayErrorContext(error), "handled messages come again");
        }
    }

    fn event(self, messages: &[Message]) -> Value {
        let records: Vec<Value> = messages.iter().map(|message| self.record(message)).collect();
        json!({ "Records": records })
    }

    fn record(self, message: &Message) -> Value {
        let attributes: Map<String, Value> =
            message.attributes.iter().flatten().map(|(name, value)| (name.as_str().to_owned(), json!(value))).collect();
        json!({
            "messageId": message.message_id,
            "receiptHandle": message.receipt_handle,
            "body": message.body,
            "md5OfBody": message.md5_of_body,
            "attributes": attributes,
            "messageAttributes": {},
            "eventSource": "aws:sqs",
            "eventSourceARN": Queues::arn(self.queue),
            "awsRegion": REGION,
        })
    }
}

/// The messages that the answer does not call failed.
///
/// An answer that cannot be read, or names a message that was not in the batch, fails all of them.
fn succeeded<'a>(messages: &'a [Message], answer: &Value) -> Vec<&'a Message> {
    let answer = match answer {
        Value::Null => Ok(BatchAnswer::default()),
        answer => BatchAnswer::deserialize(answer),
    };
    let Ok(BatchAnswer { failures }) = answer else {
        return Vec::new();
    };
    let failed: HashSet<&str> = failures.iter().map(|failure| failure.id.as_str()).collect();
    let known: HashSet<&str> = messages.iter().filter_map(Message::message_id).collect();
    if !failed.is_subset(&known) {
        return Vec::new();
    }
    messages.iter().filter(|message| !message.message_id().is_some_and(|id| failed.contains(id))).collect()
}

#[cfg(test)]
mod tests {
    use aws_lambda_events::sqs::SqsEvent;

    use super::*;

    const TRIGGER: QueueTrigger = QueueTrigger { queue: "work", function: "worker", batch_size: 10, concurrency: 1 };

    fn messages() -> Vec<Message> {
        ["a", "b"].map(|id| Message::builder().message_id(id).receipt_handle(id).body("{}").build()).to_vec()
    }

    /// What is deleted when the function answers so.
    #[allow(clippy::needless_pass_by_value)]
    fn deleted(answer: Value) -> Vec<String> {
        succeeded(&messages(), &answer).into_iter().filter_map(|message| message.message_id.clone()).collect()
    }

    #[test]
    fn the_event_is_one_that_lambda_sends() {
        let event: SqsEvent = serde_json::from_value(TRIGGER.event(&messages())).unwrap();
        assert_eq!(event.records.len(), 2);
        assert_eq!(event.records[0].message_id.as_deref(), Some("a"));
    }

    #[test]
    fn only_what_did_not_fail_is_deleted() {
        assert_eq!(deleted(json!({ "batchItemFailures": [] })), ["a", "b"]);
        assert_eq!(deleted(json!(null)), ["a", "b"]);
        assert_eq!(deleted(json!({ "batchItemFailures": [{ "itemIdentifier": "a" }] })), ["b"]);
    }

    #[test]
    fn an_answer_that_makes_no_sense_fails_the_whole_batch() {
        assert!(deleted(json!({ "batchItemFailures": [{ "itemIdentifier": "" }] })).is_empty());
        assert!(deleted(json!({ "batchItemFailures": [{ "itemIdentifier": "c" }] })).is_empty());
        assert!(deleted(json!({ "batchItemFailures": 1 })).is_empty());
    }
}
