//! Listings of several pages, each of which is stored by itself. A page of these worlds holds eight events.

use calendar_sync::model::{NoticeKind, OwnEventId, PushHealth, SyncStatus};
use chrono::TimeDelta;
use google_sim::When;
use serde_json::json;

use crate::stage::{Stage, since};

/// So many events that block no lesson.
fn fill(stage: &Stage, count: i64) -> Vec<String> {
    let event = |n| {
        let start = stage.world.now() + TimeDelta::days(5) + TimeDelta::hours(n);
        stage.plan_between(&json!(start), &json!(start + TimeDelta::hours(1)))
    };
    (0..count).map(event).collect()
}

fn all_known(stage: &Stage, events: &[String]) -> bool {
    events.iter().all(|event| stage.is_known(event))
}

#[test]
fn lessons_are_in_google_before_a_long_calendar_is_read_to_its_end() {
    let mut stage = Stage::unconnected();
    let events = fill(&stage, 60);
    stage.add_lesson();
    stage.until("the lesson is in Google", |stage| {
        let tables = stage.world.store.tables();
        tables.mappings_of(stage.party.key).iter().any(|mapping| mapping.sync_status == SyncStatus::Synced)
    });
    assert!(!all_known(&stage, &events), "the list goes on");
    stage.settle(TimeDelta::minutes(5));
    assert!(all_known(&stage, &events));
    let end = stage.state();
    assert_eq!((end.listing, end.cursor.is_some(), end.failures), (None, true, 0));
}

#[test]
fn what_dies_between_two_pages_goes_on_where_it_stood() {
    let mut deaths = 0;
    for effects in (0..).step_by(7) {
        let mut stage = Stage::new();
        let events = fill(&stage, 60);
        stage.settle(TimeDelta::minutes(5));
        let (before, pages) = (stage.lists(), 9);
        stage.lose_cursor();
        stage.until_page(2);
        let died = stage.dies_after(effects);
        deaths += usize::from(died);
        stage.settle(TimeDelta::hours(7));
        assert!(all_known(&stage, &events), "died after {effects} effects");
        // One page comes again, and a delta that finds nothing closes a listing or polls.
        assert!(stage.lists() - before <= pages + 6, "{} pages, died after {effects}", stage.lists() - before);
        if !died {
            break;
        }
    }
    assert!(deaths > 3);
}

#[test]
fn a_lesson_that_is_cancelled_while_the_first_pages_come_again_leaves_no_conflict() {
    let mut stage = Stage::unconnected();
    fill(&stage, 60);
    stage.add_lesson();
    stage.plan_over_lesson();
    stage.until("the conflict is found", |stage| stage.conflicts() == 1);
    assert_eq!(stage.state().cursor, None, "the run that found it has not ended");
    assert!(stage.dies_after(0));
    let lesson = stage.lesson();
    stage.change_lesson(lesson, "status", json!("cancelled"));
    stage.settle(TimeDelta::minutes(10));
    let key = stage.party.key;
    assert_eq!(stage.world.store.tables().mapping(key, lesson), None);
    assert_eq!(stage.conflicts(), 0);
}

#[test]
fn what_goes_or_moves_while_the_pages_come_is_known_as_it_is_then() {
    let mut stage = Stage::new();
    let events = fill(&stage, 40);
    stage.settle(TimeDelta::minutes(5));
    stage.lose_cursor();
    stage.until_page(2);
    let (gone, kept) = events.split_at(4);
    let (last, kept) = kept.split_last().unwrap();
    gone.iter().chain([last]).for_each(|event| stage.delete_event(event));
    let start = stage.world.now() + TimeDelta::days(20);
    let times = json!({ "start": { "dateTime": start }, "end": { "dateTime": start + TimeDelta::hours(1) } });
    stage.edit_event(&kept[0], &times);
    stage.settle(TimeDelta::minutes(5));
    assert!(all_known(&stage, kept));
    assert!(!gone.iter().chain([last]).any(|event| stage.is_known(event)));
    let tables = stage.world.store.tables();
    let moved = tables.external_of(stage.party.key).find(|row| row.id().as_str() == kept[0]).unwrap();
    assert_eq!(moved.event_start.timestamp(), start.timestamp());
}

