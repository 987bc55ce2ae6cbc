//! A world: the real use-cases over simulated ports, the running actors, and the sources of work: the queue, the stream
//! of lesson changes, push notifications and schedules.

mod deliveries;
mod product;

use std::collections::VecDeque;

pub use self::product::Product;
use calendar_sync::{
    model::{ConnectionKey, PushHealth, SyncCalendarRequest, SyncState},
    ports::RateLimiter as _,
    usecases::{
        begin_login::LoginOptions,
        finish_login::{Finisher, LoginReturn},
        note_lesson_changes::LessonChange,
    },
};
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use google_sim::{Account, Behaviour, Client, Config as GoogleConfig, Limits, Texts};
use testkit::{
    data::{instructor_row, key, person},
    google::{CLIENT, CLIENT_SECRET, REDIRECT},
};

use crate::{
    coverage::Fault,
    memory_store::MemoryStore,
    observer,
    ports::gate,
    sim::{Actor, Outcome, Role, Sim},
    truth::Place,
    watch::{Run, witness},
    zones,
};

/// The Google accounts, which are their primary calendars too.
pub const ACCOUNTS: [&str; 2] = ["ada@example.com", "grace@example.com"];
/// A person who invites others, and whose own calendar is not synced.
pub const OUTSIDER: &str = "mallory@example.com";

/// When histories begin, and in which zones the two calendars are: a few days before a change of clocks somewhere.
const BEGINNINGS: [(&str, [Tz; 2]); 6] = [
    ("2026-03-20T08:00:00Z", [Tz::Europe__Berlin, Tz::America__New_York]),
    ("2026-10-19T08:00:00Z", [Tz::Europe__Berlin, Tz::America__New_York]),
    // Midnight is skipped there on 24 April.
    ("2026-04-20T08:00:00Z", [Tz::Africa__Cairo, Tz::Asia__Kolkata]),
    // And there on 6 September.
    ("2026-09-01T08:00:00Z", [Tz::America__Santiago, Tz::Pacific__Auckland]),
    // A leap day.
    ("2028-02-25T08:00:00Z", [Tz::America__St_Johns, Tz::Asia__Beirut]),
    ("2026-12-27T08:00:00Z", [Tz::Australia__Lord_Howe, Tz::Europe__London]),
];

/// How far a worker's clock is off at most, in milliseconds, where clocks differ. A run ends ten seconds before its lease
/// does, so that two of them may be off by five each.
const CLOCK_OFF: i64 = 4_500;

/// An instructor and the account that they connect.
#[derive(Debug, Clone, Copy)]
pub struct Party {
    pub key: ConnectionKey,
    pub account: &'static str,
}

/// A third tool that writes to the calendar and changes our events.
#[derive(Debug, Clone)]
pub struct Rival {
    pub place: Place,
    pub changes: u32,
}

pub struct World {
    pub sim: Sim,
    pub store: MemoryStore,
    /// Who has a calendar here.
    pub parties: Vec<Party>,
    pub actors: Vec<Actor>,
    /// Lesson changes that the stream has not delivered yet.
    pub stream: VecDeque<LessonChange>,
    pub seed: u64,
    /// Whether no notice gets lost.
    pub lossless: bool,
    /// Whether the clocks of two workers may differ.
    pub clocks_differ: bool,
    /// Another tool that changes an event of ours.
    pub rival: Option<Rival>,
    /// Whether no further faults occur.
    pub calm: bool,
    /// Delayed push notifications.
    late: Vec<(DateTime<Utc>, Headers)>,
    polled_at: DateTime<Utc>,
    renewed_at: DateTime<Utc>,
    product: Product,
}

type Headers = Vec<(String, String)>;

impl World {
    /// The world as it begins: instructors without a connection, people with empty calendars.
    pub fn new(seed: u64) -> Self {
        Self::begun(seed, 0)
    }

    /// The same, begun at the time that `seed` says. In half of all worlds Google rewrites texts, in a fifth it
    /// does not know all zones.
    pub fn of(seed: u64) -> Self {
        let beginnings = BEGINNINGS.len() as u64;
        let world = Self::begun(seed, usize::try_from(seed / 2 % beginnings).unwrap_or(0));
        if seed.is_multiple_of(2) {
            world.sim.state().google.behaviour_mut().texts = Texts::Rewritten;
        }
        if seed % 5 == 3 {
            let mut state = world.sim.state();
            state.google.behaviour_mut().unknown_zones = zones::UNKNOWN.to_vec();
            state.truth.zones_unknown = true;
        }
        world
    }

