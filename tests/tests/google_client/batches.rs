//! Batches: an outcome for each part.

use calendar_sync::{
    model::{EventStatus, Fingerprint, LessonId},
    ports::{CalendarError, Operation, OperationOutcome},
};
use chrono::TimeDelta;
use chrono_tz::Tz;
use google_sim::{Effect, When};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::world::{ADA, World, delete, get, id, insert, lesson, now, patch, revive, shown};

#[tokio::test]
async fn each_part_of_a_batch_has_an_outcome_of_its_own() {
    let world = World::new().await;
    let first = shown(world.one(insert(1)).await);
    world.edit(1, &json!({ "summary": "edited" }));
    shown(world.one(insert(2)).await);

    let operations =
        [insert(3), patch(1, &first.etag), insert(2), delete(4), get(5), get(1), patch(6, "\"1\""), delete(2)];
    let (outcomes, calls) = world.batch(&operations).await;
    // Two operations on the event 2 clash; the loser is tried again.
    assert!(calls <= 2);
    assert_eq!(shown(outcomes[0].clone()).lesson_id, Some(LessonId(Uuid::from_u128(3))));
    assert_eq!(outcomes[1], OperationOutcome::Changed);
    assert_eq!(outcomes[2], OperationOutcome::IdTaken);
    assert_eq!(outcomes[3], OperationOutcome::Gone);
    assert_eq!(outcomes[4], OperationOutcome::Gone);
    assert_eq!(shown(outcomes[5].clone()).summary.as_deref(), Some("edited"));
    assert_eq!(outcomes[6], OperationOutcome::Gone);
    assert_eq!(outcomes[7], OperationOutcome::Deleted);
}

#[tokio::test]
async fn an_event_that_was_written_has_the_lessons_fingerprint() {
    let world = World::new().await;
    let event = shown(world.one(insert(1)).await);
    let wanted = Fingerprint::of_lesson(&lesson(1, "Piano").content);
    assert_eq!(wanted.of_event_like(&event), wanted);
    let listed: Vec<_> = world.list(None).await.items.into_iter().map(Result::unwrap).collect();
    assert_eq!(listed, [event]);
}

#[tokio::test]
async fn an_event_is_shown_in_the_lessons_own_zone_however_it_is_written() {
    let world = World::new().await;
    let in_zone = |zone| {
        let mut event = lesson(1, "Piano");
        event.content.time_zone = zone;
        event
    };
    let etag = shown(world.one(insert(1)).await).etag;
    assert_eq!(zones_of(&world.event(1)), ["Europe/Berlin"; 2]);
    let replaced = world.one(Operation::Replace { id: id(1), etag: Some(etag), event: in_zone(Tz::Asia__Tokyo) }).await;
    assert_eq!(zones_of(&world.event(1)), ["Asia/Tokyo"; 2]);
    let etag = shown(replaced).etag;
    shown(world.one(Operation::Patch { id: id(1), etag, event: in_zone(Tz::America__Lima) }).await);
    assert_eq!(zones_of(&world.event(1)), ["America/Lima"; 2]);
}

fn zones_of(event: &Value) -> [&str; 2] {
    ["start", "end"].map(|side| event[side]["timeZone"].as_str().unwrap())
}

#[tokio::test]
async fn many_operations_go_out_fifty_at_a_time_and_come_back_in_order() {
    let world = World::new().await;
    let operations: Vec<_> = (0..120).map(insert).collect();
    let (outcomes, calls) = world.batch(&operations).await;
    assert_eq!(calls, 3);
    let lessons: Vec<_> = outcomes.into_iter().map(|outcome| shown(outcome).lesson_id.unwrap().0.as_u128()).collect();
    assert_eq!(lessons, (0..120).collect::<Vec<_>>());
}

#[tokio::test]
async fn no_operations_make_no_call() {
    assert_eq!(World::new().await.batch(&[]).await, (vec![], 0));
}

#[tokio::test]
async fn only_the_parts_that_failed_for_a_passing_reason_are_tried_again() {
    let world = World::new().await;
    world.fault("calendar.events.insert", When::Nth(2), Effect::refuse(503, "backendError"));
    world.fault("calendar.events.insert", When::Nth(4), Effect::refuse(403, "forbiddenForNonOrganizer"));
    let (outcomes, calls) = world.batch(&(0..5).map(insert).collect::<Vec<_>>()).await;
    assert_eq!(calls, 2);
    assert_eq!(world.google().calls("calendar.events.insert"), 6);
    assert_eq!(outcomes.iter().filter(|o| matches!(o, OperationOutcome::Event(_))).count(), 4);
    let refused = |o: &&OperationOutcome| matches!(o, OperationOutcome::Refused(refusal) if refusal.status == 403);
    assert_eq!(outcomes.iter().filter(refused).count(), 1);
}

