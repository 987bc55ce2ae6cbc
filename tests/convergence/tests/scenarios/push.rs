//! Push in simulated time: that silence is noticed, and that a notification which says nothing new costs nothing.

use calendar_sync::{
    model::{PushHealth, SyncTask, SyncTrigger},
    ports::SyncMessage,
};
use chrono::TimeDelta;
use convergence::sim::{Actor, Role};
use serde_json::json;

use crate::stage::{Stage, since};

/// The interval of 15 minutes with its jitter, and the minute of the schedule.
const INTERVAL: TimeDelta = TimeDelta::minutes(20);

// ── push that has gone dark ────────────────────────────────────────────────────────────────────────────────────────

/// A day on which every notice is lost.
#[test]
fn a_day_without_notices_turns_push_suspect_and_polling_brings_all_in_until_a_notice_comes() {
    let mut stage = Stage::new();
    stage.dark(true);
    // At first nothing shows it: the safety poll bounds how long.
    let event = stage.plan();
    let took = stage.until_known(&event);
    assert!(took > TimeDelta::hours(5), "push was believed: {took}");
    assert!(took <= TimeDelta::hours(6), "{took}");
    stage.settle(TimeDelta::minutes(4));
    assert!(since(&stage.state().push_health).is_some(), "{:?}", stage.state().push_health);
    let push = stage.push();
    assert_eq!(push["state"], "suspect");
    let words = push["description"].as_str().unwrap();
    assert!(words.contains("did not tell us of a change") && words.contains("polled at its interval"), "{words}");
    let told = |reason: &&String| reason.contains("Google did not tell us of a change");
    let logs = stage.world.store.tables().logs.clone();
    assert_eq!(logs.values().flat_map(|log| &log.reasons).filter(told).count(), 1);

    let end = stage.world.now() + TimeDelta::hours(18);
    while stage.world.now() < end {
        let event = stage.plan();
        let took = stage.until_known(&event);
        assert!(took <= INTERVAL, "{took}");
        stage.settle(TimeDelta::minutes(37));
    }
    assert_eq!(stage.push()["state"], "suspect", "what polls find heals nothing");

    stage.dark(false);
    let event = stage.plan();
    assert!(stage.until_known(&event) <= TimeDelta::minutes(1));
    assert_eq!((stage.state().push_health, &stage.push()["state"]), (PushHealth::Healthy, &json!("healthy")));
    assert!(stage.state().next_sync_at.unwrap() - stage.world.now() > TimeDelta::hours(5), "polls are rare again");
}

#[test]
fn a_write_of_ours_that_brings_no_notice_turns_push_suspect_after_two_minutes() {
    let mut stage = Stage::new();
    stage.dark(true);
    stage.add_lesson();
    stage.settle(TimeDelta::minutes(1));
    assert_eq!(stage.push()["state"], "healthy", "the notice may still come");
    let wrote = stage.world.now();
    stage.settle(TimeDelta::minutes(3));
    assert!(since(&stage.state().push_health).is_some_and(|since| since < wrote), "{:?}", stage.state().push_health);
    assert!(stage.state().next_sync_at.unwrap() - stage.world.now() < INTERVAL);
}

#[test]
fn a_late_notification_makes_push_healthy_again() {
    let mut stage = Stage::new();
    stage.dark(true);
    stage.add_lesson();
    stage.settle(TimeDelta::minutes(4));
    let since = since(&stage.state().push_health).expect("silence");
    let noticed = |at| SyncMessage {
        notified_at: Some(at),
        ..SyncMessage::new(stage.party.key, SyncTrigger::Webhook, vec![SyncTask::PullEvents])
    };
    let (before, after) = (noticed(since - TimeDelta::minutes(3)), noticed(since + TimeDelta::seconds(30)));
    stage.send(before);
    stage.settle(TimeDelta::seconds(30));
    assert_ne!(stage.state().push_health, PushHealth::Healthy, "that one came before the change");
    stage.send(after);
    stage.settle(TimeDelta::seconds(30));
    assert_eq!(stage.state().push_health, PushHealth::Healthy);
}

