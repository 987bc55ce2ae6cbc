//! For random histories: who follows the deltas, from any point and page by page, ends up with what a
//! complete listing shows.

use std::collections::BTreeMap;

use crate::common::{ADA, World, timed, with};
use proptest::prelude::*;
use serde_json::{Value, json};

/// What people do to the calendar. Numbers pick among the events that exist.
#[derive(Clone, Debug)]
enum Edit {
    Create { day: u32 },
    CreateSeries { day: u32, count: u32, weekly: bool },
    Rename { event: usize },
    Move { event: usize, day: u32 },
    Remind { event: usize, minutes: u32 },
    Delete { event: usize },
    Revive { event: usize },
    ChangeInstance { event: usize, instance: usize, day: u32 },
    CancelInstance { event: usize, instance: usize },
    Trim { event: usize, count: u32 },
    MakeSingle { event: usize },
    MakeSeries { event: usize, count: u32 },
    Split { event: usize, instance: usize },
}

#[derive(Clone, Debug)]
enum Step {
    Edit(Edit),
    /// One of three followers asks for what changed; `meanwhile` happens between its pages.
    Follow {
        who: usize,
        size: usize,
        meanwhile: Vec<Edit>,
    },
}

fn edits() -> impl Strategy<Value = Edit> {
    let event = || 0..12_usize;
    let instance = || 0..6_usize;
    let day = || 1..28_u32;
    let count = || 1..6_u32;
    prop_oneof![
        3 => day().prop_map(|day| Edit::Create { day }),
        2 => (day(), count(), any::<bool>()).prop_map(|(day, count, weekly)| Edit::CreateSeries { day, count, weekly }),
        1 => event().prop_map(|event| Edit::Rename { event }),
        2 => (event(), day()).prop_map(|(event, day)| Edit::Move { event, day }),
        1 => (event(), 0..60_u32).prop_map(|(event, minutes)| Edit::Remind { event, minutes }),
        2 => event().prop_map(|event| Edit::Delete { event }),
        2 => event().prop_map(|event| Edit::Revive { event }),
        3 => (event(), instance(), day()).prop_map(|(event, instance, day)| Edit::ChangeInstance { event, instance, day }),
        2 => (event(), instance()).prop_map(|(event, instance)| Edit::CancelInstance { event, instance }),
        2 => (event(), count()).prop_map(|(event, count)| Edit::Trim { event, count }),
        1 => event().prop_map(|event| Edit::MakeSingle { event }),
        1 => (event(), count()).prop_map(|(event, count)| Edit::MakeSeries { event, count }),
        1 => (event(), instance()).prop_map(|(event, instance)| Edit::Split { event, instance }),
    ]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let follow = (0..3_usize, 1..6_usize, prop::collection::vec(edits(), 0..3))
        .prop_map(|(who, size, meanwhile)| Step::Follow { who, size, meanwhile });
    prop::collection::vec(prop_oneof![4 => edits().prop_map(Step::Edit), 1 => follow], 1..40)
}

/// The calendar, and the ids of what was ever created in it.
struct History {
    world: World,
    ids: Vec<String>,
}

impl History {
    fn new() -> Self {
        let world = World::with(|config| {
            config.behaviour.thin_pages = 0.2;
            config.limits = config.limits.clone().without_quotas();
        });
        Self { world, ids: Vec::new() }
    }

    fn id(&self, event: usize) -> String {
        self.ids.get(event % self.ids.len().max(1)).cloned().unwrap_or_default()
    }

    fn instance(&mut self, event: usize, instance: usize) -> String {
        let target = format!("{}/{}/instances?showDeleted=true", crate::common::EVENTS, self.id(event));
        let answer = self.world.call("GET", &target).value();
        let items = answer["items"].as_array().cloned().unwrap_or_default();
        let chosen = items.get(instance % items.len().max(1));
        chosen.map(|item| item["id"].as_str().unwrap().to_owned()).unwrap_or_default()
    }

    /// The occurrences of both halves of a split series are named after the first one. Neither half is given other times:
    /// what Google does when two occurrences come to have one name is not known.
    fn is_half(&self, id: &str) -> bool {
        let first = |id: &str| id.split("_R").next().unwrap_or_default().to_owned();
        self.ids.iter().filter(|other| first(other) == first(id)).count() > 1
    }

    fn create(&mut self, event: &Value) {
        self.ids.extend(self.world.google.create_event(self.world.now, ADA, event));
    }

    fn patch(&mut self, id: &str, changes: &Value) {
        // A refusal is a history in which nothing happened.
        let _ = self.world.google.edit_event(self.world.now, ADA, id, changes);
    }

