//! From listing to rows: which of the listed events are ours, which are stored, which are removed, which are left out.

use std::collections::{BTreeMap, BTreeSet};

use chrono_tz::Tz;

use crate::{
    model::{CalendarId, ConnectionKey, Event, EventId, ExternalCalendarEvent, OwnEventId, SkipReason, SkippedEvent},
    recurrence::Series,
};

/// What a listing asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InboundPlan {
    /// What Google shows of our own events.
    pub own: Vec<(OwnEventId, Event)>,
    /// Live series that Google split off an event of ours that somebody had made recurring.
    pub own_parts: Vec<Event>,
    /// Rows to store.
    pub put: Vec<ExternalCalendarEvent>,
    /// Rows to remove. The row of an event that is left out goes too: its times may no longer be true.
    pub remove: BTreeSet<EventId>,
    /// Series that are gone: their stored exceptions go too, save those in `put`.
    pub gone_series: BTreeSet<EventId>,
    /// Events that are left out.
    pub skipped: Vec<SkippedEvent>,
    /// Series of which not every line is understood.
    pub misread: Vec<EventId>,
}

impl InboundPlan {
    /// Whether each item has an id. One without may be any event, so that none is known not to be mentioned.
    pub fn names_all(&self) -> bool {
        self.skipped.iter().all(|skipped| skipped.id.is_some())
    }

    /// The events of ours that are mentioned, by their ids. (Those of others that are left out do no harm here.)
    pub fn mentioned(&self) -> BTreeSet<&EventId> {
        let read = self.own.iter().map(|(_, event)| &event.id);
        read.chain(self.skipped.iter().filter_map(|skipped| skipped.id.as_ref())).collect()
    }

    /// Leaves out an event that is not ours.
    fn skip(&mut self, id: EventId, reason: SkipReason) {
        self.remove.insert(id.clone());
        self.skipped.push(SkippedEvent { id: Some(id), reason });
    }

    /// Takes in an event that is not ours. A cancelled occurrence stands where its series had it.
    fn take(&mut self, calendar: &CalendarId, zone: Tz, mut event: Event) {
        let id = event.id.clone();
        if ExternalCalendarEvent::is_too_large(&event) {
            return self.skip(id, SkipReason::TooLarge);
        }
        if event.is_cancelled() {
            event.start = event.start.or(event.original_start);
            event.end = event.end.or(event.original_start);
        }
        let series = Series::read(&event, zone).filter(|_| event.is_series());
        let Ok(extent) = series.as_ref().map(Series::extent).transpose() else {
            return self.skip(id, SkipReason::TooMuchWork);
        };
        if series.is_some_and(|series| series.misread() > 0) {
            self.misread.push(id.clone());
        }
        match ExternalCalendarEvent::new(calendar, event, zone, extent) {
            Some(row) => self.put.push(row),
            None => {
                self.remove.insert(id);
            }
        }
    }
}

/// Sorts listed items. Of an event that is listed twice the later mention counts.
pub fn plan(
    key: ConnectionKey,
    calendar: &CalendarId,
    zone: Tz,
    items: Vec<Result<Event, SkippedEvent>>,
) -> InboundPlan {
    let mut plan = InboundPlan::default();
    let mut latest = BTreeMap::new();
    for item in items {
        match item {
            Ok(event) => drop(latest.insert(event.id.clone(), Ok(event))),
            Err(SkippedEvent { id: Some(id), reason }) => drop(latest.insert(id, Err(reason))),
            Err(unnamed) => plan.skipped.push(unnamed),
        }
    }
    for (id, item) in latest {
        let event = match item {
            Ok(event) => event,
            Err(reason) => {
                if OwnEventId::decode(key, &id).is_none() {
                    plan.remove.insert(id.clone());
                }
                plan.skipped.push(SkippedEvent { id: Some(id), reason });
                continue;
            }
        };
        if let Some(own) = OwnEventId::decode(key, &id) {
            match OwnEventId::part(&id) {
                None => plan.own.push((own, event)),
                Some(part) if part.starts_with('R') && !event.is_cancelled() => plan.own_parts.push(event),
                // An instance goes when its series does, and the series is ours to put back.
                Some(_) => {}
            }
            continue;
        }
        let of_series = event.recurring_event_id.is_some();
        if event.is_cancelled() && !of_series {
            plan.gone_series.insert(id.clone());
            plan.remove.insert(id);
            continue;
        }
        plan.take(calendar, zone, event);
    }
    plan
}

#[cfg(test)]
#[path = "inbound_tests.rs"]
mod tests;
