//! Mappings, and the mark that says "to be looked at".

use calendar_sync::{
    model::{Base, CalendarEventMapping, DirtyMark, Fingerprint, LessonId, Remote, SyncStatus},
    ports::{LessonMark, MarkUpdate},
};
use chrono::TimeDelta;

use super::{Subject, at, instructor, lesson, mapping, notice, window};

fn mark(number: u128) -> LessonMark {
    LessonMark { lesson_id: lesson(number), starts_at: at(2, 0), ends_at: at(2, 60) }
}

pub async fn a_mapping_reads_back_as_it_was_saved(on: &Subject) {
    let fingerprint = |text: &str| Fingerprint(text.to_owned());
    let full = CalendarEventMapping {
        generation: 3,
        sync_status: SyncStatus::Failed,
        error: Some("Google refused the title".to_owned()),
        base: Some(Base { lesson: fingerprint("a"), google: fingerprint("b") }),
        in_flight: Some(fingerprint("c")),
        remote: Some(Remote { etag: "\"7\"".to_owned(), fingerprint: fingerprint("d"), deleted: true }),
        edited_by_others: true,
        restores: 2,
        replaces: Some("\"6\"".to_owned()),
        lesson_removed_at: Some(at(1, 5)),
        ..mapping(instructor(1), 1, at(2, 0))
    };
    on.store.save_mapping(&full, MarkUpdate::Keep, &[]).await.unwrap();
    assert_eq!(on.store.mapping(instructor(1), lesson(1)).await.unwrap(), Some(full.clone()));
    let bare = mapping(instructor(1), 1, at(3, 0));
    on.store.save_mapping(&bare, MarkUpdate::Keep, &[]).await.unwrap();
    assert_eq!(on.store.mapping(instructor(1), lesson(1)).await.unwrap(), Some(bare));
    assert_eq!(on.store.mapping(instructor(1), lesson(2)).await.unwrap(), None);
}

/// A lesson that has no row gets one, pending; the row of one that has stays as it is but for the mark.
pub async fn marking_makes_rows_and_changes_none(on: &Subject) {
    let key = instructor(1);
    let synced = CalendarEventMapping { sync_status: SyncStatus::Synced, ..mapping(key, 1, at(5, 0)) };
    on.store.save_mapping(&synced, MarkUpdate::Keep, &[]).await.unwrap();
    on.store.mark_dirty(key, &[mark(1), mark(2)], at(1, 0)).await.unwrap();
    let of = |number| on.store.mapping(key, lesson(number));
    let mark = DirtyMark { is_set: true, version: 1 };
    assert_eq!(of(1).await.unwrap(), Some(CalendarEventMapping { mark, ..synced }));
    assert_eq!(of(2).await.unwrap(), Some(CalendarEventMapping { mark, ..mapping(key, 2, at(2, 0)) }));
}

/// A mark that was raised after it was read outlives the save that answers the earlier one.
pub async fn a_mark_raised_meanwhile_stays(on: &Subject) {
    let key = instructor(1);
    on.store.mark_dirty(key, &[mark(1)], at(1, 0)).await.unwrap();
    let mut seen = on.store.mapping(key, lesson(1)).await.unwrap().unwrap();
    on.store.mark_dirty(key, &[mark(1)], at(1, 1)).await.unwrap();
    seen.sync_status = SyncStatus::Synced;
    on.store.save_mapping(&seen, MarkUpdate::Clear { seen: seen.mark.version }, &[notice(key, 1, 0)]).await.unwrap();
    let dirty = on.store.dirty_mappings(key, 9).await.unwrap();
    assert_eq!(dirty.len(), 1);
    assert_eq!(dirty[0].sync_status, SyncStatus::Synced, "the rest is saved all the same");
    assert_eq!(on.store.pending_notices(key, 9).await.unwrap().len(), 1);
    on.store.save_mapping(&seen, MarkUpdate::Clear { seen: dirty[0].mark.version }, &[]).await.unwrap();
    assert_eq!(on.store.dirty_mappings(key, 9).await.unwrap(), []);
}

/// A mark that was cleared and raised anew is not the one that was seen.
pub async fn a_mark_raised_anew_is_another_one(on: &Subject) {
    let key = instructor(1);
    on.store.mark_dirty(key, &[mark(1)], at(1, 0)).await.unwrap();
    let seen = on.store.mapping(key, lesson(1)).await.unwrap().unwrap();
    let clear = MarkUpdate::Clear { seen: seen.mark.version };
    on.store.save_mapping(&seen, clear, &[]).await.unwrap();
    on.store.mark_dirty(key, &[mark(1)], at(1, 1)).await.unwrap();
    on.store.save_mapping(&seen, clear, &[]).await.unwrap();
    assert_eq!(on.store.dirty_mappings(key, 9).await.unwrap().len(), 1);
}

/// What failed is found until its lesson is over or its sync succeeds.
pub async fn what_failed_is_found_while_it_matters(on: &Subject) {
    let key = instructor(1);
    let failed = |number, starts| CalendarEventMapping {
        sync_status: SyncStatus::Failed,
        error: Some("Refused.".to_owned()),
        ..mapping(key, number, starts)
    };
    for (number, starts) in [(1, at(3, 0)), (2, at(2, 0)), (3, at(1, 0))] {
        on.store.save_mapping(&failed(number, starts), MarkUpdate::Keep, &[]).await.unwrap();
    }
    on.store.save_mapping(&mapping(key, 4, at(3, 0)), MarkUpdate::Raise, &[]).await.unwrap();
    let found = async |limit| -> Vec<LessonId> {
        let found = on.store.failed_mappings(key, at(1, 60), limit).await.unwrap();
        found.iter().map(|found| found.lesson_id).collect()
    };
    assert_eq!(found(9).await, [2, 1].map(lesson), "the third is over");
    assert_eq!(found(1).await, [lesson(2)]);
    let synced = CalendarEventMapping { sync_status: SyncStatus::Synced, ..failed(2, at(2, 0)) };
    on.store.save_mapping(&synced, MarkUpdate::Keep, &[]).await.unwrap();
    assert_eq!(found(9).await, [lesson(1)]);
    assert_eq!(on.store.failed_mappings(instructor(2), at(1, 0), 9).await.unwrap(), []);
}

