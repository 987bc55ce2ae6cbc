//! A conflict that a person says is fine: it stays so whatever is compared anew, until the overlap has other times.

use std::collections::BTreeMap;

use calendar_sync::{
    model::{ConflictChange, LessonStatus, NoticeKind, PairState, PersonRole, SchedulingConflict},
    ports::LessonLookup,
    usecases::{decide_conflict::Decision, note_lesson_changes::LessonChange},
};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use crate::stage::Stage;

impl Stage {
    /// A lesson, and an event that overlaps the second half of it.
    fn overlapped() -> (Self, String) {
        let mut stage = Self::new();
        stage.add_lesson();
        let start = stage.begins();
        let event = stage.plan_between(&json!(start + TimeDelta::minutes(30)), &json!(start + TimeDelta::hours(2)));
        stage.settle(TimeDelta::minutes(2));
        assert_eq!(stage.stands(), (PairState::Live, [true, true]));
        (stage, event)
    }

    fn begins(&self) -> DateTime<Utc> {
        let row = self.world.store.tables().lessons.values().next().unwrap().clone();
        row["starts_at"].as_str().unwrap().parse().unwrap()
    }

    fn pair(&self) -> SchedulingConflict {
        let pairs = self.world.store.tables().conflicts_where(self.party.key, |_| true);
        let [pair] = &pairs[..] else { panic!("{pairs:?}") };
        pair.clone()
    }

    /// The state of the one pair, and the flags of the mapping and of the host's row.
    fn stands(&self) -> (PairState, [bool; 2]) {
        let row = self.world.store.tables().lessons.values().next().unwrap()["has_conflict"] == true;
        (self.pair().state(), [self.mapping().has_conflict, row])
    }

    /// A person begins to say it.
    fn say(&mut self, state: PairState) {
        let (key, id) = (self.party.key, self.pair().id());
        let decide = self.world.product().ports.decide_conflict();
        let decision = Decision { state, by: "user".to_owned(), role: PersonRole::Instructor };
        self.world.request(async move { decide.decide(key, id, &decision).await.map(drop) });
    }

    fn ignore(&mut self) {
        self.say(PairState::Ignored);
        self.settle(TimeDelta::minutes(2));
        assert_eq!(self.stands(), (PairState::Ignored, [false, false]));
    }

    /// What was told of conflicts, the first first.
    fn changes_told(&self) -> Vec<&'static str> {
        let once: BTreeMap<_, _> = self.told().into_iter().map(|notice| (notice.id, notice)).collect();
        let mut notices: Vec<_> = once.into_values().collect();
        notices.sort_by_key(|notice| notice.at);
        let word = |change: &ConflictChange| match change {
            ConflictChange::Found { .. } => "found",
            ConflictChange::Cleared { .. } => "cleared",
            ConflictChange::Ignored { .. } => "ignored",
            ConflictChange::Unignored { .. } => "unignored",
        };
        let told = notices.iter().flat_map(|notice| match &notice.kind {
            NoticeKind::ConflictsChanged { conflicts } => conflicts.iter().map(word).collect(),
            _ => Vec::new(),
        });
        told.collect()
    }

    /// The host gives the lesson another title, and the table's stream is about to tell it.
    fn entitle(&mut self, title: &str) {
        let (tenant, id, at) = (self.party.key.tenant_id, self.lesson(), self.world.now());
        let mut look = |title: Option<&str>| {
            let mut tables = self.world.store.tables();
            if let Some(title) = title {
                tables.lessons.get_mut(&(tenant, id)).unwrap()["title"] = json!(title);
            }
            let LessonLookup::Found(lesson) = tables.lesson(tenant, id) else { panic!("no row") };
            assert_eq!(lesson.status, LessonStatus::Scheduled);
            Some(*lesson)
        };
        let [old, new] = [None, Some(title)].map(&mut look);
        self.world.stream.push_back(LessonChange { old, new, at });
    }
}

#[test]
fn it_stays_ignored_through_full_reconciles_a_lost_cursor_and_a_new_login() {
    let (mut stage, _) = Stage::overlapped();
    stage.ignore();
    let said = stage.pair().ignored;
    stage.settle(TimeDelta::hours(26));
    stage.lose_cursor();
    stage.settle(TimeDelta::minutes(5));
    let party = stage.party;
    stage.world.connect(party);
    stage.settle(TimeDelta::hours(26));
    assert_eq!((stage.stands(), stage.pair().ignored), ((PairState::Ignored, [false, false]), said));
    assert_eq!(stage.changes_told(), ["found", "ignored"]);
}

#[test]
fn a_lesson_or_an_event_that_moves_is_found_anew() {
    let (mut stage, event) = Stage::overlapped();
    stage.ignore();
    let start = stage.begins();
    stage.move_lesson(start + TimeDelta::minutes(15));
    assert_eq!(stage.stands(), (PairState::Live, [true, true]), "the lesson moved");
    stage.ignore();
    stage.edit_event(&event, &json!({ "start": { "dateTime": start + TimeDelta::minutes(40) } }));
    stage.settle(TimeDelta::minutes(2));
    assert_eq!(stage.stands(), (PairState::Live, [true, true]), "the event moved");
    assert_eq!(stage.changes_told(), ["found", "ignored", "found", "ignored", "found"]);
}

