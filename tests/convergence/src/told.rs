//! Whether notices to instructors match what happened.

use std::collections::BTreeMap;

use calendar_sync::model::{ConflictChange, ConnectionKey, LessonId, NoticeKind, SchedulingConflict};

use crate::{sim::number, world::World};

/// What the instructor was told of conflicts adds up to those that are live, lesson by lesson and event by event; and no
/// event is said to have been put back oftener than people deleted it, or changed it, or was without a word.
pub fn otherwise(world: &mut World) -> Vec<String> {
    let mut conflicts: BTreeMap<(ConnectionKey, LessonId, String), i32> = BTreeMap::new();
    let mut changes: BTreeMap<(ConnectionKey, LessonId), (u32, u32)> = BTreeMap::new();
    let mut untold = Vec::new();
    let state = world.sim.state();
    let once: BTreeMap<_, _> = state.bus.iter().map(|notice| (notice.id, notice)).collect();
    for notice in once.into_values() {
        let key = notice.key;
        match &notice.kind {
            NoticeKind::ConflictsChanged { conflicts: told } => {
                for (lesson, event, sum) in told.iter().map(counted) {
                    *conflicts.entry((key, lesson, event.to_owned())).or_default() += sum;
                }
            }
            // (A change that was given up may be restored when a person asks for a sync.)
            NoticeKind::EventChangedInGoogle { lesson_id, put_back, deleted } => {
                let (deletions, edits) = changes.entry((key, *lesson_id)).or_default();
                *(if *deleted { deletions } else { edits }) += u32::from(*put_back);
            }
            NoticeKind::LessonSyncChanged { .. }
            | NoticeKind::SyncFailing { .. }
            | NoticeKind::NeedsAttention { .. } => {}
        }
    }
    for party in &world.parties {
        for pair in world.store.tables().conflicts_where(party.key, SchedulingConflict::is_live) {
            let event = pair.google_event_id.family().to_owned();
            *conflicts.entry((party.key, pair.lesson_id, event)).or_default() -= 1;
        }
    }
    for party in &world.parties {
        for mapping in world.store.tables().mappings_of(party.key) {
            let (deletions, edits) = changes.get(&(party.key, mapping.lesson_id)).copied().unwrap_or_default();
            let told = deletions + edits;
            if told < mapping.restores.into() {
                untold.push(format!("{}: of lesson {} {told} changes were told", number(party.key), mapping.lesson_id));
            }
        }
    }
    // Conflicts that end with a connection are not notified.
    for (key, pair) in world.store.tables().forgotten.iter().filter(|(_, pair)| pair.is_live()) {
        *conflicts.entry((*key, pair.lesson_id, pair.google_event_id.family().to_owned())).or_default() -= 1;
    }
    conflicts.retain(|_, sum| *sum != 0);
    changes.retain(|(key, lesson), (deletions, edits)| {
        let (deleted, edited) = state.truth.meddled(*key, *lesson);
        // (Of two removals of ours the first was carried out, and its answer lost; that the second is refused says of an
        // event that is there that nothing removed it. Google itself answers that it is gone.)
        let refused = state.truth.was_refused_a_removal(*key, *lesson);
        !state.truth.behind.contains(key) && (*deletions > deleted && !refused || *edits > edited)
    });
    let of_conflicts = conflicts.into_iter().map(|((key, lesson, event), sum)| {
        format!("{}: {sum:+} notices too many of lesson {lesson} and event {event}", number(key))
    });
    let of_changes = changes.into_iter().map(|((key, lesson), told)| {
        let made = state.truth.meddled(key, lesson);
        format!("{}: (deletions, edits) {told:?} were told of lesson {lesson}, and {made:?} made", number(key))
    });
    of_conflicts.chain(of_changes).chain(untold).collect()
}

/// A change of a conflict, and whether it makes it one that stands: 1, or one that does not: -1.
fn counted(change: &ConflictChange) -> (LessonId, &str, i32) {
    match change {
        ConflictChange::Found { lesson_id, google_event_id, .. }
        | ConflictChange::Unignored { lesson_id, google_event_id, .. } => (*lesson_id, google_event_id, 1),
        ConflictChange::Cleared { lesson_id, google_event_id }
        | ConflictChange::Ignored { lesson_id, google_event_id } => (*lesson_id, google_event_id, -1),
    }
}
