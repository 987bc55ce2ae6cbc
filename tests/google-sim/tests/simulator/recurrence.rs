//! Series as Google shows them, told by hand-written cases, and rules that are to cost nothing.

use std::time::{Duration, Instant};

use crate::common::{ADA, EVENTS, World, refused, timed, with};
use chrono::{DateTime, NaiveDate, NaiveTime, TimeZone, Utc};
use chrono_tz::Tz;
use serde_json::{Value, json};

type Occurrence = (String, DateTime<Utc>, DateTime<Utc>);

const CASES: &str = include_str!("../../../cases/recurrence.json");

/// Google's API takes no zone of Windows: such a name comes with an event from elsewhere.
const NOT_TAKEN: &str = "windows-zone";

fn cases() -> Vec<Value> {
    let file: Value = serde_json::from_str(CASES).unwrap();
    file["cases"].as_array().unwrap().iter().filter(|case| case["name"] != NOT_TAKEN).cloned().collect()
}

/// A moment; of a day its midnight in the calendar's zone.
fn instant(time: &Value, zone: Tz) -> DateTime<Utc> {
    match time["date"].as_str() {
        Some(day) => {
            let midnight = day.parse::<NaiveDate>().unwrap().and_time(NaiveTime::MIN);
            zone.from_local_datetime(&midnight).unwrap().to_utc()
        }
        None => time["dateTime"].as_str().unwrap().parse().unwrap(),
    }
}

/// The items as a reader takes them: an all-day event that ends when it begins lasts that day.
fn occurrences(items: &[Value], zone: Tz, name: &str) -> Vec<Occurrence> {
    let mut found: Vec<Occurrence> = items
        .iter()
        .map(|item| {
            let (start, end) = (instant(&item["start"], zone), instant(&item["end"], zone));
            let lasts_no_day = item["start"].get("date").is_some() && end <= start;
            (name.to_owned(), start, if lasts_no_day { start + chrono::Duration::days(1) } else { end })
        })
        .collect();
    found.sort();
    found
}

fn wanted(case: &Value) -> Vec<Occurrence> {
    let moment = |value: &Value| value.as_str().unwrap().parse().unwrap();
    let rows = case["occurrences"].as_array().unwrap().iter();
    let mut rows: Vec<Occurrence> =
        rows.map(|row| (row[0].as_str().unwrap().to_owned(), moment(&row[1]), moment(&row[2]))).collect();
    rows.sort();
    rows
}

/// Puts an event of a case into Ada's calendar under an id that Google takes.
fn put(world: &mut World, event: &Value, by_hand: bool) -> String {
    let mut event = event.clone();
    event.as_object_mut().unwrap().remove("id");
    if by_hand {
        world.google.create_event(world.now, ADA, &event).unwrap()
    } else {
        world.insert(&event)["id"].as_str().unwrap().to_owned()
    }
}

