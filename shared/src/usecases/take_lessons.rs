//! Lessons that come by the feed: each version is stored unless a later one is known, and a message of which something is
//! refused goes to the dead letters (design rule R18). The table's stream does the rest.

use std::sync::Arc;

use chrono::TimeDelta;

use super::concurrently::concurrently;
use crate::{
    Result,
    model::LessonVersion,
    ports::{Clock, DeadLetters, Store},
};

/// How long the version of a removed lesson is remembered: longer than a message may wait in the queue and then among
/// the dead letters, a fortnight each.
const REMEMBERED: TimeDelta = TimeDelta::days(30);

/// What one message of the queue tells.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// The versions in it.
    pub versions: Vec<LessonVersion>,
    /// Why all or some of it is refused.
    pub refused: Option<String>,
}

/// Takes lessons.
pub struct TakeLessons {
    /// Where lessons are.
    pub store: Arc<dyn Store>,
    /// What is refused.
    pub dead_letters: Arc<dyn DeadLetters>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

impl TakeLessons {
    /// Stores the versions that a queue message tells, in whatever order, and keeps the message if something of it is
    /// refused. All of it may be repeated when it fails.
    ///
    /// A message is kept whole and in one piece: what came by one queue fits into the other, character by character, and
    /// of several pieces those before one that fails would be kept again each time the message comes again.
    pub async fn take(&self, body: &str, told: &Told) -> Result<()> {
        let now = self.clock.now();
        let saves = told.versions.iter().map(|version| self.store.save_lesson_version(version, now, now + REMEMBERED));
        concurrently(saves.collect()).await?;
        if let Some(reason) = &told.refused {
            tracing::warn!(reason, "a message of the lesson feed is refused");
            self.dead_letters.keep(body, reason).await?;
        }
        Ok(())
    }
}