#[tokio::test]
async fn a_quota_that_is_used_up_stops_what_has_not_been_sent() {
    let world = World::new().await;
    world.google().exhaust_quota(now(), ADA, TimeDelta::hours(1));
    let (outcomes, calls) = world.batch(&(0..120).map(insert).collect::<Vec<_>>()).await;
    assert_eq!(calls, 1);
    assert!(outcomes.iter().all(|o| *o == OperationOutcome::TryLater(CalendarError::QuotaExceeded)), "{outcomes:?}");
}

#[tokio::test]
async fn a_part_over_the_quota_leaves_the_other_parts_written() {
    let world = World::new().await;
    world.fault("calendar.events.insert", When::Nth(2), Effect::refuse(403, "quotaExceeded"));
    let (outcomes, calls) = world.batch(&(0..3).map(insert).collect::<Vec<_>>()).await;
    assert_eq!(calls, 1);
    let over = |o: &&OperationOutcome| **o == OperationOutcome::TryLater(CalendarError::QuotaExceeded);
    let written = |o: &&OperationOutcome| matches!(o, OperationOutcome::Event(_));
    assert_eq!((outcomes.iter().filter(over).count(), outcomes.iter().filter(written).count()), (1, 2));
}

#[tokio::test]
async fn a_refused_part_brings_googles_own_words() {
    let world = World::new().await;
    let event = shown(world.one(insert(1)).await);
    world.fault("calendar.events.patch", When::Always, Effect::refuse(403, "forbiddenForNonOrganizer"));
    let OperationOutcome::NotOrganizer(refusal) = world.one(patch(1, &event.etag)).await else { panic!() };
    let words = "403 forbiddenForNonOrganizer: Shared properties can only be changed by the organizer of the event";
    assert_eq!(refusal.to_string(), words);
}

/// Google's time zone data may be older than the lesson's.
#[tokio::test]
async fn a_zone_that_google_does_not_know_is_written_under_its_older_name_or_as_utc() {
    for (unknown, written) in
        [(vec![Tz::Europe__Kyiv], "Europe/Kiev"), (vec![Tz::Europe__Kyiv, Tz::Europe__Kiev], "UTC")]
    {
        let world = World::new().await;
        let tries = u32::try_from(unknown.len()).unwrap() + 1;
        world.google().behaviour_mut().unknown_zones = unknown;
        let (outcomes, calls) = world.batch(&[in_kyiv(insert(1)), insert(2), in_kyiv(insert(3))]).await;
        assert_eq!(calls, tries);
        assert!(outcomes.iter().all(|o| matches!(o, OperationOutcome::Event(_))), "{outcomes:?}");
        let zone = |n| world.event(n)["start"]["timeZone"].clone();
        assert_eq!([zone(1), zone(2), zone(3)], [written, "Europe/Berlin", written]);
        let (_, calls) = world.batch(&[in_kyiv(insert(4))]).await;
        assert_eq!((calls, zone(4)), (1, json!(written)), "what was refused once is not written again");
    }
}

#[tokio::test]
async fn a_part_that_no_zone_helps_is_refused() {
    let world = World::new().await;
    world.google().behaviour_mut().unknown_zones = vec![Tz::Europe__Kyiv, Tz::Europe__Kiev, Tz::UTC];
    let (outcomes, calls) = world.batch(&[in_kyiv(insert(1)), insert(2)]).await;
    assert_eq!(calls, 3);
    let OperationOutcome::Refused(refusal) = &outcomes[0] else { panic!("{outcomes:?}") };
    assert_eq!(refusal.to_string(), "400 invalid: Invalid time zone definition for start time");
    assert!(matches!(outcomes[1], OperationOutcome::Event(_)), "{outcomes:?}");
}

fn in_kyiv(mut operation: Operation) -> Operation {
    let (Operation::Insert { event, .. } | Operation::Replace { event, .. } | Operation::Patch { event, .. }) =
        &mut operation
    else {
        panic!("it has no zone")
    };
    event.content.time_zone = Tz::Europe__Kyiv;
    operation
}

#[tokio::test]
async fn a_token_that_is_refused_stops_what_has_not_been_sent() {
    let world = World::new().await;
    world.google().expire_access_tokens(now(), ADA);
    let (outcomes, calls) = world.batch(&(0..120).map(insert).collect::<Vec<_>>()).await;
    assert_eq!(calls, 1);
    let refused = |o: &OperationOutcome| matches!(o, OperationOutcome::TryLater(CalendarError::Unauthorized(_)));
    assert!(outcomes.iter().all(refused), "{outcomes:?}");
}

