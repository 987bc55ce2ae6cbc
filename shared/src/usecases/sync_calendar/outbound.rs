//! To Google: which lessons are to be looked at, what each wants, and the writes that follow, in batches.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};

use super::{Failure, round::Round, words};
use crate::{
    model::{
        CalendarEventMapping, EventId, Lesson, LessonId, Notice, NoticeKind, SyncDirection, SyncStatus, Window,
        WishKind,
    },
    ports::{CalendarError, DirtyMark, HostFlags, LessonLookup, Operation, OperationOutcome},
    reconcile::{
        breaker,
        outbound::{
            Absence, After, Decision, Step, Verdict, Wanted, conclude, decide, intend as intended, judge, operation,
        },
    },
    usecases::{concurrently::concurrently, google_session::GoogleSession},
};

/// Marked mappings that one round looks at; the rest waits for the next.
const AT_MOST: usize = 1000;
/// How often one lesson is decided anew within a round: insert, look, revive, and the next generation.
const PASSES: usize = 5;
/// Operations of one batch (design rule R14).
const PART: usize = 50;
/// Why the event of a lesson that vanished is still there.
const HELD_BACK: &str =
    "The lesson vanished together with many others. Its event is kept until somebody starts a sync by hand.";
/// What a batch takes at most when Google is well; with less time left, none is begun.
const LONGEST_PART: TimeDelta = TimeDelta::seconds(5);

/// One lesson under way.
#[derive(Debug)]
pub struct Work {
    /// Its mapping, as it will be stored.
    pub mapping: CalendarEventMapping,
    /// What it wants.
    pub wanted: Wanted,
    /// The row of the host, if it is there.
    pub lesson: Option<Lesson>,
    /// Whether its times, or its being there, changed: its conflicts may have.
    pub moved: bool,
    /// Why nothing is written to Google for it.
    left: Option<Left>,
    stored: Option<CalendarEventMapping>,
    decision: Decision,
    after: Option<After>,
    /// What the instructor is still to be told.
    notices: Vec<Notice>,
}

/// Why a lesson is left alone in Google.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Left {
    /// It lies outside of the window, and has no event.
    Outside,
    /// It vanished together with too many others; its event is kept.
    HeldBack,
}

/// Finds the lessons that are to be looked at and what each wants.
pub async fn gather(
    round: &mut Round<'_>,
    window: Window,
    compare: bool,
    uncovered: Option<Window>,
    direction: SyncDirection,
) -> Result<Vec<Work>, Failure> {
    let (store, key) = (&round.sync.google.store, round.request.key);
    let narrowed = round.report.narrowed;
    let mut mappings: BTreeMap<LessonId, Option<CalendarEventMapping>> = BTreeMap::new();
    let dirty = store.dirty_mappings(key, AT_MOST).await?;
    if dirty.len() == AT_MOST {
        round.report.go_on("There is more to do than one run takes; the rest follows at once.");
    }
    mappings.extend(dirty.into_iter().map(|mapping| (mapping.lesson_id, Some(mapping))));
    if compare {
        let all = store.mappings(key).await?;
        let relevant =
            all.into_iter().filter(|mapping| mapping.event_end >= window.from || mapping.lesson_removed_at.is_some());
        mappings.extend(relevant.map(|mapping| (mapping.lesson_id, Some(mapping))));
    }
    if let Some(window) = if compare { Some(window) } else { uncovered } {
        for lesson in store.lessons_between(key, window).await? {
            if let std::collections::btree_map::Entry::Vacant(entry) = mappings.entry(lesson) {
                entry.insert(if compare { None } else { store.mapping(key, lesson).await? });
            }
        }
    }
    let ids: Vec<LessonId> = mappings.keys().copied().collect();
    let lessons = store.lessons(key.tenant_id, &ids).await?;
    let mut work = Vec::new();
    let mut waiting = 0;
    for ((id, stored), lookup) in mappings.into_iter().zip(lessons) {
        let (wanted, left) = match judge(key.instructor_id, &lookup, window, narrowed, stored.as_ref()) {
            Verdict::Wants(wanted) => (wanted, None),
            Verdict::Outside(content) => (Wanted::Event(content), Some(Left::Outside)),
            Verdict::Leave => {
                match stored {
                    Some(mapping) => waiting += u32::from(mapping.dirty),
                    None => blank(round, &lookup).await?,
                }
                continue;
            }
            Verdict::Unreadable(why) => {
                fail_unreadable(round, id, stored, &why).await?;
                continue;
            }
        };
        let lesson = match lookup {
            LessonLookup::Found(lesson) => Some(*lesson),
            LessonLookup::Gone | LessonLookup::Unreadable(_) => None,
        };
        work.push(Work { left, ..prepare(round, id, stored, wanted, lesson) });
    }
    say_what_lies_outside(round, &work, window);
    if waiting > 0 {
        round
            .report
            .say(format!("{waiting} changed lessons lie outside of what was asked for and wait for the next run."));
    }
    if direction.writes() {
        hold_back_mass_removal(round, &mut work, compare).await?;
    }
    Ok(work)
}