    fn begun(seed: u64, beginning: usize) -> Self {
        let (at, [first, second]) = BEGINNINGS[beginning];
        let now: DateTime<Utc> = at.parse().expect("a moment");
        let account = |(address, zone): (&str, Tz)| Account::new(address, address, zone);
        let people = [(ACCOUNTS[0], first), (ACCOUNTS[1], second), (OUTSIDER, Tz::UTC)];
        let google = google_sim::Google::new(
            seed,
            GoogleConfig {
                clients: vec![
                    observer::client(),
                    Client {
                        id: CLIENT.to_owned(),
                        secret: CLIENT_SECRET.to_owned(),
                        redirect_uris: vec![REDIRECT.to_owned()],
                        project: "project".to_owned(),
                        testing: false,
                    },
                ],
                accounts: people.into_iter().map(account).collect(),
                limits: Limits { occurrences: 100, page: 8, ..Limits::default() }.without_quotas(),
                behaviour: Behaviour { notice_delay_ms: 2000, id_token_with_refresh: false, ..Behaviour::default() },
            },
        );
        let sim = Sim::new(now, seed, google);
        let store = MemoryStore::new(gate(&sim));
        let product = Product::new(&sim, &store);
        // Two instructors of one school, and one of another school who shares an account with the first.
        let party = |tenant, instructor, account| Party { key: key(tenant, instructor), account };
        let parties = vec![party(1, 1, ACCOUNTS[0]), party(1, 2, ACCOUNTS[1]), party(2, 3, ACCOUNTS[0])];
        for Party { key, .. } in &parties {
            let row = instructor_row(*key);
            store.tables().instructors.insert((key.tenant_id, key.instructor_id), row);
        }
        Self {
            sim,
            store,
            parties,
            actors: Vec::new(),
            stream: VecDeque::new(),
            seed,
            lossless: false,
            clocks_differ: false,
            rival: None,
            calm: false,
            late: Vec::new(),
            polled_at: now,
            renewed_at: now,
            product,
        }
    }

    pub fn product(&self) -> Product {
        self.product.clone()
    }

    pub fn now(&self) -> DateTime<Utc> {
        self.sim.state().now
    }

    /// A message or notification for the connections of this account, or of all, gets lost.
    pub fn miss(&self, account: Option<&str>) {
        let concerned = self.parties.iter().filter(|party| account.is_none_or(|account| party.account == account));
        let keys: Vec<ConnectionKey> = concerned.map(|party| party.key).collect();
        self.sim.state().truth.miss(keys);
    }

    pub fn wait(&self, time: TimeDelta) {
        self.sim.state().now += time;
    }

    /// Other processes use up the fleet's quota for `time`; new processes take over here.
    pub fn take_quota(&mut self, time: TimeDelta) {
        let until = self.now() + time;
        for shard in 0..self.store.bucket_shards() {
            self.store.tables().buckets.insert((CLIENT.to_owned(), shard), until);
        }
        self.product = Product::new(&self.sim, &self.store);
    }

    /// Begins something that a person asked for.
    pub fn request(&mut self, work: impl Future<Output = Outcome> + Send + 'static) {
        self.actors.push(Actor::new(Role::Request, work));
    }

    /// The same, for a connection, and in the bounds that they gave.
    pub fn request_of(
        &mut self,
        key: ConnectionKey,
        asked: Option<SyncCalendarRequest>,
        work: impl Future<Output = Outcome> + Send + 'static,
    ) {
        let run = Run::of(key, self.now(), true, asked);
        self.actors.push(Actor::new(Role::Request, work).on(run));
    }

    /// Begins a login that ends in a connection, if all goes well.
    pub fn connect(&mut self, party: Party) {
        let ports = self.product().ports;
        let code = format!("{} {}", party.key, party.account);
        let sim = self.sim.clone();
        let moment = sim.state().truth.tick();
        self.request_of(party.key, None, async move {
            let begun = ports.begin_login().begin(party.key, &person(), &LoginOptions::default()).await?;
            let returned = LoginReturn { state: begun.state, answer: Ok(code.into()) };
            let finisher = Finisher::Browser(Some(begun.browser));
            ports.finish_login().finish(returned, &finisher).await.map_err(|failed| failed.error)?;
            sim.state().truth.connected_anew(party.key, moment);
            Ok(())
        });
    }

