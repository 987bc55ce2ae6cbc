//! The adapters for KMS, Secrets Manager, SQS and EventBridge, through the AWS SDK against the local stand-ins.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use aws_sdk_kms::config::{ConfigBag, Intercept, RuntimeComponents, interceptors::BeforeTransmitInterceptorContextRef};
use calendar_sync::{
    adapters::{
        eventbridge::EventBridgeBus,
        kms::KmsVault,
        secrets::{self, MAX_STALE_AGE},
        sqs::SqsSyncQueue,
        system::SystemRandom,
    },
    model::{ChannelId, ConnectionKey, Notice, NoticeKind, SealedSecret, SyncTask, SyncTrigger},
    ports::{NoticeBus, SyncMessage, SyncQueue, TokenVault},
};
use chrono::{DateTime, TimeDelta};
use local_stack::aws::{Kms, Queues, Secrets};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use testkit::{
    aws::{LocalAws, queue},
    clock::TestClock,
    data::{WEBHOOK_KEY, key, lesson_id, noon},
};
use uuid::Uuid;

const QUEUE: &str = "work";
const FIRST_SYNCS: &str = "first-syncs";
const SECRET: &str = "calendar-sync";

async fn aws_with_secret(secret: &str) -> LocalAws {
    let secrets = Secrets::new([(SECRET.to_owned(), secret.to_owned())]);
    LocalAws::start([QUEUE, FIRST_SYNCS].map(queue).to_vec(), secrets).await
}

async fn aws() -> LocalAws {
    aws_with_secret(&json!({ "googleClientSecret": "marked", "webhookKeys": [WEBHOOK_KEY] }).to_string()).await
}

// ── the vault ──────────────────────────────────────────────────────────────────────────────────────────────────────

/// Counts what goes over the wire to KMS.
#[derive(Debug, Clone, Default)]
struct Calls(Arc<AtomicU32>);
impl Calls {
    fn made(&self) -> u32 {
        self.0.load(Ordering::SeqCst)
    }
}
impl Intercept for Calls {
    fn name(&self) -> &'static str {
        "Calls"
    }
    fn read_before_transmit(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), aws_sdk_kms::error::BoxError> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }
}

/// A vault as a function has it that just started.
fn vault(aws: &LocalAws, clock: &Arc<TestClock>) -> (KmsVault, Calls) {
    let calls = Calls::default();
    let config = aws_sdk_kms::config::Builder::from(&aws.sdk).interceptor(calls.clone()).build();
    let client = aws_sdk_kms::Client::from_conf(config);
    (KmsVault::new(client, Kms::KEY_ALIAS.to_owned(), Arc::clone(clock) as _, Arc::new(SystemRandom)), calls)
}

fn secret(text: &str) -> SecretString {
    SecretString::from(text)
}

async fn opened(vault: &KmsVault, key: ConnectionKey, sealed: &SealedSecret) -> Option<String> {
    vault.open(key, sealed).await.ok().map(|secret| secret.expose_secret().to_owned())
}

#[tokio::test]
async fn a_sealed_token_opens_in_another_function_for_its_own_connection_alone() {
    let (aws, clock) = (aws().await, TestClock::standing(noon()));
    let sealed = vault(&aws, &clock).0.seal(key(1, 1), &secret("a token")).await.unwrap();
    let (other, _) = vault(&aws, &clock);
    assert_eq!(opened(&other, key(1, 1), &sealed).await.as_deref(), Some("a token"));
    assert_eq!(opened(&other, key(1, 2), &sealed).await, None);
    assert_eq!(opened(&other, key(2, 1), &sealed).await, None);
}

#[tokio::test]
async fn a_warm_vault_asks_kms_nothing() {
    let (aws, clock) = (aws().await, TestClock::standing(noon()));
    let (vault, calls) = vault(&aws, &clock);
    for instructor in 0..20 {
        let sealed = vault.seal(key(1, instructor), &secret("a token")).await.unwrap();
        assert!(opened(&vault, key(1, instructor), &sealed).await.is_some());
    }
    assert_eq!(calls.made(), 1, "one data key for the tenant");
    vault.seal(key(2, 0), &secret("a token")).await.unwrap();
    assert_eq!(calls.made(), 2, "and one for the next");
}

#[tokio::test]
async fn functions_share_the_data_keys_that_they_meet() {
    let (aws, clock) = (aws().await, TestClock::standing(noon()));
    let sealed = vault(&aws, &clock).0.seal(key(1, 1), &secret("a token")).await.unwrap();
    let (other, calls) = vault(&aws, &clock);
    opened(&other, key(1, 1), &sealed).await.unwrap();
    other.seal(key(1, 1), &secret("a new token")).await.unwrap();
    assert_eq!(calls.made(), 1, "the key that opened the old token seals the new one");
}

