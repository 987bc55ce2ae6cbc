//! Delivers committed notices from the outbox to the event bus, at least once.

use crate::{
    Result,
    model::ConnectionKey,
    ports::{NoticeBus, Store},
};

/// How many are read and published at a time; `PutEvents` takes ten.
const NOTICES_PER_BATCH: usize = 10;

/// Delivers the pending notices of one connection. Those that fail stay in the outbox.
pub async fn deliver(store: &dyn Store, bus: &dyn NoticeBus, key: ConnectionKey) -> Result<()> {
    loop {
        let pending = store.pending_notices(key, NOTICES_PER_BATCH).await?;
        if pending.is_empty() {
            return Ok(());
        }
        bus.publish(&pending).await?;
        store.delivered(key, &pending).await?;
        if pending.len() < NOTICES_PER_BATCH {
            return Ok(());
        }
    }
}
