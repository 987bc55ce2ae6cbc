//! What every part of a simulated world shares: its time, its dice, its Google, its queue, and whose turn it is.
//!
//! Work is done by [`Actor`]s, futures that run one effect at a time. Before each effect stands a [`Sim::turn`], and
//! only one turn is given for each poll: so the scheduler may let others act, hold an actor up or kill it between any
//! two effects.

use std::{
    collections::BTreeMap,
    future::poll_fn,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use calendar_sync::{
    model::{ConnectionKey, Notice},
    ports::SyncMessage,
};
use chrono::{DateTime, TimeDelta, Utc};
use google_sim::Google;

use crate::{
    coverage::{Coverage, Fault},
    dice::Dice,
    exchange::Exchange,
    memory_store::Table,
    truth::Truth,
    watch::Run,
};

#[derive(Debug, Clone)]
pub struct Message {
    pub body: SyncMessage,
    /// From when on it is handed out.
    pub visible_at: DateTime<Utc>,
    /// How often it was handed out.
    pub receives: u32,
}

/// What has only begun when it is done: what belongs to it is still to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Halfway {
    /// Google was written, which is not recorded yet.
    GoogleWritten,
    /// Imported events are stored; their conflicts are not.
    RowsStored,
}

/// The shared part of a world.
pub struct State {
    pub now: DateTime<Utc>,
    pub dice: Dice,
    pub google: Google,
    /// The queue, by message number.
    pub queue: BTreeMap<u64, Message>,
    pub last_message: u64,
    /// What reached the event bus.
    pub bus: Vec<Notice>,
    /// What really happened, recorded without the product.
    pub truth: Truth,
    /// The next calls of the store that are throttled, or carried out without an answer.
    pub store_faults: StoreFaults,
    /// Which of the next sends to the queue and to the bus fail.
    pub send_faults: SendFaults,
    /// So many of the next listings from a cursor have an item without an id.
    pub nameless: u32,
    /// What this history has met.
    pub coverage: Coverage,
    pub trace: Vec<String>,
    /// Items written, by table.
    pub written: BTreeMap<Table, u32>,
    /// What was begun since this was last asked.
    pub halfway: Option<Halfway>,
    /// What was exchanged with Google since this was last asked.
    pub exchanges: Vec<Exchange>,
    /// Whether a call failed since this was last asked, of whatever part of the world.
    pub trouble: bool,
    /// How far the clock of the actor that is polled is ahead.
    pub ahead: TimeDelta,
    /// Whether the actor that is polled may still have an effect.
    turn: bool,
    /// Whether what happens is written down.
    pub tells: bool,
    waiting: Vec<Waker>,
    asleep_until: Option<DateTime<Utc>>,
}

/// Faults of the store that are still to come.
#[derive(Debug, Clone, Copy, Default)]
pub struct StoreFaults {
    pub throttled: u32,
    /// Writes carried out whose answer is lost.
    pub unanswered: u32,
    /// How many calls pass before them.
    pub after: u32,
}

/// Faults of the queue and of the bus that are still to come.
#[derive(Debug, Clone, Copy, Default)]
pub struct SendFaults {
    pub refused: u32,
    /// Sends carried out, of several notices only the first, whose answer is lost.
    pub unanswered: u32,
}

/// A handle on the shared part.
#[derive(Clone)]
pub struct Sim(Arc<Mutex<State>>);

