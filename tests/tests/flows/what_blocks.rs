//! Which events make an instructor busy, and when: long ones, whole days, invitations, places of work, series.

use calendar_tests::world::World;
use chrono::{DateTime, Days, NaiveDate, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use serde_json::json;

fn midnight(day: NaiveDate, zone: Tz) -> DateTime<Utc> {
    zone.from_local_datetime(&day.and_hms_opt(0, 0, 0).unwrap()).earliest().unwrap().to_utc()
}

/// The first day, from the day after tomorrow on, on which the clock changes in `zone`.
fn next_clock_change(zone: Tz) -> NaiveDate {
    let first = Utc::now().date_naive() + Days::new(2);
    let changes = |day: &NaiveDate| midnight(*day + Days::new(1), zone) - midnight(*day, zone) != TimeDelta::hours(24);
    first.iter_days().take(366).find(changes).unwrap()
}

/// Guards against: only events that begin in the time that is looked at are seen.
#[tokio::test]
async fn an_event_of_three_days_that_began_yesterday_blocks_today() {
    let world = World::start().await;
    let before = world.add_lesson("Piano", world.in_hours(20)).await;
    world.connect().await;
    let holiday = world.plan_in_google("Away", world.in_hours(-24), world.in_hours(48)).await;
    world.until("the flag", async || world.is_flagged(&before).await).await;
    let after = world.add_lesson("Choir", world.in_hours(30)).await;
    world.until("the flag of a later lesson", async || world.is_flagged(&after).await).await;
    let events = world.external_events().await;
    assert_eq!((events.len(), &events[0]["googleEventId"]), (1, &json!(holiday)));
}

/// Guards against: a whole day is taken for a day in UTC, or for 24 hours.
#[tokio::test]
async fn a_whole_day_lasts_from_midnight_to_midnight_where_the_calendar_is() {
    for zone in [Tz::Pacific__Auckland, Tz::America__Los_Angeles, Tz::Europe__Berlin] {
        let world = World::start().await;
        world.control("set-zone", json!({ "calendar": World::ACCOUNT, "zone": zone.name() })).await;
        world.connect().await;
        let day = next_clock_change(zone);
        let (begins, ends) = (midnight(day, zone), midnight(day + Days::new(1), zone));
        let hour = TimeDelta::hours(1);
        let mut lessons = Vec::new();
        for (start, inside) in [(begins - hour, false), (begins, true), (ends - hour, true), (ends, false)] {
            lessons.push((world.add_lesson("Piano", start).await, start, inside));
        }
        let off = json!({ "summary": "Day off", "start": { "date": day }, "end": { "date": day + Days::new(1) } });
        world.plan_event(off).await;
        world.until("a flag", async || world.is_flagged(&lessons[1].0).await).await;
        world.settle().await;
        for (lesson, start, inside) in &lessons {
            assert_eq!(world.is_flagged(lesson).await, *inside, "{zone} {start}");
        }
    }
}

/// Guards against: whole days stay where they were when the calendar moves to another zone.
#[tokio::test]
async fn whole_days_move_along_with_their_calendar() {
    let world = World::connected().await;
    let day = world.in_hours(72).date_naive();
    let lesson = world.add_lesson("Piano", midnight(day + Days::new(1), Tz::Europe__Berlin)).await;
    let off = json!({ "summary": "Day off", "start": { "date": day }, "end": { "date": day + Days::new(1) } });
    world.plan_event(off).await;
    world.until("the day", async || world.external_events().await.len() == 1).await;
    world.settle().await;
    assert!(!world.is_flagged(&lesson).await, "the day is over");
    world.control("set-zone", json!({ "calendar": World::ACCOUNT, "zone": "America/New_York" })).await;
    world.sync().await;
    assert!(world.is_flagged(&lesson).await, "in New York it is not");
    assert!(world.reasons().await.contains("America/New_York"), "{}", world.reasons().await);
}

/// Guards against: an invitation blocks although it was declined.
#[tokio::test]
async fn a_declined_invitation_no_longer_blocks() {
    let world = World::start().await;
    let start = world.in_hours(30);
    let lesson = world.add_lesson("Piano", start).await;
    world.connect().await;
    let invitation = json!({
        "summary": "Party", "start": { "dateTime": start }, "end": { "dateTime": start + TimeDelta::hours(2) },
        "attendees": [{ "email": World::ACCOUNT }],
    });
    let made = world.control("create-event", json!({ "calendar": "grace@example.com", "event": invitation })).await;
    world.until("the flag", async || world.is_flagged(&lesson).await).await;
    world.control("respond", json!({ "calendar": World::ACCOUNT, "id": made["id"], "answer": "declined" })).await;
    world.until("the flag's end", async || !world.is_flagged(&lesson).await).await;
    let events = world.external_events().await;
    assert_eq!((&events[0]["blocks"], &events[0]["freeBecause"]), (&json!(false), &json!("declined")));
    world.until("the words", async || world.reasons().await.contains("does not block, since it was declined")).await;
}

/// Guards against: saying where one works makes one busy all day.
#[tokio::test]
async fn a_working_location_does_not_block() {
    let world = World::start().await;
    let start = world.in_hours(30);
    let lesson = world.add_lesson("Piano", start).await;
    world.connect().await;
    world.settle().await;
    let home = json!({
        "summary": "Home", "eventType": "workingLocation", "visibility": "public", "transparency": "transparent",
        "start": { "dateTime": start }, "end": { "dateTime": start + TimeDelta::hours(2) },
        "workingLocationProperties": { "type": "homeOffice", "homeOffice": {} },
    });
    world.plan_event(home).await;
    world.until("the event", async || world.external_events().await.len() == 1).await;
    world.settle().await;
    let events = world.external_events().await;
    assert_eq!((&events[0]["blocks"], &events[0]["freeBecause"]), (&json!(false), &json!("working_location")));
    assert!(!world.is_flagged(&lesson).await);
    assert!(world.reasons().await.contains("only says where the instructor works"), "{}", world.reasons().await);
}

/// Guards against: a series is expanded in UTC, or in the calendar's zone, and stands an hour off after a clock change.
#[tokio::test]
async fn a_weekly_series_keeps_its_hour_in_its_own_zone_when_the_clock_changes() {
    let zone = Tz::America__New_York; // the calendar is in Berlin
    let world = World::connected().await;
    let nine = |day: NaiveDate| zone.from_local_datetime(&day.and_hms_opt(9, 0, 0).unwrap()).unwrap().to_utc();
    let first = Utc::now().date_naive() + Days::new(2);
    let weeks = (next_clock_change(zone) - first).num_days() / 7 + 1;
    let day = first + TimeDelta::weeks(weeks);
    let lesson = world.add_lesson("Piano", nine(day)).await;
    let shifted = world.add_lesson("Choir", nine(first) + TimeDelta::weeks(weeks)).await;
    let times = |at: DateTime<Utc>| json!({ "dateTime": at, "timeZone": zone.name() });
    let series = json!({
        "summary": "Yoga", "recurrence": ["RRULE:FREQ=WEEKLY"],
        "start": times(nine(first)), "end": times(nine(first) + TimeDelta::hours(1)),
    });
    world.plan_event(series).await;
    world.until("the flag", async || world.is_flagged(&lesson).await).await;
    world.settle().await;
    assert!(!world.is_flagged(&shifted).await, "an hour off");
}

/// Guards against: an endless series comes as hundreds of events that reach years ahead.
#[tokio::test]
async fn an_endless_series_is_one_row_and_flags_a_lesson_months_ahead() {
    let world = World::start().await;
    let start = world.in_hours(30);
    let far = start + TimeDelta::weeks(30);
    let lesson = world.add_lesson("Piano", far).await;
    world.connect().await;
    world.sync_by_hand_alone().await;
    let times = |at: DateTime<Utc>| json!({ "dateTime": at, "timeZone": "Etc/UTC" });
    let yoga = json!({
        "summary": "Yoga", "recurrence": ["RRULE:FREQ=DAILY"],
        "start": times(start), "end": times(start + TimeDelta::hours(1)),
    });
    let series = world.plan_event(yoga).await;
    let counts = world.sync().await;
    assert_eq!((&counts["eventsSynced"], &counts["conflictsDetected"]), (&json!(1), &json!(1)), "{counts}");
    assert!(world.is_flagged(&lesson).await);
    let pair = world.status().await["conflicts"][0].clone();
    assert_eq!(pair["occurrenceStart"].as_str().unwrap().parse::<DateTime<Utc>>().unwrap(), far);

    world.delete_in_google(&format!("{series}_{}", far.format("%Y%m%dT%H%M%SZ"))).await;
    let counts = world.sync().await;
    assert!(counts["eventsSynced"].as_u64().unwrap() <= 2, "the exception, perhaps with its series: {counts}");
    assert!(!world.is_flagged(&lesson).await, "that day is off");
}
