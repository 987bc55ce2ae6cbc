//! Lists the imported events in a range, with the lessons that they overlap.

use std::{collections::BTreeMap, sync::Arc};

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;

use super::sync_now::not_connected;
use crate::{
    Result,
    decide::occurrences,
    model::{ConnectionKey, ExternalCalendarEvent, SchedulingConflict, Window},
    ports::{Clock, Store},
};

/// Occurrences on one page.
pub const OCCURRENCES_PER_PAGE: usize = 100;
/// Lessons that are named with one occurrence: some last for months.
const MAX_CONFLICTS_PER_OCCURRENCE: usize = 100;

#[derive(Debug, Clone)]
pub struct ListExternalEvents {
    pub window: Window,
    /// Only events that have a live conflict.
    pub conflicts_only: bool,
    /// The last occurrence of the previous page: its start and its event's id.
    pub after: Option<(DateTime<Utc>, String)>,
}

impl ListExternalEvents {
    /// The part of the window that earlier pages leave: occurrences that began before this page were on them. One second
    /// earlier, so that it overlaps an occurrence of no length at its start.
    fn left(&self) -> Window {
        let Window { from, to } = self.window;
        let begins = self.after.as_ref().and_then(|(start, _)| start.checked_sub_signed(TimeDelta::seconds(1)));
        Window { from: begins.map_or(from, |begins| begins.max(from).min(to)), to }
    }
}

#[derive(Debug, Clone)]
pub struct Occurrence {
    /// An event, a series or an exception.
    pub row: ExternalCalendarEvent,
    pub start: DateTime<Utc>,
    pub end: DateTime<Utc>,
    pub conflicts: Vec<SchedulingConflict>,
}

/// Ordered by start.
#[derive(Debug)]
pub struct Page {
    pub occurrences: Vec<Occurrence>,
    pub more: bool,
    /// The calendar's zone.
    pub time_zone: Tz,
    /// Whether the instructor shows administrators what their events are.
    pub shares_titles: bool,
}

impl Page {
    /// The page with times alone, for those who are not to see what the events are.
    #[must_use]
    pub fn without_plans(self) -> Self {
        let alone = |occurrence: Occurrence| Occurrence { row: occurrence.row.without_plans(), ..occurrence };
        Self { occurrences: self.occurrences.into_iter().map(alone).collect(), ..self }
    }
}

pub struct ReadExternalEvents {
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
}

impl ReadExternalEvents {
    pub async fn list(&self, key: ConnectionKey, request: &ListExternalEvents) -> Result<Page> {
        let (credentials, state) = futures::try_join!(self.store.credentials(key), self.store.state(key))?;
        let Some((credentials, state)) = credentials.zip(state) else {
            return Err(not_connected(self.store.as_ref(), key).await);
        };
        let zone = state.calendar_time_zone;
        let window = request.left();
        let (lookup, conflicts) = if window.from < window.to {
            futures::try_join!(self.store.external_between(key, window), self.store.conflicts(key))?
        } else {
            // All of it lies before what is known.
            Default::default()
        };
        let mut by_family: BTreeMap<&str, Vec<&SchedulingConflict>> = BTreeMap::new();
        for pair in &conflicts {
            by_family.entry(pair.google_event_id.family()).or_default().push(pair);
        }
        let pairs_of = |row: &ExternalCalendarEvent| by_family.get(row.id().family()).into_iter().flatten().copied();
        // A series may have many occurrences and a long text: only occurrences of the page are copied.
        let after = request.after.as_ref().map(|(start, id)| (*start, id.as_str()));
        let mut found = Vec::new();
        occurrences::each(&lookup, window, zone, |row, start, end| {
            let place = (start, row.id().as_str());
            let conflicts = || pairs_of(row).any(|pair| pair.is_live() && conflict(pair, row, [start, end]).is_some());
            if after.is_none_or(|after| place > after) && (!request.conflicts_only || conflicts()) {
                found.push((place, row, end));
            }
        });
        found.sort_by_key(|(place, ..)| *place);
        let more = found.len() > OCCURRENCES_PER_PAGE;
        found.truncate(OCCURRENCES_PER_PAGE);
        let occurrence = |(place, row, end): ((DateTime<Utc>, &str), &ExternalCalendarEvent, DateTime<Utc>)| {
            // Live ones first, so that ignored ones take no place from them.
            let (live, ignored): (Vec<_>, Vec<_>) = pairs_of(row).partition(|pair| pair.is_live());
            let conflicts = live.into_iter().chain(ignored).filter_map(|pair| conflict(pair, row, [place.0, end]));
            let conflicts = conflicts.take(MAX_CONFLICTS_PER_OCCURRENCE).collect();
            Occurrence { row: row.clone(), start: place.0, end, conflicts }
        };
        let occurrences = found.into_iter().map(occurrence).collect();
        Ok(Page { occurrences, more, time_zone: zone, shares_titles: credentials.settings.share_titles })
    }
}

/// How an occurrence overlaps the lesson of a pair with its event, if it does. The pair names the first that does.
fn conflict(
    pair: &SchedulingConflict,
    row: &ExternalCalendarEvent,
    [start, end]: [DateTime<Utc>; 2],
) -> Option<SchedulingConflict> {
    let overlaps = start < pair.lesson_end && end > pair.lesson_start && start < end;
    (overlaps && row.event.blocks() && row.event.lesson_id != Some(pair.lesson_id)).then(|| SchedulingConflict {
        google_event_id: row.id().clone(),
        occurrence_start: start,
        overlap_start: start.max(pair.lesson_start),
        overlap_end: end.min(pair.lesson_end),
        ..pair.clone()
    })
}

impl Occurrence {
    /// Whether one of its conflicts is live.
    pub fn has_conflict(&self) -> bool {
        self.conflicts.iter().any(SchedulingConflict::is_live)
    }

    /// Its place in the order of occurrences.
    pub fn place(&self) -> (DateTime<Utc>, &str) {
        (self.start, self.row.id().as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_looks_at_what_earlier_pages_leave_of_the_window() {
        let at = |day: &str| format!("2026-03-{day}Z").parse::<DateTime<Utc>>().unwrap();
        let window = Window { from: at("01T00:00:00"), to: at("08T00:00:00") };
        for (after, from) in [
            (None, "01T00:00:00"),
            (Some(at("03T08:00:00")), "03T07:59:59"),
            (Some(window.from - TimeDelta::days(9)), "01T00:00:00"),
            (Some(window.to + TimeDelta::days(9)), "08T00:00:00"),
            (Some(DateTime::<Utc>::MIN_UTC), "01T00:00:00"),
        ] {
            let after = after.map(|start| (start, "event".to_owned()));
            let request = ListExternalEvents { window, conflicts_only: false, after };
            assert_eq!(request.left(), Window { from: at(from), to: window.to }, "{request:?}");
        }
    }
}