#[test]
fn what_went_while_no_cursor_told_of_it_is_forgotten_after_the_last_page_and_not_before() {
    let mut stage = Stage::new();
    let events = fill(&stage, 40);
    stage.settle(TimeDelta::minutes(5));
    stage.dark(true);
    stage.delete_event(&events[20]);
    stage.dark(false);
    stage.lose_cursor();
    stage.until_page(4);
    assert!(all_known(&stage, &events), "what a page does not mention may come with the next");
    stage.settle(TimeDelta::minutes(5));
    assert!(!stage.is_known(&events[20]));
    assert_eq!(events.iter().filter(|event| stage.is_known(event)).count(), 39);
}

#[test]
fn an_event_of_ours_that_no_page_mentions_is_put_back_once_it_was_looked_for() {
    let mut stage = Stage::new();
    fill(&stage, 40);
    stage.add_lesson();
    stage.settle(TimeDelta::minutes(5));
    let event = stage.mapping().google_event_id();
    stage.dark(true);
    stage.delete_event(event.as_str());
    stage.dark(false);
    stage.lose_cursor();
    stage.settle(TimeDelta::minutes(5));
    assert_eq!(stage.event()["status"], "confirmed");
    let told = stage
        .told()
        .into_iter()
        .filter(|notice| matches!(notice.kind, NoticeKind::EventChangedInGoogle { deleted: true, put_back: true, .. }));
    assert_eq!(told.count(), 1);
}

#[test]
fn a_page_token_that_google_refuses_has_everything_listed_once_more_and_then_fails() {
    let mut stage = Stage::new();
    let events = fill(&stage, 40);
    stage.settle(TimeDelta::minutes(5));
    let fresh = fill(&stage, 30);
    stage.until_page(2);
    stage.fault("calendar.events.list", 400, "invalid", When::Next(1));
    stage.settle(TimeDelta::minutes(2));
    assert!(all_known(&stage, &events) && all_known(&stage, &fresh));
    assert_eq!(stage.state().failures, 0, "everything was listed instead");

    stage.lose_cursor();
    stage.until_page(2);
    stage.fault("calendar.events.list", 400, "invalid", When::Next(1));
    stage.until("failure", |stage| stage.state().failures > 0);
    assert_eq!((stage.state().failures, stage.state().listing), (1, None), "it was the second listing already");
    stage.settle(TimeDelta::hours(7));
    assert!(all_known(&stage, &events) && stage.state().failures == 0);
}

#[test]
fn an_exception_that_comes_a_page_after_its_series_spares_the_lesson_a_false_alarm() {
    let mut stage = Stage::unconnected();
    stage.add_lesson();
    let lesson = stage.world.store.tables().lessons.values().next().unwrap().clone();
    let times = json!({
        "start": { "dateTime": lesson["starts_at"], "timeZone": "UTC" },
        "end": { "dateTime": lesson["ends_at"], "timeZone": "UTC" },
        "recurrence": ["RRULE:FREQ=DAILY;COUNT=3"],
    });
    let series = stage.plan_event(&times);
    fill(&stage, 30);
    let start: chrono::DateTime<chrono::Utc> = lesson["starts_at"].as_str().unwrap().parse().unwrap();
    let exception = format!("{series}_{}", start.format("%Y%m%dT%H%M%SZ"));
    let elsewhere = start + TimeDelta::hours(5);
    let moved = json!({ "start": { "dateTime": elsewhere }, "end": { "dateTime": elsewhere + TimeDelta::hours(1) } });
    stage.edit_event(&exception, &moved);
    stage.until("the series is stored", |stage| stage.is_known(&series));
    assert!(!stage.is_known(&exception), "it stands on a later page");
    stage.settle(TimeDelta::minutes(5));
    assert!(stage.is_known(&exception));
    assert!(!stage.told().iter().any(|notice| matches!(notice.kind, NoticeKind::ConflictsChanged { .. })));
}

#[test]
fn a_deleted_event_is_not_revived_while_a_later_one_may_stand_on_a_page_to_come() {
    let mut stage = Stage::unconnected();
    stage.add_lesson();
    let id = |generation| OwnEventId { lesson_id: stage.lesson(), generation }.encode(stage.party.key);
    let [first, second] = [0, 1].map(id);
    let lesson = stage.world.store.tables().lessons.values().next().unwrap().clone();
    let kept = |id: &str| {
        json!({ "id": id, "summary": lesson["title"],
            "start": { "dateTime": lesson["starts_at"] }, "end": { "dateTime": lesson["ends_at"] } })
    };
    stage.plan_event(&kept(first.as_str()));
    stage.delete_event(first.as_str());
    fill(&stage, 40);
    stage.plan_event(&kept(second.as_str()));
    stage.settle(TimeDelta::minutes(5));
    assert_eq!(stage.mapping().generation, 1);
    assert_eq!((stage.mapping().sync_status, stage.state().failures), (SyncStatus::Synced, 0));
    let status = |id: &str| stage.world.sim.state().google.event(stage.party.account, id).unwrap()["status"].clone();
    assert_eq!((status(first.as_str()), status(second.as_str())), (json!("cancelled"), json!("confirmed")));
}

