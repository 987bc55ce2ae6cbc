//! From Google: lists what changed, stores it, and notes on mappings what Google shows of our own events. The cursor
//! moves only at the end of the round.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta};
use chrono_tz::Tz;

use super::{
    Failure,
    listed::Listed,
    round::{Delta, Round},
};
use crate::{
    Error, ErrorKind,
    decide::{
        backoff,
        inbound::{self, InboundPlan},
        outbound::observe,
        push::Brought,
    },
    model::{
        CalendarEventMapping, CalendarId, Cursor, Event, EventId, ExternalCalendarEvent, InstructorCalendarCredentials,
        LessonId, OwnEventId, SkippedEvent,
    },
    ports::{CalendarError, Listing, ListingOutcome, MarkUpdate, Operation, OperationOutcome},
    services::{concurrently::concurrently, google_session::GoogleSession},
};

/// Up to this many mappings are read one by one; for more, all are read at once.
const MAX_SINGLE_MAPPING_READS: usize = 20;

/// Lists the changes and stores them.
pub async fn import(
    round: &mut Round<'_>,
    credentials: &InstructorCalendarCredentials,
    google: &mut GoogleSession<'_>,
    writes: bool,
    changed: &mut Delta,
) -> Result<Listed, Failure> {
    let (key, calendar) = (credentials.key, &credentials.google_calendar_id);
    let began = round.sync.now();
    let deadline = round.request.deadline;
    let known = round.state.cursor.as_ref().filter(|cursor| cursor.serves(calendar, writes));
    let mut listing = google.list(known.map(|cursor| cursor.token.as_str()), deadline).await?;
    if listing.outcome == ListingOutcome::CursorLost {
        round
            .report
            .say("Google no longer accepted our place in its list of changes, so the whole calendar was listed anew.");
        round.report.changed = true;
        listing = google.list(None, deadline).await?;
    }
    let Listing { outcome, items, time_zone, .. } = listing;
    let is_delta = matches!(outcome, ListingOutcome::Delta { .. });
    let is_empty = items.is_empty();
    // A dead run may have stored rows without their conflicts. A delta mentions those rows again; in a full listing
    // they cannot be told from the others.
    changed.everything |= !is_delta;
    let (token, complete) = match outcome {
        ListingOutcome::Complete { token } => (Some(token), true),
        ListingOutcome::Delta { token } => (Some(token), false),
        ListingOutcome::Partial { error } if items.is_empty() || error == CalendarError::Paced => {
            return Err(failure(error));
        }
        ListingOutcome::Partial { error } => {
            round.report.quota_exceeded |= error == CalendarError::QuotaExceeded;
            round.report.leave(format!("The calendar was listed only in part ({error}); nothing was removed for it."));
            (None, false)
        }
        ListingOutcome::CursorLost => return Err(failure(CalendarError::Unavailable("no listing".into()))),
    };
    let zone = time_zone.unwrap_or(round.state.calendar_time_zone);
    let differs = zone != round.state.calendar_time_zone;
    let zone_changed = round.state.cursor.as_ref().is_some_and(|cursor| differs || cursor.days_move);
    if zone_changed {
        round.report.say(format!("The calendar moved to the time zone {zone}; its whole days were worked out anew."));
        changed.everything = true;
        // Rows are about to be moved. Should this run die before that is stored, the next one moves them again, also
        // when the calendar has moved back.
        round.state.cursor.iter_mut().for_each(|cursor| cursor.days_move = true);
        round.save().await?;
    }

    let plan = inbound::plan(key, calendar, zone, items);
    round.report.say_skipped(&plan.skipped);
    round.report.say_misread(&plan.misread);
    let own = observe_own(round, &plan, complete, zone).await?;
    let store = &round.sync.google.store;
    changed.gone = gone(round, calendar, &plan, complete).await?;
    let unmentioned = changed.gone.difference(&plan.remove).count();
    if complete && unmentioned > 0 {
        round.report.say(format!("{unmentioned} events that the calendar no longer holds were forgotten."));
    }
    changed.put = plan.put;
    let has_changes = own.has_changes() || !changed.put.is_empty() || !changed.gone.is_empty();
    let brought = if is_delta { Brought::of_delta(is_empty, has_changes) } else { Brought::Everything };
    store.put_external(key, &changed.put).await?;
    store.delete_external(key, &changed.removals()).await?;
    round.report.imported(changed);
    if zone_changed {
        replace_days(round, calendar, zone).await?;
    }
    changed.zone = zone;
    // An orphan is listed once: until it is deleted, the cursor stays before it. Where nothing may be deleted, the
    // cursor passes it, and is not used any more once deletions are allowed.
    let left_before = is_delta && round.state.cursor.as_ref().is_some_and(|cursor| cursor.past_strays);
    let past_strays = !writes && (left_before || !own.orphans.is_empty());
    let clean = !writes || remove_orphans(round, own.orphans, google).await?;
    let cursor = token.filter(|_| clean).map(|token| Cursor {
        token,
        shape: Cursor::shape_of(calendar),
        past_strays,
        days_move: false,
    });
    Ok(Listed { cursor, zone, began, brought })
}

