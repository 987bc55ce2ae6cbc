//! Time that passes only while everybody sleeps: minutes of a whole fleet are over in a moment.

use std::{
    collections::BTreeMap,
    future::poll_fn,
    pin::pin,
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker},
    time::Duration,
};

use async_trait::async_trait;
use calendar_sync::ports::Clock;
use chrono::{DateTime, Utc};

pub struct VirtualClock(Mutex<Time>);

struct Time {
    now: DateTime<Utc>,
    sleepers: BTreeMap<(DateTime<Utc>, u64), Waker>,
    last: u64,
}

impl VirtualClock {
    pub fn new(now: DateTime<Utc>) -> Arc<Self> {
        Arc::new(Self(Mutex::new(Time { now, sleepers: BTreeMap::new(), last: 0 })))
    }

    /// Plays what is done on this clock to its end. It must wait for nothing else.
    pub fn play<T>(&self, doing: impl Future<Output = T>) -> T {
        let mut doing = pin!(doing);
        loop {
            if let Poll::Ready(done) = doing.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                return done;
            }
            let ((at, _), waker) = self.0.lock().unwrap().sleepers.pop_first().expect("a sleeper");
            self.advance_to(at);
            waker.wake();
        }
    }

    pub fn advance_to(&self, at: DateTime<Utc>) {
        let mut time = self.0.lock().unwrap();
        time.now = time.now.max(at);
    }
}

#[async_trait]
impl Clock for VirtualClock {
    fn now(&self) -> DateTime<Utc> {
        self.0.lock().unwrap().now
    }

    async fn sleep(&self, time: Duration) {
        let place = {
            let mut clock = self.0.lock().unwrap();
            clock.last += 1;
            (clock.now + time, clock.last)
        };
        poll_fn(|context| {
            let mut time = self.0.lock().unwrap();
            if time.now >= place.0 {
                return Poll::Ready(());
            }
            time.sleepers.insert(place, context.waker().clone());
            Poll::Pending
        })
        .await;
    }
}
