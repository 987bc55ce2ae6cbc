//! The time of decisions whose cost could grow with a calendar's age or size: `make bench`. It prints figures and
//! judges none, since they depend on the machine.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use calendar_sync::{
    model::{CalendarId, Event, EventId, EventStatus, EventTime, EventType, LessonId, Window},
    reconcile::conflicts::{BusySpan, LessonSpan, overlaps},
    recurrence::{Series, Times},
};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;
use uuid::Uuid;

fn main() {
    let year = Window { from: day(2026, 3, 1), to: day(2027, 3, 1) };
    let week = |year| Window { from: day(year, 3, 1), to: day(year, 3, 8) };
    let daily = series(day(2000, 1, 3), vec!["RRULE:FREQ=DAILY".to_owned()]);
    let first = time(1_000, || occurrences(&daily, week(2000)));
    let latest = time(1_000, || occurrences(&daily, week(2026)));
    println!("a week of a daily series that began in 2000");
    println!("    in its first year {first:?}, 26 years later {latest:?} ({:.1} times as long)", ratio(latest, first));

    println!("series that ask for much work: when they are listed, and each year that is read of them");
    for (name, start, lines) in hostile() {
        let series = series(start, lines);
        let listed = time(20, || Series::read(&series, Tz::UTC).map(|series| series.extent()));
        let verdict = match Series::read(&series, Tz::UTC).map(|series| series.extent()) {
            Some(Ok(_)) => "taken",
            Some(Err(_)) | None => "left out",
        };
        let (read, found) = (time(20, || occurrences(&series, year)), occurrences(&series, year).len());
        println!("    {name}: {verdict} after {listed:?}, read in {read:?} ({found} occurrences)");
    }

    let [thousand, ten_thousand] = [1_000, 10_000].map(|count| {
        let (lessons, busy) = (lessons(count), busy(count));
        time(20, || overlaps(&lessons, &busy, day(2026, 1, 1)))
    });
    println!("all conflicts of n lessons with n events");
    println!("    1,000: {thousand:?}, 10,000: {ten_thousand:?} ({:.1} times as long)", ratio(ten_thousand, thousand));
}

fn occurrences(event: &Event, window: Window) -> Vec<Times> {
    Series::read(event, Tz::UTC).map(|series| series.occurrences(window)).unwrap_or_default()
}

/// Series, each named by what makes it costly.
fn hostile() -> Vec<(&'static str, DateTime<Utc>, Vec<String>)> {
    let full = |to: u32| (0..=to).map(|number| number.to_string()).collect::<Vec<_>>().join(",");
    let clock = format!("BYHOUR={};BYMINUTE={};BYSECOND={}", full(23), full(59), full(59));
    let days = (1..=366).map(|number| format!("{number},-{number}")).collect::<Vec<_>>().join(",");
    let (early, late) = (day(1, 1, 1), day(2026, 1, 1));
    let rule = |text: &str| vec![format!("RRULE:{text}")];
    let dates = |name: &str| {
        let each = (0..20_000).map(|n| (late + TimeDelta::hours(n)).format("%Y%m%dT%H%M%SZ").to_string());
        format!("{name}:{}", each.collect::<Vec<_>>().join(","))
    };
    vec![
        ("every second of every day", late, rule(&format!("FREQ=DAILY;{clock}"))),
        (
            "every second, the last of each year",
            late,
            rule(&format!("FREQ=YEARLY;BYYEARDAY={days};{clock};BYSETPOS=-1")),
        ),
        ("every second since the year 1", early, rule("FREQ=SECONDLY")),
        ("every second, billions of times", early, rule("FREQ=SECONDLY;COUNT=4000000000")),
        ("every day, billions of times", early, rule("FREQ=DAILY;COUNT=4000000000")),
        ("a day that never comes", early, rule("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30;COUNT=1")),
        ("every day of the year by number, since the year 1", early, rule(&format!("FREQ=YEARLY;BYYEARDAY={days}"))),
        ("every ten minutes", early, rule("FREQ=MINUTELY;INTERVAL=10")),
        ("fifty thousand times", late, rule("FREQ=MINUTELY;COUNT=50000")),
        ("a hundred times a day", late, rule(&format!("FREQ=DAILY;BYHOUR={};BYMINUTE=0,15,30,45", full(23)))),
        ("a hundred rules", late, vec!["RRULE:FREQ=DAILY".to_owned(); 100]),
        ("ten thousand rules", late, vec!["RRULE:FREQ=DAILY".to_owned(); 10_000]),
        (
            "20,000 dates, and as many removed",
            late,
            vec![dates("RDATE"), dates("EXDATE"), "RRULE:FREQ=DAILY".to_owned()],
        ),
    ]
}

/// The median of `runs`.
#[allow(clippy::disallowed_methods, reason = "a benchmark has no other clock")]
fn time<T>(runs: usize, mut what: impl FnMut() -> T) -> Duration {
    let mut times: Vec<Duration> = (0..runs)
        .map(|_| {
            let begun = Instant::now();
            black_box(what());
            begun.elapsed()
        })
        .collect();
    times.sort_unstable();
    times[runs / 2]
}

fn ratio(one: Duration, other: Duration) -> f64 {
    one.as_secs_f64() / other.as_secs_f64()
}

fn day(year: i32, month: u32, day: u32) -> DateTime<Utc> {
    NaiveDate::from_ymd_opt(year, month, day).unwrap_or_default().and_hms_opt(0, 0, 0).unwrap_or_default().and_utc()
}

/// Occurrences of one hour, in Berlin.
fn series(start: DateTime<Utc>, recurrence: Vec<String>) -> Event {
    let at = |instant| Some(EventTime::At { instant, zone: Some(Tz::Europe__Berlin.into()) });
    let start = start + TimeDelta::hours(8);
    Event {
        id: EventId::from("series"),
        etag: String::new(),
        status: EventStatus::Confirmed,
        summary: None,
        description: None,
        location: None,
        start: at(start),
        end: at(start + TimeDelta::hours(1)),
        recurrence,
        recurring_event_id: None,
        original_start: None,
        transparent: false,
        private: false,
        event_type: EventType::Default,
        declined: false,
        lesson_id: None,
    }
}

/// Lessons of one hour, one every two hours.
fn lessons(count: u32) -> Vec<LessonSpan> {
    (0..count)
        .map(|n| {
            let start = day(2026, 1, 1) + TimeDelta::hours(2) * i32::try_from(n).unwrap_or_default();
            LessonSpan { lesson_id: LessonId(Uuid::from_u128(n.into())), start, end: start + TimeDelta::hours(1) }
        })
        .collect()
}

/// Events of one hour, half of which overlap a lesson.
fn busy(count: u32) -> Vec<BusySpan> {
    (0..count)
        .map(|n| {
            let start = day(2026, 1, 1) + TimeDelta::minutes(90) * i32::try_from(n).unwrap_or_default();
            BusySpan {
                calendar_id: CalendarId::from("primary"),
                google_event_id: EventId(format!("event{n}")),
                start,
                end: start + TimeDelta::hours(1),
                carries: None,
            }
        })
        .collect()
}
