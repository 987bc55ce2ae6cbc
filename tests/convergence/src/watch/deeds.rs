//! A run's effects, counted at Google and the store, against its log row.

use calendar_sync::model::{SyncCounts, SyncOutcome};

use super::{Mishap, Run};
use crate::{exchange::Exchange, memory_store::Stored, sim::State, truth::lesson_of};

/// What a run did, and what it has told of it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Deeds {
    created: u32,
    updated: u32,
    deleted: u32,
    /// Deletions of events that were gone already.
    gone: u32,
    stored: u32,
    conflicts: u32,
    told: SyncCounts,
}

impl Run {
    /// Counts what was written to Google and answered.
    pub(super) fn note(&mut self, state: &State, exchange: &Exchange) {
        // (A further round, or one whose cursor was lost, lists anew.)
        if exchange.begins_listing() {
            self.flawed.clear();
        }
        if exchange.answered {
            self.flawed.extend(exchange.flawed.iter().cloned());
        }
        for call in &exchange.calls {
            self.withdrawn.extend(call.withdraws().map(str::to_owned));
            self.accounted_for.extend(call.accounts_for());
            if call.is_refused_for_good() {
                let named = call.event().and_then(|id| state.truth.lesson_of(id));
                self.refused.extend(lesson_of(&call.body).or(named));
            }
            // (Of a connection that is taken down there is no log any more.)
            let of_disconnect = call.method == "DELETE" && call.if_match.is_none();
            if !exchange.answered || !call.writes() || of_disconnect {
                continue;
            }
            let deeds = &mut self.deeds;
            match (call.method.as_str(), call.is_well()) {
                ("POST", true) => deeds.created += 1,
                ("PUT" | "PATCH", true) => deeds.updated += 1,
                ("DELETE", true) => deeds.deleted += 1,
                ("DELETE", false) if matches!(call.status, 404 | 410) => deeds.gone += 1,
                _ => {}
            }
        }
    }

    /// Counts what was stored, and what was told of it.
    pub(super) fn take_down(&mut self, stored: &Stored) {
        let deeds = &mut self.deeds;
        match stored {
            Stored::Log { before, after, outcome, reasons } => {
                self.said = Some((*outcome, reasons.clone()));
                let told = &mut deeds.told;
                told.events_created += after.events_created - before.events_created;
                told.events_updated += after.events_updated - before.events_updated;
                told.events_deleted += after.events_deleted - before.events_deleted;
                told.events_synced += after.events_synced - before.events_synced;
                told.conflicts_detected += after.conflicts_detected - before.conflicts_detected;
            }
            Stored::ExternalEvent => deeds.stored += 1,
            Stored::Notice(notice) => {
                self.told.push(notice.kind.clone());
            }
            Stored::Conflicts { new, .. } => deeds.conflicts += u32::try_from(new.len()).unwrap_or(u32::MAX),
            Stored::LeaseLost => drop(self.met.insert(Mishap::Superseded)),
            Stored::CutFound => drop(self.met.insert(Mishap::CutFound)),
            Stored::Connection(_) | Stored::State { .. } | Stored::ConflictsForgotten(_) | Stored::Decided { .. } => {}
            Stored::LessonFailed { lesson, .. } => drop(self.failed.insert(*lesson)),
        }
    }

    /// What its log row ought to say and does not: that a lesson failed, or, where it was to import them, which events it
    /// could not read.
    pub(super) fn unsaid(&self, imports: bool) -> Option<String> {
        let met = |mishap| self.met.contains(&mishap);
        if met(Mishap::Trouble) || met(Mishap::Superseded) || !self.withdrawn.is_empty() {
            return None;
        }
        // (One that leaves what it listed to the holder of the lease has no row.)
        let Some((SyncOutcome::Completed, reasons)) = &self.said else { return None };
        if !self.failed.is_empty() {
            return Some(format!("lessons failed, and the log row says that all is well: {:?}", self.failed));
        }
        let names = |id: &str| reasons.iter().any(|reason| reason.contains(id));
        let unnamed = self.flawed.iter().find(|id| imports && !names(id))?;
        Some(format!("event {unnamed} cannot be read, and the log row does not say so: {reasons:?}"))
    }

    /// What the run did and did not tell, or told and did not do. One whose lease another took over, or whose grant ended
    /// under it, does not tell all; and one that something failed may have counted conflicts that it could not store.
    pub(super) fn untold(&self) -> Option<String> {
        let Deeds { created, updated, deleted, gone, stored, conflicts, told } = self.deeds;
        let written = told.events_created == created
            && told.events_updated == updated
            && (deleted..=deleted + gone).contains(&told.events_deleted);
        let synced = (created + updated..=created + updated + deleted + gone + stored).contains(&told.events_synced);
        let found = told.conflicts_detected == conflicts;
        let met = |mishap| self.met.contains(&mishap);
        let right = written && (met(Mishap::Trouble) || synced && found);
        let is_cut = met(Mishap::Superseded) || !self.withdrawn.is_empty();
        (!is_cut && !right).then(|| format!("a run ends well whose log does not say what it did: {:?}", self.deeds))
    }
}
