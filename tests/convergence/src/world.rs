//! A world: the real use-cases over simulated ports, the actors that are under way, and what drives them: the queue,
//! the stream of lesson changes, Google's notices and the schedules.

use std::{collections::VecDeque, sync::Arc};

use calendar_sync::{
    adapters::google::{GoogleCalendar, GoogleLogin},
    config::Config,
    model::{ConnectionKey, InstructorId, PushHealth, SyncState, TenantId, WebhookKeys},
    ports::Ring,
    usecases::{
        answer_ring::AnswerRing,
        begin_login::{BeginLogin, LoginWish},
        change_settings::ChangeSettings,
        disconnect::Disconnect,
        finish_login::{FinishLogin, Finisher, LoginReturn},
        google_session::Google,
        note_lesson_changes::{LessonChange, NoteLessonChanges},
        receive_notice::{PushNotice, ReceiveNotice},
        renew_channels::RenewChannels,
        ring_due::RingDue,
        sync_calendar::{Push, SyncCalendar, UnderWay},
    },
};
use chrono::{DateTime, TimeDelta, Utc};
use google_sim::{Account, Behaviour, Client, Config as GoogleConfig, Limits};
use secrecy::SecretString;
use serde_json::json;
use uuid::Uuid;

use crate::{
    acts,
    coverage::Fault,
    memory_store::MemoryStore,
    observer,
    ports::{PlainVault, SimLogin, gate},
    sim::{self, Actor, Outcome, Role, Sim},
    truth::Place,
};

/// The Google accounts, which are their primary calendars too.
pub const ACCOUNTS: [&str; 2] = ["ada@example.com", "grace@example.com"];
/// When every history begins: nine days before Europe's clocks go forward.
const BEGINNING: &str = "2026-03-20T08:00:00Z";
const CLIENT: &str = "client";
const REDIRECT: &str = "https://api.example.com/api/v1/calendar/oauth/callback";

/// How long a message that was handed out stays invisible.
const VISIBILITY: TimeDelta = TimeDelta::seconds(120);
/// So often a message is handed out before it goes to the dead letters.
const MOST_RECEIVES: u32 = 4;
/// How many lines the fleet's quota is handed out in.
const LINES: u8 = 4;
/// Workers at once.
const WORKERS: usize = 4;

/// An instructor and the account that they connect.
#[derive(Debug, Clone, Copy)]
pub struct Party {
    /// The instructor.
    pub key: ConnectionKey,
    /// The account.
    pub account: &'static str,
}

/// Another tool of somebody's, which wants an event of ours otherwise.
#[derive(Debug, Clone)]
pub struct Rival {
    /// The event.
    pub place: Place,
    /// How often it has changed it.
    pub changes: u32,
}

/// Everything.
pub struct World {
    /// What is shared.
    pub sim: Sim,
    /// The tables.
    pub store: MemoryStore,
    /// Who has a calendar here.
    pub parties: Vec<Party>,
    /// What is under way.
    pub actors: Vec<Actor>,
    /// Lesson changes that the stream has not delivered yet.
    pub stream: VecDeque<LessonChange>,
    /// Whether no notice gets lost.
    pub lossless: bool,
    /// Another tool that changes an event of ours.
    pub rival: Option<Rival>,
    /// Whether all trouble is over.
    pub calm: bool,
    /// Notices of Google that come later.
    late: Vec<(DateTime<Utc>, Headers)>,
    polled_at: DateTime<Utc>,
    renewed_at: DateTime<Utc>,
    product: Product,
}

type Headers = Vec<(String, String)>;

/// The use-cases.
#[derive(Clone)]
pub struct Product {
    /// The worker.
    pub rings: AnswerRing,
    /// Logins.
    pub begin: Arc<BeginLogin>,
    /// Logins.
    pub finish: Arc<FinishLogin>,
    /// The switches.
    pub settings: Arc<ChangeSettings>,
    due: Arc<RingDue>,
    renewals: Arc<RenewChannels>,
    lessons: Arc<NoteLessonChanges>,
    notices: Arc<ReceiveNotice>,
}

