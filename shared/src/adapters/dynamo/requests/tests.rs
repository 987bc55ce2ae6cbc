//! The store when DynamoDB leaves items unprocessed, conflicts or throttles, with answers as AWS documents them.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use aws_sdk_dynamodb::{
    Client,
    config::{BehaviorVersion, Credentials, Region, retry::RetryConfig},
    types::{PutRequest, WriteRequest},
};
use aws_smithy_runtime_api::client::{
    http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn},
    orchestrator::{HttpRequest, HttpResponse},
};
use aws_smithy_types::body::SdkBody;
use chrono::DateTime;
use uuid::Uuid;

use super::super::{
    DynamoStore,
    expressions::Change,
    items::{Item, text},
};
use crate::{
    ErrorKind,
    config::Config,
    model::{CalendarId, ConflictChange, EventId, LessonId, Notice, NoticeKind, PairChange, SchedulingConflict},
    ports::{ConflictChanges, ConflictFlags, ConflictStore as _},
    testing::key,
};

/// Answers in DynamoDB's place, and records the requests.
#[derive(Debug, Clone, Default)]
struct Scripted {
    answers: Arc<Mutex<VecDeque<(u16, String)>>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl HttpConnector for Scripted {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let body = request.body().bytes().unwrap().to_vec();
        self.asked.lock().unwrap().push(String::from_utf8(body).unwrap());
        let (status, body) = self.answers.lock().unwrap().pop_front().unwrap();
        HttpConnectorFuture::ready(Ok(HttpResponse::new(status.try_into().unwrap(), SdkBody::from(body))))
    }
}

/// A store to which DynamoDB gives these answers, one after the other.
fn answering(answers: &[(u16, &str)]) -> (DynamoStore, Scripted) {
    let scripted = Scripted::default();
    scripted.answers.lock().unwrap().extend(answers.iter().map(|(status, body)| (*status, (*body).to_owned())));
    let connector = SharedHttpConnector::new(scripted.clone());
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static("eu-central-1"))
        .credentials_provider(Credentials::new("id", "secret", None, None, "test"))
        .retry_config(RetryConfig::disabled())
        .http_client(http_client_fn(move |_, _| connector.clone()))
        .build();
    (DynamoStore::new(Client::from_conf(config), Config::from_vars(|_| None).tables()), scripted)
}

fn item(id: &str) -> Item {
    Item::from([("id".to_owned(), text(id))])
}

fn puts(ids: &[&str]) -> Vec<WriteRequest> {
    let put = |id: &&str| PutRequest::builder().set_item(Some(item(id))).build().unwrap();
    ids.iter().map(|id| WriteRequest::builder().put_request(put(id)).build()).collect()
}

fn sent(scripted: &Scripted) -> Vec<String> {
    scripted.asked.lock().unwrap().clone()
}

const LEFT: &str = r#"{"UnprocessedItems":{"t":[{"PutRequest":{"Item":{"id":{"S":"two"}}}}]}}"#;
const CANCELLED: &str = "com.amazonaws.dynamodb.v20120810#TransactionCanceledException";

