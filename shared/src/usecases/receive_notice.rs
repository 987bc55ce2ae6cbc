//! A push notice of Google: verified, turned into one ring of the bell, and answered. No table is touched, and
//! nothing in the notice is believed but whose channel it is (design rules S4, P2).

use std::{sync::Arc, time::Duration};

use crate::{
    Error, ErrorKind, Result,
    model::{ChannelId, SyncTrigger, WishKind, channel_token::WebhookKeys},
    ports::{Clock, Doorbell, Ring},
};

/// Receives notices.
pub struct ReceiveNotice {
    /// What channel tokens are signed with.
    pub keys: WebhookKeys,
    /// Rings for a sync.
    pub doorbell: Arc<dyn Doorbell>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// The headers of a notice.
#[derive(Debug)]
pub struct PushNotice<'a> {
    /// `X-Goog-Channel-ID`.
    pub channel_id: &'a str,
    /// `X-Goog-Channel-Token`.
    pub channel_token: &'a str,
    /// `X-Goog-Resource-State`.
    pub resource_state: &'a str,
}

impl ReceiveNotice {
    /// Takes a notice in.
    pub async fn receive(&self, notice: &PushNotice<'_>) -> Result<()> {
        let channel = ChannelId::from(notice.channel_id);
        let Some(key) = self.keys.verify(&channel, notice.channel_token) else {
            return Err(Error::new(ErrorKind::NotFound, "unknown_channel", "There is no such channel."));
        };
        // The first message of a channel says that it is open, not that anything changed.
        if notice.resource_state == "sync" {
            return Ok(());
        }
        let ring = Ring {
            noticed_at: Some(self.clock.now()),
            ..Ring::new(key, SyncTrigger::Webhook, vec![WishKind::Inbound])
        };
        self.doorbell.ring(&ring, Duration::ZERO).await
    }
}
