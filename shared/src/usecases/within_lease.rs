//! Nothing is done past the end of a lease: the clock is looked at before each effect (design rule R12). A process may
//! be held up anywhere, between any two effects, for as long as it likes.

use std::{future::poll_fn, pin::pin, task::Poll};

use chrono::{DateTime, TimeDelta, Utc};

use crate::{Error, ErrorKind, ports::Clock};

/// The clocks of two processes differ by less than this: whoever takes the lease over goes by a clock that may be ahead of
/// ours.
const CLOCKS_DIFFER: TimeDelta = TimeDelta::seconds(10);

/// Awaits `work`, unless the lease that it holds runs out first: then it is dropped where it stands, before its next
/// effect, and there is no answer.
pub async fn within_lease<T>(clock: &dyn Clock, until: DateTime<Utc>, work: impl Future<Output = T>) -> Option<T> {
    let mut work = pin!(work);
    let until = until - CLOCKS_DIFFER;
    // Effects are begun when they are polled, and nothing else lies between two of them.
    poll_fn(|context| if clock.now() < until { work.as_mut().poll(context).map(Some) } else { Poll::Ready(None) }).await
}

/// Why there is no answer: whoever asked is to ask again.
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
