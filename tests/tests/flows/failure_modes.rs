//! What is known to go wrong where calendars are synced, and does not here.
//!
//! | what goes wrong elsewhere | test |
//! |---|---|
//! | a failed look at our event counts as its deletion | [`a_failed_fetch_of_our_event_makes_no_second_one_and_tells_nothing`] |
//! | a cursor that ran out ends in "no changes" | [`a_cursor_that_google_forgot_is_followed_by_a_whole_listing_and_the_log_says_so`] |
//! | a relisting that breaks off empties the calendar | [`imported_events_stay_until_a_new_listing_is_complete`] |
//! | an event that was deleted cannot be made again under its id | [`a_deleted_event_comes_back_with_its_lesson_under_a_new_id_where_the_old_one_is_refused`] |
//! | only the first page is read | [`a_calendar_of_many_pages_is_read_to_its_end`] |
//! | the cursor moves before its items are stored, and a crash loses them | `whatever_the_moment_of_death…` in `infra/local/tests/kill` |
//! | an event that moves far away still blocks | [`an_event_that_moves_far_away_leaves_no_block_behind`] |
//! | guests and notes are lost when the lesson moves | [`what_was_added_to_our_event_survives_a_move_of_the_lesson`] |
//! | our own write comes back and is written again | [`our_own_write_that_comes_back_is_not_written_again`] |
//! | a channel's id is used again, or its renewal fails when it is forgotten already | [`channels::a_channel_is_renewed_under_a_new_id_and_kept_until_the_new_one_is_open`] |
//! | the channel is not renewed, and the status says that all is well | [`channels::a_channel_that_was_not_renewed_shows_in_the_status_and_polling_takes_over`] |
//! | a channel that was stopped goes on telling | [`channels::notices_of_a_channel_that_was_stopped_are_accepted_and_do_nothing`] |
//! | one that was replaced goes on telling | [`channels::notices_of_a_channel_that_was_replaced_are_accepted_and_change_nothing`] |
//! | one meeting in two calendars is one row | [`a_meeting_of_two_instructors_is_known_to_each_of_them`] |
//! | an exhausted quota is asked again within seconds | [`an_exhausted_quota_is_left_alone_for_hours`] |
//! | long events, whole days, declined ones, places of work, series | `what_blocks` |
//! | it does not show why something did not sync | `log` |

mod channels;

use calendar_tests::world::{World, start_of};
use chrono::{DateTime, TimeDelta, Utc};
use reqwest::Method;
use serde_json::{Value, json};

/// A world in which a lesson stands in a connected calendar; with the lesson's id and its event's.
async fn with_a_lesson() -> (World, String, String) {
    let world = World::start().await;
    let lesson = world.add_lesson("Piano", world.in_hours(30)).await;
    world.connect().await;
    world.settle().await;
    let event = world.events_of(&lesson).await[0]["id"].as_str().unwrap().to_owned();
    (world, lesson, event)
}

/// Guards against: an error on reading our event is taken for its absence, and a second one is made.
#[tokio::test]
async fn a_failed_fetch_of_our_event_makes_no_second_one_and_tells_nothing() {
    let (world, lesson, event) = with_a_lesson().await;
    world.sync_by_hand_alone().await;
    // A part of a batch that is never answered comes as a 5xx.
    for (hour, status, reason) in [(40, 429, "rateLimitExceeded"), (41, 500, "backendError"), (42, 401, "authError")] {
        // The write is carried out and its answer lost; the next try meets another etag, and looks.
        for method in ["calendar.events.update", "calendar.events.patch"] {
            world.fault(method, json!({ "nth": 1 }), json!({ "refuse_afterwards": { "status": 503 } })).await;
        }
        let failure = json!({ "refuse": { "status": status, "reason": reason } });
        world.fault("calendar.events.get", json!("always"), failure).await;
        world.move_lesson(&lesson, world.in_hours(hour)).await;
        let outcome = world.sync().await["outcome"].clone();
        let events = world.events_of(&lesson).await;
        assert_eq!((events.len(), &events[0]["id"]), (1, &json!(event)), "{status}: {events:#?}");
        assert_eq!(world.notices().await, Vec::<String>::new(), "{status}: the instructor did none of it");
        assert_eq!((outcome, &world.status().await["state"]), (json!("partial"), &json!("failing")), "{status}");

        world.control("clear-faults", json!({})).await;
        assert_eq!(world.sync().await["outcome"], "completed", "{status}");
        let events = world.events_of(&lesson).await;
        assert_eq!((events.len(), start_of(&events[0])), (1, world.in_hours(hour)), "{status}");
    }
}

