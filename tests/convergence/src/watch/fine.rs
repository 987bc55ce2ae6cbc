//! What people said of conflicts: it holds until the overlap has other times, and no run may forget it before.

use calendar_sync::{
    decide::occurrences,
    model::{ConnectionKey, PairState, SchedulingConflict, Window},
};

use crate::{
    memory_store::{MemoryStore, Stored},
    sim::State,
};

/// Takes down what people say, and what ends it; and tells of an overlap that is no longer ignored though it stands.
pub fn follow(state: &mut State, store: &MemoryStore, stored: &Stored) -> Vec<String> {
    match stored {
        Stored::Decided { pair, notice } => {
            let place = (notice.key, pair.lesson_id, pair.google_event_id.family().to_owned());
            match pair.state() {
                PairState::Ignored => state.truth.fine.insert(place, [pair.overlap_start, pair.overlap_end]),
                PairState::Live => state.truth.fine.remove(&place),
            };
            Vec::new()
        }
        Stored::ConflictsForgotten(key) => {
            state.truth.fine.retain(|(of, ..), _| of != key);
            Vec::new()
        }
        Stored::Conflicts { key, gone, .. } => {
            let ended: Vec<_> = gone.iter().filter(|pair| !pair.is_live()).collect();
            for pair in &ended {
                state.truth.fine.remove(&(*key, pair.lesson_id, pair.google_event_id.family().to_owned()));
            }
            let still = ended.into_iter().filter(|pair| stands(store, *key, pair));
            still.map(|pair| format!("a person said that an overlap is fine, and it counts anew: {pair:?}")).collect()
        }
        _ => Vec::new(),
    }
}

/// Whether the stored rows still overlap the lesson first at the times of the pair. (Where days are placed anew, as the
/// calendar's zone is now, the state learns of that zone later; and a lesson that is over is not looked at again.)
fn stands(store: &MemoryStore, key: ConnectionKey, pair: &SchedulingConflict) -> bool {
    let tables = store.tables();
    let (Some(state), Some(mapping)) = (tables.states.get(&key), tables.mapping(key, pair.lesson_id)) else {
        return false;
    };
    if mapping.lesson_removed_at.is_some() || mapping.event_end <= mapping.event_start {
        return false;
    }
    let window = Window { from: mapping.event_start, to: mapping.event_end };
    let lookup = tables.external_between(key, window);
    let (mut first, mut has_days) = (None, false);
    occurrences::each(&lookup, window, state.calendar_time_zone, |row, start, end| {
        let same = row.id().family() == pair.google_event_id.family() && row.calendar_id == pair.calendar_id;
        if same && row.event.blocks() && row.event.lesson_id != Some(pair.lesson_id) && start < end {
            has_days |= row.event.start.is_some_and(|start| start.is_day());
            let overlap = (start.max(window.from), start, end.min(window.to));
            first = Some(first.map_or(overlap, |known: (_, _, _)| overlap.min(known)));
        }
    });
    !has_days && first.is_some_and(|(from, _, to)| [from, to] == [pair.overlap_start, pair.overlap_end])
}
