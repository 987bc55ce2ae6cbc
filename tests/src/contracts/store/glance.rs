//! What a run without the lease stores: all or nothing, and only if no other run acted since it read.

use calendar_sync::{
    model::{Cursor, EventId, SyncState, SyncStatus, SyncTask},
    ports::{ConflictChanges, Glance, LessonSyncColumns, MarkUpdate, PairChange, ReleaseOutcome},
};
use chrono::TimeDelta;
use serde_json::json;

use super::{HostTable, Subject, at, conflict, instructor, lesson, mapping, notice, primary, single, tasks, untold};

fn nothing(state: SyncState) -> Glance {
    Glance { state, put: Vec::new(), remove: Vec::new(), conflicts: Vec::new(), flags: Vec::new() }
}

/// An event that comes to overlap lesson 1, and another that goes.
fn overlapping(state: SyncState) -> Glance {
    let conflicts = ConflictChanges {
        lesson_id: lesson(1),
        put: vec![PairChange { pair: conflict(1, "comes", 2), notice: Some(notice(instructor(1), 1, 0)) }],
        remove: vec![untold(conflict(1, "goes", 2))],
        has_conflict: true,
    };
    let flags = LessonSyncColumns {
        google_calendar_event_id: Some(EventId::from("own")),
        calendar_sync_status: Some(SyncStatus::Synced),
        has_conflict: true,
    };
    Glance {
        put: vec![single("comes", at(2, 0), at(2, 60))],
        remove: vec![(primary(), EventId::from("goes"))],
        conflicts: vec![conflicts],
        flags: vec![(lesson(1), flags)],
        ..nothing(state)
    }
}

impl Subject {
    /// A connection with a lesson that the event `goes` overlaps.
    async fn before_the_glance(&self) {
        let key = instructor(1);
        self.connected(key).await;
        let row = json!({ "tenant_id": key.tenant_id, "id": lesson(1), "instructor_id": key.instructor_id });
        self.host.put(HostTable::Lessons, row).await;
        self.store.save_mapping(&mapping(key, 1, at(2, 0)), MarkUpdate::Keep, &[]).await.unwrap();
        self.store.put_external(key, &[single("goes", at(2, 0), at(2, 60))]).await.unwrap();
        let goes = ConflictChanges {
            lesson_id: lesson(1),
            put: vec![untold(conflict(1, "goes", 2))],
            remove: vec![],
            has_conflict: false,
        };
        self.store.apply_conflicts(key, &[goes]).await.unwrap();
    }

    async fn commit(&self, glance: &Glance) -> bool {
        self.store.commit_glance(instructor(1), glance).await.unwrap()
    }

    /// Ids of events, events in conflict, notices, whether the mapping is flagged, and whether the lesson is.
    async fn seen(&self) -> (Vec<String>, Vec<String>, usize, bool, bool) {
        let key = instructor(1);
        let events = self.store.external_ids(key).await.unwrap().into_iter().map(|(_, id)| id.0);
        let pairs = self.store.conflicts(key).await.unwrap().into_iter().map(|pair| pair.google_event_id.0);
        let notices = self.store.pending_notices(key, 10).await.unwrap().len();
        let mapping = self.store.mapping(key, lesson(1)).await.unwrap();
        let row = self.host.row(HostTable::Lessons, key.tenant_id, lesson(1).0).await;
        (
            events.collect(),
            pairs.collect(),
            notices,
            mapping.is_some_and(|mapping| mapping.has_conflict),
            row.is_some_and(|row| row["has_conflict"] == true),
        )
    }
}

fn ids(ids: &[&str]) -> Vec<String> {
    ids.iter().map(|id| (*id).to_owned()).collect()
}

/// State, rows, pairs, flags and notices; the lease stays free, and its fence is raised.
pub async fn a_glance_stores_all_that_follows_at_once(on: &Subject) {
    let key = instructor(1);
    on.before_the_glance().await;
    let mut state = SyncState {
        cursor: Some(Cursor {
            token: "next".to_owned(),
            shape: "2:primary".to_owned(),
            past_strays: false,
            days_move: false,
        }),
        next_sync_at: Some(at(1, 15)),
        listed_at: Some(at(1, 1)),
        ..on.state(key).await
    };
    assert!(on.commit(&overlapping(state.clone())).await);
    assert_eq!(on.seen().await, (ids(&["comes"]), ids(&["comes"]), 1, true, true));
    state.lease.fence += 1;
    assert_eq!(on.state(key).await, state);

    state.cursor = None;
    state.next_sync_at = None;
    assert!(on.commit(&nothing(state.clone())).await);
    state.lease.fence += 1;
    assert_eq!(on.state(key).await, state, "what is absent is taken away");
}