#[tokio::test]
async fn a_write_whose_answer_was_lost_finds_its_id_taken() {
    for effect in [Effect::CutAfterwards, Effect::RefuseAfterwards { status: 503 }] {
        let world = World::new().await;
        world.fault("batch", When::Nth(1), effect.clone());
        assert_eq!(world.one(insert(1)).await, OperationOutcome::IdTaken, "{effect:?}");
        assert_eq!(world.event(1)["status"], "confirmed");
    }
}

#[tokio::test]
async fn answers_that_are_no_answers_say_nothing_about_the_operations() {
    for garbage in ["", "<html>", "--x\r\n\r\n--x--"] {
        let world = World::new().await;
        world.fault("batch", When::Always, Effect::Garbage(garbage.to_owned()));
        let (outcomes, calls) = world.batch(&[insert(1), delete(2)]).await;
        assert_eq!(calls, 5);
        let later = |o: &OperationOutcome| matches!(o, OperationOutcome::TryLater(CalendarError::Unavailable(_)));
        assert!(outcomes.iter().all(later), "{outcomes:?}");
    }
}

#[tokio::test]
async fn a_deleted_id_stays_taken_and_is_revived() {
    let world = World::new().await;
    shown(world.one(insert(1)).await);
    assert_eq!(world.one(delete(1)).await, OperationOutcome::Deleted);
    assert_eq!(world.one(insert(1)).await, OperationOutcome::IdTaken);
    assert_eq!(shown(world.one(get(1)).await).status, EventStatus::Cancelled);
    let revived = shown(world.one(revive(1)).await);
    assert_eq!(revived.status, EventStatus::Confirmed);
    assert_eq!(revived.summary.as_deref(), Some("Piano"));
}

#[tokio::test]
async fn what_the_bin_no_longer_holds_is_refused_with_googles_reason() {
    let world = World::new().await;
    shown(world.one(insert(1)).await);
    world.one(delete(1)).await;
    world.google().empty_bin(ADA);
    let outcome = world.one(revive(1)).await;
    assert!(matches!(&outcome, OperationOutcome::RefusedForNow(refusal) if refusal.status == 403), "{outcome:?}");
}

#[tokio::test]
async fn no_event_under_an_id_is_told_from_no_calendar() {
    let world = World::new().await;
    let missing = [delete(1), get(2)];
    assert_eq!(world.batch(&missing).await, (vec![OperationOutcome::Gone; 2], 2), "the calendar is asked for");
    world.fault("calendar.events.list", When::Always, Effect::refuse(404, "notFound"));
    let (outcomes, calls) = world.batch(&missing).await;
    let no_calendar =
        |outcome: &OperationOutcome| matches!(outcome, OperationOutcome::TryLater(CalendarError::CalendarGone(_)));
    assert!(outcomes.iter().all(no_calendar), "{outcomes:?}");
    assert_eq!(calls, 2);
    let (outcomes, calls) = world.batch(&[delete(1), insert(3)]).await;
    assert_eq!((&outcomes[0], calls), (&OperationOutcome::Gone, 1), "the event that was made shows the calendar");
}

#[tokio::test]
async fn a_patch_leaves_guests_and_notes_and_undoes_what_contradicts_the_lesson() {
    let world = World::new().await;
    shown(world.one(insert(1)).await);
    world.edit(
        1,
        &json!({
            "attendees": [{ "email": "grace@example.com" }],
            "description": "Notes of the instructor",
            "start": { "date": "2026-03-09", "dateTime": null },
            "end": { "date": "2026-03-10", "dateTime": null },
            "recurrence": ["RRULE:FREQ=WEEKLY"],
        }),
    );
    let edited = shown(world.one(get(1)).await);
    assert!(edited.is_series() && edited.start.unwrap().is_day());

    let event = shown(world.one(patch(1, &edited.etag)).await);
    let wanted = Fingerprint::of_lesson(&lesson(1, "Cello").content);
    assert_eq!(wanted.of_event_like(&event), wanted);
    assert_eq!(event.description.as_deref(), Some("Notes of the instructor"));
    assert_eq!(world.event(1)["attendees"][0]["email"], "grace@example.com");
}

#[tokio::test]
async fn a_delete_that_names_an_old_etag_deletes_nothing() {
    let world = World::new().await;
    let event = shown(world.one(insert(1)).await);
    world.edit(1, &json!({ "summary": "edited" }));
    let outcome = world.one(Operation::Delete { id: id(1), etag: Some(event.etag) }).await;
    assert_eq!(outcome, OperationOutcome::Changed);
    assert_eq!(world.event(1)["status"], "confirmed");
}
