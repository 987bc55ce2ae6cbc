//! From lesson to event: compares the lesson, the event as Google last showed it and the base on which both last
//! agreed, and names the one step that brings Google closer to the lesson.

use chrono::{DateTime, Utc};

use crate::{
    model::{
        Base, CalendarEventMapping, Event, Fingerprint, InstructorId, Lesson, LessonContent, LessonStatus, Remote,
        SyncStatus, Window,
    },
    ports::{EventPatch, LessonLookup, Operation, OperationOutcome},
};

/// What a lesson requires in Google.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Desired {
    Event(LessonContent),
    NoEvent(Absence),
}

/// Why a lesson requires no event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Absence {
    Cancelled,
    /// The row is gone.
    Removed,
    Reassigned,
}

/// What a look at the host's row says of a lesson.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It wants something of Google.
    Wants(Desired),
    /// It is outside of the window and not in Google: no more is kept of it than when it is, for its conflicts.
    Outside(LessonContent),
    /// Nothing is done for it, and what was done stays.
    Leave,
    /// Its row cannot be read, or says what no lesson can be.
    Unreadable(String),
}

/// Judges a lesson. A lesson that leaves the window keeps its event; only one that is cancelled, removed or given to
/// another instructor loses it. A run that a person `narrowed` leaves lessons outside of the window alone.
pub fn judge(
    instructor: InstructorId,
    lookup: &LessonLookup,
    window: Window,
    narrowed: bool,
    mapping: Option<&CalendarEventMapping>,
) -> Verdict {
    let lesson = match lookup {
        LessonLookup::Unreadable(why) => return Verdict::Unreadable(why.clone()),
        LessonLookup::Gone => {
            let goes = mapping.is_some_and(|mapping| !narrowed || window.contains(mapping.event_start));
            return if goes { Verdict::Wants(Desired::NoEvent(Absence::Removed)) } else { Verdict::Leave };
        }
        LessonLookup::Found(lesson) => lesson,
    };
    let inside = window.contains(lesson.content.starts_at);
    if narrowed && !inside {
        return Verdict::Leave;
    }
    let absence = if lesson.instructor_id != instructor {
        Absence::Reassigned
    } else if lesson.status == LessonStatus::Cancelled {
        Absence::Cancelled
    } else {
        // An existing event follows its lesson out of the window.
        let follows = mapping.is_some_and(|mapping| mapping.remote.is_some());
        let too_long = lesson.content.ends_at - lesson.content.starts_at > Lesson::MAX_DURATION;
        return match mapping {
            _ if too_long && (inside || mapping.is_some()) => {
                Verdict::Unreadable("it lasts longer than a day".to_owned())
            }
            _ if inside || follows => Verdict::Wants(Desired::Event(lesson.content.clone())),
            Some(_) => Verdict::Outside(lesson.content.clone()),
            None => Verdict::Leave,
        };
    };
    if mapping.is_some() { Verdict::Wants(Desired::NoEvent(absence)) } else { Verdict::Leave }
}

/// The next step for one lesson.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Google shows what it should.
    Rest,
    /// Google shows what it should, and we had no record of it: an answer was lost, or the event was there before.
    Agree,
    /// What Google has is not known: look.
    Look,
    /// Make the event.
    Insert,
    /// Overwrite an event that only we have written.
    Replace,
    /// Change what we own in an event that others have touched.
    Patch,
    /// Bring a deleted event back.
    Revive,
    /// Delete the event.
    Delete,
    /// Delete the event, since another calendar organizes it now, and make another in its place.
    Abandon,
    /// The event was changed too often; leave it until the lesson changes or a person asks.
    GiveUp,
    /// There is no event and there should be none: the mapping has served.
    Forget,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drift {
    /// False when it was moved or edited.
    pub deleted: bool,
}

/// The next step, and whether the event had been changed in Google.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decision {
    pub step: Step,
    pub drift: Option<Drift>,
}

pub fn decide(mapping: &CalendarEventMapping, desired: &Desired) -> Decision {
    match desired {
        Desired::NoEvent(_) => Decision { step: without_event(mapping), drift: None },
        Desired::Event(content) => with_event(mapping, &Fingerprint::of_lesson(content)),
    }
}

