//! Which lessons a run looks at: those that are marked, those that are new in the window, and once a day all.

use std::collections::{BTreeMap, btree_map::Entry};

use super::{
    mass_removal::hold_back_mass_removal,
    work::{Skip, Work},
};
use crate::{
    decide::outbound::{Desired, LessonDecision, decide, judge},
    model::{CalendarEventMapping, Lesson, LessonId, SyncStatus, SyncTask, Window},
    ports::{LessonLookup, LessonSyncColumns, MarkUpdate},
    usecases::sync::{Failure, round::Round, words},
};

/// Marked mappings that are read at once; the others follow.
const MAX_MARKED_MAPPINGS: usize = 1000;

/// Finds the lessons that are to be looked at and what each wants, and says whether more are marked than it looked at.
pub async fn gather(
    round: &mut Round<'_>,
    window: Window,
    full_reconcile: bool,
    newly_in_window: Option<Window>,
) -> Result<(Vec<Work>, bool), Failure> {
    let entering = if full_reconcile { Some(window) } else { newly_in_window };
    let (mappings, more) = candidates(round, window, full_reconcile, entering).await?;
    let ids: Vec<LessonId> = mappings.keys().copied().collect();
    let lessons = round.sync.google.store.lessons(round.request.key.tenant_id, &ids).await?;
    let mut work = Vec::new();
    let mut waiting = 0;
    for ((id, stored), lookup) in mappings.into_iter().zip(lessons) {
        waiting += u32::from(!judge_one(round, window, id, stored, lookup, &mut work).await?);
    }
    say_what_lies_outside(round, &work, window);
    if waiting > 0 {
        round
            .report
            .say(format!("{waiting} changed lessons lie outside of what was asked for and wait for the next run."));
    }
    if round.job.direction.writes() {
        hold_back_mass_removal(round, &mut work, full_reconcile).await?;
    }
    Ok((work, more))
}

/// Lessons with the mapping of each that has one.
type Candidates = BTreeMap<LessonId, Option<CalendarEventMapping>>;

/// The lessons that are marked, those `entering` the window, and in a full reconcile all that may differ. True when more
/// are marked.
async fn candidates(
    round: &Round<'_>,
    window: Window,
    full_reconcile: bool,
    entering: Option<Window>,
) -> Result<(Candidates, bool), Failure> {
    let (store, key) = (&round.sync.google.store, round.request.key);
    let dirty = store.dirty_mappings(key, MAX_MARKED_MAPPINGS).await?;
    let more = dirty.len() == MAX_MARKED_MAPPINGS;
    let mut found: Candidates = dirty.into_iter().map(|mapping| (mapping.lesson_id, Some(mapping))).collect();
    if full_reconcile {
        let all = store.mappings(key).await?;
        let may_differ = |mapping: &CalendarEventMapping| {
            // Of a lesson that could not be read, nobody may have told that it was removed.
            let is_unsettled = mapping.is_owed() || mapping.sync_status == SyncStatus::Failed;
            mapping.event_end >= window.from || mapping.lesson_removed_at.is_some() || is_unsettled
        };
        found.extend(all.into_iter().filter(may_differ).map(|mapping| (mapping.lesson_id, Some(mapping))));
    }
    if let Some(window) = entering {
        for lesson in store.lessons_between(key, window).await? {
            if let Entry::Vacant(entry) = found.entry(lesson) {
                entry.insert(if full_reconcile { None } else { store.mapping(key, lesson).await? });
            }
        }
    }
    Ok((found, more))
}