fn prepare(
    round: &Round<'_>,
    id: LessonId,
    stored: Option<CalendarEventMapping>,
    wanted: Wanted,
    lesson: Option<Lesson>,
) -> Work {
    let key = round.request.key;
    let mut mapping = stored.clone().unwrap_or_else(|| {
        let [start, end] = match &wanted {
            Wanted::Event(content) => [content.starts_at, content.ends_at],
            Wanted::NoEvent(_) => [round.sync.now(); 2],
        };
        CalendarEventMapping::new(key, id, start, end)
    });
    if round.state.wishes.kinds.contains(&WishKind::Overrides) {
        mapping.put_backs = 0;
    }
    let decision = decide(&mapping, &wanted);
    Work { mapping, wanted, lesson, moved: false, left: None, stored, decision, after: None, notices: Vec::new() }
}

/// Takes away what an earlier connection, or another instructor's, has left in the columns of a lesson that has no
/// mapping here.
async fn blank(round: &Round<'_>, lookup: &LessonLookup) -> Result<(), Failure> {
    let key = round.request.key;
    if let LessonLookup::Found(lesson) = lookup
        && lesson.instructor_id == key.instructor_id
        && (lesson.google_calendar_event_id.is_some() || lesson.calendar_sync_status.is_some() || lesson.has_conflict)
    {
        round.sync.google.store.flag_lesson(key, lesson.id, &HostFlags::BLANK).await?;
    }
    Ok(())
}

/// Says of changed lessons that they are in no need of an event: the window comes to them in time, or has left them
/// behind.
fn say_what_lies_outside(round: &mut Round<'_>, work: &[Work], window: Window) {
    for work in work.iter().filter(|work| work.left == Some(Left::Outside) && work.mapping.dirty) {
        let Wanted::Event(content) = &work.wanted else { continue };
        let said_of = CalendarEventMapping { event_start: content.starts_at, ..work.mapping.clone() };
        round.report.say_of(&said_of, words::outside(window, round.report.zone));
        round.report.changed = true;
    }
}

async fn fail_unreadable(
    round: &mut Round<'_>,
    lesson: LessonId,
    stored: Option<CalendarEventMapping>,
    why: &str,
) -> Result<(), Failure> {
    round.report.failed += 1;
    round.report.say(format!("Lesson {lesson} cannot be read: {why}"));
    if let Some(mut mapping) = stored {
        mapping.sync_status = SyncStatus::Failed;
        mapping.error = Some(format!("The lesson cannot be read: {why}"));
        round.sync.google.store.save_mapping(&mapping, DirtyMark::Clear { seen: mapping.marks }, &[]).await?;
    }
    Ok(())
}