/// Guards against: a refused cursor is logged as a sync without changes, and what went meanwhile stays for ever.
#[tokio::test]
async fn a_cursor_that_google_forgot_is_followed_by_a_whole_listing_and_the_log_says_so() {
    let (world, lesson, _) = with_a_lesson().await;
    let later = world.add_lesson("Choir", world.in_hours(40)).await;
    let stays = world.plan_in_google("Stays", world.in_hours(30), world.in_hours(31)).await;
    let goes = world.plan_in_google("Goes", world.in_hours(40), world.in_hours(41)).await;
    world.until("both flags", async || world.is_flagged(&lesson).await && world.is_flagged(&later).await).await;
    world.control("darken-push", json!({ "dark": true })).await;
    world.delete_in_google(&goes).await;
    world.control("expire-cursors", json!({ "calendar": World::ACCOUNT })).await;
    world.sync().await;
    let events = world.external_events().await;
    assert_eq!(events.len(), 1, "{events:#?}");
    assert_eq!(events[0]["googleEventId"], json!(stays));
    assert!(world.is_flagged(&lesson).await && !world.is_flagged(&later).await);
    let reasons = world.reasons().await;
    for said in ["the whole calendar was listed anew", "1 events that the calendar no longer holds"] {
        assert!(reasons.contains(said), "{reasons}");
    }
}

/// Guards against: known events are dropped first and listed then, and a failure in between leaves nothing.
#[tokio::test]
async fn imported_events_stay_until_a_new_listing_is_complete() {
    let (world, lesson, _) = with_a_lesson().await;
    let stays = world.plan_in_google("Stays", world.in_hours(40), world.in_hours(41)).await;
    let goes = world.plan_in_google("Goes", world.in_hours(30), world.in_hours(31)).await;
    world.until("the flag", async || world.is_flagged(&lesson).await).await;
    world.until("both", async || world.external_events().await.len() == 2).await;
    world.sync_by_hand_alone().await;
    world.delete_in_google(&goes).await;
    world.control("limits", json!({ "page": 1 })).await;
    world.control("expire-cursors", json!({ "calendar": World::ACCOUNT })).await;
    // The cursor is refused, one page of the new listing comes, and the next one does not, however often it is tried.
    for nth in 3..=7 {
        let failure = json!({ "refuse": { "status": 503, "reason": "backendError" } });
        world.fault("calendar.events.list", json!({ "nth": nth }), failure).await;
    }
    world.sync().await;
    world.until("the failure", async || world.status().await["state"] == "failing").await;
    assert_eq!(world.external_events().await.len(), 2, "nothing goes without proof");
    assert!(world.is_flagged(&lesson).await);

    world.sync().await;
    world.until("the rest", async || world.external_events().await.len() == 1).await;
    assert_eq!(world.external_events().await[0]["googleEventId"], json!(stays));
    world.until("no flag", async || !world.is_flagged(&lesson).await).await;
    assert_eq!(world.status().await["state"], "active");
}