/// A run that finds the lease held leaves no message behind: the notification stays as a pending request.
#[test]
fn a_notification_during_a_run_makes_push_healthy_again() {
    let mut stage = Stage::new();
    stage.dark(true);
    stage.add_lesson();
    stage.settle(TimeDelta::minutes(4));
    assert_ne!(stage.state().push_health, PushHealth::Healthy);
    stage.send(SyncMessage::new(stage.party.key, SyncTrigger::Lesson, vec![SyncTask::PushLessons]));
    hold_up_the_worker(&mut stage, |stage| stage.state().lease.owner.is_some());
    send_notice(&mut stage);
    stage.settle(TimeDelta::seconds(30));
    assert_eq!(stage.state().push_health, PushHealth::Healthy);
}

#[test]
fn notices_that_a_run_answers_one_after_the_other_leave_no_doubt() {
    let mut stage = Stage::new();
    stage.plan();
    stage.settle(TimeDelta::seconds(4));
    // So soon after a run, the next one takes the lease.
    stage.plan();
    let listings = stage.lists();
    hold_up_the_worker(&mut stage, |stage| stage.lists() > listings);
    let event = stage.plan();
    stage.settle(TimeDelta::seconds(30));
    assert!(stage.is_known(&event));
    assert_eq!(stage.state().doubted_since, None);
}

/// A push notification that arrives now.
fn send_notice(stage: &mut Stage) {
    let message = SyncMessage::new(stage.party.key, SyncTrigger::Webhook, vec![SyncTask::PullEvents]);
    stage.send(SyncMessage { notified_at: Some(stage.world.now()), ..message });
}

/// Keeps the worker from going on for some seconds once it is so far.
fn hold_up_the_worker(stage: &mut Stage, is_so_far: impl Fn(&Stage) -> bool) {
    while !is_so_far(stage) {
        if stage.world.actors.is_empty() {
            let mut sim = stage.world.sim.state();
            sim.now = sim.now.max(sim.google.next_notice_at().unwrap_or(sim.now));
        }
        stage.world.turns(1);
    }
    let is_worker = |actor: &Actor| matches!(actor.role, Role::Worker(_));
    let worker = stage.world.actors.iter().position(is_worker).unwrap();
    stage.world.actors[worker].held_until = Some(stage.world.now() + TimeDelta::seconds(5));
}

#[test]
fn a_renewed_channel_makes_push_healthy_again() {
    let mut stage = Stage::new();
    stage.suspect();
    stage.renew();
    stage.settle(TimeDelta::minutes(1));
    assert_eq!(stage.state().push_health, PushHealth::Healthy);
}

/// Google is not known to list a change later than it announces it. If it did, the notification's listing would bring
/// nothing, and the calendar is listed again at the connection's own interval, whatever else happens in the meantime.
#[test]
fn what_is_listed_later_than_its_notice_comes_is_known_within_the_interval() {
    for lag in [12, 50].map(TimeDelta::seconds) {
        let mut stage = Stage::new();
        stage.lag(lag);
        for round in 0..4 {
            let event = stage.plan();
            stage.settle(TimeDelta::minutes(2));
            assert!(!stage.is_known(&event), "the notice came before the change could be listed");
            if round % 2 == 1 {
                stage.add_lesson_in(TimeDelta::hours(60 + round));
            }
            let took = stage.until_known(&event) + TimeDelta::minutes(2);
            assert!(took <= INTERVAL, "round {round}: {took}");
            assert_eq!(stage.state().push_health, PushHealth::Healthy, "its notice came");
            stage.settle(TimeDelta::minutes(37));
        }
        // Of two changes in a row a listing may bring the one and not yet the other.
        let first = stage.plan();
        stage.settle(lag / 2);
        let second = stage.plan();
        let began = stage.world.now();
        stage.until_known(&first);
        stage.until_known(&second);
        assert!(stage.world.now() - began <= INTERVAL + TimeDelta::minutes(1), "{}", stage.world.now() - began);

        stage.settle(TimeDelta::minutes(37));
        stage.lag(TimeDelta::zero());
        let event = stage.plan();
        assert!(stage.until_known(&event) <= TimeDelta::minutes(1));
        assert!(stage.state().next_sync_at.unwrap() - stage.world.now() > TimeDelta::hours(5), "polls are rare again");
    }
}

