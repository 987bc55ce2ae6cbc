//! The dispatcher: what it reads, for which connections it sends messages, and when.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use calendar_sync::{
    Error, Result,
    adapters::system::SystemRandom,
    decide::backoff,
    model::{ConnectionKey, SyncState},
    ports::{Clock, Store, SyncMessage, SyncQueue},
    usecases::dispatch_due_polls::DispatchDuePolls,
};
use calendar_tests::dynamo;
use chrono::{DateTime, TimeDelta, Utc};
use convergence::memory_store::MemoryStore;
use dynoxide::{AttributeValue, Database, ImportOptions, Item};
use testkit::{aws::table_names, clock::TestClock, data::noon as now, log, ports::TestQueue};
use tokio::sync::watch;

use crate::key;

/// The interval of a connection that is polled, and the shortest that its jitter makes of it.
const INTERVAL: TimeDelta = TimeDelta::minutes(15);
const SHORTEST: TimeDelta = TimeDelta::seconds(15 * 60 * 3 / 4);

/// The queue of a process that stops for ever in the middle of its work: some messages are sent, some are not.
struct Stuck {
    queue: Arc<TestQueue>,
    left: Left,
    stopped: watch::Sender<bool>,
}

#[async_trait]
impl SyncQueue for Stuck {
    async fn send(&self, message: &SyncMessage, delay: Duration) -> Result<()> {
        if self.left.take() {
            return self.queue.send(message, delay).await;
        }
        self.stopped.send_replace(true);
        std::future::pending().await
    }
}

/// The queue of another process, which leaves enough for the first to be in the middle of its work.
struct Waiting {
    queue: Arc<TestQueue>,
    left: Left,
    other: watch::Receiver<bool>,
}

#[async_trait]
impl SyncQueue for Waiting {
    async fn send(&self, message: &SyncMessage, delay: Duration) -> Result<()> {
        if !self.left.take() {
            self.other.clone().wait_for(|stopped| *stopped).await.unwrap();
        }
        self.queue.send(message, delay).await
    }
}

/// A queue that refuses one message of ten.
struct Refusing {
    queue: Arc<TestQueue>,
    asked: AtomicUsize,
}

#[async_trait]
impl SyncQueue for Refusing {
    async fn send(&self, message: &SyncMessage, delay: Duration) -> Result<()> {
        if self.asked.fetch_add(1, Ordering::SeqCst).is_multiple_of(10) {
            return Err(Error::unavailable("queue_unavailable", "not now"));
        }
        self.queue.send(message, delay).await
    }
}

/// How many messages are left.
struct Left(Mutex<usize>);

impl Left {
    /// Takes one, if there is one.
    fn take(&self) -> bool {
        let mut left = self.0.lock().unwrap();
        let some = *left > 0;
        *left = left.saturating_sub(1);
        some
    }
}

fn dispatcher(store: &Arc<dyn Store>, sync_queue: Arc<dyn SyncQueue>, clock: &Arc<TestClock>) -> DispatchDuePolls {
    DispatchDuePolls { store: store.clone(), sync_queue, clock: clock.clone(), random: Arc::new(SystemRandom) }
}

/// A store with so many connections; those at `due` have been due for as many seconds, the others will be.
async fn stored(connections: u128, due: impl Fn(u128) -> Option<i64>) -> (Arc<dyn Store>, dynamo::Traffic) {
    let database = Database::memory().unwrap();
    let (subject, traffic) = dynamo::over(database.clone()).await;
    let items = (0..connections).map(|number| {
        let at = due(number).map_or(now() + TimeDelta::hours(1), |ago| now() - TimeDelta::seconds(ago));
        state_item(number, at)
    });
    database.import_items(&table_names().credentials, items.collect(), ImportOptions::default()).unwrap();
    (subject.store, traffic)
}

