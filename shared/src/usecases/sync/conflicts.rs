//! Finds the conflicts of what changed: of lessons that moved, and of lessons that a changed event overlaps or
//! overlapped.

use std::{
    collections::{BTreeMap, BTreeSet},
    iter::once,
};

use chrono::TimeDelta;

use super::{Failure, delta::Delta, outbound::Work, round::Round, words};
use crate::{
    Error,
    decide::{
        conflicts::{LessonSpan, busy_and_free, changes, joined, kept, overlaps, parts, touched},
        occurrences::Occurrences,
    },
    model::{
        CalendarEventMapping, ConflictChange, EventId, ExternalCalendarEvent, Free, LessonId, NoticeKind, PairChange,
        SchedulingConflict, SyncDirection, SyncStatus, Window,
    },
    ports::{ConflictChanges, ConflictFlags, ExternalLookup, LessonSyncColumns},
    services::concurrently::concurrently,
};

/// Up to this many lessons, conflicts are read lesson by lesson; for more, all of the connection are read at once.
const MAX_SINGLE_LESSON_READS: usize = 20;

/// How far ahead a series without an end is compared with lessons: further than any lesson.
const ENDLESS_SERIES_HORIZON: TimeDelta = TimeDelta::days(36_525);

/// How often what changed is compared when people decide on conflicts meanwhile.
const MAX_ATTEMPTS: usize = 5;

/// The changes of one lesson.
type LessonChanges = (ConflictFlags, Vec<PairChange>);

/// An event at the time of a lesson that leaves its owner free.
type FreeEvent = (LessonId, EventId, Free);

/// Whose conflicts are calculated.
#[derive(Clone, Copy)]
enum Whose {
    /// Those of the lessons that what changed may touch.
    Touched,
    /// Those of lessons that are no more.
    Removed,
}

/// Calculates the conflicts of what changed and stores the difference.
pub async fn refresh(round: &mut Round<'_>, work: &mut [Work], changed: &Delta) -> Result<(), Failure> {
    calculate(round, work, changed, Whose::Touched).await
}

/// Clears the conflicts of lessons that are no more, which takes no listing to know: their mappings are about to go.
pub async fn clear_of_removed(round: &mut Round<'_>, work: &mut [Work], changed: &Delta) -> Result<(), Failure> {
    calculate(round, work, changed, Whose::Removed).await
}

async fn calculate(round: &mut Round<'_>, work: &mut [Work], changed: &Delta, whose: Whose) -> Result<(), Failure> {
    for _ in 0..MAX_ATTEMPTS {
        let affected = match whose {
            Whose::Touched => affected(round, work, changed).await?,
            Whose::Removed => removed(work),
        };
        if attempt(round, work, changed, affected).await? {
            return Ok(());
        }
        read_flags_again(round, work).await?;
    }
    Err(Error::unavailable("store_unavailable", "people decided on conflicts again and again").into())
}

fn removed(work: &[Work]) -> BTreeMap<LessonId, CalendarEventMapping> {
    let removed = work.iter().filter(|work| work.mapping.lesson_removed_at.is_some());
    removed.map(|work| (work.mapping.lesson_id, work.mapping.clone())).collect()
}

/// False if a person decided on a conflict of one of the lessons meanwhile: what is not stored by then is to be compared
/// with that.
async fn attempt(
    round: &mut Round<'_>,
    work: &mut [Work],
    changed: &Delta,
    affected: BTreeMap<LessonId, CalendarEventMapping>,
) -> Result<bool, Failure> {
    if affected.is_empty() {
        return Ok(true);
    }
    let stored = stored_pairs(round, affected.keys().copied().collect()).await?;
    let (overlapping, free) = overlapping(round, work, changed, &affected).await?;
    let lessons = differences(&affected, &stored, overlapping);
    let columns = flag(work, &affected, &lessons, round.job.allowed());
    let (store, key) = (&round.sync.google.store, round.request.key);
    // The host's row comes before the pairs, so that a crash between them repeats both.
    for (lesson, columns) in &columns {
        store.write_lesson_columns(key, *lesson, columns).await?;
    }
    for part in parts(lessons) {
        let conflicts: Vec<ConflictChange> = part.pairs.iter().filter_map(ConflictChange::of).collect();
        let notice =
            (!conflicts.is_empty()).then(|| round.sync.notice(key, NoticeKind::ConflictsChanged { conflicts }));
        let is_stored = store.apply_conflicts(key, &part, notice.as_ref()).await;
        if matches!(is_stored, Ok(false)) {
            return Ok(false);
        }
        note(round, &affected, &part);
        is_stored?;
    }
    for (lesson, event, free) in free {
        round.report.say_of(&affected[&lesson], words::does_not_block(&event, free));
    }
    Ok(true)
}

