//! Conflicts: pairs, and the flag that follows from them.

use calendar_sync::{
    model::{EventId, Ignored, PairChange, PersonRole, SchedulingConflict},
    ports::{ConflictChanges, ConflictFlags, MarkUpdate},
};

use super::{Subject, at, conflict, instructor, lesson, mapping, notice, primary};

fn flags(number: u128, has_conflict: bool, left_out: u32) -> ConflictFlags {
    ConflictFlags { lesson_id: lesson(number), has_conflict, left_out, seen: 0 }
}

/// The same, of a mapping in a later version.
fn seen(seen: u64, flags: ConflictFlags) -> ConflictFlags {
    ConflictFlags { seen, ..flags }
}

fn ignored(pair: SchedulingConflict) -> SchedulingConflict {
    let ignored = Ignored { by: "user-1".to_owned(), role: PersonRole::Instructor, at: at(1, 5) };
    SchedulingConflict { ignored: Some(ignored), ..pair }
}

/// Lessons from 1 on with as many conflicts as are found.
fn found(lessons: u128, pairs: &[SchedulingConflict]) -> ConflictChanges {
    ConflictChanges {
        pairs: pairs.iter().cloned().map(PairChange::Found).collect(),
        lessons: (1..=lessons).map(|number| flags(number, true, 0)).collect(),
    }
}

impl Subject {
    async fn map(&self, lessons: u128) {
        for number in 1..=lessons {
            let mapping = mapping(instructor(1), number, at(2, 0));
            self.store.save_mapping(&mapping, MarkUpdate::Keep, &[]).await.unwrap();
        }
    }

    /// Stores changes that no notice tells.
    async fn apply(&self, changes: &ConflictChanges) -> bool {
        self.store.apply_conflicts(instructor(1), changes, None).await.unwrap()
    }
}

/// Pairs are found by connection, lesson and event.
pub async fn pairs_are_found_by_lesson_and_by_event(on: &Subject) {
    let key = instructor(1);
    on.map(2).await;
    let (one, two, three) = (conflict(1, "e", 2), conflict(1, "f", 2), conflict(2, "e", 3));
    assert!(on.apply(&found(2, &[one.clone(), two.clone(), three.clone()])).await);
    assert_eq!(on.store.conflicts(key).await.unwrap().len(), 3);
    assert_eq!(on.store.conflicts_of_lesson(key, lesson(1)).await.unwrap(), [one.clone(), two]);
    let mut of_event = on.store.conflicts_of_event(key, &primary(), &EventId::from("e")).await.unwrap();
    of_event.sort();
    assert_eq!(of_event, [one, three]);
    assert_eq!(on.store.conflicts_of_event(key, &primary(), &EventId::from("g")).await.unwrap(), []);
    assert_eq!(on.store.conflicts(instructor(2)).await.unwrap(), []);
}

/// A series, its exceptions, what was split off and the exceptions of that are one event.
pub async fn pairs_are_found_by_the_family_of_an_event(on: &Subject) {
    let key = instructor(1);
    on.map(3).await;
    let pairs = [(1, "g"), (2, "g_20270201T100000Z"), (3, "g_R20270208T100000")].map(|(n, id)| conflict(n, id, 2));
    let all: Vec<_> = pairs.iter().cloned().chain([conflict(1, "gg", 2)]).collect();
    assert!(on.apply(&found(3, &all)).await);
    for id in ["g", "g_20270201T100000Z", "g_R20270208T100000", "g_20270215T100000Z"] {
        let mut found = on.store.conflicts_of_event(key, &primary(), &EventId::from(id)).await.unwrap();
        found.sort();
        assert_eq!(found, pairs, "{id}");
    }
}