#[test]
fn other_times_with_the_same_overlap_change_nothing() {
    let (mut stage, event) = Stage::overlapped();
    stage.ignore();
    let start = stage.begins();
    stage.edit_event(&event, &json!({ "end": { "dateTime": start + TimeDelta::hours(5) } }));
    stage.settle(TimeDelta::minutes(2));
    let lesson = stage.lesson();
    stage.change_lesson(lesson, "starts_at", json!(start - TimeDelta::minutes(15)));
    assert_eq!(stage.pair().lesson_start, start - TimeDelta::minutes(15));
    assert_eq!(stage.stands(), (PairState::Ignored, [false, false]));
    assert_eq!(stage.changes_told(), ["found", "ignored"]);
}

#[test]
fn what_is_taken_back_is_flagged_again() {
    let (mut stage, _) = Stage::overlapped();
    stage.ignore();
    stage.say(PairState::Live);
    stage.settle(TimeDelta::hours(26));
    assert_eq!(stage.stands(), (PairState::Live, [true, true]));
    assert_eq!(stage.changes_told(), ["found", "ignored", "unignored"]);
}

#[test]
fn of_an_ignored_one_that_ends_nothing_is_told() {
    let (mut stage, event) = Stage::overlapped();
    stage.ignore();
    stage.delete_event(&event);
    stage.settle(TimeDelta::minutes(2));
    assert_eq!((stage.conflicts(), stage.mapping().has_conflict), (0, false));
    assert_eq!(stage.changes_told(), ["found", "ignored"]);
}

/// Whatever of a run comes before the decision, and whatever after it.
#[test]
fn a_decision_beside_a_run_stands() {
    for turns in 0..40 {
        let (mut stage, _) = Stage::overlapped();
        stage.entitle("Guitar");
        stage.world.turns(turns);
        stage.say(PairState::Ignored);
        stage.settle(TimeDelta::minutes(2));
        assert_eq!(stage.stands(), (PairState::Ignored, [false, false]), "after {turns}");
        assert_eq!(stage.event()["summary"], "Guitar", "after {turns}");
        stage.entitle("Drums");
        stage.world.turns(turns);
        stage.say(PairState::Live);
        stage.settle(TimeDelta::minutes(2));
        assert_eq!(stage.stands(), (PairState::Live, [true, true]), "after {turns}");
        assert_eq!(stage.changes_told(), ["found", "ignored", "unignored"], "after {turns}");
    }
}

/// Another event comes onto the lesson while a person decides on the first.
#[test]
fn a_decision_beside_a_find_loses_neither() {
    for turns in 0..40 {
        let (mut stage, first) = Stage::overlapped();
        let start = stage.begins();
        let pair = stage.pair();
        let second = stage.plan_between(&json!(start), &json!(start + TimeDelta::minutes(10)));
        stage.world.turns(turns);
        let decide = stage.world.product().ports.decide_conflict();
        let (key, id) = (stage.party.key, pair.id());
        let decision = Decision { state: PairState::Ignored, by: "user".to_owned(), role: PersonRole::Admin };
        stage.world.request(async move { decide.decide(key, id, &decision).await.map(drop) });
        stage.settle(TimeDelta::minutes(2));
        let states: BTreeMap<_, _> = stage
            .world
            .store
            .tables()
            .conflicts_where(key, |_| true)
            .into_iter()
            .map(|pair| (pair.google_event_id.0.clone(), pair.is_live()))
            .collect();
        assert_eq!(states, BTreeMap::from([(first, false), (second, true)]), "after {turns}");
        assert!(stage.mapping().has_conflict, "after {turns}");
        let mut told = stage.changes_told();
        told.sort_unstable();
        assert_eq!(told, ["found", "found", "ignored"], "after {turns}");
    }
}

/// The process dies between any two of its effects; the poll that it made due does the rest.
#[test]
fn a_decision_whose_process_dies_is_carried_out_or_was_never_made() {
    for effects in 0..12 {
        let (mut stage, _) = Stage::overlapped();
        stage.say(PairState::Ignored);
        stage.world.turns(effects);
        stage.world.actors.clear();
        stage.settle(TimeDelta::minutes(6));
        let said = stage.pair().state();
        let flagged = said == PairState::Live;
        assert_eq!(stage.stands(), (said, [flagged; 2]), "after {effects}");
        let told = if flagged { vec!["found"] } else { vec!["found", "ignored"] };
        assert_eq!(stage.changes_told(), told, "after {effects}");
    }
}

/// One process stalls between any two of its effects while a run and another person go on, and then ends what it began.
#[test]
fn a_decision_that_ends_late_leaves_the_flag_of_the_one_that_stands() {
    for effects in 0..12 {
        let (mut stage, _) = Stage::overlapped();
        stage.say(PairState::Ignored);
        stage.world.turns(effects);
        let stalled = std::mem::take(&mut stage.world.actors);
        stage.settle(TimeDelta::minutes(2));
        stage.say(PairState::Live);
        stage.settle(TimeDelta::minutes(2));
        stage.world.actors.extend(stalled);
        stage.settle(TimeDelta::minutes(2));
        let stands = stage.pair().state();
        assert_eq!(stage.stands(), (stands, [stands == PairState::Live; 2]), "after {effects}");
    }
}