/// A state as it is stored; of its shard the reader knows nothing, and any will do.
fn state_item(number: u128, next_sync_at: DateTime<Utc>) -> Item {
    let text = |text: String| AttributeValue::S(text);
    let count = |count: u128| AttributeValue::N(count.to_string());
    let time = |at: DateTime<Utc>| text(at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true));
    let key = key(number);
    let healthy = AttributeValue::M([("state".to_owned(), text("healthy".to_owned()))].into_iter().collect());
    [
        ("tenant_id", text(key.tenant_id.to_string())),
        ("instructor_id", text(format!("{}#state", key.instructor_id))),
        ("shard", count(number % 16)),
        ("next_sync_at", time(next_sync_at)),
        ("last_synced_at", time(now() - TimeDelta::hours(6))),
        ("calendar_time_zone", text("Europe/Berlin".to_owned())),
        ("lease_until", time(DateTime::UNIX_EPOCH)),
        ("lease_fence", count(1)),
        ("request_counter", count(0)),
        ("failures", count(0)),
        ("push_health", healthy),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into_iter()
    .collect()
}

/// A query names its items by key, so that it reads what it finds: nothing is filtered out.
#[tokio::test]
async fn of_100_000_connections_the_dispatcher_reads_the_1000_that_are_due_and_sends_one_message_for_each() {
    let is_due = |number: u128| number % 100 == 7;
    let (store, traffic) = stored(100_000, |number| is_due(number).then_some(60)).await;
    let clock = TestClock::standing(now());
    let queue = TestQueue::new(clock.clone());
    let dispatcher = dispatcher(&store, queue.clone(), &clock);
    // Items, and what is paid for reading them: half a unit for each 4 KiB of a shard's index.
    let counted = || {
        let counts = traffic.take();
        (counts.read, counts.written, counts.read_units)
    };
    assert_eq!(dispatcher.dispatch().await.unwrap(), 1_000);
    let sent: Vec<_> = queue.take().into_iter().map(|queued| queued.message.key).collect();
    assert_eq!(sent.len(), 1_000);
    assert_eq!(sent.into_iter().collect::<BTreeSet<_>>(), (0..100_000).filter(|n| is_due(*n)).map(key).collect());
    assert_eq!(counted(), (1_000, 1_000, 24.0), "found, and claimed");

    assert_eq!(dispatcher.dispatch().await.unwrap(), 0);
    assert_eq!(counted(), (0, 0, 8.0));
}

#[tokio::test]
async fn the_dispatcher_measures_how_long_the_longest_due_connection_has_been_due() {
    let (store, _) =
        stored(100, |number| [3, 50].contains(&number).then_some(20 * i64::try_from(number).unwrap())).await;
    let clock = TestClock::standing(now());
    let dispatcher = dispatcher(&store, TestQueue::new(clock.clone()), &clock);
    let log = log::listen();
    for (sent, seconds) in [(2, 1_000), (0, 0)] {
        dispatcher.dispatch().await.unwrap();
        let logged = log.take();
        let line = logged.lines().find(|line| line.contains("polls_sent")).unwrap();
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!((&line["polls_sent"], &line["oldest_due_seconds"]), (&sent.into(), &seconds.into()), "{line}");
    }
}

#[tokio::test]
async fn a_message_that_cannot_be_sent_holds_up_no_other() {
    let (store, _) = stored(200, |_| Some(60)).await;
    let clock = TestClock::standing(now());
    let queue = TestQueue::new(clock.clone());
    let refusing = Arc::new(Refusing { queue: queue.clone(), asked: AtomicUsize::new(0) });
    dispatcher(&store, refusing.clone(), &clock).dispatch().await.expect_err("some were refused");
    assert_eq!((refusing.asked.load(Ordering::SeqCst), queue.take().len()), (200, 180));
}