fn without_event(mapping: &CalendarEventMapping) -> Step {
    match &mapping.remote {
        Some(remote) if remote.deleted => Step::Forget,
        Some(_) => Step::Delete,
        None if mapping.base.is_none() && mapping.in_flight.is_none() => Step::Forget,
        None => Step::Look,
    }
}

fn with_event(mapping: &CalendarEventMapping, desired: &Fingerprint) -> Decision {
    let plain = |step| Decision { step, drift: None };
    let Some(remote) = &mapping.remote else {
        return plain(if mapping.base.is_some() { Step::Look } else { Step::Insert });
    };
    let write = if remote.deleted {
        Step::Revive
    } else if mapping.edited_by_others {
        Step::Patch
    } else {
        Step::Replace
    };
    let Some(base) = &mapping.base else {
        let right = !remote.deleted && remote.fingerprint == *desired;
        return plain(if right { Step::Agree } else { write });
    };
    if remote.deleted {
        // A deletion of ours whose answer was lost is no change by the instructor.
        return if mapping.removal_sent { plain(write) } else { restore(mapping, remote, desired, base, write) };
    }
    // A deletion or write of ours whose answer was lost may have been carried out.
    if mapping.removal_sent {
        return plain(Step::Look);
    }
    if remote.fingerprint == base.google {
        let unanswered = mapping.in_flight.as_ref().is_some_and(|in_flight| *in_flight != base.lesson);
        if unanswered {
            return plain(Step::Look);
        }
        return plain(if *desired == base.lesson { Step::Rest } else { write });
    }
    if remote.fingerprint == *desired {
        return plain(Step::Agree);
    }
    // Google may show a write of ours under another name of its zone.
    if mapping.in_flight.as_ref().is_some_and(|in_flight| remote.fingerprint.is_but_for_zone(in_flight)) {
        return plain(write);
    }
    restore(mapping, remote, desired, base, write)
}

fn restore(
    mapping: &CalendarEventMapping,
    remote: &Remote,
    desired: &Fingerprint,
    base: &Base,
    write: Step,
) -> Decision {
    if mapping.replaces.as_ref() == Some(&remote.etag) {
        // A write of other content may have been carried out since.
        let unanswered = mapping.in_flight.as_ref().is_some_and(|in_flight| in_flight != desired);
        return Decision { step: if unanswered { Step::Look } else { write }, drift: None };
    }
    let unchanged = *desired == base.lesson && mapping.lesson_removed_at.is_none();
    let step = if unchanged && mapping.restores >= CalendarEventMapping::MAX_RESTORES { Step::GiveUp } else { write };
    Decision { step, drift: Some(Drift { deleted: remote.deleted }) }
}

/// The call for a step; `None` where it needs none.
pub fn operation(mapping: &CalendarEventMapping, desired: &Desired, step: Step) -> Option<Operation> {
    let id = mapping.google_event_id();
    let etag = mapping.remote.as_ref().map(|remote| remote.etag.clone());
    let event = || match desired {
        Desired::Event(content) => Some(EventPatch { lesson_id: mapping.lesson_id, content: content.clone() }),
        Desired::NoEvent(_) => None,
    };
    match step {
        Step::Rest | Step::Agree | Step::GiveUp | Step::Forget => None,
        Step::Look => Some(Operation::Get { id }),
        Step::Insert => Some(Operation::Insert { id, event: event()? }),
        Step::Replace => Some(Operation::Replace { id, etag, event: event()? }),
        // A deleted event is revived with what others added to it.
        Step::Patch | Step::Revive => Some(Operation::Patch { id, etag: etag?, event: event()? }),
        Step::Delete | Step::Abandon => Some(Operation::Delete { id, etag }),
    }
}

