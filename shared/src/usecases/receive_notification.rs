//! Receives a push notification: verifies it and sends one message. It reads no table, and trusts nothing in the
//! notification but the verified channel.

use std::{sync::Arc, time::Duration};

use crate::{
    Error, ErrorKind, Result,
    model::{ChannelId, SyncTask, SyncTrigger, channel_token::WebhookKeys},
    ports::{Clock, SyncMessage, SyncQueue},
};

pub struct ReceiveNotification {
    /// The keys of channel tokens.
    pub keys: WebhookKeys,
    pub sync_queue: Arc<dyn SyncQueue>,
    pub clock: Arc<dyn Clock>,
}

/// The headers of a push notification.
#[derive(Debug)]
pub struct PushNotification<'a> {
    /// `X-Goog-Channel-ID`.
    pub channel_id: &'a str,
    /// `X-Goog-Channel-Token`.
    pub channel_token: &'a str,
    /// `X-Goog-Resource-State`.
    pub resource_state: &'a str,
}

impl ReceiveNotification {
    pub async fn receive(&self, notification: &PushNotification<'_>) -> Result<()> {
        let channel = ChannelId::from(notification.channel_id);
        let Some(key) = self.keys.verify(&channel, notification.channel_token) else {
            return Err(Error::new(ErrorKind::NotFound, "unknown_channel", "There is no such channel."));
        };
        match notification.resource_state {
            // The first notification of a channel says that it is open, not that anything changed.
            "sync" => return Ok(()),
            "exists" | "not_exists" => {}
            _ => return Err(Error::field("X-Goog-Resource-State", "is not one of sync, exists and not_exists")),
        }
        let message = SyncMessage {
            notified_at: Some(self.clock.now()),
            ..SyncMessage::new(key, SyncTrigger::Webhook, vec![SyncTask::PullEvents])
        };
        self.sync_queue.send(&message, Duration::ZERO).await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use async_trait::async_trait;
    use chrono::{DateTime, TimeDelta, Utc};
    use data_encoding::BASE64;
    use secrecy::{ExposeSecret, SecretString};

    use super::*;
    use crate::{adapters::system::SystemClock, model::ConnectionKey, testing::key};

    const OWNER: ConnectionKey = key(1, 2);

    #[derive(Default)]
    struct TestQueue(Mutex<Vec<SyncMessage>>);

    #[async_trait]
    impl SyncQueue for TestQueue {
        async fn send(&self, message: &SyncMessage, _: Duration) -> Result<()> {
            self.0.lock().unwrap().push(message.clone());
            Ok(())
        }
    }

    fn now() -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::days(20_000)
    }

    fn keys(seeds: &[u8]) -> WebhookKeys {
        let keys: Vec<SecretString> = seeds.iter().map(|seed| BASE64.encode(&[*seed; 32]).into()).collect();
        WebhookKeys::from_base64(&keys).unwrap()
    }

    fn receiver(seeds: &[u8]) -> (ReceiveNotification, Arc<TestQueue>) {
        let sync_queue = Arc::new(TestQueue::default());
        (
            ReceiveNotification {
                keys: keys(seeds),
                sync_queue: sync_queue.clone(),
                clock: Arc::new(SystemClock::showing(now)),
            },
            sync_queue,
        )
    }

    /// A notification of `channel`, and whether it was accepted.
    async fn arrives(receiver: &ReceiveNotification, channel: &str, token: &str, state: &str) -> bool {
        let notification = PushNotification { channel_id: channel, channel_token: token, resource_state: state };
        let answer = receiver.receive(&notification).await;
        assert!(answer.as_ref().err().is_none_or(|error| error.kind() == ErrorKind::NotFound));
        answer.is_ok()
    }

    #[tokio::test]
    async fn a_notification_sends_a_message_at_once_that_says_when_it_was_received() {
        let (receiver, sync_queue) = receiver(&[1]);
        let token = keys(&[1]).sign(&ChannelId::from("c"), OWNER);
        assert!(arrives(&receiver, "c", token.expose_secret(), "sync").await);
        assert_eq!(*sync_queue.0.lock().unwrap(), [], "that a channel is open is no change");
        assert!(arrives(&receiver, "c", token.expose_secret(), "exists").await);
        let message = SyncMessage::new(OWNER, SyncTrigger::Webhook, vec![SyncTask::PullEvents]);
        assert_eq!(*sync_queue.0.lock().unwrap(), [SyncMessage { notified_at: Some(now()), ..message }]);
    }

    #[tokio::test]
    async fn a_signed_notification_of_an_unknown_kind_is_refused_by_the_name_of_its_header() {
        let (receiver, sync_queue) = receiver(&[1]);
        let token = keys(&[1]).sign(&ChannelId::from("c"), OWNER);
        for state in ["", "Exists", "exists,sync", "created"] {
            let channel_token = token.expose_secret();
            let notification = PushNotification { channel_id: "c", channel_token, resource_state: state };
            let error = receiver.receive(&notification).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid, "{state}");
            assert_eq!(error.details()[0].field, "X-Goog-Resource-State", "{state}");
        }
        assert!(arrives(&receiver, "c", token.expose_secret(), "not_exists").await);
        assert_eq!(sync_queue.0.lock().unwrap().len(), 1);
    }

    #[tokio::test]
    async fn twenty_thousand_forged_notifications_send_nothing() {
        let (receiver, sync_queue) = receiver(&[1, 2]);
        let good = keys(&[1]).sign(&ChannelId::from("c"), OWNER).expose_secret().to_owned();
        let stranger = keys(&[3]);
        for n in 0..5_000 {
            let channel = format!("c{n}");
            let by_a_stranger = stranger.sign(&ChannelId::from(channel.as_str()), OWNER);
            let mut spoilt = good.clone().into_bytes();
            let at = n % spoilt.len();
            spoilt[at] = if spoilt[at] == b'A' { b'B' } else { b'A' };
            // (The last character has unused bits, which have to be zero.)
            let spoilt = String::from_utf8(spoilt).unwrap();
            for (channel, token) in [
                (channel.as_str(), good.as_str()),
                (channel.as_str(), by_a_stranger.expose_secret()),
                ("c", spoilt.as_str()),
                (channel.as_str(), channel.as_str()),
            ] {
                assert!(!arrives(&receiver, channel, token, "exists").await, "{channel} {token}");
            }
        }
        assert_eq!(*sync_queue.0.lock().unwrap(), []);
    }

    /// As `docs/operations.md` says: the new key second, then first, then alone.
    #[tokio::test]
    async fn while_keys_are_rotated_no_notification_is_refused() {
        let token = |seeds: &[u8]| keys(seeds).sign(&ChannelId::from("c"), OWNER);
        let steps: [&[u8]; 4] = [&[1], &[1, 2], &[2, 1], &[2]];
        for step in steps.windows(2) {
            // Warm functions that sign may learn of a step before or after those that verify.
            for (signer, verifier) in [(step[0], step[1]), (step[1], step[0])] {
                let (receiver, _) = receiver(verifier);
                let accepted = arrives(&receiver, "c", token(signer).expose_secret(), "exists").await;
                assert!(accepted, "signed with {signer:?}, verified with {verifier:?}");
            }
        }
        let (receiver, _) = receiver(steps[3]);
        assert!(!arrives(&receiver, "c", token(steps[0]).expose_secret(), "exists").await, "the old key has gone");
    }
}
