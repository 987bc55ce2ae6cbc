//! Lessons of the feed: stores each version unless a later one is known, and puts messages that are refused, whole or
//! in part, among the dead letters. The table's stream does the rest.

use std::sync::Arc;

use chrono::TimeDelta;

use crate::{
    Result,
    model::LessonVersion,
    ports::{Clock, DeadLetters, Store},
    services::concurrently::concurrently,
};

/// How long the version of a removed lesson is remembered: longer than a message can wait in the queue and then among
/// the dead letters, 14 days each.
const REMOVED_VERSION_RETENTION: TimeDelta = TimeDelta::days(30);

/// The content of one queue message.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Told {
    pub versions: Vec<LessonVersion>,
    /// Why all or part of the message is refused.
    pub refused: Option<String>,
}

pub struct TakeLessons {
    pub store: Arc<dyn Store>,
    pub dead_letters: Arc<dyn DeadLetters>,
    pub clock: Arc<dyn Clock>,
}

impl TakeLessons {
    /// Stores the versions of a queue message, in any order, and keeps the message if a part of it is refused. All of
    /// it may be repeated after a failure.
    ///
    /// A refused message is kept whole: it then fits into the queue that it came from, unchanged, and a repeat after a
    /// failure does not keep parts of it a second time.
    pub async fn take(&self, body: &str, told: &Told) -> Result<()> {
        let now = self.clock.now();
        let saves = told
            .versions
            .iter()
            .map(|version| self.store.save_lesson_version(version, now, now + REMOVED_VERSION_RETENTION));
        concurrently(saves.collect()).await?;
        if let Some(reason) = &told.refused {
            tracing::warn!(reason, "a message of the lesson feed is refused");
            self.dead_letters.keep(body, reason).await?;
        }
        Ok(())
    }
}
