//! Listings: what a client makes of pages, cursors and failures.

use std::{collections::BTreeSet, time::Duration};

use calendar_sync::{
    model::EventTime,
    ports::{Calendar, CalendarError, PageOutcome, PageRequest},
};
use chrono::TimeDelta;
use chrono_tz::Tz;
use google_sim::{Effect, When};
use serde_json::json;

use crate::world::{ADA, MANY, World, busy, events, now, sync_token};

#[tokio::test]
async fn a_complete_listing_goes_on_as_deltas_that_bring_what_changed() {
    let world = World::new().await;
    let gone = world.create(&busy("Dentist"));
    world.create(&json!({ "summary": "Holiday", "start": { "date": "2026-03-03" }, "end": { "date": "2026-03-05" } }));

    let complete = world.list(None).await;
    assert_eq!((events(&complete).len(), complete.items.len(), complete.calls), (2, 2, 1));
    assert_eq!(complete.time_zone, Some(Tz::Europe__Berlin));
    let day = |text: &str| Some(EventTime::Day(text.parse().unwrap()));
    assert!(events(&complete).iter().any(|e| (e.start, e.end) == (day("2026-03-03"), day("2026-03-05"))));

    world.google().delete_event(now(), ADA, &gone).unwrap();
    let delta = world.list(Some(sync_token(&complete))).await;
    let changed = events(&delta);
    assert_eq!(changed.len(), 1);
    assert!(changed[0].is_cancelled() && changed[0].id.as_str() == gone);

    let quiet = world.list(Some(sync_token(&delta))).await;
    assert_eq!((quiet.items.len(), quiet.calls), (0, 1));
}

#[tokio::test]
async fn pages_that_are_short_or_empty_are_followed_to_the_last() {
    let world = World::new().await;
    world.create_many();
    assert_eq!(world.pages().await.len(), 2);
    world.google().behaviour_mut().thin_pages = 1.0;
    let mut pages = 0;
    for _ in 0..4 {
        let listed = world.pages().await;
        sync_token(listed.last().unwrap());
        let ids: BTreeSet<_> = listed.iter().flat_map(events).map(|event| &event.id).collect();
        assert_eq!(ids.len(), MANY);
        pages += listed.len();
    }
    assert!(pages > 8);
}

#[tokio::test]
async fn a_cursor_that_ran_out_or_was_never_one_is_lost() {
    let world = World::new().await;
    let first = world.list(None).await;
    world.create(&busy("later"));
    world.google().expire_cursors(now(), ADA);
    assert_eq!(world.list(Some(sync_token(&first))).await.outcome, PageOutcome::CursorLost);
    assert_eq!(world.list(Some("no token of Google's")).await.outcome, PageOutcome::CursorLost);
    assert_eq!(world.page(None, Some("no page of Google's")).await.outcome, PageOutcome::CursorLost);
}

#[tokio::test]
async fn a_failure_at_a_later_page_leaves_that_page_to_be_asked_for_again() {
    let world = World::new().await;
    world.create_many();
    let PageOutcome::More { page_token } = world.list(None).await.outcome else { panic!("one page") };
    world.fault("calendar.events.list", When::Next(1), Effect::refuse(403, "quotaExceeded"));
    let refused = world.page(None, Some(&page_token)).await;
    assert_eq!(refused.outcome, PageOutcome::Failed(CalendarError::QuotaExceeded));
    assert_eq!((refused.items.len(), refused.time_zone, refused.calls), (0, None, 1));
    assert_eq!(world.page(None, Some(&page_token)).await.items.len(), MANY - 2_500);
}

#[tokio::test]
async fn a_failure_at_the_first_page_leaves_nothing() {
    let world = World::new().await;
    world.create(&busy("unseen"));
    world.fault("calendar.events.list", When::Always, Effect::refuse(404, "notFound"));
    let listing = world.list(None).await;
    let gone = |error: &CalendarError| matches!(error, CalendarError::CalendarGone(_));
    assert!(matches!(&listing.outcome, PageOutcome::Failed(error) if gone(error)), "{:?}", listing.outcome);
    assert_eq!((listing.items.len(), listing.time_zone, listing.calls), (0, None, 1));
}

#[tokio::test]
async fn rate_limits_failures_and_broken_connections_are_tried_again() {
    for effect in [
        Effect::refuse(403, "rateLimitExceeded"),
        Effect::refuse(403, "userRateLimitExceeded"),
        Effect::refuse(429, "rateLimitExceeded"),
        Effect::refuse(500, "backendError"),
        Effect::refuse(503, "backendError"),
        Effect::Cut,
        Effect::Garbage("<html>".to_owned()),
    ] {
        let world = World::new().await;
        world.fault("calendar.events.list", When::Next(2), effect.clone());
        let listing = world.list(None).await;
        assert!(matches!(listing.outcome, PageOutcome::Last { .. }), "{effect:?}: {:?}", listing.outcome);
        assert_eq!(world.google().calls("calendar.events.list"), 3, "{effect:?}");
    }
}

#[tokio::test]
async fn five_failures_in_a_row_end_the_call() {
    let world = World::new().await;
    world.fault("calendar.events.list", When::Always, Effect::refuse(429, "rateLimitExceeded"));
    let listing = world.list(None).await;
    assert_eq!(listing.outcome, PageOutcome::Failed(CalendarError::RateLimited));
    assert_eq!(listing.calls, 5);
}

#[tokio::test]
async fn a_quota_that_is_used_up_and_every_other_refusal_are_not_tried_again() {
    for (status, reason) in [
        (403, "quotaExceeded"),
        (403, "forbiddenForNonOrganizer"),
        (400, "badRequest"),
        (401, "authError"),
        (404, "notFound"),
    ] {
        let world = World::new().await;
        world.fault("calendar.events.list", When::Always, Effect::refuse(status, reason));
        assert!(matches!(world.list(None).await.outcome, PageOutcome::Failed(_)), "{reason}");
        assert_eq!(world.google().calls("calendar.events.list"), 1, "{status} {reason}");
    }
}

#[tokio::test]
async fn nothing_is_waited_for_beyond_the_deadline() {
    let world = World::new().await;
    world.fault("calendar.events.list", When::Always, Effect::Timeout);
    let listing = world.calendar.list(&world.access, PageRequest::default(), now() + TimeDelta::milliseconds(250));
    let listing = tokio::time::timeout(Duration::from_secs(5), listing).await.expect("in time");
    assert!(matches!(listing.outcome, PageOutcome::Failed(CalendarError::Unavailable(_))));
    let late = world.calendar.list(&world.access, PageRequest::default(), now()).await;
    assert!(matches!(late.outcome, PageOutcome::Failed(_)));
    assert_eq!(late.calls, 0);
}
