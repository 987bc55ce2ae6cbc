//! Queue and stream as functions behind them see it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use aws_lambda_events::{dynamodb, sqs::SqsEvent};
use aws_sdk_dynamodb::types::AttributeValue;
use local_stack::{
    aws::{Queue, Queues, Secrets},
    functions::Functions,
    triggers::{QueueTrigger, StreamTrigger},
};
use serde_json::json;
use testkit::aws::{LocalAws, create_table, queue};

const WORK: &str = "work";
const TABLE: &str = "lessons";

async fn start_aws() -> LocalAws {
    LocalAws::start(vec![Queue { visibility_timeout: 1, ..queue(WORK) }], Secrets::new([])).await
}

/// What functions saw, in order.
#[derive(Clone, Default)]
struct Seen(Arc<Mutex<Vec<String>>>);

impl Seen {
    fn push(&self, what: impl Into<String>) {
        self.0.lock().unwrap().push(what.into());
    }

    async fn wait_for(&self, count: usize) -> Vec<String> {
        for _ in 0..500 {
            let seen = self.0.lock().unwrap().clone();
            if seen.len() >= count {
                return seen;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("only {:?} came", self.0.lock().unwrap());
    }
}

#[tokio::test]
async fn a_failed_message_comes_again_and_its_neighbours_do_not() {
    let aws = start_aws().await;
    let client = aws_sdk_sqs::Client::new(&aws.sdk);
    for body in ["good", "bad"] {
        client.send_message().queue_url(Queues::url(WORK)).message_body(body).send().await.unwrap();
    }

    let seen = Seen::default();
    let log = seen.clone();
    let mut functions = Functions::default();
    functions.events("worker", move |event: SqsEvent| {
        let log = log.clone();
        async move {
            let mut failures = Vec::new();
            for record in event.records {
                log.push(record.body.clone().unwrap());
                let first = record.attributes["ApproximateReceiveCount"] == "1";
                if first && record.body.as_deref() == Some("bad") {
                    failures.push(json!({ "itemIdentifier": record.message_id }));
                }
            }
            Ok::<_, String>(json!({ "batchItemFailures": failures }))
        }
    });
    let trigger = QueueTrigger { queue: WORK, function: "worker", batch_size: 10, concurrency: 1 };
    tokio::spawn(trigger.run(client, functions));

    assert_eq!(seen.wait_for(3).await, ["good", "bad", "bad"]);
    tokio::time::sleep(Duration::from_millis(1200)).await;
    assert_eq!(seen.wait_for(3).await.len(), 3, "handled messages are gone");
}

async fn put_lesson(client: &aws_sdk_dynamodb::Client, id: &str) {
    client.put_item().table_name(TABLE).item("id", AttributeValue::S(id.into())).send().await.unwrap();
}

#[tokio::test]
async fn changes_come_in_order_and_once_though_the_process_starts_anew() {
    let data = tempfile::tempdir().unwrap();
    let aws = start_aws().await;
    let client = aws_sdk_dynamodb::Client::new(&aws.sdk);
    create_table(&client, TABLE).await;

    let seen = Seen::default();
    let log = seen.clone();
    let mut functions = Functions::default();
    functions.events("lesson-changes", move |event: dynamodb::Event| {
        let log = log.clone();
        async move {
            for record in event.records {
                assert!(record.event_source_arn.unwrap().contains(TABLE));
                let keys = serde_json::to_string(&record.change.keys).unwrap();
                log.push(format!("{} {keys}", record.event_name));
            }
            Ok::<_, String>(())
        }
    });
    let trigger =
        StreamTrigger { table: TABLE.into(), function: "lesson-changes", checkpoint: data.path().join("checkpoint") };

    let run =
        |trigger: StreamTrigger| tokio::spawn(trigger.run(aws.services.dynamodb.database().clone(), functions.clone()));
    let first = run(trigger.clone());
    put_lesson(&client, "a").await;
    put_lesson(&client, "b").await;
    let expected = [r#"INSERT {"id":{"S":"a"}}"#, r#"INSERT {"id":{"S":"b"}}"#];
    assert_eq!(seen.wait_for(2).await, expected);
    tokio::time::sleep(Duration::from_millis(300)).await;
    first.abort();

    put_lesson(&client, "c").await;
    run(trigger);
    assert_eq!(seen.wait_for(3).await[2], r#"INSERT {"id":{"S":"c"}}"#);
}

#[tokio::test]
async fn a_batch_that_fails_comes_again_before_later_changes() {
    let data = tempfile::tempdir().unwrap();
    let aws = start_aws().await;
    let client = aws_sdk_dynamodb::Client::new(&aws.sdk);
    create_table(&client, TABLE).await;
    put_lesson(&client, "a").await;

    let seen = Seen::default();
    let log = seen.clone();
    let mut functions = Functions::default();
    functions.events("lesson-changes", move |event: dynamodb::Event| {
        log.push(event.records.len().to_string());
        let outcome = if log.0.lock().unwrap().len() == 1 { Err("on purpose") } else { Ok(()) };
        std::future::ready(outcome)
    });
    let trigger =
        StreamTrigger { table: TABLE.into(), function: "lesson-changes", checkpoint: data.path().join("checkpoint") };
    tokio::spawn(trigger.run(aws.services.dynamodb.database().clone(), functions));
    assert_eq!(seen.wait_for(2).await, ["1", "1"]);
}