/// Guards against: the id of a deleted event is taken for ever, and its lesson never shows again.
#[tokio::test]
async fn a_deleted_event_comes_back_with_its_lesson_under_a_new_id_where_the_old_one_is_refused() {
    let (world, lesson, event) = with_a_lesson().await;
    // The lesson moves before we hear of the deletion.
    world.control("darken-push", json!({ "dark": true })).await;
    let stands = async |hour| {
        let events = world.events_of(&lesson).await;
        events.len() == 1 && start_of(&events[0]) == world.in_hours(hour)
    };
    world.delete_in_google(&event).await;
    world.move_lesson(&lesson, world.in_hours(50)).await;
    world.until("its return", async || stands(50).await).await;
    assert_eq!(world.events_of(&lesson).await[0]["id"], json!(event), "revived");
    world.settle().await;

    world.delete_in_google(&event).await;
    world.control("empty-bin", json!({ "calendar": World::ACCOUNT })).await;
    world.move_lesson(&lesson, world.in_hours(60)).await;
    world.until("its return", async || stands(60).await).await;
    let anew = world.events_of(&lesson).await[0]["id"].clone();
    assert_ne!(anew, json!(event), "the old id cannot be had again");
    world.settle().await;
    assert!(stands(60).await, "once");
    assert_eq!(world.lesson(&lesson).await["googleCalendarEventId"], anew);
}

/// Guards against: what stands beyond Google's first page is never seen.
#[tokio::test]
async fn a_calendar_of_many_pages_is_read_to_its_end() {
    let world = World::start().await;
    world.control("limits", json!({ "page": 100 })).await;
    for hour in 0..260 {
        world.plan_in_google("Busy", world.in_hours(30 + hour), world.in_hours(31 + hour)).await;
    }
    world.connect().await;
    assert!(world.google_calls().await["calendar.events.list"] >= 3);
    let (mut listed, mut cursor) = (0, String::new());
    loop {
        let path = format!("external-events/{}?cursor={cursor}", world.instructor);
        let (code, page) = world.call(Method::GET, &path, None).await;
        assert_eq!(code, 200, "{page}");
        listed += page["data"]["events"].as_array().unwrap().len();
        let Some(next) = page["data"]["nextCursor"].as_str() else { break };
        cursor = next.to_owned();
    }
    assert_eq!(listed, 260);
}

/// Guards against: an event that leaves the time that is looked at keeps its old block.
#[tokio::test]
async fn an_event_that_moves_far_away_leaves_no_block_behind() {
    let (world, lesson, _) = with_a_lesson().await;
    let dentist = world.plan_in_google("Dentist", world.in_hours(30), world.in_hours(31)).await;
    world.until("the flag", async || world.is_flagged(&lesson).await).await;
    let far = world.in_hours(30) + TimeDelta::days(800);
    let times = json!({ "start": { "dateTime": far }, "end": { "dateTime": far + TimeDelta::hours(1) } });
    world.edit_in_google(&dentist, times).await;
    world.until("the flag's end", async || !world.is_flagged(&lesson).await).await;
    assert_eq!(world.external_events().await, Vec::<Value>::new());
}

/// Guards against: an event that others added to is overwritten as a whole when its lesson moves.
#[tokio::test]
async fn what_was_added_to_our_event_survives_a_move_of_the_lesson() {
    let (world, lesson, event) = with_a_lesson().await;
    let added = json!({
        "description": "bring the notes", "colorId": "5",
        "attendees": [{ "email": "guest@example.com" }],
        "reminders": { "useDefault": false, "overrides": [{ "method": "popup", "minutes": 7 }] },
    });
    world.edit_in_google(&event, added.clone()).await;
    world.settle().await;
    world.move_lesson(&lesson, world.in_hours(50)).await;
    world.until("the move", async || start_of(&world.events_of(&lesson).await[0]) == world.in_hours(50)).await;
    let moved = world.events_of(&lesson).await[0].clone();
    assert_eq!(moved["attendees"][0]["email"], "guest@example.com");
    for kept in ["description", "colorId", "reminders"] {
        assert_eq!(moved[kept], added[kept], "{kept}");
    }
    assert_eq!(world.notices().await, Vec::<String>::new(), "to add is not to change");
}