#[tokio::test]
async fn of_two_dispatchers_one_may_die_midway_and_all_are_synced_and_none_twice_within_its_interval() {
    const DUE: u128 = 600;
    let (store, _) = stored(2_000, |number| (number < DUE).then_some(60)).await;
    let clock = TestClock::standing(now());
    let queue = TestQueue::new(clock.clone());
    // Of 600 one sends 100 and has 256 more in flight at most, until the other has stopped at its hundredth.
    let half = || Left(Mutex::new(100));
    let (stopped, mut other) = watch::channel(false);
    let waiting = Waiting { queue: queue.clone(), left: half(), other: other.clone() };
    let stuck = Stuck { queue: queue.clone(), left: half(), stopped };
    let (dies, lives) = (dispatcher(&store, Arc::new(stuck), &clock), dispatcher(&store, Arc::new(waiting), &clock));
    let dies = async {
        tokio::select! {
            sent = dies.dispatch() => panic!("it lived: {sent:?}"),
            stopped = other.wait_for(|stopped| *stopped) => { stopped.unwrap(); }
        }
    };
    let ((), sent) = tokio::join!(dies, lives.dispatch());
    sent.unwrap();

    // The messages of the first minute, and then of each further one; each connection with a message is synced.
    let mut messages: BTreeMap<ConnectionKey, Vec<DateTime<Utc>>> = BTreeMap::new();
    for minute in 0..20 {
        clock.advance_to(now() + TimeDelta::minutes(minute));
        if minute > 0 {
            lives.dispatch().await.unwrap();
        }
        for key in queue.take().into_iter().map(|queued| queued.message.key) {
            messages.entry(key).or_default().push(clock.now());
            let jitter = u16::try_from(key.instructor_id.0.as_u128() * 109 % 65_536).unwrap();
            store.schedule(key, Some(clock.now() + backoff::jitter(INTERVAL, jitter))).await.unwrap();
        }
    }
    assert_eq!(messages.keys().copied().collect::<BTreeSet<_>>(), (0..DUE).map(key).collect(), "all were synced");
    for (key, at) in &messages {
        assert!(at.windows(2).all(|pair| pair[1] - pair[0] >= SHORTEST), "{key} had messages at {at:?}");
    }
    let late = messages.values().filter(|at| at[0] > now()).count();
    assert!((1..=256).contains(&late), "{late} were in flight when it died");
}

#[tokio::test]
async fn after_an_outage_of_hours_the_longest_due_come_first_so_many_a_minute_and_spread_over_it() {
    const A_MINUTE: usize = 16 * 300;
    let store = MemoryStore::default();
    for number in 0..12_000 {
        let due = now() - TimeDelta::seconds(i64::try_from(number * 7919 % 21_600).unwrap());
        let state = SyncState { next_sync_at: Some(due), last_synced_at: Some(due), ..SyncState::new(now()) };
        store.tables().states.insert(key(number), state);
    }
    let clock = TestClock::standing(now());
    let queue = TestQueue::new(clock.clone());
    let shared: Arc<dyn Store> = Arc::new(store.clone());
    let dispatcher = dispatcher(&shared, queue.clone(), &clock);
    let mut sent = Vec::new();
    for minute in 0..3 {
        clock.advance_to(now() + TimeDelta::minutes(minute));
        let waiting = store.tables().states.clone();
        assert_eq!(dispatcher.dispatch().await.unwrap(), A_MINUTE.min(12_000 - sent.len()));
        let messages: Vec<_> = queue.take().into_iter().map(|queued| (queued.message.key, queued.delay)).collect();
        let due = |key: &ConnectionKey| waiting[key].next_sync_at.unwrap();
        let newest = messages.iter().map(|(key, _)| due(key)).max().unwrap();
        let now_sent: BTreeSet<_> = messages.iter().map(|(key, _)| *key).chain(sent.iter().copied()).collect();
        let oldest_left = waiting.keys().filter(|key| !now_sent.contains(key)).map(due).min();
        // Each shard is a list of its own.
        let slack = TimeDelta::minutes(20);
        assert!(oldest_left.is_none_or(|left| newest <= left + slack), "{newest} before {oldest_left:?}");
        if messages.len() == A_MINUTE {
            for part in 0..5 {
                let inside = messages.iter().filter(|(_, delay)| delay.as_secs() / 10 == part).count();
                assert!((A_MINUTE / 10..A_MINUTE / 3).contains(&inside), "{inside} in part {part} of the minute");
            }
        }
        sent.extend(messages.into_iter().map(|(key, _)| key));
    }
    assert_eq!(sent.iter().collect::<BTreeSet<_>>().len(), 12_000, "none twice");
    let mut again = BTreeMap::<i64, usize>::new();
    for state in store.tables().states.values() {
        *again.entry(state.next_sync_at.unwrap().timestamp() / 60).or_default() += 1;
    }
    assert!(again.values().all(|due| *due < A_MINUTE), "they do not come back together: {again:?}");
}
