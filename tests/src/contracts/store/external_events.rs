//! Imported events: one row for each, found by the times that they overlap.

use std::collections::BTreeSet;

use calendar_sync::model::{
    CalendarId, Event, EventId, EventTime, EventType, Extent, ExternalCalendarEvent, Window, Zone,
};
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;

use super::{Subject, at, cancelled, event, exception, external, instructor, lesson, primary, series, single, window};

async fn ids_between(on: &Subject, window: Window) -> Vec<String> {
    let found = on.store.external_between(instructor(1), window).await.unwrap();
    let series = found.series.into_iter().map(|(series, _)| series);
    let mut ids: Vec<_> = found.events.into_iter().chain(series).map(|found| found.event.id.0).collect();
    ids.sort_unstable();
    ids
}

async fn put(on: &Subject, events: &[ExternalCalendarEvent]) {
    on.store.put_external(instructor(1), events).await.unwrap();
}

pub async fn the_titles_of_events_are_read_at_once_but_none_of_private_ones(on: &Subject) {
    let event_with = |id: &str, title: Option<&str>, private: bool| {
        let summary = title.map(str::to_owned);
        external(Event { summary, private, ..event(id, at(2, 0), at(2, 60)) })
    };
    let many = (0..150).map(|n| event_with(&format!("many{n}"), Some("Many"), false));
    let stored: Vec<_> = [event_with("plain", Some("Dentist"), false), event_with("private", Some("Secret"), true)]
        .into_iter()
        .chain([event_with("none", None, false)])
        .chain(many)
        .collect();
    put(on, &stored).await;
    let asked: BTreeSet<_> = stored.iter().map(|row| (primary(), row.id().clone())).collect();
    let unknown = (primary(), EventId::from("unknown"));
    let titles = on.store.titles(instructor(1), &asked.into_iter().chain([unknown]).collect()).await.unwrap();
    assert_eq!(titles.len(), 151, "of the plain one and the many");
    assert_eq!(titles.get(&(primary(), EventId::from("plain"))).map(String::as_str), Some("Dentist"));
    assert!(on.store.titles(instructor(2), &titles.into_keys().collect()).await.unwrap().is_empty());
    assert!(on.store.titles(instructor(1), &BTreeSet::new()).await.unwrap().is_empty());
}

/// By its id, and by its times: through the index, which does not hold whole rows.
pub async fn an_event_reads_back_with_all_that_is_kept_of_it(on: &Subject) {
    let day = |day: u32| Some(EventTime::Day(chrono::NaiveDate::from_ymd_opt(2026, 3, day).unwrap()));
    let zoned = Some(EventTime::At { instant: at(2, 0), zone: Some(Tz::America__New_York.into()) });
    let offset = Some(EventTime::At { instant: at(2, 60), zone: Zone::read("GMT+05:30") });
    let full = external(Event {
        location: Some("here".to_owned()),
        start: zoned,
        end: offset,
        recurrence: vec!["RRULE:FREQ=WEEKLY".to_owned(), "EXDATE:20260309T120000Z".to_owned()],
        recurring_event_id: Some(EventId::from("of no series that is stored")),
        original_start: zoned,
        transparent: true,
        event_type: EventType::OutOfOffice,
        declined: true,
        lesson_id: Some(lesson(1)),
        ..event("full", at(2, 0), at(2, 60))
    });
    let all_day = external(Event { start: day(5), end: day(6), summary: None, ..event("day", at(5, 0), at(6, 0)) });
    let private = external(Event { private: true, ..event("private", at(8, 0), at(8, 60)) });
    for stored in [full, all_day, private] {
        put(on, std::slice::from_ref(&stored)).await;
        let read = on.store.external_event(instructor(1), &primary(), stored.id()).await.unwrap();
        assert_eq!(read.as_ref(), Some(&stored));
        let around = Window { from: stored.event_start, to: stored.event_start + TimeDelta::hours(1) };
        let found = on.store.external_between(instructor(1), around).await.unwrap();
        let series = found.series.into_iter().map(|(series, _)| series);
        assert_eq!(found.events.into_iter().chain(series).collect::<Vec<_>>(), [stored]);
    }
}

/// `[from, to)`: touching is no overlap.
pub async fn events_are_found_by_overlap(on: &Subject) {
    let hour = |id, minute| single(id, at(2, minute), at(2, minute + 60));
    put(on, &[hour("before", -60), hour("across", -30), hour("in", 10), hour("out", 60)]).await;
    assert_eq!(ids_between(on, window(at(2, 0), at(2, 60))).await, ["across", "in"]);
}

