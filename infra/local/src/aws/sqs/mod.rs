//! SQS standard queues that survive the process, dead letters included.
//!
//! JSON protocol 1.0: <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/>

mod messages;

use std::{
    path::Path,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde::Deserialize;
use serde_json::{Value, json};
use tokio::{
    sync::Notify,
    time::{Instant, timeout},
};

use self::messages::{Messages, Received};
use super::{ACCOUNT, Fault, REGION, wire};
use crate::system;

/// The most bytes of a message, attributes included.
const LARGEST: usize = 1024 * 1024;

/// How soon a waiting receiver sees a message whose delay or visibility timeout ran out.
const RECHECK: Duration = Duration::from_millis(200);

/// A queue as the template declares it.
#[derive(Debug, Clone, Copy)]
pub struct Queue {
    /// Its name, the last part of its URL.
    pub name: &'static str,
    /// How long a received message stays hidden, in seconds, unless the receiver says otherwise.
    pub visibility_timeout: u32,
    /// Where messages go that are received too often.
    pub dead_letters: Option<DeadLetters>,
}

/// A queue's redrive policy.
#[derive(Debug, Clone, Copy)]
pub struct DeadLetters {
    /// The name of the queue that takes them.
    pub queue: &'static str,
    /// After how many receives.
    pub after_receives: u32,
}

#[derive(Debug)]
pub struct Queues {
    known: Vec<Queue>,
    messages: Mutex<Messages>,
    sent: Notify,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OnQueue {
    queue_url: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Send {
    id: Option<String>,
    message_body: String,
    #[serde(default)]
    delay_seconds: u32,
    #[serde(default)]
    message_attributes: serde_json::Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Receive {
    max_number_of_messages: Option<u32>,
    visibility_timeout: Option<u32>,
    #[serde(default)]
    wait_time_seconds: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OnReceipt {
    id: Option<String>,
    receipt_handle: String,
    visibility_timeout: Option<u32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Batch<T> {
    entries: Vec<T>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GetQueueUrl {
    queue_name: String,
}

impl Send {
    /// What SQS takes: <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html>
    fn check(&self) -> Result<(), Fault> {
        let size = |(name, attribute): (&String, &Value)| {
            let texts = ["DataType", "StringValue", "BinaryValue"].map(|field| attribute[field].as_str().unwrap_or(""));
            name.len() + texts.map(str::len).iter().sum::<usize>()
        };
        let size = self.message_body.len() + self.message_attributes.iter().map(size).sum::<usize>();
        if self.message_body.is_empty() || size > LARGEST {
            return Err(Fault::new("InvalidParameterValue", format!("a message has from 1 to {LARGEST} bytes")));
        }
        let allowed = |c| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..);
        let values = self.message_attributes.values().filter_map(|attribute| attribute["StringValue"].as_str());
        if !values.chain([self.message_body.as_str()]).all(|text| text.chars().all(allowed)) {
            return Err(Fault::new("InvalidMessageContents", "a character is outside of what is allowed"));
        }
        Ok(())
    }
}

impl Queues {
    /// Opens the queues, their messages kept in the database `file`.
    pub fn open(file: &Path, known: Vec<Queue>) -> rusqlite::Result<Self> {
        Ok(Self { known, messages: Mutex::new(Messages::open(file, now())?), sent: Notify::new() })
    }

    /// A queue's URL. Its host need not exist: clients are given the endpoint.
    pub fn url(name: &str) -> String {
        format!("https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{name}")
    }

    pub fn arn(name: &str) -> String {
        format!("arn:aws:sqs:{REGION}:{ACCOUNT}:{name}")
    }

    pub async fn call(&self, operation: &str, body: &[u8]) -> Result<Value, Fault> {
        if operation == "GetQueueUrl" {
            let GetQueueUrl { queue_name } = wire::input(body)?;
            let queue = self.find(&queue_name)?;
            return Ok(json!({ "QueueUrl": Self::url(queue.name) }));
        }
        let OnQueue { queue_url } = wire::input(body)?;
        let queue = self.find(queue_url.rsplit('/').next().unwrap_or_default())?;
        match operation {
            "SendMessage" => self.send(queue, &wire::input(body)?),
            "SendMessageBatch" => {
                let Batch::<Send> { entries } = wire::input(body)?;
                batch(&entries, |entry| (entry.id.as_ref(), self.send(queue, entry)))
            }
            "ReceiveMessage" => self.receive(queue, &wire::input(body)?).await,
            "DeleteMessage" => self.delete(queue, &wire::input(body)?),
            "DeleteMessageBatch" => {
                let Batch::<OnReceipt> { entries } = wire::input(body)?;
                batch(&entries, |entry| (entry.id.as_ref(), self.delete(queue, entry)))
            }
            "ChangeMessageVisibility" => self.change_visibility(queue, &wire::input(body)?),
            "GetQueueAttributes" => self.attributes(queue),
            _ => Err(Fault::unknown_operation(operation)),
        }
    }

    fn send(&self, queue: &Queue, message: &Send) -> Result<Value, Fault> {
        message.check()?;
        let now = now();
        let id = self.lock().send(
            queue.name,
            &message.message_body,
            &json!(message.message_attributes).to_string(),
            now,
            now + i64::from(message.delay_seconds) * 1000,
        )?;
        self.sent.notify_waiters();
        Ok(json!({
            "MessageId": id,
            "MD5OfMessageBody": md5_of(&message.message_body),
        }))
    }

    async fn receive(&self, queue: &Queue, input: &Receive) -> Result<Value, Fault> {
        let hidden_seconds = input.visibility_timeout.unwrap_or(queue.visibility_timeout);
        let hidden = i64::from(hidden_seconds) * 1000;
        let limit = input.max_number_of_messages.unwrap_or(1).clamp(1, 10);
        let give_up = Instant::now() + Duration::from_secs(input.wait_time_seconds.min(20));
        loop {
            // Made before the look, so that what is sent meanwhile is not missed.
            let sent = self.sent.notified();
            let now = now();
            let received = self.lock().receive(queue, limit, now, now + hidden)?;
            if !received.is_empty() {
                return Ok(json!({ "Messages": received.iter().map(message).collect::<Vec<_>>() }));
            }
            let left = give_up.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(json!({}));
            }
            // Either way the queue is looked at again.
            let _ = timeout(left.min(RECHECK), sent).await;
        }
    }

    fn delete(&self, queue: &Queue, input: &OnReceipt) -> Result<Value, Fault> {
        self.lock().delete(queue.name, &input.receipt_handle)?;
        Ok(json!({}))
    }

    fn change_visibility(&self, queue: &Queue, input: &OnReceipt) -> Result<Value, Fault> {
        let seconds =
            input.visibility_timeout.ok_or_else(|| Fault::new("MissingParameter", "VisibilityTimeout is required"))?;
        let visible_at = now() + i64::from(seconds) * 1000;
        if self.lock().hide_until(queue.name, &input.receipt_handle, visible_at)? {
            Ok(json!({}))
        } else {
            Err(Fault::new("ReceiptHandleIsInvalid", "the receipt handle is not current"))
        }
    }

    fn attributes(&self, queue: &Queue) -> Result<Value, Fault> {
        let counts = self.lock().count(queue.name, now())?;
        let mut attributes = json!({
            "QueueArn": Self::arn(queue.name),
            "VisibilityTimeout": queue.visibility_timeout.to_string(),
            "ApproximateNumberOfMessages": counts.visible.to_string(),
            "ApproximateNumberOfMessagesNotVisible": counts.in_flight.to_string(),
            "ApproximateNumberOfMessagesDelayed": counts.delayed.to_string(),
        });
        if let Some(dead_letters) = &queue.dead_letters {
            attributes["RedrivePolicy"] = json!(
                json!({
                    "deadLetterTargetArn": Self::arn(dead_letters.queue),
                    "maxReceiveCount": dead_letters.after_receives,
                })
                .to_string()
            );
        }
        Ok(json!({ "Attributes": attributes }))
    }

    fn find(&self, name: &str) -> Result<&Queue, Fault> {
        self.known
            .iter()
            .find(|queue| queue.name == name)
            .ok_or_else(|| Fault::new("QueueDoesNotExist", format!("the queue `{name}` does not exist")))
    }

    fn lock(&self) -> MutexGuard<'_, Messages> {
        self.messages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Each entry of a batch has its own outcome.
fn batch<T>(entries: &[T], each: impl Fn(&T) -> (Option<&String>, Result<Value, Fault>)) -> Result<Value, Fault> {
    let (mut successful, mut failed) = (Vec::new(), Vec::new());
    for entry in entries {
        let (id, outcome) = each(entry);
        let id = id.ok_or_else(|| Fault::new("MissingParameter", "each entry needs an Id"))?;
        match outcome {
            Ok(mut output) => {
                output["Id"] = json!(id);
                successful.push(output);
            }
            Err(Fault { code, message }) => failed.push(json!({
                "Id": id, "Code": code, "Message": message, "SenderFault": true,
            })),
        }
    }
    Ok(json!({ "Successful": successful, "Failed": failed }))
}

fn message(received: &Received) -> Value {
    json!({
        "MessageId": received.id,
        "ReceiptHandle": received.receipt,
        "MD5OfBody": md5_of(&received.body),
        "Body": received.body,
        "Attributes": {
            "SenderId": ACCOUNT,
            "SentTimestamp": received.sent_at.to_string(),
            "ApproximateFirstReceiveTimestamp": received.first_received_at.to_string(),
            "ApproximateReceiveCount": received.receive_count.to_string(),
        },
        "MessageAttributes": serde_json::from_str::<Value>(&received.attributes).unwrap_or_default(),
    })
}

fn md5_of(body: &str) -> String {
    format!("{:x}", md5::compute(body))
}

fn now() -> i64 {
    system::now().timestamp_millis()
}
