//! Imported events, found by what they may overlap.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use calendar_sync::{
    Error, Result,
    model::{CalendarId, ConnectionKey, EventId, ExternalCalendarEvent, Window},
    ports::{ExternalEventStore, ExternalLookup},
};

use super::{MemoryStore, Stored, Table, Tables};

#[async_trait]
impl ExternalEventStore for MemoryStore {
    async fn external_between(&self, key: ConnectionKey, window: Window) -> Result<ExternalLookup> {
        self.read(|tables| tables.external_between(key, window)).await
    }

    async fn external_event(
        &self,
        key: ConnectionKey,
        calendar: &CalendarId,
        id: &EventId,
    ) -> Result<Option<ExternalCalendarEvent>> {
        self.read(|tables| tables.external.get(&(key, calendar.clone(), id.clone())).cloned()).await
    }

    async fn titles(
        &self,
        key: ConnectionKey,
        events: &BTreeSet<(CalendarId, EventId)>,
    ) -> Result<BTreeMap<(CalendarId, EventId), String>> {
        let of = |row: &ExternalCalendarEvent| (row.calendar_id.clone(), row.id().clone());
        self.read(|tables| {
            let titled = tables.external_of(key).filter(|row| !row.event.private && events.contains(&of(row)));
            titled.filter_map(|row| Some((of(row), row.event.summary.clone()?))).collect()
        })
        .await
    }

    async fn exceptions_of(
        &self,
        key: ConnectionKey,
        calendar: &CalendarId,
        series: &EventId,
    ) -> Result<Vec<ExternalCalendarEvent>> {
        self.read(|tables| tables.exceptions_of(key, calendar, series)).await
    }

    async fn external_ids(&self, key: ConnectionKey) -> Result<Vec<(CalendarId, EventId)>> {
        self.read(|tables| tables.external_of(key).map(|row| (row.calendar_id.clone(), row.id().clone())).collect())
            .await
    }

    async fn put_external(&self, key: ConnectionKey, events: &[ExternalCalendarEvent]) -> Result<()> {
        if events.iter().any(is_too_large) {
            return Err(Error::internal("Item size has exceeded the maximum allowed size"));
        }
        self.write_batch(Table::ExternalEvents, events, |tables, event| tables.put_external(key, event)).await
    }

    async fn delete_external(&self, key: ConnectionKey, ids: &[(CalendarId, EventId)]) -> Result<()> {
        let remove = |tables: &mut Tables, (calendar, id): &(CalendarId, EventId)| {
            drop(tables.external.remove(&(key, calendar.clone(), id.clone())));
        };
        self.write_batch(Table::ExternalEvents, ids, remove).await
    }
}

/// Bytes of an item that DynamoDB takes at most.
const MAX_ITEM_BYTES: usize = 400 * 1024;

/// Whether DynamoDB takes no such item.
fn is_too_large(event: &ExternalCalendarEvent) -> bool {
    let texts = [&event.event.summary, &event.event.location];
    let lines = event.event.recurrence.iter().map(String::len).sum::<usize>();
    lines + texts.into_iter().flatten().map(String::len).sum::<usize>() > MAX_ITEM_BYTES
}

impl Tables {
    pub fn external_of(&self, key: ConnectionKey) -> impl Iterator<Item = &ExternalCalendarEvent> {
        self.external.iter().filter(move |((of, ..), _)| *of == key).map(|(_, row)| row)
    }

    pub(super) fn put_external(&mut self, key: ConnectionKey, event: &ExternalCalendarEvent) {
        self.journal.push(Stored::ExternalEvent);
        self.external.insert((key, event.calendar_id.clone(), event.id().clone()), event.clone());
    }

    /// What may occur in the window.
    pub fn external_between(&self, key: ConnectionKey, window: Window) -> ExternalLookup {
        let overlaps = |row: &&ExternalCalendarEvent| {
            !row.event.is_cancelled()
                && row.event_start < window.to
                && row.event_end.is_none_or(|end| end > window.from)
        };
        let (series, single): (Vec<_>, Vec<_>) =
            self.external_of(key).filter(overlaps).cloned().partition(|row| row.event.is_series());
        let comes_along = |row: &ExternalCalendarEvent| {
            let of_series = |(calendar, id): (&CalendarId, &EventId)| {
                *calendar == row.calendar_id && row.event.recurring_event_id.as_ref() == Some(id)
            };
            series.iter().any(|series| of_series((&series.calendar_id, series.id())))
        };
        let events = single.into_iter().filter(|row| !comes_along(row)).collect();
        let with_exceptions = |series: ExternalCalendarEvent| {
            let exceptions = self.exceptions_of(key, &series.calendar_id, series.id());
            (series, exceptions)
        };
        ExternalLookup { events, series: series.into_iter().map(with_exceptions).collect() }
    }

    pub(super) fn exceptions_of(
        &self,
        key: ConnectionKey,
        calendar: &CalendarId,
        series: &EventId,
    ) -> Vec<ExternalCalendarEvent> {
        let prefix = format!("{}_", series.stem());
        let of_series = |row: &&ExternalCalendarEvent| {
            row.calendar_id == *calendar
                && row.id().as_str().starts_with(&prefix)
                && row.event.recurring_event_id.as_ref() == Some(series)
        };
        self.external_of(key).filter(of_series).cloned().collect()
    }
}