#[test]
fn a_notification_that_comes_between_two_pages_is_answered_and_doubts_nothing() {
    let mut stage = Stage::new();
    fill(&stage, 40);
    stage.settle(TimeDelta::minutes(5));
    stage.lose_cursor();
    stage.until_page(2);
    let event = stage.plan();
    stage.settle(TimeDelta::minutes(1));
    assert!(stage.is_known(&event));
    stage.settle(TimeDelta::minutes(10));
    assert_eq!(stage.state().push_health, PushHealth::Healthy);
}

#[test]
fn a_first_listing_that_was_replaced_is_not_resumed_when_the_other_dies_at_its_first_page() {
    let mut deaths = 0;
    for effects in 0..60 {
        let mut stage = Stage::unconnected();
        let events = fill(&stage, 60);
        stage.until_page(4);
        let lists = stage.lists();
        stage.fault("calendar.events.list", 400, "invalid", When::Next(1));
        stage.until("the page that begins anew", |stage| stage.lists() == lists + 2);
        deaths += usize::from(stage.dies_after(effects));
        stage.settle(TimeDelta::hours(7));
        assert!(all_known(&stage, &events), "died after {effects} effects");
    }
    assert!(deaths > 10, "{deaths}");
}

#[test]
fn changes_of_several_pages_of_which_google_did_not_tell_put_push_in_doubt() {
    let mut stage = Stage::new();
    stage.dark(true);
    let events = fill(&stage, 30);
    stage.until("all are known", |stage| all_known(stage, &events));
    stage.settle(TimeDelta::minutes(4));
    assert!(since(&stage.state().push_health).is_some(), "{:?}", stage.state().push_health);
}

#[test]
fn a_lesson_that_is_removed_while_the_calendar_is_listed_anew_leaves_no_conflict_behind() {
    let mut stage = Stage::unconnected();
    fill(&stage, 60);
    stage.add_lesson();
    stage.plan_over_lesson();
    stage.settle(TimeDelta::minutes(5));
    assert_eq!(stage.conflicts(), 1);
    stage.change_state(|state| state.cursor = None);
    stage.plan();
    stage.until_page(2);
    assert!(stage.state().is_known_in_part());
    stage.remove_lesson();
    stage.until("its event is gone", |stage| stage.world.store.tables().mappings_of(stage.party.key).is_empty());
    assert_eq!(stage.conflicts(), 0);
}

#[test]
fn what_was_over_a_month_ago_is_not_stored_whether_it_comes_so_or_is_moved_there() {
    let mut stage = Stage::unconnected();
    let times = |stage: &Stage, days: i64| {
        let start = stage.world.now() + TimeDelta::days(days);
        json!({ "start": { "dateTime": start }, "end": { "dateTime": start + TimeDelta::hours(1) } })
    };
    let long_ago: Vec<String> = (0..20).map(|n| stage.plan_event(&times(&stage, -40 - n))).collect();
    let events: Vec<String> = (0..20).map(|n| stage.plan_event(&times(&stage, n - 15))).collect();
    let ended = stage.plan_event(&{
        let mut series = times(&stage, -60);
        series["start"]["timeZone"] = json!("Etc/UTC");
        series["end"]["timeZone"] = json!("Etc/UTC");
        series["recurrence"] = json!(["RRULE:FREQ=DAILY;COUNT=9"]);
        series
    });
    stage.settle(TimeDelta::minutes(5));
    assert!(all_known(&stage, &events));
    assert!(!long_ago.iter().chain([&ended]).any(|event| stage.is_known(event)));

    stage.edit_event(&events[3], &times(&stage, -35));
    stage.edit_event(&long_ago[3], &times(&stage, 5));
    stage.settle(TimeDelta::minutes(5));
    assert!(!stage.is_known(&events[3]) && stage.is_known(&long_ago[3]), "a delta tells of it");

    stage.dark(true);
    stage.edit_event(&events[4], &times(&stage, -35));
    stage.dark(false);
    stage.lose_cursor();
    stage.settle(TimeDelta::minutes(5));
    assert!(!stage.is_known(&events[4]) && stage.is_known(&events[5]), "a complete listing does not mention it");
}
