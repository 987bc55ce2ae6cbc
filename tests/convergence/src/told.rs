//! Whether what instructors were told is what happened.

use std::collections::BTreeMap;

use calendar_sync::model::{ConnectionKey, LessonId, NoticeKind};

use crate::{sim::number, world::World};

/// What the instructor was told of conflicts adds up to those that stand, lesson by lesson and event by event; and no
/// event is said to have been put back oftener than people changed it, or was without a word.
pub fn otherwise(world: &mut World) -> Vec<String> {
    let mut conflicts: BTreeMap<(ConnectionKey, LessonId, String), i32> = BTreeMap::new();
    let mut changes: BTreeMap<(ConnectionKey, LessonId), u32> = BTreeMap::new();
    let mut untold = Vec::new();
    let state = world.sim.state();
    let once: BTreeMap<_, _> = state.bus.iter().map(|notice| (notice.id, notice)).collect();
    for notice in once.into_values() {
        let key = notice.key;
        match &notice.kind {
            NoticeKind::ConflictFound { lesson_id, google_event_id, .. } => {
                *conflicts.entry((key, *lesson_id, google_event_id.clone())).or_default() += 1;
            }
            NoticeKind::ConflictCleared { lesson_id, google_event_id } => {
                *conflicts.entry((key, *lesson_id, google_event_id.clone())).or_default() -= 1;
            }
            // (A change that was left as it is may be put back after all when a person asks.)
            NoticeKind::EventChangedInGoogle { lesson_id, put_back, .. } => {
                *changes.entry((key, *lesson_id)).or_default() += u32::from(*put_back);
            }
            NoticeKind::LessonSyncChanged { .. }
            | NoticeKind::SyncFailing { .. }
            | NoticeKind::NeedsAttention { .. } => {}
        }
    }
    for party in &world.parties {
        for pair in world.store.tables().conflicts_where(party.key, |_| true) {
            *conflicts.entry((party.key, pair.lesson_id, pair.google_event_id.0)).or_default() -= 1;
        }
    }
    for party in &world.parties {
        for mapping in world.store.tables().mappings_of(party.key) {
            let told = changes.get(&(party.key, mapping.lesson_id)).copied().unwrap_or(0);
            if told < mapping.put_backs.into() {
                untold.push(format!("{}: of lesson {} {told} changes were told", number(party.key), mapping.lesson_id));
            }
        }
    }
    // Of conflicts that end with a connection nobody is told.
    conflicts.retain(|(key, ..), sum| *sum != 0 && !state.truth.taken_down.contains(key));
    changes.retain(|(key, lesson), told| *told > state.truth.meddled(*key, *lesson));
    let of_conflicts = conflicts.into_iter().map(|((key, lesson, event), sum)| {
        format!("{}: {sum:+} notices too many of lesson {lesson} and event {event}", number(key))
    });
    let of_changes = changes.into_iter().map(|((key, lesson), told)| {
        let made = state.truth.meddled(key, lesson);
        format!("{}: {told} changes were told of lesson {lesson}, and {made} made", number(key))
    });
    of_conflicts.chain(of_changes).chain(untold).collect()
}
