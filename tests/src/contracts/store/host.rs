//! The host's tables: read with care, written only where there is a row.

use calendar_sync::{
    model::{
        ConnectionKey, EventId, FedLesson, Lesson, LessonContent, LessonId, LessonStatus, LessonVersion, SyncStatus,
    },
    ports::{LessonLookup, LessonSyncColumns},
};
use chrono_tz::Tz;
use serde_json::{Value, json};
use testkit::data::{instructor_row, lesson_row};

use super::{HostTable, Subject, at, connection, instructor, lesson, window};

fn row(number: u128, starts_at: &str, ends_at: &str) -> Value {
    let mut row = lesson_row(instructor(1), lesson(number), "Piano", at(1, 0));
    row["starts_at"] = json!(starts_at);
    row["ends_at"] = json!(ends_at);
    row
}

/// The columns of a lesson that stands in Google as `event`.
fn shown(event: &str) -> LessonSyncColumns {
    LessonSyncColumns {
        google_calendar_event_id: Some(EventId::from(event)),
        calendar_sync_status: Some(SyncStatus::Synced),
        has_conflict: true,
    }
}

async fn put(on: &Subject, row: Value) {
    on.host.put(HostTable::Lessons, row).await;
}

/// Lessons come in the order asked for, repeated ones too.
pub async fn lessons_come_in_the_order_asked_for(on: &Subject) {
    for number in 1..=120 {
        put(on, row(number, "2026-03-02T10:00:00.000Z", "2026-03-02T11:00:00.000Z")).await;
    }
    let asked: Vec<_> = (1..=121).rev().chain([5]).map(lesson).collect();
    let found = on.store.lessons(instructor(1).tenant_id, &asked).await.unwrap();
    assert_eq!(found.len(), 122);
    assert_eq!(found[0], LessonLookup::Gone);
    for (id, found) in asked.iter().zip(&found).skip(1) {
        assert!(matches!(found, LessonLookup::Found(lesson) if lesson.id == *id), "{found:?}");
    }
    let foreign = on.store.lessons(connection(2, 1).tenant_id, &[lesson(1)]).await.unwrap();
    assert_eq!(foreign, [LessonLookup::Gone], "another tenant has no such lesson");
}

/// The host's words and offsets are understood.
pub async fn a_lesson_is_read_as_the_host_wrote_it(on: &Subject) {
    let mut given = row(1, "2026-03-02T13:30:00+01:00", "2026-03-02T14:30:00+01:00");
    given["status"] = json!("CANCELLED");
    given["description"] = json!("Scales");
    given["calendar_sync_status"] = json!("synced");
    given["has_conflict"] = json!(true);
    put(on, given).await;
    let found = on.store.lessons(instructor(1).tenant_id, &[lesson(1)]).await.unwrap();
    let [LessonLookup::Found(read)] = &found[..] else { panic!("{found:?}") };
    assert_eq!((read.status, read.has_conflict), (LessonStatus::Cancelled, true));
    assert_eq!(read.calendar_sync_status, Some(SyncStatus::Synced));
    assert_eq!(read.content.description.as_deref(), Some("Scales"));
    assert_eq!((read.content.starts_at, read.content.location.as_ref()), (at(2, 30), None));
}

/// One bad row does not stop the rest.
pub async fn a_malformed_row_is_unreadable_and_spoils_no_other(on: &Subject) {
    let good = row(1, "2026-03-02T10:00:00.000Z", "2026-03-02T11:00:00.000Z");
    let spoiled = [
        ("starts_at", json!("soon")),
        ("ends_at", json!(17)),
        ("ends_at", json!("2026-03-02T10:00:00.000Z")),
        ("ends_at", json!(null)),
        ("title", json!(["Piano"])),
        ("time_zone", json!("Mars/Olympus")),
        ("instructor_id", json!("no id")),
    ];
    put(on, good.clone()).await;
    let mut asked = vec![lesson(1)];
    for (number, (column, value)) in (2..).zip(&spoiled) {
        let mut bad = good.clone();
        bad["id"] = json!(lesson(number));
        bad[column] = value.clone();
        put(on, bad).await;
        asked.push(lesson(number));
    }
    let found = on.store.lessons(instructor(1).tenant_id, &asked).await.unwrap();
    assert!(matches!(found[0], LessonLookup::Found(_)));
    for (found, spoiled) in found[1..].iter().zip(&spoiled) {
        assert!(matches!(found, LessonLookup::Unreadable(_)), "{spoiled:?}: {found:?}");
    }
}

