//! One clock. It shows what the test says, and passes by sleeping or by the test alone.

use std::{
    collections::BTreeMap,
    future::poll_fn,
    mem,
    pin::pin,
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker},
    time::Duration,
};

use async_trait::async_trait;
use calendar_sync::ports::Clock;
use chrono::{DateTime, TimeDelta, Utc};
use futures::{StreamExt as _, stream::FuturesUnordered};

/// Time that the test decides on.
pub struct TestClock {
    time: Mutex<Time>,
    passes_by: PassesBy,
}

#[derive(Clone, Copy, PartialEq)]
enum PassesBy {
    Test,
    Sleep,
    SleepAndLook,
}

struct Time {
    now: DateTime<Utc>,
    sleepers: BTreeMap<(DateTime<Utc>, u64), Waker>,
    last_sleeper: u64,
}

impl TestClock {
    /// Sleepers wait until the test moves the clock.
    pub fn standing(now: DateTime<Utc>) -> Arc<Self> {
        Self::new(now, PassesBy::Test)
    }

    /// A sleep is over at once, and moves the clock by its length.
    pub fn skipping(now: DateTime<Utc>) -> Arc<Self> {
        Self::new(now, PassesBy::Sleep)
    }

    /// The same, and each look at the clock takes a millisecond: no two moments are equal.
    pub fn ticking(now: DateTime<Utc>) -> Arc<Self> {
        Self::new(now, PassesBy::SleepAndLook)
    }

    fn new(now: DateTime<Utc>, passes_by: PassesBy) -> Arc<Self> {
        let time = Time { now, sleepers: BTreeMap::new(), last_sleeper: 0 };
        Arc::new(Self { time: Mutex::new(time), passes_by })
    }

    /// Lets time pass.
    pub fn advance(&self, by: TimeDelta) {
        let at = self.time.lock().unwrap().now + by;
        self.advance_to(at);
    }

    /// Moves the clock forward, never back, and wakes who has slept until then.
    pub fn advance_to(&self, at: DateTime<Utc>) {
        let due = {
            let mut time = self.time.lock().unwrap();
            let now = time.now.max(at);
            time.now = now;
            let later = time.sleepers.split_off(&(now, u64::MAX));
            mem::replace(&mut time.sleepers, later)
        };
        due.into_values().for_each(Waker::wake);
    }

    /// Plays `doing` to its end in virtual time: the clock moves whenever all of it sleeps. It must wait for nothing
    /// else.
    pub fn play<T>(&self, doing: impl Future<Output = T>) -> T {
        let mut doing = pin!(doing);
        loop {
            if let Poll::Ready(done) = doing.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                return done;
            }
            let next = self.time.lock().unwrap().sleepers.keys().next().map(|(at, _)| *at);
            self.advance_to(next.expect("a sleeper"));
        }
    }

    /// Goes on with what is under way until at most `left` of it are neither over nor asleep.
    pub async fn work<T>(&self, under_way: &mut FuturesUnordered<impl Future<Output = T>>, left: usize) {
        let asleep = || self.time.lock().unwrap().sleepers.len();
        poll_fn(|context| {
            while under_way.len() > asleep() + left {
                match under_way.poll_next_unpin(context) {
                    Poll::Ready(_) => {}
                    Poll::Pending if under_way.len() > asleep() + left => return Poll::Pending,
                    Poll::Pending => break,
                }
            }
            Poll::Ready(())
        })
        .await;
    }
}

#[async_trait]
impl Clock for TestClock {
    fn now(&self) -> DateTime<Utc> {
        let mut time = self.time.lock().unwrap();
        if self.passes_by == PassesBy::SleepAndLook {
            time.now += TimeDelta::milliseconds(1);
        }
        time.now
    }

    async fn sleep(&self, length: Duration) {
        if self.passes_by != PassesBy::Test {
            self.advance(TimeDelta::from_std(length).unwrap());
            return std::future::ready(()).await;
        }
        let place = {
            let mut time = self.time.lock().unwrap();
            time.last_sleeper += 1;
            (time.now + length, time.last_sleeper)
        };
        poll_fn(|context| {
            let mut time = self.time.lock().unwrap();
            if time.now >= place.0 {
                return Poll::Ready(());
            }
            time.sleepers.insert(place, context.waker().clone());
            Poll::Pending
        })
        .await;
    }
}
