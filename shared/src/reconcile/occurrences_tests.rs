//! Series with their exceptions, before and after a change is stored.

use super::*;
use crate::model::{EventStatus, EventTime, EventType};

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
    let at = |text| EventTime::At { instant: utc(text), zone: Some(zone.into()) };
    series(at(start), at(end), recurrence)
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

/// As the store will answer once the change is stored; the caller applies the window.
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
