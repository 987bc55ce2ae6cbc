//! From lesson to event: compares the lesson, the event as Google last showed it and the base on which both last
//! agreed, and names the one step that brings Google closer to the lesson.

mod conclude;
mod desired;
#[cfg(test)]
mod tests;

use chrono::{DateTime, Utc};

pub use self::{
    conclude::{StepResult, conclude},
    desired::{Absence, Desired, LessonDecision, judge},
};
use crate::{
    model::{Base, CalendarEventMapping, Event, Fingerprint, LessonContent, Remote, SyncStatus},
    ports::{EventPatch, Operation},
};

/// The next step for one lesson.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LessonStep {
    /// Google shows what it should.
    Noop,
    /// Google shows what it should, and we had no record of it: an answer was lost, or the event was there before.
    AdoptAsBase,
    /// What Google has is not known: look.
    Fetch,
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
    pub step: LessonStep,
    pub drift: Option<Drift>,
}

pub fn decide(mapping: &CalendarEventMapping, desired: &Desired) -> Decision {
    match desired {
        Desired::NoEvent(_) => Decision { step: without_event(mapping), drift: None },
        Desired::Event(content) => with_event(mapping, &Fingerprint::of_lesson(content)),
    }
}

fn without_event(mapping: &CalendarEventMapping) -> LessonStep {
    match &mapping.remote {
        Some(remote) if remote.deleted => LessonStep::Forget,
        Some(_) => LessonStep::Delete,
        None if mapping.base.is_none() && mapping.in_flight.is_none() => LessonStep::Forget,
        None => LessonStep::Fetch,
    }
}

fn with_event(mapping: &CalendarEventMapping, desired: &Fingerprint) -> Decision {
    let plain = |step| Decision { step, drift: None };
    let Some(remote) = &mapping.remote else {
        return plain(if mapping.base.is_some() { LessonStep::Fetch } else { LessonStep::Insert });
    };
    let write = if remote.deleted {
        LessonStep::Revive
    } else if mapping.edited_by_others {
        LessonStep::Patch
    } else {
        LessonStep::Replace
    };
    // A deletion or write of ours whose answer was lost may have been carried out.
    if mapping.removal_sent && !remote.deleted {
        return plain(LessonStep::Fetch);
    }
    let Some(base) = &mapping.base else {
        let right = !remote.deleted && remote.fingerprint == *desired;
        return plain(if right { LessonStep::AdoptAsBase } else { write });
    };
    if remote.deleted {
        // A deletion of ours whose answer was lost is no change by the instructor.
        return if mapping.removal_sent { plain(write) } else { restore(mapping, remote, desired, base, write) };
    }
    if remote.fingerprint == base.google {
        let unanswered = mapping.in_flight.as_ref().is_some_and(|in_flight| *in_flight != base.lesson);
        if unanswered {
            return plain(LessonStep::Fetch);
        }
        return plain(if *desired == base.lesson { LessonStep::Noop } else { write });
    }
    if remote.fingerprint == *desired {
        return plain(LessonStep::AdoptAsBase);
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
    write: LessonStep,
) -> Decision {
    if mapping.replaces.as_ref() == Some(&remote.etag) {
        // A write of other content may have been carried out since.
        let unanswered = mapping.in_flight.as_ref().is_some_and(|in_flight| in_flight != desired);
        return Decision { step: if unanswered { LessonStep::Fetch } else { write }, drift: None };
    }
    let unchanged = *desired == base.lesson && mapping.lesson_removed_at.is_none();
    let step =
        if unchanged && mapping.restores >= CalendarEventMapping::MAX_RESTORES { LessonStep::GiveUp } else { write };
    Decision { step, drift: Some(Drift { deleted: remote.deleted }) }
}

/// The call for a step; `None` where it needs none.
pub fn operation(mapping: &CalendarEventMapping, desired: &Desired, step: LessonStep) -> Option<Operation> {
    let id = mapping.google_event_id();
    let etag = mapping.remote.as_ref().map(|remote| remote.etag.clone());
    let event = || match desired {
        Desired::Event(content) => Some(EventPatch { lesson_id: mapping.lesson_id, content: content.clone() }),
        Desired::NoEvent(_) => None,
    };
    match step {
        LessonStep::Noop | LessonStep::AdoptAsBase | LessonStep::GiveUp | LessonStep::Forget => None,
        LessonStep::Fetch => Some(Operation::Get { id }),
        LessonStep::Insert => Some(Operation::Insert { id, event: event()? }),
        LessonStep::Replace => Some(Operation::Replace { id, etag, event: event()? }),
        // A deleted event is revived with what others added to it.
        LessonStep::Patch | LessonStep::Revive => {
            let event = without_what_was_ours(mapping.base.as_ref(), event()?);
            Some(Operation::Patch { id, etag: etag?, event })
        }
        LessonStep::Delete | LessonStep::Abandon => Some(Operation::Delete { id, etag }),
    }
}

/// A patch leaves what it does not name: so a text that the lesson had at `base`, and has no longer, is emptied. One that it
/// never had is not ours.
fn without_what_was_ours(base: Option<&Base>, mut event: EventPatch) -> EventPatch {
    let had = |covers: fn(&Fingerprint) -> bool| base.is_some_and(|base| covers(&base.lesson)).then(String::new);
    let LessonContent { description, location, .. } = &mut event.content;
    *description = description.take().or_else(|| had(Fingerprint::covers_description));
    *location = location.take().or_else(|| had(Fingerprint::covers_location));
    event
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
            mapping.removal_sent &= decision.step == LessonStep::Fetch;
            mapping = takes_place(mapping, content);
            match decision.step {
                LessonStep::Insert | LessonStep::Replace | LessonStep::Patch | LessonStep::Revive => {
                    mapping.in_flight = Some(fingerprint);
                    mapping.sync_status = SyncStatus::Pending;
                    mapping.error = None;
                    mapping.replaces = mapping.remote.as_ref().map(|remote| remote.etag.clone());
                    if decision.drift.is_some() {
                        mapping.restores = mapping.restores.saturating_add(1);
                    }
                }
                LessonStep::AdoptAsBase | LessonStep::Noop => agree(&mut mapping, fingerprint),
                LessonStep::GiveUp => {
                    mapping.sync_status = SyncStatus::Failed;
                    mapping.error = Some(GAVE_UP.to_owned());
                }
                LessonStep::Fetch | LessonStep::Delete | LessonStep::Abandon | LessonStep::Forget => {}
            }
        }
        Desired::NoEvent(_) => {
            mapping.lesson_removed_at.get_or_insert(now);
            mapping.removal_sent |= decision.step == LessonStep::Delete;
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
pub fn owe(
    mapping: CalendarEventMapping,
    desired: &Desired,
    step: LessonStep,
    now: DateTime<Utc>,
) -> CalendarEventMapping {
    let mut mapping = copy_times(mapping, desired, now);
    match step {
        LessonStep::Fetch
        | LessonStep::Insert
        | LessonStep::Replace
        | LessonStep::Patch
        | LessonStep::Revive
        | LessonStep::Delete
        | LessonStep::Abandon => {
            mapping.sync_status = SyncStatus::Pending;
            mapping.error = None;
        }
        LessonStep::Noop | LessonStep::AdoptAsBase => {
            if let Desired::Event(content) = desired {
                agree(&mut mapping, Fingerprint::of_lesson(content));
            }
        }
        LessonStep::GiveUp | LessonStep::Forget => {}
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