/// Who waits longest is served first; what Google shows comes before all.
pub async fn the_longest_waiting_come_first(on: &Subject) {
    let key = instructor(1);
    for (number, minute) in [(1, 3), (2, 1), (3, 2)] {
        on.store.mark_dirty(key, &[mark(number)], at(1, minute)).await.unwrap();
    }
    on.store.mark_dirty(key, &[mark(2)], at(1, 9)).await.unwrap();
    on.store.save_mapping(&mapping(key, 4, at(2, 0)), MarkUpdate::Raise, &[]).await.unwrap();
    on.store.save_mapping(&mapping(key, 5, at(2, 0)), MarkUpdate::Keep, &[]).await.unwrap();
    let order = |found: Vec<CalendarEventMapping>| found.iter().map(|found| found.lesson_id).collect::<Vec<_>>();
    assert_eq!(order(on.store.dirty_mappings(key, 9).await.unwrap()), [4, 2, 3, 1].map(lesson));
    assert_eq!(order(on.store.dirty_mappings(key, 2).await.unwrap()), [4, 2].map(lesson));
}

/// `[from, to)`: touching is no overlap, and a lesson that began before the window is found.
pub async fn mappings_are_found_by_overlap(on: &Subject) {
    let key = instructor(1);
    for (number, minute) in [(1, -60), (2, -30), (3, 0), (4, 59), (5, 60)] {
        on.store.save_mapping(&mapping(key, number, at(2, minute)), MarkUpdate::Keep, &[]).await.unwrap();
    }
    let long = CalendarEventMapping { event_end: at(2, 1), ..mapping(key, 6, at(1, 30)) };
    on.store.save_mapping(&long, MarkUpdate::Keep, &[]).await.unwrap();
    let found = on.store.mappings_between(key, window(at(2, 0), at(2, 60))).await.unwrap();
    let mut found: Vec<_> = found.iter().map(|found| found.lesson_id).collect();
    found.sort_unstable();
    assert_eq!(found, [2, 3, 4, 6].map(lesson));
}

/// The flag and the count of the conflicts are the conflicts' own.
pub async fn a_save_leaves_the_flag_alone(on: &Subject) {
    let key = instructor(1);
    let unflagged = mapping(key, 1, at(2, 0));
    let flagged =
        CalendarEventMapping { has_conflict: true, conflicts_left_out: 3, conflicts_version: 4, ..unflagged.clone() };
    on.store.save_mapping(&flagged, MarkUpdate::Keep, &[]).await.unwrap();
    assert_eq!(on.store.mapping(key, lesson(1)).await.unwrap(), Some(unflagged));
}

/// A mapping with a mark that was raised since is not removed.
pub async fn a_mapping_marked_meanwhile_is_not_removed(on: &Subject) {
    let key = instructor(1);
    on.store.mark_dirty(key, &[mark(1)], at(1, 0)).await.unwrap();
    on.store.mark_dirty(key, &[mark(1)], at(1, 0)).await.unwrap();
    on.store.delete_mapping(key, lesson(1), 1).await.unwrap();
    assert_eq!(on.store.mappings(key).await.unwrap().len(), 1);
    on.store.delete_mapping(key, lesson(1), 2).await.unwrap();
    on.store.delete_mapping(key, lesson(1), 2).await.unwrap();
    assert_eq!(on.store.mappings(key).await.unwrap(), []);
}

/// All pages are read and all rows removed, however many there are; notices stay.
pub async fn clearing_takes_every_mapping_and_conflict(on: &Subject) {
    let key = instructor(1);
    let marks: Vec<_> = (1..=130).map(mark).collect();
    on.store.mark_dirty(key, &marks, at(1, 0)).await.unwrap();
    on.store.put_notices(key, &[notice(key, 1, 0)]).await.unwrap();
    on.store.mark_dirty(instructor(2), &[mark(1)], at(1, 0)).await.unwrap();
    assert_eq!(on.store.mappings(key).await.unwrap().len(), 130);
    on.store.clear_mappings(key).await.unwrap();
    assert_eq!(on.store.mappings(key).await.unwrap(), []);
    assert_eq!(on.store.dirty_mappings(key, 9).await.unwrap(), []);
    assert_eq!(on.store.pending_notices(key, 9).await.unwrap().len(), 1);
    assert_eq!(on.store.mappings(instructor(2)).await.unwrap().len(), 1);
}

/// A megabyte of rows is more than one page of DynamoDB.
pub async fn more_than_a_page_is_read_to_its_end(on: &Subject) {
    let key = instructor(1);
    let error = Some("long ".repeat(4000));
    for number in 1..=80 {
        let start = at(2, 0) + TimeDelta::minutes(i64::try_from(number).unwrap());
        let long = CalendarEventMapping { error: error.clone(), ..mapping(key, number, start) };
        on.store.save_mapping(&long, MarkUpdate::Raise, &[]).await.unwrap();
    }
    assert_eq!(on.store.mappings(key).await.unwrap().len(), 80);
    assert_eq!(on.store.mappings_between(key, window(at(2, 0), at(3, 0))).await.unwrap().len(), 80);
    assert_eq!(on.store.dirty_mappings(key, 70).await.unwrap().len(), 70);
}