fn cancelled(codes: &str) -> String {
    format!(r#"{{"__type":"{CANCELLED}","Message":"cancelled","CancellationReasons":[{codes}]}}"#)
}

#[tokio::test(start_paused = true)]
async fn what_a_batch_left_over_is_sent_again_and_nothing_else() {
    let (store, http) = answering(&[(200, LEFT), (200, LEFT), (200, "{}")]);
    store.batch_write("t", puts(&["one", "two"])).await.unwrap();
    let sent = sent(&http);
    assert_eq!(sent.len(), 3);
    assert!(sent[0].contains("one") && sent[0].contains("two"));
    assert!(sent[1..].iter().all(|body| !body.contains("one") && body.contains("two")), "{sent:?}");
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_is_never_taken_is_unavailable() {
    let (store, _) = answering(&[(200, LEFT); 8]);
    let error = store.batch_write("t", puts(&["two"])).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
}

#[tokio::test(start_paused = true)]
async fn keys_that_were_not_read_are_asked_for_again() {
    let (store, http) = answering(&[
        (200, r#"{"Responses":{"t":[{"id":{"S":"one"}}]},"UnprocessedKeys":{"t":{"Keys":[{"id":{"S":"two"}}]}}}"#),
        (200, r#"{"Responses":{"t":[{"id":{"S":"two"}}]}}"#),
    ]);
    let found = store.batch_get("t", vec![item("one"), item("two")], None).await.unwrap();
    assert_eq!(found, [item("one"), item("two")]);
    assert!(sent(&http)[1].contains("\"ConsistentRead\":true"));
}

#[tokio::test(start_paused = true)]
async fn a_transaction_that_clashed_is_made_again() {
    let clash = cancelled(r#"{"Code":"None"},{"Code":"TransactionConflict"}"#);
    let (store, http) = answering(&[(400, &clash), (200, "{}")]);
    assert!(store.transact(vec![Change::default().put("t", item("one")).unwrap()]).await.unwrap());
    assert_eq!(sent(&http).len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_transaction_whose_condition_failed_is_refused_at_once() {
    let refused = cancelled(r#"{"Code":"TransactionConflict"},{"Code":"ConditionalCheckFailed"}"#);
    let (store, http) = answering(&[(400, &refused)]);
    assert!(!store.transact(vec![Change::default().put("t", item("one")).unwrap()]).await.unwrap());
    assert_eq!(sent(&http).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_transaction_that_cannot_be_is_a_defect() {
    let malformed = cancelled(r#"{"Code":"ValidationError","Message":"an item is too large"}"#);
    let (store, _) = answering(&[(400, &malformed)]);
    let error = store.transact(vec![Change::default().put("t", item("one")).unwrap()]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Internal);
}

#[tokio::test]
async fn a_conflict_is_never_stored_without_its_notice() {
    let (key, at, lesson_id) = (key(0, 0), DateTime::UNIX_EPOCH, LessonId(Uuid::nil()));
    let found = |n: usize| {
        PairChange::Found(SchedulingConflict {
            lesson_id,
            lesson_start: at,
            lesson_end: at,
            calendar_id: CalendarId::from("primary"),
            google_event_id: EventId(format!("event{n}")),
            occurrence_start: at,
            overlap_start: at,
            overlap_end: at,
            found_at: at,
            ignored: None,
        })
    };
    let changes = ConflictChanges {
        pairs: (0..20).map(found).collect(),
        lessons: vec![ConflictFlags { lesson_id, has_conflict: true, left_out: 0, seen: 0 }],
    };
    let kind =
        NoticeKind::ConflictsChanged { conflicts: changes.pairs.iter().filter_map(ConflictChange::of).collect() };
    let (store, http) = answering(&[(200, "{}"); 2]);
    assert!(store.apply_conflicts(key, &changes, Some(&Notice { id: Uuid::nil(), key, kind, at })).await.unwrap());
    let count =
        |transaction: &str, sort_key: &str| transaction.matches(&format!(r#""item":{{"S":"{sort_key}"#)).count();
    let sent = sent(&http);
    let counts: Vec<_> =
        sent.iter().map(|sent| ["conflict#", "notice#", "lesson#"].map(|item| count(sent, item))).collect();
    assert_eq!(counts, [[20, 1, 1]]);
}

#[tokio::test(start_paused = true)]
async fn throttling_is_unavailable_and_what_is_malformed_a_defect() {
    for (code, kind) in [
        ("ProvisionedThroughputExceededException", ErrorKind::Unavailable),
        ("ThrottlingException", ErrorKind::Unavailable),
        ("RequestLimitExceeded", ErrorKind::Unavailable),
        ("ValidationException", ErrorKind::Internal),
        ("ResourceNotFoundException", ErrorKind::Internal),
    ] {
        let body = format!(r#"{{"__type":"com.amazonaws.dynamodb.v20120810#{code}","message":"refused"}}"#);
        let (store, _) = answering(&[(400, &body)]);
        assert_eq!(store.get("t", item("one")).await.unwrap_err().kind(), kind, "{code}");
        let (store, _) = answering(&[(400, &body)]);
        let update = store.update("t", item("one"), Change::default().set("n", text("1"))).await;
        assert_eq!(update.err().map(|error| error.kind()), Some(kind), "{code}");
    }
}

#[tokio::test]
async fn the_store_prints_no_secret() {
    let (store, _) = answering(&[]);
    let printed = format!("{store:?}");
    assert!(!printed.contains("secret") && printed.contains("calendar_event_mappings"), "{printed}");
}
