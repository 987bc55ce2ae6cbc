//! The lease of a connection, which its sync and its disconnect hold in turn.
//!
//! No effect happens after it has ended: the clock is checked before each. A process may pause anywhere, between any two
//! effects, for any time.

use std::{collections::BTreeSet, future::poll_fn, task::Poll};

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::google_session::Google;
use crate::{
    Error, ErrorKind, Result,
    model::{ConnectionKey, SyncState, SyncTask},
    ports::{Clock, LeaseAttempt, ReleaseOutcome, Store},
};

/// The lease lasts this much longer than its holder's work may take.
const MARGIN: TimeDelta = TimeDelta::seconds(30);
/// The clocks of two processes differ by less than this: the next holder goes by a clock that may be ahead of ours.
const MAX_CLOCK_DIFFERENCE: TimeDelta = TimeDelta::seconds(10);

/// Keeps work that needs the lease within it.
pub struct LeaseGuard<'a> {
    google: &'a Google,
    key: ConnectionKey,
    until: DateTime<Utc>,
}

impl<'a> LeaseGuard<'a> {
    /// For work that may take until `deadline`.
    pub fn new(google: &'a Google, key: ConnectionKey, deadline: DateTime<Utc>) -> Self {
        Self { google, key, until: deadline + MARGIN }
    }

    /// Asks for the lease; where another holds it, leaves `tasks` to that one.
    pub async fn acquire(&self, owner: Uuid, tasks: &BTreeSet<SyncTask>) -> Result<LeaseAttempt> {
        self.google.store.acquire_lease(self.key, owner, self.google.clock.now(), self.until, tasks).await
    }

    /// Awaits `work`, unless the lease runs out first: then it is dropped where it stands, before its next effect, and
    /// there is no answer.
    pub fn hold<T>(&self, work: impl Future<Output = T>) -> impl Future<Output = Option<T>> {
        within(&*self.google.clock, self.until, work)
    }
}

fn within<T>(
    clock: &dyn Clock,
    until: DateTime<Utc>,
    work: impl Future<Output = T>,
) -> impl Future<Output = Option<T>> {
    let mut work = Box::pin(work);
    let until = until - MAX_CLOCK_DIFFERENCE;
    // An effect begins when its future is polled; nothing else lies between two effects.
    poll_fn(move |context| if clock.now() < until { work.as_mut().poll(context).map(Some) } else { Poll::Ready(None) })
}

/// The error of work that outlasted its lease; the caller has to try again.
pub fn lease_ran_out() -> Error {
    Error::new(ErrorKind::Unavailable, "lease_ran_out", "The sync took too long. It goes on by itself.")
}

/// Frees the lease and stores the state, with all requests in it that came meanwhile. False when the lease was lost.
pub async fn release(store: &dyn Store, key: ConnectionKey, state: &mut SyncState) -> Result<bool> {
    loop {
        match store.release_lease(key, state).await? {
            ReleaseOutcome::NewRequests(fresh) => {
                state.pending.counter = fresh.pending.counter;
                state.pending.tasks.extend(fresh.pending.tasks);
            }
            ReleaseOutcome::Released => return Ok(true),
            ReleaseOutcome::Lost => return Ok(false),
        }
    }
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
        let held_up = within(&clock, DateTime::UNIX_EPOCH + TimeDelta::seconds(20), async {
            loop {
                effects.set(effects.get() + 1);
                clock.sleep(Duration::from_secs(4)).await;
            }
        });
        assert_eq!(held_up.await, None::<()>);
        assert_eq!(effects.get(), 3, "at 0, 4 and 8 seconds: another's clock may be ten seconds ahead");
    }
}
