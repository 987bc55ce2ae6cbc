//! What a stored listing leaves to be committed.

use chrono::{DateTime, Utc};

use crate::{
    decide::push::{self, Brought},
    model::{Cursor, SyncState},
};

/// A listing whose items are stored, to be committed at the end of the run.
#[derive(Debug)]
pub struct Listed {
    /// Where the next listing resumes; `None` when this one is not complete.
    pub cursor: Option<Cursor>,
    pub began: DateTime<Utc>,
    pub brought: Brought,
}

impl Listed {
    /// Whether it is complete, so that the cursor may move.
    pub fn is_good(&self) -> bool {
        self.cursor.is_some()
    }

    /// Moves the cursor: everything that it covers is stored by now. `announced`: a push notification asked for it.
    pub fn commit(self, announced: bool, state: &mut SyncState) {
        if self.cursor.is_some() {
            state.listing = None;
            state.days_move = false;
            state.doubted_since = push::doubted_after_listing(state.doubted_since, announced, self.brought, self.began);
            state.cursor = self.cursor;
            state.listed_at = Some(self.began);
            state.push_health = push::after_listing(state, self.began);
        }
    }
}
