//! What a person's word makes of a pair of lesson and event, and of the flag of the lesson.

use crate::{
    model::{CalendarEventMapping, ConflictId, Ignored, PairState, SchedulingConflict},
    ports::ConflictFlags,
};

/// What becomes of the pair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PairDecision {
    /// There is no such pair any more.
    Unknown,
    /// It is in this state already, by whoever said so first.
    Stands(SchedulingConflict),
    /// The lesson has as many ignored pairs as it keeps.
    TooMany,
    /// To be stored, with the flags that follow.
    Changes(SchedulingConflict, ConflictFlags),
}

/// Puts the pair `id` of the lesson of `mapping`, with its pairs as they are `stored`, into the state `wanted`; `word` is
/// who says so and when.
pub fn put_into(
    wanted: PairState,
    id: ConflictId,
    mapping: &CalendarEventMapping,
    stored: &[SchedulingConflict],
    word: Ignored,
) -> PairDecision {
    let (of_id, others): (Vec<_>, Vec<_>) = stored.iter().partition(|pair| pair.id() == id);
    let Some(&pair) = of_id.first() else { return PairDecision::Unknown };
    if pair.state() == wanted {
        return PairDecision::Stands(pair.clone());
    }
    let live = others.iter().filter(|pair| pair.is_live()).count();
    let ignored = match wanted {
        PairState::Live => None,
        PairState::Ignored if others.len() - live >= SchedulingConflict::MAX_PER_LESSON => {
            return PairDecision::TooMany;
        }
        PairState::Ignored => Some(word),
    };
    // Events for which the lesson has no pair are live.
    let has_conflict = wanted == PairState::Live || live > 0 || mapping.conflicts_left_out > 0;
    let flags = ConflictFlags {
        lesson_id: mapping.lesson_id,
        has_conflict,
        left_out: mapping.conflicts_left_out,
        seen: mapping.conflicts_version,
    };
    PairDecision::Changes(SchedulingConflict { ignored, ..pair.clone() }, flags)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::{CalendarId, EventId, LessonId, PersonRole},
        testing::key,
    };
    use chrono::{DateTime, TimeDelta, Utc};
    use uuid::Uuid;

    fn word(by: &str) -> Ignored {
        Ignored { by: by.to_owned(), role: PersonRole::Instructor, at: DateTime::UNIX_EPOCH }
    }

    fn pair(number: usize, ignored: Option<Ignored>) -> SchedulingConflict {
        let start: DateTime<Utc> = DateTime::UNIX_EPOCH;
        SchedulingConflict {
            lesson_id: LessonId(Uuid::from_u128(1)),
            lesson_start: start,
            lesson_end: start + TimeDelta::hours(1),
            calendar_id: CalendarId::from("primary"),
            google_event_id: EventId(format!("event{number}")),
            occurrence_start: start,
            overlap_start: start,
            overlap_end: start + TimeDelta::hours(1),
            found_at: start,
            ignored,
        }
    }

    /// So many live pairs, then so many ignored ones.
    fn stored(live: usize, ignored: usize) -> Vec<SchedulingConflict> {
        let live_ones = (0..live).map(|number| pair(number, None));
        live_ones.chain((live..live + ignored).map(|number| pair(number, Some(word("first"))))).collect()
    }

    fn mapping(conflicts_left_out: u32) -> CalendarEventMapping {
        let mut mapping = CalendarEventMapping::new(
            key(0, 0),
            LessonId(Uuid::from_u128(1)),
            DateTime::UNIX_EPOCH,
            DateTime::UNIX_EPOCH,
        );
        mapping.conflicts_left_out = conflicts_left_out;
        mapping.conflicts_version = 7;
        mapping
    }

    #[test]
    fn the_flag_follows_from_what_is_left_live() {
        use PairState::{Ignored, Live};
        for (situation, [live, ignored], left_out, which, wanted, flagged) in [
            ("the only one", [1, 0], 0, 0, Ignored, false),
            ("the last live one", [1, 3], 0, 0, Ignored, false),
            ("one of two", [2, 0], 0, 1, Ignored, true),
            ("all that is kept, and more", [1, 0], 5, 0, Ignored, true),
            ("taken back", [0, 1], 0, 0, Live, true),
            ("taken back beside a live one", [1, 1], 0, 1, Live, true),
        ] {
            let stored = stored(live, ignored);
            let before = &stored[which];
            let decision = put_into(wanted, before.id(), &mapping(left_out), &stored, word("second"));
            let PairDecision::Changes(after, flags) = decision else { panic!("{situation}: {decision:?}") };
            let by = (wanted == Ignored).then(|| word("second"));
            assert_eq!(after, SchedulingConflict { ignored: by, ..before.clone() }, "{situation}");
            assert_eq!((flags.has_conflict, flags.left_out, flags.seen), (flagged, left_out, 7), "{situation}");
        }
    }

    #[test]
    fn what_stands_stands_by_the_first_word() {
        let stored = stored(1, 1);
        for pair in &stored {
            let decision = put_into(pair.state(), pair.id(), &mapping(0), &stored, word("second"));
            assert_eq!(decision, PairDecision::Stands(pair.clone()));
        }
    }

    #[test]
    fn an_unknown_pair_has_no_state_and_a_lesson_ignores_twenty() {
        let full = stored(2, 20);
        assert_eq!(
            put_into(PairState::Ignored, pair(99, None).id(), &mapping(0), &full, word("second")),
            PairDecision::Unknown
        );
        assert_eq!(
            put_into(PairState::Ignored, full[0].id(), &mapping(0), &full, word("second")),
            PairDecision::TooMany
        );
        let decision = put_into(PairState::Ignored, full[0].id(), &mapping(0), &full[..21], word("second"));
        assert!(matches!(decision, PairDecision::Changes(..)), "{decision:?}");
    }
}
