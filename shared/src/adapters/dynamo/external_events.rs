//! `external_calendar_events`: events, series and exceptions as Google keeps them.
//!
//! The sort attribute is calendar and event id, so that a series' exceptions (`<series>_<original start>`) stand
//! beside it. The index `upcoming_external_events` sorts what may block by its `agenda`: short events by when they
//! begin, long ones and series by when they end, so that a look at a week reads neither the past nor the year. It holds
//! what is read of a row, which is all but the columns for readers of the table.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use async_trait::async_trait;
use aws_sdk_dynamodb::types::{PutRequest, WriteRequest};
use chrono::{DateTime, Utc};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde::{Deserialize, Serialize};

use super::{
    DynamoStore,
    items::{Item, from_item, text, to_item},
    keys,
    requests::{Index, MAX_CONCURRENT_REQUESTS, Query, removal},
    tables::UPCOMING_EXTERNAL_EVENTS,
};
use crate::{
    Error, Result,
    model::{
        CalendarId, ConnectionKey, Event, EventId, EventStatus, EventTime, EventType, ExternalCalendarEvent,
        InstructorId, LessonId, TenantId, Window, timestamp,
    },
    ports::{ExternalEventStore, ExternalLookup},
};

#[derive(Serialize, Deserialize)]
struct Row {
    /// For readers of the table, as `instructor_id`, and not read.
    #[serde(skip_deserializing)]
    tenant_id: Option<TenantId>,
    #[serde(skip_deserializing)]
    instructor_id: Option<InstructorId>,
    calendar_id: CalendarId,
    google_event_id: EventId,
    #[serde(with = "timestamp")]
    event_start: DateTime<Utc>,
    #[serde(default, with = "timestamp::option")]
    event_end: Option<DateTime<Utc>>,
    event_status: EventStatus,
    /// For readers of the table; derived from `start`, and not read.
    #[serde(skip_deserializing)]
    all_day_event: Option<bool>,
    event_type: EventType,
    summary: Option<String>,
    location: Option<String>,
    start: Option<EventTime>,
    end: Option<EventTime>,
    #[serde(default)]
    recurrence: Vec<String>,
    recurring_event_id: Option<EventId>,
    original_start: Option<EventTime>,
    transparent: bool,
    private: bool,
    declined: bool,
    lesson_id: Option<LessonId>,
    #[serde(skip_deserializing)]
    agenda: Option<String>,
    /// In seconds: when the table removes the row. It is not read.
    #[serde(skip_deserializing)]
    ttl: Option<i64>,
}

fn put_item(key: ConnectionKey, external: &ExternalCalendarEvent) -> Result<Item> {
    let event = &external.event;
    let mut item = to_item(&Row {
        tenant_id: Some(key.tenant_id),
        instructor_id: Some(key.instructor_id),
        calendar_id: external.calendar_id.clone(),
        google_event_id: event.id.clone(),
        event_start: external.event_start,
        event_end: external.event_end,
        event_status: event.status,
        all_day_event: Some(event.start.is_some_and(|start| start.is_day())),
        event_type: event.event_type,
        summary: event.summary.clone(),
        location: event.location.clone(),
        start: event.start,
        end: event.end,
        recurrence: event.recurrence.clone(),
        recurring_event_id: event.recurring_event_id.clone(),
        original_start: event.original_start,
        transparent: event.transparent,
        private: event.private,
        declined: event.declined,
        lesson_id: event.lesson_id,
        agenda: keys::agenda(external),
        ttl: external.expires_at().map(|at| at.timestamp()),
    })?;
    item.extend(keys::external_event(key, &external.calendar_id, &event.id));
    Ok(item)
}

fn read(item: Item) -> Result<ExternalCalendarEvent> {
    let row: Row = from_item(item)?;
    Ok(ExternalCalendarEvent {
        calendar_id: row.calendar_id,
        event_start: row.event_start,
        event_end: row.event_end,
        event: Event {
            id: row.google_event_id,
            status: row.event_status,
            summary: row.summary,
            location: row.location,
            start: row.start,
            end: row.end,
            recurrence: row.recurrence,
            recurring_event_id: row.recurring_event_id,
            original_start: row.original_start,
            transparent: row.transparent,
            private: row.private,
            event_type: row.event_type,
            declined: row.declined,
            lesson_id: row.lesson_id,
            ..Event::default()
        },
    })
}

