//! The status of a connection: whether it works and why not, when it last did, and what its runs have done.

use std::{collections::BTreeMap, sync::Arc};

use chrono::{DateTime, Utc};

use crate::{
    Error, Result,
    decide::schedule,
    model::{
        CalendarEventMapping, ConnectionKey, InstructorCalendarCredentials, LessonId, ListingProgress, LogRow,
        SchedulingConflict, SyncLogId, SyncState,
    },
    ports::{Clock, Store},
};

/// Log rows on one page.
pub const LOGS_PER_PAGE: usize = 20;
/// Waiting lessons are counted up to this number.
const MAX_COUNTED_LESSONS: usize = 1000;
/// Failed lessons that are shown.
const MAX_FAILED_LESSONS: usize = 100;
/// Conflicts that are shown.
const MAX_CONFLICTS: usize = 100;

#[derive(Debug)]
pub struct Status {
    /// `None` when there is no connection.
    pub connection: Option<(InstructorCalendarCredentials, SyncState)>,
    pub live: NextConflicts,
    pub ignored: NextConflicts,
    /// Lessons that wait to be written.
    pub waiting: usize,
    /// While the whole calendar is being listed.
    pub progress: Option<Progress>,
    /// Future lessons whose sync failed, the soonest first.
    pub failed: Vec<CalendarEventMapping>,
    /// The last runs and acts, newest first.
    pub logs: Vec<LogRow>,
    /// Where the next page of them begins.
    pub next_cursor: Option<SyncLogId>,
    /// A channel whose renewal is overdue.
    pub overdue_renewal: Option<Overdue>,
}

/// The conflicts of one state that are not over.
#[derive(Debug)]
pub struct NextConflicts {
    /// The next of them, each with the title of its event, if that has one and is not private.
    pub next: Vec<(SchedulingConflict, Option<String>)>,
    pub in_all: usize,
}

impl Status {
    /// As another sees it who may know when the instructor is busy, and not with what.
    #[must_use]
    pub fn without_plans(mut self) -> Self {
        self.live.next.iter_mut().chain(&mut self.ignored.next).for_each(|(_, title)| *title = None);
        self
    }
}

/// How far a sync is that lists the whole calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    pub started_at: DateTime<Utc>,
    /// As the pages counted them: one that changes meanwhile may count twice.
    pub events_listed: u32,
    /// Of `lessons_in_all`.
    pub lessons_waiting: usize,
    /// Lessons to come that have been looked at: none before the first page is stored.
    pub lessons_in_all: usize,
}