#[tokio::test]
async fn data_keys_leave_a_warm_function_and_are_replaced_in_time() {
    let (aws, clock) = (aws().await, TestClock::standing(noon()));
    let (vault, calls) = vault(&aws, &clock);
    let sealed = vault.seal(key(1, 1), &secret("a token")).await.unwrap();
    clock.advance(TimeDelta::hours(7));
    assert!(opened(&vault, key(1, 1), &sealed).await.is_some());
    assert_eq!(calls.made(), 2, "the plain key was forgotten");
    clock.advance(TimeDelta::days(31));
    assert!(opened(&vault, key(1, 1), &sealed).await.is_some());
    let renewed = vault.seal(key(1, 1), &secret("a token")).await.unwrap();
    assert_eq!(calls.made(), 4, "the old key opens, a new one seals");
    assert!(opened(&vault, key(1, 1), &renewed).await.is_some());
    assert_eq!(calls.made(), 4);
}

#[tokio::test]
async fn what_was_never_sealed_here_does_not_open() {
    let (aws, clock) = (aws().await, TestClock::standing(noon()));
    let (vault, calls) = vault(&aws, &clock);
    for text in ["", "AQ", "no base64!", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"] {
        assert!(vault.open(key(1, 1), &SealedSecret(text.to_owned())).await.is_err(), "{text}");
    }
    assert_eq!(calls.made(), 0);
}

// ── the secrets ────────────────────────────────────────────────────────────────────────────────────────────────────

fn secrets(aws: &LocalAws, clock: &Arc<TestClock>) -> secrets::Secrets {
    secrets::Secrets::new(aws_sdk_secretsmanager::Client::new(&aws.sdk), SECRET.to_owned(), Arc::clone(clock) as _)
}

#[tokio::test]
async fn the_secret_holds_the_client_secret_and_the_webhook_keys() {
    let (aws, clock) = (aws().await, TestClock::standing(noon()));
    let found = secrets(&aws, &clock).get().await.unwrap();
    assert_eq!(found.google_client_secret.expose_secret(), "marked");
    let channel = ChannelId::from("c");
    let token = found.webhook_keys.sign(&channel, key(1, 2));
    assert_eq!(found.webhook_keys.verify(&channel, token.expose_secret()), Some(key(1, 2)));
    assert!(!format!("{found:?}").contains("marked"));
}

#[tokio::test]
async fn secrets_survive_an_outage_for_a_bounded_time() {
    let (mut aws, clock) = (aws().await, TestClock::standing(noon()));
    let secrets = secrets(&aws, &clock);
    secrets.get().await.unwrap();
    aws.stop().await;
    secrets.get().await.expect("they are fresh");
    clock.advance(MAX_STALE_AGE - TimeDelta::seconds(1));
    secrets.get().await.expect("they may be used while nothing answers");
    clock.advance(TimeDelta::seconds(1));
    assert!(secrets.get().await.is_err());
}

#[tokio::test]
async fn a_webhook_key_is_rotated_in_warm_functions_without_a_token_that_is_refused() {
    const NEW_KEY: &str = "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=";
    let (aws, clock) = (aws().await, TestClock::standing(noon()));
    let (signer, verifier) = (secrets(&aws, &clock), secrets(&aws, &clock));
    let client = aws_sdk_secretsmanager::Client::new(&aws.sdk);
    let channel = ChannelId::from("c");
    let token_of = async || signer.get().await.unwrap().webhook_keys.sign(&channel, key(1, 2));
    let accepted =
        async |token: &SecretString| verifier.get().await.unwrap().webhook_keys.verify(&channel, token.expose_secret());
    let old = token_of().await;
    assert_eq!(accepted(&old).await, Some(key(1, 2)));
    // The new key second, and an hour later first: functions that have not heard of it yet still agree.
    for (keys, news) in [([WEBHOOK_KEY, NEW_KEY], false), ([NEW_KEY, WEBHOOK_KEY], true)] {
        let secret = json!({ "googleClientSecret": "marked", "webhookKeys": keys }).to_string();
        client.put_secret_value().secret_id(SECRET).secret_string(secret).send().await.unwrap();
        assert_eq!(token_of().await.expose_secret(), old.expose_secret(), "a warm function goes on for minutes");
        clock.advance(MAX_STALE_AGE);
        let token = token_of().await;
        assert_eq!(token.expose_secret() != old.expose_secret(), news);
        assert_eq!([accepted(&old).await, accepted(&token).await], [Some(key(1, 2)); 2]);
    }
    // A week later the old one goes.
    let secret = json!({ "googleClientSecret": "marked", "webhookKeys": [NEW_KEY] }).to_string();
    client.put_secret_value().secret_id(SECRET).secret_string(secret).send().await.unwrap();
    clock.advance(TimeDelta::minutes(5));
    assert_eq!(accepted(&old).await, None);
}

