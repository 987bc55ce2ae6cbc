//! The breaker: a host whose lessons table is empty by mistake does not empty its instructors' calendars.

use super::work::{Skip, Work};
use crate::{
    decide::breaker,
    model::{CalendarEventMapping, NoticeKind, SyncStatus, SyncTask},
    usecases::sync::{Failure, round::Round},
};

/// Why the event of a lesson that vanished is still there.
const HELD_BACK: &str =
    "The lesson vanished together with many others. Its event is kept until a person starts a sync by hand.";

/// Keeps the events of lessons that vanished together until a person asks for a sync; everything else continues.
pub async fn hold_back_mass_removal(
    round: &mut Round<'_>,
    work: &mut [Work],
    full_reconcile: bool,
) -> Result<(), Failure> {
    let (key, now) = (round.request.key, round.sync.now());
    if round.job.asks_for(SyncTask::RetryGivenUp) {
        return Ok(());
    }
    if !work.iter().any(Work::vanishes) {
        if full_reconcile && breaker::is_held(round.state.removals) {
            // All lessons were read: those that had vanished are back.
            round.state.removals = None;
        }
        return Ok(());
    }
    if breaker::is_held(round.state.removals) {
        round.report.say("Events of lessons that have vanished are kept until a person starts a sync by hand.");
    } else if let Some((lost, live)) = trips(round, work).await? {
        let recent = breaker::recent(round.state.removals, now);
        let before = if recent == 0 { String::new() } else { format!(", after {recent} others within a day") };
        round.report.say(format!(
            "{lost} of {live} lessons have vanished{before}. Their events are kept until a person starts a sync by hand."
        ));
        round.state.removals = Some(breaker::tripped(round.state.removals, now));
        let notice = round.sync.notice(key, NoticeKind::SyncFailing { code: "lessons_vanished".to_owned() });
        round.sync.google.store.put_notices(key, &[notice]).await?;
    } else {
        return Ok(());
    }
    for work in work.iter_mut().filter(|work| work.vanishes()) {
        work.skip = Some(Skip::HeldBack);
        work.mapping.sync_status = SyncStatus::Failed;
        work.mapping.error = Some(HELD_BACK.to_owned());
        round.report.failed += 1;
    }
    Ok(())
}

/// How many lessons have vanished and of how many, where that trips the breaker. Future lessons are also judged on
/// their own, since past ones, whose number grows, would hide their loss.
async fn trips(round: &Round<'_>, work: &[Work]) -> Result<Option<(u32, u32)>, Failure> {
    let (store, now) = (&round.sync.google.store, round.sync.now());
    let count = |mappings: usize| u32::try_from(mappings).unwrap_or(u32::MAX);
    let is_ahead = |mapping: &CalendarEventMapping| mapping.event_end > now;
    let (ahead, over): (Vec<_>, Vec<_>) =
        work.iter().filter(|work| work.vanishes()).partition(|work| is_ahead(&work.mapping));
    let lost = [count(ahead.len()), count(ahead.len() + over.len())];
    let recent = breaker::recent(round.state.removals, now);
    if !lost.into_iter().any(|lost| breaker::is_suspicious(lost, recent)) {
        return Ok(None);
    }
    let mut stand = store.mappings(round.request.key).await?;
    stand.retain(|mapping| mapping.remote.as_ref().is_some_and(|remote| !remote.deleted));
    let live = [count(stand.iter().filter(|mapping| is_ahead(mapping)).count()), count(stand.len())];
    Ok(lost.into_iter().zip(live).find(|(lost, live)| breaker::trips(*lost, recent, *live)))
}
