//! Nothing is done after a lease has ended: the clock is read before each effect. A process may be paused for any time
//! between two effects.

use std::{future::poll_fn, pin::pin, task::Poll};

use chrono::{DateTime, TimeDelta, Utc};

use crate::{Error, ErrorKind, ports::Clock};

/// The clocks of two processes differ by less than this: the next owner of the lease may have a clock that is ahead.
const CLOCKS_DIFFER: TimeDelta = TimeDelta::seconds(10);

/// Awaits `work` until the lease ends: then `work` is dropped before its next effect, and the result is `None`.
pub async fn within_lease<T>(clock: &dyn Clock, until: DateTime<Utc>, work: impl Future<Output = T>) -> Option<T> {
    let mut work = pin!(work);
    let until = until - CLOCKS_DIFFER;
    // An effect begins when its future is polled; nothing else lies between two effects.
    poll_fn(|context| if clock.now() < until { work.as_mut().poll(context).map(Some) } else { Poll::Ready(None) }).await
}

/// The error of work that outlasted its lease; the caller has to try again.
pub fn lease_ran_out() -> Error {
    Error::new(ErrorKind::Unavailable, "lease_ran_out", "The sync took too long. It goes on by itself.")
}

#[cfg(test)]
mod tests {
    use std::{cell::Cell, sync::Mutex, time::Duration};

    use async_trait::async_trait;
    use chrono::TimeDelta;

    use super::*;

    struct Hand(Mutex<DateTime<Utc>>);

    #[async_trait]
    impl Clock for Hand {
        fn now(&self) -> DateTime<Utc> {
            *self.0.lock().unwrap()
        }
        async fn sleep(&self, time: Duration) {
            *self.0.lock().unwrap() += time;
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn no_effect_follows_the_end_of_the_lease() {
        let clock = Hand(Mutex::new(DateTime::UNIX_EPOCH));
        let effects = Cell::new(0);
        let held_up = within_lease(&clock, DateTime::UNIX_EPOCH + TimeDelta::seconds(20), async {
            loop {
                effects.set(effects.get() + 1);
                clock.sleep(Duration::from_secs(4)).await;
            }
        });
        assert_eq!(held_up.await, None::<()>);
        assert_eq!(effects.get(), 3, "at 0, 4 and 8 seconds: another's clock may be ten seconds ahead");
    }
}
