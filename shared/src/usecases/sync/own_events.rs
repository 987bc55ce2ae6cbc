//! Our own events as a listing shows them: what changed is noted on their mappings, and orphans are deleted.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta};
use chrono_tz::Tz;

use super::{Failure, round::Round};
use crate::{
    decide::{backoff, ending::Left, inbound::InboundPlan, outbound::observe as observe_event},
    model::{CalendarEventMapping, ConnectionKey, Event, EventId, EventTime, LessonId, Mentions, OwnEventId},
    ports::{CalendarError, MarkUpdate, Operation, OperationOutcome},
    services::{concurrently::concurrently, google_session::GoogleSession},
};

/// Up to this many mappings are read one by one; for more, all are read at once.
const MAX_SINGLE_MAPPING_READS: usize = 20;

/// What a page says of events of ours that it does not mention.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unmentioned<'a> {
    /// Nothing.
    AsBefore,
    /// That they are gone: it is the only page of a complete listing.
    Gone,
    /// That those are in doubt which no earlier page mentioned either: one may have passed from a later page to one that
    /// was read before.
    InDoubt(&'a Mentions),
}

impl Unmentioned<'_> {
    /// What becomes of the mapping of a live event that the page does not mention; `None` if it stays as it is.
    fn says_of(self, mapping: &CalendarEventMapping, names_all: bool) -> Option<CalendarEventMapping> {
        let is_gone = match self {
            Self::AsBefore => return None,
            Self::InDoubt(mentions) if mentions.contains(&mapping.google_event_id()) => return None,
            Self::InDoubt(_) => false,
            // An item without an id may be this event.
            Self::Gone => names_all,
        };
        let mut missing = CalendarEventMapping { edited_by_others: true, ..mapping.clone() };
        if is_gone {
            missing.remote.iter_mut().for_each(|remote| remote.deleted = true);
            // The event is gone, whatever write was in flight.
            missing.replaces = None;
        } else {
            // It is fetched.
            missing.remote = None;
        }
        Some(missing)
    }
}

/// Notes on mappings what Google shows of our own events, and marks those that changed.
pub async fn observe(
    round: &Round<'_>,
    plan: &InboundPlan,
    unmentioned: Unmentioned<'_>,
    zone: Tz,
) -> Result<OwnChanges, Failure> {
    let own = own_changes(round, plan, unmentioned, zone).await?;
    let store = &round.sync.google.store;
    let saves = own.mappings.values().map(|mapping| store.save_mapping(mapping, MarkUpdate::Raise, &[]));
    concurrently(saves.collect()).await?;
    Ok(own)
}

pub struct OwnChanges {
    /// The mappings of events that changed, updated with what Google shows.
    mappings: BTreeMap<LessonId, CalendarEventMapping>,
    /// Live events of ours that should not exist: superseded generations, and series that Google split off one that was
    /// made recurring.
    pub orphans: Vec<(EventId, String)>,
}

impl OwnChanges {
    /// Whether the listing shows something new.
    pub fn has_changes(&self) -> bool {
        !self.mappings.is_empty() || !self.orphans.is_empty()
    }
}

async fn own_changes(
    round: &Round<'_>,
    plan: &InboundPlan,
    unmentioned: Unmentioned<'_>,
    zone: Tz,
) -> Result<OwnChanges, Failure> {
    let (store, key) = (&round.sync.google.store, round.request.key);
    let mut orphans: Vec<_> = plan.own_parts.iter().map(|event| (event.id.clone(), event.etag.clone())).collect();
    let mut mappings: BTreeMap<LessonId, CalendarEventMapping> = BTreeMap::new();
    if unmentioned != Unmentioned::AsBefore || plan.own.len() > MAX_SINGLE_MAPPING_READS {
        mappings.extend(store.mappings(key).await?.into_iter().map(|mapping| (mapping.lesson_id, mapping)));
    } else {
        for (own, _) in &plan.own {
            mappings.extend(store.mapping(key, own.lesson_id).await?.map(|mapping| (own.lesson_id, mapping)));
        }
    }
    let mut changed: BTreeMap<LessonId, CalendarEventMapping> = BTreeMap::new();
    for (own, event) in &plan.own {
        let before = changed.get(&own.lesson_id).or_else(|| mappings.get(&own.lesson_id)).cloned();
        match observed(key, *own, event, before, zone) {
            Observed::Nothing => {}
            Observed::Orphan => orphans.push((event.id.clone(), event.etag.clone())),
            Observed::Mapping(mapping) => {
                changed.insert(own.lesson_id, *mapping);
            }
        }
    }
    let mentioned = plan.mentioned();
    let untouched = mappings.values().filter(|mapping| !changed.contains_key(&mapping.lesson_id));
    let missing: Vec<_> = untouched
        .filter(|mapping| mapping.remote.as_ref().is_some_and(|remote| !remote.deleted))
        .filter(|mapping| !mentioned.contains(&mapping.google_event_id()))
        .filter_map(|mapping| unmentioned.says_of(mapping, plan.names_all()))
        .collect();
    changed.extend(missing.into_iter().map(|mapping| (mapping.lesson_id, mapping)));
    Ok(OwnChanges { mappings: changed, orphans })
}