/// Where nothing is imported: reads our own events alone, which may have been changed too, and stores nothing of the
/// others. False when a removal was refused and may succeed with the next try.
pub async fn look_after_own(
    round: &mut Round<'_>,
    credentials: &InstructorCalendarCredentials,
    google: &mut GoogleSession<'_>,
) -> Result<bool, Failure> {
    let listing = google.list(None, round.request.deadline).await?;
    if let ListingOutcome::Partial { error } = listing.outcome {
        return Err(failure(error));
    }
    let zone = listing.time_zone.unwrap_or(round.state.calendar_time_zone);
    round.state.calendar_time_zone = zone;
    let plan = inbound::plan(credentials.key, &credentials.google_calendar_id, zone, listing.items);
    let may_be_own =
        |skipped: &SkippedEvent| skipped.id.as_ref().is_none_or(|id| OwnEventId::decode(credentials.key, id).is_some());
    round.report.say_skipped(&plan.skipped.iter().filter(|skipped| may_be_own(skipped)).cloned().collect::<Vec<_>>());
    let own = observe_own(round, &plan, true, zone).await?;
    remove_orphans(round, own.orphans, google).await
}

/// Deletes all imports, since the direction no longer includes them.
pub async fn clear(round: &mut Round<'_>) -> Result<(), Failure> {
    let (store, key) = (&round.sync.google.store, round.request.key);
    let ids = store.external_ids(key).await?;
    if ids.is_empty() && round.state.cursor.is_none() {
        return Ok(());
    }
    // The cursor goes first: rows that were deleted while it remained would never come back.
    round.state.cursor = None;
    round.save().await?;
    let (store, key) = (&round.sync.google.store, round.request.key);
    store.delete_external(key, &ids).await?;
    round.report.changed = true;
    round.report.say("Events are no longer imported; those that were are forgotten.");
    Ok(())
}

fn failure(error: CalendarError) -> Failure {
    let refused = |code, text: String| Failure::Other(Error::new(ErrorKind::Refused, code, text));
    match error {
        CalendarError::QuotaExceeded => Failure::QuotaExceeded,
        CalendarError::Paced => Failure::Paced,
        CalendarError::CalendarGone(refusal) => {
            refused("calendar_gone", format!("Google no longer shows this calendar ({refusal})."))
        }
        CalendarError::Refused(refusal)
        | CalendarError::PushNotPossible(refusal)
        | CalendarError::PermissionWithdrawn(refusal)
        | CalendarError::ClientRefused(refusal) => {
            refused("google_refused", format!("Google refuses to show this calendar ({refusal})."))
        }
        error @ (CalendarError::Unauthorized(_) | CalendarError::RateLimited | CalendarError::Unavailable(_)) => {
            Failure::Other(Error::unavailable("google_unavailable", error))
        }
    }
}

/// The rows that are gone. Only a complete listing removes what it did not mention.
async fn gone(
    round: &Round<'_>,
    calendar: &CalendarId,
    plan: &InboundPlan,
    complete: bool,
) -> Result<BTreeSet<EventId>, Failure> {
    let (store, key) = (&round.sync.google.store, round.request.key);
    let live: BTreeSet<&EventId> = plan.put.iter().map(ExternalCalendarEvent::id).collect();
    let mut gone = plan.remove.clone();
    if complete {
        let stored = store.external_ids(key).await?;
        let left_out = plan.mentioned();
        gone.extend(stored.into_iter().map(|(_, id)| id).filter(|id| !live.contains(id) && !left_out.contains(id)));
    } else {
        for series in &plan.gone_series {
            let exceptions = store.exceptions_of(key, calendar, series).await?;
            gone.extend(exceptions.iter().map(ExternalCalendarEvent::id).filter(|id| !live.contains(id)).cloned());
        }
    }
    Ok(gone)
}