/// A stay of three days that began yesterday blocks today, and one that began last year too.
pub async fn long_events_are_found_while_they_last(on: &Subject) {
    put(
        on,
        &[
            single("three days", at(1, 0), at(4, 0)),
            single("a year", at(-300, 0), at(60, 0)),
            single("over", at(-5, 0), at(2, 0)),
            single("to come", at(9, 0), at(19, 0)),
            single("exactly a day", at(1, 1), at(2, 1)),
        ],
    )
    .await;
    assert_eq!(ids_between(on, window(at(2, 0), at(2, 60))).await, ["a year", "exactly a day", "three days"]);
}

/// Series that may occur in the window come whole.
pub async fn live_series_come_with_all_their_exceptions(on: &Subject) {
    put(
        on,
        &[
            series("endless", at(-900, 0), None),
            series("ended", at(-20, 0), Some(at(1, 60))),
            series("later", at(20, 0), None),
            series("ending", at(-20, 0), Some(at(30, 0))),
            exception("endless", at(2, 0), at(2, 30)),
            cancelled(exception("endless", at(3, 0), at(3, 0))),
            exception("endless", at(50, 0), at(51, 0)),
        ],
    )
    .await;
    assert_eq!(ids_between(on, window(at(2, 0), at(3, 0))).await, ["ending", "endless"]);
    let found = on.store.external_between(instructor(1), window(at(2, 0), at(3, 0))).await.unwrap();
    let (_, exceptions) = found.series.iter().find(|(series, _)| series.event.id.0 == "endless").unwrap();
    assert_eq!(exceptions.len(), 3);
}

/// A date may add an occurrence that is before the series' own start.
pub async fn a_series_is_found_from_its_earliest_occurrence_on(on: &Subject) {
    let series = series("s", at(20, 0), None);
    let extent = Extent { first_start: at(2, 0), last_end: None };
    let early = ExternalCalendarEvent::new(&primary(), series.event, Tz::UTC, Some(extent)).unwrap();
    put(on, std::slice::from_ref(&early)).await;
    assert_eq!(ids_between(on, window(at(2, 0), at(2, 60))).await, ["s"]);
    assert_eq!(ids_between(on, window(at(1, 0), at(2, 0))).await, Vec::<String>::new());
    let read = on.store.external_event(instructor(1), &primary(), early.id()).await.unwrap();
    assert_eq!(read, Some(early));
}

/// An exception blocks where it was moved to, whatever became of its series.
pub async fn an_exception_whose_series_is_not_there_stands_alone(on: &Subject) {
    put(
        on,
        &[
            exception("unknown", at(1, 0), at(5, 0)),
            series("over", at(-9, 0), Some(at(1, 60))),
            exception("over", at(1, 0), at(5, 0)),
            cancelled(exception("unknown", at(5, 0), at(5, 0))),
        ],
    )
    .await;
    let expected = ["over_20260301T120000Z", "unknown_20260301T120000Z"];
    assert_eq!(ids_between(on, window(at(5, 0), at(5, 60))).await, expected);
}

/// What was split off a series (`<series>_R…`) is a series of its own with exceptions of its own, which Google names
/// after the first series all the same.
pub async fn a_split_series_keeps_its_exceptions_to_itself(on: &Subject) {
    let split = "s_R20260310T120000";
    put(
        on,
        &[
            series("s", at(1, 0), Some(at(9, 60))),
            series(split, at(10, 0), None),
            exception("s", at(2, 0), at(2, 30)),
            exception(split, at(11, 0), at(11, 30)),
            series("s2", at(1, 0), None),
            exception("s2", at(2, 0), at(2, 30)),
        ],
    )
    .await;
    for (id, expected) in [("s", "s_20260302T120000Z"), (split, "s_20260311T120000Z")] {
        let found = on.store.exceptions_of(instructor(1), &primary(), &EventId::from(id)).await.unwrap();
        assert_eq!(found.iter().map(|found| found.event.id.as_str()).collect::<Vec<_>>(), [expected]);
    }
}

/// More than two batches; the last of those with one id wins.
pub async fn sixty_events_are_stored_and_removed_at_once(on: &Subject) {
    let mut events: Vec<_> = (0..60).map(|n| single(&format!("e{n}"), at(2, n), at(2, n + 60))).collect();
    events.push(single("e0", at(3, 0), at(3, 60)));
    put(on, &events).await;
    let mut ids = on.store.external_ids(instructor(1)).await.unwrap();
    assert_eq!(ids.len(), 60);
    let first = on.store.external_event(instructor(1), &primary(), &EventId::from("e0")).await.unwrap();
    assert_eq!(first, events.pop());
    ids.extend([ids[0].clone(), (primary(), EventId::from("never there"))]);
    on.store.delete_external(instructor(1), &ids).await.unwrap();
    assert_eq!(on.store.external_ids(instructor(1)).await.unwrap(), []);
}

