//! What the pages of a listing mentioned.

use async_trait::async_trait;
use calendar_sync::{
    Result,
    model::{ConnectionKey, Mentions},
    ports::MentionStore,
};
use chrono::{DateTime, Utc};

use super::{MemoryStore, Table};

#[async_trait]
impl MentionStore for MemoryStore {
    async fn put_mentions(
        &self,
        key: ConnectionKey,
        listing: DateTime<Utc>,
        page: u32,
        mentions: &Mentions,
    ) -> Result<()> {
        self.write(Table::Mentions, |tables| drop(tables.mentions.insert((key, listing, page), mentions.clone()))).await
    }

    async fn mentions(&self, key: ConnectionKey, listing: DateTime<Utc>, first: u32) -> Result<Mentions> {
        self.read(|tables| {
            let mut all = Mentions::default();
            let pages = tables.mentions.range((key, listing, first)..=(key, listing, u32::MAX));
            pages.for_each(|(_, page)| all.extend_from_bytes(&page.to_bytes()));
            all
        })
        .await
    }

    async fn forget_mentions(&self, key: ConnectionKey) -> Result<()> {
        self.write(Table::Mentions, |tables| tables.mentions.retain(|(of, ..), _| *of != key)).await
    }
}
