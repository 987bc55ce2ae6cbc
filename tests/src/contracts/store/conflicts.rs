//! Conflicts: pairs, and the flag that follows from them.

use calendar_sync::{
    model::{EventId, SchedulingConflict},
    ports::{ConflictChanges, MarkUpdate, PairChange},
};

use super::{Subject, at, conflict, instructor, lesson, mapping, notice, primary, untold};

fn changes(number: u128, put: &[SchedulingConflict], remove: &[SchedulingConflict]) -> ConflictChanges {
    let untold = |pairs: &[SchedulingConflict]| pairs.iter().cloned().map(untold).collect();
    ConflictChanges {
        lesson_id: lesson(number),
        put: untold(put),
        remove: untold(remove),
        has_conflict: !put.is_empty(),
    }
}

/// Pairs are found by connection, lesson and event.
pub async fn pairs_are_found_by_lesson_and_by_event(on: &Subject) {
    let key = instructor(1);
    for number in [1, 2] {
        on.store.save_mapping(&mapping(key, number, at(2, 0)), MarkUpdate::Keep, &[]).await.unwrap();
    }
    let (one, two, three) = (conflict(1, "e", 2), conflict(1, "f", 2), conflict(2, "e", 3));
    let all = [changes(1, &[one.clone(), two.clone()], &[]), changes(2, std::slice::from_ref(&three), &[])];
    on.store.apply_conflicts(key, &all).await.unwrap();
    assert_eq!(on.store.conflicts(key).await.unwrap().len(), 3);
    assert_eq!(on.store.conflicts_of_lesson(key, lesson(1)).await.unwrap(), [one.clone(), two]);
    let mut of_event = on.store.conflicts_of_event(key, &primary(), &EventId::from("e")).await.unwrap();
    of_event.sort();
    assert_eq!(of_event, [one, three]);
    assert_eq!(on.store.conflicts_of_event(key, &primary(), &EventId::from("g")).await.unwrap(), []);
    assert_eq!(on.store.conflicts(instructor(2)).await.unwrap(), []);
}

/// A series, its exceptions, what was split off and the exceptions of that are found by each of them.
pub async fn pairs_are_found_by_the_family_of_an_event(on: &Subject) {
    let key = instructor(1);
    on.store.save_mapping(&mapping(key, 1, at(2, 0)), MarkUpdate::Keep, &[]).await.unwrap();
    let family = ["g", "g_20270201T100000Z", "g_R20270208T100000"];
    let pairs = family.map(|id| conflict(1, id, 2));
    let all: Vec<_> = pairs.iter().cloned().chain([conflict(1, "gg", 2)]).collect();
    on.store.apply_conflicts(key, &[changes(1, &all, &[])]).await.unwrap();
    for id in family.into_iter().chain(["g_20270215T100000Z"]) {
        let mut found = on.store.conflicts_of_event(key, &primary(), &EventId::from(id)).await.unwrap();
        found.sort();
        assert_eq!(found, pairs, "{id}");
    }
}

pub async fn flag_pairs_and_notices_change_together(on: &Subject) {
    let key = instructor(1);
    on.store.save_mapping(&mapping(key, 1, at(2, 0)), MarkUpdate::Keep, &[]).await.unwrap();
    let pair = conflict(1, "e", 2);
    let told = |minute| PairChange { pair: pair.clone(), notice: Some(notice(key, 1, minute)) };
    let found = ConflictChanges { put: vec![told(0)], has_conflict: true, ..changes(1, &[], &[]) };
    on.store.apply_conflicts(key, &[found]).await.unwrap();
    assert!(on.store.mapping(key, lesson(1)).await.unwrap().unwrap().has_conflict);
    assert_eq!(on.store.pending_notices(key, 9).await.unwrap(), [notice(key, 1, 0)]);
    let cleared = ConflictChanges { remove: vec![told(1)], ..changes(1, &[], &[]) };
    on.store.apply_conflicts(key, &[cleared]).await.unwrap();
    assert!(!on.store.mapping(key, lesson(1)).await.unwrap().unwrap().has_conflict);
    assert_eq!(on.store.conflicts(key).await.unwrap(), []);
    assert_eq!(on.store.pending_notices(key, 9).await.unwrap(), [notice(key, 1, 0), notice(key, 1, 1)]);
}

/// An overlap that moved is the same pair.
pub async fn a_pair_whose_overlap_moved_is_replaced(on: &Subject) {
    let key = instructor(1);
    on.store.save_mapping(&mapping(key, 1, at(2, 0)), MarkUpdate::Keep, &[]).await.unwrap();
    let pair = conflict(1, "e", 2);
    let moved = SchedulingConflict { overlap_end: at(2, 40), ..pair.clone() };
    for pair in [pair, moved.clone()] {
        on.store.apply_conflicts(key, &[changes(1, &[pair], &[])]).await.unwrap();
    }
    assert_eq!(on.store.conflicts(key).await.unwrap(), [moved]);
}

/// A lesson whose mapping is gone takes no new pairs, makes no row, and loses the old ones.
pub async fn a_lesson_without_a_mapping_keeps_no_pairs(on: &Subject) {
    let key = instructor(1);
    on.store.save_mapping(&mapping(key, 1, at(2, 0)), MarkUpdate::Keep, &[]).await.unwrap();
    let old = conflict(1, "old", 2);
    on.store.apply_conflicts(key, &[changes(1, std::slice::from_ref(&old), &[])]).await.unwrap();
    on.store.delete_mapping(key, lesson(1), 0).await.unwrap();
    on.store.apply_conflicts(key, &[changes(1, &[conflict(1, "new", 2)], &[old])]).await.unwrap();
    assert_eq!(on.store.conflicts(key).await.unwrap(), []);
    assert_eq!(on.store.mapping(key, lesson(1)).await.unwrap(), None);
}

/// A lesson that conflicts with more events than one transaction takes.
pub async fn more_pairs_than_a_transaction_takes_are_all_stored(on: &Subject) {
    let key = instructor(1);
    on.store.save_mapping(&mapping(key, 1, at(2, 0)), MarkUpdate::Keep, &[]).await.unwrap();
    let pairs: Vec<_> = (0..250).map(|number| conflict(1, &format!("e{number}"), 2)).collect();
    on.store.apply_conflicts(key, &[changes(1, &pairs, &[])]).await.unwrap();
    assert_eq!(on.store.conflicts_of_lesson(key, lesson(1)).await.unwrap().len(), 250);
    assert!(on.store.mapping(key, lesson(1)).await.unwrap().unwrap().has_conflict);
    on.store.apply_conflicts(key, &[changes(1, &[], &pairs)]).await.unwrap();
    assert_eq!(on.store.conflicts(key).await.unwrap(), []);
}

/// The longest event id that Google has fits.
pub async fn a_pair_with_the_longest_event_id_is_stored(on: &Subject) {
    let key = instructor(1);
    on.store.save_mapping(&mapping(key, 1, at(2, 0)), MarkUpdate::Keep, &[]).await.unwrap();
    let ids = ["a", "b"].map(|end| format!("{}{end}", "v".repeat(1023)));
    let pairs = ids.each_ref().map(|id| conflict(1, id, 2));
    on.store.apply_conflicts(key, &[changes(1, &pairs, &[])]).await.unwrap();
    let found = on.store.conflicts_of_event(key, &primary(), &EventId::from(ids[0].as_str())).await.unwrap();
    assert_eq!(found, pairs[..1]);
}
