//! The AWS stand-ins as the real AWS SDK for Rust sees them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;

use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use aws_sdk_kms::{primitives::Blob, types::DataKeySpec};
use aws_sdk_sqs::types::{DeleteMessageBatchRequestEntry, QueueAttributeName, SendMessageBatchRequestEntry};
use local_stack::aws::{DeadLetters, Kms, Queue, Queues, Secrets};
use tempfile::TempDir;
use testkit::aws::{LocalAws, create_table, queue};

const WORK: &str = "work";
const DEAD: &str = "work-dead";

/// The services on a data folder, as one run of the process has them.
async fn aws_on(data: &Path) -> LocalAws {
    let dead_letters = Some(DeadLetters { queue: DEAD, after_receives: 2 });
    let secrets = Secrets::new([("hmac".to_owned(), "a key".to_owned())]);
    LocalAws::start_on(data, vec![Queue { dead_letters, ..queue(WORK) }, queue(DEAD)], secrets).await
}

async fn fresh() -> (LocalAws, TempDir) {
    let data = tempfile::tempdir().unwrap();
    (aws_on(data.path()).await, data)
}

async fn sqs() -> (aws_sdk_sqs::Client, TempDir) {
    let (aws, data) = fresh().await;
    (aws_sdk_sqs::Client::new(&aws.sdk), data)
}

async fn receive(client: &aws_sdk_sqs::Client, queue: &str) -> Vec<aws_sdk_sqs::types::Message> {
    client
        .receive_message()
        .queue_url(Queues::url(queue))
        .max_number_of_messages(10)
        .send()
        .await
        .unwrap()
        .messages
        .unwrap_or_default()
}

async fn send(client: &aws_sdk_sqs::Client, body: &str) {
    client.send_message().queue_url(Queues::url(WORK)).message_body(body).send().await.unwrap();
}

#[tokio::test]
async fn a_data_key_opens_under_its_context_only() {
    let (aws, data) = fresh().await;
    let kms = aws_sdk_kms::Client::new(&aws.sdk);
    let key = kms
        .generate_data_key()
        .key_id(Kms::KEY_ALIAS)
        .key_spec(DataKeySpec::Aes256)
        .encryption_context("tenant", "a")
        .send()
        .await
        .unwrap();
    let blob = key.ciphertext_blob.unwrap();
    let plaintext = key.plaintext.unwrap();
    assert_eq!(plaintext.as_ref().len(), 32);

    // The key file outlives the process.
    let aws = aws_on(data.path()).await;
    let kms = aws_sdk_kms::Client::new(&aws.sdk);
    let opened = kms.decrypt().ciphertext_blob(blob.clone()).encryption_context("tenant", "a").send().await.unwrap();
    assert_eq!(opened.plaintext.unwrap(), plaintext);

    let foreign = kms.decrypt().ciphertext_blob(blob).encryption_context("tenant", "b").send().await.unwrap_err();
    assert!(foreign.into_service_error().is_invalid_ciphertext_exception());
}

#[tokio::test]
async fn tampered_ciphertext_does_not_open() {
    let (aws, _data) = fresh().await;
    let kms = aws_sdk_kms::Client::new(&aws.sdk);
    let sealed = kms
        .encrypt()
        .key_id(Kms::KEY_ALIAS)
        .plaintext(Blob::new("a token"))
        .send()
        .await
        .unwrap()
        .ciphertext_blob
        .unwrap()
        .into_inner();
    for at in [0, 12, sealed.len() - 1] {
        let mut tampered = sealed.clone();
        tampered[at] ^= 1;
        let refused = kms.decrypt().ciphertext_blob(Blob::new(tampered)).send().await.unwrap_err();
        assert!(refused.into_service_error().is_invalid_ciphertext_exception());
    }
}

#[tokio::test]
async fn an_unknown_key_is_not_found() {
    let (aws, _data) = fresh().await;
    let refused = aws_sdk_kms::Client::new(&aws.sdk)
        .encrypt()
        .key_id("alias/other")
        .plaintext(Blob::new("x"))
        .send()
        .await
        .unwrap_err();
    assert!(refused.into_service_error().is_not_found_exception());
}

#[tokio::test]
async fn a_received_message_is_hidden_until_its_timeout_and_gone_once_deleted() {
    let (client, _data) = sqs().await;
    send(&client, "message").await;
    let first = receive(&client, WORK).await;
    assert_eq!(first[0].body(), Some("message"));
    assert!(receive(&client, WORK).await.is_empty());

    client
        .change_message_visibility()
        .queue_url(Queues::url(WORK))
        .receipt_handle(first[0].receipt_handle().unwrap())
        .visibility_timeout(0)
        .send()
        .await
        .unwrap();
    let again = receive(&client, WORK).await;
    assert_eq!(again[0].message_id(), first[0].message_id());
    let count = aws_sdk_sqs::types::MessageSystemAttributeName::ApproximateReceiveCount;
    assert_eq!(again[0].attributes().unwrap()[&count], "2");

    client
        .delete_message()
        .queue_url(Queues::url(WORK))
        .receipt_handle(again[0].receipt_handle().unwrap())
        .send()
        .await
        .unwrap();
    let attributes = client
        .get_queue_attributes()
        .queue_url(Queues::url(WORK))
        .attribute_names(QueueAttributeName::All)
        .send()
        .await
        .unwrap();
    let in_flight = QueueAttributeName::ApproximateNumberOfMessagesNotVisible;
    assert_eq!(attributes.attributes().unwrap()[&in_flight], "0");
}

