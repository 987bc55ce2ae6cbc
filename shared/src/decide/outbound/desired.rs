//! What a lesson requires in Google, by the host's row of it.

use crate::{
    model::{CalendarEventMapping, InstructorId, Lesson, LessonContent, LessonStatus, Window},
    ports::LessonLookup,
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
pub enum LessonDecision {
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
) -> LessonDecision {
    let lesson = match lookup {
        LessonLookup::Unreadable(why) => return LessonDecision::Unreadable(why.clone()),
        LessonLookup::Gone => {
            let goes = mapping.is_some_and(|mapping| !narrowed || window.contains(mapping.event_start));
            return if goes {
                LessonDecision::Wants(Desired::NoEvent(Absence::Removed))
            } else {
                LessonDecision::Leave
            };
        }
        LessonLookup::Found(lesson) => lesson,
    };
    let inside = window.contains(lesson.content.starts_at);
    if narrowed && !inside {
        return LessonDecision::Leave;
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
                LessonDecision::Unreadable("it lasts longer than a day".to_owned())
            }
            _ if inside || follows => LessonDecision::Wants(Desired::Event(lesson.content.clone())),
            Some(_) => LessonDecision::Outside(lesson.content.clone()),
            None => LessonDecision::Leave,
        };
    };
    if mapping.is_some() { LessonDecision::Wants(Desired::NoEvent(absence)) } else { LessonDecision::Leave }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use uuid::Uuid;

    use super::*;
    use crate::{
        decide::outbound::{
            observe,
            tests::{content, google_shows, never_synced, now, wants},
        },
        testing::{key, lesson},
    };

    /// What is decided for a lesson by its place in the window, for a mapping with or without an event.
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
        let refused = || LessonDecision::Unreadable("it lasts longer than a day".to_owned());
        let judged = |lookup: &LessonLookup, [from, to]: [i64; 2], narrowed, mapping: Option<&CalendarEventMapping>| {
            let window = Window { from: now() + TimeDelta::days(from), to: now() + TimeDelta::days(to) };
            judge(InstructorId(Uuid::from_u128(2)), lookup, window, narrowed, mapping)
        };
        let found = |lesson: Lesson| LessonLookup::Found(Box::new(lesson));
        let event = || LessonDecision::Wants(wants("Piano"));
        let none = |absence| LessonDecision::Wants(Desired::NoEvent(absence));
        for (lookup, window, narrowed, mapping, decided) in [
            (found(scheduled.clone()), inside, false, None, event()),
            (found(scheduled.clone()), inside, true, Some(&without_remote), event()),
            (found(scheduled.clone()), outside, false, None, LessonDecision::Leave),
            (
                found(scheduled.clone()),
                outside,
                false,
                Some(&without_remote),
                LessonDecision::Outside(content("Piano")),
            ),
            (found(scheduled.clone()), outside, false, Some(&remote), event()),
            (found(scheduled.clone()), outside, true, Some(&remote), LessonDecision::Leave),
            (long(scheduled.clone()), inside, false, None, refused()),
            (long(scheduled.clone()), outside, false, Some(&remote), refused()),
            (long(scheduled), outside, false, None, LessonDecision::Leave),
            (long(lesson(LessonStatus::Cancelled, 2)), inside, false, Some(&remote), none(Absence::Cancelled)),
            (found(lesson(LessonStatus::Cancelled, 2)), outside, false, Some(&remote), none(Absence::Cancelled)),
            (found(lesson(LessonStatus::Cancelled, 2)), inside, false, None, LessonDecision::Leave),
            (found(lesson(LessonStatus::Scheduled, 9)), inside, false, Some(&remote), none(Absence::Reassigned)),
            (LessonLookup::Gone, outside, false, Some(&without_remote), none(Absence::Removed)),
            (LessonLookup::Gone, inside, true, Some(&without_remote), none(Absence::Removed)),
            (LessonLookup::Gone, outside, true, Some(&without_remote), LessonDecision::Leave),
            (LessonLookup::Gone, inside, false, None, LessonDecision::Leave),
        ] {
            let case = format!("{lookup:?} {window:?} {narrowed} {mapping:?}");
            assert_eq!(judged(&lookup, window, narrowed, mapping), decided, "{case}");
        }
    }
}
