//! From listing to rows: which listed events are ours, which are stored, removed or skipped.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use crate::{
    model::{
        CalendarId, ConnectionKey, Event, EventId, ExternalCalendarEvent, Mentions, OwnEventId, SkipReason,
        SkippedEvent,
    },
    recurrence::Series,
};

/// What follows from a listing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InboundPlan {
    /// Our own events as Google shows them.
    pub own: Vec<(OwnEventId, Event)>,
    /// Live series that Google split off an event of ours that was made recurring.
    pub own_parts: Vec<Event>,
    /// Rows to store.
    pub put: Vec<ExternalCalendarEvent>,
    /// Rows to remove. The row of a skipped event goes too, since its times may no longer be true. Not that of an
    /// exception: without it, the series would occur where the row says that it does not.
    pub remove: BTreeSet<EventId>,
    /// Series that are gone. Their stored exceptions go too, except those in `put`.
    pub gone_series: BTreeSet<EventId>,
    /// Events that were over too long ago to be stored. They are no mention, so that a complete listing removes the rows that
    /// they have from before; a delta removes them by name.
    pub past: BTreeSet<EventId>,
    pub skipped: Vec<SkippedEvent>,
    /// Series with a line that was not fully understood.
    pub misread: Vec<EventId>,
}

impl InboundPlan {
    /// Whether every item has an id. One without an id could be any event, so that no event of ours is known to be
    /// unmentioned.
    pub fn names_all(&self) -> bool {
        self.skipped.iter().all(|skipped| skipped.id.is_some())
    }

    /// The events of the listing that have no row to store: ours, and the skipped ones.
    pub fn mentioned(&self) -> BTreeSet<&EventId> {
        let read = self.own.iter().map(|(_, event)| &event.id);
        read.chain(self.skipped.iter().filter_map(|skipped| skipped.id.as_ref())).collect()
    }

    /// All events of the listing that are live, or may be.
    pub fn mentions(&self) -> Mentions {
        self.put.iter().map(ExternalCalendarEvent::id).chain(self.mentioned()).collect()
    }

    /// Skips an event that is not ours.
    fn skip(&mut self, id: EventId, reason: SkipReason) {
        if !id.is_exception() {
            self.remove.insert(id.clone());
        }
        self.skipped.push(SkippedEvent { id: Some(id), reason });
    }

    /// Imports an event that is not ours. A cancelled occurrence keeps the place that its series gave it.
    fn take(&mut self, calendar: &CalendarId, zone: Tz, now: DateTime<Utc>, mut event: Event) {
        let id = event.id.clone();
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
            Some(row) if row.is_past(now) => drop(self.past.insert(id)),
            Some(row) => self.put.push(row),
            None => {
                self.remove.insert(id);
            }
        }
    }
}

/// Sorts listed items. Of an event that is listed twice, the later mention counts.
pub fn plan(
    key: ConnectionKey,
    calendar: &CalendarId,
    zone: Tz,
    now: DateTime<Utc>,
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
            Err(reason) if OwnEventId::decode(key, &id).is_some() => {
                plan.skipped.push(SkippedEvent { id: Some(id), reason });
                continue;
            }
            Err(reason) => {
                plan.skip(id, reason);
                continue;
            }
        };
        if let Some(own) = OwnEventId::decode(key, &id) {
            match OwnEventId::part(&id) {
                None => plan.own.push((own, event)),
                Some(part) if part.starts_with('R') && !event.is_cancelled() => plan.own_parts.push(event),
                // An instance goes with its series, and the series is ours to restore.
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
        plan.take(calendar, zone, now, event);
    }
    plan
}

#[cfg(test)]
#[path = "inbound_tests.rs"]
mod tests;