/// A host that shows an empty table by mistake does not empty people's calendars (design rule R15): the events of lessons
/// that vanished stay until a person asks, and everything else goes on.
async fn hold_back_mass_removal(round: &mut Round<'_>, work: &mut [Work], compare: bool) -> Result<(), Failure> {
    let (key, now) = (round.request.key, round.sync.now());
    let vanished = |work: &Work| work.wanted == Wanted::NoEvent(Absence::Removed) && work.decision.step == Step::Delete;
    if round.state.wishes.kinds.contains(&WishKind::Overrides) {
        return Ok(());
    }
    if !work.iter().any(vanished) {
        if compare && breaker::is_held(round.state.removals) {
            // All lessons were looked at: those that had vanished are back.
            round.state.removals = None;
        }
        return Ok(());
    }
    if breaker::is_held(round.state.removals) {
        round.report.say("Events of lessons that have vanished are kept until somebody starts a sync by hand.");
    } else if let Some((lost, live)) = trips(round, work).await? {
        let recent = breaker::recent(round.state.removals, now);
        let before = if recent == 0 { String::new() } else { format!(", after {recent} others within a day") };
        round.report.say(format!(
            "{lost} of {live} lessons have vanished{before}. Their events are kept until somebody starts a sync by hand."
        ));
        round.state.removals = Some(breaker::tripped(round.state.removals, now));
        let notice = round.sync.notice(key, NoticeKind::SyncFailing { code: "lessons_vanished".to_owned() });
        round.sync.google.store.put_notices(key, &[notice]).await?;
    } else {
        return Ok(());
    }
    for work in work.iter_mut().filter(|work| vanished(work)) {
        work.left = Some(Left::HeldBack);
        work.mapping.sync_status = SyncStatus::Failed;
        work.mapping.error = Some(HELD_BACK.to_owned());
        round.report.failed += 1;
    }
    Ok(())
}

/// How many lessons have vanished, and of how many, where that is too many to believe it.
async fn trips(round: &Round<'_>, work: &[Work]) -> Result<Option<(u32, u32)>, Failure> {
    let (store, now) = (&round.sync.google.store, round.sync.now());
    let count = |mappings: usize| u32::try_from(mappings).unwrap_or(u32::MAX);
    let deletes = work.iter().filter(|work| work.decision.step == Step::Delete && work.vanished_ahead(now));
    let (lost, recent) = (count(deletes.count()), breaker::recent(round.state.removals, now));
    if !breaker::is_suspicious(lost, recent) {
        return Ok(None);
    }
    let all = store.mappings(round.request.key).await?;
    let in_google = |mapping: &&CalendarEventMapping| mapping.shown.as_ref().is_some_and(|shown| !shown.deleted);
    let live = count(all.iter().filter(|mapping| mapping.event_end > now).filter(in_google).count());
    Ok(breaker::trips(lost, recent, live).then_some((lost, live)))
}

/// Stores what is about to be written beside what was agreed, and copies the lessons' times.
pub async fn intend(round: &mut Round<'_>, work: &mut [Work], direction: SyncDirection) -> Result<(), Failure> {
    let (sync, now) = (round.sync, round.sync.now());
    for work in work.iter_mut() {
        let writes = direction.writes() && work.left.is_none();
        if !writes {
            work.decision = Decision { step: Step::Rest, drift: None };
        }
        let before = work.stored.as_ref();
        work.mapping = if writes {
            intended(work.mapping.clone(), &work.wanted, work.decision, now)
        } else {
            copy_times(work, now)
        };
        work.moved = before.is_none_or(|before| {
            (before.event_start, before.event_end, before.lesson_removed_at)
                != (work.mapping.event_start, work.mapping.event_end, work.mapping.lesson_removed_at)
        }) || work.mapping.dirty;
        work.tell_drift(round);
    }
    let saves = work.iter_mut().filter(|work| work.stored.as_ref() != Some(&work.mapping)).map(|work| {
        let notices = std::mem::take(&mut work.notices);
        async move {
            // What is under way is to be found again if we die, so a row that carries no mark gets one.
            let mark = if !work.mapping.dirty && work.decision.step != Step::Rest {
                DirtyMark::Raise
            } else {
                DirtyMark::Keep
            };
            sync.google.store.save_mapping(&work.mapping, mark, &notices).await?;
            if mark == DirtyMark::Raise {
                work.mapping.dirty = true;
                work.mapping.marks += 1;
            }
            Ok::<_, Failure>(())
        }
    });
    concurrently(saves.collect()).await.map(drop)
}