/// One notification was left by a run that found the lease held, the other comes with its own message, which was sent
/// before the last listing and waited. The listing that answers both shows the first change alone.
#[test]
fn two_changes_of_which_one_listing_shows_the_first_leave_a_doubt_although_another_was_made_meanwhile() {
    let mut stage = Stage::new();
    stage.lag(TimeDelta::seconds(50));
    stage.dark(true);
    let first = stage.plan();
    stage.settle(TimeDelta::seconds(40));
    let second = stage.plan();
    let noticed_at = stage.world.now();
    stage.change_state(|state| {
        state.pending.tasks.insert(SyncTask::Noticed);
        state.listed_at = Some(noticed_at + TimeDelta::seconds(1));
    });
    stage.settle(TimeDelta::seconds(15));
    let message = SyncMessage::new(stage.party.key, SyncTrigger::Webhook, vec![SyncTask::PullEvents]);
    stage.send(SyncMessage { notified_at: Some(noticed_at), ..message });
    stage.settle(TimeDelta::seconds(5));
    assert!(stage.is_known(&first) && !stage.is_known(&second));
    let took = stage.until_known(&second);
    assert!(took <= INTERVAL, "{took}");
}

/// Within the lag a sync by hand sees as little as the listing that the notification asked for.
#[test]
fn a_sync_by_hand_right_after_a_notice_that_brought_nothing_does_not_settle_it() {
    let mut stage = Stage::new();
    stage.lag(TimeDelta::seconds(50));
    let event = stage.plan();
    stage.settle(TimeDelta::seconds(5));
    stage.send(SyncMessage::new(stage.party.key, SyncTrigger::Manual, vec![SyncTask::PullEvents]));
    stage.settle(TimeDelta::seconds(5));
    assert!(!stage.is_known(&event));
    let took = stage.until_known(&event);
    assert!(took <= INTERVAL, "{took}");
    stage.settle(TimeDelta::minutes(37));
    assert!(stage.state().next_sync_at.unwrap() - stage.world.now() > TimeDelta::hours(5), "polls are rare again");
}

/// A change costs its listing, a write its own and its echo's; no listing checks for a notification that came.
#[test]
fn while_notices_come_no_poll_looks_for_them() {
    let mut stage = Stage::new();
    let before = stage.lists();
    stage.plan();
    stage.settle(TimeDelta::minutes(4));
    stage.add_lesson();
    stage.settle(TimeDelta::minutes(4));
    assert_eq!((stage.lists() - before, stage.state().push_health.clone()), (2, PushHealth::Healthy));
    assert!(stage.state().next_sync_at.unwrap() - stage.world.now() > TimeDelta::hours(5));
}

/// A poll comes upon a change a moment before its notice does.
#[test]
fn a_change_that_a_poll_finds_before_its_notification_leaves_push_healthy() {
    let mut stage = Stage::new();
    stage.plan();
    stage.send(SyncMessage::new(stage.party.key, SyncTrigger::Poll, vec![SyncTask::PullEvents, SyncTask::PushLessons]));
    let before = stage.lists();
    while stage.lists() == before {
        stage.world.turns(1);
    }
    stage.settle(TimeDelta::minutes(4));
    assert_eq!(stage.state().push_health, PushHealth::Healthy);
}

// ── a notice that says nothing new ─────────────────────────────────────────────────────────────────────────────────

#[test]
fn a_notice_that_is_safely_older_than_the_last_listing_is_answered_without_one() {
    let mut stage = Stage::new();
    let listed = stage.state().listed_at.unwrap();
    for (older, listings) in [(90, 0), (61, 0), (59, 1), (0, 1)] {
        let (before, listed) = (stage.lists(), listed - TimeDelta::seconds(older));
        stage.change_state(|state| state.listed_at = Some(listed + TimeDelta::seconds(older)));
        let message = SyncMessage::new(stage.party.key, SyncTrigger::Webhook, vec![SyncTask::PullEvents]);
        stage.send(SyncMessage { notified_at: Some(listed), ..message });
        stage.settle(TimeDelta::seconds(40));
        assert_eq!(stage.lists() - before, listings, "{older} s");
    }
}
