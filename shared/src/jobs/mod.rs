//! Messages of queues and streams: which are done and which come again. The only place where an error becomes a retry
//! or a drop.

pub mod lesson_feed;

use std::panic::AssertUnwindSafe;

use aws_lambda_events::event::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent};
use futures::{FutureExt, StreamExt, stream};

use serde::Deserialize;

use crate::{
    Result,
    ports::{EraseMessage, SyncMessage},
};

/// Messages of one batch that are handled concurrently.
const CONCURRENT_MESSAGES: usize = 10;

/// A message of the sync worker's queues.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum WorkerMessage {
    Erase(EraseMessage),
    Sync(Box<SyncMessage>),
}

/// Handles each message of a batch. A body that cannot be read fails each time, until SQS moves it to the dead letters.
pub async fn each_worker_message<F, Fut>(event: SqsEvent, handle: F) -> SqsBatchResponse
where
    F: Fn(WorkerMessage) -> Fut,
    Fut: Future<Output = Result<()>>,
{
    each_message(event, |body| {
        let message = serde_json::from_str(&body).map_err(crate::Error::internal);
        async { handle(message?).await }
    })
    .await
}

/// Handles each body of a batch on its own. A message that fails or panics comes again and does not affect the others.
pub async fn each_message<F, Fut>(event: SqsEvent, handle: F) -> SqsBatchResponse
where
    F: Fn(String) -> Fut,
    Fut: Future<Output = Result<()>>,
{
    let failed = stream::iter(event.records)
        .map(|mut message| async {
            let body = message.body.take().unwrap_or_default();
            let done = AssertUnwindSafe(async { handle(body).await }).catch_unwind().await;
            match done {
                Ok(Ok(())) => None,
                Ok(Err(error)) => {
                    tracing::error!(message_id = message.message_id, ?error, "the message comes again");
                    Some(message)
                }
                Err(_) => {
                    tracing::error!(
                        message_id = message.message_id,
                        "the message made its handler panic and comes again"
                    );
                    Some(message)
                }
            }
        })
        .buffer_unordered(CONCURRENT_MESSAGES)
        .filter_map(|failed| async { failed })
        .map(|message| {
            let mut failure = BatchItemFailure::default();
            failure.item_identifier = message.message_id.unwrap_or_default();
            failure
        })
        .collect()
        .await;
    let mut response = SqsBatchResponse::default();
    response.batch_item_failures = failed;
    response
}

#[cfg(test)]
mod tests {
    use aws_lambda_events::event::sqs::SqsMessage;

    use super::*;
    use crate::{Error, model::SyncTrigger};

    fn message(id: &str, body: &str) -> SqsMessage {
        let mut message = SqsMessage::default();
        message.message_id = Some(id.to_owned());
        message.body = Some(body.to_owned());
        message
    }

    #[tokio::test]
    async fn one_messages_failure_or_panic_does_not_take_its_neighbours_along() {
        let sync_message = |trigger: &str| {
            format!(
                r#"{{"tenant_id":"00000000-0000-4000-8000-000000000001","instructor_id":"00000000-0000-4000-8000-000000000002","trigger":"{trigger}","tasks":["pull_events"]}}"#
            )
        };
        let mut event = SqsEvent::default();
        event.records = vec![
            message("good", &sync_message("webhook")),
            message("panics", &sync_message("poll")),
            message("fails", &sync_message("manual")),
            message("erases", r#"{"tenant_id":"00000000-0000-4000-8000-000000000001","erase":"tenant"}"#),
            message("erases what is nothing", r#"{"tenant_id":"00000000-0000-4000-8000-000000000001","erase":"all"}"#),
            message("garbage", "{"),
        ];
        let response = each_worker_message(event, |message| async move {
            match message {
                WorkerMessage::Erase(_) => Ok(()),
                WorkerMessage::Sync(message) => match message.trigger {
                    SyncTrigger::Poll => panic!("on purpose"),
                    SyncTrigger::Manual => Err(Error::internal("on purpose")),
                    _ => Ok(()),
                },
            }
        })
        .await;
        let mut failed: Vec<_> =
            response.batch_item_failures.into_iter().map(|failure| failure.item_identifier).collect();
        failed.sort();
        assert_eq!(failed, ["erases what is nothing", "fails", "garbage", "panics"]);
    }
}