/// Adds to `work` what the lesson wants. False when it is marked and waits for a run that reaches further.
async fn judge_one(
    round: &mut Round<'_>,
    window: Window,
    id: LessonId,
    stored: Option<CalendarEventMapping>,
    lookup: LessonLookup,
    work: &mut Vec<Work>,
) -> Result<bool, Failure> {
    let bounded = round.job.is_bounded();
    let (desired, skip) = match judge(round.request.key.instructor_id, &lookup, window, bounded, stored.as_ref()) {
        LessonDecision::Wants(desired) => (desired, None),
        LessonDecision::Outside(content) => (Desired::Event(content), Some(Skip::Outside)),
        LessonDecision::Leave => {
            let Some(mapping) = stored else { return blank(round, &lookup).await.map(|()| true) };
            return Ok(!mapping.mark.is_set);
        }
        LessonDecision::Unreadable(why) => {
            return fail_unreadable(round, id, stored, &lookup, &why).await.map(|()| true);
        }
    };
    let lesson = match lookup {
        LessonLookup::Found(lesson) => Some(*lesson),
        LessonLookup::Gone | LessonLookup::Unreadable(_) => None,
    };
    let mut prepared = Work { skip, ..prepare(round, id, stored, desired, lesson) };
    if round.job.direction.writes() {
        prepared.wait_for_pages(round.state);
    }
    work.push(prepared);
    Ok(true)
}

fn prepare(
    round: &Round<'_>,
    id: LessonId,
    stored: Option<CalendarEventMapping>,
    desired: Desired,
    lesson: Option<Lesson>,
) -> Work {
    let key = round.request.key;
    let mut mapping = stored.clone().unwrap_or_else(|| {
        let [start, end] = match &desired {
            Desired::Event(content) => [content.starts_at, content.ends_at],
            Desired::NoEvent(_) => [round.sync.now(); 2],
        };
        CalendarEventMapping::new(key, id, start, end)
    });
    if round.job.asks_for(SyncTask::RetryGivenUp) {
        mapping.restores = 0;
    }
    let decision = decide(&mapping, &desired);
    Work { mapping, desired, lesson, moved: false, skip: None, stored, decision, after: None, notices: Vec::new() }
}

/// Clears the columns that an earlier connection, or another instructor's, left on a lesson that has no mapping here.
async fn blank(round: &Round<'_>, lookup: &LessonLookup) -> Result<(), Failure> {
    let key = round.request.key;
    if let LessonLookup::Found(lesson) = lookup
        && lesson.instructor_id == key.instructor_id
        && (lesson.google_calendar_event_id.is_some() || lesson.calendar_sync_status.is_some() || lesson.has_conflict)
    {
        round.sync.google.store.write_lesson_columns(key, lesson.id, &LessonSyncColumns::BLANK).await?;
    }
    Ok(())
}

/// Logs for changed lessons that they need no event: they lie before the window or after it.
fn say_what_lies_outside(round: &mut Round<'_>, work: &[Work], window: Window) {
    for work in work.iter().filter(|work| work.skip == Some(Skip::Outside) && work.mapping.mark.is_set) {
        let Desired::Event(content) = &work.desired else { continue };
        let said_of = CalendarEventMapping { event_start: content.starts_at, ..work.mapping.clone() };
        round.report.say_of(&said_of, words::outside(window, round.report.zone));
        round.report.changed = true;
    }
}

async fn fail_unreadable(
    round: &mut Round<'_>,
    lesson: LessonId,
    stored: Option<CalendarEventMapping>,
    lookup: &LessonLookup,
    why: &str,
) -> Result<(), Failure> {
    let (store, key) = (&round.sync.google.store, round.request.key);
    round.report.say_unreadable(lesson, why);
    if let LessonLookup::Found(row) = lookup
        && row.calendar_sync_status != Some(SyncStatus::Failed)
    {
        let remote = stored.as_ref().filter(|mapping| mapping.remote.as_ref().is_some_and(|remote| !remote.deleted));
        let flags = LessonSyncColumns {
            google_calendar_event_id: remote.map(CalendarEventMapping::google_event_id),
            calendar_sync_status: Some(SyncStatus::Failed),
            has_conflict: stored.as_ref().is_some_and(|mapping| mapping.has_conflict),
        };
        store.write_lesson_columns(key, lesson, &flags).await?;
    }
    if let Some(mut mapping) = stored {
        let error = Some(format!("The lesson cannot be read: {why}"));
        if mapping.sync_status != SyncStatus::Failed || mapping.error != error || mapping.mark.is_set {
            (mapping.sync_status, mapping.error) = (SyncStatus::Failed, error);
            store.save_mapping(&mapping, MarkUpdate::Clear { seen: mapping.mark.version }, &[]).await?;
        }
    }
    Ok(())
}
