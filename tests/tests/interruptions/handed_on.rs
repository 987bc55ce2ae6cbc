//! A sync by hand that ends in the background: the log row that was promised for it covers all of its parts, and ends.

use std::sync::Arc;

use calendar_sync::{
    model::{CalendarSyncLog, SyncCalendarRequest, SyncDirection, SyncLogId, SyncOutcome, SyncTask, SyncTrigger},
    ports::SyncMessage,
    usecases::{
        handle_sync_message::HandleSyncMessage,
        sync_now::{SyncNow, sync_now},
    },
};
use chrono::TimeDelta;
use testkit::{data::person, ports::TestQueue, wiring::Ports};
use uuid::Uuid;

use crate::stage::{Person, Stage};

/// The stage with a queue of the test's.
struct Handover {
    stage: Stage,
    queue: Arc<TestQueue>,
    handler: HandleSyncMessage,
    person: Person,
}

impl Handover {
    async fn connected() -> Self {
        let stage = Stage::set().await;
        let person = stage.person().await;
        stage.connect(&person).await;
        let queue = TestQueue::new(stage.ports.clock.clone());
        let handler = Ports { sync_queue: queue.clone(), ..stage.ports.clone() }.worker();
        Self { stage, queue, handler, person }
    }

    /// Asks for a sync that has `time`; returns the id of the promised log row.
    async fn promised(&self, asked: SyncCalendarRequest, time: TimeDelta) -> SyncLogId {
        let deadline = self.stage.now() + time;
        match sync_now(&self.handler.sync, self.person.key, asked, &person(), deadline).await.unwrap() {
            SyncNow::Queued(id) => id,
            SyncNow::Done(log) => panic!("it ended: {log:?}"),
        }
    }

    fn heard(&self) -> SyncMessage {
        self.queue.take().pop().expect("a message").message
    }

    async fn row(&self, id: SyncLogId) -> CalendarSyncLog {
        self.stage.ports.store.log(self.person.key, id).await.unwrap().unwrap()
    }
}

#[tokio::test]
async fn a_sync_by_hand_that_runs_out_of_time_continues_as_requested_and_ends_in_one_log_row() {
    let on = Handover::connected().await;
    on.stage.plan(&on.person.account, "Dentist");
    on.stage.put_lesson(on.person.key, 4).await;
    let today = on.stage.now().date_naive();
    let dates = Some((today, today + TimeDelta::days(30)));
    let asked = SyncCalendarRequest { instructor_id: on.person.key.instructor_id, direction: None, dates };
    let id = on.promised(asked.clone(), TimeDelta::seconds(2)).await;
    let first = on.row(id).await;
    assert_eq!((first.outcome, first.counts.events_synced), (SyncOutcome::Running, 1), "the event is imported");

    let message = on.heard();
    assert_eq!((message.log_id, message.trigger, &message.asked), (Some(id), SyncTrigger::Manual, &Some(asked)));
    on.handler.handle(&message).await.unwrap();
    let whole = on.row(id).await;
    assert_eq!((whole.outcome, whole.trigger), (SyncOutcome::Completed, SyncTrigger::Manual), "{whole:?}");
    assert_eq!((whole.counts.events_created, whole.counts.events_synced), (1, 2), "the lesson is written, {whole:?}");
    assert_eq!(whole.started_at, first.started_at);
    assert!(whole.google_calls > first.google_calls);
    assert!(first.reasons.iter().all(|reason| whole.reasons.contains(reason)), "{whole:?}");
}

#[tokio::test]
async fn a_promised_log_row_ends_although_the_calendar_is_disconnected_meanwhile() {
    let on = Handover::connected().await;
    let (store, key, now) = (&on.stage.ports.store, on.person.key, on.stage.now());
    store.acquire_lease(key, Uuid::from_u128(9), now, now + TimeDelta::minutes(1), &[].into()).await.unwrap();
    let (instructor_id, direction) = (key.instructor_id, Some(SyncDirection::ToGoogle));
    let asked = SyncCalendarRequest { instructor_id, direction, dates: None };
    let id = on.promised(asked, TimeDelta::seconds(20)).await;
    assert_eq!(on.row(id).await.outcome, SyncOutcome::Running);
    let message = on.heard();
    assert!(message.tasks.contains(&SyncTask::FullReconcile), "a bounded run is no request for others: {message:?}");
    let credentials = store.credentials(key).await.unwrap().unwrap();
    store.forget_connection(&credentials).await.unwrap();
    on.handler.handle(&message).await.unwrap();
    let row = on.row(id).await;
    assert_eq!((row.outcome, row.direction), (SyncOutcome::Failed, SyncDirection::ToGoogle));
    assert_eq!(row.reasons.last().unwrap(), "The calendar is no longer connected.");
}

#[tokio::test]
async fn a_sync_that_finds_others_under_way_for_an_hour_is_given_up_and_says_so() {
    let on = Handover::connected().await;
    let (store, key, now) = (&on.stage.ports.store, on.person.key, on.stage.now());
    store.acquire_lease(key, Uuid::from_u128(9), now, now + TimeDelta::minutes(1), &[].into()).await.unwrap();
    let asked = SyncCalendarRequest { instructor_id: key.instructor_id, direction: None, dates: None };
    let id = on.promised(asked, TimeDelta::seconds(20)).await;
    let first = on.heard();
    on.handler.handle(&first).await.unwrap();
    let again = on.heard();
    assert_eq!((again.idle_hops, on.row(id).await.outcome), (first.idle_hops + 1, SyncOutcome::Running));
    on.handler.handle(&SyncMessage { idle_hops: SyncMessage::MAX_IDLE_HOPS, ..again }).await.unwrap();
    assert!(on.queue.take().is_empty(), "the chain ends");
    let row = on.row(id).await;
    assert_eq!(row.outcome, SyncOutcome::Failed);
    assert_eq!(row.reasons.last().unwrap(), "Other syncs were under way all the time; this one was given up.");
}
