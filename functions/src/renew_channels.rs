//! The schedule that renews push channels before they end.

use calendar_sync::{Result, bootstrap::Bootstrap, usecases::renew_channels::RenewChannels};
use serde_json::Value;

/// What the function needs.
pub struct Deps {
    renew: RenewChannels,
}

impl Deps {
    /// Makes it at cold start.
    #[expect(clippy::unused_async, reason = "all functions are made alike")]
    pub async fn new(bootstrap: &Bootstrap) -> Result<Self> {
        let renew =
            RenewChannels { store: bootstrap.store(), sync_queue: bootstrap.sync_queue()?, clock: bootstrap.clock() };
        Ok(Self { renew })
    }
}

/// Handles a schedule's event, whatever it says.
pub async fn handle(deps: &Deps, _event: Value) -> Result<()> {
    let sent = deps.renew.dispatch().await?;
    tracing::info!(sent, "renewals");
    Ok(())
}
