//! What people are told: notices to the instructor, rows of the log, and what the API shows.

use std::sync::{Arc, mpsc};

use calendar_functions::view;
use calendar_sync::{
    model::{ConflictChange, NoticeKind, SyncCounts, SyncOutcome, SyncTask, SyncTrigger, Window},
    ports::SyncMessage,
    usecases::list_external_events::{ListExternalEvents, ReadExternalEvents},
};
use chrono::{DateTime, TimeDelta, Utc};
use google_sim::{GrantEnd, When};
use serde_json::{Value, json};

use crate::stage::Stage;

impl Stage {
    fn kinds_told(&self) -> Vec<NoticeKind> {
        self.told().into_iter().map(|notice| notice.kind).collect()
    }

    fn poll(&mut self) {
        self.send(SyncMessage::new(
            self.party.key,
            SyncTrigger::Poll,
            vec![SyncTask::PullEvents, SyncTask::PushLessons],
        ));
        self.settle(TimeDelta::minutes(1));
    }

    /// What the log rows say together of what was done since this was last asked.
    fn counts(&mut self) -> SyncCounts {
        self.settle(TimeDelta::minutes(2));
        let logs = std::mem::take(&mut self.world.store.tables().logs);
        assert!(logs.values().all(|log| log.outcome == SyncOutcome::Completed), "{logs:?}");
        logs.values().fold(SyncCounts::default(), |sum, log| sum.and(log.counts))
    }

    fn lesson_time(&self) -> [DateTime<Utc>; 2] {
        let row = self.world.store.tables().lessons.values().next().unwrap().clone();
        ["starts_at", "ends_at"].map(|column| row[column].as_str().unwrap().parse().unwrap())
    }
}

#[test]
fn three_failures_in_a_row_are_told_once() {
    let mut stage = Stage::new();
    stage.fault("calendar.events.list", 503, "backendError", When::Always);
    stage.poll();
    assert_eq!(stage.told(), []);
    stage.settle(TimeDelta::hours(12));
    assert!(matches!(stage.kinds_told()[..], [NoticeKind::SyncFailing { .. }]), "{:?}", stage.told());
}

#[test]
fn a_permission_that_was_withdrawn_is_told_once() {
    let mut stage = Stage::new();
    let now = stage.world.now();
    stage.world.sim.state().google.end_grants(now, stage.party.account, GrantEnd::Revoked);
    stage.settle(TimeDelta::hours(2));
    stage.poll();
    stage.settle(TimeDelta::hours(12));
    assert!(matches!(stage.kinds_told()[..], [NoticeKind::NeedsAttention { .. }]), "{:?}", stage.told());
}

#[test]
fn a_change_of_our_event_and_its_deletion_are_told_as_what_they_were() {
    let mut stage = Stage::new();
    stage.add_lesson();
    stage.settle(TimeDelta::minutes(2));
    let (lesson_id, event) = (stage.lesson(), stage.events()[0]["id"].as_str().unwrap().to_owned());
    stage.edit_event(&event, &json!({ "summary": "Mine" }));
    stage.settle(TimeDelta::minutes(2));
    stage.delete_event(&event);
    stage.settle(TimeDelta::minutes(2));
    let told = |deleted| NoticeKind::EventChangedInGoogle { lesson_id, deleted, put_back: true };
    assert_eq!(stage.kinds_told(), [told(false), told(true)]);
}

#[test]
fn a_conflict_is_told_with_the_time_that_both_share() {
    let mut stage = Stage::new();
    stage.add_lesson();
    let [start, end] = stage.lesson_time();
    let from = start + TimeDelta::minutes(20);
    let google_event_id = stage.plan_between(&json!(from), &json!(end + TimeDelta::hours(3)));
    stage.settle(TimeDelta::minutes(2));
    let lesson_id = stage.lesson();
    let found = ConflictChange::Found { lesson_id, google_event_id, overlap_start: from, overlap_end: end };
    assert_eq!(stage.kinds_told(), [NoticeKind::ConflictsChanged { conflicts: vec![found] }]);
}

#[test]
fn an_event_that_is_planned_a_year_ahead_flags_the_lesson_that_it_overlaps() {
    let mut stage = Stage::new();
    stage.add_lesson_in(TimeDelta::days(360));
    stage.settle(TimeDelta::minutes(2));
    stage.plan_over_lesson();
    stage.settle(TimeDelta::minutes(2));
    assert_eq!(stage.conflicts(), 1);
}

