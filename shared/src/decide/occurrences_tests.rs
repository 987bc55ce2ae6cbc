//! Series with their exceptions, before and after a change is stored.

use chrono::TimeDelta;

use super::*;
use crate::{
    decide::conflicts::{LessonSpan, joined, touched},
    model::{EventStatus, EventTime, LessonId},
    testing::event,
};

fn utc(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn window(from: &str, to: &str) -> Window {
    Window { from: utc(from), to: utc(to) }
}

fn timed(start: &str, end: &str, zone: Tz, recurrence: &[&str]) -> Event {
    let at = |text| EventTime::At { instant: utc(text), zone: Some(zone.into()) };
    event("series", at(start), at(end), recurrence)
}

#[test]
fn an_exception_takes_the_place_of_its_occurrence() {
    let calendar = "primary".into();
    let row = |event| ExternalCalendarEvent::new(&calendar, event, Tz::UTC, None).unwrap();
    let master = timed("2026-03-20T08:00:00Z", "2026-03-20T09:00:00Z", Tz::UTC, &["RRULE:FREQ=DAILY;COUNT=3"]);
    let exception = |id: &str, original: &str, start: &str, end: &str, status| Event {
        id: EventId::from(id),
        status,
        recurring_event_id: Some(EventId::from("series")),
        original_start: Some(EventTime::At { instant: utc(original), zone: None }),
        recurrence: vec![],
        ..timed(start, end, Tz::UTC, &[])
    };
    let moved = exception(
        "moved",
        "2026-03-21T08:00:00Z",
        "2026-03-21T12:00:00Z",
        "2026-03-21T13:00:00Z",
        EventStatus::Confirmed,
    );
    let gone = exception(
        "gone",
        "2026-03-22T08:00:00Z",
        "2026-03-22T08:00:00Z",
        "2026-03-22T09:00:00Z",
        EventStatus::Cancelled,
    );
    let lookup = ExternalLookup { events: vec![], series: vec![(row(master), vec![row(moved), row(gone)])] };
    let mut found = vec![];
    each(&lookup, window("2026-03-01T00:00:00Z", "2026-04-05T00:00:00Z"), Tz::UTC, |row, start, _| {
        found.push((row.id().0.clone(), start.format("%dT%H").to_string()));
    });
    found.sort();
    assert_eq!(found, [("moved".to_owned(), "21T12".to_owned()), ("series".to_owned(), "20T08".to_owned())]);
}

/// Windows of two hours, so many days apart.
fn windows(first: &str, days: i64, count: i32) -> Vec<Window> {
    let begins = |n| utc(first) + TimeDelta::days(days) * n;
    (0..count).map(|n| Window { from: begins(n), to: begins(n) + TimeDelta::hours(2) }).collect()
}

fn lookup(events: &[Event]) -> ExternalLookup {
    let row = |event: &Event| ExternalCalendarEvent::new(&"primary".into(), event.clone(), Tz::UTC, None).unwrap();
    ExternalLookup { events: Vec::new(), series: events.iter().map(|event| (row(event), Vec::new())).collect() }
}

#[test]
fn what_occurs_in_a_window_is_the_same_beside_others() {
    let named = |id: &str, event: Event| Event { id: id.into(), ..event };
    let lookup = lookup(&[
        named("daily", timed("2020-01-01T08:00:00Z", "2020-01-01T09:00:00Z", Tz::UTC, &["RRULE:FREQ=DAILY"])),
        named("long", timed("2025-12-20T00:00:00Z", "2026-01-20T00:00:00Z", Tz::UTC, &["RRULE:FREQ=YEARLY"])),
        named(
            "counts",
            timed("2024-01-01T07:30:00Z", "2024-01-01T08:30:00Z", Tz::UTC, &["RRULE:FREQ=DAILY;COUNT=900"]),
        ),
        named("at no length", timed("2026-01-05T08:00:00Z", "2026-01-05T08:00:00Z", Tz::UTC, &["RRULE:FREQ=WEEKLY"])),
    ]);
    for (days, count) in [(1, 1), (2, 30), (30, 40), (364, 5), (800, 3)] {
        let windows = windows("2026-01-04T07:00:00Z", days, count);
        let mut together = Occurrences::within(windows.clone(), Tz::UTC);
        for window in windows {
            let (mut one, mut other) = (Vec::new(), Vec::new());
            each(&lookup, window, Tz::UTC, |row, start, end| one.push((row.id(), start, end)));
            together.each(&lookup, window, |row, start, end| other.push((row.id(), start, end)));
            assert_eq!(other, one, "{window:?} of those {days} days apart");
        }
    }
}

#[test]
fn a_series_is_walked_through_once_a_year_however_many_lessons_it_is_compared_with() {
    let series = timed("1948-01-01T08:00:00Z", "1948-01-01T09:00:00Z", Tz::UTC, &["RRULE:FREQ=DAILY;COUNT=29900"]);
    let series = lookup(&[series]).series.remove(0).0;
    let walk = 2 * 29_900; // a day that is looked at, and the time that is made of it
    for (days, count, years) in [(0, 1_000, 1), (2, 180, 1), (364, 3, 3)] {
        let spans = windows("2026-01-04T07:00:00Z", days, count);
        let lesson = |(n, span): (u128, &Window)| LessonSpan {
            lesson_id: LessonId(uuid::Uuid::from_u128(n)),
            start: span.from,
            end: span.to,
        };
        let lessons: Vec<_> = (0..).zip(&spans).map(lesson).collect();
        let mut occurrences = Occurrences::within(joined(spans), Tz::UTC);
        assert_eq!(touched(&lessons, [&series], &mut occurrences).len(), lessons.len());
        assert!(occurrences.steps() <= years * walk, "{} steps for {count} lessons", occurrences.steps());
        // Nor is it for the conflicts of these lessons, which windows of the store bring up one by one.
        let steps = occurrences.steps();
        let again = ExternalLookup { events: Vec::new(), series: vec![(series.clone(), Vec::new())] };
        for window in occurrences.windows().to_vec() {
            occurrences.each(&again, window, |_, _, _| {});
        }
        assert_eq!(occurrences.steps(), steps);
    }
}
