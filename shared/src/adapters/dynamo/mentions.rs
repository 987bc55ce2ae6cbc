//! What the pages of a listing mentioned: an item for each page beside the mappings, of 20 KB for the largest.

use async_trait::async_trait;
use aws_sdk_dynamodb::{primitives::Blob, types::AttributeValue};
use chrono::{DateTime, Utc};

use super::{
    DynamoStore,
    items::text,
    keys::{self, MENTIONS},
    requests::Query,
};
use crate::{
    Result,
    model::{ConnectionKey, Mentions},
    ports::MentionStore,
};

const DIGESTS: &str = "digests";

#[async_trait]
impl MentionStore for DynamoStore {
    async fn put_mentions(
        &self,
        key: ConnectionKey,
        listing: DateTime<Utc>,
        page: u32,
        mentions: &Mentions,
    ) -> Result<()> {
        let mut item = keys::mentions(key, listing, page);
        item.insert(DIGESTS.to_owned(), AttributeValue::B(Blob::new(mentions.to_bytes())));
        self.put(&self.names.mappings, item).await
    }

    async fn mentions(&self, key: ConnectionKey, listing: DateTime<Utc>, first: u32) -> Result<Mentions> {
        let [from, to] = [first, u32::MAX].map(|page| keys::mentions_page(listing, page));
        let found = self
            .query(Query {
                table: &self.names.mappings,
                condition: "#connection = :connection AND #item BETWEEN :from AND :to",
                values: vec![(":connection", text(key)), (":from", text(from)), (":to", text(to))],
                ..Query::default()
            })
            .await?;
        let mut mentions = Mentions::default();
        for item in found {
            if let Some(AttributeValue::B(digests)) = item.get(DIGESTS) {
                mentions.extend_from_bytes(digests.as_ref());
            }
        }
        Ok(mentions)
    }

    async fn forget_mentions(&self, key: ConnectionKey) -> Result<()> {
        self.clear_beside(key, &[MENTIONS]).await
    }
}