enum Observed {
    Nothing,
    Orphan,
    Mapping(Box<CalendarEventMapping>),
}

/// What a listed event of ours means for its mapping.
fn observed(
    key: ConnectionKey,
    own: OwnEventId,
    event: &Event,
    mapping: Option<CalendarEventMapping>,
    zone: Tz,
) -> Observed {
    let Some(mapping) = mapping else {
        if event.is_cancelled() {
            return Observed::Nothing;
        }
        // An event of ours without a mapping: its lesson is long gone, or the connection was made anew.
        let at = |time: Option<EventTime>| time.map_or(DateTime::UNIX_EPOCH, |time| time.instant(zone));
        let mut found = CalendarEventMapping::new(key, own.lesson_id, at(event.start), at(event.end));
        found.generation = own.generation;
        return Observed::Mapping(Box::new(observe_event(found, event)));
    };
    if mapping.generation != own.generation {
        let live = mapping.remote.as_ref().is_some_and(|remote| !remote.deleted);
        return match (event.is_cancelled(), live || mapping.in_flight.is_some()) {
            (true, _) => Observed::Nothing,
            (false, true) => Observed::Orphan,
            (false, false) => Observed::Mapping(Box::new(observe_event(
                CalendarEventMapping { generation: own.generation, ..mapping },
                event,
            ))),
        };
    }
    let same = mapping
        .remote
        .as_ref()
        .is_some_and(|remote| remote.etag == event.etag && remote.deleted == event.is_cancelled());
    if same || (mapping.remote.is_none() && event.is_cancelled() && mapping.in_flight.is_none()) {
        return Observed::Nothing;
    }
    Observed::Mapping(Box::new(observe_event(mapping, event)))
}

/// Deletes orphans. False when one is left that a later attempt may delete.
pub async fn remove_orphans(
    round: &mut Round<'_>,
    orphans: Vec<(EventId, String)>,
    google: &mut GoogleSession<'_>,
) -> Result<bool, Failure> {
    if orphans.is_empty() {
        return Ok(true);
    }
    let mut clean = true;
    let operations: Vec<_> = orphans.into_iter().map(|(id, etag)| Operation::Delete { id, etag: Some(etag) }).collect();
    let deadline = round.request.deadline.min(round.sync.now() + TimeDelta::minutes(1));
    for outcome in google.batch(&operations, deadline).await? {
        match outcome {
            OperationOutcome::Deleted | OperationOutcome::Gone | OperationOutcome::Event(_) => {
                round.report.counts.events_deleted += 1;
            }
            OperationOutcome::RefusedForNow(_) if round.state.failures_met() >= backoff::MAX_ORPHAN_FAILURES => {}
            // It is listed again after a change; otherwise Google refuses for good.
            OperationOutcome::Changed
            | OperationOutcome::IdTaken
            | OperationOutcome::NotOrganizer(_)
            | OperationOutcome::Refused(_) => {}
            OperationOutcome::TryLater(CalendarError::Paced) => {
                clean = false;
                round.report.wait();
            }
            OperationOutcome::TryLater(_) | OperationOutcome::RefusedForNow(_) => {
                clean = false;
                round.report.leave(Left::Failed, "An event of ours that should not be there could not be deleted yet.");
            }
        }
    }
    Ok(clean)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::{
        model::{Fingerprint, Remote},
        testing::{key, lesson},
    };

    #[test]
    fn an_event_of_ours_is_gone_by_one_page_of_everything_and_looked_for_after_several() {
        let at = DateTime::UNIX_EPOCH;
        let mut mapping = CalendarEventMapping::new(key(1, 2), LessonId(Uuid::nil()), at, at);
        let remote = Remote {
            etag: "1".to_owned(),
            fingerprint: Fingerprint::of_lesson(&lesson(key(1, 2), 3, "Piano", at).content),
            deleted: false,
        };
        mapping.remote = Some(remote);
        let ids = [mapping.google_event_id()];
        let (none, earlier): (Mentions, Mentions) = (Mentions::default(), ids.iter().collect());
        for (unmentioned, names_all, becomes) in [
            (Unmentioned::AsBefore, true, None),
            (Unmentioned::Gone, true, Some(Some(true))),
            (Unmentioned::Gone, false, Some(None)),
            (Unmentioned::InDoubt(&earlier), true, None),
            (Unmentioned::InDoubt(&none), true, Some(None)),
        ] {
            let said = unmentioned.says_of(&mapping, names_all);
            assert_eq!(said.map(|missing| missing.remote.map(|remote| remote.deleted)), becomes, "{unmentioned:?}");
        }
    }
}
