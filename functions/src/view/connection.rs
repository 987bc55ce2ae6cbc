//! A connection's status as JSON.

use calendar_sync::{
    model::{
        CalendarEventMapping, ConnectionStatus, InstructorCalendarCredentials, PushHealth, SchedulingConflict,
        SyncSettings, SyncState, timestamp,
    },
    usecases::show_status::{Overdue, Progress, Status},
};
use serde_json::{Value, json};

use super::log;

pub fn status(status: &Status) -> Value {
    let mut shown = status.connection.as_ref().map_or_else(
        || {
            let description = "No calendar is connected.";
            json!({ "connected": false, "state": "not_connected", "reason": null, "description": description })
        },
        |(credentials, state)| {
            let mut shown = connection(credentials, state, status.overdue_renewal);
            shown["progress"] = status.progress.as_ref().map_or(Value::Null, progress);
            shown
        },
    );
    shown["counts"] = json!({
        "lessonsWaiting": status.waiting,
        "lessonsFailed": status.failed.len(),
        "conflicts": status.conflicts_in_all,
    });
    shown["failures"] = status.failed.iter().map(failure).collect();
    shown["conflicts"] =
        status.conflicts.iter().map(|(pair, title)| titled(conflict(pair), title.as_deref())).collect();
    shown["logs"] = status.logs.iter().map(log::row).collect();
    shown["nextCursor"] = json!(status.next_cursor);
    shown
}

fn connection(credentials: &InstructorCalendarCredentials, state: &SyncState, overdue: Option<Overdue>) -> Value {
    let (word, reason, description) = match &credentials.status {
        ConnectionStatus::Active if !credentials.settings.sync_enabled => {
            ("switched_off", None, "The sync is switched off in the settings.")
        }
        ConnectionStatus::Active if state.client_refused.is_some() => (
            "client_refused",
            state.client_refused.clone(),
            "Google refuses this application itself. Its operator has to mend that; the sync goes on by itself then.",
        ),
        ConnectionStatus::Active if state.failures > 0 => ("failing", state.last_error.clone(), failing(state)),
        ConnectionStatus::Active if state.last_synced_at.is_none() => {
            ("active", None, "The first sync is still to come to its end.")
        }
        ConnectionStatus::Active => ("active", None, "The sync works."),
        ConnectionStatus::NeedsReauth { reason } => (
            "needs_reauth",
            Some(reason.clone()),
            "Google no longer permits access to this calendar. Please connect it again.",
        ),
        ConnectionStatus::Disconnecting { .. } => ("disconnecting", None, "The calendar is being disconnected."),
    };
    json!({
        "connected": true,
        "state": word,
        "reason": reason,
        "description": description,
        "connectionId": credentials.id,
        "googleAccount": credentials.google_account.email,
        "calendarId": credentials.google_calendar_id,
        "timeZone": state.calendar_time_zone,
        "grantedScopes": credentials.granted_scopes,
        "connectedAt": timestamp::format(credentials.created_at),
        "lastSyncedAt": state.last_synced_at.map(timestamp::format),
        "nextSyncAt": state.next_sync_at.map(timestamp::format),
        "settings": settings(&credentials.settings),
        "push": push(credentials, state, overdue),
    })
}

fn progress(progress: &Progress) -> Value {
    json!({
        "startedAt": timestamp::format(progress.started_at),
        "eventsListed": progress.events_listed,
        "lessonsWaiting": progress.lessons_waiting,
        "lessonsInAll": progress.lessons_in_all,
    })
}

fn failing(state: &SyncState) -> &'static str {
    match state.last_error.as_deref() {
        Some("quota_exceeded") => "Google's usage limit is exceeded. The sync rests for hours and goes on by itself.",
        Some("google_unavailable") => "Google did not answer as it should. The sync goes on by itself.",
        Some("google_refused") => {
            "Google refuses to show this calendar; the log says with which reason. The sync is tried again by itself."
        }
        Some("calendar_gone") => {
            "Google no longer shows this calendar; the log says with which reason. The sync is tried again by itself."
        }
        Some("run_cut") => "The last run was cut off before its end. The sync goes on by itself.",
        Some("unfinished") => "Something is still to be done; the log says what. The sync goes on by itself.",
        Some(_) | None => "The last run failed; the log says why. The sync goes on by itself.",
    }
}