pub async fn flags_pairs_and_their_notice_change_together(on: &Subject) {
    let key = instructor(1);
    on.map(2).await;
    let pairs = [conflict(1, "e", 2), conflict(2, "e", 2)];
    let changes = ConflictChanges { lessons: vec![flags(1, true, 10), flags(2, true, 0)], ..found(2, &pairs) };
    assert!(on.store.apply_conflicts(key, &changes, Some(&notice(key, 1, 0))).await.unwrap());
    let flagged = async |number| {
        let mapping = on.store.mapping(key, lesson(number)).await.unwrap().unwrap();
        (mapping.has_conflict, mapping.conflicts_left_out)
    };
    assert_eq!([flagged(1).await, flagged(2).await], [(true, 10), (true, 0)]);
    assert_eq!(on.store.pending_notices(key, 9).await.unwrap(), [notice(key, 1, 0)]);
    let [cleared, _] = pairs.clone().map(PairChange::Cleared);
    let changes = ConflictChanges { pairs: vec![cleared], lessons: vec![seen(1, flags(1, false, 0))] };
    assert!(on.store.apply_conflicts(key, &changes, Some(&notice(key, 2, 1))).await.unwrap());
    assert_eq!([flagged(1).await, flagged(2).await], [(false, 0), (true, 0)]);
    assert_eq!(on.store.conflicts(key).await.unwrap(), pairs[1..]);
    assert_eq!(on.store.pending_notices(key, 9).await.unwrap(), [notice(key, 1, 0), notice(key, 2, 1)]);
}

/// An overlap that moved is the same pair, also where an exception of the series overlaps first now.
pub async fn a_pair_whose_first_overlap_moved_is_replaced(on: &Subject) {
    let key = instructor(1);
    on.map(1).await;
    let pair = conflict(1, "e", 2);
    assert!(on.apply(&found(1, std::slice::from_ref(&pair))).await);
    for (version, id) in (1..).zip(["e", "e_20270201T100000Z", "e_R20270201T100000"]) {
        let google_event_id = EventId::from(id);
        let moved =
            SchedulingConflict { google_event_id, occurrence_start: at(2, 5), overlap_end: at(2, 40), ..pair.clone() };
        let pairs = vec![PairChange::Moved(moved.clone())];
        let changes = ConflictChanges { pairs, lessons: vec![seen(version, flags(1, true, 0))] };
        assert!(on.apply(&changes).await);
        assert_eq!(on.store.conflicts(key).await.unwrap(), [moved]);
    }
}

/// Where one lesson has no mapping any more, nothing is stored of any, and no row is made.
pub async fn of_lessons_without_a_mapping_no_conflict_is_stored(on: &Subject) {
    let key = instructor(1);
    on.map(2).await;
    let old = conflict(1, "old", 2);
    assert!(on.apply(&found(1, std::slice::from_ref(&old))).await);
    on.store.delete_mapping(key, lesson(2), 0).await.unwrap();
    let changes = found(2, &[conflict(1, "new", 2), conflict(2, "new", 2)]);
    assert!(!on.store.apply_conflicts(key, &changes, Some(&notice(key, 1, 0))).await.unwrap());
    assert_eq!(on.store.conflicts(key).await.unwrap(), [old]);
    assert_eq!(on.store.pending_notices(key, 9).await.unwrap(), []);
    assert_eq!(on.store.mapping(key, lesson(2)).await.unwrap(), None);
}

/// As many as one notice tells, each of another lesson, with the longest event id that is read.
pub async fn twenty_pairs_of_twenty_lessons_are_stored_at_once(on: &Subject) {
    let key = instructor(1);
    on.map(20).await;
    let event = |end: u128| format!("{}{end:02}", "v".repeat(2046));
    let pairs: Vec<_> = (1..=20).map(|number| conflict(number, &event(number), 2)).collect();
    assert!(on.store.apply_conflicts(key, &found(20, &pairs), Some(&notice(key, 1, 0))).await.unwrap());
    assert_eq!(on.store.conflicts(key).await.unwrap(), pairs);
    let of_event = on.store.conflicts_of_event(key, &primary(), &EventId::from(event(7).as_str())).await.unwrap();
    assert_eq!(of_event, pairs[6..7]);
    let pairs = pairs.into_iter().map(PairChange::Cleared).collect();
    let lessons = (1..=20).map(|number| seen(1, flags(number, false, 0))).collect();
    assert!(on.apply(&ConflictChanges { pairs, lessons }).await);
    assert_eq!(on.store.conflicts(key).await.unwrap(), []);
}

