//! Changes of the lessons table: marks the mappings of each connected instructor and sends a message. When our columns
//! of a fed lesson change, it tells the host, which keeps the lesson elsewhere.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use sha2::{Digest as _, Sha256};

use crate::{
    Error, Result,
    model::{ConnectionKey, Lesson, LessonId, Notice, NoticeKind, SyncTask, SyncTrigger, connection::Blocked},
    ports::{Clock, LessonMark, NoticeBus, Store, SyncMessage, SyncQueue},
};

/// A row of the host's table before and after a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LessonChange {
    /// `None` for a new row.
    pub old: Option<Lesson>,
    /// `None` for a removed row.
    pub new: Option<Lesson>,
    pub at: DateTime<Utc>,
}

impl LessonChange {
    /// The connections whose calendars the change concerns. A change of our own columns concerns none.
    fn concerns(&self) -> Vec<(ConnectionKey, LessonMark)> {
        let matters = |lesson: &Lesson| (lesson.instructor_id, lesson.status, lesson.content.clone());
        if self.old.as_ref().map(matters) == self.new.as_ref().map(matters) {
            return Vec::new();
        }
        let sides = [&self.old, &self.new].into_iter().flatten();
        sides
            .map(|lesson| {
                let key = ConnectionKey { tenant_id: lesson.tenant_id, instructor_id: lesson.instructor_id };
                let content = &lesson.content;
                (key, LessonMark { lesson_id: lesson.id, starts_at: content.starts_at, ends_at: content.ends_at })
            })
            .collect()
    }

    /// The notice that our columns of a fed lesson changed. The stream serves as the outbox: a record comes again until
    /// its notice is delivered, under the same id.
    fn notice(&self) -> Option<Notice> {
        let ours = |lesson: &Lesson| {
            (lesson.google_calendar_event_id.clone(), lesson.calendar_sync_status, lesson.has_conflict)
        };
        let new = self.new.as_ref().filter(|lesson| lesson.feed_version.is_some())?;
        if self.old.as_ref().map(ours).unwrap_or_default() == ours(new) {
            return None;
        }
        let revision = new.calendar_sync_revision;
        let digest = Sha256::digest(format!("{} {} {revision}", new.tenant_id, new.id));
        let kind = NoticeKind::LessonSyncChanged {
            lesson_id: new.id,
            revision,
            google_event_id: new.google_calendar_event_id.clone(),
            sync_status: new.calendar_sync_status,
            has_conflict: new.has_conflict,
        };
        Some(Notice {
            id: uuid::Builder::from_custom_bytes(std::array::from_fn(|byte| digest[byte])).into_uuid(),
            key: ConnectionKey { tenant_id: new.tenant_id, instructor_id: new.instructor_id },
            kind,
            at: self.at,
        })
    }
}

/// Some changes could not be noted; those of other connections were.
#[derive(Debug)]
pub struct NotNoted {
    /// The index of the first change that was not.
    pub first: usize,
    pub error: Error,
}

/// The changes for one connection.
#[derive(Debug, PartialEq, Eq)]
struct Concern {
    /// The index of the first change that concerns it.
    first: usize,
    /// When the earliest of them was made.
    since: DateTime<Utc>,
    /// Its lessons, each with its last mark.
    marks: BTreeMap<LessonId, LessonMark>,
}

/// Groups changes by connection.
fn by_connection(changes: &[LessonChange]) -> BTreeMap<ConnectionKey, Concern> {
    let mut concerns = BTreeMap::new();
    for (place, change) in changes.iter().enumerate() {
        for (key, mark) in change.concerns() {
            let concern =
                concerns.entry(key).or_insert(Concern { first: place, since: change.at, marks: BTreeMap::new() });
            concern.since = concern.since.min(change.at);
            concern.marks.insert(mark.lesson_id, mark);
        }
    }
    concerns
}

pub struct NoteLessonChanges {
    pub store: Arc<dyn Store>,
    pub sync_queue: Arc<dyn SyncQueue>,
    /// Where hosts of fed lessons receive notices.
    pub bus: Arc<dyn NoticeBus>,
    pub clock: Arc<dyn Clock>,
}

impl NoteLessonChanges {
    /// Marks mappings, sends a message for each connection, and publishes notices. A failure for one connection does
    /// not affect the others.
    pub async fn note(&self, changes: &[LessonChange]) -> Result<(), NotNoted> {
        let mut failed: Option<NotNoted> = None;
        for (key, Concern { first, since, marks }) in by_connection(changes) {
            let Err(error) = self.note_for(key, marks.into_values().collect(), since).await else { continue };
            tracing::warn!(connection = %key, %error, "lesson changes could not be noted");
            if failed.as_ref().is_none_or(|failed| first < failed.first) {
                failed = Some(NotNoted { first, error });
            }
        }
        if let Err(untold) = self.tell(changes).await
            && failed.as_ref().is_none_or(|failed| untold.first < failed.first)
        {
            failed = Some(untold);
        }
        failed.map_or(Ok(()), Err)
    }

