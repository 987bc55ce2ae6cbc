//! Looks over the product's shoulder: after each effect of each actor, at what went to Google and what was stored. What
//! is wrong here is wrong however the history goes on, and what the product claims as its reason to leave something
//! undone (a refusal, a failure, a withdrawn grant) has to be what really happened.

mod claims;
mod deeds;
mod fine;
mod writes;

use std::collections::BTreeSet;

use calendar_sync::model::{ConnectionKey, LessonId, NoticeKind, SyncCalendarRequest, SyncDirection, SyncOutcome};
use chrono::{DateTime, TimeDelta, Utc};

use self::deeds::Deeds;
use crate::{
    coverage::Fault,
    memory_store::{MemoryStore, Stored},
    sim::{Outcome, Role, Sim, number},
};

/// After so long, a run may end for want of time: the shortest has 20 seconds, and is known here from its first effect
/// on, which comes up to a second later.
const IN_TIME: TimeDelta = TimeDelta::seconds(19);

/// Faults in a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Mishap {
    Trouble,
    /// Another run took its lease.
    Superseded,
    /// It found the lease of a run that had not given it back.
    CutFound,
}

/// What an actor was asked for, and its effects so far.
#[derive(Debug, Clone, Default)]
pub struct Run {
    pub key: Option<ConnectionKey>,
    /// What a person bounded it to.
    pub asked: Option<SyncCalendarRequest>,
    /// Whether a person asked for it.
    pub by_a_person: bool,
    began: Option<DateTime<Utc>>,
    met: BTreeSet<Mishap>,
    /// The words in which Google said that the permission is gone.
    withdrawn: BTreeSet<String>,
    /// What Google's answers let the state say of the connection.
    accounted_for: BTreeSet<&'static str>,
    /// The lessons whose events Google refused for good to touch.
    refused: BTreeSet<LessonId>,
    /// The lessons that it marked as failed.
    failed: BTreeSet<LessonId>,
    /// The events that its last listing showed so that they cannot be read.
    flawed: BTreeSet<String>,
    /// How its log row says that it ended, and in which words.
    said: Option<(SyncOutcome, Vec<String>)>,
    told: Vec<NoticeKind>,
    deeds: Deeds,
}

impl Run {
    /// A run for a connection, asked for now.
    pub fn of(key: ConnectionKey, now: DateTime<Utc>, by_a_person: bool, asked: Option<SyncCalendarRequest>) -> Self {
        Self { key: Some(key), asked, by_a_person, began: Some(now), ..Self::default() }
    }

    /// The one way that a person bounded it to.
    fn direction(&self) -> Option<SyncDirection> {
        self.asked.as_ref()?.direction
    }
}

/// Checks what an actor has just done, and how it ended, if it did.
pub fn witness(sim: &Sim, store: &MemoryStore, role: &Role, run: &mut Run, ended: Option<&Outcome>) {
    let journal = std::mem::take(&mut store.tables().journal);
    let mut state = sim.state();
    let now = state.now;
    let began = *run.began.get_or_insert(now);
    if std::mem::take(&mut state.trouble) || now - began > IN_TIME {
        run.met.insert(Mishap::Trouble);
    }
    let exchanges = std::mem::take(&mut state.exchanges);
    if exchanges.is_empty() && journal.is_empty() && ended.is_none() {
        return;
    }
    let mut wrong = Vec::new();
    for exchange in &exchanges {
        wrong.extend(writes::judge(&state, store, run, exchange));
        if writes::leaves_an_orphan(&state, store, exchange) {
            state.coverage.met(Fault::OrphanNotDeleted);
        }
        run.note(&state, exchange);
    }
    for stored in &journal {
        if let Stored::Connection(key) = stored {
            claims::connection_changed(&mut state, store, role, run, *key, &journal, &mut wrong);
        }
        wrong.extend(claims::judge(&state, run, stored));
        wrong.extend(fine::follow(&mut state, store, stored));
        if let Some(fault) = claims::met(stored) {
            state.coverage.met(fault);
        }
        run.take_down(stored);
    }
    if matches!(ended, Some(Ok(()))) {
        wrong.extend(run.untold());
        let imports = run.key.is_some_and(|key| {
            let direction = run.direction().unwrap_or(SyncDirection::TwoWay);
            let stored = store.tables().credentials.get(&key).map(|row| row.settings.sync_direction);
            direction.imports() && stored.is_some_and(SyncDirection::imports)
        });
        wrong.extend(run.unsaid(imports));
    }
    let whose = run.key.map_or(0, number);
    state.truth.violations.extend(wrong.into_iter().map(|text| format!("{whose}: {text}, by {role:?}")));
}
