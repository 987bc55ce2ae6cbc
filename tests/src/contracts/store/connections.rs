//! Connections: made, changed and forgotten in one piece.

use calendar_sync::{
    ErrorKind,
    model::{
        ConnectionId, ConnectionStatus, InstructorCalendarCredentials, LogRow, SealedSecret, SettingChange,
        SettingsPatch, SyncDirection, SyncSettings, SyncState,
    },
    ports::{Connect, ReleaseOutcome},
};
use uuid::Uuid;

use super::{Subject, acts::switched, at, connection, credentials, instructor, login, notice};

/// What a login stores reads back as it was.
pub async fn a_connection_reads_back_as_it_was_made(on: &Subject) {
    let key = instructor(1);
    assert!(on.store.credentials(key).await.unwrap().is_none());
    let made = on.connected(key).await;
    let read = on.store.credentials(key).await.unwrap().unwrap();
    assert_eq!(
        (read.id, read.key, &read.tokens, &read.google_account),
        (made.id, key, &made.tokens, &made.google_account)
    );
    assert_eq!(
        (&read.google_calendar_id, &read.oauth_client, &read.granted_scopes, &read.settings, &read.status),
        (&made.google_calendar_id, &made.oauth_client, &made.granted_scopes, &made.settings, &made.status)
    );
    assert_eq!((read.created_at, read.updated_at), (made.created_at, made.updated_at));
    assert_eq!(on.state(key).await.next_sync_at, Some(at(1, 0)), "it is due at once");
}

/// Of two logins at the same moment one is refused.
pub async fn a_login_that_another_overtook_is_a_conflict(on: &Subject) {
    let key = instructor(1);
    on.connected(key).await;
    let refused = on.store.connect(&login(key, 9, "late")).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Conflict);
    assert!(on.store.detach_from_account("late", None, at(1, 0)).await.unwrap(), "nothing of it is stored");
}

/// A reconnect keeps the state that is there.
pub async fn a_login_with_the_same_account_keeps_the_state(on: &Subject) {
    let key = instructor(1);
    let made = on.connected(key).await;
    let mut state = on.leased(key, 1).await;
    state.failures = 3;
    assert!(on.store.save_state(key, &state).await.unwrap());
    let again =
        Connect { replaces: Some(made.id), state: None, ..login(key, made.id.0.as_u128(), &made.google_account.sub) };
    on.store.connect(&again).await.unwrap();
    assert_eq!(on.state(key).await.failures, 3);
}

/// The holder of the old state's lease can write nothing into the new state.
pub async fn a_state_that_starts_anew_takes_the_lease_from_its_holder(on: &Subject) {
    let key = instructor(1);
    let made = on.connected(key).await;
    let held = on.leased(key, 1).await;
    let another = Connect { replaces: Some(made.id), state: Some(SyncState::new(at(2, 0))), ..login(key, 7, "other") };
    on.store.connect(&another).await.unwrap();
    assert!(!on.store.save_state(key, &held).await.unwrap());
    let next = on.leased(key, 2).await;
    assert!(next.lease.fence > held.lease.fence);
    assert!(!on.store.save_state(key, &held).await.unwrap());
}

/// Nor into that of a connection that was forgotten and made again, however many holders that has had.
pub async fn a_connection_made_again_knows_no_holder_of_the_one_before(on: &Subject) {
    let key = instructor(1);
    let made = on.connected(key).await;
    let held = on.leased(key, 1).await;
    on.store.forget_connection(&made).await.unwrap();
    on.store.connect(&Connect { state: Some(SyncState::new(at(1, 1))), ..login(key, 7, "other") }).await.unwrap();
    for owner in 2..5 {
        let next = on.leased(key, owner).await;
        assert!(!on.store.save_state(key, &held).await.unwrap());
        on.store.release_lease(key, &next).await.unwrap();
        assert!(next.lease.fence > held.lease.fence);
    }
}

