//! A connection that is due is found and claimed once.

use std::collections::BTreeSet;

use calendar_sync::{
    model::ConnectionKey,
    ports::{Due, ReleaseOutcome},
};
use chrono::{DateTime, Utc};

use super::{Subject, at, instructor};

async fn all_due(on: &Subject, now: DateTime<Utc>) -> Vec<Due> {
    let mut found = Vec::new();
    for shard in 0..on.store.shards() {
        found.extend(on.store.due(shard, now, 100).await.unwrap());
    }
    found
}

/// Each due connection stands in one shard, and those due later in none.
pub async fn due_connections_are_found_through_the_shards(on: &Subject) {
    let mut expected = BTreeSet::new();
    for number in 1..=40 {
        let key = instructor(number);
        on.connected(key).await;
        let minute = i64::try_from(number).unwrap();
        on.store.schedule(key, Some(at(1, minute))).await.unwrap();
        if minute <= 30 {
            expected.insert(key);
        }
    }
    on.store.schedule(instructor(7), None).await.unwrap();
    expected.remove(&instructor(7));
    let found = all_due(on, at(1, 30)).await;
    assert_eq!(found.len(), expected.len());
    assert_eq!(found.iter().map(|due| due.key).collect::<BTreeSet<ConnectionKey>>(), expected);
    let used = (0..on.store.shards()).map(|shard| on.store.due(shard, at(1, 60), 100));
    let used = futures::future::join_all(used).await.into_iter().filter(|due| !due.as_ref().unwrap().is_empty());
    assert!(used.count() > 8, "they are spread");
}

/// The longest due come first, no more than asked for.
pub async fn the_longest_due_come_first(on: &Subject) {
    for number in 1..=60 {
        on.connected(instructor(number)).await;
        on.store.schedule(instructor(number), Some(at(1, 100 - i64::try_from(number).unwrap()))).await.unwrap();
    }
    for shard in 0..on.store.shards() {
        let all = on.store.due(shard, at(1, 200), 100).await.unwrap();
        assert!(all.is_sorted_by_key(|due| due.at));
        assert_eq!(on.store.due(shard, at(1, 200), 2).await.unwrap(), all[..all.len().min(2)]);
    }
}

/// Of two dispatchers that saw the same, one claims it.
pub async fn what_is_due_is_claimed_once(on: &Subject) {
    let key = instructor(1);
    on.connected(key).await;
    let due = all_due(on, at(1, 0)).await[0];
    let claims = futures::future::join_all((0..8).map(|minute| on.store.claim_due(due, at(1, 15 + minute)))).await;
    let won: Vec<_> = claims.into_iter().filter_map(Result::unwrap).collect();
    assert_eq!(won, [on.state(key).await]);
    assert_eq!(all_due(on, at(1, 14)).await, []);
}

/// A connection that is gone is neither scheduled nor claimed into being.
pub async fn scheduling_makes_no_connection(on: &Subject) {
    let key = instructor(1);
    on.store.schedule(key, Some(at(1, 0))).await.unwrap();
    assert_eq!(on.store.claim_due(Due { key, at: at(1, 0) }, at(1, 1)).await.unwrap(), None);
    assert!(on.store.state(key).await.unwrap().is_none());
}

/// Channels to renew are found by the moment that the holder set.
pub async fn channels_to_renew_are_found_by_their_moment(on: &Subject) {
    let key = instructor(1);
    on.connected(key).await;
    on.connected(instructor(2)).await;
    let mut state = on.leased(key, 1).await;
    state.renew_at = Some(at(5, 0));
    assert_eq!(on.store.release_lease(key, &state).await.unwrap(), ReleaseOutcome::Released);
    let mut found = Vec::new();
    for shard in 0..on.store.shards() {
        assert_eq!(on.store.renewals(shard, at(4, 0), 10).await.unwrap(), []);
        found.extend(on.store.renewals(shard, at(5, 0), 10).await.unwrap());
    }
    assert_eq!(found, [Due { key, at: at(5, 0) }]);
}
