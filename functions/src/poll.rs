//! The schedule of each minute: rings for the connections whose poll is due.

use calendar_sync::{Result, bootstrap::Bootstrap, usecases::dispatch_due_polls::DispatchDuePolls};
use serde_json::Value;

/// What the function needs.
pub struct Deps {
    due: DispatchDuePolls,
}

impl Deps {
    /// Makes it at cold start.
    #[expect(clippy::unused_async, reason = "all functions are made alike")]
    pub async fn new(bootstrap: &Bootstrap) -> Result<Self> {
        let due = DispatchDuePolls {
            store: bootstrap.store(),
            sync_queue: bootstrap.sync_queue()?,
            clock: bootstrap.clock(),
            random: bootstrap.random(),
        };
        Ok(Self { due })
    }
}

/// Handles a schedule's event, whatever it says.
pub async fn handle(deps: &Deps, _event: Value) -> Result<()> {
    let sent = deps.due.dispatch().await?;
    tracing::info!(sent, "polled");
    Ok(())
}
