//! A host that shows an empty table by mistake does not empty people's calendars (design rule R15).

use super::work::{Left, Work};
use crate::{
    model::{CalendarEventMapping, NoticeKind, SyncStatus, WishKind},
    reconcile::{
        breaker,
        outbound::{Absence, Step, Wanted},
    },
    usecases::sync_calendar::{Failure, round::Round},
};

/// Why the event of a lesson that vanished is still there.
const HELD_BACK: &str =
    "The lesson vanished together with many others. Its event is kept until somebody starts a sync by hand.";

/// The events of lessons that vanished together stay until a person asks, and everything else goes on.
pub async fn hold_back_mass_removal(round: &mut Round<'_>, work: &mut [Work], compare: bool) -> Result<(), Failure> {
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
