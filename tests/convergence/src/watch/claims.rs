//! The product's stored reasons for leaving something undone, and its notices: they have to match what happened.

use calendar_sync::{
    decide::{backoff::NOTIFY_AFTER_FAILURES, outbound::GAVE_UP},
    model::{
        CalendarEventMapping, ConflictChange, ConnectionKey, ConnectionStatus, Notice, NoticeKind, SchedulingConflict,
    },
};

use super::{Mishap, Run};
use crate::{
    coverage::Fault,
    memory_store::{MemoryStore, Stored},
    sim::{Role, State},
    truth::Permit,
};

/// What a state says of its connection only because of what Google answered.
const OF_GOOGLE: [&str; 4] = ["calendar_gone", "client_refused", "google_refused", "quota_exceeded"];

/// What a state says of the run before.
const CUT: &str = "run_cut";

/// Violations in what was stored.
pub fn judge(state: &State, run: &Run, stored: &Stored) -> Option<String> {
    match stored {
        Stored::State { failures: (before, after), error, moved, goes } => {
            let cause = if error.as_deref() == Some(CUT) { Mishap::CutFound } else { Mishap::Trouble };
            if after > before && !run.met.contains(&cause) {
                return Some(format!("a run counts as failed for {error:?}, and nothing had failed"));
            }
            let claim = error.as_deref().filter(|code| after > before && OF_GOOGLE.contains(code));
            if let Some(code) = claim.filter(|code| !run.accounted_for.contains(code)) {
                return Some(format!("a run counts as failed for {code}, and Google did not say so"));
            }
            let told = run.told.iter().any(|kind| matches!(kind, NoticeKind::SyncFailing { .. }));
            if *before < NOTIFY_AFTER_FAILURES && *after >= NOTIFY_AFTER_FAILURES && !goes && !told {
                return Some(format!("{after} runs in a row have failed without a notice"));
            }
            let bounded = run.asked.as_ref().is_some_and(|asked| asked.dates.is_some());
            (*moved && bounded).then(|| "a run of some days moves what all runs have covered".to_owned())
        }
        Stored::LessonFailed { key, lesson, error } => {
            let tenant = key.tenant_id;
            let unreadable =
                || state.truth.said_lately(tenant, *lesson, state.now).iter().any(|row| row["ends_at"].is_null());
            let (deleted, edited) = state.truth.meddled(*key, *lesson);
            let why = error.as_deref().unwrap_or_default();
            let right = match why {
                // (A version of before, which a listing that lags behind shows, counts as a change.)
                GAVE_UP if state.truth.behind.contains(key) => true,
                GAVE_UP => deleted + edited > CalendarEventMapping::MAX_RESTORES.into(),
                _ if why.starts_with("The lesson cannot be read") => unreadable(),
                _ => run.refused.contains(lesson),
            };
            (!right).then(|| format!("lesson {lesson} failed for no reason that there was: {why}"))
        }
        Stored::Conflicts { new, gone, notice, .. } => misreported(new, gone, notice.as_ref()),
        Stored::Decided { pair, notice } => {
            let told = NoticeKind::ConflictsChanged { conflicts: vec![ConflictChange::decided(pair)] };
            (notice.kind != told).then(|| format!("of the decision on {pair:?} was told {notice:?}"))
        }
        Stored::Log { .. }
        | Stored::ExternalEvent
        | Stored::Notice(_)
        | Stored::Connection(_)
        | Stored::CutFound
        | Stored::ConflictsForgotten(_)
        | Stored::LeaseLost => None,
    }
}

/// What a notice tells of conflicts that came and went, if it is not what happened to them.
fn misreported(new: &[SchedulingConflict], gone: &[SchedulingConflict], notice: Option<&Notice>) -> Option<String> {
    let kind = notice.map(|notice| &notice.kind);
    let told = match kind {
        Some(NoticeKind::ConflictsChanged { conflicts }) => conflicts.as_slice(),
        _ => &[],
    };
    let event = |pair: &SchedulingConflict| pair.google_event_id.family().to_owned();
    let found = new.iter().map(|pair| ConflictChange::Found {
        lesson_id: pair.lesson_id,
        google_event_id: event(pair),
        overlap_start: pair.overlap_start,
        overlap_end: pair.overlap_end,
    });
    // (Of the end of one that is ignored nothing is told.)
    let cleared = gone
        .iter()
        .filter(|pair| pair.is_live())
        .map(|pair| ConflictChange::Cleared { lesson_id: pair.lesson_id, google_event_id: event(pair) });
    let due: Vec<ConflictChange> = found.chain(cleared).collect();
    let right = told.len() == due.len() && due.iter().all(|change| told.contains(change));
    (!right).then(|| format!("of the new conflicts {new:?} and those that are gone {gone:?} was told {told:?}"))
}

/// Which claim it is, if one that few histories come to.
pub fn met(stored: &Stored) -> Option<Fault> {
    match stored {
        Stored::Notice(notice) => match notice.kind {
            NoticeKind::SyncFailing { .. } => Some(Fault::FailingTold),
            NoticeKind::NeedsAttention { .. } => Some(Fault::AttentionTold),
            _ => None,
        },
        Stored::LessonFailed { error, .. } => (error.as_deref() == Some(GAVE_UP)).then_some(Fault::LessonGivenUp),
        _ => None,
    }
}

/// Takes down what a connection's row allows from now on; only people change the switches, and only Google's word ends
/// a grant, of which the instructor is told.
pub fn connection_changed(
    state: &mut State,
    store: &MemoryStore,
    role: &Role,
    run: &Run,
    key: ConnectionKey,
    journal: &[Stored],
    wrong: &mut Vec<String>,
) {
    let now = state.now;
    let permit = store.tables().credentials.get(&key).map(Permit::from);
    let past = state.truth.permits.entry(key).or_default();
    let before = past.latest().cloned().flatten();
    if before == permit {
        return;
    }
    if let (Some(before), Some(permit)) = (&before, &permit) {
        if before.settings != permit.settings && *role != Role::Request {
            wrong.push(format!("the settings become {:?} without a change by a person", permit.settings));
        }
        if let (ConnectionStatus::Active, ConnectionStatus::NeedsReauth { reason }) = (&before.status, &permit.status) {
            if !run.withdrawn.contains(reason) {
                wrong.push(format!("the connection needs attention for {reason}, and Google did not say so"));
            }
            let tells = |stored: &Stored| {
                matches!(stored, Stored::Notice(notice) if notice.key == key
                    && matches!(&notice.kind, NoticeKind::NeedsAttention { reason: told } if told == reason))
            };
            if !journal.iter().any(tells) {
                wrong.push(format!("the connection needs attention for {reason}, without a notice"));
            }
        }
    }
    if permit.as_ref().is_some_and(|permit| permit.goes().is_some()) && !state.truth.taken_down.contains(&key) {
        wrong.push("the connection is taken down without a request".to_owned());
    }
    // (A login may have been under way when a person asked for that.)
    if permit.as_ref().and_then(Permit::goes) == Some(true) {
        state.truth.leave_behind(key);
    }
    state.truth.permits.entry(key).or_default().note(now, permit);
}
