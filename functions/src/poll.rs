//! The schedule of each minute: rings for the connections whose poll is due.

use calendar_sync::{Result, bootstrap::Bootstrap, usecases::ring_due::RingDue};
use serde_json::Value;

/// What the function needs.
pub struct Deps {
    due: RingDue,
}

impl Deps {
    /// Makes it at cold start.
    #[expect(clippy::unused_async, reason = "all functions are made alike")]
    pub async fn new(bootstrap: &Bootstrap) -> Result<Self> {
        let due = RingDue {
            store: bootstrap.store(),
            doorbell: bootstrap.doorbell()?,
            clock: bootstrap.clock(),
            random: bootstrap.random(),
        };
        Ok(Self { due })
    }
}

/// Handles a schedule's event, whatever it says.
pub async fn handle(deps: &Deps, _event: Value) -> Result<()> {
    let rung = deps.due.ring().await?;
    tracing::info!(rung, "polled");
    Ok(())
}
