//! A fleet at its size: all of it due at once, and a burst of notifications over all of it.

use std::{cell::Cell, time::Duration};

use calendar_sync::{
    model::{SyncTask, SyncTrigger},
    ports::Clock,
};
use chrono::{DateTime, TimeDelta, Utc};
use futures::future::join_all;
use testkit::data::hour;

use crate::world::{Fleet, Queue, address};

const CONNECTIONS: u128 = 10_000;
const WORKERS: usize = 50;
const NOTIFICATIONS_A_SECOND: u128 = 1_000;

/// By Google's quota of 10,000 calls a minute, of which three quarters are used, 10,000 listings take 80 seconds.
const BY_THE_QUOTA: TimeDelta = TimeDelta::seconds(80);

impl Fleet {
    /// When it holds.
    async fn until(&self, holds: impl Fn() -> bool) -> DateTime<Utc> {
        while !holds() {
            self.clock.sleep(Duration::from_secs(1)).await;
        }
        self.clock.now()
    }
}

#[test]
fn ten_thousand_connections_catch_up_as_fast_as_googles_quota_allows_and_miss_nothing_of_a_burst() {
    let fleet = Fleet::new(CONNECTIONS);
    fleet.clock.play(async {
        let ended = Cell::new(false);
        let done = || ended.get();
        let story = async {
            let began = fleet.clock.now();
            let caught_up =
                fleet.until(|| (0..CONNECTIONS).all(|number| fleet.state(number).listed_at.is_some())).await - began;
            // The dispatcher sends 4,800 messages a minute.
            assert!(caught_up < TimeDelta::minutes(3) + BY_THE_QUOTA, "{caught_up}");

            let began = fleet.clock.now();
            for number in 0..CONNECTIONS {
                if number % NOTIFICATIONS_A_SECOND == 0 {
                    fleet.clock.sleep(Duration::from_secs(1)).await;
                }
                let now = fleet.clock.now();
                fleet.google.lock().create_event(now, &address(number), &hour(now + TimeDelta::hours(1))).unwrap();
                fleet.send(number, SyncTrigger::Webhook, &[SyncTask::PullEvents]).await;
            }
            let all = usize::try_from(CONNECTIONS).unwrap();
            let stored = fleet.until(|| fleet.store.tables().external.len() == all).await - began;
            println!("all that was due was listed after {caught_up}, all of the burst was stored after {stored}");
            assert!(stored < BY_THE_QUOTA * 3 / 2, "{stored}");
            ended.set(true);
        };
        let processes: Vec<_> = (0..WORKERS).map(|_| fleet.process()).collect();
        let workers = processes
            .iter()
            .flat_map(|process| [Queue::Live, Queue::FirstSyncs].map(|queue| fleet.work(process, queue, &done)));
        futures::join!(story, fleet.dispatch(&done), join_all(workers));
    });
    let (calls, refused) = (fleet.google.lock().calendar_calls(), fleet.google.refused());
    assert!(u64::try_from(refused).unwrap() * 100 <= calls, "{refused} of {calls} calls were refused");
    for number in 0..CONNECTIONS {
        assert_eq!(fleet.state(number).failures, 0, "{number}");
    }
}