/// Takes what the mappings of the run say of conflicts from the stored ones.
async fn read_flags_again(round: &Round<'_>, work: &mut [Work]) -> Result<(), Failure> {
    let (store, key) = (&round.sync.google.store, round.request.key);
    let reads = work.iter_mut().map(|work| async move {
        // Only the holder of the lease deletes mappings.
        let stored = store.mapping(key, work.mapping.lesson_id).await?.ok_or(Failure::LeaseLost)?;
        work.mapping.has_conflict = stored.has_conflict;
        work.mapping.conflicts_left_out = stored.conflicts_left_out;
        work.mapping.conflicts_version = stored.conflicts_version;
        Ok::<_, Failure>(())
    });
    concurrently(reads.collect()).await.map(drop)
}

/// All that overlaps the lessons, event by event and occurrence by occurrence, and what is at their time and does not block.
async fn overlapping(
    round: &Round<'_>,
    work: &[Work],
    changed: &Delta,
    affected: &BTreeMap<LessonId, CalendarEventMapping>,
) -> Result<(BTreeMap<LessonId, Vec<SchedulingConflict>>, Vec<FreeEvent>), Failure> {
    let (key, now) = (round.request.key, round.sync.now());
    let take_place = affected.values().filter(|mapping| mapping.lesson_removed_at.is_none());
    let lessons: Vec<LessonSpan> = take_place.map(LessonSpan::from).collect();
    let mut found: BTreeMap<LessonId, Vec<SchedulingConflict>> = BTreeMap::new();
    let mut not_blocking = Vec::new();
    let mut occurrences = Occurrences::within(joined(lessons.iter().map(Window::from)), changed.zone);
    for window in occurrences.windows().to_vec() {
        let inside: Vec<LessonSpan> =
            lessons.iter().copied().filter(|span| window.from <= span.start && span.end <= window.to).collect();
        let lookup = round.sync.google.store.external_between(key, window).await?;
        let (busy, free) = busy_and_free(&lookup, window, &mut occurrences);
        for pair in overlaps(&inside, &busy, now) {
            found.entry(pair.lesson_id).or_default().push(pair);
        }
        if !changed.everything {
            let free = overlaps(&inside, &free, now);
            not_blocking.extend(what_does_not_block(work, affected, changed, &lookup, &free));
        }
    }
    Ok((found, not_blocking))
}

/// The lessons whose stored conflicts or flags are not what `overlapping` makes of them.
fn differences(
    affected: &BTreeMap<LessonId, CalendarEventMapping>,
    stored: &BTreeMap<LessonId, Vec<SchedulingConflict>>,
    mut overlapping: BTreeMap<LessonId, Vec<SchedulingConflict>>,
) -> Vec<LessonChanges> {
    let mut lessons = Vec::new();
    for (id, mapping) in affected {
        let stored = stored.get(id).map_or(&[][..], Vec::as_slice);
        let conflicts = kept(overlapping.remove(id).unwrap_or_default(), stored);
        let flags = conflicts.flags(*id, mapping.conflicts_version);
        let changes = changes(stored, &conflicts.pairs);
        let is_flagged = (mapping.has_conflict, mapping.conflicts_left_out) == (flags.has_conflict, flags.left_out);
        if !changes.is_empty() || !is_flagged {
            lessons.push((flags, changes));
        }
    }
    lessons
}