/// Only the last connection to leave an account may revoke what it granted, however often it asks.
pub async fn the_last_to_leave_an_account_may_revoke(on: &Subject) {
    let (mine, other) = (connection(1, 1), connection(2, 2));
    on.store.connect(&login(mine, 1, "sub")).await.unwrap();
    on.store.connect(&login(other, 2, "sub")).await.unwrap();
    assert!(!on.store.detach_from_account("sub", None, at(1, 1)).await.unwrap(), "a stranger removes no connection");
    for _ in 0..2 {
        assert!(!on.store.detach_from_account("sub", Some(mine), at(1, 1)).await.unwrap());
    }
    for _ in 0..2 {
        assert!(on.store.detach_from_account("sub", Some(other), at(1, 1)).await.unwrap());
    }
    assert!(on.store.detach_from_account("sub", Some(mine), at(1, 1)).await.unwrap(), "no connection is left");
    assert!(on.store.detach_from_account("another", None, at(1, 1)).await.unwrap(), "no connection ever used it");
}

/// Of connections that leave an account at the same moment exactly one is the last.
pub async fn of_many_that_leave_an_account_at_once_one_is_the_last(on: &Subject) {
    let keys: Vec<_> = (1..=8).map(|number| connection(number, number)).collect();
    for (number, key) in (1..).zip(&keys) {
        on.store.connect(&login(*key, number, "sub")).await.unwrap();
    }
    let leaving = keys.iter().map(|key| on.store.detach_from_account("sub", Some(*key), at(1, 1)));
    let last = futures::future::join_all(leaving).await.into_iter().filter(|last| *last.as_ref().unwrap());
    assert_eq!(last.count(), 1);
}

/// Tokens that were asked for before a revocation was over are dead: their login makes no connection.
pub async fn a_login_during_a_revocation_is_a_conflict(on: &Subject) {
    let asked = |minute| Connect { asked_at: at(1, minute), ..login(connection(2, 2), 2, "sub") };
    assert!(on.store.detach_from_account("sub", None, at(1, 10)).await.unwrap());
    assert_eq!(on.store.connect(&asked(9)).await.unwrap_err().kind(), ErrorKind::Conflict, "it may be under way");
    on.store.end_revocation("sub", at(1, 5)).await.unwrap();
    assert_eq!(on.store.connect(&asked(4)).await.unwrap_err().kind(), ErrorKind::Conflict, "it came after");
    on.store.connect(&asked(6)).await.unwrap();
    on.store.end_revocation("sub", at(1, 20)).await.unwrap();
    let other = Connect { asked_at: at(1, 6), ..login(connection(3, 3), 3, "sub") };
    on.store.connect(&other).await.expect("a late word changes nothing for those who came since");
}

/// A connection that is forgotten has left its account.
pub async fn forgetting_leaves_the_account(on: &Subject) {
    let key = instructor(1);
    on.store.connect(&login(key, 1, "sub")).await.unwrap();
    on.store.forget_connection(&credentials(key, 1, "sub")).await.unwrap();
    assert!(on.store.detach_from_account("sub", None, at(1, 1)).await.unwrap());
}

/// A refresh that is late stores nothing into a newer connection.
pub async fn a_refreshed_token_stays_with_its_connection(on: &Subject) {
    let key = instructor(1);
    let made = on.connected(key).await;
    let fresh = SealedSecret("fresh".to_owned());
    on.store.save_access_token(key, ConnectionId(Uuid::from_u128(99)), &fresh, at(9, 0)).await.unwrap();
    assert_eq!(on.store.credentials(key).await.unwrap().unwrap().tokens, made.tokens);
    on.store.save_access_token(key, made.id, &fresh, at(9, 0)).await.unwrap();
    let tokens = on.store.credentials(key).await.unwrap().unwrap().tokens;
    assert_eq!((&tokens.google_access_token, tokens.google_token_expiry), (&fresh, at(9, 0)));
    assert_eq!(tokens.google_refresh_token, made.tokens.google_refresh_token);
    on.store.save_access_token(instructor(5), made.id, &fresh, at(9, 0)).await.unwrap();
    assert!(on.store.credentials(instructor(5)).await.unwrap().is_none(), "no row is made for it");
}

