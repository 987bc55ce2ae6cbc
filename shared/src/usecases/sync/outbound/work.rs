//! One lesson in a run: the decision for it, and Google's answers.

use crate::{
    decide::{
        backoff, breaker,
        ending::Left,
        outbound::{
            Absence, Decision, Desired, LessonStep, StepResult, conclude, decide, intend as intended, operation,
        },
    },
    model::{CalendarEventMapping, Lesson, ListingProgress, Notice, NoticeKind, SyncDirection, SyncState, SyncStatus},
    ports::{CalendarError, LessonSyncColumns, OperationOutcome},
    usecases::sync::{round::Round, words},
};

#[derive(Debug)]
pub struct Work {
    /// As it will be stored.
    pub mapping: CalendarEventMapping,
    pub desired: Desired,
    /// The host's row; `None` when it is gone or unreadable.
    pub lesson: Option<Lesson>,
    /// Whether its times or its existence changed, so that its conflicts may have.
    pub moved: bool,
    /// Why nothing is written to Google for it.
    pub skip: Option<Skip>,
    /// As it was read; `None` for a new mapping.
    pub stored: Option<CalendarEventMapping>,
    pub decision: Decision,
    pub after: Option<StepResult>,
    /// Notices to be stored with the mapping.
    pub notices: Vec<Notice>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Skip {
    /// Outside of the window and without an event.
    Outside,
    /// It vanished together with too many others; its event is kept.
    HeldBack,
    /// Its event was deleted, and the listing under way may still show a later one.
    Unlisted,
}

impl Work {
    /// Whether its event is to be deleted since its lesson no longer exists.
    pub fn vanishes(&self) -> bool {
        self.desired == Desired::NoEvent(Absence::Removed) && self.decision.step == LessonStep::Delete
    }

    /// Leaves a lesson to a later round whose deleted event we never saw live: it may have a later one on a page that is
    /// still to come.
    pub fn wait_for_pages(&mut self, state: &SyncState) {
        let more = state.listing.as_ref().is_some_and(ListingProgress::has_unseen_pages);
        if more && self.skip.is_none() && self.decision.step == LessonStep::Revive && self.mapping.base.is_none() {
            self.skip = Some(Skip::Unlisted);
            self.decision = Decision { step: LessonStep::Noop, drift: None };
            // The id was taken: our write was not carried out.
            self.mapping.in_flight = None;
        }
    }

    pub fn is_open(&self) -> bool {
        matches!(self.after, None | Some(StepResult::Again | StepResult::Fetch | StepResult::Abandon(_)))
    }

    pub fn answered(&mut self, round: &mut Round<'_>, outcome: OperationOutcome) {
        let outcome = match outcome {
            OperationOutcome::RefusedForNow(refusal) if round.state.failures_met() >= backoff::MAX_LESSON_FAILURES => {
                OperationOutcome::Refused(refusal)
            }
            other => other,
        };
        let decision = self.decision;
        let step = decision.step;
        let (mapping, after) = conclude(self.mapping.clone(), &self.desired, step, &outcome);
        self.mapping = mapping;
        let counts = &mut round.report.counts;
        match &after {
            StepResult::Done => {
                counts.events_synced += 1;
                match step {
                    LessonStep::Insert => counts.events_created += 1,
                    LessonStep::Replace | LessonStep::Patch | LessonStep::Revive => counts.events_updated += 1,
                    LessonStep::Delete => {
                        counts.events_deleted += 1;
                        let now = round.sync.now();
                        if self.vanishes() && self.mapping.event_end > now {
                            round.state.removals = Some(breaker::counted(round.state.removals, now));
                        }
                    }
                    LessonStep::Noop
                    | LessonStep::AdoptAsBase
                    | LessonStep::Fetch
                    | LessonStep::Abandon
                    | LessonStep::GiveUp
                    | LessonStep::Forget => {}
                }
                if let Some(done) = words::done(decision, &self.desired) {
                    round.report.say_of(&self.mapping, done);
                }
            }
            StepResult::Fetch => self.decision.step = LessonStep::Fetch,
            StepResult::Abandon(why) => {
                round.report.say_of(&self.mapping, why);
                self.decision.step = LessonStep::Abandon;
            }
            StepResult::Again => {
                counts.events_deleted += u32::from(step == LessonStep::Abandon);
                self.after = self.decide_again(round).then_some(after);
                return;
            }
            StepResult::Later(_) if outcome == OperationOutcome::TryLater(CalendarError::Paced) => round.report.wait(),
            StepResult::Later(why) => {
                let exceeded = outcome == OperationOutcome::TryLater(CalendarError::QuotaExceeded);
                let ending = if exceeded { Left::QuotaExceeded } else { Left::Failed };
                round.report.leave(ending, format!("Google could not take a change in yet: {why}."));
            }
            StepResult::Failed(why) => {
                round.report.failed += 1;
                round.report.say_of(&self.mapping, why);
            }
        }
        self.after = Some(after);
    }

    /// By what Google has shown; false if that waits for a later round.
    fn decide_again(&mut self, round: &mut Round<'_>) -> bool {
        self.decision = decide(&self.mapping, &self.desired);
        self.wait_for_pages(round.state);
        if self.skip.is_some() {
            return false;
        }
        self.mapping = intended(self.mapping.clone(), &self.desired, self.decision, round.sync.now());
        self.tell_drift(round);
        true
    }

    /// Notifies the instructor that the event was changed in Google; of an event that we leave so, once.
    pub fn tell_drift(&mut self, round: &mut Round<'_>) {
        let Some(drift) = self.decision.drift else { return };
        let put_back = self.decision.step != LessonStep::GiveUp;
        if !put_back {
            if self.stored.as_ref().is_some_and(|stored| stored.sync_status == SyncStatus::Failed) {
                return;
            }
            round.report.failed += 1;
            round.report.say_of(&self.mapping, self.mapping.error.as_deref().unwrap_or_default());
        }
        let (lesson_id, deleted) = (self.mapping.lesson_id, drift.deleted);
        let kind = NoticeKind::EventChangedInGoogle { lesson_id, deleted, put_back };
        self.notices.push(round.sync.notice(self.mapping.key, kind));
    }

    /// Whether the run has nothing left to do for the lesson.
    pub fn is_settled(&self, direction: SyncDirection) -> bool {
        match &self.after {
            _ if self.skip == Some(Skip::Unlisted) => false,
            None | Some(StepResult::Again | StepResult::Fetch | StepResult::Abandon(_)) => {
                !direction.writes() || operation(&self.mapping, &self.desired, self.decision.step).is_none()
            }
            Some(StepResult::Done | StepResult::Failed(_)) => true,
            Some(StepResult::Later(_)) => false,
        }
    }

    /// The columns of the lesson's row, for a connection of direction `allowed`.
    pub fn flags(&self, allowed: SyncDirection) -> LessonSyncColumns {
        let wants_event = matches!(self.desired, Desired::Event(_));
        let in_google = self.mapping.remote.as_ref().is_some_and(|remote| !remote.deleted);
        LessonSyncColumns {
            google_calendar_event_id: in_google.then(|| self.mapping.google_event_id()),
            calendar_sync_status: (wants_event
                && (allowed.writes() && self.skip.is_none_or(|skip| skip == Skip::Unlisted) || in_google))
                .then_some(self.mapping.sync_status),
            has_conflict: wants_event && self.mapping.has_conflict,
        }
    }
}
