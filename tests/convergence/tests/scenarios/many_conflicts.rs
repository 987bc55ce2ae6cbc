//! Conflicts do not multiply: a series is one event, a lesson keeps twenty, and a notice tells of many.

use std::collections::{BTreeMap, BTreeSet};

use calendar_sync::{
    model::{ConflictChange, LessonId, NoticeKind, SyncTask, SyncTrigger},
    ports::SyncMessage,
};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::stage::Stage;

/// What was told of a lesson and an event.
type Told = BTreeMap<(LessonId, String), Vec<&'static str>>;

impl Stage {
    fn lesson_ids(&self) -> Vec<LessonId> {
        self.world.store.tables().lessons.keys().map(|(_, id)| *id).collect()
    }

    fn starts_at(&self, lesson: LessonId) -> DateTime<Utc> {
        let row = self.world.store.tables().lessons[&(self.party.key.tenant_id, lesson)].clone();
        row["starts_at"].as_str().unwrap().parse().unwrap()
    }

    /// The instructor plans something of a minute in Google.
    fn plan_minute(&self, title: &str, start: DateTime<Utc>) -> String {
        let end = start + TimeDelta::minutes(1);
        self.plan_event(&json!({ "summary": title, "start": { "dateTime": start }, "end": { "dateTime": end } }))
    }

    /// How many notices told of conflicts, and what they told.
    fn conflicts_told(&self) -> (usize, Told) {
        let mut seen = BTreeSet::new();
        let once: Vec<_> = self.told().into_iter().filter(|notice| seen.insert(notice.id)).collect();
        let notices = once.len();
        let mut told = Told::new();
        for kind in once.into_iter().map(|notice| notice.kind) {
            let NoticeKind::ConflictsChanged { conflicts } = kind else { panic!("{kind:?}") };
            assert!(conflicts.len() <= ConflictChange::MAX_PER_NOTICE);
            for change in conflicts {
                let (lesson, event, what) = match change {
                    ConflictChange::Found { lesson_id, google_event_id, .. } => (lesson_id, google_event_id, "found"),
                    ConflictChange::Cleared { lesson_id, google_event_id } => (lesson_id, google_event_id, "cleared"),
                    ConflictChange::Ignored { lesson_id, google_event_id } => (lesson_id, google_event_id, "ignored"),
                    ConflictChange::Unignored { lesson_id, google_event_id, .. } => {
                        (lesson_id, google_event_id, "unignored")
                    }
                };
                told.entry((lesson, event)).or_default().push(what);
            }
        }
        (notices, told)
    }

    /// The events of the lesson's conflicts, the earliest first.
    fn events_in_conflict(&self, lesson: LessonId) -> Vec<String> {
        let mut pairs = self.world.store.tables().conflicts_where(self.party.key, |pair| pair.lesson_id == lesson);
        pairs.sort_by_key(|pair| pair.overlap_start);
        pairs.into_iter().map(|pair| pair.google_event_id.0).collect()
    }
}

#[test]
fn a_daily_event_and_four_lessons_are_four_conflicts_whatever_becomes_of_single_days() {
    let mut stage = Stage::new();
    for day in 2..6 {
        stage.add_lesson_in(TimeDelta::days(day));
    }
    // Each lasts almost a day, so that one occurrence overlaps its beginning and the next its end.
    for lesson in stage.lesson_ids() {
        let ends_at = stage.starts_at(lesson) + TimeDelta::minutes(24 * 60 - 15);
        stage.change_lesson(lesson, "ends_at", json!(ends_at));
    }
    let first = stage.lesson_ids().into_iter().map(|lesson| stage.starts_at(lesson)).min().unwrap();
    let time = |minutes| json!({ "dateTime": first + TimeDelta::minutes(minutes), "timeZone": "UTC" });
    let daily = json!({ "start": time(-30), "end": time(30), "recurrence": ["RRULE:FREQ=DAILY;COUNT=300"] });
    let daily = stage.plan_event(&daily);
    stage.settle(TimeDelta::minutes(2));
    let told = stage.conflicts_told();
    assert_eq!((stage.conflicts(), told.0), (4, 1));
    let each_once = |(_, event): &(LessonId, String), what: &Vec<_>| *event == daily && *what == ["found"];
    assert!(told.1.len() == 4 && told.1.iter().all(|(pair, what)| each_once(pair, what)), "{told:?}");

    let occurrence = |days: i64| {
        let original = first + TimeDelta::days(days) - TimeDelta::minutes(30);
        format!("{daily}_{}", original.format("%Y%m%dT%H%M%SZ"))
    };
    stage.delete_event(&occurrence(0));
    stage.edit_event(&occurrence(1), &json!({ "start": time(24 * 60 - 30), "end": time(24 * 60 - 20) }));
    stage.settle(TimeDelta::minutes(2));
    assert_eq!((stage.conflicts(), stage.conflicts_told()), (4, told), "the same pairs, and nothing new to tell");
    let named: BTreeSet<_> = stage.lesson_ids().into_iter().flat_map(|id| stage.events_in_conflict(id)).collect();
    assert_eq!(named, BTreeSet::from([daily.clone(), occurrence(1)]));
}

