//! What a run has done so far, and in which words its log row will say so.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use super::{SyncRequest, delta::Delta, words};
use crate::{
    decide::ending::Left,
    model::{
        CalendarEventMapping, CalendarSyncLog, EventId, LessonId, SkippedEvent, SyncCounts, SyncDirection, SyncLogId,
        SyncOutcome, text::shortened,
    },
};

/// Events of which something is said in a sentence each. One more sentence names the others.
const MAX_EVENT_SENTENCES: usize = 10;

/// The account of one run.
#[derive(Debug, Default)]
pub struct Report {
    /// What was done.
    pub counts: SyncCounts,
    /// HTTP calls to Google Calendar.
    pub google_calls: u32,
    /// Lessons that Google refused.
    pub failed: u32,
    /// What the round has left so far.
    pub left: Left,
    /// Whether stored data changed in a way that the counts don't show.
    pub changed: bool,
    /// Whether all lessons were compared with all mappings, as happens daily.
    pub reconciled: bool,
    /// Where the calendar is: the times of the log are those that a person sees there.
    pub zone: Tz,
    /// What was done for single lessons. A first sync has more of that than a row holds.
    details: Vec<String>,
    details_left_out: usize,
    /// What holds for the run as a whole. It is never left out.
    reasons: Vec<String>,
}

impl Report {
    /// Adds a sentence on the run as a whole, once.
    pub fn say(&mut self, reason: impl Into<String>) {
        let reason = shortened(&reason.into(), CalendarSyncLog::MAX_REASON_BYTES);
        if !self.reasons.contains(&reason) {
            self.reasons.push(reason);
        }
    }

    /// Says what was done for a lesson, or why not.
    pub fn say_of(&mut self, lesson: &CalendarEventMapping, what: impl AsRef<str>) {
        self.detail(&words::lesson(lesson, self.zone), what.as_ref());
    }

    /// Says why a lesson cannot be read, of which only the id is known.
    pub fn say_unreadable(&mut self, lesson: LessonId, why: &str) {
        self.failed += 1;
        self.detail(&format!("Lesson {lesson} cannot be read"), why);
    }

    fn detail(&mut self, lesson: &str, what: &str) {
        if self.details.len() < CalendarSyncLog::MAX_REASONS {
            let what = shortened(what.trim_end_matches('.'), CalendarSyncLog::MAX_REASON_BYTES);
            self.details.push(format!("{lesson}: {what}."));
        } else {
            self.details_left_out += 1;
        }
    }

    /// Says which events were left out.
    pub fn say_skipped(&mut self, skipped: &[SkippedEvent]) {
        self.say_each(skipped, |skipped| skipped.id.as_ref(), words::skipped, "were left out");
    }

    /// Says of which series not every line is understood.
    pub fn say_misread(&mut self, series: &[EventId]) {
        self.say_each(series, |id| Some(id), words::misread, "recur in a way that is not all understood");
    }

    fn say_each<T>(
        &mut self,
        events: &[T],
        id: impl Fn(&T) -> Option<&EventId>,
        sentence: impl Fn(&T) -> String,
        what: &str,
    ) {
        self.changed |= !events.is_empty();
        for event in events.iter().take(MAX_EVENT_SENTENCES) {
            self.say(sentence(event));
        }
        let others: Vec<_> = events.iter().skip(MAX_EVENT_SENTENCES).map(id).collect();
        if !others.is_empty() {
            self.say(words::others(&others, what));
        }
    }

    /// Notes that something is left for a later run, and why.
    pub fn leave(&mut self, left: Left, reason: impl Into<String>) {
        self.say(reason);
        self.left = self.left.max(left);
    }

    /// Notes that there was no room left in this minute's quota.
    pub fn wait(&mut self) {
        self.leave(Left::Throttled, "There is more to ask of Google than we may in a minute; the rest follows.");
    }

    /// Notes what was imported.
    pub fn imported(&mut self, changed: &Delta) {
        self.counts.events_synced += u32::try_from(changed.put.len()).unwrap_or(u32::MAX);
        self.changed |= !changed.gone.is_empty();
    }

    /// Whether there is anything to tell.
    pub fn is_worth_a_row(&self) -> bool {
        self.counts != SyncCounts::default() || self.failed > 0 || self.left >= Left::Failed || self.changed
    }

