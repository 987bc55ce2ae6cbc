//! The audit trail and the outbox.

use calendar_sync::model::{
    CalendarSyncLog, ConnectionKey, LogRow, SyncCounts, SyncDirection, SyncLogId, SyncOutcome, SyncTrigger,
};
use testkit::data::person;
use uuid::Uuid;

use super::{Subject, at, instructor, notice};

fn log(key: ConnectionKey, number: u128) -> CalendarSyncLog {
    CalendarSyncLog {
        id: SyncLogId(Uuid::from_u128(number)),
        key,
        trigger: SyncTrigger::Manual,
        asked_by: Some(person()),
        direction: SyncDirection::TwoWay,
        started_at: at(1, 0),
        duration_ms: 1250,
        counts: SyncCounts {
            events_synced: 15,
            events_created: 5,
            events_updated: 3,
            events_deleted: 0,
            conflicts_detected: 2,
        },
        google_calls: 4,
        outcome: SyncOutcome::Completed,
        reasons: vec!["One lesson was moved.".to_owned()],
    }
}

/// Newest first, page by page, and each connection its own.
pub async fn logs_are_read_newest_first_page_by_page(on: &Subject) {
    let key = instructor(1);
    for number in 1..=5 {
        on.store.put_log(&log(key, number)).await.unwrap();
    }
    on.store.put_log(&log(instructor(2), 6)).await.unwrap();
    let first = on.store.logs(key, None, 2).await.unwrap();
    assert_eq!(first, [log(key, 5), log(key, 4)].map(LogRow::Run));
    let rest = on.store.logs(key, Some(first[1].id()), 9).await.unwrap();
    assert_eq!(rest, [log(key, 3), log(key, 2), log(key, 1)].map(LogRow::Run));
    assert_eq!(on.store.log(key, log(key, 6).id).await.unwrap(), None, "it is another connection's");
}

/// As many sentences as a row holds, each as long as it may be.
pub async fn a_log_row_of_the_longest_sentences_is_stored(on: &Subject) {
    let sentence = "ü".repeat(CalendarSyncLog::MAX_REASON_BYTES / 2);
    let reasons = vec![sentence; 2 * CalendarSyncLog::MAX_REASONS];
    let log = CalendarSyncLog { reasons, ..log(instructor(1), 1) };
    on.store.put_log(&log).await.unwrap();
    assert_eq!(on.store.log(log.key, log.id).await.unwrap(), Some(log));
}

/// A row that said "running" says how it ended.
pub async fn a_log_row_replaces_the_one_under_its_id(on: &Subject) {
    let key = instructor(1);
    on.store.put_log(&CalendarSyncLog { outcome: SyncOutcome::Running, ..log(key, 1) }).await.unwrap();
    on.store.put_log(&log(key, 1)).await.unwrap();
    assert_eq!(on.store.log(key, log(key, 1).id).await.unwrap(), Some(log(key, 1)));
    assert_eq!(on.store.logs(key, None, 9).await.unwrap().len(), 1);
}

/// Oldest first, until they are delivered; delivering twice is no error.
pub async fn notices_wait_in_order_until_delivered(on: &Subject) {
    let key = instructor(1);
    let notices = [notice(key, 3, 1), notice(key, 1, 2), notice(key, 2, 3)];
    for waiting in notices.iter().rev() {
        on.store.put_notices(key, std::slice::from_ref(waiting)).await.unwrap();
    }
    assert_eq!(on.store.pending_notices(key, 2).await.unwrap(), notices[..2]);
    for _ in 0..2 {
        on.store.delivered(key, &notices[..2]).await.unwrap();
    }
    assert_eq!(on.store.pending_notices(key, 9).await.unwrap(), notices[2..]);
    assert_eq!(on.store.pending_notices(instructor(2), 9).await.unwrap(), []);
}