/// The mapping to store before `decision` is carried out. It names what the write will show, so that our own change is
/// recognised when a listing brings it, even after a crash.
pub fn intend(
    mut mapping: CalendarEventMapping,
    desired: &Desired,
    decision: Decision,
    now: DateTime<Utc>,
) -> CalendarEventMapping {
    match desired {
        Desired::Event(content) => {
            let fingerprint = Fingerprint::of_lesson(content);
            let changed = mapping.base.as_ref().is_some_and(|base| base.lesson != fingerprint);
            if changed {
                mapping.restores = 0;
            }
            // Until a fetch has told, a deletion of ours may still take effect.
            mapping.removal_sent &= decision.step == Step::Look;
            mapping = takes_place(mapping, content);
            match decision.step {
                Step::Insert | Step::Replace | Step::Patch | Step::Revive => {
                    mapping.in_flight = Some(fingerprint);
                    mapping.sync_status = SyncStatus::Pending;
                    mapping.error = None;
                    mapping.replaces = mapping.remote.as_ref().map(|remote| remote.etag.clone());
                    if decision.drift.is_some() {
                        mapping.restores = mapping.restores.saturating_add(1);
                    }
                }
                Step::Agree | Step::Rest => agree(&mut mapping, fingerprint),
                Step::GiveUp => {
                    mapping.sync_status = SyncStatus::Failed;
                    mapping.error = Some(GAVE_UP.to_owned());
                }
                Step::Look | Step::Delete | Step::Abandon | Step::Forget => {}
            }
        }
        Desired::NoEvent(_) => {
            mapping.lesson_removed_at.get_or_insert(now);
            mapping.removal_sent |= decision.step == Step::Delete;
            mapping.sync_status = SyncStatus::Pending;
        }
    }
    mapping
}

/// The mapping of a lesson that takes place, with its present times.
fn takes_place(mut mapping: CalendarEventMapping, content: &LessonContent) -> CalendarEventMapping {
    mapping.event_start = content.starts_at;
    mapping.event_end = content.ends_at;
    if mapping.lesson_removed_at.take().is_some() {
        mapping.restores = 0;
    }
    mapping
}

/// The mapping where nothing may be written to Google: it copies the lesson's times alone, for its conflicts.
pub fn copy_times(mut mapping: CalendarEventMapping, desired: &Desired, now: DateTime<Utc>) -> CalendarEventMapping {
    match desired {
        Desired::Event(content) => takes_place(mapping, content),
        Desired::NoEvent(_) => {
            mapping.lesson_removed_at.get_or_insert(now);
            mapping
        }
    }
}

/// The mapping of a connection that writes nothing: it notes that the write of `step` is owed.
pub fn owe(mapping: CalendarEventMapping, desired: &Desired, step: Step, now: DateTime<Utc>) -> CalendarEventMapping {
    let mut mapping = copy_times(mapping, desired, now);
    match step {
        Step::Look | Step::Insert | Step::Replace | Step::Patch | Step::Revive | Step::Delete | Step::Abandon => {
            mapping.sync_status = SyncStatus::Pending;
            mapping.error = None;
        }
        Step::Rest | Step::Agree => {
            if let Desired::Event(content) = desired {
                agree(&mut mapping, Fingerprint::of_lesson(content));
            }
        }
        Step::GiveUp | Step::Forget => {}
    }
    mapping
}

/// The mapping's error for an event that was put back too often.
pub const GAVE_UP: &str = "The event was changed in Google more than three times after we put it back. It is left as it is until the lesson changes or a person starts a sync.";

fn agree(mapping: &mut CalendarEventMapping, lesson: Fingerprint) {
    if let Some(remote) = &mapping.remote {
        mapping.base = Some(Base { lesson, google: remote.fingerprint.clone() });
    }
    mapping.in_flight = None;
    mapping.replaces = None;
    mapping.sync_status = SyncStatus::Synced;
    mapping.error = None;
}

/// The mapping after a listing or a fetch showed `event`.
pub fn observe(mut mapping: CalendarEventMapping, event: &Event) -> CalendarEventMapping {
    let fingerprint = fingerprint(&mapping, event);
    let before = mapping.remote.as_ref();
    let still_gone = event.is_cancelled()
        && before.is_some_and(|remote| remote.deleted && mapping.replaces.as_ref() == Some(&remote.etag));
    mapping.edited_by_others |= before.is_none_or(|remote| remote.etag != event.etag);
    if still_gone {
        // A deletion can be seen twice: by a full listing without the event, then by its tombstone. (A second deletion
        // before we know that the event came back is not reported again.)
        mapping.replaces = Some(event.etag.clone());
    }
    mapping.remote = Some(Remote { etag: event.etag.clone(), fingerprint, deleted: event.is_cancelled() });
    mapping
}

