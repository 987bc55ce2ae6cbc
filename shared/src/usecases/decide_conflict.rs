//! A person's decision on a conflict: that its overlap is fine, or that it counts after all.
//!
//! The decision is stored at once, beside a run that may be under way. It marks the lesson, so that the next run writes its
//! columns again, which an earlier run may have written as it read them before.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;

use crate::{
    Error, ErrorKind, Result,
    decide::pair_state::{PairDecision, put_into},
    model::{
        ConflictChange, ConflictId, ConnectionKey, Ignored, LessonId, Notice, NoticeKind, PairState, PersonRole,
        SchedulingConflict, SyncTask, SyncTrigger,
    },
    ports::{Clock, Random, Store, SyncMessage, SyncQueue},
};

/// What the decision owes is done within this time, also when the process dies right after storing it.
const TAKES_EFFECT_WITHIN: TimeDelta = TimeDelta::minutes(1);
/// How often a decision is made anew when a run, or another person, stores conflicts of the lesson meanwhile.
const MAX_ATTEMPTS: usize = 5;

#[derive(Debug, Clone)]
pub struct Decision {
    pub state: PairState,
    /// The subject of the person's token.
    pub by: String,
    pub role: PersonRole,
}

pub struct DecideConflict {
    pub store: Arc<dyn Store>,
    /// For the run that delivers the notice and compares the lesson again.
    pub sync_queue: Arc<dyn SyncQueue>,
    pub clock: Arc<dyn Clock>,
    /// For the notice's id.
    pub random: Arc<dyn Random>,
}

impl DecideConflict {
    /// Puts the conflict into the state that the person decided on, and returns it. One that is in it already stays as it
    /// is, and nothing is told.
    pub async fn decide(&self, key: ConnectionKey, id: ConflictId, decision: &Decision) -> Result<SchedulingConflict> {
        let store = &self.store;
        for _ in 0..MAX_ATTEMPTS {
            let now = self.clock.now();
            // The mapping comes first: its version tells whether the pairs are still those that are read after it.
            let Some(mapping) = store.mapping(key, id.lesson_id).await? else { return Err(self.unknown(key).await) };
            let stored = store.conflicts_of_lesson(key, id.lesson_id).await?;
            let word = Ignored { by: decision.by.clone(), role: decision.role, at: now };
            let (pair, flags) = match put_into(decision.state, id, &mapping, &stored, word) {
                PairDecision::Unknown => return Err(self.unknown(key).await),
                PairDecision::TooMany => return Err(too_many()),
                PairDecision::Stands(pair) => {
                    // The process that stored it may have died before this.
                    if mapping.mark.is_set {
                        self.follow_up(key, id.lesson_id, mapping.has_conflict).await?;
                    }
                    return Ok(pair);
                }
                PairDecision::Changes(pair, flags) => (pair, flags),
            };
            let kind = NoticeKind::ConflictsChanged { conflicts: vec![ConflictChange::decided(&pair)] };
            let notice = Notice { id: self.random.uuid(), key, kind, at: now };
            // A poll is due before anything changes, in case this process dies on the way.
            store.schedule(key, Some(now + TAKES_EFFECT_WITHIN)).await?;
            if store.decide_conflict(key, &pair, flags, &notice).await? {
                tracing::info!(connection = %key, state = ?decision.state, "a person decided on a conflict");
                self.follow_up(key, id.lesson_id, flags.has_conflict).await?;
                return Ok(pair);
            }
        }
        Err(Error::unavailable("store_unavailable", "the conflicts of the lesson changed again and again"))
    }

    /// Flags the host's row, also of a connection for which nothing runs, and has a run see to the rest. Meanwhile a run or
    /// another person may have flagged the row, and this write comes after theirs: so the mapping is read again after the
    /// row, until both agree. A lesson without a mapping has no conflict.
    async fn follow_up(&self, key: ConnectionKey, lesson: LessonId, mut has_conflict: bool) -> Result<()> {
        loop {
            self.store.flag_lesson(key, lesson, has_conflict).await?;
            let stored = self.store.mapping(key, lesson).await?.is_some_and(|mapping| mapping.has_conflict);
            if stored == has_conflict {
                break;
            }
            has_conflict = stored;
        }
        let message = SyncMessage::new(key, SyncTrigger::Lesson, vec![SyncTask::PushLessons]);
        self.sync_queue.send(&message, Duration::ZERO).await
    }

    /// There is no such conflict; of an instructor who does not exist, the error of anything that does not exist.
    async fn unknown(&self, key: ConnectionKey) -> Error {
        match self.store.instructor_exists(key).await {
            Ok(true) => Error::unknown_conflict(),
            Ok(false) => Error::not_found(),
            Err(error) => error,
        }
    }
}

fn too_many() -> Error {
    Error::new(
        ErrorKind::Conflict,
        "too_many_ignored",
        "Twenty conflicts of this lesson are ignored already; of more it has to be said first that they count.",
    )
}