impl Product {
    fn new(sim: &Sim, store: &MemoryStore) -> Self {
        let config = Config::from_vars(|name| {
            let value = match name {
                "GOOGLE_CLIENT_ID" => CLIENT,
                "GOOGLE_REDIRECT_URI" => REDIRECT,
                _ => return None,
            };
            Some(value.to_owned())
        });
        let google = config.google().expect("a configuration");
        let (sim, store) = (Arc::new(sim.clone()), Arc::new(store.clone()));
        let real = GoogleLogin::new(sim.clone(), &google, &SecretString::from("secret")).expect("a sign-in");
        let login = Arc::new(SimLogin { sim: (*sim).clone(), real });
        let calendar = GoogleCalendar::new(sim.clone(), &google, sim.clone(), sim.clone(), store.clone());
        let calendar = calendar.expect("a calendar");
        let vault = Arc::new(PlainVault);
        let key = SecretString::from("AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=");
        let keys = WebhookKeys::from_base64(&[key]).expect("a key");
        let google = Google {
            store: store.clone(),
            calendar: Arc::new(calendar),
            login: login.clone(),
            vault: vault.clone(),
            clock: sim.clone(),
        };
        let finish = FinishLogin { google: google.clone(), doorbell: sim.clone(), random: sim.clone() };
        let sync = SyncCalendar {
            google: google.clone(),
            doorbell: sim.clone(),
            bus: sim.clone(),
            random: sim.clone(),
            push: Some(Push { address: "https://hooks.example.com/".to_owned(), keys: keys.clone() }),
            glances: UnderWay::default(),
        };
        let disconnect = Disconnect { google, doorbell: sim.clone(), random: sim.clone() };
        Self {
            rings: AnswerRing { sync, disconnect },
            begin: Arc::new(BeginLogin { store: store.clone(), login, vault, clock: sim.clone(), random: sim.clone() }),
            finish: Arc::new(finish),
            settings: Arc::new(ChangeSettings { store: store.clone(), doorbell: sim.clone(), clock: sim.clone() }),
            due: Arc::new(RingDue {
                store: store.clone(),
                doorbell: sim.clone(),
                clock: sim.clone(),
                random: sim.clone(),
            }),
            renewals: Arc::new(RenewChannels { store: store.clone(), doorbell: sim.clone(), clock: sim.clone() }),
            lessons: Arc::new(NoteLessonChanges { store, doorbell: sim.clone(), bus: sim.clone(), clock: sim.clone() }),
            notices: Arc::new(ReceiveNotice { keys, doorbell: sim.clone(), clock: sim }),
        }
    }
}

impl World {
    /// The world as it begins: instructors without a connection, people with empty calendars.
    pub fn new(seed: u64) -> Self {
        let now: DateTime<Utc> = BEGINNING.parse().expect("a moment");
        let account = |(address, zone): (&str, chrono_tz::Tz)| Account::new(address, address, zone);
        let zones = [chrono_tz::Europe::Berlin, chrono_tz::America::New_York];
        let google = google_sim::Google::new(
            seed,
            GoogleConfig {
                clients: vec![
                    observer::client(),
                    Client {
                        id: CLIENT.to_owned(),
                        secret: "secret".to_owned(),
                        redirect_uris: vec![REDIRECT.to_owned()],
                        project: "project".to_owned(),
                        testing: false,
                    },
                ],
                accounts: ACCOUNTS.into_iter().zip(zones).map(account).collect(),
                limits: Limits { occurrences: 100, page: 8, ..Limits::default() }.without_quotas(),
                behaviour: Behaviour { notice_delay_ms: 2000, ..Behaviour::default() },
            },
        );
        let sim = Sim::new(now, seed, google);
        let store = MemoryStore::new(gate(&sim));
        let product = Product::new(&sim, &store);
        // Two instructors of one school, and somebody of another school who shares an account with the first.
        let party = |tenant, instructor, account| Party {
            key: ConnectionKey {
                tenant_id: TenantId(Uuid::from_u128(tenant)),
                instructor_id: InstructorId(Uuid::from_u128(instructor)),
            },
            account,
        };
        let parties = vec![party(1, 1, ACCOUNTS[0]), party(1, 2, ACCOUNTS[1]), party(2, 3, ACCOUNTS[0])];
        for Party { key, .. } in &parties {
            let row = json!({ "tenant_id": key.tenant_id, "id": key.instructor_id });
            store.tables().instructors.insert((key.tenant_id, key.instructor_id), row);
        }
        Self {
            sim,
            store,
            parties,
            actors: Vec::new(),
            stream: VecDeque::new(),
            lossless: false,
            rival: None,
            calm: false,
            late: Vec::new(),
            polled_at: now,
            renewed_at: now,
            product,
        }
    }

