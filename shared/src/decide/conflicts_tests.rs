//! What is a conflict, and what changes about one.

use super::*;
use chrono::TimeDelta;
use uuid::Uuid;

fn at(minutes: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::minutes(minutes)
}
fn lesson(id: u128, start: i64, end: i64) -> LessonSpan {
    LessonSpan { lesson_id: LessonId(Uuid::from_u128(id)), start: at(start), end: at(end) }
}
fn event(id: &str, start: i64, end: i64) -> BusySpan {
    BusySpan {
        calendar_id: "primary".into(),
        google_event_id: id.into(),
        start: at(start),
        end: at(end),
        carries: None,
    }
}
fn pairs(lessons: &[LessonSpan], busy: &[BusySpan]) -> Vec<(u128, String)> {
    let mut found: Vec<_> = overlaps(lessons, busy, at(0))
        .into_iter()
        .map(|pair| (pair.lesson_id.0.as_u128(), pair.google_event_id.0))
        .collect();
    found.sort();
    found
}

#[test]
fn an_event_that_only_touches_a_lesson_is_no_conflict() {
    assert_eq!(pairs(&[lesson(1, 60, 120)], &[event("before", 0, 60), event("after", 120, 180)]), []);
    assert_eq!(pairs(&[lesson(1, 60, 120)], &[event("e", 119, 180)]), [(1, "e".to_owned())]);
}

#[test]
fn an_event_that_carries_the_lesson_never_conflicts_with_it_but_with_others() {
    let copy = BusySpan { carries: Some(LessonId(Uuid::from_u128(1))), ..event("copy", 60, 120) };
    assert_eq!(pairs(&[lesson(1, 60, 120), lesson(2, 60, 120)], &[copy]), [(2, "copy".to_owned())]);
}

#[test]
fn the_sweep_finds_what_comparing_all_with_all_finds() {
    // A small generator: it gives the same numbers in each run.
    let mut seed = 1_u64;
    let mut next = |below: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        i64::try_from((seed >> 33) % below).unwrap()
    };
    for _ in 0..300 {
        let lessons: Vec<_> = (0..12)
            .map(|id| {
                let start = next(200);
                lesson(id, start, start + next(40))
            })
            .collect();
        let busy: Vec<_> = (0..12)
            .map(|id| {
                let start = next(200);
                event(&format!("{id:02}"), start, start + next(60))
            })
            .collect();
        let mut naive: Vec<_> = lessons
            .iter()
            .flat_map(|lesson| busy.iter().map(move |event| (lesson, event)))
            .filter(|(lesson, event)| lesson.start < lesson.end && event.start < event.end)
            .filter(|(lesson, event)| lesson.start < event.end && event.start < lesson.end)
            .map(|(lesson, event)| (lesson.lesson_id.0.as_u128(), event.google_event_id.0.clone()))
            .collect();
        naive.sort();
        assert_eq!(pairs(&lessons, &busy), naive);
    }
}

#[test]
fn only_what_differs_changes_and_a_pair_keeps_when_it_was_found() {
    let stored = overlaps(
        &[lesson(1, 60, 120)],
        &[event("stays", 60, 90), event("moves", 60, 90), event("goes", 60, 90)],
        at(1),
    );
    let moves = BusySpan { end: at(100), ..event("moves", 60, 90) };
    let wanted = overlaps(&[lesson(1, 60, 120)], &[event("stays", 60, 90), moves, event("comes", 60, 90)], at(2));
    let changes = changes(&stored, &wanted);
    let ids =
        |pairs: &[SchedulingConflict]| pairs.iter().map(|pair| pair.google_event_id.0.clone()).collect::<Vec<_>>();
    assert_eq!(
        (ids(&changes.found), ids(&changes.moved), ids(&changes.cleared)),
        (vec!["comes".into()], vec!["moves".into()], vec!["goes".into()])
    );
    assert_eq!((changes.moved[0].found_at, changes.found[0].found_at), (at(1), at(2)));
}

#[test]
fn windows_that_are_near_are_read_together() {
    let days = |from: i64, to: i64| Window { from: at(from * 1440), to: at(to * 1440) };
    assert_eq!(joined([days(10, 11), days(0, 1), days(1, 2)]), [days(0, 2), days(10, 11)]);
}
