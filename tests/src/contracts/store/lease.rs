//! One run at a time, and no request is lost.

use calendar_sync::{
    model::{Channel, ChannelId, Cursor, ListingProgress, PushHealth, Removals, SyncState, SyncTask},
    ports::{LeaseAttempt, ReleaseOutcome},
};
use chrono_tz::Tz;
use futures::future::join_all;

use super::{Subject, at, instructor, tasks};

/// Of many who ask at once, one gets it.
pub async fn of_many_at_once_one_gets_the_lease(on: &Subject) {
    let key = instructor(1);
    on.connected(key).await;
    let attempts = join_all((1..=20).map(|owner| on.acquire(key, owner, 0, &[SyncTask::PullEvents]))).await;
    let granted = attempts.iter().filter(|attempt| matches!(attempt, LeaseAttempt::Granted(_))).count();
    assert_eq!(granted, 1);
    assert!(attempts.iter().all(|attempt| !matches!(attempt, LeaseAttempt::NotConnected)));
    assert_eq!(on.state(key).await.pending.counter, 19, "each of the others left a request");
}

/// Without a connection there is no lease, and none is made.
pub async fn a_lease_needs_a_connection(on: &Subject) {
    assert_eq!(on.acquire(instructor(1), 1, 0, &[SyncTask::FullReconcile]).await, LeaseAttempt::NotConnected);
    assert!(on.store.state(instructor(1)).await.unwrap().is_none());
}

/// The request stands, and a poll is due when the lease ends: a dead holder's requests are found.
pub async fn a_request_made_while_the_lease_is_held_is_due_when_it_ends(on: &Subject) {
    let key = instructor(1);
    on.connected(key).await;
    on.leased(key, 1).await;
    let held = on.acquire(key, 2, 3, &[SyncTask::PullEvents, SyncTask::RetryGivenUp, SyncTask::Noticed]).await;
    assert_eq!(held, LeaseAttempt::Held { until: at(1, 10) });
    on.acquire(key, 3, 4, &[SyncTask::PushLessons]).await;
    let state = on.state(key).await;
    assert_eq!(
        state.pending.tasks,
        tasks(&[SyncTask::PullEvents, SyncTask::RetryGivenUp, SyncTask::Noticed, SyncTask::PushLessons])
    );
    assert_eq!((state.pending.counter, state.next_sync_at), (2, Some(at(1, 10))));
}

/// The fence goes up with each holder; the one before can write nothing any more.
pub async fn a_holder_whose_lease_ran_out_has_lost_it_to_the_next(on: &Subject) {
    let key = instructor(1);
    on.connected(key).await;
    let first = on.leased(key, 1).await;
    let LeaseAttempt::Granted(second) = on.acquire(key, 2, 10, &[]).await else { panic!("the lease ran out") };
    assert_eq!(second.lease.fence, first.lease.fence + 1);
    assert!(!on.store.save_state(key, &first).await.unwrap());
    assert_eq!(on.store.release_lease(key, &first).await.unwrap(), ReleaseOutcome::Lost);
    assert!(on.store.save_state(key, &second).await.unwrap());
}

/// A lease that was given back leaves nobody to be found; one that ran out names its holder, once.
pub async fn the_next_holder_finds_whose_lease_was_never_given_back(on: &Subject) {
    let key = instructor(1);
    on.connected(key).await;
    let first = on.leased(key, 1).await;
    assert_eq!(first.lease.cut, None, "nobody had it before");
    let LeaseAttempt::Granted(second) = on.acquire(key, 2, 10, &[]).await else { panic!("the lease ran out") };
    assert_eq!(second.lease.cut, first.lease.owner);
    let stored = on.state(key).await;
    assert_eq!(stored.lease.cut, first.lease.owner, "also if the answer was lost");
    assert_eq!(stored.next_sync_at, Some(second.lease.until), "should this one be cut too");
    assert_eq!(on.store.release_lease(key, &second).await.unwrap(), ReleaseOutcome::Released);
    assert_eq!(on.leased(key, 3).await.lease.cut, None);
}

/// A holder that asks again, because an answer was lost, still holds it.
pub async fn asking_again_for_ones_own_lease_grants_it(on: &Subject) {
    let key = instructor(1);
    on.connected(key).await;
    let first = on.leased(key, 1).await;
    let again = on.leased(key, 1).await;
    assert_eq!(first.lease, again.lease);
    assert_eq!(again.pending.counter, 0, "that is no request");
}