/// Without writing to Google, only where the lesson stands in time is kept, for its conflicts.
fn copy_times(work: &Work, now: DateTime<Utc>) -> CalendarEventMapping {
    let mut mapping = work.mapping.clone();
    match &work.wanted {
        Wanted::Event(content) => {
            mapping.event_start = content.starts_at;
            mapping.event_end = content.ends_at;
            mapping.lesson_removed_at = None;
        }
        Wanted::NoEvent(_) => {
            mapping.lesson_removed_at.get_or_insert(now);
        }
    }
    mapping
}

/// Writes to Google, pass after pass until every lesson has come to rest, and stores what came of it.
pub async fn carry_out(
    round: &mut Round<'_>,
    mut work: Vec<Work>,
    google: &mut GoogleSession<'_>,
    direction: SyncDirection,
    may_write: bool,
) -> Result<(), Failure> {
    let mut stopped = None;
    'passes: for pass in 0..PASSES {
        let batch: Vec<(usize, Operation)> = work
            .iter()
            .enumerate()
            .filter(|(_, work)| direction.writes() && work.is_open())
            .filter_map(|(index, work)| Some((index, operation(&work.mapping, &work.wanted, work.decision.step)?)))
            .collect();
        if batch.is_empty() {
            break;
        }
        if pass > 0 {
            save_all(round, &mut work, &batch).await?;
        }
        for part in batch.chunks(PART) {
            if round.sync.now() + LONGEST_PART >= round.request.deadline {
                round.report.go_on("Time ran out; the rest follows at once.");
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
            for ((index, _), outcome) in part.iter().zip(&outcomes) {
                work[*index].answered(round, outcome);
            }
        }
    }
    if stopped.is_none()
        && work.iter().any(|work| matches!(work.after, Some(After::Again | After::Look)) && !work.is_settled(direction))
    {
        round.report.leave("An event changed in Google again and again while it was written.");
    }
    finish(round, work, direction, may_write).await?;
    stopped.map_or(Ok(()), |error| Err(error.into()))
}

/// Before a further pass: a new generation, or what a look has shown, is stored before anything is written for it.
async fn save_all(round: &Round<'_>, work: &mut [Work], batch: &[(usize, Operation)]) -> Result<(), Failure> {
    let store = &round.sync.google.store;
    let saves = batch.iter().map(|(index, _)| {
        let work = &work[*index];
        store.save_mapping(&work.mapping, DirtyMark::Keep, &work.notices)
    });
    concurrently(saves.collect()).await?;
    for (index, _) in batch {
        work[*index].notices.clear();
    }
    Ok(())
}

impl Work {
    /// Whether its lesson was still to come and is no longer there. Lessons that are over keep their mappings for ever:
    /// they are no measure of what is there to lose.
    fn vanished_ahead(&self, now: DateTime<Utc>) -> bool {
        self.wanted == Wanted::NoEvent(Absence::Removed) && self.mapping.event_end > now
    }

    fn is_open(&self) -> bool {
        matches!(self.after, None | Some(After::Again | After::Look))
    }

    fn answered(&mut self, round: &mut Round<'_>, outcome: &OperationOutcome) {
        let decision = self.decision;
        let step = decision.step;
        let (mapping, after) = conclude(self.mapping.clone(), &self.wanted, step, outcome);
        self.mapping = mapping;
        let counts = &mut round.report.counts;
        match &after {
            After::Done => {
                counts.events_synced += 1;
                match step {
                    Step::Insert => counts.events_created += 1,
                    Step::Replace | Step::Patch | Step::Revive => counts.events_updated += 1,
                    Step::Delete => {
                        counts.events_deleted += 1;
                        if self.vanished_ahead(round.sync.now()) {
                            round.state.removals = Some(breaker::counted(round.state.removals, round.sync.now()));
                        }
                    }
                    Step::Rest | Step::Agree | Step::Look | Step::GiveUp | Step::Forget => {}
                }
                if let Some(done) = words::done(decision, &self.wanted) {
                    round.report.say_of(&self.mapping, done);
                }
            }
            After::Look => self.decision.step = Step::Look,
            After::Again => {
                self.decision = decide(&self.mapping, &self.wanted);
                self.mapping = intended(self.mapping.clone(), &self.wanted, self.decision, round.sync.now());
                self.tell_drift(round);
            }
            After::Later(why) => {
                round.report.quota_exceeded |= *outcome == OperationOutcome::TryLater(CalendarError::QuotaExceeded);
                if *outcome == OperationOutcome::TryLater(CalendarError::Paced) {
                    round.report.wait();
                } else {
                    round.report.leave(format!("Google could not take a change in yet: {why}."));
                }
            }
            After::Failed(why) => {
                round.report.failed += 1;
                round.report.say_of(&self.mapping, why);
            }
        }
        self.after = Some(after);
    }