    /// The log row.
    pub fn into_log(
        self,
        id: SyncLogId,
        request: &SyncRequest,
        direction: SyncDirection,
        outcome: SyncOutcome,
        [started_at, ended_at]: [DateTime<Utc>; 2],
    ) -> CalendarSyncLog {
        let mut reasons = self.details;
        let room = CalendarSyncLog::MAX_REASONS.saturating_sub(self.reasons.len());
        let left_out = self.details_left_out + reasons.len().saturating_sub(room);
        reasons.truncate(room);
        if left_out > 0 {
            reasons.push(format!("… and {left_out} more."));
        }
        reasons.extend(self.reasons);
        CalendarSyncLog {
            id,
            key: request.key,
            trigger: request.trigger,
            asked_by: request.asked_by.clone(),
            direction,
            started_at,
            duration_ms: u64::try_from((ended_at - started_at).num_milliseconds()).unwrap_or(0),
            counts: self.counts,
            google_calls: self.google_calls,
            outcome,
            reasons,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use chrono::TimeDelta;
    use uuid::Uuid;

    use super::*;
    use crate::{
        model::{SkipReason, SyncTrigger},
        testing::key,
    };

    /// What a row says of events that were left out.
    fn reasons_of(ids: impl Iterator<Item = Option<String>>) -> Vec<String> {
        let skipped = |id: Option<String>| SkippedEvent { id: id.map(EventId), reason: SkipReason::Unreadable };
        let mut report = Report::default();
        report.say_skipped(&ids.map(skipped).collect::<Vec<_>>());
        assert!(report.is_worth_a_row());
        report.reasons
    }

    #[test]
    fn each_event_that_was_left_out_is_named_the_first_in_a_sentence_of_their_own() {
        let numbered = |count| reasons_of((0..count).map(|n| Some(format!("e{n}"))));
        assert_eq!(numbered(10).len(), 10);
        assert_eq!(
            numbered(13)[9..],
            ["Event e9 was left out: it cannot be read.", "Others were left out: e10, e11, e12."]
        );
        let unnamed = reasons_of((0..13).map(|n| (n != 11).then(|| format!("e{n}"))));
        assert_eq!(unnamed[10..], ["Others were left out: e10, e12, 1 more."]);
        let mut report = Report::default();
        report.say_misread(&(0..12).map(|n| EventId(format!("e{n}"))).collect::<Vec<_>>());
        assert_eq!(report.reasons[10..], ["Others recur in a way that is not all understood: e10, e11."]);
    }

    #[test]
    fn of_more_events_than_a_sentence_holds_those_that_do_not_fit_are_counted() {
        for (length, named) in [(26, 71), (128, 15), (2_000, 15)] {
            let reasons = reasons_of((0..1_010).map(|n| Some(format!("{n:x<length$}"))));
            let [others] = &reasons[10..] else { panic!("one sentence for all the others") };
            assert!(others.len() <= CalendarSyncLog::MAX_REASON_BYTES, "{}", others.len());
            assert_eq!(others.matches(',').count(), named, "ids of {length} bytes");
            assert!(others.ends_with(&format!(", {} more.", 1_000 - named)), "{others}");
        }
    }

    #[test]
    fn a_row_is_bounded_and_what_holds_for_the_whole_run_is_never_left_out() {
        let key = key(0, 0);
        let start: DateTime<Utc> = "2026-03-01T08:00:00Z".parse().unwrap();
        let lesson = CalendarEventMapping::new(key, LessonId(Uuid::nil()), start, start + TimeDelta::hours(1));
        let mut report = Report { zone: chrono_tz::Europe::Berlin, ..Report::default() };
        for _ in 0..30 {
            report.say_of(&lesson, "its event was made");
            report.say_unreadable(lesson.lesson_id, "`title` is missing.");
            report.leave(Left::Failed, "Time ran out.");
        }
        let request = SyncRequest {
            key,
            trigger: SyncTrigger::Manual,
            tasks: BTreeSet::new(),
            log_id: None,
            asked: None,
            asked_by: None,
            notified_at: None,
            due_at: None,
            changed_at: None,
            idle_hops: 0,
            deadline: start,
        };
        let (id, direction, outcome) = (SyncLogId(Uuid::nil()), SyncDirection::TwoWay, SyncOutcome::Partial);
        let reasons = report.into_log(id, &request, direction, outcome, [start, start]).reasons;
        assert_eq!(reasons.len(), CalendarSyncLog::MAX_REASONS + 1);
        assert_eq!(reasons[0], "Lesson 00000000-0000-0000-0000-000000000000 of 2026-03-01 09:00: its event was made.");
        assert_eq!(reasons[1], "Lesson 00000000-0000-0000-0000-000000000000 cannot be read: `title` is missing.");
        assert_eq!(reasons[49..], ["… and 11 more.", "Time ran out."]);
    }
}
