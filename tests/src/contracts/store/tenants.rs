//! The connections of a tenant, a page at a time.

use calendar_sync::{
    model::{ConnectionKey, ConnectionStatus, InstructorId, PushHealth, SettingsPatch, SyncState},
    ports::{Among, Connect, ReleaseOutcome},
};
use uuid::Uuid;

use super::{Subject, at, connection, instructor, login};

impl Subject {
    /// The instructors of each page, to the end of the list.
    async fn pages(&self, among: Among, limit: usize) -> Vec<Vec<u128>> {
        let (mut pages, mut after) = (Vec::new(), None);
        loop {
            let page = self.store.connections(instructor(1).tenant_id, among, after, limit).await.unwrap();
            assert!(
                page.connections.iter().all(|(credentials, _)| credentials.key.tenant_id == instructor(1).tenant_id)
            );
            pages.push(page.connections.iter().map(|(row, _)| row.key.instructor_id.0.as_u128()).collect());
            match page.last {
                Some(last) => after = Some(last),
                None => return pages,
            }
        }
    }

    /// What a run leaves in the state.
    async fn left_by_a_run(&self, key: ConnectionKey, change: impl FnOnce(&mut SyncState)) {
        let mut state = self.leased(key, 1).await;
        change(&mut state);
        assert!(self.store.save_state(key, &state).await.unwrap());
        assert_eq!(self.store.release_lease(key, &state).await.unwrap(), ReleaseOutcome::Released);
    }

    async fn save_status(&self, key: ConnectionKey, status: &ConnectionStatus) {
        let read = self.store.credentials(key).await.unwrap().unwrap();
        self.store.save_status(&read, status, at(1, 1), None, &[]).await.unwrap();
    }
}

fn needs_reauth() -> ConnectionStatus {
    ConnectionStatus::NeedsReauth { reason: "invalid_grant".to_owned() }
}

/// Pages follow each other without a gap, and those of another tenant stand on none.
pub async fn a_tenants_connections_are_read_page_by_page(on: &Subject) {
    let all = [Among::All, Among::SyncEnabled, Among::NeedingAttention];
    for among in all {
        assert_eq!(on.pages(among, 3).await, [[0; 0]], "{among:?}");
    }
    for number in 1..=7 {
        on.connected(instructor(number)).await;
        on.connected(connection(2, number + 100)).await;
    }
    for number in 1..=7 {
        on.save_status(instructor(number), &needs_reauth()).await;
        on.left_by_a_run(instructor(number), |state| state.failures = 1).await;
    }
    for among in all {
        assert_eq!(on.pages(among, 3).await, [vec![1, 2, 3], vec![4, 5, 6], vec![7]], "{among:?}");
        assert_eq!(on.pages(among, 1).await.len(), 7, "{among:?}");
        assert_eq!(on.pages(among, 7).await, [[1, 2, 3, 4, 5, 6, 7]], "{among:?}");
        assert_eq!(on.pages(among, 100).await, [[1, 2, 3, 4, 5, 6, 7]], "{among:?}");
    }
    let page = on.store.connections(instructor(1).tenant_id, Among::All, None, 1).await.unwrap();
    let (credentials, state) = &page.connections[0];
    assert_eq!((&credentials.status, state.failures), (&needs_reauth(), 1), "as they are stored");
    let beyond = Some(InstructorId(Uuid::from_u128(7)));
    let page = on.store.connections(instructor(1).tenant_id, Among::All, beyond, 3).await.unwrap();
    assert!(page.connections.is_empty() && page.last.is_none());
}

/// The view follows the switch.
pub async fn whose_sync_is_on_is_found_while_it_is(on: &Subject) {
    for number in 1..=3 {
        on.connected(instructor(number)).await;
    }
    let switch = async |enabled| {
        let patch = SettingsPatch { sync_enabled: Some(enabled), ..SettingsPatch::default() };
        let read = on.store.credentials(instructor(2)).await.unwrap().unwrap();
        assert!(on.store.save_settings(&read, &patch, at(1, 1), &[]).await.unwrap());
    };
    switch(false).await;
    assert_eq!(on.pages(Among::SyncEnabled, 10).await, [[1, 3]]);
    assert_eq!(on.pages(Among::All, 10).await, [[1, 2, 3]]);
    switch(true).await;
    assert_eq!(on.pages(Among::SyncEnabled, 10).await, [[1, 2, 3]]);
}

/// What puts a connection among those that need attention, and what takes it out again.
pub async fn what_needs_attention_is_found_while_it_does(on: &Subject) {
    let made = on.connected(instructor(1)).await;
    on.connected(instructor(2)).await;
    let found = async || on.pages(Among::NeedingAttention, 10).await.concat();
    assert!(found().await.is_empty());

    let suspect = PushHealth::Suspect { since: at(1, 0), changed_after: at(1, 0) };
    let causes: [fn(&mut SyncState, PushHealth); 3] = [
        |state, _| state.failures = 1,
        |state, _| state.client_refused = Some("invalid_client".to_owned()),
        |state, suspect| state.push_health = suspect,
    ];
    for cause in causes {
        on.left_by_a_run(instructor(2), |state| cause(state, suspect.clone())).await;
        assert_eq!(found().await, [2]);
        on.left_by_a_run(instructor(2), |state| {
            (state.failures, state.client_refused, state.push_health) = (0, None, PushHealth::Healthy);
        })
        .await;
        assert!(found().await.is_empty());
    }

    on.save_status(instructor(1), &needs_reauth()).await;
    assert_eq!(found().await, [1]);
    let again = Connect { replaces: Some(made.id), state: None, ..login(instructor(1), 1, &instructor(1).to_string()) };
    on.store.connect(&again).await.unwrap();
    assert!(found().await.is_empty(), "a login has renewed it");
    on.save_status(instructor(1), &needs_reauth()).await;
    on.save_status(instructor(1), &ConnectionStatus::Disconnecting { keep_events: false, keep_imported: false }).await;
    assert!(found().await.is_empty(), "it is being disconnected");

    on.left_by_a_run(instructor(2), |state| state.failures = 1).await;
    let leaving = on.store.credentials(instructor(2)).await.unwrap().unwrap();
    on.store.forget_connection(&leaving).await.unwrap();
    assert!(found().await.is_empty(), "it is gone");
}
