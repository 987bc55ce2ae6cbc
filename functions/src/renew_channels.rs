//! The hourly schedule that renews push channels before they expire.

use calendar_sync::{Result, bootstrap::Bootstrap, usecases::renew_channels::RenewChannels};
use serde_json::Value;

pub struct Deps {
    renew: RenewChannels,
}

impl Deps {
    #[expect(clippy::unused_async, reason = "all functions are made alike")]
    pub async fn new(bootstrap: &Bootstrap) -> Result<Self> {
        let renew =
            RenewChannels { store: bootstrap.store(), sync_queue: bootstrap.sync_queue()?, clock: bootstrap.clock() };
        Ok(Self { renew })
    }
}

/// Handles a schedule's event, whose content does not matter.
pub async fn handle(deps: &Deps, _event: Value) -> Result<()> {
    let sent = deps.renew.dispatch().await?;
    tracing::info!(sent, "renewals");
    Ok(())
}