#[test]
fn a_lesson_keeps_the_twenty_earliest_of_thirty_conflicts_and_the_next_moves_up() {
    let mut stage = Stage::new();
    stage.add_lesson();
    let (lesson, start) = (stage.lesson(), stage.starts_at(stage.lesson()));
    stage.settle(TimeDelta::minutes(2));
    let minute = |n: i64| start + TimeDelta::minutes(2 * n);
    let events: Vec<String> = (0..30).map(|n| stage.plan_minute("Call", minute(n))).collect();
    stage.settle(TimeDelta::minutes(2));
    assert_eq!(stage.events_in_conflict(lesson), events[..20]);
    assert_eq!((stage.mapping().has_conflict, stage.mapping().conflicts_left_out), (true, 10));
    let status = stage.status();
    assert_eq!(
        (&status["counts"]["conflicts"], status["conflicts"].as_array().unwrap().len()),
        (&json!(30), 20),
        "ten more"
    );

    stage.delete_event(&events[3]);
    stage.settle(TimeDelta::minutes(2));
    assert_eq!(stage.events_in_conflict(lesson), [&events[..3], &events[4..21]].concat());
    assert_eq!(stage.mapping().conflicts_left_out, 9);
    let (_, told) = stage.conflicts_told();
    let what = |event: &String| told.get(&(lesson, event.clone())).cloned().unwrap_or_default();
    assert_eq!(
        [3, 4, 20, 21].map(|n| what(&events[n])),
        [vec!["found", "cleared"], vec!["found"], vec!["found"], vec![]]
    );

    let earlier = stage.plan_minute("Call", minute(3));
    stage.settle(TimeDelta::minutes(2));
    assert_eq!(stage.events_in_conflict(lesson)[3], earlier);
    assert_eq!((stage.conflicts(), stage.mapping().conflicts_left_out), (20, 10));
    let (_, told) = stage.conflicts_told();
    assert_eq!(told[&(lesson, events[20].clone())].len(), 2, "it made room");
    // Of one that is left out no pair says which lessons it overlapped; the daily reconcile counts anew.
    stage.delete_event(&events[29]);
    stage.settle(TimeDelta::hours(26));
    assert_eq!((stage.conflicts(), stage.mapping().conflicts_left_out), (20, 9));
    for event in stage.events_in_conflict(lesson) {
        stage.delete_event(&event);
    }
    stage.settle(TimeDelta::minutes(2));
    assert_eq!(stage.events_in_conflict(lesson), events[20..29]);
    assert_eq!((stage.mapping().has_conflict, stage.mapping().conflicts_left_out), (true, 0));
}

/// Ten lessons at one time and twenty events over each, one of which is private.
fn two_hundred_conflicts() -> Stage {
    let mut stage = Stage::new();
    for _ in 0..10 {
        stage.add_lesson();
    }
    stage.settle(TimeDelta::minutes(2));
    let start = stage.starts_at(stage.lesson());
    for n in 1..20 {
        stage.plan_minute(&format!("Call {n}"), start + TimeDelta::minutes(n));
    }
    stage.plan_event(&json!({
        "summary": "Secret", "visibility": "private",
        "start": { "dateTime": start }, "end": { "dateTime": start + TimeDelta::minutes(1) },
    }));
    stage
}

#[test]
fn two_hundred_new_conflicts_are_told_once_each_in_few_notices_wherever_a_run_dies() {
    for stored in [0, 20, 80, 180] {
        let mut stage = two_hundred_conflicts();
        stage.send(SyncMessage::new(stage.party.key, SyncTrigger::Poll, vec![SyncTask::PullEvents]));
        if stored > 0 {
            stage.until("a part is stored", |stage| stage.conflicts() >= stored);
            assert!(stage.conflicts() < 200 && stage.dies_after(0), "it dies with a part of them stored");
        }
        stage.settle(TimeDelta::hours(1));
        let (notices, told) = stage.conflicts_told();
        assert_eq!((stage.conflicts(), told.len()), (200, 200), "died with {stored} stored");
        assert!(told.values().all(|what| *what == ["found"]), "died with {stored} stored: {told:?}");
        assert_eq!(notices, 10, "died with {stored} stored");
    }
}

#[test]
fn the_status_lists_the_next_hundred_conflicts_with_titles_and_counts_all() {
    let mut stage = two_hundred_conflicts();
    stage.settle(TimeDelta::minutes(2));
    let status = stage.status();
    let listed = status["conflicts"].as_array().unwrap();
    assert_eq!((&status["counts"]["conflicts"], listed.len()), (&json!(200), 100));
    let titles: Vec<Value> = (0..10).map(|n| if n == 0 { Value::Null } else { json!(format!("Call {n}")) }).collect();
    let shown: Vec<&Value> = listed.iter().map(|conflict| &conflict["title"]).collect();
    assert_eq!(shown, titles.iter().flat_map(|title| vec![title; 10]).collect::<Vec<_>>());
    assert!(!status.to_string().contains("Secret"));

    let start = stage.starts_at(stage.lesson());
    let into_the_lesson = start + TimeDelta::minutes(15) - stage.world.now();
    stage.settle(into_the_lesson);
    let status = stage.status();
    let listed = status["conflicts"].as_array().unwrap();
    assert_eq!((&status["counts"]["conflicts"], listed.len()), (&json!(50), 50), "the others are over");
    assert_eq!(listed[0]["title"], "Call 15");
}
