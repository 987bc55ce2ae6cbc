//! What is a conflict, and what changes about one.

use super::*;
use std::collections::BTreeMap;

use crate::model::{Ignored, PersonRole};
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

/// The ids of pairs.
fn ids<'a>(pairs: impl IntoIterator<Item = &'a SchedulingConflict>) -> Vec<&'a str> {
    pairs.into_iter().map(|pair| pair.google_event_id.as_str()).collect()
}

fn kept_of(lesson: LessonSpan, busy: &[BusySpan]) -> LessonConflicts {
    kept(overlaps(&[lesson], busy, at(0)), &[])
}

#[test]
fn a_series_is_one_pair_with_its_first_overlap() {
    let long = lesson(1, 60, 600);
    for (situation, busy, first, overlap) in [
        ("two occurrences", vec![event("s", 300, 330), event("s", 70, 100)], "s", [70, 100]),
        (
            "an exception first",
            vec![event("s", 300, 330), event("s_20260308T090000Z", 70, 100)],
            "s_20260308T090000Z",
            [70, 100],
        ),
        ("what was split off", vec![event("s_R20260308T090000", 300, 330), event("s", 70, 100)], "s", [70, 100]),
        ("two that began before", vec![event("s", 20, 90), event("s", 0, 100)], "s", [60, 100]),
    ] {
        let LessonConflicts { pairs, left_out } = kept_of(long, &busy);
        assert_eq!((ids(&pairs), left_out), (vec![first], 0), "{situation}");
        assert_eq!([pairs[0].overlap_start, pairs[0].overlap_end], overlap.map(at), "{situation}");
    }
    let LessonConflicts { pairs, .. } =
        kept_of(long, &[event("later", 90, 95), event("s", 80, 85), event("t", 70, 75)]);
    assert_eq!(ids(&pairs), ["t", "s", "later"], "other events are other pairs");
}

#[test]
fn a_lesson_keeps_the_twenty_earliest_and_counts_the_others() {
    let long = lesson(1, 0, 1_000);
    let minute = |n: i64| event(&format!("e{n:02}"), 10 * n, 10 * n + 5);
    for (events, pairs, left_out) in [(0, 0, 0), (1, 1, 0), (20, 20, 0), (21, 20, 1), (30, 20, 10)] {
        let busy: Vec<_> = (0..events).rev().map(minute).collect();
        let kept = kept_of(long, &busy);
        let earliest: Vec<_> = (0..pairs).map(|n| format!("e{n:02}")).collect();
        assert_eq!((ids(&kept.pairs), kept.left_out), (earliest.iter().map(String::as_str).collect(), left_out));
    }
    let often: Vec<_> = (0..30).map(|n| BusySpan { google_event_id: "s".into(), ..minute(n) }).collect();
    assert_eq!(kept_of(long, &often).left_out, 0, "a series is one event");
}

#[test]
fn only_what_differs_changes_and_a_pair_keeps_when_it_was_found() {
    let one = lesson(1, 60, 120);
    let found = |busy: &[BusySpan], minute| kept(overlaps(&[one], busy, at(minute)), &[]).pairs;
    let stored = found(&[event("stays", 60, 90), event("moves", 60, 90), event("goes", 60, 90)], 1);
    let moved = event("moves_20260308T090000Z", 70, 100);
    let wanted = found(&[event("stays", 60, 90), moved, event("comes", 60, 90)], 2);
    let changes = changes(&stored, &wanted);
    let [PairChange::Cleared(cleared), PairChange::Found(found), PairChange::Moved(moved)] = &changes[..] else {
        panic!("{changes:?}");
    };
    assert_eq!(ids([cleared, found, moved]), ["goes", "comes", "moves_20260308T090000Z"]);
    assert_eq!((moved.found_at, found.found_at), (at(1), at(2)));
    assert_eq!(super::changes(&wanted, &wanted), []);
}

fn by(person: &str) -> Ignored {
    Ignored { by: person.to_owned(), role: PersonRole::Admin, at: at(5) }
}

