//! The sentences of a log row. They name lessons and events by ids and times, never by titles, since a log outlives
//! what was imported.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use crate::{
    decide::outbound::{Absence, Decision, Desired, LessonStep},
    model::{
        CalendarEventMapping, CalendarSyncLog, EventId, Free, SchedulingConflict, SkipReason, SkippedEvent, Window,
        text::shortened,
    },
};

/// Bytes of an event's id in a sentence: enough for Google's ids.
const MAX_ID_BYTES: usize = 1024;

/// Bytes of an event's id in a list of many: enough for the ids that Google makes of its own accord.
const MAX_LISTED_ID_BYTES: usize = 128;

/// Bytes of such a list, which ends in how many more there are.
const MAX_LIST_BYTES: usize = CalendarSyncLog::MAX_REASON_BYTES - " 18446744073709551615 more.".len();

fn moment(at: DateTime<Utc>, zone: Tz) -> impl std::fmt::Display {
    at.with_timezone(&zone).format("%Y-%m-%d %H:%M")
}

/// A lesson, by its id and its start in the calendar's zone.
pub fn lesson(mapping: &CalendarEventMapping, zone: Tz) -> String {
    format!("Lesson {} of {}", mapping.lesson_id, moment(mapping.event_start, zone))
}

/// What a step did and why; `None` for a step that changed nothing in Google.
pub fn done(decision: Decision, desired: &Desired) -> Option<&'static str> {
    let drift = decision.drift.map(|drift| drift.deleted);
    match (decision.step, drift) {
        (LessonStep::Insert, _) => Some("its event was made"),
        (LessonStep::Replace | LessonStep::Patch | LessonStep::Revive, Some(true)) => {
            Some("its event had been deleted in Google and was put back")
        }
        (LessonStep::Replace | LessonStep::Patch | LessonStep::Revive, Some(false)) => {
            Some("its event had been changed in Google and was put back")
        }
        (LessonStep::Replace | LessonStep::Patch, None) => Some("its event followed the lesson"),
        (LessonStep::Revive, None) => Some("its event came back with the lesson"),
        (LessonStep::Delete, _) => Some(match desired {
            Desired::NoEvent(Absence::Cancelled) => "its event was deleted, since the lesson is cancelled",
            Desired::NoEvent(Absence::Removed) => "its event was deleted, since the lesson no longer exists",
            Desired::NoEvent(Absence::Reassigned) => "its event was deleted, since another instructor gives the lesson",
            Desired::Event(_) => "its event was deleted",
        }),
        (
            LessonStep::Noop
            | LessonStep::AdoptAsBase
            | LessonStep::Fetch
            | LessonStep::Abandon
            | LessonStep::GiveUp
            | LessonStep::Forget,
            _,
        ) => None,
    }
}

/// Why nothing was done for a lesson outside of the window.
pub fn outside(window: Window, zone: Tz) -> String {
    format!("it has no event, since it lies outside of {} to {}", moment(window.from, zone), moment(window.to, zone))
}

pub fn skipped(skipped: &SkippedEvent) -> String {
    let why = match skipped.reason {
        SkipReason::Unreadable => "it cannot be read",
        SkipReason::TooLarge => "it is too large to store",
        SkipReason::TooMuchWork => "its rule of recurrence asks for too much work",
    };
    match &skipped.id {
        Some(id) => format!("Event {} was left out: {why}.", shortened(id.as_str(), MAX_ID_BYTES)),
        None => format!("An event without an id was left out: {why}."),
    }
}

pub fn misread(series: &EventId) -> String {
    format!("Not all of the recurrence of event {series} is understood; it was taken as far as it is.")
}

/// Names as many of the other events as one sentence has room for, and counts the rest.
pub fn others(events: &[Option<&EventId>], what: &str) -> String {
    let mut sentence = format!("Others {what}:");
    let mut unnamed = events.len();
    for id in events.iter().flatten() {
        let name = format!(" {},", shortened(id.as_str(), MAX_LISTED_ID_BYTES));
        if sentence.len() + name.len() <= MAX_LIST_BYTES {
            sentence.push_str(&name);
            unnamed -= 1;
        }
    }
    match unnamed {
        0 => format!("{}.", sentence.trim_end_matches(',')),
        unnamed => format!("{sentence} {unnamed} more."),
    }
}

pub fn overlaps(pair: &SchedulingConflict, zone: Tz) -> String {
    let (from, to) = (moment(pair.overlap_start, zone), moment(pair.overlap_end, zone));
    format!("it overlaps event {} from {from} to {to}", pair.google_event_id)
}

pub fn no_longer_overlaps(pair: &SchedulingConflict) -> String {
    format!("it no longer overlaps event {}, or that no longer blocks", pair.google_event_id)
}

/// The same where more events overlap a lesson than it has pairs.
pub fn no_longer_among_the_earliest(pair: &SchedulingConflict) -> String {
    format!(
        "event {} is no longer one of the {} earliest that overlap it",
        pair.google_event_id,
        SchedulingConflict::MAX_PER_LESSON
    )
}

/// An event at the time of a lesson that is no conflict.
pub fn does_not_block(event: &EventId, free: Free) -> String {
    let why = match free {
        Free::Cancelled => "is cancelled",
        Free::Transparent => "is marked as free",
        Free::Declined => "was declined",
        Free::WorkingLocation => "only says where the instructor works",
        Free::Birthday => "is a birthday",
    };
    format!("event {event} at its time does not block, since it {why}")
}