    /// The use-cases.
    pub fn product(&self) -> Product {
        self.product.clone()
    }

    /// The time.
    pub fn now(&self) -> DateTime<Utc> {
        self.sim.state().now
    }

    /// Lets time pass.
    pub fn wait(&self, time: TimeDelta) {
        self.sim.state().now += time;
    }

    /// Others take the fleet's quota for so long; new processes take over here.
    pub fn take_quota(&mut self, time: TimeDelta) {
        let until = self.now() + time;
        for line in 0..LINES {
            self.store.tables().lines.insert(format!("{CLIENT}#{line}"), until);
        }
        self.product = Product::new(&self.sim, &self.store);
    }

    /// Begins something that a person asked for.
    pub fn request(&mut self, work: impl Future<Output = Outcome> + Send + 'static) {
        self.actors.push(Actor::new(Role::Request, work));
    }

    /// Begins a login that ends in a connection, if all goes well.
    pub fn connect(&mut self, party: Party) {
        let product = self.product();
        let code = format!("{} {}", party.key, party.account);
        let sim = self.sim.clone();
        let moment = sim.state().truth.tick();
        self.request(async move {
            let begun = product.begin.begin(party.key, "user", &LoginWish::default()).await?;
            let returned = LoginReturn { state: begun.state, answer: Ok(code.into()) };
            let finisher = Finisher::Browser(Some(begun.browser));
            product.finish.finish(returned, &finisher).await.map_err(|failed| failed.error)?;
            sim.state().truth.connected_anew(party.key, moment);
            Ok(())
        });
    }

    /// Lets so many effects happen, by whoever is chosen.
    pub fn turns(&mut self, count: usize) {
        for _ in 0..count {
            self.feed();
            if !self.one_turn() {
                return;
            }
        }
    }