/// By start, in the instructor's own tenant, whatever offset the host writes.
pub async fn lessons_are_found_by_instructor_and_start(on: &Subject) {
    let starts = [
        (1, "2026-03-02T11:59:59Z"),
        (2, "2026-03-02T12:00:00Z"),
        (3, "2026-03-02T23:30:00+11:00"),
        (4, "2026-03-02T13:00:00.000Z"),
        (5, "2026-03-02T13:30:00+01:00"),
    ];
    for (number, starts_at) in starts {
        put(on, row(number, starts_at, "2026-03-03T12:00:00Z")).await;
    }
    let mut foreign = row(6, "2026-03-02T12:30:00Z", "2026-03-03T12:00:00Z");
    foreign["tenant_id"] = json!(connection(2, 1).tenant_id);
    put(on, foreign).await;
    let mut other = row(7, "2026-03-02T12:30:00Z", "2026-03-03T12:00:00Z");
    other["instructor_id"] = json!(instructor(2).instructor_id);
    put(on, other).await;
    let mut found = on.store.lessons_between(instructor(1), window(at(2, 0), at(2, 60))).await.unwrap();
    found.sort_unstable();
    assert_eq!(found, [2, 3, 5].map(lesson));
}

/// Our columns are set and taken away; the host's stay.
pub async fn our_columns_of_a_lesson_are_written(on: &Subject) {
    let given = row(1, "2026-03-02T10:00:00.000Z", "2026-03-02T11:00:00.000Z");
    put(on, given.clone()).await;
    let key = instructor(1);
    let tenant = key.tenant_id;
    let flags = shown("e");
    on.store.write_lesson_columns(key, lesson(1), &flags).await.unwrap();
    let written = on.host.row(HostTable::Lessons, tenant, lesson(1).0).await.unwrap();
    assert_eq!(written["google_calendar_event_id"], "e");
    assert_eq!((&written["calendar_sync_status"], &written["has_conflict"]), (&json!("synced"), &json!(true)));
    assert_eq!(written["title"], given["title"]);
    let none = LessonSyncColumns { google_calendar_event_id: None, calendar_sync_status: None, has_conflict: false };
    on.store.write_lesson_columns(key, lesson(1), &none).await.unwrap();
    let written = on.host.row(HostTable::Lessons, tenant, lesson(1).0).await.unwrap();
    assert_eq!((written.get("google_calendar_event_id"), written.get("calendar_sync_status")), (None, None));
}

/// Of the instructor's own lesson, if it is there; and counted as any write of our columns.
pub async fn the_flag_of_a_lesson_is_written_alone(on: &Subject) {
    let key = instructor(1);
    put(on, row(1, "2026-03-02T10:00:00.000Z", "2026-03-02T11:00:00.000Z")).await;
    on.store.write_lesson_columns(key, lesson(1), &shown("e")).await.unwrap();
    let before = on.host.row(HostTable::Lessons, key.tenant_id, lesson(1).0).await.unwrap();
    on.store.flag_lesson(instructor(2), lesson(1), false).await.unwrap();
    assert_eq!(on.host.row(HostTable::Lessons, key.tenant_id, lesson(1).0).await.unwrap(), before);
    on.store.flag_lesson(key, lesson(1), false).await.unwrap();
    let mut wanted = before;
    wanted["has_conflict"] = json!(false);
    wanted["calendar_sync_revision"] = json!(2);
    assert_eq!(on.host.row(HostTable::Lessons, key.tenant_id, lesson(1).0).await.unwrap(), wanted);
    on.store.flag_lesson(key, lesson(2), true).await.unwrap();
    assert_eq!(on.host.row(HostTable::Lessons, key.tenant_id, lesson(2).0).await, None);
}

