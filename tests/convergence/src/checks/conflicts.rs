//! The stored conflicts are those of comparing every lesson with every event.

use std::collections::BTreeMap;

use calendar_sync::model::{ConnectionKey, LessonId, LessonStatus, SchedulingConflict, Window};
use chrono::{DateTime, TimeDelta, Utc};

use super::{AHEAD, Busy, Rest, gave_up, imports, lessons_of};
use crate::world::{Party, World};

/// How far ahead lessons are checked: farther than a run's window.
const LESSONS_AHEAD: TimeDelta = TimeDelta::days(400);

/// The times of an occurrence, or those that it shares with a lesson.
type Times = [DateTime<Utc>; 2];

/// Where an overlap begins, the start of what overlaps, and where it ends.
type Overlap = (DateTime<Utc>, DateTime<Utc>, DateTime<Utc>);

/// The conflicts of a lesson: for each event the first overlap, with the start of what overlaps.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct OfLesson {
    /// The earliest of those that nobody said are fine.
    live: Vec<(DateTime<Utc>, Times)>,
    /// How many more of them there are.
    left_out: usize,
    ignored: Vec<(DateTime<Utc>, Times)>,
}

/// What a lesson should have, with what people said is `fine`.
pub fn of_lesson(busy: &[Busy], lesson: LessonId, [start, end]: Times, fine: &BTreeMap<String, Times>) -> OfLesson {
    let mut first: BTreeMap<&str, Overlap> = BTreeMap::new();
    for busy in busy.iter().filter(|busy| busy.blocks && busy.carries != Some(lesson)) {
        if busy.start < end && busy.end > start {
            let overlap = (busy.start.max(start), busy.start, busy.end.min(end));
            first.entry(&busy.family).and_modify(|known| *known = overlap.min(*known)).or_insert(overlap);
        }
    }
    let mut first: Vec<_> = first.into_iter().map(|(family, overlap)| (overlap, family)).collect();
    first.sort_unstable();
    let mut of_lesson = OfLesson::default();
    for ((from, occurrence, to), family) in first {
        let is_fine = fine.get(family) == Some(&[from, to]);
        let pairs = if is_fine { &mut of_lesson.ignored } else { &mut of_lesson.live };
        pairs.push((occurrence, [from, to]));
    }
    of_lesson.left_out = of_lesson.live.len().saturating_sub(SchedulingConflict::MAX_PER_LESSON);
    of_lesson.live.truncate(SchedulingConflict::MAX_PER_LESSON);
    of_lesson
}

/// What is stored of a lesson, in the same form.
pub fn stored(world: &World, key: ConnectionKey, lesson: LessonId) -> OfLesson {
    let tables = world.store.tables();
    let mut pairs = tables.conflicts_where(key, |pair| pair.lesson_id == lesson);
    pairs.sort_by_key(|pair| {
        (pair.overlap_start, pair.occurrence_start, pair.overlap_end, pair.google_event_id.family().to_owned())
    });
    let left_out = tables.mapping(key, lesson).map_or(0, |mapping| mapping.conflicts_left_out);
    let (live, ignored): (Vec<_>, Vec<_>) = pairs.into_iter().partition(SchedulingConflict::is_live);
    let [live, ignored] = [live, ignored].map(|pairs| {
        let times = |pair: &SchedulingConflict| (pair.occurrence_start, [pair.overlap_start, pair.overlap_end]);
        pairs.iter().map(times).collect()
    });
    OfLesson { live, left_out: left_out.try_into().unwrap_or(usize::MAX), ignored }
}

/// Every overlap of a lesson with something busy, lesson by lesson and event by event.
pub(super) fn are_overlaps(world: &World, party: Party, soon: &[Busy], rest: Rest) -> Vec<String> {
    let now = world.now();
    let zone = imports::zone_of(world, party.account);
    let mut found = Vec::new();
    for lesson in lessons_of(world, party.key) {
        let content = &lesson.content;
        let mapping = world.store.tables().mapping(party.key, lesson.id);
        // Lessons that are over keep their conflicts; those beyond the horizon of this check are left out.
        if content.ends_at <= now || content.ends_at > now + LESSONS_AHEAD || content.starts_at <= now {
            continue;
        }
        if rest != Rest::Asked && mapping.as_ref().is_some_and(gave_up) {
            continue;
        }
        // (A lesson that no run has read yet has no mapping.)
        if mapping.is_none() && content.starts_at > now + TimeDelta::days(360) {
            continue;
        }
        // Far ahead, only days with lessons are checked, since expanding all of them takes long.
        let far = content.ends_at > now + AHEAD;
        let around = Window { from: content.starts_at, to: content.ends_at };
        let far = far.then(|| imports::in_google(world, party, around, zone));
        let busy = match lesson.status {
            LessonStatus::Scheduled => far.as_deref().unwrap_or(soon),
            LessonStatus::Cancelled => &[],
        };
        let fine = world.sim.state().truth.fine_of(party.key, lesson.id);
        let wanted = of_lesson(busy, lesson.id, [content.starts_at, content.ends_at], &fine);
        let stored = stored(world, party.key, lesson.id);
        if stored != wanted {
            found.push(format!(
                "lesson {} at {} conflicts with {wanted:?}, and {stored:?} are stored; mapping {mapping:?}",
                lesson.id, content.starts_at
            ));
        }
        let flag = mapping.is_some_and(|mapping| mapping.has_conflict);
        if flag == wanted.live.is_empty() {
            found.push(format!("the flag of lesson {} says {flag}", lesson.id));
        }
    }
    found
}

/// Conflicts of lessons that are no longer synced.
pub(super) fn of_nothing(world: &World, key: ConnectionKey) -> Vec<String> {
    let (tables, now) = (world.store.tables(), world.now());
    let orphans = tables.conflicts_where(key, |pair| pair.overlap_end > now);
    let orphans = orphans.iter().filter(|pair| tables.mapping(key, pair.lesson_id).is_none());
    orphans.map(|pair| format!("a conflict of a lesson that has no mapping: {pair:?}")).collect()
}