/// Counts what is new of lessons, and says what has changed.
fn note(round: &mut Round<'_>, affected: &BTreeMap<LessonId, CalendarEventMapping>, part: &ConflictChanges) {
    let zone = round.report.zone;
    round.report.changed |= !part.pairs.is_empty();
    let full: BTreeSet<LessonId> =
        part.lessons.iter().filter(|flags| flags.left_out > 0).map(|flags| flags.lesson_id).collect();
    for change in &part.pairs {
        let lesson = change.pair().lesson_id;
        let mapping = &affected[&lesson];
        match change {
            PairChange::Found(pair) => {
                round.report.counts.conflicts_detected += 1;
                round.report.say_of(mapping, words::overlaps(pair, zone));
            }
            PairChange::Cleared(pair) if pair.is_live() && full.contains(&lesson) => {
                round.report.say_of(mapping, words::no_longer_among_the_earliest(pair));
            }
            PairChange::Cleared(pair) => round.report.say_of(mapping, words::no_longer_overlaps(pair)),
            PairChange::Moved(_) => {}
        }
    }
}

/// Why events at the time of lessons are no conflicts, of those where the event or the lesson has changed: it is logged
/// once.
fn what_does_not_block(
    work: &[Work],
    affected: &BTreeMap<LessonId, CalendarEventMapping>,
    changed: &Delta,
    lookup: &ExternalLookup,
    pairs: &[SchedulingConflict],
) -> Vec<FreeEvent> {
    let rows =
        lookup.events.iter().chain(lookup.series.iter().flat_map(|(row, exceptions)| once(row).chain(exceptions)));
    let free: BTreeMap<&EventId, Free> = rows.filter_map(|row| Some((row.id(), row.event.free()?))).collect();
    let new: BTreeSet<&EventId> = changed.put.iter().map(ExternalCalendarEvent::id).collect();
    let moved: BTreeSet<LessonId> = work.iter().filter(|work| work.moved).map(|work| work.mapping.lesson_id).collect();
    let is_new = |pair: &&SchedulingConflict| {
        affected.contains_key(&pair.lesson_id)
            && (new.contains(&pair.google_event_id) || moved.contains(&pair.lesson_id))
    };
    let with_reason = |pair: &SchedulingConflict| {
        Some((pair.lesson_id, pair.google_event_id.clone(), *free.get(&pair.google_event_id)?))
    };
    pairs.iter().filter(is_new).filter_map(with_reason).collect()
}

/// The lessons whose conflicts may have changed, with their mappings. Lessons that are over keep their conflicts, unless
/// they were moved or removed.
async fn affected(
    round: &Round<'_>,
    work: &[Work],
    changed: &Delta,
) -> Result<BTreeMap<LessonId, CalendarEventMapping>, Failure> {
    let (store, key, now) = (&round.sync.google.store, round.request.key, round.sync.now());
    let mut affected: BTreeMap<LessonId, CalendarEventMapping> = BTreeMap::new();
    if changed.everything {
        affected.extend(store.mappings(key).await?.into_iter().map(|mapping| (mapping.lesson_id, mapping)));
    } else {
        let spans = changed.put.iter().filter_map(|row| {
            let to = row.event_end.map_or(now + ENDLESS_SERIES_HORIZON, |end| end.min(now + ENDLESS_SERIES_HORIZON));
            let from = row.event_start.max(now);
            (from < to).then_some((Window { from, to }, row))
        });
        let (windows, rows): (Vec<Window>, Vec<_>) = spans.unzip();
        let mut near = Vec::new();
        for window in joined(windows) {
            near.extend(store.mappings_between(key, window).await?);
        }
        let lessons: Vec<LessonSpan> = near.iter().map(LessonSpan::from).collect();
        let mut occurrences = Occurrences::within(joined(lessons.iter().map(Window::from)), changed.zone);
        let touched = touched(&lessons, rows, &mut occurrences);
        near.retain(|mapping| touched.contains(&mapping.lesson_id));
        affected.extend(near.into_iter().map(|mapping| (mapping.lesson_id, mapping)));
        for id in named_by_pairs(round, changed).await? {
            if !affected.contains_key(&id)
                && let Some(mapping) = store.mapping(key, id).await?
            {
                affected.insert(id, mapping);
            }
        }
    }
    // The mappings of this run are newer than the stored ones, except for the flag, which only this step changes.
    for work in work {
        if work.moved || affected.contains_key(&work.mapping.lesson_id) {
            affected.insert(work.mapping.lesson_id, work.mapping.clone());
        }
    }
    let moved: BTreeSet<LessonId> = work.iter().filter(|work| work.moved).map(|work| work.mapping.lesson_id).collect();
    affected.retain(|id, mapping| mapping.event_end > now || mapping.lesson_removed_at.is_some() || moved.contains(id));
    Ok(affected)
}

