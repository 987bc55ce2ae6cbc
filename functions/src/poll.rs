//! The schedule of each minute: sends messages for the connections whose poll is due.

use calendar_sync::{Result, bootstrap::Bootstrap, usecases::dispatch_due_polls::DispatchDuePolls};
use serde_json::Value;

pub struct Deps {
    due: DispatchDuePolls,
}

impl Deps {
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

/// Handles a schedule's event, whose content does not matter.
pub async fn handle(deps: &Deps, _event: Value) -> Result<()> {
    deps.due.dispatch().await.map(drop)
}
