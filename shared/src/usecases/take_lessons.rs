//! Lessons that come by the feed: each version is stored unless a later one is known, and what is refused goes to the
//! dead letters (design rule R18). The table's stream does the rest.

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

/// A message that is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// What was sent.
    pub body: String,
    /// Why it is refused.
    pub reason: String,
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
    /// Stores the versions that came with one queue message, in whatever order, and keeps what is refused. All of it may
    /// be repeated when it fails; what is refused comes last, so that it is rarely kept twice.
    pub async fn take(&self, messages: &[Result<LessonVersion, Refused>]) -> Result<()> {
        let forget_at = self.clock.now() + REMEMBERED;
        let versions = messages.iter().filter_map(|message| message.as_ref().ok());
        let saves = versions.map(|version| self.store.save_lesson_version(version, forget_at));
        concurrently(saves.collect()).await?;
        for Refused { body, reason } in messages.iter().filter_map(|message| message.as_ref().err()) {
            tracing::warn!(reason, "a message of the lesson feed is refused");
            self.dead_letters.keep(body, reason).await?;
        }
        Ok(())
    }
}
