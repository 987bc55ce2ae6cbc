//! What follows from a listing.

use uuid::Uuid;

use super::*;
use crate::{
    model::{EventStatus, EventTime, LessonId, SkipReason},
    testing::{event, key},
};

fn listed(id: &str) -> Event {
    recurring(id, &[])
}

fn tombstone(id: &str) -> Event {
    Event { status: EventStatus::Cancelled, start: None, end: None, ..listed(id) }
}

fn planned(events: Vec<Event>) -> InboundPlan {
    planned_of(events.into_iter().map(Ok).collect())
}

fn planned_of(items: Vec<Result<Event, SkippedEvent>>) -> InboundPlan {
    plan(key(1, 2), &"primary".into(), Tz::UTC, "2026-03-05T08:00:00Z".parse().unwrap(), items)
}

fn unreadable(id: Option<&str>) -> SkippedEvent {
    SkippedEvent { id: id.map(EventId::from), reason: SkipReason::Unreadable }
}

#[test]
fn an_event_that_cannot_be_read_is_mentioned_and_loses_its_row() {
    let plan = planned_of(vec![Ok(listed("e")), Err(unreadable(Some("bad")))]);
    assert_eq!(plan.skipped, [unreadable(Some("bad"))]);
    assert_eq!((plan.put.len(), plan.remove.into_iter().collect::<Vec<_>>()), (1, vec![EventId::from("bad")]));
}

#[test]
fn an_exception_that_cannot_be_read_keeps_its_row_so_that_its_series_does_not_occur_in_its_place() {
    let id = "series_20260308T080000Z";
    let plan = planned_of(vec![Err(unreadable(Some(id)))]);
    assert_eq!((plan.skipped.clone(), plan.remove.len()), (vec![unreadable(Some(id))], 0));
    assert!(plan.mentioned().contains(&EventId::from(id)));
}

#[test]
fn an_event_of_ours_that_cannot_be_read_is_not_missing() {
    let own = OwnEventId { lesson_id: LessonId(Uuid::from_u128(9)), generation: 0 }.encode(key(1, 2));
    let plan = planned_of(vec![Err(unreadable(Some(own.as_str())))]);
    assert!(plan.mentioned().contains(&own) && plan.names_all() && plan.remove.is_empty());
}

#[test]
fn an_item_without_an_id_may_be_any_event() {
    assert!(planned_of(vec![Err(unreadable(Some("bad")))]).names_all());
    assert!(!planned_of(vec![Ok(listed("e")), Err(unreadable(None)), Err(unreadable(Some("bad")))]).names_all());
}

#[test]
fn of_an_event_listed_as_readable_and_not_the_later_mention_counts() {
    let plan = planned_of(vec![Ok(listed("e")), Err(unreadable(Some("e")))]);
    assert!(plan.put.is_empty() && plan.remove.contains(&EventId::from("e")) && plan.skipped.len() == 1);
    let plan = planned_of(vec![Err(unreadable(Some("e"))), Ok(listed("e"))]);
    assert!(plan.put.len() == 1 && plan.remove.is_empty() && plan.skipped.is_empty());
}

#[test]
fn our_own_events_are_known_by_their_id_and_never_stored() {
    let own = OwnEventId { lesson_id: LessonId(Uuid::from_u128(9)), generation: 0 };
    let id = own.encode(key(1, 2));
    let split = format!("{id}_R20260301T080000");
    let plan = planned(vec![
        listed(&id.0),
        listed(&format!("{id}_20260301T080000Z")),
        listed(&split),
        tombstone(&format!("{id}_R2")),
    ]);
    assert_eq!(plan.own.iter().map(|(own, _)| *own).collect::<Vec<_>>(), [own]);
    assert_eq!(plan.own_parts.iter().map(|event| event.id.0.as_str()).collect::<Vec<_>>(), [split]);
    assert!(plan.put.is_empty() && plan.remove.is_empty());
}

#[test]
fn a_copy_that_carries_our_property_is_external() {
    let copy = Event { lesson_id: Some(LessonId(Uuid::from_u128(9))), ..listed("copied") };
    assert_eq!(planned(vec![copy]).put.len(), 1);
}

#[test]
fn a_tombstone_removes_the_event_and_the_exceptions_of_a_series() {
    let plan = planned(vec![tombstone("gone")]);
    assert!(plan.remove.contains(&EventId::from("gone")) && plan.gone_series.contains(&EventId::from("gone")));
}

#[test]
fn a_cancelled_occurrence_is_stored_as_the_exception_that_it_is() {
    let original = Some(EventTime::At { instant: "2026-03-08T08:00:00Z".parse().unwrap(), zone: None });
    let cancelled = Event {
        recurring_event_id: Some(EventId::from("series")),
        original_start: original,
        ..tombstone("series_20260308T080000Z")
    };
    let plan = planned(vec![cancelled]);
    assert_eq!(plan.put[0].event.original_start, original);
    assert!(plan.remove.is_empty());
}

#[test]
fn an_exception_cut_off_by_a_trimmed_rule_comes_as_a_bare_tombstone_and_is_removed() {
    let plan = planned(vec![tombstone("series_20260308T080000Z")]);
    assert!(plan.remove.contains(&EventId::from("series_20260308T080000Z")) && plan.put.is_empty());
}

