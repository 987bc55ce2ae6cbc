//! What the pages of a listing mentioned, until the listing is closed.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::{
    Result,
    model::{ConnectionKey, Mentions},
};

/// A listing is named by when it began.
#[async_trait]
pub trait MentionStore: Send + Sync {
    /// Notes what a page mentioned, counted from 0; a page that comes again replaces the earlier one.
    async fn put_mentions(
        &self,
        key: ConnectionKey,
        listing: DateTime<Utc>,
        page: u32,
        mentions: &Mentions,
    ) -> Result<()>;
    /// What the pages from `first` on mentioned.
    async fn mentions(&self, key: ConnectionKey, listing: DateTime<Utc>, first: u32) -> Result<Mentions>;
    /// Forgets what any listing mentioned.
    async fn forget_mentions(&self, key: ConnectionKey) -> Result<()>;
}