/// What `event` shows, in the fields that the write in flight covers. If that write has not arrived and the event is as
/// in the base, in the fields of the base, which may be others.
fn fingerprint(mapping: &CalendarEventMapping, event: &Event) -> Fingerprint {
    let base = mapping.base.as_ref().map(|base| &base.google);
    let as_base = base.map(|base| base.of_event_like(event));
    match &mapping.in_flight {
        Some(in_flight) => {
            let as_in_flight = in_flight.of_event_like(event);
            let stands = as_in_flight != *in_flight && as_base.as_ref() == base;
            as_base.filter(|_| stands).unwrap_or(as_in_flight)
        }
        None => as_base.unwrap_or_else(|| Fingerprint(".".to_owned()).of_event_like(event)),
    }
}

/// What a step led to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum After {
    /// It is done.
    Done,
    /// Decide once more with what is known now.
    Again,
    /// Look what Google has, then decide once more.
    Look,
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
    step: Step,
    outcome: &OperationOutcome,
) -> (CalendarEventMapping, After) {
    match (step, outcome) {
        (_, OperationOutcome::TryLater(error)) => {
            let text = error.to_string();
            mapping.error = Some(text.clone());
            (mapping, After::Later(text))
        }
        (Step::Look, OperationOutcome::Event(event)) => {
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
            (mapping, After::Again)
        }
        (Step::Look, OperationOutcome::Gone | OperationOutcome::Deleted) => {
            // Our insert met a taken id, and yet no event has it: this id can never be used again.
            if mapping.in_flight.is_some() && mapping.base.is_none() {
                next_generation(&mut mapping);
            }
            forget_event(&mut mapping);
            (mapping, After::Again)
        }
        (Step::Delete, OperationOutcome::Event(_) | OperationOutcome::Deleted | OperationOutcome::Gone) => {
            // If the lesson needs an event again, the tombstone is fetched first: it may have been revived and edited.
            forget_event(&mut mapping);
            (mapping, After::Done)
        }
        (_, OperationOutcome::Event(event)) => {
            if event.is_cancelled() {
                return (observe(mapping, event), After::Again);
            }
            if let Desired::Event(content) = desired {
                let lesson = Fingerprint::of_lesson(content);
                let fingerprint = lesson.of_event_like(event);
                mapping.remote = Some(Remote { etag: event.etag.clone(), fingerprint, deleted: false });
                agree(&mut mapping, lesson);
            }
            (mapping, After::Done)
        }
        (
            Step::Revive,
            OperationOutcome::Gone
            | OperationOutcome::Deleted
            | OperationOutcome::Refused(_)
            // So Google answers for what was deleted long ago.
            | OperationOutcome::RefusedForNow(_)
            | OperationOutcome::NotOrganizer(_),
        )
        | (Step::Abandon, OperationOutcome::Gone | OperationOutcome::Deleted) => {
            next_generation(&mut mapping);
            forget_event(&mut mapping);
            (mapping, After::Again)
        }
        (Step::Replace | Step::Patch, OperationOutcome::NotOrganizer(refusal)) => {
            // Stored before the deletion, so that its tombstone is not taken for a change by the instructor.
            mapping.removal_sent = true;
            (mapping, After::Abandon(format!("Google refused with {refusal}; another event takes its place")))
        }
        (_, OperationOutcome::IdTaken | OperationOutcome::Changed) => (mapping, After::Look),
        (_, OperationOutcome::Gone | OperationOutcome::Deleted) => {
            forget_event(&mut mapping);
            (mapping, After::Again)
        }
        (_, OperationOutcome::RefusedForNow(refusal)) => {
            let text = format!("refused with {refusal}");
            mapping.error = Some(text.clone());
            (mapping, After::Later(text))
        }
        (_, OperationOutcome::Refused(refusal) | OperationOutcome::NotOrganizer(refusal)) => {
            let text = format!("Google refused with {refusal}.");
            // A look that is refused shows nothing; a removal that is refused did not come about.
            mapping.removal_sent &= step == Step::Look;
            mapping.sync_status = SyncStatus::Failed;
            mapping.error = Some(text.clone());
            (mapping, After::Failed(text))
        }
    }
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

#[cfg(test)]
#[path = "outbound_tests.rs"]
mod tests;
