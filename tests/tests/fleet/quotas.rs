//! What a fleet asks of Google in a minute, by the quotas of the simulated one: 10,000 of the project, 600 of a user.

use std::{cell::Cell, time::Duration};

use calendar_sync::{
    model::{LogRow, SyncOutcome, SyncTask, SyncTrigger},
    ports::{Clock, RateLimiter as _, SyncLogStore as _},
};
use chrono::TimeDelta;
use futures::future::join_all;
use testkit::data::{hour, noon as now};

use crate::{
    key,
    world::{Fleet, Queue, address},
};

/// The first sync, as after a login.
const EVERYTHING: [SyncTask; 3] = [SyncTask::PullEvents, SyncTask::PushLessons, SyncTask::FullReconcile];

#[test]
fn first_syncs_of_500_connections_wait_behind_live_ones_and_google_refuses_hardly_a_call_of_ten_workers() {
    const LIVE: u128 = 100;
    const NEW: u128 = 500;
    const LESSONS: usize = 25;
    /// One of them has more than a user may write in a minute.
    const MANY: usize = 700;
    let fleet = Fleet::new(LIVE + NEW);
    fleet.clock.play(async {
        // Those that live have synced some minutes ago.
        let process = fleet.process();
        for number in 0..LIVE {
            fleet.send(number, SyncTrigger::Connect, &EVERYTHING).await;
        }
        let synced = || (0..LIVE).all(|number| fleet.state(number).last_synced_at.is_some());
        fleet.work(&process, Queue::FirstSyncs, &synced).await;
        fleet.clock.sleep(Duration::from_mins(2)).await;
        fleet.google.lock().reset_calls();

        for number in LIVE..LIVE + NEW {
            fleet.plan_lessons(number, if number == LIVE { MANY } else { LESSONS });
            fleet.send(number, SyncTrigger::Connect, &EVERYTHING).await;
        }
        let (left_behind, all_is_done) = (Cell::new(0), Cell::new(false));
        let done = || all_is_done.get();
        let live_ones = async {
            for n in 0..600 {
                fleet.clock.sleep(Duration::from_millis(100)).await;
                let number = n * 7 % LIVE;
                let event = hour(fleet.clock.now() + TimeDelta::hours(1));
                fleet.google.lock().create_event(fleet.clock.now(), &address(number), &event).unwrap();
                fleet.send(number, SyncTrigger::Webhook, &[SyncTask::PullEvents]).await;
            }
            left_behind.set(fleet.waiting(Queue::FirstSyncs));
            let synced = |number| fleet.state(number).last_synced_at.is_some();
            let in_google = |number| fleet.google.lock().events(&address(number)).len();
            while !(LIVE..LIVE + NEW).all(synced) || in_google(LIVE) < MANY {
                fleet.clock.sleep(Duration::from_secs(10)).await;
            }
            all_is_done.set(true);
            assert!((LIVE + 1..LIVE + NEW).all(|number| in_google(number) == LESSONS));
        };
        // Six processes for five live messages at once, four for a first sync each.
        let processes: Vec<_> = (0..10).map(|_| fleet.process()).collect();
        let (live, first) = processes.split_at(6);
        let live = live.iter().flat_map(|process| (0..5).map(|_| fleet.work(process, Queue::Live, &done)));
        let first = first.iter().map(|process| fleet.work(process, Queue::FirstSyncs, &done));
        futures::join!(live_ones, fleet.dispatch(&done), join_all(live), join_all(first));

        assert!(left_behind.get() > 100, "{} first syncs still waited after a minute", left_behind.get());
        let waited = fleet.longest_wait();
        assert!(waited < TimeDelta::seconds(5), "a live message waited for {waited}");
    });
    let (calls, refused) = (fleet.google.lock().calendar_calls(), fleet.google.refused());
    let minutes = (fleet.clock.now() - now()).num_minutes();
    println!("{calls} calls in {minutes} minutes, {refused} refused");
    assert!(calls > 13_000, "{calls}");
    assert!(u64::try_from(refused).unwrap() * 100 <= calls, "{refused} of {calls} calls were refused");
    for number in 0..LIVE + NEW {
        let state = fleet.state(number);
        assert_eq!((state.failures, &state.last_error), (0, &None), "waiting is no failure: {number}");
    }
}

#[test]
fn a_listing_that_finds_no_room_in_the_minute_waits_and_has_not_failed() {
    let fleet = Fleet::new(1);
    fleet.clock.play(async {
        // All shards are reserved for the next two minutes.
        for shard in 0..fleet.store.bucket_shards() {
            fleet.store.reserve("client", shard, TimeDelta::minutes(2), now(), now()).await.unwrap();
        }
        let process = fleet.process();
        fleet.send(0, SyncTrigger::Connect, &EVERYTHING).await;
        let waits = || fleet.state(0).next_sync_at.is_some_and(|at| at - fleet.clock.now() > TimeDelta::minutes(4));
        fleet.work(&process, Queue::FirstSyncs, &waits).await;
        let state = fleet.state(0);
        assert_eq!(fleet.google.lock().calendar_calls(), 0);
        assert_eq!((state.failures, &state.last_error, state.backoff_until), (0, &None, None));
        assert!(state.pending.tasks.is_superset(&EVERYTHING.into()), "{state:?}");
        assert!(fleet.waiting(Queue::FirstSyncs) > 0, "the rest has a message");

        let synced = || fleet.state(0).last_synced_at.is_some();
        futures::join!(fleet.dispatch(&synced), fleet.work(&process, Queue::FirstSyncs, &synced));
        assert!(fleet.clock.now() < now() + TimeDelta::minutes(4));
        let logs = fleet.store.logs(key(0), None, 10).await.unwrap();
        let runs = logs.iter().filter_map(|row| if let LogRow::Run(run) = row { Some(run) } else { None });
        let told: Vec<_> = runs.map(|run| (run.trigger, run.outcome)).collect();
        assert_eq!(told, [(SyncTrigger::Connect, SyncOutcome::Completed)], "one story");
    });
}
