//! To Google: which lessons are looked at and what each should show ([`gather`](gather())), and the writes that follow,
//! in batches.

mod gather;
mod mass_removal;
mod work;

use chrono::TimeDelta;

pub use self::{gather::gather, work::Work};
use crate::{
    decide::{
        ending::Left,
        outbound::{
            Absence, Decision, Desired, LessonStep, StepResult, copy_times, intend as intended, operation, owe,
        },
    },
    model::EventId,
    ports::{MarkUpdate, Operation},
    services::{concurrently::concurrently, google_session::GoogleSession},
    usecases::sync::{Failure, round::Round},
};

/// How often one lesson is decided in a run: insert, fetch, revive, and the next generation.
const MAX_PASSES: usize = 5;
/// Operations of one batch.
const OPERATIONS_PER_BATCH: usize = 50;
/// The longest time of a batch when Google is well; with less time left, none is begun.
const MAX_BATCH_TIME: TimeDelta = TimeDelta::seconds(5);

/// Stores what is about to be written beside the base, and copies the lessons' times.
pub async fn intend(round: &mut Round<'_>, work: &mut [Work]) -> Result<(), Failure> {
    let (sync, job, now) = (round.sync, round.job, round.sync.now());
    for work in work.iter_mut() {
        let writes = job.direction.writes() && work.skip.is_none();
        // A mapping without an event that needs none is removed by any run that reads it.
        let forgets = work.skip.is_none() && work.decision.step == LessonStep::Forget;
        let step = work.decision.step;
        if !writes && !forgets {
            work.decision = Decision { step: LessonStep::Noop, drift: None };
        }
        let before = work.stored.as_ref();
        work.mapping = if writes {
            intended(work.mapping.clone(), &work.desired, work.decision, now)
        } else if work.skip.is_none() && !job.allowed().writes() {
            owe(work.mapping.clone(), &work.desired, step, now)
        } else {
            copy_times(work.mapping.clone(), &work.desired, now)
        };
        work.moved = before.is_none_or(|before| {
            (before.event_start, before.event_end, before.lesson_removed_at)
                != (work.mapping.event_start, work.mapping.event_end, work.mapping.lesson_removed_at)
        }) || work.mapping.mark.is_set;
        work.tell_drift(round);
    }
    let saves = work.iter_mut().filter(|work| work.stored.as_ref() != Some(&work.mapping)).map(|work| {
        let notices = std::mem::take(&mut work.notices);
        async move {
            // A dirty mark on each row with a write in flight, so that another run finds it if this one dies.
            let mark = if !work.mapping.mark.is_set && work.decision.step != LessonStep::Noop {
                MarkUpdate::Raise
            } else {
                MarkUpdate::Keep
            };
            sync.google.store.save_mapping(&work.mapping, mark, &notices).await?;
            if mark == MarkUpdate::Raise {
                work.mapping.mark.raise();
            }
            Ok::<_, Failure>(())
        }
    });
    concurrently(saves.collect()).await.map(drop)
}

