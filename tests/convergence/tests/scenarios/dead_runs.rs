//! Rows that a run stored before it died: whole days, when the calendar moves to another time zone, and what came to
//! overlap no more. A run that is cut is found out by the next.

use calendar_sync::{
    model::{NoticeKind, SyncTask, SyncTrigger},
    ports::SyncMessage,
};
use chrono::TimeDelta;
use chrono_tz::Tz;
use serde_json::json;

use crate::stage::Stage;

#[test]
fn days_that_a_run_moved_before_it_died_move_back_with_the_calendar() {
    let mut moved_before_death = 0;
    for turns in 0.. {
        let mut stage = Stage::new();
        let account = stage.party.account;
        let day = json!({ "start": { "date": "2026-03-25" }, "end": { "date": "2026-03-26" } });
        let now = stage.world.now();
        let event = stage.world.sim.state().google.create_event(now, account, &day).unwrap();
        stage.add_lesson();
        let over_it = stage.plan_over_lesson();
        stage.settle(TimeDelta::minutes(5));
        assert_eq!(stage.conflicts(), 1);
        let begins = |stage: &Stage| {
            let tables = stage.world.store.tables();
            tables.external_of(stage.party.key).find(|row| row.id().as_str() == event).unwrap().event_start.to_rfc3339()
        };
        let home = "2026-03-24T23:00:00+00:00";
        assert_eq!(begins(&stage), home);

        stage.delete_event(&over_it);
        stage.world.sim.state().google.set_zone(account, Tz::America__New_York);
        stage.send(SyncMessage::new(stage.party.key, SyncTrigger::Poll, vec![SyncTask::PullEvents]));
        let died = stage.dies_after(turns);
        moved_before_death += usize::from(died && begins(&stage) != home);
        stage.world.sim.state().google.set_zone(account, Tz::Europe__Berlin);
        stage.settle(TimeDelta::hours(7));
        assert_eq!((begins(&stage).as_str(), stage.conflicts()), (home, 0), "died after {turns} effects");
        if turns > 0 && !died {
            break;
        }
    }
    assert!(moved_before_death > 0, "some death left the day where it was to go");
}

#[test]
fn a_lesson_is_flagged_no_more_for_a_row_that_a_dead_run_removed_before_the_cursor_was_lost() {
    let mut removed_before_death = 0;
    for turns in 0.. {
        let mut stage = Stage::new();
        stage.add_lesson();
        let event = stage.plan_over_lesson();
        stage.settle(TimeDelta::minutes(5));
        assert_eq!(stage.conflicts(), 1);

        stage.delete_event(&event);
        stage.send(SyncMessage::new(
            stage.party.key,
            SyncTrigger::Poll,
            vec![SyncTask::PullEvents, SyncTask::RetryGivenUp],
        ));
        let died = stage.dies_after(turns);
        removed_before_death += usize::from(died && !stage.is_known(&event) && stage.conflicts() == 1);
        let now = stage.world.now();
        stage.world.sim.state().google.expire_cursors(now, stage.party.account);
        stage.settle(TimeDelta::hours(7));
        assert_eq!(stage.conflicts(), 0, "died after {turns} effects");
        if turns > 0 && !died {
            break;
        }
    }
    assert!(removed_before_death > 0, "some death left the conflict without its event");
}

#[test]
fn a_lesson_is_flagged_no_more_for_an_exception_that_a_dead_run_removed_with_its_series() {
    let mut removed_before_death = 0;
    for turns in 0.. {
        let mut stage = Stage::new();
        stage.add_lesson();
        let (account, now) = (stage.party.account, stage.world.now());
        let at = |hours| json!({ "dateTime": now + TimeDelta::hours(hours), "timeZone": "UTC" });
        let series = json!({ "start": at(20), "end": at(21), "recurrence": ["RRULE:FREQ=DAILY;COUNT=3"] });
        let series = stage.world.sim.state().google.create_event(now, account, &series).unwrap();
        let exception = format!("{series}_{}", (now + TimeDelta::hours(44)).format("%Y%m%dT%H%M%SZ"));
        let moved = json!({ "start": at(50), "end": at(51) });
        stage.world.sim.state().google.edit_event(now, account, &exception, &moved).unwrap();
        stage.settle(TimeDelta::minutes(5));
        assert_eq!(stage.conflicts(), 1);

        stage.delete_event(&series);
        stage.send(SyncMessage::new(
            stage.party.key,
            SyncTrigger::Poll,
            vec![SyncTask::PullEvents, SyncTask::RetryGivenUp],
        ));
        let died = stage.dies_after(turns);
        removed_before_death += usize::from(died && !stage.is_known(&exception) && stage.conflicts() == 1);
        stage.settle(TimeDelta::hours(7));
        assert_eq!(stage.conflicts(), 0, "died after {turns} effects");
        if turns > 0 && !died {
            break;
        }
    }
    assert!(removed_before_death > 0, "some death left the conflict without its event");
}

/// The next run takes the lease, counts that `cut` runs were cut in a row, and dies.
fn cut_a_run(stage: &mut Stage, cut: u32) {
    let before = stage.state().lease.owner;
    stage.until("another run", |stage| {
        let now = stage.state();
        now.failures == cut && now.lease.owner.is_some_and(|owner| Some(owner) != before)
    });
    assert!(stage.dies_after(0));
}

/// What the instructor was told of failures.
fn failures_told(stage: &Stage) -> Vec<String> {
    let codes = stage.told().into_iter().filter_map(|notice| match notice.kind {
        NoticeKind::SyncFailing { code } => Some(code),
        _ => None,
    });
    codes.collect()
}

#[test]
fn three_runs_in_a_row_that_are_cut_count_as_failures_and_are_told_once() {
    let mut stage = Stage::new();
    stage.settle(TimeDelta::minutes(5));
    stage.plan();
    for cut in 0..4 {
        cut_a_run(&mut stage, cut);
    }
    assert_eq!(stage.state().last_error.as_deref(), Some("run_cut"));
    assert_eq!(failures_told(&stage).len(), 0, "each died before it could tell");
    stage.settle(TimeDelta::hours(1));
    assert_eq!(failures_told(&stage), ["run_cut"]);
    let end = stage.state();
    assert_eq!((end.failures, end.last_error, end.lease.cut), (0, None, None), "and the next goes on");
}