#[test]
fn an_ignored_overlap_stays_ignored_until_its_times_change() {
    let one = lesson(1, 60, 120);
    let stored: Vec<_> = kept_of(one, &[event("e", 30, 90)])
        .pairs
        .into_iter()
        .map(|pair| SchedulingConflict { ignored: Some(by("anna")), ..pair })
        .collect();
    for (situation, lesson, busy, told) in [
        ("nothing changed", one, vec![event("e", 30, 90)], "nothing"),
        ("another lesson time, the same overlap", lesson(1, 60, 150), vec![event("e", 30, 90)], "moved"),
        ("another event time, the same overlap", one, vec![event("e", 20, 90)], "moved"),
        ("an exception in its place", one, vec![event("e_20260308T090000Z", 30, 90)], "moved"),
        ("the event lasts longer", one, vec![event("e", 30, 100)], "found"),
        ("the lesson begins later", lesson(1, 70, 120), vec![event("e", 30, 90)], "found"),
        ("an exception before it", one, vec![event("e", 80, 90), event("e_20260308T090000Z", 50, 70)], "found"),
        ("the event is gone", one, vec![], "cleared"),
    ] {
        let conflicts = kept(overlaps(&[lesson], &busy, at(9)), &stored);
        let changes = changes(&stored, &conflicts.pairs);
        let (expected, ignored, found_at) = match (told, &changes[..]) {
            ("nothing", []) => (&conflicts.pairs[0], true, at(9)),
            ("found", [PairChange::Found(pair)]) => (pair, false, at(9)),
            ("moved", [PairChange::Moved(pair)]) | ("cleared", [PairChange::Cleared(pair)]) => (pair, true, at(0)),
            _ => panic!("{situation}: {changes:?}"),
        };
        assert_eq!((expected.ignored == Some(by("anna")), expected.found_at), (ignored, found_at), "{situation}");
        let flags = conflicts.flags(one.lesson_id, 3);
        assert_eq!((flags.has_conflict, flags.seen), (told == "found", 3), "{situation}");
        let noticed: Vec<_> = changes.iter().filter_map(ConflictChange::of).collect();
        assert_eq!(matches!(noticed[..], [ConflictChange::Found { .. }]), told == "found", "{situation}");
        assert_eq!(noticed.is_empty(), told != "found", "{situation}: {noticed:?}");
    }
}

#[test]
fn ignored_pairs_and_live_ones_take_no_place_from_each_other() {
    let long = lesson(1, 0, 1_000);
    let busy: Vec<_> = (0..30).map(|n| event(&format!("e{n:02}"), 10 * n, 10 * n + 5)).collect();
    let mut stored = kept_of(long, &busy).pairs;
    for (ignored, live, left_out) in [(0, 20, 10), (1, 20, 9), (10, 20, 0), (20, 10, 0)] {
        for (place, pair) in stored.iter_mut().enumerate() {
            pair.ignored = (place < ignored).then(|| by("anna"));
        }
        let conflicts = kept(overlaps(&[long], &busy, at(9)), &stored);
        let count = conflicts.pairs.iter().filter(|pair| pair.is_live()).count();
        assert_eq!((count, conflicts.left_out), (live, left_out), "{ignored} of 30 are ignored");
        assert_eq!(conflicts.pairs.len() - count, ignored);
        let again = kept(overlaps(&[long], &busy, at(9)), &conflicts.pairs);
        assert_eq!(again, conflicts, "the same when they are compared again");
    }
}

#[test]
fn changes_are_stored_in_parts_of_twenty_pairs_and_twenty_lessons() {
    let changed = |number: u128, pairs: i64| {
        let span = lesson(number, 0, 1_000);
        let found = kept_of(span, &(0..pairs).map(|n| event(&format!("e{n}"), n, n + 1)).collect::<Vec<_>>()).pairs;
        let flags = ConflictFlags { lesson_id: span.lesson_id, has_conflict: pairs > 0, left_out: 0, seen: 4 };
        (flags, found.into_iter().map(PairChange::Found).collect::<Vec<_>>())
    };
    for (lessons, sizes) in [
        (vec![], vec![]),
        (vec![changed(1, 0)], vec![(0, 1)]),
        (vec![changed(1, 20)], vec![(20, 1)]),
        (vec![changed(1, 15), changed(2, 15)], vec![(20, 2), (10, 1)]),
        ((0..200).map(|n| changed(n, 1)).collect(), vec![(20, 20); 10]),
        ((0..45).map(|n| changed(n, 0)).collect(), vec![(0, 20), (0, 20), (0, 5)]),
    ] {
        let told: Vec<_> = lessons.iter().flat_map(|(_, pairs)| pairs.clone()).collect();
        let parts = parts(lessons);
        let mut seen = BTreeMap::new();
        for flags in parts.iter().flat_map(|part| &part.lessons) {
            let next = seen.entry(flags.lesson_id).or_insert(4);
            assert_eq!(flags.seen, *next, "a part finds what the part before it stored");
            *next += 1;
        }
        assert_eq!(parts.iter().map(|part| (part.pairs.len(), part.lessons.len())).collect::<Vec<_>>(), sizes);
        for part in &parts {
            let flagged = |id: LessonId| part.lessons.iter().filter(|flags| flags.lesson_id == id).count() == 1;
            assert!(part.pairs.iter().all(|change| flagged(change.pair().lesson_id)), "{part:?}");
        }
        assert_eq!(parts.into_iter().flat_map(|part| part.pairs).collect::<Vec<_>>(), told);
    }
}

#[test]
fn windows_that_are_near_are_read_together() {
    let days = |from: i64, to: i64| Window { from: at(from * 1440), to: at(to * 1440) };
    assert_eq!(joined([days(10, 11), days(0, 1), days(1, 2)]), [days(0, 2), days(10, 11)]);
}
