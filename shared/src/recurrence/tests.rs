//! What the lines of a series mean.

mod bounds;
mod hostile;

use super::*;
use crate::{model::EventTime, testing::event};

const BERLIN: Tz = Tz::Europe__Berlin;

/// A series whose first occurrence has these local times in `zone`.
fn timed(start: &str, end: &str, zone: Tz, lines: &[&str]) -> Series {
    let zone = Zone::Named(zone);
    let at = |local: &str| EventTime::At { instant: zone.instant(local.parse().unwrap()), zone: Some(zone) };
    Series::read(&event("series", at(start), at(end), lines), Tz::UTC).unwrap()
}

/// One hour from nine on.
fn hour(day: &str, zone: Tz, lines: &[&str]) -> Series {
    timed(&format!("{day}T09:00:00"), &format!("{day}T10:00:00"), zone, lines)
}

fn days(start: &str, end: &str, lines: &[&str]) -> Series {
    let day = |text: &str| EventTime::Day(text.parse().unwrap());
    Series::read(&event("series", day(start), day(end), lines), BERLIN).unwrap()
}

fn utc(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn between(series: &Series, from: &str, to: &str) -> Vec<Times> {
    let day = |text: &str| utc(&format!("{text}T00:00:00Z"));
    series.occurrences(Window { from: day(from), to: day(to) })
}

/// The starts between two days, in UTC.
fn starts(series: &Series, from: &str, to: &str) -> Vec<String> {
    between(series, from, to).iter().map(|(start, _)| start.format("%m-%dT%H:%M").to_string()).collect()
}

/// As `21T08:00-09:00`, in UTC.
fn to_the_minute(found: &[Times]) -> String {
    let span = |(start, end): &Times| format!("{}-{}", start.format("%dT%H:%M"), end.format("%H:%M"));
    found.iter().map(span).collect::<Vec<_>>().join(" ")
}

/// As `21T08/09`: day and hour of the start, hour of the end, in UTC.
fn spans(series: &Series, from: &str, to: &str) -> Vec<String> {
    let span = |(start, end): &Times| format!("{}/{}", start.format("%dT%H"), end.format("%H"));
    between(series, from, to).iter().map(span).collect()
}

#[test]
fn what_a_rule_means_is_one_table() {
    #[rustfmt::skip]
    let cases: [(&str, &str, &[&str]); 21] = [
        ("2026-01-31", "FREQ=MONTHLY;COUNT=3", &["2026-01-31", "2026-03-31", "2026-05-31"]),
        ("2026-01-31", "FREQ=MONTHLY;BYMONTHDAY=-1;COUNT=3", &["2026-01-31", "2026-02-28", "2026-03-31"]),
        ("2024-02-29", "FREQ=YEARLY;COUNT=2", &["2024-02-29", "2028-02-29"]),
        ("2026-03-02", "FREQ=DAILY;INTERVAL=10;COUNT=3", &["2026-03-02", "2026-03-12", "2026-03-22"]),
        ("2026-03-02", "FREQ=DAILY;BYMONTH=4;BYDAY=SU;COUNT=2", &["2026-03-02", "2026-04-05", "2026-04-12"]),
        // The first occurrence takes place where the rule leaves it out, but COUNT does not include it.
        ("2026-01-05", "FREQ=MONTHLY;BYDAY=-1FR;COUNT=2", &["2026-01-05", "2026-01-30", "2026-02-27"]),
        // RFC 5545, section 3.8.5.3.
        ("1997-08-05", "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO", &["1997-08-05", "1997-08-10", "1997-08-19", "1997-08-24"]),
        ("1997-08-05", "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU", &["1997-08-05", "1997-08-17", "1997-08-19", "1997-08-31"]),
        ("1997-05-12", "FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO;COUNT=3", &["1997-05-12", "1998-05-11", "1999-05-17"]),
        ("1997-01-01", "FREQ=YEARLY;INTERVAL=3;COUNT=5;BYYEARDAY=1,100,200", &["1997-01-01", "1997-04-10", "1997-07-19", "2000-01-01", "2000-04-09"]),
        ("1997-05-19", "FREQ=YEARLY;BYDAY=20MO;COUNT=3", &["1997-05-19", "1998-05-18", "1999-05-17"]),
        ("1998-02-13", "FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13;COUNT=3", &["1998-02-13", "1998-03-13", "1998-11-13"]),
        ("1996-11-05", "FREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8;COUNT=3", &["1996-11-05", "2000-11-07", "2004-11-02"]),
        ("1997-09-04", "FREQ=MONTHLY;COUNT=3;BYDAY=TU,WE,TH;BYSETPOS=3", &["1997-09-04", "1997-10-07", "1997-11-06"]),
        ("1997-09-29", "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-2;COUNT=3", &["1997-09-29", "1997-10-30", "1997-11-27"]),
        // What RFC 5545 leaves open or forbids, or what Google does differently.
        ("2022-08-20", "FREQ=YEARLY;WKST=SU;BYMONTHDAY=20;COUNT=2", &["2022-08-20", "2023-08-20"]),
        ("2026-05-11", "FREQ=YEARLY;BYWEEKNO=20;COUNT=2", &["2026-05-11", "2027-05-17"]),
        ("2026-12-07", "FREQ=WEEKLY;COUNT=2;BYDAY=1MO", &["2026-12-07", "2026-12-14"]),
        ("2026-12-07", "FREQ=DAILY;COUNT=2;BYDAY=-1MO", &["2026-12-07", "2026-12-14"]),
        ("2026-12-30", "FREQ=YEARLY;BYWEEKNO=-1;COUNT=2", &["2026-12-30", "2027-12-29"]),
        ("2026-12-07", "FREQ=YEARLY;UNTIL=20271207;COUNT=9", &["2026-12-07", "2027-12-07"]),
    ];
    for (start, rule, expected) in cases {
        let series = hour(start, Tz::UTC, &[&format!("RRULE:{rule}")]);
        let found = between(&series, "1996-01-01", "2030-01-01");
        let found: Vec<_> = found.iter().map(|(start, _)| start.format("%Y-%m-%d").to_string()).collect();
        assert_eq!((found, series.misread()), (expected.iter().map(|day| (*day).to_owned()).collect(), 0), "{rule}");
    }
}

#[test]
fn times_of_a_day_are_made_of_hours_minutes_and_seconds() {
    for (rule, expected) in [
        ("FREQ=DAILY;BYHOUR=17,9;BYMINUTE=0,30;COUNT=5", "02T09:00 02T09:30 02T17:00 02T17:30 03T09:00"),
        ("FREQ=DAILY;BYHOUR=9,17;BYSETPOS=-1;COUNT=2", "02T09:00 02T17:00 03T17:00"),
        ("FREQ=HOURLY;INTERVAL=5;BYMINUTE=0,30;COUNT=4", "02T09:00 02T09:30 02T14:00 02T14:30"),
        (
            "FREQ=MINUTELY;INTERVAL=20;BYHOUR=9,10;COUNT=7",
            "02T09:00 02T09:20 02T09:40 02T10:00 02T10:20 02T10:40 03T09:00",
        ),
        ("FREQ=SECONDLY;INTERVAL=43200;BYHOUR=21,9;COUNT=3", "02T09:00 02T21:00 03T09:00"),
    ] {
        let found = between(&hour("2026-03-02", Tz::UTC, &[&format!("RRULE:{rule}")]), "2026-01-01", "2027-01-01");
        let found: Vec<_> = found.iter().map(|(start, _)| start.format("%dT%H:%M").to_string()).collect();
        assert_eq!(found.join(" "), expected, "{rule}");
    }
}

#[test]
fn what_others_write_differently_means_the_same() {
    for line in [
        "RRULE:FREQ=WEEKLY;COUNT=3",
        "rrule:freq=weekly;count=3",
        " RRULE : FREQ = WEEKLY ;\r\n COUNT=3; ",
        "FREQ=WEEKLY;COUNT=3",
        "RRULE;X-A=b:FREQ=WEEKLY;COUNT=03;BYDAY=",
        "RRULE:FREQ=WEEKLY;X-EVOLUTION-ENDDATE=20261228T140000Z;COUNT=3;BYDAY=MO",
        "RRULE:DATE:20260302T090000,20260309T090000, 20260316T090000",
        "RRULE:DATE;TZID=Asia/Tokyo:20260302T180000,20260309T180000,20260316T180000",
        "RDATE;VALUE=DATE:20260309,20260316",
    ] {
        let series = hour("2026-03-02", Tz::UTC, &[line]);
        let found = starts(&series, "2026-01-01", "2027-01-01");
        assert_eq!((found.join(" "), series.misread()), ("03-02T09:00 03-09T09:00 03-16T09:00".into(), 0), "{line}");
    }
}

#[test]
fn a_line_whose_meaning_is_not_plain_is_counted_and_adds_nothing() {
    for line in [
        "",
        "garbage",
        "X:FREQ=DAILY",
        "RRULE:",
        "RRULE:DATE",
        "RRULE:FREQ=NEVER",
        "RRULE:FREQ=DAILY;FREQ=WEEKLY",
        "RRULE:FREQ=DAILY;EXTRA",
        "RRULE:FREQ=DAILY;BYEASTER=0",
        "RRULE:FREQ=DAILY;RSCALE=HEBREW",
        "RRULE:FREQ=DAILY;UNTIL=x",
        "RRULE:FREQ=DAILY;UNTIL=",
        "RRULE:FREQ=DAILY;COUNT=0",
        "RRULE:FREQ=DAILY;COUNT=-1",
        "RRULE:FREQ=DAILY;INTERVAL=0",
        "RRULE:FREQ=DAILY;INTERVAL=x",
        "RRULE:FREQ=DAILY;WKST=XX",
        "RRULE:FREQ=WEEKLY;BYDAY=XX",
        "RRULE:FREQ=WEEKLY;BYDAY=M",
        "RRULE:FREQ=WEEKLY;BYDAY=MO\u{368}E",
        "RRULE:FREQ=MONTHLY;BYDAY=0MO",
        "RRULE:FREQ=MONTHLY;BYDAY=54MO",
        "RRULE:FREQ=DAILY;BYMONTH=13",
        "RRULE:FREQ=DAILY;BYMONTH=0",
        "RRULE:FREQ=DAILY;BYMONTHDAY=32",
        "RRULE:FREQ=DAILY;BYHOUR=24",
        "RRULE:FREQ=DAILY;BYSETPOS=0",
        "RDATE:20260321T000000/PT0S",
        "RDATE:20260321T000000Z/20260320T000000Z",
        "RDATE;TZID=Nowhere:99999999",
        "EXDATE:x",
        "EXDATE;TZID=Zürich:20260321T090000",
    ] {
        let series = hour("2026-03-20", Tz::UTC, &[line]);
        let found = starts(&series, "2026-03-01", "2026-06-01");
        assert_eq!((found.join(" "), series.misread()), ("03-20T09:00".into(), 1), "{line}");
    }
    let mixed = hour("2026-03-20", Tz::UTC, &["RRULE:FREQ=DAILY;COUNT=2", "nonsense", "RDATE:x,20260330T090000Z"]);
    assert_eq!(starts(&mixed, "2026-03-01", "2026-06-01").join(" "), "03-20T09:00 03-21T09:00 03-30T09:00");
    assert_eq!(mixed.misread(), 2);
}

#[test]
fn dates_remove_and_add_occurrences_however_they_are_written() {
    for (line, expected) in [
        ("EXDATE:20260321T080000Z", "20T08/09 22T08/09"),
        ("EXDATE:20260321T090000", "20T08/09 22T08/09"),
        ("EXDATE;TZID=Europe/Berlin:20260321T090000", "20T08/09 22T08/09"),
        ("EXDATE;tzid=\"Europe/Berlin\":20260321T090000,20260322T090000", "20T08/09"),
        ("EXDATE;TZID=W. Europe Standard Time:20260321T090000", "20T08/09 22T08/09"),
        ("EXDATE;TZID=Asia/Tokyo:20260321T170000", "20T08/09 22T08/09"),
        // Most likely the series' own zone, under the name that another program gave it.
        ("EXDATE;TZID=Own zone:20260321T090000", "20T08/09 22T08/09"),
        ("EXDATE;VALUE=DATE:20260321", "20T08/09 22T08/09"),
        ("EXDATE:20260321T083000Z", "20T08/09 21T08/09 22T08/09"),
        ("RDATE;VALUE=DATE:20260330", "20T08/09 21T08/09 22T08/09 30T07/08"),
        ("RDATE:20260330T120000Z", "20T08/09 21T08/09 22T08/09 30T12/13"),
        ("RDATE;TZID=America/New_York:20260330T080000", "20T08/09 21T08/09 22T08/09 30T12/13"),
        ("RDATE:20260310T080000Z", "10T08/09 20T08/09 21T08/09 22T08/09"),
        ("RDATE:20260321T080000Z", "20T08/09 21T08/09 22T08/09"),
        ("RDATE;VALUE=PERIOD:20260330T120000Z/PT3H", "20T08/09 21T08/09 22T08/09 30T12/15"),
        ("RDATE;VALUE=PERIOD:20260330T120000Z/20260330T140000Z", "20T08/09 21T08/09 22T08/09 30T12/14"),
        ("EXRULE:FREQ=DAILY;INTERVAL=2", "21T08/09"),
    ] {
        let series = hour("2026-03-20", BERLIN, &["RRULE:FREQ=DAILY;COUNT=3", line]);
        assert_eq!(spans(&series, "2026-03-01", "2026-05-01").join(" "), expected, "{line}");
    }
}

#[test]
fn an_end_ends_its_rule_alone() {
    for (lines, expected) in [
        (&["RRULE:FREQ=DAILY;UNTIL=20260321T080000Z"][..], "20T08/09 21T08/09"),
        (&["RRULE:FREQ=DAILY;UNTIL=20260321T075959Z"], "20T08/09"),
        (&["RRULE:FREQ=DAILY;UNTIL=20260321"], "20T08/09 21T08/09"),
        (&["RRULE:FREQ=DAILY;UNTIL=20260321T090000"], "20T08/09 21T08/09"),
        (&["RRULE:FREQ=DAILY;UNTIL=20260101T000000Z"], "20T08/09"),
        (&["RRULE:FREQ=DAILY;UNTIL=20260320", "RDATE:20260325T080000Z"], "20T08/09 25T08/09"),
    ] {
        let series = hour("2026-03-20", BERLIN, lines);
        assert_eq!(spans(&series, "2026-03-01", "2026-05-01").join(" "), expected, "{lines:?}");
    }
}

#[test]
fn whole_days_repeat_where_the_calendar_is_and_their_dates_are_days_as_written() {
    for (lines, expected) in [
        (&["RRULE:FREQ=DAILY;COUNT=3"][..], "27T23/23 28T23/22 29T22/22"),
        (&["RRULE:FREQ=DAILY;COUNT=3", "EXDATE;VALUE=DATE:20260330"], "27T23/23 28T23/22"),
        (&["RRULE:FREQ=DAILY;COUNT=3", "EXDATE:20260330T000000Z"], "27T23/23 28T23/22"),
        (&["RRULE:FREQ=DAILY;COUNT=3", "EXDATE;TZID=Asia/Tokyo:20260330T000000"], "27T23/23 28T23/22"),
        (&["RRULE:FREQ=DAILY;COUNT=3", "EXDATE;TZID=America/New_York:20260330T180000"], "27T23/23 28T23/22"),
        (&["RRULE:FREQ=DAILY;UNTIL=20260329T000000"], "27T23/23 28T23/22"),
        (&["RRULE:FREQ=DAILY;UNTIL=20260329T235959Z"], "27T23/23 28T23/22"),
        (&["RRULE:FREQ=DAILY;COUNT=1;BYHOUR=9,10"], "27T23/23"),
        (&["RDATE;TZID=Asia/Tokyo:20260331T120000"], "27T23/23 30T22/22"),
        // Hours in a series of whole days have no certain meaning.
        (&["RRULE:FREQ=HOURLY"], "27T23/23"),
    ] {
        let series = days("2026-03-28", "2026-03-29", lines);
        assert_eq!(spans(&series, "2026-03-01", "2026-05-01").join(" "), expected, "{lines:?}");
    }
}

#[test]
fn occurrences_begin_and_end_by_the_clock_of_their_zone() {
    for (start, end, rule, expected) in [
        // The clock goes forward at 02:00 on 29 March, and back at 03:00 on 25 October.
        ("03-27T09:00", "03-27T10:00", "FREQ=WEEKLY;COUNT=2", "27T08:00-09:00 03T07:00-08:00"),
        ("03-28T02:30", "03-28T03:30", "FREQ=DAILY;COUNT=3", "28T01:30-02:30 29T01:30-02:30 30T00:30-01:30"),
        ("03-28T02:30", "03-28T05:30", "FREQ=DAILY;COUNT=2", "28T01:30-04:30 29T01:30-03:30"),
        ("03-28T01:30", "03-28T02:30", "FREQ=DAILY;COUNT=2", "28T00:30-01:30 29T00:30-01:30"),
        ("03-28T01:30", "03-28T03:00", "FREQ=DAILY;COUNT=2", "28T00:30-02:00 29T00:30-01:00"),
        ("03-28T02:30", "03-28T03:00", "FREQ=DAILY;COUNT=2", "28T01:30-02:00 29T01:30-02:00"),
        ("03-27T22:00", "03-28T06:00", "FREQ=DAILY;COUNT=3", "27T21:00-05:00 28T21:00-04:00 29T20:00-04:00"),
        ("10-23T22:00", "10-24T06:00", "FREQ=DAILY;COUNT=3", "23T20:00-04:00 24T20:00-05:00 25T21:00-05:00"),
        ("10-24T02:30", "10-24T02:45", "FREQ=DAILY;COUNT=2", "24T00:30-00:45 25T00:30-00:45"),
        // Two local times that are one instant are one occurrence.
        (
            "03-29T00:30",
            "03-29T01:00",
            "FREQ=HOURLY;COUNT=5",
            "28T23:30-00:00 29T00:30-01:00 29T01:30-02:00 29T02:30-03:00",
        ),
    ] {
        let [start, end] = [start, end].map(|local| format!("2026-{local}:00"));
        let found = between(&timed(&start, &end, BERLIN, &[&format!("RRULE:{rule}")]), "2026-01-01", "2027-01-01");
        assert_eq!(to_the_minute(&found), expected, "{start} {rule}");
    }
}

#[test]
fn a_date_that_is_added_in_the_hour_that_the_clock_skips_ends_by_the_clock_as_one_of_a_rule_does() {
    // The clock goes from 02:00 to 03:00 on 29 March, at 01:00 UTC.
    let added = "RDATE;TZID=Europe/Berlin:20260329T023000";
    for lines in [&["RRULE:FREQ=WEEKLY"][..], &[added], &["RRULE:FREQ=WEEKLY", added], &["RDATE:20260329T023000"]] {
        let series = timed("2026-03-22T02:30:00", "2026-03-22T04:30:00", BERLIN, lines);
        assert_eq!(to_the_minute(&between(&series, "2026-03-28", "2026-03-30")), "29T01:30-02:30", "{lines:?}");
    }
}

#[test]
fn a_first_occurrence_in_the_hour_that_the_clock_shows_twice_stays_where_it_is() {
    let at = |instant| EventTime::At { instant: utc(instant), zone: Some(BERLIN.into()) };
    let lines = ["RRULE:FREQ=DAILY;COUNT=2"];
    let series = event("series", at("2026-10-25T01:30:00Z"), at("2026-10-25T01:45:00Z"), &lines);
    let found = starts(&Series::read(&series, Tz::UTC).unwrap(), "2026-10-01", "2026-11-01");
    assert_eq!(found, ["10-25T01:30", "10-26T01:30"]);
}

#[test]
fn where_the_first_occurrence_ends_no_later_by_the_clock_all_last_as_long_as_it_does() {
    let at = |instant: &str| EventTime::At { instant: utc(instant), zone: Some(BERLIN.into()) };
    for (start, end, rule, expected) in [
        // The clock goes back from 03:00 to 02:00 on 25 October, at 01:00 UTC.
        ("00:30", "01:00", "FREQ=MONTHLY;COUNT=2", "25T00:30-01:00 25T01:30-02:00"),
        ("00:00", "01:00", "FREQ=DAILY;COUNT=2", "25T00:00-01:00 26T01:00-02:00"),
        ("00:45", "01:15", "FREQ=DAILY;COUNT=2", "25T00:45-01:15 26T01:45-02:15"),
        // By the clock a quarter of an hour.
        ("00:15", "01:30", "FREQ=DAILY;COUNT=2", "25T00:15-01:30 26T01:15-01:30"),
    ] {
        let [start, end] = [start, end].map(|time| format!("2026-10-25T{time}:00Z"));
        let series = event("series", at(&start), at(&end), &[&format!("RRULE:{rule}")]);
        let found = between(&Series::read(&series, Tz::UTC).unwrap(), "2026-10-01", "2026-12-01");
        assert_eq!(to_the_minute(&found), expected, "{start} {rule}");
    }
}

#[test]
fn an_offset_is_a_zone_whose_days_and_hours_count() {
    let zone = Zone::read("GMT+05:30");
    let at = |instant| EventTime::At { instant: utc(instant), zone };
    let series = |lines: &[&str]| {
        Series::read(&event("series", at("2027-03-21T19:30:00Z"), at("2027-03-21T20:30:00Z"), lines), BERLIN).unwrap()
    };
    let mondays = series(&["RRULE:FREQ=WEEKLY;BYDAY=MO;COUNT=3"]);
    assert_eq!(starts(&mondays, "2027-03-01", "2027-05-01"), ["03-21T19:30", "03-28T19:30", "04-04T19:30"]);
    let without = series(&["RRULE:FREQ=WEEKLY;BYDAY=MO;COUNT=2", "EXDATE;TZID=GMT+05:30:20270329T010000"]);
    assert_eq!(starts(&without, "2027-03-01", "2027-05-01"), ["03-21T19:30"]);
}

#[test]
fn an_endless_series_is_known_years_ahead() {
    let series = hour("2000-01-03", Tz::UTC, &["RRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE"]);
    let near = starts(&series, "2000-01-01", "2000-01-22");
    assert_eq!(near, ["01-03T09:00", "01-05T09:00", "01-17T09:00", "01-19T09:00"]);
    // 2040-01-02 is 2087 weeks after the first occurrence: an odd week, in which nothing occurs.
    assert_eq!(starts(&series, "2040-01-01", "2040-01-22"), ["01-09T09:00", "01-11T09:00"]);
    let first_and_last = hour("0001-01-01", Tz::UTC, &["RRULE:FREQ=YEARLY"]);
    assert_eq!(starts(&first_and_last, "0001-01-01", "0002-01-01"), ["01-01T09:00"]);
    assert_eq!(starts(&first_and_last, "9999-01-01", "+10000-01-01"), ["01-01T09:00"]);
}

#[test]
fn an_occurrence_that_lasts_long_is_found_while_it_lasts() {
    let series = timed("2026-01-01T00:00:00", "2026-03-01T00:00:00", Tz::UTC, &["RRULE:FREQ=YEARLY"]);
    assert_eq!(starts(&series, "2027-02-20", "2027-02-21"), ["01-01T00:00"]);
    assert_eq!(starts(&series, "2027-03-01", "2027-12-31"), [""; 0]);
}