/// Everything the holder changed is stored, and what is absent is taken away.
pub async fn a_release_stores_what_the_holder_changed(on: &Subject) {
    let key = instructor(1);
    on.connected(key).await;
    let mut full = SyncState {
        cursor: Some(Cursor { token: "token".to_owned(), shape: "2:primary".to_owned(), past_strays: true }),
        listing: Some(ListingProgress {
            sync_token: Some("closing".to_owned()),
            pages: 4,
            pages_before: 3,
            events: 9_000,
            has_changes: true,
            past_strays: true,
            is_second: true,
            ..ListingProgress::complete("2:primary".to_owned(), at(1, 0)).after_page("page 5".to_owned(), 0)
        }),
        days_move: true,
        calendar_time_zone: Tz::Europe__Berlin,
        horizon: Some(at(20, 0)),
        reconciled_at: Some(at(2, 0)),
        next_sync_at: Some(at(1, 15)),
        last_synced_at: Some(at(1, 1)),
        listed_at: Some(at(1, 0)),
        doubted_since: Some(at(1, 0)),
        failures: 2,
        cuts: 1,
        last_error: Some("google_unavailable".to_owned()),
        channel: Some(Channel {
            id: ChannelId::from("channel"),
            resource_id: "resource".to_owned(),
            expires_at: at(8, 0),
        }),
        channel_opened_at: Some(at(1, 0)),
        retired_channels: vec![ChannelId::from("replaced"), ChannelId::from("unanswered")],
        renew_at: Some(at(7, 0)),
        push_health: PushHealth::Suspect { since: at(1, 0), changed_after: at(0, 45) },
        removals: Some(Removals { since: at(1, 0), count: 3, held: true }),
        ..on.leased(key, 1).await
    };
    full.pending.tasks = tasks(&[SyncTask::PushLessons]);
    assert_eq!(on.store.release_lease(key, &full).await.unwrap(), ReleaseOutcome::Released);
    let free = on.state(key).await;
    assert_eq!(free.lease.owner, None);
    assert_eq!(SyncState { lease: full.lease.clone(), ..free }, full);

    let empty = SyncState { lease: on.leased(key, 2).await.lease, ..SyncState::new(at(1, 0)) };
    assert_eq!(on.store.release_lease(key, &empty).await.unwrap(), ReleaseOutcome::Released);
    assert_eq!(SyncState { lease: empty.lease.clone(), ..on.state(key).await }, empty);
}

/// Requests that came since are handed back, nothing is stored, and the lease stays.
pub async fn a_release_is_refused_when_new_requests_came(on: &Subject) {
    let key = instructor(1);
    on.connected(key).await;
    let mut state = on.leased(key, 1).await;
    on.acquire(key, 2, 1, &[SyncTask::PullEvents]).await;
    state.failures = 5;
    let ReleaseOutcome::NewRequests(now) = on.store.release_lease(key, &state).await.unwrap() else {
        panic!("a request came")
    };
    assert_eq!((now.failures, &now.pending.tasks), (0, &tasks(&[SyncTask::PullEvents])));
    assert_eq!(now.lease, state.lease);
    state.pending.counter = now.pending.counter;
    state.pending.tasks.clear();
    assert_eq!(on.store.release_lease(key, &state).await.unwrap(), ReleaseOutcome::Released);
    assert_eq!(on.state(key).await.pending.tasks, tasks(&[]));
    assert!(matches!(on.acquire(key, 3, 1, &[]).await, LeaseAttempt::Granted(_)), "it is free before its time");
}

/// The poll that a request relies on is not undone by what the holder saves on its way.
pub async fn a_save_leaves_the_lease_requests_and_next_poll_alone(on: &Subject) {
    let key = instructor(1);
    on.connected(key).await;
    let mut state = on.leased(key, 1).await;
    on.acquire(key, 2, 1, &[SyncTask::PullEvents]).await;
    state.failures = 1;
    state.next_sync_at = None;
    assert!(on.store.save_state(key, &state).await.unwrap());
    let now = on.state(key).await;
    assert_eq!((now.failures, now.next_sync_at, now.pending.counter), (1, Some(at(1, 10)), 1));
    assert_eq!(now.lease, state.lease);
}

/// A released lease has no owner.
pub async fn a_released_lease_saves_nothing_more(on: &Subject) {
    let key = instructor(1);
    on.connected(key).await;
    let state = on.leased(key, 1).await;
    on.store.release_lease(key, &state).await.unwrap();
    assert!(!on.store.save_state(key, &state).await.unwrap());
}

/// A holder that gives it back again, because an answer was lost, has given it back, and what others did since stands.
pub async fn a_lease_that_was_released_counts_as_released_until_another_owner_takes_it(on: &Subject) {
    let key = instructor(1);
    on.connected(key).await;
    let mut state = on.leased(key, 1).await;
    state.failures = 1;
    assert_eq!(on.store.release_lease(key, &state).await.unwrap(), ReleaseOutcome::Released);
    on.store.schedule(key, Some(at(1, 5))).await.unwrap();
    let since = on.state(key).await;
    assert_eq!((since.failures, since.next_sync_at), (1, Some(at(1, 5))));
    state.failures = 2;
    assert_eq!(on.store.release_lease(key, &state).await.unwrap(), ReleaseOutcome::Released);
    assert_eq!(on.state(key).await, since, "once");
    on.leased(key, 2).await;
    assert_eq!(on.store.release_lease(key, &state).await.unwrap(), ReleaseOutcome::Lost);
}
