//! The stored conflicts are those of comparing every lesson with every event.

use calendar_sync::model::{ConnectionKey, LessonStatus, Window};
use chrono::{DateTime, TimeDelta, Utc};

use super::{AHEAD, Busy, Rest, gave_up, imports, lessons_of};
use crate::world::{Party, World};

/// How far ahead lessons are checked: farther than a run's window.
const LESSONS_AHEAD: TimeDelta = TimeDelta::days(400);

/// Every overlap of a lesson with something busy, lesson by lesson and event by event.
pub(super) fn are_overlaps(world: &World, party: Party, soon: &[Busy], rest: Rest) -> Vec<String> {
    type Overlap = (DateTime<Utc>, DateTime<Utc>, DateTime<Utc>);
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
        let takes_place = lesson.status == LessonStatus::Scheduled;
        let mut wanted: Vec<Overlap> = far
            .as_deref()
            .unwrap_or(soon)
            .iter()
            .filter(|busy| takes_place && busy.blocks && busy.carries != Some(lesson.id))
            .filter(|busy| busy.start < content.ends_at && busy.end > content.starts_at)
            .map(|busy| (busy.start, busy.start.max(content.starts_at), busy.end.min(content.ends_at)))
            .collect();
        wanted.sort_unstable();
        let pairs = world.store.tables().conflicts_where(party.key, |pair| pair.lesson_id == lesson.id);
        let mut stored: Vec<Overlap> =
            pairs.iter().map(|pair| (pair.occurrence_start, pair.overlap_start, pair.overlap_end)).collect();
        stored.sort_unstable();
        if stored != wanted {
            found.push(format!(
                "lesson {} at {} conflicts with {wanted:?}, and {stored:?} are stored; mapping {mapping:?}",
                lesson.id, content.starts_at
            ));
        }
        let flag = mapping.is_some_and(|mapping| mapping.has_conflict);
        if flag == wanted.is_empty() {
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
