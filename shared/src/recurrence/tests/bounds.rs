//! The extent of a series, and how many steps one may take.

use std::fmt::Write as _;

use super::*;

#[test]
fn a_series_extends_from_its_earliest_occurrence_to_the_end_of_its_last() {
    let ended = |text| Some(utc(text));
    for (lines, first_start, last_end) in [
        (&["RRULE:FREQ=DAILY"][..], "2026-03-20T08:00:00Z", None),
        (&["RRULE:FREQ=DAILY;UNTIL=20260322T225959Z"], "2026-03-20T08:00:00Z", ended("2026-03-22T09:00:00Z")),
        (&["RRULE:FREQ=DAILY;COUNT=5"], "2026-03-20T08:00:00Z", ended("2026-03-24T09:00:00Z")),
        (
            &["RRULE:FREQ=DAILY;COUNT=2", "EXDATE:20260321T080000Z"],
            "2026-03-20T08:00:00Z",
            ended("2026-03-20T09:00:00Z"),
        ),
        (&["RDATE:20260101T080000Z,20261201T080000Z"], "2026-01-01T08:00:00Z", ended("2026-12-01T09:00:00Z")),
        (&["RRULE:FREQ=DAILY", "RDATE:20260101T080000Z"], "2026-01-01T08:00:00Z", None),
        (&["EXDATE;VALUE=DATE:20260320"], "2026-03-20T08:00:00Z", ended("2026-03-20T08:00:00Z")),
        (&["nonsense"], "2026-03-20T08:00:00Z", ended("2026-03-20T09:00:00Z")),
        // Beyond the budget.
        (&["RRULE:FREQ=DAILY;UNTIL=99991231T000000Z"], "2026-03-20T08:00:00Z", None),
    ] {
        let expected = Ok(Extent { first_start: utc(first_start), last_end });
        assert_eq!(hour("2026-03-20", BERLIN, lines).extent(), expected, "{lines:?}");
    }
}

/// Every number from `from` to `to`.
fn full(from: u32, to: u32) -> String {
    (from..=to).map(|number| number.to_string()).collect::<Vec<_>>().join(",")
}

#[test]
fn what_asks_for_too_much_work_is_refused() {
    let (hours, minutes, seconds) = (full(0, 23), full(0, 59), full(0, 59));
    let all = format!("BYHOUR={hours};BYMINUTE={minutes};BYSECOND={seconds}");
    for rule in [
        format!("FREQ=DAILY;{all}"),
        format!("FREQ=YEARLY;BYDAY=MO,TU,WE,TH,FR,SA,SU;{all};BYSETPOS=-1"),
        format!("FREQ=MONTHLY;COUNT=1000000;{all}"),
        "FREQ=SECONDLY".to_owned(),
        "FREQ=MINUTELY".to_owned(),
        "FREQ=MINUTELY;INTERVAL=10".to_owned(),
        "FREQ=SECONDLY;COUNT=4000000000".to_owned(),
        "FREQ=DAILY;COUNT=99999999999999999999".to_owned(),
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30;COUNT=1".to_owned(),
        format!("FREQ=HOURLY;BYMINUTE={minutes}"),
        format!("FREQ=SECONDLY;BYHOUR={hours}"),
    ] {
        for start in ["0001-01-01", "2026-03-02"] {
            let series = hour(start, BERLIN, &[&format!("RRULE:{rule}")]);
            assert_eq!(series.extent(), Err(TooMuchWork), "{rule}");
            // A series that is stored nevertheless ends where its budget does.
            assert!(between(&series, "2026-03-01", "2027-03-01").len() as u64 <= budget::MAX_STEPS + 1, "{rule}");
        }
    }
    let many = vec!["RRULE:FREQ=DAILY"; 200];
    assert_eq!(hour("2026-03-02", BERLIN, &many).extent(), Err(TooMuchWork));
    let centuries = timed("1000-01-01T00:00:00", "1900-01-01T00:00:00", BERLIN, &["RRULE:FREQ=DAILY"]);
    assert_eq!(centuries.extent(), Err(TooMuchWork));
}

#[test]
fn what_a_calendar_needs_is_not_refused() {
    let hours = full(0, 23);
    for rule in [
        "FREQ=DAILY".to_owned(),
        "FREQ=YEARLY;BYDAY=MO,TU,WE,TH,FR".to_owned(),
        "FREQ=DAILY;INTERVAL=99999999999".to_owned(),
        "FREQ=DAILY;COUNT=20000".to_owned(),
        "FREQ=MONTHLY;COUNT=1000".to_owned(),
        "FREQ=HOURLY".to_owned(),
        "FREQ=MINUTELY;INTERVAL=20".to_owned(),
        "FREQ=MINUTELY;COUNT=600".to_owned(),
        "FREQ=MINUTELY;UNTIL=20000103T100000Z".to_owned(),
        format!("FREQ=DAILY;BYHOUR={hours};BYMINUTE=0,30"),
    ] {
        assert!(hour("2000-01-03", BERLIN, &[&format!("RRULE:{rule}")]).extent().is_ok(), "{rule}");
    }
}

#[test]
fn thousands_of_dates_are_data_and_no_work() {
    let dates = |name: &str, hour: u32| {
        let mut line = format!("{name}:");
        for n in 0..5_000 {
            let day = NaiveDate::from_ymd_opt(2026, 1, 1).unwrap() + chrono::Days::new(n);
            write!(line, "{}T{hour:02}0000Z,", day.format("%Y%m%d")).unwrap();
        }
        line
    };
    let series = hour("2026-01-01", Tz::UTC, &["RRULE:FREQ=DAILY", &dates("EXDATE", 9), &dates("RDATE", 15)]);
    assert_eq!(starts(&series, "2030-01-01", "2030-01-03"), ["01-01T15:00", "01-02T15:00"]);
    assert_eq!(series.extent().map(|extent| extent.last_end), Ok(None));
    assert_eq!(starts(&series, "2039-12-31", "2040-01-01"), ["12-31T09:00"]);
}
