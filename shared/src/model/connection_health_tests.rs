use chrono::TimeDelta;
use uuid::Uuid;

use super::*;
use crate::{
    model::{CalendarId, ConnectionId, GoogleAccount, Lease, SealedSecret, SealedTokens, SyncDirection, SyncSettings},
    testing::key,
};

const NOW: DateTime<Utc> = DateTime::UNIX_EPOCH;

fn connection(status: ConnectionStatus, settings: SyncSettings) -> InstructorCalendarCredentials {
    let sealed = || SealedSecret("sealed".into());
    InstructorCalendarCredentials {
        id: ConnectionId(Uuid::nil()),
        key: key(1, 2),
        tokens: SealedTokens {
            google_access_token: sealed(),
            google_refresh_token: sealed(),
            google_token_expiry: NOW,
        },
        google_calendar_id: CalendarId::from("primary"),
        google_account: GoogleAccount { sub: "sub".into(), email: None },
        oauth_client: "client".into(),
        granted_scopes: Vec::new(),
        settings,
        status,
        created_at: NOW,
        updated_at: NOW,
    }
}

fn needs_reauth() -> ConnectionStatus {
    ConnectionStatus::NeedsReauth { reason: "invalid_grant".into() }
}

fn synced() -> SyncState {
    SyncState { last_synced_at: Some(NOW), push_health: PushHealth::Healthy, ..SyncState::new(NOW) }
}

/// Every combination of what decides, as far as it may be stored.
fn all() -> Vec<(InstructorCalendarCredentials, SyncState)> {
    let disconnecting = ConnectionStatus::Disconnecting { keep_events: false, keep_imported: false };
    let on = SyncSettings::default();
    let settings = [
        on.clone(),
        SyncSettings { sync_enabled: false, ..on.clone() },
        SyncSettings { auto_sync: false, ..on.clone() },
        SyncSettings { sync_direction: SyncDirection::ToGoogle, ..on },
    ];
    let suspect = PushHealth::Suspect { since: NOW, changed_after: NOW };
    let mut all = Vec::new();
    for status in [ConnectionStatus::Active, needs_reauth(), disconnecting] {
        for settings in &settings {
            for push_health in [PushHealth::Healthy, PushHealth::Closed, suspect.clone()] {
                for (failures, refused) in [(0, false), (0, true), (2, false), (2, true)] {
                    let client_refused = refused.then(|| "invalid_client".to_owned());
                    let push_health = push_health.clone();
                    let state = SyncState { failures, client_refused, push_health, ..synced() };
                    all.push((connection(status.clone(), settings.clone()), state));
                }
            }
        }
    }
    all
}

#[test]
fn what_a_person_decided_comes_before_what_google_refused_and_that_before_what_failed() {
    let off = SyncSettings { sync_enabled: false, ..SyncSettings::default() };
    let (failing, refused) = (
        SyncState { failures: 1, ..synced() },
        SyncState { client_refused: Some("x".into()), failures: 1, ..synced() },
    );
    let active = || connection(ConnectionStatus::Active, SyncSettings::default());
    for (credentials, state, health) in [
        (active(), synced(), ConnectionHealth::Active),
        (active(), SyncState::new(NOW), ConnectionHealth::Active),
        (active(), failing.clone(), ConnectionHealth::Failing),
        (active(), refused.clone(), ConnectionHealth::ClientRefused),
        (connection(ConnectionStatus::Active, off.clone()), refused, ConnectionHealth::SwitchedOff),
        (connection(needs_reauth(), off), failing, ConnectionHealth::NeedsReauth),
    ] {
        assert_eq!(ConnectionHealth::of(&credentials, &state), health, "{state:?}");
    }
}

#[test]
fn all_that_an_administrator_asks_for_as_needing_attention_is_marked_by_its_status_or_its_state() {
    use ConnectionFilter::{Active, Attention, ClientRefused, Failing, NeedsReauth, PushSuspect, SwitchedOff};
    let mut counts = [0; 7];
    for (credentials, state) in all() {
        let takes = |filter: ConnectionFilter| filter.takes(&credentials, &state, NOW);
        let parts = [Failing, ClientRefused, NeedsReauth, PushSuspect];
        assert_eq!(takes(Attention), parts.into_iter().any(takes), "{state:?}");
        let is_marked = credentials.status.needs_attention() || state.needs_attention();
        assert!(is_marked || !takes(Attention), "{:?} {state:?}", credentials.status);
        assert!(!(takes(SwitchedOff) && takes(Attention)), "{state:?}");
        for (count, filter) in counts.iter_mut().zip([Active, SwitchedOff, Attention].into_iter().chain(parts)) {
            *count += usize::from(takes(filter));
        }
    }
    assert!(counts.iter().all(|count| *count > 0), "{counts:?}");
    let healthy = (connection(ConnectionStatus::Active, SyncSettings::default()), synced());
    assert!(!healthy.0.status.needs_attention() && !healthy.1.needs_attention(), "it stands in no index");
}

#[test]
fn a_connection_syncs_while_a_run_holds_its_lease_and_until_its_first_sync_has_ended_or_failed() {
    let lease = |until| Lease { owner: Some(Uuid::nil()), cut: None, until, fence: 1 };
    let later = NOW + TimeDelta::seconds(1);
    let off = SyncSettings { sync_enabled: false, ..SyncSettings::default() };
    for (settings, state, syncs) in [
        (SyncSettings::default(), synced(), false),
        (SyncSettings::default(), SyncState { lease: lease(later), ..synced() }, true),
        (SyncSettings::default(), SyncState { lease: lease(later), failures: 1, ..synced() }, true),
        (SyncSettings::default(), SyncState { lease: lease(NOW), ..synced() }, false),
        (SyncSettings::default(), SyncState::new(NOW), true),
        (SyncSettings::default(), SyncState { failures: 1, ..SyncState::new(NOW) }, false),
        (off, SyncState { lease: lease(later), ..SyncState::new(NOW) }, false),
    ] {
        let credentials = connection(ConnectionStatus::Active, settings);
        assert_eq!(is_syncing(&credentials, &state, NOW), syncs, "{state:?}");
        assert_eq!(ConnectionFilter::Syncing.takes(&credentials, &state, NOW), syncs, "{state:?}");
    }
}