#[tokio::test]
async fn an_error_about_the_secret_does_not_quote_it() {
    for bad in ["marked-and-no-json", r#"{"googleClientSecret":"marked","webhookKeys":["marked"]}"#] {
        let (aws, clock) = (aws_with_secret(bad).await, TestClock::standing(noon()));
        let error = secrets(&aws, &clock).get().await.unwrap_err();
        assert!(!format!("{error:?}").contains("marked"), "{error:?}");
    }
}

// ── the sync queue and the bus ───────────────────────────────────────────────────────────────────────────────────────

#[tokio::test]
async fn a_message_arrives_as_it_was_sent() {
    let aws = aws().await;
    let client = aws_sdk_sqs::Client::new(&aws.sdk);
    let message = SyncMessage {
        key: key(1, 2),
        trigger: SyncTrigger::Webhook,
        tasks: vec![SyncTask::PullEvents],
        log_id: None,
        asked: None,
        notified_at: Some(noon()),
        due_at: None,
        changed_at: None,
        idle_hops: 3,
    };
    let sync_queue = SqsSyncQueue::new(client.clone(), Queues::url(QUEUE), Some(Queues::url(FIRST_SYNCS)));
    sync_queue.send(&message, Duration::ZERO).await.unwrap();
    sync_queue.send(&message, Duration::from_hours(2)).await.expect("a longer delay than SQS knows is cut");

    let received = client.receive_message().queue_url(Queues::url(QUEUE)).max_number_of_messages(10).send();
    let received = received.await.unwrap().messages.unwrap();
    assert_eq!(received.len(), 1, "the other one is delayed");
    assert_eq!(serde_json::from_str::<SyncMessage>(received[0].body().unwrap()).unwrap(), message);
}

#[tokio::test]
async fn a_message_for_a_first_sync_goes_to_a_queue_of_its_own() {
    let aws = aws().await;
    let client = aws_sdk_sqs::Client::new(&aws.sdk);
    let sync_queue = SqsSyncQueue::new(client.clone(), Queues::url(QUEUE), Some(Queues::url(FIRST_SYNCS)));
    for trigger in [SyncTrigger::Connect, SyncTrigger::Webhook, SyncTrigger::Poll, SyncTrigger::Lesson] {
        let message = SyncMessage::new(key(1, 2), trigger, Vec::new());
        sync_queue.send(&message, Duration::ZERO).await.unwrap();
    }
    for (queue, messages) in [(FIRST_SYNCS, 1), (QUEUE, 3)] {
        let received = client.receive_message().queue_url(Queues::url(queue)).max_number_of_messages(10).send();
        assert_eq!(received.await.unwrap().messages.unwrap().len(), messages, "{queue}");
    }
}

#[tokio::test]
async fn notices_arrive_with_their_kind_and_whose_they_are_however_many() {
    let aws = aws().await;
    let at = noon();
    let notices: Vec<Notice> = (0..25)
        .map(|n| Notice {
            id: Uuid::from_u128(n),
            key: key(1, 2),
            kind: NoticeKind::EventChangedInGoogle { lesson_id: lesson_id(7), deleted: true, put_back: false },
            at,
        })
        .collect();
    let bus = EventBridgeBus::new(aws_sdk_eventbridge::Client::new(&aws.sdk), "default".to_owned());
    bus.publish(&notices).await.unwrap();

    let arrived = aws.services.bus.latest(100).unwrap();
    assert_eq!(arrived.len(), 25);
    let first = arrived.iter().find(|arrived| arrived.detail["id"] == json!(Uuid::from_u128(0))).unwrap();
    assert_eq!((first.source.as_str(), first.detail_type.as_str()), ("calendar-sync", "event.changed_in_google"));
    let expected = json!({
        "id": Uuid::from_u128(0),
        "tenantId": key(1, 2).tenant_id,
        "instructorId": key(1, 2).instructor_id,
        "at": "2026-03-01T12:00:00.000Z",
        "type": "event.changed_in_google",
        "lessonId": lesson_id(7),
        "deleted": true,
        "putBack": false,
    });
    assert_eq!(first.detail, expected);
}

#[tokio::test]
async fn a_bus_that_does_not_answer_is_a_failure() {
    let mut aws = aws().await;
    aws.stop().await;
    let bus = EventBridgeBus::new(aws_sdk_eventbridge::Client::new(&aws.sdk), "default".to_owned());
    bus.publish(&[]).await.expect("nothing to say needs no bus");
    let kind = NoticeKind::SyncFailing { code: "x".to_owned() };
    let notice = Notice { id: Uuid::nil(), key: key(1, 2), kind, at: DateTime::UNIX_EPOCH };
    assert!(bus.publish(&[notice]).await.is_err());
}