pub async fn what_a_person_decides_is_stored_with_the_flag_the_mark_and_the_notice(on: &Subject) {
    let key = instructor(1);
    on.map(2).await;
    let pair = conflict(1, "e", 2);
    assert!(on.apply(&found(1, std::slice::from_ref(&pair))).await);
    for (version, decided, flagged) in [(1_u8, ignored(pair.clone()), false), (2, pair.clone(), true)] {
        let told = notice(key, version.into(), i64::from(version));
        let flags = seen(version.into(), flags(1, flagged, 2));
        assert!(on.store.decide_conflict(key, &decided, flags, &told).await.unwrap());
        assert_eq!(on.store.conflicts_of_lesson(key, lesson(1)).await.unwrap(), std::slice::from_ref(&decided));
        assert_eq!(on.store.conflicts_of_event(key, &primary(), &EventId::from("e")).await.unwrap(), [decided]);
        let mapping = on.store.mapping(key, lesson(1)).await.unwrap().unwrap();
        assert_eq!((mapping.has_conflict, mapping.conflicts_left_out), (flagged, 2));
        assert_eq!((mapping.mark.is_set, mapping.mark.version), (true, version.into()));
        assert_eq!(on.store.pending_notices(key, 9).await.unwrap().last(), Some(&told));
    }
    let other = on.store.mapping(key, lesson(2)).await.unwrap().unwrap();
    assert!(!other.mark.is_set && !other.has_conflict);
}

/// Whether a run or a person stored it: what was worked out from older conflicts is refused, and changes nothing.
pub async fn what_was_stored_since_the_conflicts_were_read_is_not_overwritten(on: &Subject) {
    let key = instructor(1);
    on.map(1).await;
    let pair = conflict(1, "e", 2);
    assert!(on.apply(&found(1, std::slice::from_ref(&pair))).await);
    assert_eq!(on.store.mapping(key, lesson(1)).await.unwrap().unwrap().conflicts_version, 1);
    let decided = ignored(pair.clone());
    let decide = async |version, told| {
        let flags = seen(version, flags(1, false, 0));
        on.store.decide_conflict(key, &decided, flags, &notice(key, told, 0)).await.unwrap()
    };
    assert!(!decide(0, 1).await, "the run was first");
    assert!(decide(1, 2).await);
    assert!(!decide(1, 3).await, "another person was first");
    let cleared = |version| ConflictChanges {
        pairs: vec![PairChange::Cleared(pair.clone())],
        lessons: vec![seen(version, flags(1, true, 0))],
    };
    assert!(!on.apply(&cleared(0)).await);
    assert!(!on.apply(&cleared(1)).await, "the person was first");
    assert_eq!(on.store.conflicts(key).await.unwrap(), std::slice::from_ref(&decided));
    let mapping = on.store.mapping(key, lesson(1)).await.unwrap().unwrap();
    assert_eq!((mapping.has_conflict, mapping.conflicts_version), (false, 2));
    assert_eq!(on.store.pending_notices(key, 9).await.unwrap(), [notice(key, 2, 0)]);
    on.store.save_mapping(&mapping, MarkUpdate::Keep, &[]).await.unwrap();
    assert!(on.apply(&cleared(2)).await, "a save is no change of conflicts");
    assert_eq!(on.store.conflicts(key).await.unwrap(), []);
    on.store.delete_mapping(key, lesson(1), mapping.mark.version).await.unwrap();
    assert!(!decide(3, 4).await, "the lesson has no mapping any more");
    assert_eq!(on.store.conflicts(key).await.unwrap(), []);
}
