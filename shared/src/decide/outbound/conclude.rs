//! What Google's answer to a step means for the mapping, and what follows.

use super::{Desired, LessonStep, agree, observe};
use crate::{
    model::{CalendarEventMapping, Event, Fingerprint, Remote, SyncStatus},
    ports::{OperationOutcome, Refusal},
};

/// What a step led to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepResult {
    /// It is done.
    Done,
    /// Decide once more with what is known now.
    Again,
    /// Look what Google has, then decide once more.
    Fetch,
    /// Google will not change the event again: abandon it.
    Abandon(String),
    /// It did not get through; a later run tries again.
    Later(String),
    /// Google refuses; nothing more is tried until the lesson changes or a person asks.
    Failed(String),
}

/// The mapping after `step` ended in `outcome`.
pub fn conclude(
    mut mapping: CalendarEventMapping,
    desired: &Desired,
    step: LessonStep,
    outcome: &OperationOutcome,
) -> (CalendarEventMapping, StepResult) {
    match (step, outcome) {
        (_, OperationOutcome::TryLater(error)) => later(mapping, error.to_string()),
        (LessonStep::Fetch, OperationOutcome::Event(event)) => (looked_at(mapping, desired, event), StepResult::Again),
        (LessonStep::Fetch, OperationOutcome::Gone | OperationOutcome::Deleted) => {
            // Our insert met a taken id, and yet no event has it: this id can never be used again.
            if mapping.in_flight.is_some() && mapping.base.is_none() {
                next_generation(&mut mapping);
            }
            forget_event(&mut mapping);
            (mapping, StepResult::Again)
        }
        (LessonStep::Delete, OperationOutcome::Event(_) | OperationOutcome::Deleted | OperationOutcome::Gone) => {
            // If the lesson needs an event again, the tombstone is fetched first: it may have been revived and edited.
            forget_event(&mut mapping);
            (mapping, StepResult::Done)
        }
        (_, OperationOutcome::Event(event)) => written(mapping, desired, event),
        (
            LessonStep::Revive,
            OperationOutcome::Gone
            | OperationOutcome::Deleted
            | OperationOutcome::Refused(_)
            // So Google answers for what was deleted long ago.
            | OperationOutcome::RefusedForNow(_)
            | OperationOutcome::NotOrganizer(_),
        )
        | (LessonStep::Abandon, OperationOutcome::Gone | OperationOutcome::Deleted) => {
            next_generation(&mut mapping);
            forget_event(&mut mapping);
            (mapping, StepResult::Again)
        }
        (LessonStep::Replace | LessonStep::Patch, OperationOutcome::NotOrganizer(refusal)) => {
            // Stored before the deletion, so that its tombstone is not taken for a change by the instructor.
            mapping.removal_sent = true;
            (mapping, StepResult::Abandon(format!("Google refused with {refusal}; another event takes its place")))
        }
        (_, OperationOutcome::IdTaken | OperationOutcome::Changed) => (mapping, StepResult::Fetch),
        (_, OperationOutcome::Gone | OperationOutcome::Deleted) => {
            forget_event(&mut mapping);
            (mapping, StepResult::Again)
        }
        (_, OperationOutcome::RefusedForNow(refusal)) => later(mapping, format!("refused with {refusal}")),
        (_, OperationOutcome::Refused(refusal) | OperationOutcome::NotOrganizer(refusal)) => {
            failed(mapping, step, refusal)
        }
    }
}

/// What a look showed; the next decision goes by it.
fn looked_at(mapping: CalendarEventMapping, desired: &Desired, event: &Event) -> CalendarEventMapping {
    let replaced = still_replaced(&mapping, event);
    let mut mapping = observe(mapping, event);
    mapping.replaces = replaced.then(|| event.etag.clone()).or(mapping.replaces);
    let base = mapping.base.as_ref().zip(mapping.remote.as_ref());
    let as_base = base.is_some_and(|(base, remote)| !remote.deleted && remote.fingerprint == base.google);
    if as_base || mapping.replaces.as_ref() == Some(&event.etag) {
        // The write in flight did not arrive.
        mapping.in_flight = None;
    }
    if !event.is_cancelled() && matches!(desired, Desired::Event(_)) {
        mapping.removal_sent = false;
    }
    mapping
}

/// Google answered a write with the event as it stands.
fn written(mut mapping: CalendarEventMapping, desired: &Desired, event: &Event) -> (CalendarEventMapping, StepResult) {
    if event.is_cancelled() {
        return (observe(mapping, event), StepResult::Again);
    }
    if let Desired::Event(content) = desired {
        let lesson = Fingerprint::of_lesson(content);
        let fingerprint = lesson.of_event_like(event);
        mapping.remote = Some(Remote { etag: event.etag.clone(), fingerprint, deleted: false });
        agree(&mut mapping, lesson);
    }
    (mapping, StepResult::Done)
}

fn later(mut mapping: CalendarEventMapping, why: String) -> (CalendarEventMapping, StepResult) {
    mapping.error = Some(why.clone());
    (mapping, StepResult::Later(why))
}

fn failed(
    mut mapping: CalendarEventMapping,
    step: LessonStep,
    refusal: &Refusal,
) -> (CalendarEventMapping, StepResult) {
    let why = format!("Google refused with {refusal}.");
    // A look that is refused shows nothing; a removal that is refused did not come about.
    mapping.removal_sent &= step == LessonStep::Fetch;
    mapping.sync_status = SyncStatus::Failed;
    mapping.error = Some(why.clone());
    (mapping, StepResult::Failed(why))
}

/// After a 412: whether the new version differs from the one to be replaced only in fields that are not ours.
fn still_replaced(mapping: &CalendarEventMapping, event: &Event) -> bool {
    let is_as = |remote: &Remote| {
        remote.deleted == event.is_cancelled()
            && (remote.deleted || remote.fingerprint.of_event_like(event) == remote.fingerprint)
    };
    mapping.remote.as_ref().is_some_and(|remote| mapping.replaces.as_ref() == Some(&remote.etag) && is_as(remote))
}

fn next_generation(mapping: &mut CalendarEventMapping) {
    mapping.generation = mapping.generation.saturating_add(1);
    mapping.edited_by_others = false;
}

fn forget_event(mapping: &mut CalendarEventMapping) {
    mapping.remote = None;
    mapping.base = None;
    mapping.in_flight = None;
}
