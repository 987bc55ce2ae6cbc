//! A world without trouble in which one instructor is connected.

use std::sync::{Arc, mpsc};

use calendar_functions::view;
use calendar_sync::{
    model::{CalendarEventMapping, LessonId, Notice, PushHealth, SettingsPatch, SyncState, SyncTrigger},
    ports::{LessonLookup, SyncMessage},
    usecases::{note_lesson_changes::LessonChange, show_status::ShowStatus},
};
use chrono::{DateTime, TimeDelta, Utc};
use convergence::{
    sim::{Message, Role},
    world::{Party, World},
};
use google_sim::{Effect, Fault, When};
use serde_json::{Map, Value, json};
use testkit::data::{lesson_id, lesson_row, person};

/// The world, with what the tests do to it.
pub struct Stage {
    pub world: World,
    pub party: Party,
    messages: u64,
}

impl Stage {
    pub fn new() -> Self {
        let mut stage = Self::unconnected();
        stage.world.settle(TimeDelta::minutes(5));
        assert_eq!(stage.state().push_health, PushHealth::Healthy);
        stage
    }

    /// The login has only begun.
    pub fn unconnected() -> Self {
        let mut world = World::new(1);
        world.calm = true;
        let party = world.parties[0];
        world.connect(party);
        Self { world, party, messages: 1_000_000 }
    }

    pub fn state(&self) -> SyncState {
        self.world.store.tables().states[&self.party.key].clone()
    }

    pub fn change_state(&self, change: impl FnOnce(&mut SyncState)) {
        change(self.world.store.tables().states.get_mut(&self.party.key).unwrap());
    }

    pub fn settle(&mut self, time: TimeDelta) {
        self.world.settle(time);
    }

    /// Effect by effect, until something is so.
    pub fn until(&mut self, what: &str, is_so: impl Fn(&Self) -> bool) {
        for _ in 0..20_000 {
            if is_so(self) {
                return;
            }
            self.world.step();
        }
        panic!("never: {what}");
    }

    /// At least so many pages of the listing under way are stored, and others are still to come.
    pub fn until_page(&mut self, pages: u32) {
        self.until("page", |stage| {
            let tables = stage.world.store.tables();
            let listing = tables.states.get(&stage.party.key).and_then(|state| state.listing.as_ref());
            listing.is_some_and(|listing| listing.pages >= pages && listing.page_token.is_some())
        });
    }

    /// Google no longer takes the cursor, and a notification has the calendar listed anew.
    pub fn lose_cursor(&mut self) {
        let (now, account) = (self.world.now(), self.party.account);
        self.world.sim.state().google.expire_cursors(now, account);
        self.plan();
    }

    pub fn dark(&self, dark: bool) {
        self.world.sim.state().google.darken_push(dark);
    }

    /// Google's listings lag by so much.
    pub fn lag(&self, lag: TimeDelta) {
        self.world.sim.state().google.behaviour_mut().listing_lag_ms = lag.num_milliseconds().try_into().unwrap();
    }

    /// The instructor plans something in Google.
    pub fn plan(&self) -> String {
        let now = self.world.now();
        self.plan_between(&json!(now + TimeDelta::hours(30)), &json!(now + TimeDelta::hours(31)))
    }

    /// The instructor plans something in Google over the one lesson.
    pub fn plan_over_lesson(&self) -> String {
        let lesson = self.world.store.tables().lessons.values().next().unwrap().clone();
        self.plan_between(&lesson["starts_at"], &lesson["ends_at"])
    }

    pub fn plan_between(&self, start: &Value, end: &Value) -> String {
        self.plan_event(&json!({ "start": { "dateTime": start }, "end": { "dateTime": end } }))
    }

    /// The instructor makes any event in Google.
    pub fn plan_event(&self, event: &Value) -> String {
        let mut state = self.world.sim.state();
        let now = state.now;
        state.google.create_event(now, self.party.account, event).unwrap()
    }

    pub fn delete_event(&self, event: &str) {
        let mut state = self.world.sim.state();
        let now = state.now;
        state.google.delete_event(now, self.party.account, event).unwrap();
    }