/// When a lesson was given to another instructor, a late write for the previous one leaves its columns alone.
pub async fn another_instructors_lesson_is_left_as_it_is(on: &Subject) {
    let given = row(1, "2026-03-02T10:00:00.000Z", "2026-03-02T11:00:00.000Z");
    put(on, given.clone()).await;
    let flags = shown("e");
    on.store.write_lesson_columns(instructor(2), lesson(1), &flags).await.unwrap();
    let written = on.host.row(HostTable::Lessons, instructor(1).tenant_id, lesson(1).0).await.unwrap();
    assert_eq!(written, given);
}

/// Columns that show our event are cleared, also when another instructor gives the lesson now; that instructor's own
/// values stay.
pub async fn a_lesson_given_to_another_instructor_is_cleared_while_it_shows_the_event(on: &Subject) {
    let (key, other) = (instructor(1), instructor(2));
    let shows = async || look(on).await.and_then(|lesson| lesson.google_calendar_event_id);
    let blank = async || on.store.clear_lesson_columns(other, lesson(1), &EventId::from("e")).await.unwrap();
    put(on, row(1, "2026-03-02T10:00:00.000Z", "2026-03-02T11:00:00.000Z")).await;
    on.store.write_lesson_columns(key, lesson(1), &shown("own")).await.unwrap();
    blank().await;
    assert_eq!(shows().await.as_deref(), Some("own"));
    on.store.write_lesson_columns(key, lesson(1), &shown("e")).await.unwrap();
    let before = look(on).await.unwrap();
    blank().await;
    let blanked = Lesson {
        google_calendar_event_id: None,
        calendar_sync_status: None,
        has_conflict: false,
        calendar_sync_revision: before.calendar_sync_revision + 1,
        ..before
    };
    assert_eq!(look(on).await, Some(blanked));
    on.store.write_lesson_columns(key, lesson(1), &shown("own")).await.unwrap();
    on.store.clear_lesson_columns(key, lesson(1), &EventId::from("e")).await.unwrap();
    assert_eq!(shows().await, None, "one's own is blanked whatever it shows");
    on.host.remove(HostTable::Lessons, key.tenant_id, lesson(1).0).await;
    blank().await;
    assert_eq!(on.host.row(HostTable::Lessons, key.tenant_id, lesson(1).0).await, None);
}

/// What the host removed is not brought back by us.
pub async fn a_row_that_is_gone_is_left_gone(on: &Subject) {
    let key = instructor(1);
    let none = LessonSyncColumns { google_calendar_event_id: None, calendar_sync_status: None, has_conflict: true };
    on.store.write_lesson_columns(key, lesson(1), &none).await.unwrap();
    assert_eq!(on.host.row(HostTable::Lessons, key.tenant_id, lesson(1).0).await, None);
    on.store.flag_instructor(key, Some(true), Some(at(1, 0))).await.unwrap();
    assert_eq!(on.host.row(HostTable::Instructors, key.tenant_id, key.instructor_id.0).await, None);
    assert!(!on.store.instructor_exists(key).await.unwrap());
}

/// The instructor's columns; the moment stays when none is given.
pub async fn our_columns_of_an_instructor_are_written(on: &Subject) {
    let key = instructor(1);
    let mut given = instructor_row(key);
    given["name"] = json!("Ada");
    on.host.put(HostTable::Instructors, given).await;
    assert!(on.store.instructor_exists(key).await.unwrap());
    assert!(!on.store.instructor_exists(connection(2, 1)).await.unwrap());
    on.store.flag_instructor(key, Some(true), Some(at(1, 0))).await.unwrap();
    on.store.flag_instructor(key, Some(false), None).await.unwrap();
    let written = on.host.row(HostTable::Instructors, key.tenant_id, key.instructor_id.0).await.unwrap();
    assert_eq!((&written["calendar_sync_enabled"], &written["name"]), (&json!(false), &json!("Ada")));
    assert_eq!(written["calendar_last_synced_at"], "2026-03-01T12:00:00.000Z");
}