/// Writes to Google, pass after pass until every lesson is done, and stores the outcomes.
pub async fn carry_out(
    round: &mut Round<'_>,
    mut work: Vec<Work>,
    google: &mut GoogleSession<'_>,
) -> Result<(), Failure> {
    let direction = round.job.direction;
    let mut stopped = None;
    'passes: for pass in 0..MAX_PASSES {
        let batch: Vec<(usize, Operation)> = work
            .iter()
            .enumerate()
            .filter(|(_, work)| direction.writes() && work.is_open())
            .filter_map(|(index, work)| Some((index, operation(&work.mapping, &work.desired, work.decision.step)?)))
            .collect();
        if batch.is_empty() {
            break;
        }
        if pass > 0 {
            save_all(round, &mut work, &batch).await?;
        }
        for part in batch.chunks(OPERATIONS_PER_BATCH) {
            if round.sync.now() + MAX_BATCH_TIME >= round.request.deadline {
                round.report.leave(Left::MoreAtOnce, "Time ran out; the rest follows at once.");
                break 'passes;
            }
            let operations: Vec<Operation> = part.iter().map(|(_, operation)| operation.clone()).collect();
            let outcomes = match google.batch(&operations, round.request.deadline).await {
                Ok(outcomes) => outcomes,
                Err(error) => {
                    stopped = Some(error);
                    break 'passes;
                }
            };
            for ((index, _), outcome) in part.iter().zip(outcomes) {
                work[*index].answered(round, outcome);
            }
        }
    }
    if stopped.is_none()
        && work.iter().any(|work| {
            matches!(work.after, Some(StepResult::Again | StepResult::Fetch | StepResult::Abandon(_)))
                && !work.is_settled(direction)
        })
    {
        round.report.leave(Left::Failed, "An event changed in Google again and again while it was written.");
    }
    finish(round, work).await?;
    stopped.map_or(Ok(()), |error| Err(error.into()))
}

/// Before a further pass: stores a new generation, or what a fetch has shown, before anything is written for it.
async fn save_all(round: &Round<'_>, work: &mut [Work], batch: &[(usize, Operation)]) -> Result<(), Failure> {
    let store = &round.sync.google.store;
    let saves = batch.iter().map(|(index, _)| {
        let work = &work[*index];
        store.save_mapping(&work.mapping, MarkUpdate::Keep, &work.notices)
    });
    concurrently(saves.collect()).await?;
    for (index, _) in batch {
        work[*index].notices.clear();
    }
    Ok(())
}

/// Stores how each lesson ended: on its mapping, which loses its mark where all is done, and on the host's row.
async fn finish(round: &mut Round<'_>, work: Vec<Work>) -> Result<(), Failure> {
    let (direction, allowed) = (round.job.direction, round.job.allowed());
    let (store, key) = (&round.sync.google.store, round.request.key);
    let saves = work.into_iter().map(|work| async move {
        // A run that a person kept from writing, on a connection that writes, has not settled the lesson.
        let settled = work.is_settled(direction) && (direction.writes() || !allowed.writes());
        let gone = matches!(work.desired, Desired::NoEvent(_));
        let done_for = gone
            && settled
            && (matches!(work.after, Some(StepResult::Done)) || work.decision.step == LessonStep::Forget);
        let flags = work.flags(allowed);
        // The host's row first: if we die between the two, the mark on the mapping brings another run.
        if let Some(lesson) = &work.lesson
            && lesson.instructor_id == key.instructor_id
            && (lesson.google_calendar_event_id.as_deref(), lesson.calendar_sync_status, lesson.has_conflict)
                != (
                    flags.google_calendar_event_id.as_ref().map(EventId::as_str),
                    flags.calendar_sync_status,
                    flags.has_conflict,
                )
        {
            store.write_lesson_columns(key, lesson.id, &flags).await?;
        }
        // Another instructor gives it now. Until their connection writes the columns, they would show our event.
        let event = work.mapping.google_event_id();
        if let Some(lesson) = &work.lesson
            && work.desired == Desired::NoEvent(Absence::Reassigned)
            && done_for
            && lesson.google_calendar_event_id.as_deref() == Some(event.as_str())
        {
            store.clear_lesson_columns(key, lesson.id, &event).await?;
        }
        let deleted = done_for && store.delete_mapping(key, work.mapping.lesson_id, work.mapping.mark.version).await?;
        // A mapping that was marked meanwhile stays, with the event's outcome.
        if !deleted && (work.mapping.mark.is_set || work.stored.as_ref() != Some(&work.mapping)) {
            let mark = if settled { MarkUpdate::Clear { seen: work.mapping.mark.version } } else { MarkUpdate::Keep };
            store.save_mapping(&work.mapping, mark, &work.notices).await?;
        }
        Ok::<_, Failure>(())
    });
    concurrently(saves.collect()).await.map(drop)
}
