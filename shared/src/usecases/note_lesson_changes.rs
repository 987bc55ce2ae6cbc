//! Lessons that changed: marks their mappings and rings, for every instructor who has a connection (design rule P5).

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use crate::{
    Error, Result,
    model::{ConnectionKey, Lesson, LessonId, SyncTrigger, WishKind, connection::Blocked},
    ports::{Clock, Doorbell, LessonMark, Ring, Store},
};

/// A row of the host's table before and after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LessonChange {
    /// Before; `None` for a new row.
    pub old: Option<Lesson>,
    /// After; `None` for a removed row.
    pub new: Option<Lesson>,
}

impl LessonChange {
    /// Whose calendars the change is to be seen in. Our own columns change nothing.
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
}

/// Not all changes could be noted; whatever concerns other connections was.
#[derive(Debug)]
pub struct NotNoted {
    /// The place of the first change that was not.
    pub first: usize,
    /// Why not.
    pub error: Error,
}

/// What changed for one connection.
#[derive(Debug, PartialEq, Eq)]
struct Concern {
    /// The place of the first change that concerns it.
    first: usize,
    /// Its lessons, each as it is marked last.
    marks: BTreeMap<LessonId, LessonMark>,
}

/// What the changes are to each connection.
fn by_connection(changes: &[LessonChange]) -> BTreeMap<ConnectionKey, Concern> {
    let mut concerns = BTreeMap::new();
    for (place, change) in changes.iter().enumerate() {
        for (key, mark) in change.concerns() {
            let concern = concerns.entry(key).or_insert(Concern { first: place, marks: BTreeMap::new() });
            concern.marks.insert(mark.lesson_id, mark);
        }
    }
    concerns
}

/// Notes lesson changes.
pub struct NoteLessonChanges {
    /// Where mappings are marked.
    pub store: Arc<dyn Store>,
    /// The bell.
    pub doorbell: Arc<dyn Doorbell>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

impl NoteLessonChanges {
    /// Marks and rings, once for each connection. One that fails takes no other along.
    pub async fn note(&self, changes: &[LessonChange]) -> Result<(), NotNoted> {
        let mut failed: Option<NotNoted> = None;
        for (key, Concern { first, marks }) in by_connection(changes) {
            let Err(error) = self.note_for(key, marks.into_values().collect()).await else { continue };
            tracing::warn!(connection = %key, %error, "lesson changes could not be noted");
            if failed.as_ref().is_none_or(|failed| first < failed.first) {
                failed = Some(NotNoted { first, error });
            }
        }
        failed.map_or(Ok(()), Err)
    }

    async fn note_for(&self, key: ConnectionKey, marks: Vec<LessonMark>) -> Result<()> {
        let Some(credentials) = self.store.credentials(key).await? else { return Ok(()) };
        if credentials.blocked() == Some(Blocked::Disconnecting) {
            // Its mappings are about to be forgotten; one that is made now would stay.
            return Ok(());
        }
        self.store.mark_dirty(key, &marks, self.clock.now()).await?;
        if credentials.blocked().is_none() && credentials.settings.auto_sync {
            let ring = Ring::new(key, SyncTrigger::Lesson, vec![WishKind::Lessons]);
            self.doorbell.ring(&ring, Duration::ZERO).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta};
    use uuid::Uuid;

    use super::*;
    use crate::model::{InstructorId, LessonContent, LessonStatus, TenantId};

    fn lesson(id: u128, instructor: u128) -> Lesson {
        Lesson {
            tenant_id: TenantId(Uuid::nil()),
            id: LessonId(Uuid::from_u128(id)),
            instructor_id: InstructorId(Uuid::from_u128(instructor)),
            status: LessonStatus::Scheduled,
            content: LessonContent {
                title: "Piano".to_owned(),
                starts_at: DateTime::UNIX_EPOCH,
                ends_at: DateTime::UNIX_EPOCH + TimeDelta::hours(1),
                time_zone: chrono_tz::Tz::UTC,
                description: None,
                location: None,
            },
            google_calendar_event_id: None,
            calendar_sync_status: None,
            has_conflict: false,
        }
    }

    #[test]
    fn each_connection_knows_the_first_change_that_concerns_it() {
        let flagged = Lesson { has_conflict: true, ..lesson(1, 1) };
        let changes = [
            LessonChange { old: Some(lesson(1, 1)), new: Some(flagged) },
            LessonChange { old: None, new: Some(lesson(2, 2)) },
            LessonChange { old: Some(lesson(2, 2)), new: Some(lesson(2, 1)) },
            LessonChange { old: Some(lesson(3, 1)), new: None },
        ];
        let found: Vec<(usize, Vec<LessonId>)> = by_connection(&changes)
            .into_values()
            .map(|concern| (concern.first, concern.marks.into_keys().collect()))
            .collect();
        let ids = |ids: &[u128]| ids.iter().map(|id| LessonId(Uuid::from_u128(*id))).collect::<Vec<_>>();
        assert_eq!(found, [(2, ids(&[2, 3])), (1, ids(&[2]))], "our own columns concern nobody");
    }
}