    async fn tell(&self, changes: &[LessonChange]) -> Result<(), NotNoted> {
        let (places, notices): (Vec<usize>, Vec<Notice>) =
            changes.iter().enumerate().filter_map(|(place, change)| Some((place, change.notice()?))).unzip();
        let Some(first) = places.first().copied() else { return Ok(()) };
        self.bus.publish(&notices).await.map_err(|error| NotNoted { first, error })
    }

    async fn note_for(&self, key: ConnectionKey, marks: Vec<LessonMark>, since: DateTime<Utc>) -> Result<()> {
        let Some(credentials) = self.store.credentials(key).await? else { return Ok(()) };
        if credentials.blocked() == Some(Blocked::Disconnecting) {
            // Its mappings are about to be deleted; a new one would stay.
            return Ok(());
        }
        self.store.mark_dirty(key, &marks, self.clock.now()).await?;
        if credentials.blocked().is_none() && credentials.settings.auto_sync {
            let message = SyncMessage {
                changed_at: Some(since),
                ..SyncMessage::new(key, SyncTrigger::Lesson, vec![SyncTask::PushLessons])
            };
            self.sync_queue.send(&message, Duration::ZERO).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::{model::SyncStatus, testing};

    fn lesson(id: u128, instructor: u128) -> Lesson {
        testing::lesson(testing::key(0, instructor), id, "Piano", DateTime::UNIX_EPOCH)
    }

    #[test]
    fn each_connection_knows_the_first_change_that_concerns_it_and_since_when_it_waits() {
        let at = |second| DateTime::UNIX_EPOCH + chrono::TimeDelta::seconds(second);
        let flagged = Lesson { has_conflict: true, ..lesson(1, 1) };
        let changes = [
            LessonChange { old: Some(lesson(1, 1)), new: Some(flagged), at: at(1) },
            LessonChange { old: None, new: Some(lesson(2, 2)), at: at(4) },
            LessonChange { old: Some(lesson(2, 2)), new: Some(lesson(2, 1)), at: at(3) },
            LessonChange { old: Some(lesson(3, 1)), new: None, at: at(5) },
        ];
        let found: Vec<(usize, DateTime<Utc>, Vec<LessonId>)> = by_connection(&changes)
            .into_values()
            .map(|concern| (concern.first, concern.since, concern.marks.into_keys().collect()))
            .collect();
        let ids = |ids: &[u128]| ids.iter().map(|id| LessonId(Uuid::from_u128(*id))).collect::<Vec<_>>();
        assert_eq!(found, [(2, at(3), ids(&[2, 3])), (1, at(3), ids(&[2]))], "our own columns concern no connection");
    }

    /// The notice when a lesson that was `old` becomes `new`.
    fn told(old: Option<Lesson>, new: Option<Lesson>) -> Option<Notice> {
        LessonChange { old, new, at: DateTime::UNIX_EPOCH }.notice()
    }

    #[test]
    fn the_host_of_a_fed_lesson_is_told_whenever_our_columns_change_and_only_then() {
        let fed = Lesson { feed_version: Some(1), ..lesson(1, 1) };
        let synced = Lesson {
            google_calendar_event_id: Some("e".to_owned()),
            calendar_sync_status: Some(SyncStatus::Synced),
            calendar_sync_revision: 1,
            ..fed.clone()
        };
        let flagged = Lesson { has_conflict: true, calendar_sync_revision: 2, ..synced.clone() };
        let notice = told(Some(synced.clone()), Some(flagged.clone())).unwrap();
        let kind = NoticeKind::LessonSyncChanged {
            lesson_id: fed.id,
            revision: 2,
            google_event_id: Some("e".to_owned()),
            sync_status: Some(SyncStatus::Synced),
            has_conflict: true,
        };
        assert_eq!(notice.kind, kind);
        assert_eq!(told(Some(synced.clone()), Some(flagged.clone())).unwrap().id, notice.id, "repeats keep their id");
        assert_ne!(told(Some(fed.clone()), Some(synced.clone())).unwrap().id, notice.id);
        let newer = Lesson { feed_version: Some(2), ..synced.clone() };
        let others = [
            (None, Some(fed.clone())),
            (Some(synced.clone()), Some(newer)),
            (Some(synced.clone()), None),
            (Some(lesson(1, 1)), Some(Lesson { has_conflict: true, ..lesson(1, 1) })),
        ];
        for (old, new) in others {
            assert_eq!(told(old.clone(), new.clone()), None, "{old:?} {new:?}");
        }
    }
}
