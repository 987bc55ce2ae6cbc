//! Rules of recurrence, zones and clock changes.

use super::*;
use crate::model::{EventStatus, EventType};

fn utc(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn window(from: &str, to: &str) -> Window {
    Window { from: utc(from), to: utc(to) }
}

fn series(start: EventTime, end: EventTime, recurrence: &[&str]) -> Event {
    Event {
        id: EventId::from("series"),
        etag: String::new(),
        status: EventStatus::Confirmed,
        summary: None,
        description: None,
        location: None,
        start: Some(start),
        end: Some(end),
        recurrence: recurrence.iter().map(|line| (*line).to_owned()).collect(),
        recurring_event_id: None,
        original_start: None,
        transparent: false,
        private: false,
        event_type: EventType::Default,
        declined: false,
        lesson_id: None,
    }
}

fn timed(start: &str, end: &str, zone: Tz, recurrence: &[&str]) -> Event {
    let at = |text| EventTime::At { instant: utc(text), zone: Some(zone) };
    series(at(start), at(end), recurrence)
}

fn starts(event: &Event, window: Window) -> Vec<String> {
    occurrences(event, window, Tz::UTC).iter().map(|(start, _)| start.format("%m-%dT%H:%M").to_string()).collect()
}

#[test]
fn a_weekly_series_keeps_its_local_time_when_the_clock_changes() {
    let event =
        timed("2026-03-20T08:00:00Z", "2026-03-20T09:00:00Z", chrono_tz::Europe::Berlin, &["RRULE:FREQ=WEEKLY"]);
    let found = starts(&event, window("2026-03-01T00:00:00Z", "2026-04-05T00:00:00Z"));
    assert_eq!(found, ["03-20T08:00", "03-27T08:00", "04-03T07:00"]);
}

#[test]
fn what_an_excluding_rule_yields_does_not_take_place() {
    let lines = ["RRULE:FREQ=DAILY;COUNT=6", "EXRULE:FREQ=DAILY;INTERVAL=2"];
    let event = timed("2026-03-02T08:00:00Z", "2026-03-02T09:00:00Z", Tz::UTC, &lines);
    let found = starts(&event, window("2026-03-01T00:00:00Z", "2026-04-05T00:00:00Z"));
    assert_eq!(found, ["03-03T08:00", "03-05T08:00", "03-07T08:00"]);
}

#[test]
fn a_local_time_that_the_clock_skips_moves_past_the_gap() {
    let event =
        timed("2026-03-28T01:30:00Z", "2026-03-28T02:30:00Z", chrono_tz::Europe::Berlin, &["RRULE:FREQ=DAILY;COUNT=3"]);
    let found = starts(&event, window("2026-03-01T00:00:00Z", "2026-04-05T00:00:00Z"));
    assert_eq!(found, ["03-28T01:30", "03-29T01:30", "03-30T00:30"]);
}

#[test]
fn two_local_times_that_the_clock_makes_one_moment_are_one_occurrence() {
    let event =
        timed("2026-03-28T23:30:00Z", "2026-03-29T00:00:00Z", chrono_tz::Europe::Berlin, &["RRULE:FREQ=HOURLY"]);
    let found = starts(&event, window("2026-03-28T23:00:00Z", "2026-03-29T04:00:00Z"));
    assert_eq!(found, ["03-28T23:30", "03-29T00:30", "03-29T01:30", "03-29T02:30", "03-29T03:30"]);
}

#[test]
fn an_endless_series_is_known_years_ahead_and_its_past_is_skipped() {
    let event =
        timed("2000-01-03T09:00:00Z", "2000-01-03T10:00:00Z", Tz::UTC, &["RRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE"]);
    let near = starts(&event, window("2000-01-01T00:00:00Z", "2000-01-22T00:00:00Z"));
    assert_eq!(near, ["01-03T09:00", "01-05T09:00", "01-17T09:00", "01-19T09:00"]);
    let far = starts(&event, window("2040-01-01T00:00:00Z", "2040-01-22T00:00:00Z"));
    // 2040-01-02 is 2087 weeks after the first occurrence: an odd week, in which nothing occurs.
    assert_eq!(far, ["01-09T09:00", "01-11T09:00"]);
    assert_eq!(last_end(&event, Tz::UTC), None);
}

#[test]
fn until_and_count_end_a_series() {
    let until = timed(
        "2026-03-20T08:00:00Z",
        "2026-03-20T09:00:00Z",
        chrono_tz::Europe::Berlin,
        &["RRULE:FREQ=DAILY;UNTIL=20260322T225959Z"],
    );
    assert_eq!(last_end(&until, Tz::UTC), Some(utc("2026-03-22T09:00:00Z")));
    let count = timed("2026-03-20T08:00:00Z", "2026-03-20T09:00:00Z", Tz::UTC, &["RRULE:FREQ=DAILY;COUNT=5"]);
    assert_eq!(last_end(&count, Tz::UTC), Some(utc("2026-03-24T09:00:00Z")));
}

#[test]
fn exdates_take_occurrences_away_and_rdates_add_some() {
    let event = timed(
        "2026-03-20T08:00:00Z",
        "2026-03-20T09:00:00Z",
        chrono_tz::Europe::Berlin,
        &["RRULE:FREQ=DAILY;COUNT=3", "EXDATE;TZID=Europe/Berlin:20260321T090000", "RDATE:20260325T080000Z"],
    );
    assert_eq!(
        starts(&event, window("2026-03-01T00:00:00Z", "2026-04-05T00:00:00Z")),
        ["03-20T08:00", "03-22T08:00", "03-25T08:00"]
    );
}

#[test]
fn whole_days_repeat_where_the_calendar_is() {
    let day = |text: &str| EventTime::Day(text.parse().unwrap());
    let event =
        series(day("2026-03-28"), day("2026-03-29"), &["RRULE:FREQ=DAILY;COUNT=3", "EXDATE;VALUE=DATE:20260330"]);
    let found = occurrences(&event, window("2026-03-01T00:00:00Z", "2026-04-05T00:00:00Z"), chrono_tz::Europe::Berlin);
    assert_eq!(
        found,
        [
            (utc("2026-03-27T23:00:00Z"), utc("2026-03-28T23:00:00Z")),
            (utc("2026-03-28T23:00:00Z"), utc("2026-03-29T22:00:00Z")),
        ]
    );
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

/// As the store will answer once they are stored; the window is the reader's affair.
#[test]
fn what_changed_takes_the_place_of_what_is_stored() {
    let row = |event: Event| ExternalCalendarEvent::new(&"primary".into(), event, Tz::UTC, None).unwrap();
    let event = |id: &str, hour: &str, recurrence: &[&str]| {
        let (start, end) = (format!("2026-03-02T{hour}:00:00Z"), format!("2026-03-02T{hour}:30:00Z"));
        row(Event { id: id.into(), ..timed(&start, &end, Tz::UTC, recurrence) })
    };
    let weekly = ["RRULE:FREQ=WEEKLY"];
    let exception = |id: &str, hour: &str, of: &str| {
        let ExternalCalendarEvent { event, .. } = event(id, hour, &[]);
        row(Event { recurring_event_id: Some(of.into()), original_start: event.start, ..event })
    };
    let lookup = ExternalLookup {
        events: vec![event("stays", "01", &[]), event("moves", "02", &[]), event("goes", "03", &[])],
        series: vec![
            (
                event("series", "04", &weekly),
                vec![exception("kept", "05", "series"), exception("ended", "06", "series")],
            ),
            (event("dropped", "07", &weekly), vec![exception("left over", "08", "dropped")]),
        ],
    };
    let put = [
        event("moves", "12", &[]),
        event("comes", "13", &[]),
        event("series", "14", &weekly),
        exception("new", "15", "series"),
        exception("alone", "16", "unknown"),
    ];
    let gone = ["goes", "ended", "dropped"].map(EventId::from).into();
    let replaced = replaced(lookup, &put, &gone);
    let label = |row: &ExternalCalendarEvent| format!("{} {}", row.id(), row.event_start.format("%H"));
    let events: Vec<_> = replaced.events.iter().map(label).collect();
    assert_eq!(events, ["alone 16", "comes 13", "left over 08", "moves 12", "stays 01"]);
    let [(series, exceptions)] = &replaced.series[..] else { panic!("{replaced:?}") };
    assert_eq!(label(series), "series 14");
    assert_eq!(exceptions.iter().map(label).collect::<Vec<_>>(), ["kept 05", "new 15"]);
}

#[test]
fn hostile_rules_never_panic_and_leave_the_first_occurrence() {
    for rule in [
        "RRULE:",
        "RRULE:FREQ=NEVER",
        "RRULE:FREQ=DAILY;UNTIL=x",
        "EXDATE:x",
        "garbage",
        "RRULE:FREQ=SECONDLY",
        "RDATE;TZID=Nowhere:99999999",
        "RRULE:FREQ=WEEKLY;BYDAY=MO\u{368}E",
        "EXDATE;TZID=Zürich:20260302T090000",
    ] {
        let event = timed("2026-03-20T08:00:00Z", "2026-03-20T09:00:00Z", Tz::UTC, &[rule]);
        let found = starts(&event, window("2026-03-20T00:00:00Z", "2026-03-21T00:00:00Z"));
        assert_eq!(found.first().map(String::as_str), Some("03-20T08:00"), "{rule}");
    }
}