    pub fn is_known(&self, event: &str) -> bool {
        self.world.store.tables().external_of(self.party.key).any(|row| row.id().as_str() == event)
    }

    pub fn conflicts(&self) -> usize {
        self.world.store.tables().conflicts_where(self.party.key, |_| true).len()
    }

    /// How long it takes until the event is known, to the minute.
    pub fn until_known(&mut self, event: &str) -> TimeDelta {
        let began = self.world.now();
        while !self.is_known(event) {
            self.settle(TimeDelta::minutes(1));
            assert!(self.world.now() - began < TimeDelta::days(1), "{event} is never known");
        }
        self.world.now() - began
    }

    /// The host saves a lesson.
    pub fn add_lesson(&mut self) {
        self.add_lesson_in(TimeDelta::hours(50));
    }

    /// The same, of another time.
    pub fn add_lesson_in(&mut self, time: TimeDelta) {
        let (key, now) = (self.party.key, self.world.now());
        let id = lesson_id(u128::from(self.messages) + 7);
        self.messages += 1;
        let place = (key.tenant_id, id);
        self.world.store.tables().lessons.insert(place, lesson_row(key, id, "Piano", now + time));
        let LessonLookup::Found(lesson) = self.world.store.tables().lesson(place.0, place.1) else { panic!("no row") };
        let at = self.world.now();
        self.world.stream.push_back(LessonChange { old: None, new: Some(*lesson), at });
    }

    /// The one lesson, or the first of several.
    pub fn lesson(&self) -> LessonId {
        self.world.store.tables().lessons.keys().next().unwrap().1
    }

    /// The host changes a column, and the table's stream tells it.
    pub fn change_lesson(&mut self, id: LessonId, column: &str, value: Value) {
        self.change_columns(id, [(column.to_owned(), value)].into_iter().collect());
    }

    pub fn move_lesson(&mut self, start: DateTime<Utc>) {
        let times = [("starts_at", start), ("ends_at", start + TimeDelta::hours(1))];
        let columns = times.map(|(name, at)| (name.to_owned(), json!(at)));
        self.change_columns(self.lesson(), columns.into_iter().collect());
    }

    /// The host changes several columns at once, and the table's stream tells it.
    pub fn change_columns(&mut self, id: LessonId, columns: Map<String, Value>) {
        let (tenant, at) = (self.party.key.tenant_id, self.world.now());
        let mut tables = self.world.store.tables();
        let mut look = |columns: Map<String, Value>| {
            tables.lessons.get_mut(&(tenant, id)).unwrap().as_object_mut().unwrap().extend(columns);
            let LessonLookup::Found(lesson) = tables.lesson(tenant, id) else { panic!("no row") };
            Some(*lesson)
        };
        let [old, new] = [Map::new(), columns].map(&mut look);
        drop(tables);
        self.world.stream.push_back(LessonChange { old, new, at });
        self.settle(TimeDelta::minutes(2));
    }

    /// The host deletes the one lesson, or the first of several, and the table's stream tells it.
    pub fn remove_lesson(&mut self) {
        let (place, at) = ((self.party.key.tenant_id, self.lesson()), self.world.now());
        let LessonLookup::Found(old) = self.world.store.tables().lesson(place.0, place.1) else { panic!("no row") };
        self.world.store.tables().lessons.remove(&place);
        self.world.stream.push_back(LessonChange { old: Some(*old), new: None, at });
    }

    /// The live events of the calendar, as Google shows them.
    pub fn events(&self) -> Vec<Value> {
        let all = self.world.sim.state().google.events(self.party.account);
        all.into_iter().filter(|event| event["status"] != "cancelled").collect()
    }

    /// The event of the one lesson, as Google shows it.
    pub fn event(&self) -> Value {
        let id = self.mapping().google_event_id();
        self.world.sim.state().google.event(self.party.account, id.as_str()).unwrap()
    }

    pub fn edit_event(&self, event: &str, changes: &Value) {
        let mut state = self.world.sim.state();
        let now = state.now;
        state.google.edit_event(now, self.party.account, event, changes).unwrap();
    }