/// As `PATCH settings` takes them.
pub fn settings(settings: &SyncSettings) -> Value {
    json!({
        "syncEnabled": settings.sync_enabled,
        "syncDirection": settings.sync_direction,
        "autoSync": settings.auto_sync,
        "syncIntervalMinutes": settings.sync_interval_minutes,
        "shareTitles": settings.share_titles,
    })
}

fn push(credentials: &InstructorCalendarCredentials, state: &SyncState, overdue: Option<Overdue>) -> Value {
    let (word, text) = not_followed(credentials)
        .map_or_else(|| health(&state.push_health, overdue), |why| ("off", format!("Changes in Google are {why}.")));
    let expires = state.channel.as_ref().map(|channel| timestamp::format(channel.expires_at));
    json!({ "state": word, "description": text, "webhookExpiration": expires })
}

/// Why changes in Google are not followed, which also makes a channel useless; `None` where they are.
fn not_followed(credentials: &InstructorCalendarCredentials) -> Option<&'static str> {
    let settings = &credentials.settings;
    match &credentials.status {
        ConnectionStatus::NeedsReauth { .. } => Some("not followed until it is connected again"),
        ConnectionStatus::Disconnecting { .. } => Some("not followed any more: the calendar is being disconnected"),
        ConnectionStatus::Active if !settings.sync_enabled => Some("not followed: the sync is switched off"),
        ConnectionStatus::Active if !settings.sync_direction.imports() => Some("not followed: no events are imported"),
        ConnectionStatus::Active if !settings.auto_sync => Some("taken in only when a person starts a sync"),
        ConnectionStatus::Active => None,
    }
}

fn health(health: &PushHealth, overdue: Option<Overdue>) -> (&'static str, String) {
    match (health, overdue) {
        (PushHealth::Healthy | PushHealth::Awaiting { .. }, Some(Overdue::StillOpen)) => (
            "unhealthy",
            "The channel should have been renewed and was not; the calendar is polled when it ends.".to_owned(),
        ),
        (PushHealth::Healthy | PushHealth::Awaiting { .. }, Some(Overdue::Ended)) => {
            ("unhealthy", "The channel ended and was not renewed; the calendar is polled at its interval.".to_owned())
        }
        (PushHealth::Healthy | PushHealth::Awaiting { .. }, None) => {
            ("healthy", "Changes in Google are known within seconds.".to_owned())
        }
        (PushHealth::Suspect { since, .. }, _) => {
            let since = timestamp::format(*since);
            let text =
                format!("Google did not tell us of a change at {since}; the calendar is polled at its interval.");
            ("suspect", text)
        }
        (PushHealth::Unsupported { refusal }, _) => {
            let text =
                format!("Google refuses to tell us of changes ({refusal}); the calendar is polled at its interval.");
            ("unsupported", text)
        }
        (PushHealth::Closed, _) => {
            ("closed", "No channel is at work; the calendar is polled at its interval.".to_owned())
        }
    }
}

fn failure(mapping: &CalendarEventMapping) -> Value {
    json!({
        "lessonId": mapping.lesson_id,
        "eventStart": timestamp::format(mapping.event_start),
        "eventEnd": timestamp::format(mapping.event_end),
        "reason": mapping.error,
    })
}

fn titled(mut conflict: Value, title: Option<&str>) -> Value {
    conflict["title"] = json!(title);
    conflict
}

pub fn conflict(pair: &SchedulingConflict) -> Value {
    json!({
        "lessonId": pair.lesson_id,
        "googleEventId": pair.google_event_id,
        "occurrenceStart": timestamp::format(pair.occurrence_start),
        "overlapStart": timestamp::format(pair.overlap_start),
        "overlapEnd": timestamp::format(pair.overlap_end),
        "foundAt": timestamp::format(pair.found_at),
    })
}