    /// Lets `count` effects happen, by actors chosen at random.
    pub fn turns(&mut self, count: usize) {
        for _ in 0..count {
            self.feed();
            if !self.one_turn() {
                return;
            }
        }
    }

    /// One effect of one actor, or, when none can continue now, the time until one can.
    pub fn step(&mut self) {
        self.feed();
        if !self.one_turn()
            && let Some(next) = self.next_moment()
        {
            let mut state = self.sim.state();
            state.now = state.now.max(next);
        }
    }

    /// One effect of one actor; false when none can continue now.
    fn one_turn(&mut self) -> bool {
        let now = self.now();
        let ready: Vec<usize> = (0..self.actors.len())
            .filter(|&index| self.actors[index].held_until.is_none_or(|until| until <= now))
            .collect();
        if ready.is_empty() {
            return false;
        }
        let chosen = *self.sim.state().dice.pick(&ready);
        let actor = &mut self.actors[chosen];
        let ended = actor.go_on(&self.sim);
        witness(&self.sim, &self.store, &actor.role, &mut actor.run, ended.as_ref());
        if let Some(outcome) = ended {
            let role = self.actors.remove(chosen).role;
            self.ended(&role, outcome);
        }
        true
    }

    fn ended(&mut self, role: &Role, outcome: Outcome) {
        let suspect = |state: &SyncState| matches!(state.push_health, PushHealth::Suspect { .. });
        if self.store.tables().states.values().any(suspect) {
            self.sim.met(Fault::PushSuspected);
        }
        if std::mem::take(&mut self.store.tables().reservations_refused) > 0 {
            self.sim.met(Fault::QuotaTaken);
        }
        if std::mem::take(&mut self.store.tables().batches_cut) > 0 {
            self.sim.met(Fault::BatchPartlyWritten);
        }
        let mut state = self.sim.state();
        match (role, outcome) {
            (Role::Worker(number), Ok(())) => {
                // A message that is not deleted in time is handed out once more.
                if !self.calm && state.dice.percent(3) {
                    state.coverage.met(Fault::MessageDoubled);
                } else {
                    state.queue.remove(number);
                }
            }
            (Role::Worker(number), Err(_)) => {
                let again = state.now + TimeDelta::seconds(30);
                if let Some(message) = state.queue.get_mut(number) {
                    message.visible_at = again;
                }
            }
            (Role::Stream(records), Ok(())) => drop(self.stream.drain(..*records)),
            (Role::Webhook(_), Err(_)) => {
                drop(state);
                self.come_again(role);
            }
            (Role::Stream(_) | Role::Schedule | Role::Webhook(_) | Role::Request, _) => {}
        }
    }

    /// What Google does when a notice is answered with an error, or not at all by a function that died: it sends it
    /// again. Messages and stream records come again by themselves.
    pub fn come_again(&mut self, role: &Role) {
        if let Role::Webhook(headers) = role {
            let again = self.now() + TimeDelta::seconds(5);
            self.late.push((again, headers.clone()));
        }
    }

    /// Lets everything that is under way or due within `time` happen, and passes that time.
    pub fn settle(&mut self, time: TimeDelta) {
        let end = self.now() + time;
        for _ in 0..200_000 {
            self.feed();
            if self.one_turn() {
                continue;
            }
            let Some(next) = self.next_moment().filter(|next| *next <= end) else {
                let mut state = self.sim.state();
                state.now = state.now.max(end);
                return;
            };
            let mut state = self.sim.state();
            state.now = state.now.max(next);
        }
        self.sim.state().truth.violations.push("it never comes to rest".to_owned());
    }

    /// When the next scheduled event is due.
    fn next_moment(&self) -> Option<DateTime<Utc>> {
        let state = self.sim.state();
        let held = self.actors.iter().filter_map(|actor| actor.held_until);
        let queued = state.queue.values().map(|message| message.visible_at);
        let due = self.store.tables().states.values().filter_map(|state| state.next_sync_at).min();
        // The schedule finds what is due within a minute of it.
        let polled = due.map(|due| due.max(self.polled_at + TimeDelta::minutes(1)));
        let moments = held.chain(queued).chain(state.google.next_notice_at()).chain(polled);
        // What is due already waits for an actor with time for it.
        moments.filter(|at| *at > state.now).min()
    }
}