/// Tokens that a login gave while the ones before were being sealed anew stay.
pub async fn sealing_anew_gives_way_to_a_login(on: &Subject) {
    let key = instructor(1);
    let made = on.connected(key).await;
    let mut sealed = made.tokens.clone();
    sealed.google_access_token = SealedSecret("sealed anew".to_owned());
    sealed.google_refresh_token = SealedSecret("sealed anew too".to_owned());
    on.store.save_tokens(&made, &sealed).await.unwrap();
    let read = on.store.credentials(key).await.unwrap().unwrap();
    assert_eq!(read.tokens, sealed);
    let mut again =
        Connect { replaces: Some(made.id), state: None, ..login(key, made.id.0.as_u128(), &key.to_string()) };
    again.credentials.tokens.google_refresh_token = SealedSecret("of a login".to_owned());
    on.store.connect(&again).await.unwrap();
    on.store.save_tokens(&read, &sealed).await.unwrap();
    assert_eq!(on.store.credentials(key).await.unwrap().unwrap().tokens, again.credentials.tokens);
}

/// Settings are stored for a connection, and make none.
pub async fn settings_need_a_connection(on: &Subject) {
    let key = instructor(1);
    let patch = SettingsPatch {
        sync_enabled: Some(false),
        sync_direction: Some(SyncDirection::ToGoogle),
        auto_sync: Some(false),
        sync_interval_minutes: Some(60),
        share_titles: Some(true),
    };
    let nobody = credentials(key, 1, "sub");
    let acts = [switched(key, 1, SettingChange::AutoSync(false)), switched(key, 2, SettingChange::ShareTitles(true))];
    assert!(!on.store.save_settings(&nobody, &patch, at(2, 0), &acts).await.unwrap());
    assert_eq!(on.store.logs(key, None, 9).await.unwrap(), []);
    let made = on.connected(key).await;
    assert!(on.store.save_settings(&made, &patch, at(2, 0), &acts).await.unwrap());
    let read = on.store.credentials(key).await.unwrap().unwrap();
    assert_eq!((read.settings, read.updated_at), (patch.apply(&made.settings), at(2, 0)));
    let [first, second] = acts.map(LogRow::Act);
    assert_eq!(on.store.logs(key, None, 2).await.unwrap(), [second, first]);
}

/// A change of one switch leaves what another change made of the others meanwhile.
pub async fn changes_of_different_switches_all_stand(on: &Subject) {
    let key = instructor(1);
    let made = on.connected(key).await;
    let patches = [
        SettingsPatch { sync_enabled: Some(false), ..SettingsPatch::default() },
        SettingsPatch { sync_direction: Some(SyncDirection::FromGoogle), ..SettingsPatch::default() },
        SettingsPatch { auto_sync: Some(false), ..SettingsPatch::default() },
        SettingsPatch { sync_interval_minutes: Some(60), ..SettingsPatch::default() },
        SettingsPatch { share_titles: Some(true), ..SettingsPatch::default() },
    ];
    let saves = patches.iter().map(|patch| on.store.save_settings(&made, patch, at(2, 0), &[]));
    let stored = futures::future::join_all(saves).await.into_iter().map(Result::unwrap);
    assert!(stored.into_iter().all(|stored| stored), "none met another");
    let all = SyncSettings {
        sync_enabled: false,
        sync_direction: SyncDirection::FromGoogle,
        auto_sync: false,
        sync_interval_minutes: 60,
        share_titles: true,
    };
    assert_eq!(on.store.credentials(key).await.unwrap().unwrap().settings, all);
}

/// The status and what the host is told of it stand together.
pub async fn a_status_is_stored_with_its_notices_or_not_at_all(on: &Subject) {
    let key = instructor(1);
    let made = on.connected(key).await;
    let status = ConnectionStatus::NeedsReauth { reason: "invalid_grant".to_owned() };
    let stranger = InstructorCalendarCredentials { id: ConnectionId(Uuid::from_u128(99)), ..made.clone() };
    let refused = on.store.save_status(&stranger, &status, at(2, 0), None, &[notice(key, 1, 0)]).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::NotFound);
    assert_eq!(on.store.pending_notices(key, 9).await.unwrap(), []);
    on.store.save_status(&made, &status, at(2, 0), None, &[notice(key, 1, 0)]).await.unwrap();
    assert_eq!(on.store.credentials(key).await.unwrap().unwrap().status, status);
    assert_eq!(on.store.pending_notices(key, 9).await.unwrap(), [notice(key, 1, 0)]);
}