pub async fn no_lessons_are_asked_for_without_ids(on: &Subject) {
    let none: [LessonId; 0] = [];
    assert_eq!(on.store.lessons(instructor(1).tenant_id, &none).await.unwrap(), []);
}

/// What the feed says of lesson 1: given by `key`'s instructor, and called `title`.
fn told(key: ConnectionKey, version: u64, title: &str) -> LessonVersion {
    let content = LessonContent {
        title: title.to_owned(),
        starts_at: at(2, 0),
        ends_at: at(2, 60),
        time_zone: Tz::Europe__Berlin,
        description: None,
        location: Some("Room 4".to_owned()),
    };
    let fed = FedLesson { instructor_id: key.instructor_id, status: LessonStatus::Scheduled, content };
    LessonVersion { tenant_id: key.tenant_id, lesson_id: lesson(1), version, lesson: Some(fed) }
}

fn removed(key: ConnectionKey, version: u64) -> LessonVersion {
    LessonVersion { lesson: None, ..told(key, version, "") }
}

async fn save(on: &Subject, version: LessonVersion) -> bool {
    on.store.save_lesson_version(&version, at(1, 0), at(31, 0)).await.unwrap()
}

async fn look(on: &Subject) -> Option<Lesson> {
    let mut found = on.store.lessons(instructor(1).tenant_id, &[lesson(1)]).await.unwrap();
    match found.remove(0) {
        LessonLookup::Found(lesson) => Some(*lesson),
        LessonLookup::Gone => None,
        LessonLookup::Unreadable(why) => panic!("{why}"),
    }
}

/// Messages come in any order and more than once.
pub async fn a_version_that_is_not_newer_changes_nothing(on: &Subject) {
    let key = instructor(1);
    assert!(save(on, told(key, 7, "Violin")).await);
    let stored = look(on).await.unwrap();
    assert_eq!((stored.feed_version, stored.content.title.as_str()), (Some(7), "Violin"));
    assert_eq!((stored.content.starts_at, stored.content.ends_at), (at(2, 0), at(2, 60)));
    assert_eq!((stored.instructor_id, stored.status), (key.instructor_id, LessonStatus::Scheduled));
    for late in [told(key, 6, "Piano"), told(key, 7, "Piano"), removed(key, 6), removed(key, 7)] {
        assert!(!save(on, late).await);
        assert_eq!(look(on).await.as_ref(), Some(&stored));
    }
    let mut newer = told(key, 8, "Cello");
    newer.lesson.as_mut().unwrap().content.location = None;
    assert!(save(on, newer).await);
    let stored = look(on).await.unwrap();
    assert_eq!((stored.content.title.as_str(), stored.content.location), ("Cello", None));
    let found = on.store.lessons_between(key, window(at(2, 0), at(2, 60))).await.unwrap();
    assert_eq!(found, [lesson(1)]);
}

/// Until the row that it left is forgotten.
pub async fn a_removed_lesson_is_not_brought_back_by_an_earlier_version(on: &Subject) {
    let key = instructor(1);
    assert!(save(on, told(key, 1, "Piano")).await);
    assert!(save(on, removed(key, 3)).await);
    assert_eq!(look(on).await, None);
    assert!(!save(on, told(key, 2, "Piano")).await);
    assert_eq!(look(on).await, None);
    let left = on.host.row(HostTable::Lessons, key.tenant_id, lesson(1).0).await.unwrap();
    let expected = json!({
        "tenant_id": key.tenant_id, "id": lesson(1), "feed_version": 3, "feed_forget_at": at(31, 0).timestamp(),
        "calendar_sync_revision": at(1, 0).timestamp_millis(),
    });
    assert_eq!(left, expected);
    assert_eq!(on.store.lessons_between(key, window(at(2, 0), at(2, 60))).await.unwrap(), []);
    assert!(save(on, told(key, 4, "Violin")).await, "a later one does");
    let row = on.host.row(HostTable::Lessons, key.tenant_id, lesson(1).0).await.unwrap();
    assert_eq!((look(on).await.unwrap().content.title.as_str(), row.get("feed_forget_at")), ("Violin", None));
}