#[test]
fn every_case_is_shown_as_google_shows_it() {
    let cases = cases();
    assert!(cases.len() >= 12);
    let mut wrong = Vec::new();
    for (case, by_hand) in cases.iter().flat_map(|case| [(case, true), (case, false)]) {
        let name = case["name"].as_str().unwrap();
        let [event] = case["events"].as_array().unwrap().as_slice() else { panic!("{name}: one event") };
        let zone: Tz = case["calendarTimeZone"].as_str().unwrap().parse().unwrap();
        let window =
            format!("timeMin={}&timeMax={}", case["window"][0].as_str().unwrap(), case["window"][1].as_str().unwrap());
        let mut world = World::new();
        world.google.set_zone(ADA, zone);
        let id = put(&mut world, event, by_hand);
        let own = event["id"].as_str().unwrap();
        let mut shown = vec![("listed", world.list(&format!("singleEvents=true&{window}")).0)];
        if event.get("recurrence").is_some() {
            let instances = world.get(&format!("{EVENTS}/{id}/instances?{window}"));
            shown.push(("instances", instances["items"].as_array().unwrap().clone()));
        }
        for (how, items) in shown {
            if occurrences(&items, zone, own) != wanted(case) {
                wrong.push(format!("{name}, {how}, by hand {by_hand}: {:?}", occurrences(&items, zone, own)));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_zone_by_offset_is_shown_as_google_names_it() {
    let mut world = World::new();
    let time = |time: &str| json!({"dateTime": time, "timeZone": "UTC-3"});
    let event = world.insert(&json!({"start": time("2026-12-01T09:00:00"), "end": time("2026-12-01T10:00:00")}));
    assert_eq!(event["start"], json!({"dateTime": "2026-12-01T13:00:00+01:00", "timeZone": "GMT-03:00"}));
}

fn instances_of(recurrence: &Value) -> Vec<String> {
    let mut world = World::new();
    let event = with(timed("2026-12-01", 9), &json!({"recurrence": recurrence}));
    let id = world.google.create_event(world.now, ADA, &event).unwrap();
    let window = "timeMin=2026-11-01T00:00:00Z&timeMax=2027-12-31T00:00:00Z&timeZone=UTC";
    let answer = world.get(&format!("{EVENTS}/{id}/instances?{window}"));
    let items = answer["items"].as_array().unwrap().iter();
    items.map(|item| item["start"]["dateTime"].as_str().unwrap()[..13].to_owned()).collect()
}

#[test]
fn dates_come_before_the_start_and_a_day_takes_all_that_is_on_it() {
    assert_eq!(instances_of(&json!(["RDATE:20261125T080000Z"])), ["2026-11-25T08", "2026-12-01T08"]);
    let twice = ["RRULE:FREQ=DAILY;BYHOUR=9,15;COUNT=4", "EXDATE;VALUE=DATE:20261202"];
    assert_eq!(instances_of(&json!(twice)), ["2026-12-01T08", "2026-12-01T14"]);
    assert_eq!(instances_of(&json!(["RDATE;VALUE=DATE:20261203"])), ["2026-12-01T08", "2026-12-03T08"]);
}

#[test]
fn a_day_of_a_month_and_a_weekday_mean_both_where_the_year_gives_no_month() {
    // Friday the 13th comes in August 2027 alone.
    let friday = instances_of(&json!(["RRULE:FREQ=YEARLY;BYMONTHDAY=13;BYDAY=FR"]));
    assert_eq!(friday, ["2026-12-01T08", "2027-08-13T07"]);
}

#[test]
fn what_cannot_be_read_is_refused_by_the_api_and_kept_by_hand_as_one_occurrence() {
    let lines = [
        "RRULE:FREQ=OFTEN",
        "RRULE:FREQ=DAILY;BYFOO=1",
        "nonsense",
        "EXDATE;TZID=Mars/Base:20261201T090000",
        "DTSTART:20261201",
    ];
    for line in lines {
        let mut world = World::new();
        let event = with(timed("2026-12-01", 9), &json!({"recurrence": [line]}));
        refused(&world.call_with("POST", EVENTS, &event), 400, "invalid");
        assert_eq!(instances_of(&json!([line])), ["2026-12-01T08"], "{line}");
    }
}

#[test]
fn a_hostile_rule_costs_no_more_than_another() {
    let numbers = |end: u32| (0..end).map(|number| number.to_string()).collect::<Vec<_>>().join(",");
    let (hours, sixty) = (numbers(24), numbers(60));
    let all = format!("BYHOUR={hours};BYMINUTE={sixty};BYSECOND={sixty}");
    for (start, rule) in [
        ("2026-12-01", format!("FREQ=YEARLY;{all}")),
        ("2026-12-01", format!("FREQ=DAILY;{all};COUNT=4000000000")),
        ("2026-12-01", format!("FREQ=YEARLY;BYHOUR={hours};BYMINUTE={sixty};BYSETPOS=-1")),
        ("2026-12-01", "FREQ=HOURLY;BYMONTH=2;BYMONTHDAY=30".to_owned()),
        ("2026-12-01", "FREQ=YEARLY;BYWEEKNO=53;BYMONTH=6;INTERVAL=7".to_owned()),
        ("2026-12-01", "FREQ=SECONDLY".to_owned()),
        ("0001-01-01", "FREQ=HOURLY".to_owned()),
        ("0001-01-01", "FREQ=DAILY;COUNT=4000000000".to_owned()),
    ] {
        let mut world = World::new();
        let event = with(timed(start, 9), &json!({"recurrence": [format!("RRULE:{rule}")]}));
        let began = Instant::now();
        world.google.create_event(world.now, ADA, &event).unwrap();
        world.list("singleEvents=true&timeMin=2026-12-01T00:00:00Z&timeMax=2027-01-01T00:00:00Z");
        let took = began.elapsed();
        assert!(took < Duration::from_secs(5), "{rule} since {start} took {took:?}");
    }
}
