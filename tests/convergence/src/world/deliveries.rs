//! The sources of work: the queue, the stream of lesson changes, push notifications and schedules.

use calendar_sync::{
    model::{ConnectionKey, SyncTrigger},
    ports::SyncMessage,
    usecases::{note_lesson_changes::LessonChange, receive_notification::PushNotification},
};
use chrono::{DateTime, TimeDelta, Utc};

use super::{CLOCK_OFF, Headers, Product, World};
use crate::{
    acts,
    coverage::Fault,
    sim::{self, Actor, Role},
    watch::Run,
};

/// How long a message that was handed out stays invisible.
const VISIBILITY: TimeDelta = TimeDelta::seconds(120);
/// How often a message is received before it goes to the dead letters.
const MAX_RECEIVES: u32 = 3;
const WORKERS: usize = 4;

impl World {
    /// Delivers what is due: messages, lesson changes, push notifications and the schedules' ticks.
    pub(super) fn feed(&mut self) {
        acts::own_events::contend(self);
        self.deliver_notices();
        self.deliver_messages();
        if !self.stream.is_empty() && !self.actors.iter().any(|actor| matches!(actor.role, Role::Stream(_))) {
            let records = self.stream.len().min(3);
            let changes: Vec<LessonChange> = self.stream.iter().take(records).cloned().collect();
            let lessons = self.product.ports.note_lesson_changes();
            let work = async move { lessons.note(&changes).await.map_err(|not_noted| not_noted.error) };
            self.actors.push(Actor::new(Role::Stream(records), work));
        }
        let now = self.now();
        if now - self.polled_at >= TimeDelta::minutes(1) {
            self.polled_at = now;
            let due = self.product.ports.dispatcher();
            self.actors.push(Actor::new(Role::Schedule, async move { due.dispatch().await.map(drop) }));
        }
        if now - self.renewed_at >= TimeDelta::hours(1) {
            self.renewed_at = now;
            let renewals = self.product.ports.renew_channels();
            self.actors.push(Actor::new(Role::Schedule, async move { renewals.dispatch().await.map(drop) }));
        }
    }

    fn deliver_messages(&mut self) {
        let mut state = self.sim.state();
        let now = state.now;
        let mut busy: Vec<ConnectionKey> = Vec::new();
        for actor in &self.actors {
            if let Role::Worker(number) = actor.role {
                busy.extend(state.queue.get(&number).map(|message| message.body.key));
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
            let (message, receives) = (message.body.clone(), message.receives);
            if receives > MAX_RECEIVES && !self.lossless {
                state.queue.remove(&number);
                state.truth.miss([message.key]);
                state.coverage.met(Fault::MessageToDeadLetters);
                continue;
            }
            if busy.contains(&message.key) {
                state.coverage.met(Fault::Overlap);
            }
            busy.push(message.key);
            if self.store.tables().states.get(&message.key).is_some_and(|state| state.lease.until > now) {
                state.coverage.met(Fault::LeaseHeld);
            }
            state.tell(|| {
                let (key, trigger, tasks) = (sim::number(message.key), message.trigger, &message.tasks);
                format!("    message {number} is handed out: {trigger:?} {tasks:?} for {key}")
            });
            let mut worker = worker(&self.product, number, message, now);
            if self.clocks_differ {
                worker.ahead = TimeDelta::milliseconds(state.dice.between(-CLOCK_OFF, CLOCK_OFF));
                state.coverage.met(Fault::ClocksDiffer);
            }
            self.actors.push(worker);
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
                0..4 if !self.lossless => {
                    let tables = self.store.tables();
                    let channel = notice.headers.iter().find(|(name, _)| name == "x-goog-channel-id");
                    let opened = tables.states.iter().filter(|(_, state)| {
                        let open = state.channel.iter().map(|channel| &channel.id).chain(&state.retired_channels);
                        channel.is_some_and(|(_, id)| open.into_iter().any(|open| open.as_str() == id))
                    });
                    state.truth.miss(opened.map(|(key, _)| *key));
                    state.coverage.met(Fault::NoticeLost);
                }
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
            let notices = self.product.ports.receive_notification();
            let work = async move {
                let header = |name: &str| {
                    headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str()).unwrap_or_default()
                };
                let notice = PushNotification {
                    channel_id: header("x-goog-channel-id"),
                    channel_token: header("x-goog-channel-token"),
                    resource_state: header("x-goog-resource-state"),
                };
                notices.receive(&notice).await
            };
            self.actors.push(Actor::new(role, work));
        }
    }
}

fn worker(product: &Product, number: u64, message: SyncMessage, now: DateTime<Utc>) -> Actor {
    let handler = product.handler.clone();
    let by_a_person = matches!(message.trigger, SyncTrigger::Connect | SyncTrigger::Manual | SyncTrigger::Settings);
    let run = Run::of(message.key, now, by_a_person, message.asked.clone());
    Actor::new(Role::Worker(number), async move { handler.handle(&message).await }).on(run)
}
