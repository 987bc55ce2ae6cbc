//! What answers lead to: refusals, lost answers, and events that are gone.

use super::*;

#[test]
fn a_deleted_id_that_google_refuses_to_give_back_moves_the_generation_on() {
    let gone = observe(synced("A"), &deleted("2"));
    let refused = refused(403, "forbidden");
    let (next, after) = answered(gone, &wants("A"), &refused);
    assert_eq!((after, next.generation, step(&next, &wants("A"))), (StepResult::Again, 1, LessonStep::Insert));
}

#[test]
fn an_event_that_another_calendar_organizes_is_deleted_and_another_takes_its_place() {
    let refusal = Refusal { status: 403, reason: "forbiddenForNonOrganizer".into(), message: String::new() };
    let refused = OperationOutcome::NotOrganizer(refusal);
    let (mapping, after) = answered(synced("A"), &wants("B"), &refused);
    assert!(matches!(&after, StepResult::Abandon(why) if why.contains("403 forbiddenForNonOrganizer")), "{after:?}");
    assert!(matches!(operation(&mapping, &wants("B"), LessonStep::Abandon), Some(Operation::Delete { .. })));
    for gone in [OperationOutcome::Deleted, OperationOutcome::Gone] {
        let (next, after) = conclude(mapping.clone(), &wants("B"), LessonStep::Abandon, &gone);
        assert_eq!((after, next.generation, step(&next, &wants("B"))), (StepResult::Again, 1, LessonStep::Insert));
    }
    // Also where the answer is lost, the tombstone is ours and the id is given up.
    let lost = observe(mapping, &deleted("2"));
    assert_eq!(decide(&lost, &wants("B")), Decision { step: LessonStep::Revive, drift: None });
    let (next, after) = answered(lost, &wants("B"), &refused);
    assert_eq!((after, next.generation, step(&next, &wants("B"))), (StepResult::Again, 1, LessonStep::Insert));
}

#[test]
fn an_event_that_google_will_not_let_go_either_fails_with_the_reason() {
    let (mapping, after) = conclude(synced("A"), &wants("B"), LessonStep::Abandon, &refused(403, "forbidden"));
    assert_eq!(after, StepResult::Failed("Google refused with 403 forbidden: Google's words.".into()));
    assert_eq!((mapping.sync_status, mapping.generation), (SyncStatus::Failed, 0));
}

#[test]
fn a_removal_that_google_refused_did_not_come_about_so_that_a_later_deletion_is_told() {
    let not_organizer = Refusal { status: 403, reason: "forbiddenForNonOrganizer".into(), message: String::new() };
    let (abandoned, _) = answered(synced("A"), &wants("B"), &OperationOutcome::NotOrganizer(not_organizer));
    let (refused, _) = conclude(abandoned, &wants("B"), LessonStep::Abandon, &refused(403, "forbidden"));
    let decision = decide(&observe(refused, &deleted("2")), &wants("B"));
    assert_eq!(decision.drift, Some(Drift { deleted: true }));
}

#[test]
fn a_removal_that_may_have_come_about_is_looked_for_again_when_google_refused_to_show_the_event() {
    let cancelled = Desired::NoEvent(Absence::Cancelled);
    let removed = intend(synced("A"), &cancelled, decide(&synced("A"), &cancelled), now());
    let (unseen, _) = answered(removed, &wants("A"), &refused(403, "requiredAccessLevel"));
    assert_eq!(step(&unseen, &wants("A")), LessonStep::Fetch);
}