#[test]
fn a_lesson_that_an_edited_series_no_longer_overlaps_loses_its_conflict() {
    let mut stage = Stage::new();
    stage.add_lesson();
    let lesson = stage.lesson_time();
    let times = |hours| {
        let [start, end] = lesson.map(|at| json!({ "dateTime": at + TimeDelta::hours(hours), "timeZone": "UTC" }));
        json!({ "start": start, "end": end })
    };
    let mut series = times(-24);
    series["recurrence"] = json!(["RRULE:FREQ=DAILY;COUNT=3"]);
    let series = stage.plan_event(&series);
    stage.settle(TimeDelta::minutes(2));
    assert_eq!(stage.conflicts(), 1);
    stage.edit_event(&series, &times(-20));
    stage.settle(TimeDelta::minutes(2));
    assert_eq!(stage.conflicts(), 0);
}

#[test]
fn a_notice_that_is_sent_again_has_the_id_under_which_it_was_committed() {
    let mut stage = Stage::new();
    stage.add_lesson();
    stage.settle(TimeDelta::minutes(2));
    stage.plan_over_lesson();
    stage.world.sim.state().send_faults.refused = 1;
    stage.settle(TimeDelta::minutes(30));
    let committed = stage.world.store.tables().committed.clone();
    assert_eq!(stage.told().iter().map(|notice| notice.id).collect::<Vec<_>>(), Vec::from_iter(committed));
    assert_eq!(stage.told().len(), 1);
}

#[test]
fn the_log_counts_what_was_done_and_the_hosts_row_says_when() {
    let mut stage = Stage::new();
    stage.counts();
    let began = stage.world.now();
    for _ in 0..2 {
        stage.add_lesson();
    }
    let none = SyncCounts::default();
    assert_eq!(stage.counts(), SyncCounts { events_synced: 2, events_created: 2, ..none });
    let lesson = stage.lesson();
    stage.change_lesson(lesson, "title", json!("Cello"));
    assert_eq!(stage.counts(), SyncCounts { events_synced: 1, events_updated: 1, ..none });
    stage.plan_over_lesson();
    assert_eq!(stage.counts(), SyncCounts { events_synced: 1, conflicts_detected: 2, ..none });
    stage.change_lesson(lesson, "status", json!("cancelled"));
    assert_eq!(stage.counts(), SyncCounts { events_synced: 1, events_deleted: 1, ..none });

    let tables = stage.world.store.tables();
    let key = (stage.party.key.tenant_id, stage.party.key.instructor_id);
    let last: DateTime<Utc> = tables.instructors[&key]["calendar_last_synced_at"].as_str().unwrap().parse().unwrap();
    assert!(last > began + TimeDelta::minutes(6), "{last} is not when the last run ended");
}

#[test]
fn of_a_private_event_the_api_shows_the_time_alone() {
    let mut stage = Stage::new();
    let start = stage.world.now() + TimeDelta::hours(30);
    for visibility in ["private", "confidential"] {
        stage.plan_event(&json!({
            "summary": "Secret", "location": "Hidden", "visibility": visibility,
            "start": { "dateTime": start }, "end": { "dateTime": start + TimeDelta::hours(1) },
        }));
    }
    stage.settle(TimeDelta::minutes(2));
    let read =
        ReadExternalEvents { store: Arc::new(stage.world.store.clone()), clock: Arc::new(stage.world.sim.clone()) };
    let asked = ListExternalEvents {
        window: Window { from: start, to: start + TimeDelta::hours(1) },
        conflicts_only: false,
        after: None,
    };
    let (key, (sender, shown)) = (stage.party.key, mpsc::channel());
    stage.world.request(async move {
        let page = read.list(key, &asked).await?;
        sender.send(page.occurrences.iter().map(view::event::occurrence).collect::<Vec<Value>>()).unwrap();
        Ok(())
    });
    stage.settle(TimeDelta::seconds(5));
    let shown = shown.recv().unwrap();
    assert_eq!(shown.len(), 2);
    for event in shown {
        assert_eq!((&event["title"], &event["location"]), (&Value::Null, &Value::Null));
        assert!(event["private"] == true && event["blocks"] == true, "{event}");
        assert!(!event.to_string().contains("Secret"), "{event}");
    }
}
