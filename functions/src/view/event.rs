//! An imported event as JSON. A private event shows when it is and whether it blocks: it has no title and no place.

use calendar_sync::{model::timestamp, usecases::list_external_events::Occurrence};
use serde_json::{Value, json};

use super::connection::conflict;

pub fn occurrence(occurrence: &Occurrence) -> Value {
    let event = &occurrence.row.event;
    json!({
        "googleEventId": event.id,
        "calendarId": occurrence.row.calendar_id,
        "title": event.summary,
        "location": event.location,
        "eventStart": timestamp::format(occurrence.start),
        "eventEnd": timestamp::format(occurrence.end),
        "allDayEvent": event.start.is_some_and(|start| start.is_day()),
        "eventStatus": event.status,
        "recurring": event.is_series() || event.recurring_event_id.is_some(),
        "private": event.private,
        "blocks": event.blocks(),
        "freeBecause": event.free(),
        "hasConflict": occurrence.has_conflict(),
        "conflicts": occurrence.conflicts.iter().map(conflict).collect::<Value>(),
    })
}