#[test]
fn what_google_refuses_for_now_waits_with_its_reason_and_is_tried_again() {
    let refusal = Refusal { status: 403, reason: "forbidden".into(), message: String::new() };
    let for_now = OperationOutcome::RefusedForNow(refusal);
    let (mapping, after) = answered(synced("A"), &wants("B"), &for_now);
    assert_eq!(after, StepResult::Later("refused with 403 forbidden".into()));
    assert_eq!(
        (mapping.sync_status, mapping.error.as_deref()),
        (SyncStatus::Pending, Some("refused with 403 forbidden"))
    );
    let gone = observe(synced("A"), &deleted("2"));
    let (next, _) = answered(gone, &wants("A"), &for_now);
    assert_eq!(
        step(&next, &wants("A")),
        LessonStep::Insert,
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
        for (mapping, expected) in [(known, LessonStep::Noop), (unknown, LessonStep::AdoptAsBase)] {
            let step = step(&mapping, &wants("A"));
            let now_said = owe(mapping, &wants("A"), step, now());
            assert_eq!((step, now_said.sync_status, now_said.error), (expected, SyncStatus::Synced, None));
        }
        let owed = owe(said_before(status), &wants("B"), LessonStep::Replace, now());
        assert_eq!((owed.sync_status, owed.error), (SyncStatus::Pending, None));
    }
}

#[test]
fn a_revival_that_is_late_keeps_the_generation() {
    let gone = observe(synced("A"), &deleted("2"));
    let late = OperationOutcome::TryLater(crate::ports::CalendarError::QuotaExceeded);
    let (next, after) = answered(gone, &wants("A"), &late);
    assert!(matches!(after, StepResult::Later(_)));
    assert_eq!(next.generation, 0);
}

#[test]
fn a_lesson_that_comes_back_before_its_removal_was_recorded_is_no_change_by_the_instructor() {
    let cancelled = Desired::NoEvent(Absence::Cancelled);
    let decision = decide(&synced("A"), &cancelled);
    let crashed = observe(intend(synced("A"), &cancelled, decision, now()), &deleted("2"));
    assert_eq!(decide(&crashed, &wants("A")), Decision { step: LessonStep::Revive, drift: None });
}

#[test]
fn a_removal_of_a_changed_event_that_may_have_been_carried_out_is_looked_for_when_the_lesson_comes_back() {
    let cancelled = Desired::NoEvent(Absence::Cancelled);
    let moved = observe(synced("A"), &google_shows("edited", "2"));
    let removed = intend(moved.clone(), &cancelled, decide(&moved, &cancelled), now());
    assert_eq!(decide(&removed, &wants("A")), Decision { step: LessonStep::Fetch, drift: None });
    let looked =
        |event| conclude(removed.clone(), &wants("A"), LessonStep::Fetch, &OperationOutcome::Event(Box::new(event))).0;
    assert_eq!(decide(&looked(deleted("3")), &wants("A")), Decision { step: LessonStep::Revive, drift: None });
    let stands = decide(&looked(google_shows("edited", "2")), &wants("A"));
    assert_eq!(stands, Decision { step: LessonStep::Patch, drift: Some(Drift { deleted: false }) });
}

