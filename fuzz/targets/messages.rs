//! Messages of the queues, records of the lessons' stream, sealed secrets, channel tokens and event ids.
//! Input: which of them, then the thing itself.
#![no_main]

use std::sync::LazyLock;

use aws_lambda_events::event::{
    dynamodb,
    sqs::{SqsEvent, SqsMessage},
};
use calendar_functions::lesson_changes;
use calendar_fuzz::{KEY, bootstrap, text, wait};
use calendar_sync::{
    jobs,
    model::{ChannelId, EventId, OwnEventId, SealedSecret, WebhookKeys},
    ports::TokenVault,
};
use libfuzzer_sys::fuzz_target;

static LESSON_CHANGES: LazyLock<lesson_changes::Deps> =
    LazyLock::new(|| wait(async { lesson_changes::Deps::new(&bootstrap()).await.expect("a start") }));
static VAULT: LazyLock<std::sync::Arc<dyn TokenVault>> = LazyLock::new(|| bootstrap().vault().expect("a vault"));
static KEYS: LazyLock<WebhookKeys> =
    LazyLock::new(|| wait(async { bootstrap().webhook_keys().await.expect("the keys") }));

fuzz_target!(|data: &[u8]| {
    let Some((kind, rest)) = data.split_first() else { return };
    let words = text(Some(rest));
    match kind % 5 {
        0 => {
            let _ = jobs::lesson_feed::read(&words);
            let mut message = SqsMessage::default();
            message.body = Some(words);
            let mut event = SqsEvent::default();
            event.records = vec![message];
            wait(jobs::each_worker_message(event, async |_| Ok(())));
        }
        1 => {
            let Ok(event) = serde_json::from_slice::<dynamodb::Event>(rest) else { return };
            let answered = wait(lesson_changes::handle(&LESSON_CHANGES, event));
            assert!(answered.is_ok(), "a record that cannot be read takes no other along");
        }
        2 => {
            let sealed = SealedSecret(words);
            assert!(wait(VAULT.open(KEY, &sealed)).is_err());
            let _ = VAULT.is_stale(&sealed);
        }
        3 => assert_eq!(KEYS.verify(&ChannelId::from("channel"), &words), None, "a token cannot be guessed"),
        _ => {
            let id = EventId(words);
            if let Some(own) = OwnEventId::decode(KEY, &id) {
                assert!(id.0.starts_with(&own.encode(KEY).0));
            }
            let _ = OwnEventId::part(&id);
        }
    }
});