    /// One effect of one actor; false when nobody can go on now.
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
        if let Some(outcome) = actor.go_on(&self.sim) {
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
        if std::mem::take(&mut self.store.tables().turns_refused) > 0 {
            self.sim.met(Fault::QuotaTaken);
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

    /// Hands out what is due: messages, lesson changes, notices, and the schedules' ticks.
    fn feed(&mut self) {
        acts::google::contend(self);
        self.deliver_notices();
        self.deliver_messages();
        if !self.stream.is_empty() && !self.actors.iter().any(|actor| matches!(actor.role, Role::Stream(_))) {
            let records = self.stream.len().min(3);
            let changes: Vec<LessonChange> = self.stream.iter().take(records).cloned().collect();
            let lessons = self.product.lessons.clone();
            let work = async move { lessons.note(&changes).await.map_err(|not_noted| not_noted.error) };
            self.actors.push(Actor::new(Role::Stream(records), work));
        }
        let now = self.now();
        if now - self.polled_at >= TimeDelta::minutes(1) {
            self.polled_at = now;
            let due = self.product.due.clone();
            self.actors.push(Actor::new(Role::Schedule, async move { due.ring().await.map(drop) }));
        }
        if now - self.renewed_at >= TimeDelta::hours(1) {
            self.renewed_at = now;
            let renewals = self.product.renewals.clone();
            self.actors.push(Actor::new(Role::Schedule, async move { renewals.ring().await.map(drop) }));
        }
    }

    fn deliver_messages(&mut self) {
        let mut state = self.sim.state();
        let now = state.now;
        let mut busy: Vec<ConnectionKey> = Vec::new();
        for actor in &self.actors {
            if let Role::Worker(number) = actor.role {
                busy.extend(state.queue.get(&number).map(|message| message.ring.key));
            }
        }
        let due: Vec<u64> = state
            .queue
            .iter()
            .filter(|(_, message)| message.visible_at <= now)
            .map(|(number, _)| *number)
            .take(WORKERS.saturating_sub(busy.len()))
            .collect();
        for number in due {
            let Some(message) = state.queue.get_mut(&number) else { continue };
            message.receives += 1;
            message.visible_at = now + VISIBILITY;
            let (ring, receives) = (message.ring.clone(), message.receives);
            if receives > MOST_RECEIVES && !self.lossless {
                state.queue.remove(&number);
                state.coverage.met(Fault::MessageToDeadLetters);
                continue;
            }
            if busy.contains(&ring.key) {
                state.coverage.met(Fault::Overlap);
            }
            busy.push(ring.key);
            if self.store.tables().states.get(&ring.key).is_some_and(|state| state.lease.until > now) {
                state.coverage.met(Fault::LeaseHeld);
            }
            state.tell(|| {
                let (key, trigger, wishes) = (sim::number(ring.key), ring.trigger, &ring.wishes);
                format!("    message {number} is handed out: {trigger:?} {wishes:?} for {key}")
            });
            self.actors.push(worker(&self.product, number, ring));
        }
    }

    fn deliver_notices(&mut self) {
        let mut state = self.sim.state();
        let now = state.now;
        let mut arrived: Vec<Headers> = Vec::new();
        for notice in state.google.due_notices(now) {
            state.google.report(now, notice.id, google_sim::Outcome::Answered(200));
            let fate = if self.calm { 100 } else { state.dice.below(100) };
            match fate {
                0..4 if !self.lossless => state.coverage.met(Fault::NoticeLost),
                0..10 => {
                    state.coverage.met(Fault::NoticeLate);
                    let later = now + TimeDelta::seconds(state.dice.between(5, 900));
                    self.late.push((later, notice.headers));
                }
                10..14 => {
                    state.coverage.met(Fault::NoticeDoubled);
                    arrived.extend([notice.headers.clone(), notice.headers]);
                }
                _ => arrived.push(notice.headers),
            }
        }
        let (come, late): (Vec<_>, Vec<_>) = self.late.drain(..).partition(|(at, _)| *at <= now || self.calm);
        self.late = late;
        arrived.extend(come.into_iter().map(|(_, headers)| headers));
        drop(state);
        for headers in arrived {
            let role = Role::Webhook(headers.clone());
            let notices = self.product.notices.clone();
            let work = async move {
                let header = |name: &str| {
                    headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str()).unwrap_or_default()
                };
                let notice = PushNotice {
                    channel_id: header("x-goog-channel-id"),
                    channel_token: header("x-goog-channel-token"),
                    resource_state: header("x-goog-resource-state"),
                };
                notices.receive(&notice).await
            };
            self.actors.push(Actor::new(role, work));
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

    /// When the next thing happens by itself.
    fn next_moment(&self) -> Option<DateTime<Utc>> {
        let state = self.sim.state();
        let held = self.actors.iter().filter_map(|actor| actor.held_until);
        let queued = state.queue.values().map(|message| message.visible_at);
        let due = self.store.tables().states.values().filter_map(|state| state.next_sync_at).min();
        // The schedule finds what is due within a minute of it.
        let polled = due.map(|due| due.max(self.polled_at + TimeDelta::minutes(1)));
        let moments = held.chain(queued).chain(state.google.next_notice_at()).chain(polled);
        // What is due already waits for somebody to have time for it.
        moments.filter(|at| *at > state.now).min()
    }
}

fn worker(product: &Product, number: u64, ring: Ring) -> Actor {
    let mut rings = product.rings.clone();
    if number.is_multiple_of(2) {
        rings.sync.glances = UnderWay::default(); // a process of its own
    }
    Actor::new(Role::Worker(number), async move { rings.answer(&ring).await })
}