/// The lessons that stored pairs connect with changed events or with events of their family: a changed series also
/// through its exceptions, whose rows a dead run may have removed, and a changed exception through its series.
async fn named_by_pairs(round: &Round<'_>, changed: &Delta) -> Result<BTreeSet<LessonId>, Failure> {
    let (store, key) = (&round.sync.google.store, round.request.key);
    let ids = changed.put.iter().map(ExternalCalendarEvent::id).chain(&changed.gone);
    let families: BTreeMap<&str, &EventId> = ids.map(|id| (id.family(), id)).collect();
    let pairs = if families.len() > MAX_SINGLE_LESSON_READS {
        store.conflicts(key).await?
    } else {
        let looks = families.values().map(|id| store.conflicts_of_event(key, &changed.calendar, id));
        concurrently(looks.collect()).await?.into_iter().flatten().collect()
    };
    let named = |pair: &SchedulingConflict| families.contains_key(pair.google_event_id.family());
    Ok(pairs.into_iter().filter(named).map(|pair| pair.lesson_id).collect())
}

async fn stored_pairs(
    round: &Round<'_>,
    lessons: Vec<LessonId>,
) -> Result<BTreeMap<LessonId, Vec<SchedulingConflict>>, Failure> {
    let (store, key) = (&round.sync.google.store, round.request.key);
    let pairs = if lessons.len() > MAX_SINGLE_LESSON_READS {
        store.conflicts(key).await?
    } else {
        let looks = lessons.into_iter().map(|id| store.conflicts_of_lesson(key, id));
        concurrently(looks.collect()).await?.into_iter().flatten().collect()
    };
    let mut by_lesson: BTreeMap<LessonId, Vec<SchedulingConflict>> = BTreeMap::new();
    for pair in pairs {
        by_lesson.entry(pair.lesson_id).or_default().push(pair);
    }
    Ok(by_lesson)
}

/// Whether the lesson should have an event. One outside of the window waits for none.
fn is_wanted(mapping: &CalendarEventMapping) -> bool {
    mapping.mark.is_set || mapping.sync_status == SyncStatus::Failed
}

/// Sets the flag where it changes: on `work`, whose host rows are written with their outcome. Returns the columns of
/// all other lessons.
fn flag(
    work: &mut [Work],
    affected: &BTreeMap<LessonId, CalendarEventMapping>,
    changes: &[LessonChanges],
    allowed: SyncDirection,
) -> Vec<(LessonId, LessonSyncColumns)> {
    let mut flagged: BTreeMap<LessonId, bool> =
        changes.iter().map(|(flags, _)| (flags.lesson_id, flags.has_conflict)).collect();
    for work in work.iter_mut() {
        if let Some(has_conflict) = flagged.remove(&work.mapping.lesson_id) {
            work.mapping.has_conflict = has_conflict;
        }
    }
    let mut columns = Vec::new();
    for (id, has_conflict) in flagged {
        let Some(mapping) = affected.get(&id).filter(|mapping| mapping.has_conflict != has_conflict) else { continue };
        let in_google = mapping.remote.as_ref().is_some_and(|remote| !remote.deleted);
        let of_lesson = LessonSyncColumns {
            google_calendar_event_id: in_google.then(|| mapping.google_event_id()),
            calendar_sync_status: (in_google || allowed.writes() && is_wanted(mapping)).then_some(mapping.sync_status),
            has_conflict,
        };
        columns.push((id, of_lesson));
    }
    columns
}