/// What was found of the permission that a connection had says nothing of the one that a login has given it since.
pub async fn a_late_finding_does_not_touch_a_renewed_connection(on: &Subject) {
    let key = instructor(1);
    let made = on.connected(key).await;
    let mut again =
        Connect { replaces: Some(made.id), state: None, ..login(key, made.id.0.as_u128(), &key.to_string()) };
    again.credentials.tokens.google_refresh_token = SealedSecret("another refresh token".to_owned());
    on.store.connect(&again).await.unwrap();
    let late = ConnectionStatus::NeedsReauth { reason: "invalid_grant".to_owned() };
    on.store.save_status(&made, &late, at(2, 0), None, &[notice(key, 1, 0)]).await.unwrap_err();
    assert_eq!(on.store.credentials(key).await.unwrap().unwrap().status, ConnectionStatus::Active);
    assert_eq!(on.store.pending_notices(key, 9).await.unwrap(), []);
}

/// A login that renews a connection is a request: a run under way does not put off what it made due.
pub async fn a_renewal_counts_as_a_request(on: &Subject) {
    let key = instructor(1);
    let made = on.connected(key).await;
    let held = on.leased(key, 1).await;
    let again = Connect { replaces: Some(made.id), state: None, ..login(key, made.id.0.as_u128(), &key.to_string()) };
    on.store.connect(&again).await.unwrap();
    assert!(matches!(on.store.release_lease(key, &held).await.unwrap(), ReleaseOutcome::NewRequests(_)));
}

/// A run that finds the permission gone does not stop the taking down.
pub async fn a_late_finding_does_not_undo_disconnecting(on: &Subject) {
    let key = instructor(1);
    let made = on.connected(key).await;
    let leaving = ConnectionStatus::Disconnecting { keep_events: true, keep_imported: false };
    on.store.save_status(&made, &leaving, at(2, 0), None, &[]).await.unwrap();
    let late = ConnectionStatus::NeedsReauth { reason: "invalid_grant".to_owned() };
    on.store.save_status(&made, &late, at(2, 0), None, &[]).await.unwrap_err();
    assert_eq!(on.store.credentials(key).await.unwrap().unwrap().status, leaving);
}

/// Forgetting can be repeated, and takes nothing of a connection that was made anew.
pub async fn forgetting_takes_credentials_and_state_and_can_be_repeated(on: &Subject) {
    let key = instructor(1);
    let made = on.connected(key).await;
    let mut stale = made.clone();
    stale.status = ConnectionStatus::Disconnecting { keep_events: false, keep_imported: false };
    assert_eq!(on.store.forget_connection(&stale).await.unwrap_err().kind(), ErrorKind::Conflict);
    for _ in 0..2 {
        on.store.forget_connection(&made).await.unwrap();
        assert!(on.store.credentials(key).await.unwrap().is_none());
        assert!(on.store.state(key).await.unwrap().is_none());
    }
}

/// The same instructor id in another tenant is another instructor.
pub async fn tenants_do_not_see_each_other(on: &Subject) {
    let (mine, foreign) = (connection(1, 1), connection(2, 1));
    on.connected(mine).await;
    assert!(on.store.credentials(foreign).await.unwrap().is_none());
    assert!(on.store.state(foreign).await.unwrap().is_none());
    on.store.put_external(mine, &[super::single("e", at(1, 0), at(1, 60))]).await.unwrap();
    on.store
        .save_mapping(&super::mapping(mine, 1, at(1, 0)), calendar_sync::ports::MarkUpdate::Raise, &[])
        .await
        .unwrap();
    assert_eq!(on.store.external_ids(foreign).await.unwrap(), []);
    assert_eq!(on.store.mappings(foreign).await.unwrap(), []);
    on.store.clear_mappings(foreign).await.unwrap();
    assert_eq!(on.store.mappings(mine).await.unwrap().len(), 1);
}