#[test]
fn our_own_removal_that_is_taken_back_by_a_write_that_takes_many_tries_is_no_change_by_the_instructor() {
    let cancelled = Desired::NoEvent(Absence::Cancelled);
    let removed = intend(synced("A"), &cancelled, decide(&synced("A"), &cancelled), now());
    // Its answer was lost; a listing shows that it was carried out.
    let mut mapping = observe(removed, &deleted("2"));
    for _ in 0..2 {
        let decision = decide(&mapping, &wants("A"));
        assert_eq!(decision, Decision { step: LessonStep::Revive, drift: None });
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
    assert_eq!(step(&crashed, &wants("A")), LessonStep::Fetch);
    let look = |title: &str, etag: &str| OperationOutcome::Event(Box::new(google_shows(title, etag)));
    let (arrived, _) = conclude(crashed.clone(), &wants("A"), LessonStep::Fetch, &look("B", "2"));
    assert_eq!(decide(&arrived, &wants("A")), Decision { step: LessonStep::Patch, drift: None });
    let (did_not, _) = conclude(crashed, &wants("A"), LessonStep::Fetch, &look("A", "1"));
    assert_eq!(step(&did_not, &wants("A")), LessonStep::Noop);
}

#[test]
fn a_removal_whose_answer_was_lost_is_looked_for_when_the_lesson_comes_back() {
    let cancelled = Desired::NoEvent(Absence::Cancelled);
    let decision = decide(&synced("A"), &cancelled);
    let crashed = intend(synced("A"), &cancelled, decision, now());
    let decision = decide(&crashed, &wants("A"));
    assert_eq!(decision.step, LessonStep::Fetch);
    let looking = intend(crashed, &wants("A"), decision, now());
    let gone = OperationOutcome::Event(Box::new(deleted("2")));
    let (seen, _) = conclude(looking.clone(), &wants("A"), LessonStep::Fetch, &gone);
    assert_eq!(decide(&seen, &wants("A")), Decision { step: LessonStep::Revive, drift: None });
    let still_there = OperationOutcome::Event(Box::new(google_shows("A", "1")));
    let (seen, _) = conclude(looking, &wants("A"), LessonStep::Fetch, &still_there);
    assert_eq!(step(&seen, &wants("A")), LessonStep::Noop);
}

#[test]
fn a_removal_is_looked_for_also_where_the_answer_to_the_first_write_was_lost_too() {
    let first = intend(never_synced(), &wants("A"), decide(&never_synced(), &wants("A")), now());
    let made = observe(first, &google_shows("A", "1"));
    let cancelled = Desired::NoEvent(Absence::Cancelled);
    let removed = intend(made.clone(), &cancelled, decide(&made, &cancelled), now());
    assert_eq!((removed.base.as_ref(), step(&made, &wants("A"))), (None, LessonStep::AdoptAsBase));
    assert_eq!(step(&removed, &wants("A")), LessonStep::Fetch);
    let gone = observe(removed, &deleted("2"));
    assert_eq!(decide(&gone, &wants("A")), Decision { step: LessonStep::Revive, drift: None });
}

#[test]
fn a_lesson_gone_while_its_first_write_was_under_way_is_looked_for() {
    let decision = decide(&never_synced(), &wants("A"));
    let crashed = intend(never_synced(), &wants("A"), decision, now());
    assert_eq!(step(&crashed, &Desired::NoEvent(Absence::Removed)), LessonStep::Fetch);
}

#[test]
fn an_event_that_changed_since_its_etag_was_read_is_looked_at_first() {
    for desired in [wants("B"), Desired::NoEvent(Absence::Cancelled)] {
        assert_eq!(answered(synced("A"), &desired, &OperationOutcome::Changed).1, StepResult::Fetch);
    }
}

#[test]
fn what_google_refuses_fails_with_its_reason_and_is_not_tried_again() {
    let refused = refused(400, "timeRangeEmpty");
    let (mapping, after) = answered(synced("A"), &wants("B"), &refused);
    assert_eq!(after, StepResult::Failed("Google refused with 400 timeRangeEmpty: Google's words.".into()));
    assert_eq!(mapping.sync_status, SyncStatus::Failed);
}

#[test]
fn a_deletion_is_done_whether_or_not_the_event_was_there() {
    let cancelled = Desired::NoEvent(Absence::Cancelled);
    let (mapping, after) = answered(synced("A"), &cancelled, &OperationOutcome::Gone);
    assert_eq!((after, step(&mapping, &cancelled)), (StepResult::Done, LessonStep::Forget));
}

#[test]
fn an_event_that_we_deleted_is_fetched_before_it_comes_back_since_it_may_have_been_edited() {
    let cancelled = Desired::NoEvent(Absence::Cancelled);
    let (gone, _) = answered(synced("A"), &cancelled, &OperationOutcome::Deleted);
    assert_eq!(step(&gone, &wants("A")), LessonStep::Insert);
    let (taken, after) = answered(gone, &wants("A"), &OperationOutcome::IdTaken);
    assert_eq!(after, StepResult::Fetch);
    let tombstone = OperationOutcome::Event(Box::new(deleted("9")));
    let (seen, _) = conclude(taken, &wants("A"), LessonStep::Fetch, &tombstone);
    assert_eq!(decide(&seen, &wants("A")), Decision { step: LessonStep::Revive, drift: None });
    assert!(matches!(operation(&seen, &wants("A"), LessonStep::Revive), Some(Operation::Patch { .. })));
}