    fn edit(&mut self, edit: &Edit) {
        self.world.pass(chrono::Duration::milliseconds(700));
        match edit {
            Edit::Create { day } => self.create(&timed(&format!("2026-12-{day:02}"), 9)),
            Edit::CreateSeries { day, count, weekly } => {
                let often = if *weekly { "WEEKLY" } else { "DAILY" };
                let rule = json!({"recurrence": [format!("RRULE:FREQ={often};COUNT={count}")]});
                self.create(&with(timed(&format!("2026-12-{day:02}"), 9), &rule));
            }
            Edit::Rename { event } => self.patch(&self.id(*event), &json!({"summary": "renamed"})),
            Edit::Move { event, .. } | Edit::Trim { event, .. } | Edit::MakeSeries { event, .. }
                if self.is_half(&self.id(*event)) => {}
            Edit::Move { event, day } => self.patch(&self.id(*event), &timed(&format!("2026-12-{day:02}"), 15)),
            Edit::Remind { event, minutes } => {
                let reminder = json!({"method": "popup", "minutes": minutes});
                self.patch(&self.id(*event), &json!({"reminders": {"useDefault": false, "overrides": [reminder]}}));
            }
            Edit::Delete { event } => {
                let id = self.id(*event);
                let _ = self.world.google.delete_event(self.world.now, ADA, &id);
            }
            Edit::Revive { event } => self.patch(&self.id(*event), &json!({"status": "confirmed"})),
            Edit::ChangeInstance { event, instance, day } => {
                let id = self.instance(*event, *instance);
                self.patch(&id, &with(timed(&format!("2026-12-{day:02}"), 18), &json!({"status": "confirmed"})));
            }
            Edit::CancelInstance { event, instance } => {
                let id = self.instance(*event, *instance);
                let _ = self.world.google.delete_event(self.world.now, ADA, &id);
            }
            Edit::Trim { event, count } | Edit::MakeSeries { event, count } => {
                let id = self.id(*event);
                let series = self.world.google.event(ADA, &id).is_some_and(|event| event["recurrence"].is_array());
                if series == matches!(edit, Edit::Trim { .. }) {
                    self.patch(&id, &json!({"recurrence": [format!("RRULE:FREQ=DAILY;COUNT={count}")]}));
                }
            }
            Edit::MakeSingle { event } => self.patch(&self.id(*event), &json!({"recurrence": null})),
            Edit::Split { event, instance } => {
                let id = self.instance(*event, *instance);
                let new = self.world.google.split_series(self.world.now, ADA, &id, &json!({"summary": "following"}));
                self.ids.extend(new);
            }
        }
    }
}

/// A client that keeps a copy of the calendar by its deltas.
#[derive(Default)]
struct Follower {
    single: bool,
    cursor: Option<String>,
    events: BTreeMap<String, Value>,
}

impl Follower {
    fn new(single: bool) -> Self {
        Self { single, ..Self::default() }
    }

    fn follow(&mut self, history: &mut History, size: usize, meanwhile: &[Edit]) {
        let mut meanwhile = meanwhile.iter();
        let mut page = String::new();
        loop {
            let cursor = self.cursor.as_ref().map(|cursor| format!("&syncToken={cursor}")).unwrap_or_default();
            let target =
                format!("{}?maxResults={size}&singleEvents={}{cursor}{page}", crate::common::EVENTS, self.single);
            let answer = history.world.get(&target);
            for item in answer["items"].as_array().unwrap() {
                self.take(item);
            }
            if let Some(token) = answer["nextPageToken"].as_str() {
                page = format!("&pageToken={token}");
            } else {
                self.cursor = answer["nextSyncToken"].as_str().map(str::to_owned);
                return;
            }
            if let Some(edit) = meanwhile.next() {
                history.edit(edit);
            }
        }
    }

    fn take(&mut self, item: &Value) {
        let id = item["id"].as_str().unwrap().to_owned();
        let cancelled = item["status"] == "cancelled";
        let of_series = item["recurringEventId"].is_string();
        if cancelled && (self.single || !of_series) {
            self.events.remove(&id);
            if !self.single {
                // A series takes its exceptions along.
                self.events.retain(|_, event| event["recurringEventId"] != json!(id));
            }
        } else {
            self.events.insert(id, item.clone());
        }
    }
}

fn replays_to_the_complete_listing(single: bool, steps: &[Step]) -> Result<(), TestCaseError> {
    let mut history = History::new();
    let mut followers: Vec<Follower> = (0..3).map(|_| Follower::new(single)).collect();
    for step in steps {
        match step {
            Step::Edit(edit) => history.edit(edit),
            Step::Follow { who, size, meanwhile } => followers[*who].follow(&mut history, *size, meanwhile),
        }
    }
    let mut fresh = Follower::new(single);
    fresh.follow(&mut history, 2500, &[]);
    for follower in &mut followers {
        follower.follow(&mut history, 3, &[]);
        prop_assert_eq!(&follower.events, &fresh.events);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn deltas_of_series_and_exceptions_replay_to_a_complete_listing(steps in steps()) {
        replays_to_the_complete_listing(false, &steps)?;
    }

    #[test]
    fn deltas_of_single_events_replay_to_a_complete_listing(steps in steps()) {
        replays_to_the_complete_listing(true, &steps)?;
    }
}
