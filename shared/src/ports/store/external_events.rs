//! Imported events.

use async_trait::async_trait;

use crate::{
    Result,
    model::{CalendarId, ConnectionKey, EventId, ExternalCalendarEvent, Window},
};

/// Everything that may occur between two moments: single events that overlap them, and the live series whole, with
/// all their exceptions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExternalLookup {
    /// Single events, and exceptions whose series is not stored.
    pub events: Vec<ExternalCalendarEvent>,
    /// Series, each with its exceptions.
    pub series: Vec<(ExternalCalendarEvent, Vec<ExternalCalendarEvent>)>,
}

/// The imported events of each connection.
#[async_trait]
pub trait ExternalEventStore: Send + Sync {
    /// What may occur in the window.
    async fn external_between(&self, key: ConnectionKey, window: Window) -> Result<ExternalLookup>;
    /// One event, series or exception.
    async fn external_event(
        &self,
        key: ConnectionKey,
        calendar: &CalendarId,
        id: &EventId,
    ) -> Result<Option<ExternalCalendarEvent>>;
    /// The stored exceptions of a series.
    async fn exceptions_of(
        &self,
        key: ConnectionKey,
        calendar: &CalendarId,
        series: &EventId,
    ) -> Result<Vec<ExternalCalendarEvent>>;
    /// The ids of all that is stored.
    async fn external_ids(&self, key: ConnectionKey) -> Result<Vec<(CalendarId, EventId)>>;
    /// Stores events, replacing those that are there.
    async fn put_external(&self, key: ConnectionKey, events: &[ExternalCalendarEvent]) -> Result<()>;
    /// Removes events; those that are not there are no error.
    async fn delete_external(&self, key: ConnectionKey, ids: &[(CalendarId, EventId)]) -> Result<()>;
}