/// As many as one may hold.
pub async fn a_glance_takes_twenty_events_of_the_largest_size(on: &Subject) {
    on.before_the_glance().await;
    let put = (0..20).map(|n| super::largest(&format!("{n:v>1024}"))).collect();
    let state = on.state(instructor(1)).await;
    assert!(on.commit(&Glance { put, ..nothing(state) }).await);
    assert_eq!(on.store.external_ids(instructor(1)).await.unwrap().len(), 21);
}

/// By taking the lease, even if it was given back or ran out since, by another glance, or by a request.
pub async fn a_glance_is_refused_once_anybody_acted(on: &Subject) {
    let key = instructor(1);
    on.before_the_glance().await;
    let before = on.seen().await;
    let refused = async |state: SyncState, why: &str| {
        let now = on.state(key).await;
        for glance in [nothing(state.clone()), overlapping(state)] {
            assert!(!on.commit(&glance).await, "{why}");
        }
        assert_eq!((on.state(key).await, on.seen().await), (now, before.clone()), "{why}: nothing is stored");
    };

    let read = on.state(key).await;
    let held = on.leased(key, 1).await;
    refused(read.clone(), "another run took the lease").await;
    refused(held.clone(), "another run holds the lease").await;
    assert_eq!(on.store.release_lease(key, &held).await.unwrap(), ReleaseOutcome::Released);
    refused(read, "another run had the lease").await;

    let read = on.state(key).await;
    assert!(on.commit(&nothing(read.clone())).await);
    refused(read, "another glance was first").await;

    let read = on.state(key).await;
    on.store.schedule(key, Some(at(1, 5))).await.unwrap();
    refused(read, "the next poll was set").await;

    on.leased(key, 2).await;
    on.acquire(key, 3, 1, &[SyncTask::FullReconcile]).await;
    let read = on.state(key).await;
    assert_eq!(read.pending.tasks, tasks(&[SyncTask::FullReconcile]));
    refused(read, "a holder that died is for the next holder").await;
    assert!(!on.store.commit_glance(instructor(2), &nothing(on.state(key).await)).await.unwrap(), "no connection");
}

/// Its mapping or its row went, or the row is another instructor's: nothing at all is stored.
pub async fn a_glance_changes_nothing_of_a_lesson_that_is_gone(on: &Subject) {
    let key = instructor(1);
    on.before_the_glance().await;
    let state = on.state(key).await;
    let mut glance = overlapping(state.clone());
    glance.flags[0].0 = lesson(2);
    let before = on.seen().await;
    assert!(!on.commit(&glance).await, "no such lesson");
    let foreign = json!({ "tenant_id": key.tenant_id, "id": lesson(2), "instructor_id": instructor(2).instructor_id });
    on.host.put(HostTable::Lessons, foreign).await;
    assert!(!on.commit(&glance).await, "another instructor's");
    let mut glance = overlapping(state.clone());
    glance.conflicts[0].lesson_id = lesson(3);
    assert!(!on.commit(&glance).await, "no such mapping");
    assert_eq!((on.state(key).await, on.seen().await), (state, before));
}

/// A hundred items, the state among them.
pub async fn a_glance_may_be_as_large_as_a_transaction(on: &Subject) {
    let key = instructor(1);
    on.connected(key).await;
    let hour = |n: i64| single(&format!("e{n}"), at(2, 0) + TimeDelta::hours(n), at(2, 60) + TimeDelta::hours(n));
    let glance = Glance { put: (1..100).map(hour).collect(), ..nothing(on.state(key).await) };
    assert_eq!(glance.items(), Glance::MAX_ITEMS);
    assert!(on.commit(&glance).await);
    assert_eq!(on.store.external_ids(key).await.unwrap().len(), 99);
}