    /// Tells the instructor that the event was changed in Google; of one that is left so, once.
    fn tell_drift(&mut self, round: &mut Round<'_>) {
        let Some(drift) = self.decision.drift else { return };
        let put_back = self.decision.step != Step::GiveUp;
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

    /// Whether nothing is left to do for the lesson now.
    fn is_settled(&self, direction: SyncDirection) -> bool {
        match &self.after {
            None | Some(After::Again | After::Look) => {
                !direction.writes() || operation(&self.mapping, &self.wanted, self.decision.step).is_none()
            }
            Some(After::Done | After::Failed(_)) => true,
            Some(After::Later(_)) => false,
        }
    }

    fn flags(&self, direction: SyncDirection) -> HostFlags {
        let wants_event = matches!(self.wanted, Wanted::Event(_));
        let in_google = self.mapping.shown.as_ref().is_some_and(|shown| !shown.deleted);
        HostFlags {
            google_calendar_event_id: in_google.then(|| self.mapping.google_event_id()),
            calendar_sync_status: (wants_event && (direction.writes() && self.left.is_none() || in_google))
                .then_some(self.mapping.sync_status),
            has_conflict: wants_event && self.mapping.has_conflict,
        }
    }
}

/// Stores how each lesson ended: on its mapping, which loses its mark where all is done, and on the host's row.
async fn finish(
    round: &mut Round<'_>,
    work: Vec<Work>,
    direction: SyncDirection,
    may_write: bool,
) -> Result<(), Failure> {
    let (store, key) = (&round.sync.google.store, round.request.key);
    let saves = work.into_iter().map(|work| async move {
        // A run that was asked to leave Google alone, on a connection that writes, has done nothing for the lesson.
        let settled = work.is_settled(direction) && (direction.writes() || !may_write);
        let gone = matches!(work.wanted, Wanted::NoEvent(_));
        let done_for =
            gone && settled && (matches!(work.after, Some(After::Done)) || work.decision.step == Step::Forget);
        let flags = work.flags(direction);
        // The host's row first: if we die between the two, the mark on the mapping brings us back.
        if let Some(lesson) = &work.lesson
            && lesson.instructor_id == key.instructor_id
            && (lesson.google_calendar_event_id.as_deref(), lesson.calendar_sync_status, lesson.has_conflict)
                != (
                    flags.google_calendar_event_id.as_ref().map(EventId::as_str),
                    flags.calendar_sync_status,
                    flags.has_conflict,
                )
        {
            store.flag_lesson(key, lesson.id, &flags).await?;
        }
        let deleted = done_for && store.delete_mapping(key, work.mapping.lesson_id, work.mapping.marks).await?;
        // A mapping that was marked meanwhile stays, with what came of the event.
        if !deleted && (work.mapping.dirty || work.stored.as_ref() != Some(&work.mapping)) {
            let mark = if settled { DirtyMark::Clear { seen: work.mapping.marks } } else { DirtyMark::Keep };
            store.save_mapping(&work.mapping, mark, &work.notices).await?;
        }
        Ok::<_, Failure>(())
    });
    concurrently(saves.collect()).await.map(drop)
}

/// The lessons that lost their place: their conflicts are to be cleared.
pub fn gone(work: &[Work]) -> BTreeSet<LessonId> {
    work.iter().filter(|work| matches!(work.wanted, Wanted::NoEvent(_))).map(|work| work.mapping.lesson_id).collect()
}