#[tokio::test]
async fn a_message_received_too_often_goes_to_the_dead_letters() {
    let (client, _data) = sqs().await;
    send(&client, "poison").await;
    for _ in 0..2 {
        let received =
            client.receive_message().queue_url(Queues::url(WORK)).visibility_timeout(0).send().await.unwrap();
        assert_eq!(received.messages().len(), 1);
    }
    assert!(receive(&client, WORK).await.is_empty());
    assert_eq!(receive(&client, DEAD).await[0].body(), Some("poison"));
}

#[tokio::test]
async fn a_delayed_message_wakes_a_waiting_receiver_when_it_is_due() {
    let (client, _data) = sqs().await;
    client.send_message().queue_url(Queues::url(WORK)).message_body("later").delay_seconds(1).send().await.unwrap();
    assert!(receive(&client, WORK).await.is_empty());
    let waited = client.receive_message().queue_url(Queues::url(WORK)).wait_time_seconds(5).send().await.unwrap();
    assert_eq!(waited.messages()[0].body(), Some("later"));
}

#[tokio::test]
async fn batches_send_and_delete_each_entry() {
    let (client, _data) = sqs().await;
    let mut batch = client.send_message_batch().queue_url(Queues::url(WORK));
    for id in ["a", "b", "c"] {
        batch = batch.entries(SendMessageBatchRequestEntry::builder().id(id).message_body(id).build().unwrap());
    }
    assert_eq!(batch.send().await.unwrap().successful().len(), 3);

    let received = receive(&client, WORK).await;
    let mut batch = client.delete_message_batch().queue_url(Queues::url(WORK));
    for message in &received {
        batch = batch.entries(
            DeleteMessageBatchRequestEntry::builder()
                .id(message.body().unwrap())
                .receipt_handle(message.receipt_handle().unwrap())
                .build()
                .unwrap(),
        );
    }
    assert_eq!(batch.send().await.unwrap().successful().len(), 3);
}

#[tokio::test]
async fn messages_outlive_the_process() {
    let (client, data) = sqs().await;
    send(&client, "kept").await;
    let aws = aws_on(data.path()).await;
    let client = aws_sdk_sqs::Client::new(&aws.sdk);
    assert_eq!(receive(&client, WORK).await[0].body(), Some("kept"));
}

#[tokio::test]
async fn what_a_dead_process_had_received_comes_again_at_the_next_start() {
    let (client, data) = sqs().await;
    send(&client, "held").await;
    assert_eq!(receive(&client, WORK).await.len(), 1);
    let aws = aws_on(data.path()).await;
    let client = aws_sdk_sqs::Client::new(&aws.sdk);
    assert_eq!(receive(&client, WORK).await[0].body(), Some("held"));
}

#[tokio::test]
async fn an_unknown_queue_does_not_exist() {
    let (client, _data) = sqs().await;
    let refused = client.send_message().queue_url(Queues::url("other")).message_body("x").send().await.unwrap_err();
    assert!(refused.into_service_error().is_queue_does_not_exist());
}

#[tokio::test]
async fn the_bus_keeps_what_reaches_it_newest_first_and_refuses_single_entries() {
    let (aws, data) = fresh().await;
    let client = aws_sdk_eventbridge::Client::new(&aws.sdk);
    let entry = |detail: &str| {
        PutEventsRequestEntry::builder().source("calendar-sync").detail_type("conflicts.changed").detail(detail).build()
    };
    let put = client
        .put_events()
        .entries(entry(r#"{"id":1}"#))
        .entries(entry("no object"))
        .entries(entry(r#"{"id":2}"#))
        .entries(entry(r#"{"id":2}"#))
        .send()
        .await
        .unwrap();
    assert_eq!(put.failed_entry_count(), 1);
    assert_eq!(put.entries()[1].error_code(), Some("MalformedDetail"));

    let services = aws_on(data.path()).await.services;
    let ids: Vec<i64> =
        services.bus.latest(10).unwrap().iter().map(|notice| notice.detail["id"].as_i64().unwrap()).collect();
    assert_eq!(ids, [2, 2, 1]);
}

#[tokio::test]
async fn a_secret_is_found_by_its_name() {
    let (aws, _data) = fresh().await;
    let client = aws_sdk_secretsmanager::Client::new(&aws.sdk);
    let found = client.get_secret_value().secret_id("hmac").send().await.unwrap();
    assert_eq!(found.secret_string(), Some("a key"));
    let missing = client.get_secret_value().secret_id("other").send().await.unwrap_err();
    assert!(missing.into_service_error().is_resource_not_found_exception());
}

#[tokio::test]
async fn items_outlive_the_process_and_conditions_are_checked() {
    let (aws, data) = fresh().await;
    let client = aws_sdk_dynamodb::Client::new(&aws.sdk);
    create_table(&client, "things").await;
    let put = |client: &aws_sdk_dynamodb::Client| {
        client
            .put_item()
            .table_name("things")
            .item("id", AttributeValue::S("1".into()))
            .condition_expression("attribute_not_exists(id)")
            .send()
    };
    put(&client).await.unwrap();

    let aws = aws_on(data.path()).await;
    let client = aws_sdk_dynamodb::Client::new(&aws.sdk);
    let refused = put(&client).await.unwrap_err();
    assert!(refused.into_service_error().is_conditional_check_failed_exception());
}