/// The removal of a lesson that was never heard of counts, too.
pub async fn a_removal_that_overtakes_its_lesson_stands(on: &Subject) {
    let key = instructor(1);
    assert!(save(on, removed(key, 2)).await);
    assert!(!save(on, told(key, 1, "Piano")).await);
    assert_eq!(look(on).await, None);
}

/// A row that was put by hand is taken over by the first version that the feed tells.
pub async fn our_columns_stay_when_the_feed_tells_of_a_lesson_and_are_counted(on: &Subject) {
    let key = instructor(1);
    put(on, row(1, "2026-03-02T10:00:00.000Z", "2026-03-02T11:00:00.000Z")).await;
    let flags = shown("e");
    on.store.write_lesson_columns(key, lesson(1), &flags).await.unwrap();
    assert!(save(on, told(key, 1, "Violin")).await);
    let ours =
        |lesson: &Lesson| (lesson.google_calendar_event_id.clone(), lesson.calendar_sync_status, lesson.has_conflict);
    let stored = look(on).await.unwrap();
    assert_eq!(ours(&stored), (Some("e".to_owned()), Some(SyncStatus::Synced), true));
    assert_eq!(stored.calendar_sync_revision, 1);
    assert!(save(on, removed(key, 2)).await);
    on.store.write_lesson_columns(key, lesson(1), &flags).await.unwrap();
    assert_eq!(look(on).await, None, "what is gone carries no columns");
    assert!(save(on, told(key, 3, "Violin")).await);
    assert_eq!(ours(&look(on).await.unwrap()), (None, None, false));
    on.store.write_lesson_columns(key, lesson(1), &flags).await.unwrap();
    assert_eq!(look(on).await.unwrap().calendar_sync_revision, 2, "the count goes on");
}

/// Its notices are none of those that were sent before.
pub async fn a_lesson_that_comes_back_after_it_was_forgotten_is_counted_on(on: &Subject) {
    let key = instructor(1);
    assert!(save(on, told(key, 1, "Piano")).await);
    for _ in 0..3 {
        on.store.write_lesson_columns(key, lesson(1), &shown("e")).await.unwrap();
    }
    let before = look(on).await.unwrap().calendar_sync_revision;
    assert!(save(on, removed(key, 2)).await);
    on.host.remove(HostTable::Lessons, key.tenant_id, lesson(1).0).await;
    assert!(on.store.save_lesson_version(&told(key, 3, "Piano"), at(31, 1), at(61, 1)).await.unwrap());
    on.store.write_lesson_columns(key, lesson(1), &shown("e")).await.unwrap();
    assert!(look(on).await.unwrap().calendar_sync_revision > before);
}

pub async fn a_version_reaches_no_other_tenants_lesson(on: &Subject) {
    assert!(save(on, told(instructor(1), 1, "Piano")).await);
    assert!(save(on, removed(connection(2, 1), 9)).await);
    assert_eq!(look(on).await.unwrap().content.title, "Piano");
}

/// Of many at once, the newest is left.
pub async fn of_versions_at_the_same_moment_the_newest_is_left(on: &Subject) {
    let key = instructor(1);
    let all = (1..=20).rev().map(|version| {
        let title = version.to_string();
        async move { save(on, told(key, version, &title)).await }
    });
    let stored = futures::future::join_all(all).await;
    assert!(stored[0], "the newest is always stored");
    let left = look(on).await.unwrap();
    assert_eq!((left.content.title.as_str(), left.feed_version), ("20", Some(20)));
}