/// Stores whole-day events again, since days begin at another time now.
async fn replace_days(round: &mut Round<'_>, calendar: &CalendarId, zone: Tz) -> Result<(), Failure> {
    let (store, key) = (&round.sync.google.store, round.request.key);
    let ids = store.external_ids(key).await?;
    let looks = ids.iter().map(|(calendar, id)| store.external_event(key, calendar, id));
    let rows = concurrently(looks.collect()).await?;
    let events =
        rows.into_iter().flatten().map(|row| row.event).filter(|event| event.start.is_some_and(|start| start.is_day()));
    store.put_external(key, &inbound::plan(key, calendar, zone, events.map(Ok).collect()).put).await?;
    Ok(())
}

/// Notes on mappings what Google shows of our own events, and marks those that changed.
async fn observe_own(round: &Round<'_>, plan: &InboundPlan, complete: bool, zone: Tz) -> Result<OwnChanges, Failure> {
    let own = own_changes(round, plan, complete, zone).await?;
    let store = &round.sync.google.store;
    let saves = own.mappings.values().map(|mapping| store.save_mapping(mapping, MarkUpdate::Raise, &[]));
    concurrently(saves.collect()).await?;
    Ok(own)
}

struct OwnChanges {
    /// The mappings of events that changed, updated with what Google shows.
    mappings: BTreeMap<LessonId, CalendarEventMapping>,
    /// Live events of ours that should not exist: superseded generations, and series that Google split off one that was
    /// made recurring.
    orphans: Vec<(EventId, String)>,
}

impl OwnChanges {
    /// Whether the listing shows something new.
    fn has_changes(&self) -> bool {
        !self.mappings.is_empty() || !self.orphans.is_empty()
    }
}

async fn own_changes(round: &Round<'_>, plan: &InboundPlan, complete: bool, zone: Tz) -> Result<OwnChanges, Failure> {
    let (store, key) = (&round.sync.google.store, round.request.key);
    let mut orphans: Vec<_> = plan.own_parts.iter().map(|event| (event.id.clone(), event.etag.clone())).collect();
    let mut mappings: BTreeMap<LessonId, CalendarEventMapping> = BTreeMap::new();
    if complete || plan.own.len() > MAX_SINGLE_MAPPING_READS {
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
    if complete {
        let mentioned = plan.mentioned();
        for mapping in mappings.values() {
            let live = mapping.remote.as_ref().is_some_and(|remote| !remote.deleted);
            if live && !mentioned.contains(&mapping.google_event_id()) && !changed.contains_key(&mapping.lesson_id) {
                let mut missing = mapping.clone();
                missing.edited_by_others = true;
                if plan.names_all() {
                    missing.remote.iter_mut().for_each(|remote| remote.deleted = true);
                    // The event is gone, whatever write was in flight.
                    missing.replaces = None;
                } else {
                    // An item without an id may be this event: fetch it.
                    missing.remote = None;
                }
                changed.insert(missing.lesson_id, missing);
            }
        }
    }
    Ok(OwnChanges { mappings: changed, orphans })
}

enum Observed {
    Nothing,
    Orphan,
    Mapping(Box<CalendarEventMapping>),
}

/// What a listed event of ours means for its mapping.
fn observed(
    key: crate::model::ConnectionKey,
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
        let at = |time: Option<crate::model::EventTime>| time.map_or(DateTime::UNIX_EPOCH, |time| time.instant(zone));
        let mut found = CalendarEventMapping::new(key, own.lesson_id, at(event.start), at(event.end));
        found.generation = own.generation;
        return Observed::Mapping(Box::new(observe(found, event)));
    };
    if mapping.generation != own.generation {
        let live = mapping.remote.as_ref().is_some_and(|remote| !remote.deleted);
        return match (event.is_cancelled(), live || mapping.in_flight.is_some()) {
            (true, _) => Observed::Nothing,
            (false, true) => Observed::Orphan,
            (false, false) => Observed::Mapping(Box::new(observe(
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
    Observed::Mapping(Box::new(observe(mapping, event)))
}

/// Deletes orphans. False when one is left that a later attempt may delete.
async fn remove_orphans(
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
            OperationOutcome::RefusedForNow(_) if round.state.failures >= backoff::MAX_ORPHAN_FAILURES => {}
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
                round.report.leave("An event of ours that should not be there could not be deleted yet.");
            }
        }
    }
    Ok(clean)
}
