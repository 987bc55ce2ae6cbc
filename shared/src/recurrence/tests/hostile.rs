//! Values at the ends of what can be written: whatever stands in a calendar, its reader reckons on.

use super::*;

/// Zones whose clocks are farthest from UTC, on either side.
const ZONES: [&str; 5] = ["UTC", "Pacific/Kiritimati", "America/Adak", "GMT+18:00", "GMT-18:00"];

/// The first and the last moments that Google has, and ends that come long after their start or before it.
const TIMES: [(&str, &str); 5] = [
    ("0001-01-01T00:00:00Z", "0001-01-01T01:00:00Z"),
    ("9999-12-31T23:00:00Z", "9999-12-31T23:59:59Z"),
    ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"),
    ("9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z"),
    ("2026-03-02T09:00:00Z", "2026-03-02T08:00:00Z"),
];

fn hostile_series() -> Vec<(EventTime, EventTime)> {
    let days = TIMES.map(|times| <[_; 2]>::from(times).map(|time| EventTime::Day(utc(time).date_naive())));
    let moments = ZONES.into_iter().flat_map(|zone| {
        TIMES
            .map(|times| <[_; 2]>::from(times).map(|time| EventTime::At { instant: utc(time), zone: Zone::read(zone) }))
    });
    moments.chain(days).map(|[start, end]| (start, end)).collect()
}

/// An interval after which the next period is the last that can be reckoned with.
fn farthest(start: EventTime, days_of_a_period: i64) -> i64 {
    ((NaiveDate::MAX - start.instant(Tz::UTC).date_naive()).num_days() / days_of_a_period).max(1)
}

fn hostile_lines(start: EventTime) -> Vec<String> {
    let dates = ["00010101", "00010101T000000Z", "99991231", "99991231T235959Z", "99991231T235960"];
    let lasts = ["P522857W", "PT9999999999H", "00010101T000000Z", "99991231T235959Z"];
    let mut lines: Vec<String> = Vec::new();
    for date in dates {
        lines.push(format!("RRULE:FREQ=MONTHLY;UNTIL={date}"));
        lines.extend(lasts.map(|lasts| format!("RDATE;VALUE=PERIOD:{date}/{lasts}")));
        for zone in ZONES {
            lines.extend(["RDATE", "EXDATE"].map(|name| format!("{name};TZID={zone}:{date}")));
        }
    }
    for (frequency, days) in [("YEARLY", 366), ("MONTHLY", 31), ("WEEKLY", 7), ("DAILY", 1)] {
        let each = |interval: &dyn std::fmt::Display| format!("RRULE:FREQ={frequency};INTERVAL={interval}");
        lines.extend([each(&farthest(start, days)), each(&i64::MAX), each(&u64::MAX)]);
    }
    lines.push(format!("RRULE:FREQ=WEEKLY;WKST=SU;COUNT=9;INTERVAL={}", farthest(start, 7)));
    lines.push("RRULE:FREQ=YEARLY;BYWEEKNO=1,53,-1,-53;BYDAY=MO,SU;WKST=WE".to_owned());
    lines
}

#[test]
fn no_series_is_too_early_too_late_or_too_long_to_be_reckoned_with() {
    for (start, end) in hostile_series() {
        for line in hostile_lines(start) {
            let series = Series::read(&event("series", start, end, &[&line]), BERLIN).unwrap();
            let _ = series.extent();
            for year in ["0001", "2026", "9999"] {
                let from = utc(&format!("{year}-01-01T00:00:00Z"));
                let window = Window { from, to: from + TimeDelta::days(366) };
                let found = series.occurrences(window);
                let inside = |(start, end): &Times| *start < window.to && *end > window.from;
                assert!(found.is_sorted() && found.iter().all(inside), "{line} {year}");
            }
        }
    }
}

#[test]
fn numbers_too_large_to_mean_anything_are_said_not_to_be_understood() {
    let numbers = [i64::from(i32::MIN), i64::from(i32::MAX), i64::MIN, i64::MAX, i64::from(u32::MAX) + 2];
    let mut lines: Vec<String> = Vec::new();
    for number in numbers {
        for part in ["BYMONTH", "BYWEEKNO", "BYYEARDAY", "BYMONTHDAY", "BYHOUR", "BYMINUTE", "BYSECOND", "BYSETPOS"] {
            lines.push(format!("RRULE:FREQ=YEARLY;{part}={number}"));
        }
        lines.push(format!("RRULE:FREQ=MONTHLY;BYDAY={number}MO"));
    }
    for times in [1, 15, 16, 17, 10_000] {
        lines.push(format!("RDATE;VALUE=PERIOD:20260330T090000Z/P{}", "9999999999W".repeat(times)));
        lines.push(format!("RDATE;VALUE=PERIOD:20260330T090000Z/PT{}", "9999999999H".repeat(times)));
    }
    for line in lines {
        let series = hour("2026-03-20", Tz::UTC, &[&line]);
        let found = starts(&series, "2026-03-01", "2026-06-01");
        assert_eq!((found.join(" "), series.misread()), ("03-20T09:00".into(), 1), "{line:.80}");
    }
}
