//! What people did, in the log: stored with what it changed, or not at all.

use calendar_sync::{
    model::{
        Act, ConnectionId, ConnectionKey, ConnectionStatus, InstructorCalendarCredentials, LogRow, PersonAct,
        SettingChange, SettingsPatch, SyncDirection,
    },
    ports::Connect,
};
use testkit::data::act;
use uuid::Uuid;

use super::{Subject, at, instructor, login};

/// Of two who turn the same switch at once one turns it, and only their row is stored.
pub async fn a_setting_that_is_no_longer_as_it_was_read_stays_and_has_no_second_row(on: &Subject) {
    let key = instructor(1);
    let made = on.connected(key).await;
    for (number, (patch, change)) in (10..).step_by(10).zip([
        (SettingsPatch { sync_enabled: Some(false), ..SettingsPatch::default() }, SettingChange::SyncEnabled(false)),
        (
            SettingsPatch { sync_direction: Some(SyncDirection::FromGoogle), ..SettingsPatch::default() },
            SettingChange::SyncDirection(SyncDirection::FromGoogle),
        ),
        (SettingsPatch { auto_sync: Some(false), ..SettingsPatch::default() }, SettingChange::AutoSync(false)),
        (
            SettingsPatch { sync_interval_minutes: Some(60), ..SettingsPatch::default() },
            SettingChange::SyncIntervalMinutes(60),
        ),
        (SettingsPatch { share_titles: Some(true), ..SettingsPatch::default() }, SettingChange::ShareTitles(true)),
    ]) {
        let [first, second] = [number, number + 1].map(|number| switched(key, number, change));
        assert!(on.store.save_settings(&made, &patch, at(2, 0), std::slice::from_ref(&first)).await.unwrap());
        assert!(!on.store.save_settings(&made, &patch, at(2, 1), &[second]).await.unwrap(), "{patch:?}");
        assert_eq!(on.store.logs(key, None, 1).await.unwrap(), [LogRow::Act(first)]);
        assert_eq!(on.store.credentials(key).await.unwrap().unwrap().updated_at, at(2, 0));
    }
}

/// A row of a setting that was changed.
pub(super) fn switched(key: ConnectionKey, number: u128, change: SettingChange) -> PersonAct {
    act(key, number, at(2, 0), Act::SettingChanged(change))
}

/// Who connected, disconnected or put another account in place of one stands in the log, with what they changed.
pub async fn logins_and_disconnects_are_stored_with_who_did_it(on: &Subject) {
    let key = instructor(1);
    let made = on.connected(key).await;
    let connected = login(key, 1, "sub").act;
    assert_eq!(on.store.logs(key, None, 9).await.unwrap(), [LogRow::Act(connected.clone())]);
    let refused = Connect { act: act(key, 7, at(1, 0), Act::Connected), ..login(key, 7, "other") };
    on.store.connect(&refused).await.unwrap_err();
    let stranger = InstructorCalendarCredentials { id: ConnectionId(Uuid::from_u128(99)), ..made.clone() };
    let leaving = ConnectionStatus::Disconnecting { keep_events: true, keep_imported: false };
    let left = act(key, 8, at(2, 0), Act::Disconnected { keep_events: true, keep_imported: false });
    on.store.save_status(&stranger, &leaving, at(2, 0), Some(&left), &[]).await.unwrap_err();
    assert_eq!(on.store.logs(key, None, 9).await.unwrap().len(), 1, "neither was done");
    on.store.save_status(&made, &leaving, at(2, 0), Some(&left), &[]).await.unwrap();
    assert_eq!(on.store.logs(key, None, 9).await.unwrap(), [LogRow::Act(left.clone()), LogRow::Act(connected.clone())]);
    let mut gone = made.clone();
    gone.status = leaving;
    on.store.forget_connection(&gone).await.unwrap();
    // The row of the disconnect becomes that of the login that it was a part of.
    let replaced = act(key, 8, at(2, 0), Act::AccountReplaced);
    on.store.connect(&Connect { act: replaced.clone(), ..login(key, 2, "other") }).await.unwrap();
    assert_eq!(on.store.logs(key, None, 9).await.unwrap(), [LogRow::Act(replaced), LogRow::Act(connected)]);
    assert_eq!(on.store.log(key, left.id).await.unwrap(), None, "no run");
}
