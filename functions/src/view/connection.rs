//! A connection's status as JSON.

use calendar_sync::{
    model::{
        CalendarEventMapping, ConnectionHealth, ConnectionStatus, InstructorCalendarCredentials, PushHealth,
        SchedulingConflict, SyncSettings, SyncState, Unfollowed, timestamp,
    },
    usecases::{
        list_connections::ListedConnection,
        show_status::{NextConflicts, Overdue, Progress, Status},
    },
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
        "conflicts": status.live.in_all,
        "conflictsIgnored": status.ignored.in_all,
    });
    shown["failures"] = status.failed.iter().map(failure).collect();
    shown["conflicts"] = next(&status.live);
    shown["ignoredConflicts"] = next(&status.ignored);
    shown["logs"] = status.logs.iter().map(log::row).collect();
    shown["nextCursor"] = json!(status.next_cursor);
    shown
}

fn connection(credentials: &InstructorCalendarCredentials, state: &SyncState, overdue: Option<Overdue>) -> Value {
    let mut shown = health_and_times(credentials, state, overdue);
    shown["connected"] = json!(true);
    shown["timeZone"] = json!(state.calendar_time_zone);
    shown["grantedScopes"] = json!(credentials.granted_scopes);
    shown["settings"] = settings(&credentials.settings);
    shown
}

/// A connection in the list of a tenant's.
pub fn listed(listed: &ListedConnection) -> Value {
    let ListedConnection { credentials, state, overdue_renewal, syncing } = listed;
    let mut shown = health_and_times(credentials, state, *overdue_renewal);
    shown["instructorId"] = json!(credentials.key.instructor_id);
    shown["syncing"] = json!(syncing);
    shown["failures"] = json!(state.failures);
    shown
}

fn health_and_times(credentials: &InstructorCalendarCredentials, state: &SyncState, overdue: Option<Overdue>) -> Value {
    let health = ConnectionHealth::of(credentials, state);
    let reason = match (health, &credentials.status) {
        (ConnectionHealth::NeedsReauth, ConnectionStatus::NeedsReauth { reason }) => Some(reason),
        (ConnectionHealth::ClientRefused, _) => state.client_refused.as_ref(),
        (ConnectionHealth::Failing, _) => state.last_error.as_ref(),
        _ => None,
    };
    json!({
        "state": health,
        "reason": reason,
        "description": description(health, state),
        "connectionId": credentials.id,
        "googleAccount": credentials.google_account.email,
        "calendarId": credentials.google_calendar_id,
        "connectedAt": timestamp::format(credentials.created_at),
        "lastSyncedAt": state.last_synced_at.map(timestamp::format),
        "nextSyncAt": state.next_sync_at.map(timestamp::format),
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

fn description(health: ConnectionHealth, state: &SyncState) -> &'static str {
    match health {
        ConnectionHealth::SwitchedOff => "The sync is switched off in the settings.",
        ConnectionHealth::ClientRefused => {
            "Google refuses this application itself. Its operator has to mend that; the sync goes on by itself then."
        }
        ConnectionHealth::Failing => failing(state),
        ConnectionHealth::Active if state.last_synced_at.is_none() => "The first sync is still to come to its end.",
        ConnectionHealth::Active => "The sync works.",
        ConnectionHealth::NeedsReauth => "Google no longer permits access to this calendar. Please connect it again.",
        ConnectionHealth::Disconnecting => "The calendar is being disconnected.",
    }
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
    let (word, text) = Unfollowed::of(credentials).map_or_else(
        || health(&state.push_health, overdue),
        |why| ("off", format!("Changes in Google are {}.", unfollowed(why))),
    );
    let expires = state.channel.as_ref().map(|channel| timestamp::format(channel.expires_at));
    json!({ "state": word, "description": text, "webhookExpiration": expires })
}

fn unfollowed(why: Unfollowed) -> &'static str {
    match why {
        Unfollowed::NeedsReauth => "not followed until it is connected again",
        Unfollowed::Disconnecting => "not followed any more: the calendar is being disconnected",
        Unfollowed::SwitchedOff => "not followed: the sync is switched off",
        Unfollowed::NotImported => "not followed: no events are imported",
        Unfollowed::OnlyByHand => "taken in only when a person starts a sync",
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

fn next(conflicts: &NextConflicts) -> Value {
    let titled = |(pair, title): &(SchedulingConflict, Option<String>)| {
        let mut conflict = conflict(pair);
        conflict["title"] = json!(title);
        conflict
    };
    conflicts.next.iter().map(titled).collect()
}

pub fn conflict(pair: &SchedulingConflict) -> Value {
    json!({
        "id": pair.id().to_string(),
        "lessonId": pair.lesson_id,
        "googleEventId": pair.google_event_id,
        "occurrenceStart": timestamp::format(pair.occurrence_start),
        "overlapStart": timestamp::format(pair.overlap_start),
        "overlapEnd": timestamp::format(pair.overlap_end),
        "foundAt": timestamp::format(pair.found_at),
        "state": pair.state(),
        "ignored": pair.ignored.as_ref().map(
            |ignored| json!({ "by": ignored.by, "role": ignored.role, "at": timestamp::format(ignored.at) }),
        ),
    })
}