#[test]
fn of_an_event_listed_twice_the_later_mention_counts() {
    let plan = planned(vec![listed("e"), tombstone("e")]);
    assert!(plan.put.is_empty() && plan.remove.contains(&EventId::from("e")));
}

fn recurring(id: &str, lines: &[&str]) -> Event {
    let at = |text: &str| EventTime::At { instant: text.parse().unwrap(), zone: Some(Tz::UTC.into()) };
    event(id, at("2026-03-01T08:00:00Z"), at("2026-03-01T09:00:00Z"), lines)
}

#[test]
fn a_series_that_asks_for_too_much_work_is_left_out_and_loses_its_row() {
    let plan = planned(vec![recurring("endless", &["RRULE:FREQ=SECONDLY"]), recurring("daily", &["RRULE:FREQ=DAILY"])]);
    let id = EventId::from("endless");
    assert_eq!(plan.skipped, [SkippedEvent { id: Some(id.clone()), reason: SkipReason::TooMuchWork }]);
    assert_eq!((plan.put.len(), plan.remove), (1, BTreeSet::from([id])));
}

#[test]
fn a_count_beyond_what_is_walked_to_is_left_out_and_an_end_before_it_helps() {
    for (rule, is_taken) in [
        ("FREQ=DAILY;COUNT=29999", true),
        ("FREQ=DAILY;COUNT=30001", false),
        ("FREQ=DAILY;COUNT=30001;UNTIL=20300101", true),
    ] {
        let plan = planned(vec![recurring("counts", &[&format!("RRULE:{rule}")])]);
        let too_much = SkippedEvent { id: Some(EventId::from("counts")), reason: SkipReason::TooMuchWork };
        assert_eq!(plan.skipped, if is_taken { vec![] } else { vec![too_much] }, "{rule}");
    }
}

#[test]
fn a_series_whose_zone_is_not_known_is_stored_and_named() {
    let nowhere = |id: &str, event: Event| Event {
        id: EventId::from(id),
        start: Some(EventTime::At { instant: "2026-03-01T08:00:00Z".parse().unwrap(), zone: None }),
        ..event
    };
    let daily = recurring("daily", &["RRULE:FREQ=DAILY"]);
    let plan = planned(vec![nowhere("series", daily.clone()), nowhere("single", listed("e")), daily]);
    assert_eq!((plan.misread, plan.put.len()), (vec![EventId::from("series")], 3));
}

#[test]
fn a_series_that_is_understood_in_part_is_stored_and_named() {
    let plan = planned(vec![recurring("odd", &["RRULE:FREQ=SOMETIMES"]), recurring("daily", &["RRULE:FREQ=DAILY"])]);
    assert_eq!((plan.misread, plan.put.len()), (vec![EventId::from("odd")], 2));
}

#[test]
fn a_series_is_stored_from_its_earliest_occurrence_on() {
    let plan = planned(vec![recurring("early", &["RDATE:20260101T080000Z"])]);
    assert_eq!(plan.put[0].event_start.to_rfc3339(), "2026-01-01T08:00:00+00:00");
}

#[test]
fn of_an_event_no_description_is_stored_and_of_a_private_one_the_times_alone() {
    let text = |text: &str| Some(text.to_owned());
    let full = |private| Event {
        private,
        etag: "v".to_owned(),
        summary: text("Dentist"),
        description: text("A crown"),
        location: text("Main Street 1"),
        ..listed("e")
    };
    for (private, summary, location) in [(false, text("Dentist"), text("Main Street 1")), (true, None, None)] {
        let stored = &planned(vec![full(private)]).put[0].event;
        let expected = Event { summary, location, description: None, etag: String::new(), ..full(private) };
        assert_eq!(*stored, expected);
    }
}

#[test]
fn what_was_over_long_ago_is_neither_stored_nor_mentioned_and_loses_the_row_that_it_has() {
    let over = |id: &str, lines: &[&str]| {
        let at = |text: &str| EventTime::At { instant: text.parse().unwrap(), zone: Some(Tz::UTC.into()) };
        event(id, at("2026-01-20T08:00:00Z"), at("2026-01-20T09:00:00Z"), lines)
    };
    let moved = |id: &str, original: &str| Event {
        recurring_event_id: Some(EventId::from("endless")),
        original_start: Some(EventTime::At { instant: original.parse().unwrap(), zone: None }),
        ..over(id, &[])
    };
    let plan = planned(vec![
        over("single", &[]),
        over("ended", &["RRULE:FREQ=DAILY;COUNT=9"]),
        over("goes on", &["RRULE:FREQ=DAILY;COUNT=90"]),
        over("endless", &["RRULE:FREQ=DAILY"]),
        moved("endless_20260121T080000Z", "2026-01-21T08:00:00Z"),
        moved("endless_20260301T080000Z", "2026-03-01T08:00:00Z"),
    ]);
    let ids = |ids: [&str; 3]| ids.map(EventId::from);
    assert_eq!(plan.past, ids(["single", "ended", "endless_20260121T080000Z"]).into());
    let stored: BTreeSet<_> = plan.put.iter().map(|row| row.id().clone()).collect();
    assert_eq!(stored, ids(["goes on", "endless", "endless_20260301T080000Z"]).into());
    assert!(plan.remove.is_empty() && !plan.mentions().contains(&EventId::from("single")));
}