impl Sim {
    /// A world that begins `now`.
    pub fn new(now: DateTime<Utc>, seed: u64, google: Google) -> Self {
        Self(Arc::new(Mutex::new(State {
            now,
            dice: Dice::new(seed),
            google,
            queue: BTreeMap::new(),
            last_message: 0,
            bus: Vec::new(),
            truth: Truth::default(),
            store_faults: StoreFaults::default(),
            send_faults: SendFaults::default(),
            nameless: 0,
            coverage: Coverage::default(),
            trace: Vec::new(),
            written: BTreeMap::new(),
            halfway: None,
            exchanges: Vec::new(),
            trouble: false,
            ahead: TimeDelta::zero(),
            turn: false,
            tells: false,
            waiting: Vec::new(),
            asleep_until: None,
        })))
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a turn; the effect that follows takes up to `millis` milliseconds.
    pub async fn turn(&self, millis: i64) {
        poll_fn(|context| {
            let mut state = self.state();
            if std::mem::take(&mut state.turn) {
                let time = state.dice.between(1, millis);
                state.now += TimeDelta::milliseconds(time);
                return Poll::Ready(());
            }
            state.waiting.push(context.waker().clone());
            Poll::Pending
        })
        .await;
    }

    /// Waits until a moment has come.
    pub async fn sleep_until(&self, until: DateTime<Utc>) {
        poll_fn(|context| {
            let mut state = self.state();
            if state.now >= until {
                return Poll::Ready(());
            }
            state.asleep_until = Some(state.asleep_until.map_or(until, |other| other.min(until)));
            state.waiting.push(context.waker().clone());
            Poll::Pending
        })
        .await;
    }

    /// Writes down what happens now.
    pub fn tell(&self, what: impl FnOnce() -> String) {
        self.state().tell(what);
    }

    /// Notes that this history has met a fault.
    pub fn met(&self, fault: Fault) {
        self.state().coverage.met(fault);
    }
}

impl State {
    /// Writes down what happens now.
    pub fn tell(&mut self, what: impl FnOnce() -> String) {
        if self.tells {
            let line = format!("{} {}", self.now.format("%d %H:%M:%S%.3f"), what());
            self.trace.push(line);
        }
    }
}

/// A short name of a connection: the number of its instructor.
pub fn number(key: ConnectionKey) -> u128 {
    key.instructor_id.0.as_u128()
}

/// What an actor is there for.
#[derive(Debug, Clone, PartialEq)]
pub enum Role {
    /// Answers the message of that number.
    Worker(u64),
    /// Sends messages for connections that are due, or for channels to renew.
    Schedule,
    /// Notes the first so many lesson changes that wait.
    Stream(usize),
    /// Receives a push notification with these headers.
    Webhook(Vec<(String, String)>),
    /// Does what a person asked for over HTTP.
    Request,
}

pub type Outcome = Result<(), calendar_sync::Error>;

pub struct Actor {
    pub role: Role,
    future: Pin<Box<dyn Future<Output = Outcome> + Send>>,
    waiting: Vec<Waker>,
    /// Held up until then.
    pub held_until: Option<DateTime<Utc>>,
    /// Whether the last thing it did leaves something half done.
    pub halfway: Option<Halfway>,
    /// What it was asked for and what it has done.
    pub run: Run,
    /// How far its clock is ahead.
    pub ahead: TimeDelta,
}

impl Actor {
    /// An actor that has not begun.
    pub fn new(role: Role, future: impl Future<Output = Outcome> + Send + 'static) -> Self {
        Self {
            role,
            future: Box::pin(future),
            waiting: Vec::new(),
            held_until: None,
            halfway: None,
            run: Run::default(),
            ahead: TimeDelta::zero(),
        }
    }

    /// The same actor, asked for this.
    #[must_use]
    pub fn on(self, run: Run) -> Self {
        Self { run, ..self }
    }

    /// Lets it go on to its next effect; answers how it ended, if it did.
    pub fn go_on(&mut self, sim: &Sim) -> Option<Outcome> {
        {
            let mut state = sim.state();
            state.turn = true;
            state.ahead = self.ahead;
            state.asleep_until = None;
            state.waiting.clear();
            state.dice.shuffle(&mut self.waiting);
        }
        self.waiting.drain(..).for_each(Waker::wake);
        let polled = self.future.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        let mut state = sim.state();
        if let Poll::Ready(outcome) = &polled {
            let routine = matches!(self.role, Role::Schedule | Role::Webhook(_));
            match outcome {
                Ok(()) if routine => {}
                Ok(()) => state.tell(|| format!("    {:?} is done", self.role)),
                Err(error) => state.tell(|| format!("    {:?} fails: {error:?}", self.role)),
            }
        }
        self.waiting = std::mem::take(&mut state.waiting);
        self.halfway = state.halfway.take();
        // It used no turn and waits for time to pass.
        self.held_until = if state.turn { state.asleep_until } else { None };
        match polled {
            Poll::Ready(outcome) => Some(outcome),
            Poll::Pending => None,
        }
    }
}
