//! Series as Google has been seen to give them (`tests/cases/recurrence.json`): read by the client, expanded, and
//! compared with lessons.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use async_trait::async_trait;
use calendar_sync::{
    adapters::google::{Answer, Request, Transport},
    decide::{
        conflicts::{self, LessonSpan},
        inbound,
        occurrences::{self, Occurrences},
    },
    model::{CalendarId, Event, ExternalCalendarEvent, LessonId, Window},
    ports::{Calendar, CalendarError, ExternalLookup, PageRequest},
};
use chrono::{DateTime, SecondsFormat, Utc};
use chrono_tz::Tz;
use serde_json::{Value, json};
use testkit::data::{key, lesson_id};

use crate::{
    wire::access,
    world::{calendar_through, soon},
};

/// Answers every request with one page.
struct Page(Value);

#[async_trait]
impl Transport for Page {
    async fn exchange(&self, _: Request, _: Duration) -> Result<Answer, CalendarError> {
        Ok(Answer::new(self.0.to_string().into_bytes()))
    }
}

fn cases() -> Vec<Value> {
    let file: Value = serde_json::from_str(include_str!("../../cases/recurrence.json")).unwrap();
    file["cases"].as_array().unwrap().clone()
}

fn moment(text: &Value) -> DateTime<Utc> {
    text.as_str().unwrap().parse().unwrap()
}

/// The rows that are made of a calendar's events.
async fn rows(zone: &Value, events: &Value) -> Vec<ExternalCalendarEvent> {
    let page = json!({ "timeZone": zone, "items": events, "nextSyncToken": "token" });
    let listing = calendar_through(Arc::new(Page(page))).list(&access(), PageRequest::default(), soon()).await;
    let plan = inbound::plan(
        key(0, 0),
        &CalendarId::from("primary"),
        listing.time_zone.unwrap(),
        moment(&json!("2026-12-01T00:00:00Z")),
        listing.items,
    );
    assert_eq!(plan.put.len(), events.as_array().unwrap().len(), "each is stored");
    assert!(plan.misread.is_empty(), "each is understood");
    plan.put
}

async fn check(name: &str) {
    let case = cases().into_iter().find(|case| case["name"] == name).unwrap();
    let zone: Tz = case["calendarTimeZone"].as_str().unwrap().parse().unwrap();
    let rows = rows(&case["calendarTimeZone"], &case["events"]).await;
    let window = Window { from: moment(&case["window"][0]), to: moment(&case["window"][1]) };
    let is_series = |event: &Event| event.is_series();
    let (series, events): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| is_series(&row.event));
    let lookup = ExternalLookup { events, series: series.into_iter().map(|row| (row, Vec::new())).collect() };

    let mut found = Vec::new();
    occurrences::each(&lookup, window, zone, |row, start, end| {
        let text = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Millis, true);
        found.push(json!([row.id(), text(start), text(end)]));
    });
    assert_eq!(json!(found), case["occurrences"], "{name}: {}", case["situation"]);

    let lessons = case["lessons"].as_array().unwrap().iter().enumerate().map(|(index, lesson)| LessonSpan {
        lesson_id: lesson_id(index as u128),
        start: moment(&lesson[0]),
        end: moment(&lesson[1]),
    });
    let lessons: Vec<_> = lessons.collect();
    let (busy, _) = conflicts::busy_and_free(&lookup, window, &mut Occurrences::within(vec![window], zone));
    let pairs = conflicts::overlaps(&lessons, &busy, window.from);
    let index = |id: LessonId| lessons.iter().position(|lesson| lesson.lesson_id == id);
    let pairs = pairs.into_iter().map(|pair| json!([index(pair.lesson_id), pair.google_event_id]));
    assert_eq!(json!(pairs.collect::<Vec<_>>()), case["conflicts"], "{name}: {}", case["situation"]);
}

macro_rules! cases {
    ($($test:ident: $name:literal,)+) => {
        $(#[tokio::test]
        async fn $test() {
            check($name).await;
        })+

        #[test]
        fn every_case_has_a_test() {
            let named: BTreeSet<_> = cases().iter().map(|case| case["name"].as_str().unwrap().to_owned()).collect();
            assert_eq!(named, [$($name),+].map(str::to_owned).into());
        }
    };
}

cases! {
    an_offset_names_the_zone: "gmt-offset-zone",
    an_offset_does_not_change_its_clock: "gmt-offset-zone-dst",
    a_foreign_part_of_a_rule_is_passed_over: "x-evolution-enddate",
    a_day_of_the_month_is_once_a_year: "yearly-bymonthday",
    a_count_of_years_counts_years: "yearly-bymonthday-count",
    dates_in_the_line_of_a_rule_are_occurrences: "rrule-date-line",
    a_rule_stands_without_its_name: "rule-without-prefix",
    a_whole_day_is_left_out_as_it_is_written: "allday-exdate-other-zone",
    a_whole_day_that_ends_on_its_start_blocks_it: "allday-same-end",
    a_weekly_ordinal_is_every_week: "weekly-ordinal",
    white_space_in_a_rule_means_nothing: "space-in-rule",
    a_night_shift_ends_by_the_clock: "overnight-dst",
    a_start_in_the_hour_shown_twice_stays: "starts-in-the-hour-shown-twice",
    the_hour_shown_twice_comes_first: "comes-to-the-hour-shown-twice",
    what_the_clock_skips_is_left_out_past_the_gap: "comes-to-the-hour-skipped",
    what_the_clock_skips_ends_past_the_gap: "ends-in-the-hour-skipped",
    a_date_before_the_start_is_found_on_its_day: "rdate-before-start",
    a_date_before_the_start_comes_before_the_rest: "rdate-before-start-in-a-wide-window",
    an_offset_is_read_with_utc_and_without_minutes: "utc-minus-zone",
    a_zone_of_windows_changes_its_clock: "windows-zone",
}