    pub fn mapping(&self) -> CalendarEventMapping {
        let lesson = self.lesson();
        self.world.store.tables().mapping(self.party.key, lesson).unwrap()
    }

    /// What reached the event bus.
    pub fn told(&self) -> Vec<Notice> {
        self.world.sim.state().bus.clone()
    }

    /// A message waits in the queue.
    pub fn send(&mut self, message: SyncMessage) {
        self.messages += 1;
        let mut state = self.world.sim.state();
        let visible_at = state.now;
        state.queue.insert(self.messages, Message { body: message, visible_at, receives: 0 });
    }

    pub fn change_settings(&mut self, patch: SettingsPatch) {
        let (key, settings) = (self.party.key, self.world.product().ports.change_settings());
        self.world.request(async move { settings.change(key, &patch, &person()).await.map(drop) });
    }

    /// The worker dies after so many effects, and what it had in hand comes again later; false if it was done by then.
    pub fn dies_after(&mut self, effects: usize) -> bool {
        self.world.turns(effects);
        let before = self.world.actors.len();
        self.world.actors.retain(|actor| !matches!(actor.role, Role::Worker(_)));
        self.world.actors.len() < before
    }

    /// The channel is due for renewal, and the schedule has sent its message.
    pub fn renew(&mut self) {
        let now = self.world.now();
        self.change_state(|state| state.renew_at = Some(now));
        self.send(SyncMessage::new(self.party.key, SyncTrigger::Poll, vec![]));
    }

    /// The channel has ended, and is to be replaced.
    pub fn end_channel(&self) {
        let now = self.world.now();
        self.world.sim.state().google.expire_channels(now);
        self.change_state(|state| {
            state.renew_at = Some(now);
            state.channel.as_mut().unwrap().expires_at = now;
        });
    }

    /// A write of ours brought no notice.
    pub fn suspect(&mut self) {
        self.dark(true);
        self.add_lesson();
        self.settle(TimeDelta::minutes(4));
        self.dark(false);
        assert!(since(&self.state().push_health).is_some(), "{:?}", self.state().push_health);
    }

    pub fn fault(&self, method: &str, status: u16, reason: &str, when: When) {
        let effect = Effect::refuse(status, reason);
        self.world.sim.state().google.inject(Fault::new(method, effect).on(when));
    }

    pub fn calls(&self, method: &str) -> u64 {
        self.world.sim.state().google.calls(method)
    }

    pub fn lists(&self) -> u64 {
        self.calls("calendar.events.list")
    }

    /// The channels that Google keeps open.
    pub fn open_channels(&self) -> Vec<String> {
        let state = self.world.sim.state();
        state.google.channels(state.now).into_iter().map(|channel| channel.id).collect()
    }

    /// Google keeps one channel open, and it is the one that counts here.
    pub fn assert_one_channel(&self, when: &str) {
        let state = self.state();
        let ours: Vec<String> = state.channel.iter().map(|channel| channel.id.as_str().to_owned()).collect();
        assert_eq!(self.open_channels(), ours, "{when}");
        assert_eq!((ours.len(), state.retired_channels), (1, vec![]), "{when}");
    }

    /// What the API answers for the status.
    pub fn status(&mut self) -> Value {
        let show = ShowStatus { store: Arc::new(self.world.store.clone()), clock: Arc::new(self.world.sim.clone()) };
        let (key, (sender, shown)) = (self.party.key, mpsc::channel());
        self.world.request(async move {
            sender.send(view::connection::status(&show.show(key, None).await?)).unwrap();
            Ok(())
        });
        self.settle(TimeDelta::seconds(1));
        shown.recv().unwrap()
    }

    /// What the status says of push.
    pub fn push(&mut self) -> Value {
        self.status()["push"].clone()
    }
}

pub fn since(health: &PushHealth) -> Option<DateTime<Utc>> {
    match health {
        PushHealth::Suspect { since, .. } => Some(*since),
        _ => None,
    }
}
