//! What is done for a lesson, as a table: the lesson, the event that Google shows, the base.

use chrono_tz::Tz;
use uuid::Uuid;

mod answers;

use super::*;
use crate::{
    model::{EventId, EventStatus, EventTime, LessonId},
    ports::{OperationOutcome, Refusal},
    testing::{key, lesson},
};

pub fn now() -> DateTime<Utc> {
    "2026-03-01T00:00:00Z".parse().unwrap()
}

pub fn content(title: &str) -> LessonContent {
    lesson(key(1, 2), 3, title, "2026-03-02T09:00:00Z".parse().unwrap()).content
}

pub fn refused(status: u16, reason: &str) -> OperationOutcome {
    OperationOutcome::Refused(Refusal { status, reason: reason.to_owned(), message: "Google's words.".to_owned() })
}

pub fn wants(title: &str) -> Desired {
    Desired::Event(content(title))
}

pub fn google_shows(title: &str, etag: &str) -> Event {
    let at = |instant| Some(EventTime::At { instant, zone: None });
    Event {
        id: EventId::from("e"),
        etag: etag.to_owned(),
        summary: Some(title.to_owned()),
        description: Some("notes of the instructor's own".to_owned()),
        start: at(content("").starts_at),
        end: at(content("").ends_at),
        ..Event::default()
    }
}

fn deleted(etag: &str) -> Event {
    Event { status: EventStatus::Cancelled, ..google_shows("", etag) }
}

pub fn never_synced() -> CalendarEventMapping {
    CalendarEventMapping::new(key(1, 2), LessonId(Uuid::from_u128(3)), now(), now())
}

fn in_zone(zone: Tz) -> Desired {
    Desired::Event(LessonContent { time_zone: zone, ..content("Piano") })
}

fn shown_in(zone: Tz, etag: &str) -> Event {
    let at = |instant| Some(EventTime::At { instant, zone: Some(zone.into()) });
    let event = google_shows("Piano", etag);
    Event { start: at(content("").starts_at), end: at(content("").ends_at), ..event }
}

#[test]
fn a_lesson_whose_zone_alone_changes_is_written_and_rests_by_whatever_name_google_shows_the_zone() {
    let event = |zone, etag: &str| OperationOutcome::Event(Box::new(shown_in(zone, etag)));
    let (berlin, kyiv) = (in_zone(Tz::Europe__Berlin), in_zone(Tz::Europe__Kyiv));
    let (mapping, _) = answered(never_synced(), &berlin, &event(Tz::Europe__Berlin, "1"));
    assert_eq!(step(&mapping, &berlin), LessonStep::Noop);
    let decision = decide(&mapping, &kyiv);
    assert_eq!(decision, Decision { step: LessonStep::Replace, drift: None });
    let (written, _) = answered(mapping.clone(), &kyiv, &event(Tz::Europe__Kiev, "2"));
    assert_eq!(step(&written, &kyiv), LessonStep::Noop);

    let answer_lost = observe(intend(mapping.clone(), &kyiv, decision, now()), &shown_in(Tz::Europe__Kiev, "2"));
    assert_eq!(decide(&answer_lost, &kyiv), Decision { step: LessonStep::Patch, drift: None }, "no change by hand");
    let moved = observe(mapping, &shown_in(Tz::Asia__Tokyo, "2"));
    assert_eq!(decide(&moved, &berlin).drift, Some(Drift { deleted: false }));
}

/// One step carried out and answered.
fn answered(
    mapping: CalendarEventMapping,
    desired: &Desired,
    outcome: &OperationOutcome,
) -> (CalendarEventMapping, StepResult) {
    let decision = decide(&mapping, desired);
    conclude(intend(mapping, desired, decision, now()), desired, decision.step, outcome)
}

fn synced(title: &str) -> CalendarEventMapping {
    let (mapping, after) =
        answered(never_synced(), &wants(title), &OperationOutcome::Event(Box::new(google_shows(title, "1"))));
    assert_eq!(after, StepResult::Done);
    mapping
}

fn step(mapping: &CalendarEventMapping, desired: &Desired) -> LessonStep {
    decide(mapping, desired).step
}

#[test]
fn the_steps_of_an_untroubled_lesson() {
    assert_eq!(step(&never_synced(), &wants("A")), LessonStep::Insert);
    assert_eq!(step(&synced("A"), &wants("A")), LessonStep::Noop);
    assert_eq!(step(&synced("A"), &wants("B")), LessonStep::Replace);
    assert_eq!(step(&synced("A"), &Desired::NoEvent(Absence::Cancelled)), LessonStep::Delete);
    assert_eq!(step(&never_synced(), &Desired::NoEvent(Absence::Removed)), LessonStep::Forget);
}

