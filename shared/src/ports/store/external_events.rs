//! Imported events.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;

use crate::{
    Result,
    model::{CalendarId, ConnectionKey, EventId, ExternalCalendarEvent, Window},
};

/// All that may occur in a window: single events that overlap it, and each series that has not ended, with all its
/// exceptions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExternalLookup {
    /// Single events, and exceptions whose series is not stored.
    pub events: Vec<ExternalCalendarEvent>,
    /// Series with their exceptions.
    pub series: Vec<(ExternalCalendarEvent, Vec<ExternalCalendarEvent>)>,
}

#[async_trait]
pub trait ExternalEventStore: Send + Sync {
    async fn external_between(&self, key: ConnectionKey, window: Window) -> Result<ExternalLookup>;
    /// One event, series or exception.
    async fn external_event(
        &self,
        key: ConnectionKey,
        calendar: &CalendarId,
        id: &EventId,
    ) -> Result<Option<ExternalCalendarEvent>>;
    /// The titles of events, series and exceptions: none where there is none, or where it is private.
    async fn titles(
        &self,
        key: ConnectionKey,
        events: &BTreeSet<(CalendarId, EventId)>,
    ) -> Result<BTreeMap<(CalendarId, EventId), String>>;
    async fn exceptions_of(
        &self,
        key: ConnectionKey,
        calendar: &CalendarId,
        series: &EventId,
    ) -> Result<Vec<ExternalCalendarEvent>>;
    async fn external_ids(&self, key: ConnectionKey) -> Result<Vec<(CalendarId, EventId)>>;
    /// Replaces rows with the same id.
    async fn put_external(&self, key: ConnectionKey, events: &[ExternalCalendarEvent]) -> Result<()>;
    /// An id without a row is no error.
    async fn delete_external(&self, key: ConnectionKey, ids: &[(CalendarId, EventId)]) -> Result<()>;
}