#[async_trait]
impl ExternalEventStore for DynamoStore {
    async fn external_between(&self, key: ConnectionKey, window: Window) -> Result<ExternalLookup> {
        let earliest = window.from - ExternalCalendarEvent::LONG_EVENT_DURATION;
        let (short, long, series) = futures::try_join!(
            on_agenda(self, key, keys::short_events(earliest, window.to)),
            on_agenda(self, key, keys::long_events(window.from)),
            on_agenda(self, key, keys::series(window.from)),
        )?;
        let overlaps = |external: &ExternalCalendarEvent| {
            external.event_start < window.to && external.event_end.is_none_or(|end| end > window.from)
        };
        let series: Vec<_> = stream::iter(series.into_iter().filter(overlaps))
            .map(|series| async move {
                let exceptions = self.exceptions_of(key, &series.calendar_id, series.id()).await?;
                Ok::<_, Error>((series, exceptions))
            })
            .buffered(MAX_CONCURRENT_REQUESTS)
            .try_collect()
            .await?;
        let found: HashSet<_> = series.iter().map(|(series, _)| (&series.calendar_id, series.id())).collect();
        let comes_along = |external: &ExternalCalendarEvent| {
            external
                .event
                .recurring_event_id
                .as_ref()
                .is_some_and(|series| found.contains(&(&external.calendar_id, series)))
        };
        let events = short.into_iter().chain(long).filter(|event| overlaps(event) && !comes_along(event)).collect();
        Ok(ExternalLookup { events, series })
    }

    async fn external_event(
        &self,
        key: ConnectionKey,
        calendar: &CalendarId,
        id: &EventId,
    ) -> Result<Option<ExternalCalendarEvent>> {
        self.get(&self.names.external_events, keys::external_event(key, calendar, id)).await?.map(read).transpose()
    }

    async fn titles(
        &self,
        key: ConnectionKey,
        events: &BTreeSet<(CalendarId, EventId)>,
    ) -> Result<BTreeMap<(CalendarId, EventId), String>> {
        #[derive(Deserialize)]
        struct Titled {
            calendar_id: CalendarId,
            google_event_id: EventId,
            summary: Option<String>,
            private: bool,
        }
        let rows = events.iter().map(|(calendar, id)| keys::external_event(key, calendar, id)).collect();
        let only = Some("#calendar_id, #google_event_id, #summary, #private");
        let found = self.batch_get(&self.names.external_events, rows, only).await?;
        let titled: Vec<Titled> = found.into_iter().map(from_item).collect::<Result<_>>()?;
        let title = |row: Titled| Some(((row.calendar_id, row.google_event_id), row.summary?));
        Ok(titled.into_iter().filter(|row| !row.private).filter_map(title).collect())
    }

    /// A series split off another (`<series>_R<start>`) and its exceptions have the same prefix, but do not belong to
    /// it.
    async fn exceptions_of(
        &self,
        key: ConnectionKey,
        calendar: &CalendarId,
        series: &EventId,
    ) -> Result<Vec<ExternalCalendarEvent>> {
        let prefix = keys::event_prefix(calendar, &format!("{}_", series.stem()));
        let found = self.beginning_with(&self.names.external_events, key, ("event", &prefix), None).await?;
        let mut exceptions: Vec<_> = found.into_iter().map(read).collect::<Result<_>>()?;
        exceptions.retain(|external| external.event.recurring_event_id.as_ref() == Some(series));
        Ok(exceptions)
    }

    async fn external_ids(&self, key: ConnectionKey) -> Result<Vec<(CalendarId, EventId)>> {
        #[derive(Deserialize)]
        struct Ids {
            calendar_id: CalendarId,
            google_event_id: EventId,
        }
        let found = self
            .query(Query {
                table: &self.names.external_events,
                condition: "#connection = :connection",
                values: vec![(":connection", text(key))],
                only: Some("#calendar_id, #google_event_id"),
                ..Query::default()
            })
            .await?;
        found.into_iter().map(|item| from_item(item).map(|ids: Ids| (ids.calendar_id, ids.google_event_id))).collect()
    }

    /// Of events with the same key the last is stored; a batch must not name a key twice.
    async fn put_external(&self, key: ConnectionKey, events: &[ExternalCalendarEvent]) -> Result<()> {
        let mut writes = BTreeMap::new();
        for event in events {
            let put = PutRequest::builder().set_item(Some(put_item(key, event)?)).build().map_err(Error::internal)?;
            writes.insert((&event.calendar_id, event.id()), WriteRequest::builder().put_request(put).build());
        }
        self.batch_write(&self.names.external_events, writes.into_values().collect()).await
    }

    async fn delete_external(&self, key: ConnectionKey, ids: &[(CalendarId, EventId)]) -> Result<()> {
        let mut writes = BTreeMap::new();
        for (calendar, id) in ids {
            let row = keys::external_event(key, calendar, id);
            writes.insert((calendar, id), removal(row)?);
        }
        self.batch_write(&self.names.external_events, writes.into_values().collect()).await
    }
}

async fn on_agenda(
    store: &DynamoStore,
    key: ConnectionKey,
    [from, to]: [String; 2],
) -> Result<Vec<ExternalCalendarEvent>> {
    let found = store
        .query(Query {
            table: &store.names.external_events,
            index: Some(Index::Local(UPCOMING_EXTERNAL_EVENTS)),
            condition: "#connection = :connection AND #agenda BETWEEN :from AND :to",
            values: vec![(":connection", text(key)), (":from", text(from)), (":to", text(to))],
            ..Query::default()
        })
        .await?;
    found.into_iter().map(read).collect()
}
