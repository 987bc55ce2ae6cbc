//! What is done for a lesson, as a table: the lesson, the event that Google shows, the base.

use chrono::TimeDelta;
use chrono_tz::Tz;
use uuid::Uuid;

use super::*;
use crate::{
    model::{EventId, EventStatus, EventTime, InstructorId, Lesson, LessonId},
    ports::Refusal,
    testing::{key, lesson},
};

fn now() -> DateTime<Utc> {
    "2026-03-01T00:00:00Z".parse().unwrap()
}

fn content(title: &str) -> LessonContent {
    lesson(key(1, 2), 3, title, "2026-03-02T09:00:00Z".parse().unwrap()).content
}

fn refused(status: u16, reason: &str) -> OperationOutcome {
    OperationOutcome::Refused(Refusal { status, reason: reason.to_owned(), message: "Google's words.".to_owned() })
}

fn wants(title: &str) -> Desired {
    Desired::Event(content(title))
}

fn google_shows(title: &str, etag: &str) -> Event {
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

fn never_synced() -> CalendarEventMapping {
    CalendarEventMapping::new(key(1, 2), LessonId(Uuid::from_u128(3)), now(), now())
}

/// The verdict on a lesson by its place in the window, for a mapping with or without an event.
#[test]
fn a_lesson_outside_of_the_window_is_followed_where_it_has_an_event_and_known_by_its_times_where_it_has_none() {
    let without_remote = never_synced();
    let remote = observe(without_remote.clone(), &google_shows("Piano", "1"));
    let (inside, outside) = ([-1, 7], [3, 7]);
    let starts_at = content("Piano").starts_at;
    let lesson = |status, instructor| Lesson { status, ..lesson(key(1, instructor), 3, "Piano", starts_at) };
    let scheduled = lesson(LessonStatus::Scheduled, 2);
    let long = |mut lesson: Lesson| {
        lesson.content.ends_at = lesson.content.starts_at + TimeDelta::hours(25);
        LessonLookup::Found(Box::new(lesson))
    };
    let refused = || Verdict::Unreadable("it lasts longer than a day".to_owned());
    let judged = |lookup: &LessonLookup, [from, to]: [i64; 2], narrowed, mapping: Option<&CalendarEventMapping>| {
        let window = Window { from: now() + TimeDelta::days(from), to: now() + TimeDelta::days(to) };
        judge(InstructorId(Uuid::from_u128(2)), lookup, window, narrowed, mapping)
    };
    let found = |lesson: Lesson| LessonLookup::Found(Box::new(lesson));
    let event = || Verdict::Wants(wants("Piano"));
    let none = |absence| Verdict::Wants(Desired::NoEvent(absence));
    for (lookup, window, narrowed, mapping, verdict) in [
        (found(scheduled.clone()), inside, false, None, event()),
        (found(scheduled.clone()), inside, true, Some(&without_remote), event()),
        (found(scheduled.clone()), outside, false, None, Verdict::Leave),
        (found(scheduled.clone()), outside, false, Some(&without_remote), Verdict::Outside(content("Piano"))),
        (found(scheduled.clone()), outside, false, Some(&remote), event()),
        (found(scheduled.clone()), outside, true, Some(&remote), Verdict::Leave),
        (long(scheduled.clone()), inside, false, None, refused()),
        (long(scheduled.clone()), outside, false, Some(&remote), refused()),
        (long(scheduled), outside, false, None, Verdict::Leave),
        (long(lesson(LessonStatus::Cancelled, 2)), inside, false, Some(&remote), none(Absence::Cancelled)),
        (found(lesson(LessonStatus::Cancelled, 2)), outside, false, Some(&remote), none(Absence::Cancelled)),
        (found(lesson(LessonStatus::Cancelled, 2)), inside, false, None, Verdict::Leave),
        (found(lesson(LessonStatus::Scheduled, 9)), inside, false, Some(&remote), none(Absence::Reassigned)),
        (LessonLookup::Gone, outside, false, Some(&without_remote), none(Absence::Removed)),
        (LessonLookup::Gone, inside, true, Some(&without_remote), none(Absence::Removed)),
        (LessonLookup::Gone, outside, true, Some(&without_remote), Verdict::Leave),
        (LessonLookup::Gone, inside, false, None, Verdict::Leave),
    ] {
        let case = format!("{lookup:?} {window:?} {narrowed} {mapping:?}");
        assert_eq!(judged(&lookup, window, narrowed, mapping), verdict, "{case}");
    }
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
    assert_eq!(step(&mapping, &berlin), Step::Rest);
    let decision = decide(&mapping, &kyiv);
    assert_eq!(decision, Decision { step: Step::Replace, drift: None });
    let (written, _) = answered(mapping.clone(), &kyiv, &event(Tz::Europe__Kiev, "2"));
    assert_eq!(step(&written, &kyiv), Step::Rest);

    let answer_lost = observe(intend(mapping.clone(), &kyiv, decision, now()), &shown_in(Tz::Europe__Kiev, "2"));
    assert_eq!(decide(&answer_lost, &kyiv), Decision { step: Step::Patch, drift: None }, "no change by hand");
    let moved = observe(mapping, &shown_in(Tz::Asia__Tokyo, "2"));
    assert_eq!(decide(&moved, &berlin).drift, Some(Drift { deleted: false }));
}

/// One step carried out and answered.
fn answered(
    mapping: CalendarEventMapping,
    desired: &Desired,
    outcome: &OperationOutcome,
) -> (CalendarEventMapping, After) {
    let decision = decide(&mapping, desired);
    conclude(intend(mapping, desired, decision, now()), desired, decision.step, outcome)
}

fn synced(title: &str) -> CalendarEventMapping {
    let (mapping, after) =
        answered(never_synced(), &wants(title), &OperationOutcome::Event(Box::new(google_shows(title, "1"))));
    assert_eq!(after, After::Done);
    mapping
}

fn step(mapping: &CalendarEventMapping, desired: &Desired) -> Step {
    decide(mapping, desired).step
}

#[test]
fn the_steps_of_an_untroubled_lesson() {
    assert_eq!(step(&never_synced(), &wants("A")), Step::Insert);
    assert_eq!(step(&synced("A"), &wants("A")), Step::Rest);
    assert_eq!(step(&synced("A"), &wants("B")), Step::Replace);
    assert_eq!(step(&synced("A"), &Desired::NoEvent(Absence::Cancelled)), Step::Delete);
    assert_eq!(step(&never_synced(), &Desired::NoEvent(Absence::Removed)), Step::Forget);
}

#[test]
fn our_own_write_coming_back_plans_to_nothing() {
    let echo = observe(synced("A"), &google_shows("A", "1"));
    assert_eq!(decide(&echo, &wants("A")), Decision { step: Step::Rest, drift: None });
    assert!(!echo.edited_by_others);
}

#[test]
fn a_write_whose_answer_was_lost_is_known_when_it_comes_back() {
    let mapping = synced("A");
    let decision = decide(&mapping, &wants("B"));
    let crashed = intend(mapping, &wants("B"), decision, now());
    let seen = observe(crashed, &google_shows("B", "2"));
    assert_eq!(decide(&seen, &wants("B")), Decision { step: Step::Agree, drift: None });
    assert_eq!(decide(&seen, &wants("C")), Decision { step: Step::Patch, drift: None });
}

#[test]
fn an_insert_that_meets_a_taken_id_looks_and_agrees_with_what_it_wrote_before() {
    let (mapping, after) = answered(never_synced(), &wants("A"), &OperationOutcome::IdTaken);
    assert_eq!(after, After::Look);
    let (mapping, after) =
        conclude(mapping, &wants("A"), Step::Look, &OperationOutcome::Event(Box::new(google_shows("A", "1"))));
    assert_eq!((after, step(&mapping, &wants("A"))), (After::Again, Step::Agree));
}

#[test]
fn what_the_instructor_wrote_beside_our_fields_is_no_change_but_is_kept() {
    let guests_added = observe(synced("A"), &google_shows("A", "2"));
    assert_eq!(decide(&guests_added, &wants("A")), Decision { step: Step::Rest, drift: None });
    assert_eq!(step(&guests_added, &wants("B")), Step::Patch);
}

#[test]
fn a_text_that_the_lesson_gains_is_no_change_by_the_instructor() {
    let described = Desired::Event(LessonContent { description: Some("Scales".to_owned()), ..content("A") });
    let written = intend(synced("A"), &described, decide(&synced("A"), &described), now());
    // The write waits; a listing shows the event as before.
    let seen = observe(written, &google_shows("A", "2"));
    assert_eq!(decide(&seen, &described), Decision { step: Step::Look, drift: None });
    let (looked, after) =
        conclude(seen, &described, Step::Look, &OperationOutcome::Event(Box::new(google_shows("A", "2"))));
    assert_eq!(after, After::Again);
    assert_eq!(decide(&looked, &described), Decision { step: Step::Patch, drift: None });
}

#[test]
fn an_event_changed_in_google_is_put_back_and_the_instructor_told() {
    let moved = observe(synced("A"), &google_shows("moved", "2"));
    assert_eq!(decide(&moved, &wants("A")), Decision { step: Step::Patch, drift: Some(Drift { deleted: false }) });
    let gone = observe(synced("A"), &deleted("2"));
    assert_eq!(decide(&gone, &wants("A")), Decision { step: Step::Revive, drift: Some(Drift { deleted: true }) });
}

#[test]
fn an_event_made_recurring_is_put_back() {
    let recurring = Event { recurrence: vec!["RRULE:FREQ=DAILY".into()], ..google_shows("A", "2") };
    assert_eq!(step(&observe(synced("A"), &recurring), &wants("A")), Step::Patch);
}

#[test]
fn after_three_put_backs_we_stop_until_the_lesson_changes() {
    let mut mapping = synced("A");
    for round in 0..3 {
        mapping = observe(mapping, &google_shows("theirs", &format!("t{round}")));
        let put_back = OperationOutcome::Event(Box::new(google_shows("A", &format!("o{round}"))));
        let (next, after) = answered(mapping, &wants("A"), &put_back);
        assert_eq!(after, After::Done);
        mapping = next;
    }
    mapping = observe(mapping, &google_shows("theirs", "t3"));
    let decision = decide(&mapping, &wants("A"));
    assert_eq!(decision.step, Step::GiveUp);
    let failed = intend(mapping.clone(), &wants("A"), decision, now());
    assert_eq!(failed.sync_status, SyncStatus::Failed);
    assert_eq!(step(&failed, &wants("B")), Step::Patch, "the lesson changed");
}

#[test]
fn an_event_that_was_given_up_is_put_back_when_its_lesson_has_come_back() {
    let mut given_up = observe(synced("A"), &google_shows("theirs", "2"));
    given_up.restores = CalendarEventMapping::MAX_RESTORES;
    assert_eq!(step(&given_up, &wants("A")), Step::GiveUp);
    let away = copy_times(given_up, &Desired::NoEvent(Absence::Removed), now());
    let decision = decide(&away, &wants("A"));
    assert_eq!(decision, Decision { step: Step::Patch, drift: Some(Drift { deleted: false }) });
    assert_eq!(intend(away, &wants("A"), decision, now()).restores, 1);
}

#[test]
fn a_change_that_takes_many_tries_to_put_back_is_counted_and_told_once() {
    let later = || OperationOutcome::TryLater(crate::ports::CalendarError::RateLimited);
    for seen in [google_shows("theirs", "t"), deleted("t")] {
        let mut mapping = observe(synced("A"), &seen);
        let mut told = 0;
        for _ in 0..5 {
            told += usize::from(decide(&mapping, &wants("A")).drift.is_some());
            let (next, after) = answered(mapping, &wants("A"), &later());
            assert!(matches!(after, After::Later(_)));
            // A listing mentions it again.
            mapping = observe(next, &seen);
        }
        assert_eq!((told, mapping.restores), (1, 1));
        let put_back = OperationOutcome::Event(Box::new(google_shows("A", "ours")));
        let (mapping, after) = answered(mapping, &wants("A"), &put_back);
        assert_eq!((after, mapping.replaces.as_ref()), (After::Done, None));
        assert!(decide(&observe(mapping, &seen), &wants("A")).drift.is_some(), "the next is one of its own");
    }
}

#[test]
fn a_put_back_that_may_have_arrived_is_looked_for_when_the_lesson_changes_meanwhile() {
    let moved = observe(synced("A"), &google_shows("theirs", "t"));
    let put_back = intend(moved.clone(), &wants("A"), decide(&moved, &wants("A")), now());
    assert_eq!(decide(&put_back, &wants("B")), Decision { step: Step::Look, drift: None });
    let looked = |event| conclude(put_back.clone(), &wants("B"), Step::Look, &OperationOutcome::Event(Box::new(event)));
    for seen in [google_shows("A", "ours"), google_shows("theirs", "t")] {
        let (mapping, after) = looked(seen);
        assert_eq!(after, After::Again);
        assert_eq!(decide(&mapping, &wants("B")), Decision { step: Step::Patch, drift: None });
    }
    let (mapping, _) = looked(google_shows("theirs again", "u"));
    assert_eq!(decide(&mapping, &wants("B")).drift, Some(Drift { deleted: false }));
}

#[test]
fn a_put_back_that_meets_another_version_of_what_it_replaces_tells_nothing_new() {
    let described = Desired::Event(LessonContent { description: Some("Scales".to_owned()), ..content("A") });
    for [seen, met] in [[google_shows("theirs", "t"), google_shows("theirs", "u")], [deleted("t"), deleted("u")]] {
        let drifted = observe(synced("A"), &seen);
        let put_back = intend(drifted.clone(), &described, decide(&drifted, &described), now());
        let look = OperationOutcome::Event(Box::new(met));
        let (mapping, after) = conclude(put_back, &described, Step::Look, &look);
        assert_eq!((after, decide(&mapping, &described).drift), (After::Again, None));
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
    assert_eq!(decide(&named, &wants("A")), Decision { step: Step::Revive, drift: None });
}

#[test]
fn another_change_while_one_waits_to_be_put_back_is_counted_and_told() {
    let mapping = observe(synced("A"), &google_shows("theirs", "1"));
    let later = OperationOutcome::TryLater(crate::ports::CalendarError::RateLimited);
    let (mapping, _) = answered(mapping, &wants("A"), &later);
    for other in [google_shows("theirs again", "2"), deleted("2")] {
        let decision = decide(&observe(mapping.clone(), &other), &wants("A"));
        assert_eq!(decision.drift, Some(Drift { deleted: other.is_cancelled() }));
    }
}

#[test]
fn a_deleted_id_that_google_refuses_to_give_back_moves_the_generation_on() {
    let gone = observe(synced("A"), &deleted("2"));
    let refused = refused(403, "forbidden");
    let (next, after) = answered(gone, &wants("A"), &refused);
    assert_eq!((after, next.generation, step(&next, &wants("A"))), (After::Again, 1, Step::Insert));
}

#[test]
fn an_event_that_another_calendar_organizes_is_deleted_and_another_takes_its_place() {
    let refusal = Refusal { status: 403, reason: "forbiddenForNonOrganizer".into(), message: String::new() };
    let refused = OperationOutcome::NotOrganizer(refusal);
    let (mapping, after) = answered(synced("A"), &wants("B"), &refused);
    assert!(matches!(&after, After::Abandon(why) if why.contains("403 forbiddenForNonOrganizer")), "{after:?}");
    assert!(matches!(operation(&mapping, &wants("B"), Step::Abandon), Some(Operation::Delete { .. })));
    for gone in [OperationOutcome::Deleted, OperationOutcome::Gone] {
        let (next, after) = conclude(mapping.clone(), &wants("B"), Step::Abandon, &gone);
        assert_eq!((after, next.generation, step(&next, &wants("B"))), (After::Again, 1, Step::Insert));
    }
    // Also where the answer is lost, the tombstone is ours and the id is given up.
    let lost = observe(mapping, &deleted("2"));
    assert_eq!(decide(&lost, &wants("B")), Decision { step: Step::Revive, drift: None });
    let (next, after) = answered(lost, &wants("B"), &refused);
    assert_eq!((after, next.generation, step(&next, &wants("B"))), (After::Again, 1, Step::Insert));
}

#[test]
fn an_event_that_google_will_not_let_go_either_fails_with_the_reason() {
    let (mapping, after) = conclude(synced("A"), &wants("B"), Step::Abandon, &refused(403, "forbidden"));
    assert_eq!(after, After::Failed("Google refused with 403 forbidden: Google's words.".into()));
    assert_eq!((mapping.sync_status, mapping.generation), (SyncStatus::Failed, 0));
}

#[test]
fn a_removal_that_google_refused_did_not_come_about_so_that_a_later_deletion_is_told() {
    let not_organizer = Refusal { status: 403, reason: "forbiddenForNonOrganizer".into(), message: String::new() };
    let (abandoned, _) = answered(synced("A"), &wants("B"), &OperationOutcome::NotOrganizer(not_organizer));
    let (refused, _) = conclude(abandoned, &wants("B"), Step::Abandon, &refused(403, "forbidden"));
    let decision = decide(&observe(refused, &deleted("2")), &wants("B"));
    assert_eq!(decision.drift, Some(Drift { deleted: true }));
}

#[test]
fn a_removal_that_may_have_come_about_is_looked_for_again_when_google_refused_to_show_the_event() {
    let cancelled = Desired::NoEvent(Absence::Cancelled);
    let removed = intend(synced("A"), &cancelled, decide(&synced("A"), &cancelled), now());
    let (unseen, _) = answered(removed, &wants("A"), &refused(403, "requiredAccessLevel"));
    assert_eq!(step(&unseen, &wants("A")), Step::Look);
}

#[test]
fn what_google_refuses_for_now_waits_with_its_reason_and_is_tried_again() {
    let refusal = Refusal { status: 403, reason: "forbidden".into(), message: String::new() };
    let for_now = OperationOutcome::RefusedForNow(refusal);
    let (mapping, after) = answered(synced("A"), &wants("B"), &for_now);
    assert_eq!(after, After::Later("refused with 403 forbidden".into()));
    assert_eq!(
        (mapping.sync_status, mapping.error.as_deref()),
        (SyncStatus::Pending, Some("refused with 403 forbidden"))
    );
    let gone = observe(synced("A"), &deleted("2"));
    let (next, _) = answered(gone, &wants("A"), &for_now);
    assert_eq!(
        step(&next, &wants("A")),
        Step::Insert,
        "an event that was deleted long ago is refused like this for ever"
    );
}

#[test]
fn where_nothing_may_be_written_a_lesson_is_synced_once_google_shows_what_it_says() {
    let said_before =
        |status| CalendarEventMapping { sync_status: status, error: Some("Before.".into()), ..synced("A") };
    for status in [SyncStatus::Failed, SyncStatus::Pending] {
        let known = said_before(status);
        let unknown = CalendarEventMapping { base: None, ..known.clone() };
        for (mapping, expected) in [(known, Step::Rest), (unknown, Step::Agree)] {
            let step = step(&mapping, &wants("A"));
            let now_said = owe(mapping, &wants("A"), step, now());
            assert_eq!((step, now_said.sync_status, now_said.error), (expected, SyncStatus::Synced, None));
        }
        let owed = owe(said_before(status), &wants("B"), Step::Replace, now());
        assert_eq!((owed.sync_status, owed.error), (SyncStatus::Pending, None));
    }
}

#[test]
fn a_revival_that_is_late_keeps_the_generation() {
    let gone = observe(synced("A"), &deleted("2"));
    let late = OperationOutcome::TryLater(crate::ports::CalendarError::QuotaExceeded);
    let (next, after) = answered(gone, &wants("A"), &late);
    assert!(matches!(after, After::Later(_)));
    assert_eq!(next.generation, 0);
}

#[test]
fn a_lesson_that_comes_back_before_its_removal_was_recorded_is_no_change_by_the_instructor() {
    let cancelled = Desired::NoEvent(Absence::Cancelled);
    let decision = decide(&synced("A"), &cancelled);
    let crashed = observe(intend(synced("A"), &cancelled, decision, now()), &deleted("2"));
    assert_eq!(decide(&crashed, &wants("A")), Decision { step: Step::Revive, drift: None });
}

#[test]
fn a_removal_of_a_changed_event_that_may_have_been_carried_out_is_looked_for_when_the_lesson_comes_back() {
    let cancelled = Desired::NoEvent(Absence::Cancelled);
    let moved = observe(synced("A"), &google_shows("theirs", "2"));
    let removed = intend(moved.clone(), &cancelled, decide(&moved, &cancelled), now());
    assert_eq!(decide(&removed, &wants("A")), Decision { step: Step::Look, drift: None });
    let looked =
        |event| conclude(removed.clone(), &wants("A"), Step::Look, &OperationOutcome::Event(Box::new(event))).0;
    assert_eq!(decide(&looked(deleted("3")), &wants("A")), Decision { step: Step::Revive, drift: None });
    let stands = decide(&looked(google_shows("theirs", "2")), &wants("A"));
    assert_eq!(stands, Decision { step: Step::Patch, drift: Some(Drift { deleted: false }) });
}

#[test]
fn our_own_removal_that_is_taken_back_by_a_write_that_takes_many_tries_is_no_change_by_the_instructor() {
    let cancelled = Desired::NoEvent(Absence::Cancelled);
    let removed = intend(synced("A"), &cancelled, decide(&synced("A"), &cancelled), now());
    // Its answer was lost; a listing shows that it was carried out.
    let mut mapping = observe(removed, &deleted("2"));
    for _ in 0..2 {
        let decision = decide(&mapping, &wants("A"));
        assert_eq!(decision, Decision { step: Step::Revive, drift: None });
        mapping = observe(intend(mapping, &wants("A"), decision, now()), &deleted("2"));
    }
}

#[test]
fn a_deletion_by_the_instructor_is_told_although_the_lesson_was_cancelled_for_a_while_when_nothing_was_written() {
    let cancelled = copy_times(synced("A"), &Desired::NoEvent(Absence::Cancelled), now());
    assert_eq!(cancelled.lesson_removed_at, Some(now()));
    let back = observe(copy_times(cancelled, &wants("A"), now()), &deleted("2"));
    assert_eq!(back.lesson_removed_at, None);
    assert_eq!(decide(&back, &wants("A")).drift, Some(Drift { deleted: true }));
}

#[test]
fn a_write_whose_answer_was_lost_is_looked_for_even_when_the_lesson_goes_back() {
    let decision = decide(&synced("A"), &wants("B"));
    let crashed = intend(synced("A"), &wants("B"), decision, now());
    assert_eq!(step(&crashed, &wants("A")), Step::Look);
    let look = |title: &str, etag: &str| OperationOutcome::Event(Box::new(google_shows(title, etag)));
    let (arrived, _) = conclude(crashed.clone(), &wants("A"), Step::Look, &look("B", "2"));
    assert_eq!(decide(&arrived, &wants("A")), Decision { step: Step::Patch, drift: None });
    let (did_not, _) = conclude(crashed, &wants("A"), Step::Look, &look("A", "1"));
    assert_eq!(step(&did_not, &wants("A")), Step::Rest);
}

#[test]
fn a_removal_whose_answer_was_lost_is_looked_for_when_the_lesson_comes_back() {
    let cancelled = Desired::NoEvent(Absence::Cancelled);
    let decision = decide(&synced("A"), &cancelled);
    let crashed = intend(synced("A"), &cancelled, decision, now());
    let decision = decide(&crashed, &wants("A"));
    assert_eq!(decision.step, Step::Look);
    let looking = intend(crashed, &wants("A"), decision, now());
    let gone = OperationOutcome::Event(Box::new(deleted("2")));
    let (seen, _) = conclude(looking.clone(), &wants("A"), Step::Look, &gone);
    assert_eq!(decide(&seen, &wants("A")), Decision { step: Step::Revive, drift: None });
    let still_there = OperationOutcome::Event(Box::new(google_shows("A", "1")));
    let (seen, _) = conclude(looking, &wants("A"), Step::Look, &still_there);
    assert_eq!(step(&seen, &wants("A")), Step::Rest);
}

#[test]
fn a_lesson_gone_while_its_first_write_was_under_way_is_looked_for() {
    let decision = decide(&never_synced(), &wants("A"));
    let crashed = intend(never_synced(), &wants("A"), decision, now());
    assert_eq!(step(&crashed, &Desired::NoEvent(Absence::Removed)), Step::Look);
}

#[test]
fn an_event_that_changed_since_its_etag_was_read_is_looked_at_first() {
    for desired in [wants("B"), Desired::NoEvent(Absence::Cancelled)] {
        assert_eq!(answered(synced("A"), &desired, &OperationOutcome::Changed).1, After::Look);
    }
}

#[test]
fn what_google_refuses_fails_with_its_reason_and_is_not_tried_again() {
    let refused = refused(400, "timeRangeEmpty");
    let (mapping, after) = answered(synced("A"), &wants("B"), &refused);
    assert_eq!(after, After::Failed("Google refused with 400 timeRangeEmpty: Google's words.".into()));
    assert_eq!(mapping.sync_status, SyncStatus::Failed);
}

#[test]
fn a_deletion_is_done_whether_or_not_the_event_was_there() {
    let cancelled = Desired::NoEvent(Absence::Cancelled);
    let (mapping, after) = answered(synced("A"), &cancelled, &OperationOutcome::Gone);
    assert_eq!((after, step(&mapping, &cancelled)), (After::Done, Step::Forget));
}

#[test]
fn an_event_that_we_deleted_is_fetched_before_it_comes_back_since_it_may_have_been_edited() {
    let cancelled = Desired::NoEvent(Absence::Cancelled);
    let (gone, _) = answered(synced("A"), &cancelled, &OperationOutcome::Deleted);
    assert_eq!(step(&gone, &wants("A")), Step::Insert);
    let (taken, after) = answered(gone, &wants("A"), &OperationOutcome::IdTaken);
    assert_eq!(after, After::Look);
    let tombstone = OperationOutcome::Event(Box::new(deleted("9")));
    let (seen, _) = conclude(taken, &wants("A"), Step::Look, &tombstone);
    assert_eq!(decide(&seen, &wants("A")), Decision { step: Step::Revive, drift: None });
    assert!(matches!(operation(&seen, &wants("A"), Step::Revive), Some(Operation::Patch { .. })));
}
