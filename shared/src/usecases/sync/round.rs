//! What the steps of a round work with, and how they store how far they are.

use super::{Failure, Report, SyncCalendar, SyncRequest};
use crate::{decide::job::Job, model::SyncState};

/// What a round works with.
pub struct Round<'a> {
    /// The services.
    pub sync: &'a SyncCalendar,
    /// What was asked for.
    pub request: &'a SyncRequest,
    pub job: &'a Job,
    /// The account of the run.
    pub report: &'a mut Report,
    /// The state under the lease. Its cursor moves at the very end.
    pub state: &'a mut SyncState,
}

impl Round<'_> {
    /// Stores the state as it is, if the lease is still ours.
    pub async fn save(&mut self) -> Result<(), Failure> {
        let saved = self.sync.google.store.save_state(self.request.key, self.state).await?;
        if saved { Ok(()) } else { Err(Failure::LeaseLost) }
    }
}