/// Guards against: each write is told to us, taken for a change, and written again without end.
#[tokio::test]
async fn our_own_write_that_comes_back_is_not_written_again() {
    let (world, lesson, _) = with_a_lesson().await;
    world.control("reset-calls", json!({})).await;
    world.move_lesson(&lesson, world.in_hours(50)).await;
    let calls = async |method: &str| world.google_calls().await.get(method).copied().unwrap_or(0);
    world.until("the write", async || calls("calendar.events.update").await == 1).await;
    world.until("the listing after its notice", async || calls("calendar.events.list").await >= 1).await;
    world.settle().await;
    world.settle().await;
    let written: Vec<(String, u64)> = world
        .google_calls()
        .await
        .into_iter()
        .filter(|(method, _)| !matches!(method.as_str(), "batch" | "calendar.events.list"))
        .collect();
    assert_eq!(written, [("calendar.events.update".to_owned(), 1)]);
    assert_eq!(world.notices().await, Vec::<String>::new());
}

/// Guards against: Google gives a meeting one id in all its guests' calendars, and one guest's row replaces another's.
#[tokio::test]
async fn a_meeting_of_two_instructors_is_known_to_each_of_them() {
    let ada = World::start().await;
    let grace = ada.colleague().await;
    let (start, end) = (ada.in_hours(30), ada.in_hours(31));
    let lessons = [ada.add_lesson("Piano", start).await, grace.add_lesson("Flute", start).await];
    ada.connect().await;
    grace.connect().await;
    let meeting = json!({
        "summary": "Meeting", "start": { "dateTime": start }, "end": { "dateTime": end },
        "attendees": [{ "email": ada.account }, { "email": grace.account }],
    });
    let id = ada.plan_event(meeting).await;
    ada.until("Ada's flag", async || ada.is_flagged(&lessons[0]).await).await;
    grace.until("Grace's flag", async || grace.is_flagged(&lessons[1]).await).await;

    grace.control("respond", json!({ "calendar": grace.account, "id": id, "answer": "declined" })).await;
    grace.until("the end of Grace's", async || !grace.is_flagged(&lessons[1]).await).await;
    ada.settle().await;
    assert!(ada.is_flagged(&lessons[0]).await, "hers is hers");
    let blocks = |events: Vec<Value>| -> Vec<bool> {
        let of_meeting = events.into_iter().filter(|event| event["googleEventId"] == json!(id));
        of_meeting.map(|event| event["blocks"] == true).collect()
    };
    assert_eq!(blocks(ada.external_events().await), [true]);
    assert_eq!(blocks(grace.external_events().await), [false]);
}

/// Guards against: a limit whose recovery takes hours is retried within seconds, and never recovers.
#[tokio::test]
async fn an_exhausted_quota_is_left_alone_for_hours() {
    let (world, lesson, _) = with_a_lesson().await;
    world.control("exhaust-quota", json!({ "account": World::ACCOUNT, "seconds": 10_000 })).await;
    world.move_lesson(&lesson, world.in_hours(50)).await;
    world.until("the failure", async || world.status().await["state"] == "failing").await;
    let status = world.status().await;
    assert_eq!(status["reason"], "quota_exceeded");
    let next: DateTime<Utc> = status["nextSyncAt"].as_str().unwrap().parse().unwrap();
    assert!(next - Utc::now() > TimeDelta::hours(2), "{next}");
    world.control("reset-calls", json!({})).await;
    world.move_lesson(&lesson, world.in_hours(60)).await;
    tokio::time::sleep(std::time::Duration::from_secs(3)).await; // several polls, and the message of the move
    assert_eq!(world.google_calls().await.values().sum::<u64>(), 0, "{:?}", world.google_calls().await);

    world.control("reset-quotas", json!({})).await;
    world.sync().await;
    assert_eq!(start_of(&world.events_of(&lesson).await[0]), world.in_hours(60), "nothing was lost");
}