#[test]
fn our_own_write_coming_back_plans_to_nothing() {
    let echo = observe(synced("A"), &google_shows("A", "1"));
    assert_eq!(decide(&echo, &wants("A")), Decision { step: LessonStep::Noop, drift: None });
    assert!(!echo.edited_by_others);
}

#[test]
fn a_write_whose_answer_was_lost_is_known_when_it_comes_back() {
    let mapping = synced("A");
    let decision = decide(&mapping, &wants("B"));
    let crashed = intend(mapping, &wants("B"), decision, now());
    let seen = observe(crashed, &google_shows("B", "2"));
    assert_eq!(decide(&seen, &wants("B")), Decision { step: LessonStep::AdoptAsBase, drift: None });
    assert_eq!(decide(&seen, &wants("C")), Decision { step: LessonStep::Patch, drift: None });
}

#[test]
fn an_insert_that_meets_a_taken_id_looks_and_agrees_with_what_it_wrote_before() {
    let (mapping, after) = answered(never_synced(), &wants("A"), &OperationOutcome::IdTaken);
    assert_eq!(after, StepResult::Fetch);
    let (mapping, after) =
        conclude(mapping, &wants("A"), LessonStep::Fetch, &OperationOutcome::Event(Box::new(google_shows("A", "1"))));
    assert_eq!((after, step(&mapping, &wants("A"))), (StepResult::Again, LessonStep::AdoptAsBase));
}

#[test]
fn what_the_instructor_wrote_beside_our_fields_is_no_change_but_is_kept() {
    let guests_added = observe(synced("A"), &google_shows("A", "2"));
    assert_eq!(decide(&guests_added, &wants("A")), Decision { step: LessonStep::Noop, drift: None });
    assert_eq!(step(&guests_added, &wants("B")), LessonStep::Patch);
}

#[test]
fn a_text_that_the_lesson_gains_is_no_change_by_the_instructor() {
    let described = Desired::Event(LessonContent { description: Some("Scales".to_owned()), ..content("A") });
    let written = intend(synced("A"), &described, decide(&synced("A"), &described), now());
    // The write waits; a listing shows the event as before.
    let seen = observe(written, &google_shows("A", "2"));
    assert_eq!(decide(&seen, &described), Decision { step: LessonStep::Fetch, drift: None });
    let (looked, after) =
        conclude(seen, &described, LessonStep::Fetch, &OperationOutcome::Event(Box::new(google_shows("A", "2"))));
    assert_eq!(after, StepResult::Again);
    assert_eq!(decide(&looked, &described), Decision { step: LessonStep::Patch, drift: None });
}

#[test]
fn an_event_changed_in_google_is_put_back_and_the_instructor_told() {
    let moved = observe(synced("A"), &google_shows("moved", "2"));
    assert_eq!(
        decide(&moved, &wants("A")),
        Decision { step: LessonStep::Patch, drift: Some(Drift { deleted: false }) }
    );
    let gone = observe(synced("A"), &deleted("2"));
    assert_eq!(decide(&gone, &wants("A")), Decision { step: LessonStep::Revive, drift: Some(Drift { deleted: true }) });
}

#[test]
fn an_event_made_recurring_is_put_back() {
    let recurring = Event { recurrence: vec!["RRULE:FREQ=DAILY".into()], ..google_shows("A", "2") };
    assert_eq!(step(&observe(synced("A"), &recurring), &wants("A")), LessonStep::Patch);
}

#[test]
fn after_three_put_backs_we_stop_until_the_lesson_changes() {
    let mut mapping = synced("A");
    for round in 0..3 {
        mapping = observe(mapping, &google_shows("edited", &format!("t{round}")));
        let put_back = OperationOutcome::Event(Box::new(google_shows("A", &format!("o{round}"))));
        let (next, after) = answered(mapping, &wants("A"), &put_back);
        assert_eq!(after, StepResult::Done);
        mapping = next;
    }
    mapping = observe(mapping, &google_shows("edited", "t3"));
    let decision = decide(&mapping, &wants("A"));
    assert_eq!(decision.step, LessonStep::GiveUp);
    let failed = intend(mapping.clone(), &wants("A"), decision, now());
    assert_eq!(failed.sync_status, SyncStatus::Failed);
    assert_eq!(step(&failed, &wants("B")), LessonStep::Patch, "the lesson changed");
}

