//! Lessons that changed: marks their mappings and rings, for every instructor who has a connection (design rule P5).

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use crate::{
    Result,
    model::{ConnectionKey, Lesson, SyncTrigger, WishKind},
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
    /// Marks and rings, once for each connection.
    pub async fn note(&self, changes: &[LessonChange]) -> Result<()> {
        let mut marks: BTreeMap<ConnectionKey, BTreeMap<crate::model::LessonId, LessonMark>> = BTreeMap::new();
        for (key, mark) in changes.iter().flat_map(LessonChange::concerns) {
            marks.entry(key).or_default().insert(mark.lesson_id, mark);
        }
        for (key, marks) in marks {
            let Some(credentials) = self.store.credentials(key).await? else { continue };
            let marks: Vec<LessonMark> = marks.into_values().collect();
            self.store.mark_dirty(key, &marks, self.clock.now()).await?;
            if credentials.blocked().is_none() && credentials.settings.auto_sync {
                let wishes = BTreeSet::from([WishKind::Lessons]).into_iter().collect();
                let ring = Ring { key, trigger: SyncTrigger::Lesson, wishes, log_id: None, asked: None };
                self.doorbell.ring(&ring, Duration::ZERO).await?;
            }
        }
        Ok(())
    }
}