/// The same id in another calendar is another event.
pub async fn calendars_are_kept_apart(on: &Subject) {
    let holidays = CalendarId::from("en.german#holiday@group.v.calendar.google.com");
    let mine = single("e", at(2, 0), at(2, 60));
    let other = ExternalCalendarEvent { calendar_id: holidays.clone(), ..mine.clone() };
    put(on, &[mine, other]).await;
    let ids: BTreeSet<_> = on.store.external_ids(instructor(1)).await.unwrap().into_iter().collect();
    let expected = [primary(), holidays].map(|calendar| (calendar, EventId::from("e")));
    assert_eq!(ids, expected.clone().into());
    on.store.delete_external(instructor(1), &expected[..1]).await.unwrap();
    assert_eq!(on.store.external_ids(instructor(1)).await.unwrap(), expected[1..]);
}

/// An event that moved is found where it is, and no longer where it was.
pub async fn an_event_that_became_long_or_short_is_found_once(on: &Subject) {
    for end in [at(2, 60), at(9, 0), at(2, 30)] {
        put(on, &[single("e", at(2, 0), end)]).await;
        assert_eq!(ids_between(on, window(at(2, 0), at(2, 60))).await, ["e"]);
    }
    assert_eq!(ids_between(on, window(at(5, 0), at(5, 60))).await, Vec::<String>::new());
}

/// The longest ids and texts are stored; a long series' exceptions are found.
pub async fn oversized_ids_and_texts_are_stored(on: &Subject) {
    let id = "v".repeat(1000);
    let huge = Event { summary: Some("ü".repeat(500_000)), ..event("huge", at(2, 0), at(2, 60)) };
    put(on, &[series(&id, at(1, 0), None), exception(&id, at(2, 0), at(2, 30)), external(huge)]).await;
    let found = on.store.exceptions_of(instructor(1), &primary(), &EventId(id)).await.unwrap();
    assert_eq!(found.len(), 1);
    let read = on.store.external_event(instructor(1), &primary(), &EventId::from("huge")).await.unwrap().unwrap();
    assert!(read.event.summary.unwrap().starts_with("üü"));
}

/// As many as go out in one batch, each as large as an event may be, with what of it stands in the index.
pub async fn events_of_the_largest_size_are_stored_and_found(on: &Subject) {
    let largest: Vec<_> = (0..25).map(|n| super::largest(&format!("{n:v>1024}"))).collect();
    put(on, &largest).await;
    assert_eq!(ids_between(on, window(at(40, 0), at(40, 60))).await.len(), 25);
    let read = on.store.external_event(instructor(1), &primary(), largest[7].id()).await.unwrap();
    assert_eq!(read.as_ref(), Some(&largest[7]));
}

/// Each of them under an id of the greatest length.
pub async fn thousands_of_exceptions_come_with_their_series(on: &Subject) {
    let id = "v".repeat(1024);
    let mut events: Vec<_> = (0..3000).map(|n| exception(&id, at(2, 24 * 60 * n), at(2, 24 * 60 * n + 30))).collect();
    events.push(series(&id, at(1, 0), None));
    put(on, &events).await;
    assert_eq!(on.store.exceptions_of(instructor(1), &primary(), &EventId(id)).await.unwrap().len(), 3000);
    let found = on.store.external_between(instructor(1), window(at(2000, 0), at(2001, 0))).await.unwrap();
    assert_eq!((found.events.len(), found.series.len(), found.series[0].1.len()), (0, 1, 3000));
}

/// Google knows the years 1 to 9999. A series may go on after them.
pub async fn events_of_the_first_and_the_last_year_are_found(on: &Subject) {
    let [first, last] = ["0001-01-01T00:00:00Z", "9999-12-31T22:00:00Z"].map(|at| at.parse::<DateTime<Utc>>().unwrap());
    let hour = TimeDelta::hours(1);
    let beyond = series("beyond", last - TimeDelta::days(9), Some(last + TimeDelta::days(900)));
    put(on, &[single("first", first, first + hour), single("last", last, last + hour)]).await;
    put(on, &[series("always", first, None), beyond, single("all", first, last)]).await;
    assert_eq!(ids_between(on, window(first, first + hour)).await, ["all", "always", "first"]);
    assert_eq!(ids_between(on, window(last, last + hour)).await, ["always", "beyond", "last"]);
}

/// A look at a week reads that week, and not the years around it: many events elsewhere change nothing.
pub async fn thousands_of_events_elsewhere_are_passed_over(on: &Subject) {
    let far: Vec<_> = (0..2000_i64)
        .map(|n| single(&format!("far{n}"), at(30, 0) + TimeDelta::hours(n), at(30, 30) + TimeDelta::hours(n)))
        .collect();
    put(on, &far).await;
    put(on, &[single("near", at(2, 0), at(2, 60))]).await;
    assert_eq!(ids_between(on, window(at(1, 0), at(8, 0))).await, ["near"]);
    assert_eq!(on.store.external_ids(instructor(1)).await.unwrap().len(), 2001);
}
