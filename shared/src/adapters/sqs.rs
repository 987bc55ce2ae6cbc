//! The sync queue and the dead letters as SQS queues.

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_sqs::{Client, types::MessageAttributeValue};
use serde::Serialize;

use crate::{
    Error, Result,
    ports::{DeadLetters, EraseMessage, EraseQueue, SyncMessage, SyncQueue},
};

/// SQS delays a message by 15 minutes at most
/// (<https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html>).
const MAX_DELAY: Duration = Duration::from_mins(15);

#[derive(Debug, Clone)]
pub struct SqsSyncQueue {
    client: Client,
    queue_url: String,
    first_syncs_url: Option<String>,
}

impl SqsSyncQueue {
    /// `first_syncs_url` is `None` for functions that never send a first sync.
    pub fn new(client: Client, queue_url: String, first_syncs_url: Option<String>) -> Self {
        Self { client, queue_url, first_syncs_url }
    }

    async fn send_to(&self, url: &str, message: &(impl Serialize + Sync), delay: Duration) -> Result<()> {
        let body = serde_json::to_string(message).map_err(Error::internal)?;
        let seconds = i32::try_from(delay.min(MAX_DELAY).as_secs()).map_err(Error::internal)?;
        let sent = self.client.send_message().queue_url(url).message_body(body).delay_seconds(seconds);
        sent.send().await.map_err(|error| Error::unavailable("queue_unavailable", error))?;
        Ok(())
    }
}

#[async_trait]
impl SyncQueue for SqsSyncQueue {
    async fn send(&self, message: &SyncMessage, delay: Duration) -> Result<()> {
        let url = self.first_syncs_url.as_ref().filter(|_| message.is_first_sync()).unwrap_or(&self.queue_url);
        self.send_to(url, message, delay).await
    }
}

#[async_trait]
impl EraseQueue for SqsSyncQueue {
    async fn send_erase(&self, message: &EraseMessage, delay: Duration) -> Result<()> {
        self.send_to(&self.queue_url, message, delay).await
    }
}

#[derive(Debug, Clone)]
pub struct SqsDeadLetters {
    client: Client,
    queue_url: String,
}

impl SqsDeadLetters {
    pub fn new(client: Client, queue_url: String) -> Self {
        Self { client, queue_url }
    }
}

#[async_trait]
impl DeadLetters for SqsDeadLetters {
    /// The body stays unchanged, so that it can be sent again once the cause is repaired; the reason is a message
    /// attribute.
    async fn keep(&self, body: &str, reason: &str) -> Result<()> {
        let reason = MessageAttributeValue::builder().data_type("String").string_value(reason).build();
        let sent = self
            .client
            .send_message()
            .queue_url(&self.queue_url)
            .message_body(body)
            .message_attributes("reason", reason.map_err(Error::internal)?);
        sent.send().await.map_err(|error| Error::unavailable("queue_unavailable", error))?;
        Ok(())
    }
}