#[test]
fn an_event_that_was_given_up_is_put_back_when_its_lesson_has_come_back() {
    let mut given_up = observe(synced("A"), &google_shows("edited", "2"));
    given_up.restores = CalendarEventMapping::MAX_RESTORES;
    assert_eq!(step(&given_up, &wants("A")), LessonStep::GiveUp);
    let away = copy_times(given_up, &Desired::NoEvent(Absence::Removed), now());
    let decision = decide(&away, &wants("A"));
    assert_eq!(decision, Decision { step: LessonStep::Patch, drift: Some(Drift { deleted: false }) });
    assert_eq!(intend(away, &wants("A"), decision, now()).restores, 1);
}

#[test]
fn a_change_that_takes_many_tries_to_put_back_is_counted_and_told_once() {
    let later = || OperationOutcome::TryLater(crate::ports::CalendarError::RateLimited);
    for seen in [google_shows("edited", "t"), deleted("t")] {
        let mut mapping = observe(synced("A"), &seen);
        let mut told = 0;
        for _ in 0..5 {
            told += usize::from(decide(&mapping, &wants("A")).drift.is_some());
            let (next, after) = answered(mapping, &wants("A"), &later());
            assert!(matches!(after, StepResult::Later(_)));
            // A listing mentions it again.
            mapping = observe(next, &seen);
        }
        assert_eq!((told, mapping.restores), (1, 1));
        let put_back = OperationOutcome::Event(Box::new(google_shows("A", "ours")));
        let (mapping, after) = answered(mapping, &wants("A"), &put_back);
        assert_eq!((after, mapping.replaces.as_ref()), (StepResult::Done, None));
        assert!(decide(&observe(mapping, &seen), &wants("A")).drift.is_some(), "the next is one of its own");
    }
}

#[test]
fn a_put_back_that_may_have_arrived_is_looked_for_when_the_lesson_changes_meanwhile() {
    let moved = observe(synced("A"), &google_shows("edited", "t"));
    let put_back = intend(moved.clone(), &wants("A"), decide(&moved, &wants("A")), now());
    assert_eq!(decide(&put_back, &wants("B")), Decision { step: LessonStep::Fetch, drift: None });
    let looked =
        |event| conclude(put_back.clone(), &wants("B"), LessonStep::Fetch, &OperationOutcome::Event(Box::new(event)));
    for seen in [google_shows("A", "ours"), google_shows("edited", "t")] {
        let (mapping, after) = looked(seen);
        assert_eq!(after, StepResult::Again);
        assert_eq!(decide(&mapping, &wants("B")), Decision { step: LessonStep::Patch, drift: None });
    }
    let (mapping, _) = looked(google_shows("edited again", "u"));
    assert_eq!(decide(&mapping, &wants("B")).drift, Some(Drift { deleted: false }));
}

#[test]
fn a_put_back_that_meets_another_version_of_what_it_replaces_tells_nothing_new() {
    let described = Desired::Event(LessonContent { description: Some("Scales".to_owned()), ..content("A") });
    for [seen, met] in [[google_shows("edited", "t"), google_shows("edited", "u")], [deleted("t"), deleted("u")]] {
        let drifted = observe(synced("A"), &seen);
        let put_back = intend(drifted.clone(), &described, decide(&drifted, &described), now());
        let look = OperationOutcome::Event(Box::new(met));
        let (mapping, after) = conclude(put_back, &described, LessonStep::Fetch, &look);
        assert_eq!((after, decide(&mapping, &described).drift), (StepResult::Again, None));
        // A listing that shows another version has met a new change; an event that is still gone has not changed.
        let again = Event { etag: "v".to_owned(), ..seen };
        assert_eq!(decide(&observe(mapping, &again), &described).drift.is_some(), !again.is_cancelled());
    }
}

#[test]
fn a_deletion_that_a_whole_listing_missed_and_a_later_one_names_is_told_once() {
    let mut missing = synced("A");
    missing.remote.iter_mut().for_each(|remote| remote.deleted = true);
    let decision = decide(&missing, &wants("A"));
    assert_eq!(decision.drift, Some(Drift { deleted: true }));
    let named = observe(intend(missing, &wants("A"), decision, now()), &deleted("t"));
    assert_eq!(decide(&named, &wants("A")), Decision { step: LessonStep::Revive, drift: None });
}

#[test]
fn another_change_while_one_waits_to_be_put_back_is_counted_and_told() {
    let mapping = observe(synced("A"), &google_shows("edited", "1"));
    let later = OperationOutcome::TryLater(crate::ports::CalendarError::RateLimited);
    let (mapping, _) = answered(mapping, &wants("A"), &later);
    for other in [google_shows("edited again", "2"), deleted("2")] {
        let decision = decide(&observe(mapping.clone(), &other), &wants("A"));
        assert_eq!(decision.drift, Some(Drift { deleted: other.is_cancelled() }));
    }
}
