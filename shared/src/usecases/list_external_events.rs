//! What the instructor planned in Google, in a range, with the lessons that it overlaps (design rule E2).

use std::{collections::BTreeMap, sync::Arc};

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use super::sync_now::not_connected;
use crate::{
    Result,
    model::{ConnectionKey, ExternalCalendarEvent, SchedulingConflict, Window},
    ports::{Clock, Store},
    reconcile::occurrences,
};

/// Occurrences on one page.
pub const PAGE: usize = 100;

/// What is asked for.
#[derive(Debug, Clone)]
pub struct ListExternalEvents {
    /// From when to when.
    pub window: Window,
    /// Only events that overlap a lesson.
    pub conflicts_only: bool,
    /// After which occurrence the page begins: its beginning and its event's id.
    pub after: Option<(DateTime<Utc>, String)>,
}

/// One occurrence of an event.
#[derive(Debug, Clone)]
pub struct Occurrence {
    /// The event, series or exception.
    pub row: ExternalCalendarEvent,
    /// When it begins.
    pub start: DateTime<Utc>,
    /// When it ends.
    pub end: DateTime<Utc>,
    /// The lessons that it overlaps.
    pub conflicts: Vec<SchedulingConflict>,
}

/// A page of occurrences, in the order of their beginning.
#[derive(Debug)]
pub struct Page {
    /// The occurrences.
    pub occurrences: Vec<Occurrence>,
    /// Whether there are more.
    pub more: bool,
    /// The zone of the calendar.
    pub time_zone: Tz,
}

/// Reads imported events.
pub struct ReadExternalEvents {
    /// Where they are kept.
    pub store: Arc<dyn Store>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

impl ReadExternalEvents {
    /// Lists a page.
    pub async fn list(&self, key: ConnectionKey, request: &ListExternalEvents) -> Result<Page> {
        let Some(state) = self.store.state(key).await? else {
            return Err(not_connected(self.store.as_ref(), key).await);
        };
        let zone = state.calendar_time_zone;
        let (lookup, conflicts) =
            futures::try_join!(self.store.external_between(key, request.window), self.store.conflicts(key))?;
        let mut by_occurrence: BTreeMap<(String, DateTime<Utc>), Vec<SchedulingConflict>> = BTreeMap::new();
        for pair in conflicts {
            by_occurrence.entry((pair.google_event_id.0.clone(), pair.occurrence_start)).or_default().push(pair);
        }
        let mut found = Vec::new();
        occurrences::each(&lookup, request.window, zone, |row, start, end| {
            let conflicts = by_occurrence.remove(&(row.id().0.clone(), start)).unwrap_or_default();
            if !request.conflicts_only || !conflicts.is_empty() {
                found.push(Occurrence { row: row.clone(), start, end, conflicts });
            }
        });
        found.sort_by(|a, b| a.place().cmp(&b.place()));
        if let Some((start, id)) = &request.after {
            found.retain(|occurrence| occurrence.place() > (*start, id.as_str()));
        }
        let more = found.len() > PAGE;
        found.truncate(PAGE);
        Ok(Page { occurrences: found, more, time_zone: zone })
    }
}

impl Occurrence {
    /// Where it stands among the others.
    pub fn place(&self) -> (DateTime<Utc>, &str) {
        (self.start, self.row.id().as_str())
    }
}