impl Progress {
    fn of(listing: &ListingProgress, mappings: &[CalendarEventMapping], now: DateTime<Utc>) -> Self {
        let is_to_come =
            |mapping: &&CalendarEventMapping| mapping.event_end > now && mapping.lesson_removed_at.is_none();
        let to_come = || mappings.iter().filter(is_to_come);
        Self {
            started_at: listing.began,
            events_listed: listing.events,
            lessons_waiting: to_come().filter(|mapping| mapping.mark.is_set).count(),
            lessons_in_all: to_come().count(),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overdue {
    StillOpen,
    Ended,
}

pub struct ShowStatus {
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
}

impl ShowStatus {
    /// The status, with the log rows before `before`.
    pub async fn show(&self, key: ConnectionKey, before: Option<SyncLogId>) -> Result<Status> {
        let store = &self.store;
        let now = self.clock.now();
        let (credentials, state, failed, conflicts, mut logs) = futures::try_join!(
            store.credentials(key),
            store.state(key),
            store.failed_mappings(key, now, MAX_FAILED_LESSONS),
            store.conflicts(key),
            store.logs(key, before, LOGS_PER_PAGE + 1)
        )?;
        let left_out = self.left_out(key, &conflicts, now).await?;
        let to_come = conflicts.into_iter().filter(|pair| !pair.is_over(now));
        let (live, ignored): (Vec<_>, Vec<_>) = to_come.partition(SchedulingConflict::is_live);
        let live = NextConflicts { in_all: live.len() + left_out, next: self.with_titles(key, next(live)).await? };
        let ignored = NextConflicts { in_all: ignored.len(), next: self.with_titles(key, next(ignored)).await? };
        let connection = credentials.zip(state);
        if connection.is_none() && !store.instructor_exists(key).await? {
            return Err(Error::not_found());
        }
        let waiting =
            if connection.is_some() { store.dirty_mappings(key, MAX_COUNTED_LESSONS).await?.len() } else { 0 };
        let listing = connection.as_ref().and_then(|(_, state)| state.listing.as_ref());
        let progress = match listing.filter(|listing| listing.lists_everything()) {
            Some(listing) => Some(Progress::of(listing, &store.mappings(key).await?, now)),
            None => None,
        };
        let next_cursor =
            (logs.len() > LOGS_PER_PAGE).then(|| logs.remove(LOGS_PER_PAGE)).and(logs.last().map(LogRow::id));
        let logs = logs.into_iter().map(|log| log.as_of(now)).collect();
        let overdue_renewal = connection.as_ref().and_then(|(_, state)| overdue(state, now));
        Ok(Status { connection, live, ignored, waiting, progress, failed, logs, next_cursor, overdue_renewal })
    }

    /// How many conflicts lessons to come have for which they have no pair.
    async fn left_out(&self, key: ConnectionKey, pairs: &[SchedulingConflict], now: DateTime<Utc>) -> Result<usize> {
        let mut by_lesson: BTreeMap<LessonId, usize> = BTreeMap::new();
        for pair in pairs {
            *by_lesson.entry(pair.lesson_id).or_default() += 1;
        }
        by_lesson.retain(|_, pairs| *pairs >= SchedulingConflict::MAX_PER_LESSON);
        if by_lesson.is_empty() {
            return Ok(0);
        }
        let left_out =
            |mapping: &CalendarEventMapping| usize::try_from(mapping.conflicts_left_out).unwrap_or(usize::MAX);
        let full =
            |mapping: &&CalendarEventMapping| mapping.event_end > now && by_lesson.contains_key(&mapping.lesson_id);
        Ok(self.store.mappings(key).await?.iter().filter(full).map(left_out).sum())
    }

    async fn with_titles(
        &self,
        key: ConnectionKey,
        conflicts: Vec<SchedulingConflict>,
    ) -> Result<Vec<(SchedulingConflict, Option<String>)>> {
        let event = |pair: &SchedulingConflict| (pair.calendar_id.clone(), pair.google_event_id.clone());
        let titles = self.store.titles(key, &conflicts.iter().map(event).collect()).await?;
        let with_title = |pair: SchedulingConflict| {
            let title = titles.get(&event(&pair)).cloned();
            (pair, title)
        };
        Ok(conflicts.into_iter().map(with_title).collect())
    }
}

/// The next first, as many as are shown.
fn next(mut conflicts: Vec<SchedulingConflict>) -> Vec<SchedulingConflict> {
    conflicts.sort_by(|one, other| {
        let place = |pair: &SchedulingConflict| (pair.overlap_start, pair.overlap_end, pair.lesson_id);
        place(one).cmp(&place(other)).then_with(|| one.google_event_id.cmp(&other.google_event_id))
    });
    conflicts.truncate(MAX_CONFLICTS);
    conflicts
}

/// By the channel's own lifetime: `renew_at` may have been moved by attempts.
pub(super) fn overdue(state: &SyncState, now: DateTime<Utc>) -> Option<Overdue> {
    let ends = state.channel.as_ref()?.expires_at;
    let late = state.channel_opened_at.is_some_and(|at| schedule::renewal_is_late(at, ends, now));
    if ends <= now { Some(Overdue::Ended) } else { late.then_some(Overdue::StillOpen) }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    #[test]
    fn progress_counts_the_lessons_to_come() {
        let now = "2026-03-01T08:00:00Z".parse::<DateTime<Utc>>().unwrap();
        let key = crate::testing::key(1, 2);
        let mapping = |hours: i64, is_marked: bool, is_removed: bool| {
            let end = now + TimeDelta::hours(hours);
            let mut mapping =
                CalendarEventMapping::new(key, LessonId(uuid::Uuid::from_u128(1)), end - TimeDelta::hours(1), end);
            mapping.mark.is_set = is_marked;
            mapping.lesson_removed_at = is_removed.then_some(now);
            mapping
        };
        let listing = ListingProgress::complete("shape".to_owned(), now).after_page("page 2".to_owned(), 2500);
        for (mappings, waiting, in_all) in [
            (vec![], 0, 0),
            (vec![mapping(1, true, false), mapping(1, false, false)], 1, 2),
            (vec![mapping(0, true, false), mapping(1, true, true)], 0, 0),
        ] {
            let progress = Progress::of(&listing, &mappings, now);
            assert_eq!((progress.lessons_waiting, progress.lessons_in_all), (waiting, in_all));
            assert_eq!((progress.started_at, progress.events_listed), (now, 2500));
        }
    }
}
