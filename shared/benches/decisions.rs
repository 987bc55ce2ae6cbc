//! What the decisions cost that could grow with a calendar's age or size: `make bench`. It prints figures, which are this
//! machine's, and fails if a series costs more than any may.

use std::{
    hint::black_box,
    path::Path,
    process::ExitCode,
    time::{Duration, Instant},
};

use calendar_sync::{
    decide::{
        conflicts::{BusySpan, LessonSpan, joined, overlaps, touched},
        occurrences::{self, Occurrences},
    },
    model::{CalendarId, Event, EventId, EventTime, ExternalCalendarEvent, LessonId, Window},
    ports::ExternalLookup,
    recurrence::{Series, Times},
};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;
use peak_alloc::PeakAlloc;
use uuid::Uuid;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// The most that a series may cost, when it is listed and for each year that is read of it.
const MAX_COST: Cost = Cost { time: Duration::from_millis(20), bytes: 5_000_000 };

/// What this thread has had of the processor so far, as Linux counts it. A new thread has had nothing yet.
const PROCESSOR_TIME: &str = "/proc/thread-self/schedstat";

/// What something costs: time of the processor, since other programs run too, and the bytes that it holds at once.
#[derive(Debug, Clone, Copy)]
struct Cost {
    time: Duration,
    bytes: usize,
}

impl Cost {
    fn of<T>(mut what: impl FnMut() -> T) -> Self {
        const RUNS: u32 = 20;
        let held = MEMORY.current_usage();
        MEMORY.reset_peak_usage();
        // What other programs add, by taking the caches, differs from run to run.
        let time = (0..RUNS).map(|_| {
            let begun = processor_time();
            drop(black_box(what()));
            processor_time().saturating_sub(begun)
        });
        Self { time: time.min().unwrap_or_default(), bytes: MEMORY.peak_usage().saturating_sub(held) }
    }

    fn is_too_much(self) -> bool {
        self.time > MAX_COST.time || self.bytes > MAX_COST.bytes
    }
}

impl std::fmt::Display for Cost {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{:.1} ms and {} kB", self.time.as_secs_f64() * 1_000.0, self.bytes / 1_000)
    }
}

fn main() -> ExitCode {
    if !Path::new(PROCESSOR_TIME).exists() {
        println!("This machine does not say what a thread has had of its processor.");
        return ExitCode::FAILURE;
    }
    let week = |year| Window { from: day(year, 3, 1), to: day(year, 3, 8) };
    let daily = series(day(2000, 1, 3), vec!["RRULE:FREQ=DAILY".to_owned()]);
    let first = time(1_000, || occurrences(&daily, week(2000)));
    let latest = time(1_000, || occurrences(&daily, week(2026)));
    println!("a week of a daily series that began in 2000");
    println!("    in its first year {first:?}, 26 years later {latest:?} ({:.1} times as long)", ratio(latest, first));

    let [thousand, ten_thousand] = [1_000, 10_000].map(|count| {
        let (lessons, busy) = (lessons(count), busy(count));
        time(20, || overlaps(&lessons, &busy, day(2026, 1, 1)))
    });
    println!("all conflicts of n lessons with n events");
    println!("    1,000: {thousand:?}, 10,000: {ten_thousand:?} ({:.1} times as long)", ratio(ten_thousand, thousand));

    println!("series that ask for much work: when they are listed, and each year that is read of them");
    let too_dear = hostile().into_iter().filter(|(name, start, lines)| is_too_dear(name, *start, lines)).count()
        + usize::from(are_exceptions_too_dear())
        + usize::from(are_lessons_too_dear());
    if too_dear > 0 {
        println!("{too_dear} cost more than {MAX_COST}.");
        return ExitCode::FAILURE;
    }
    println!("None costs more than {MAX_COST}.");
    ExitCode::SUCCESS
}

fn is_too_dear(name: &str, start: DateTime<Utc>, lines: &[String]) -> bool {
    let series = series(start, lines.to_vec());
    if ExternalCalendarEvent::is_too_large(&series) {
        println!("    {name}: larger than is stored, which makes it no case");
        return true;
    }
    let year = Window { from: day(2026, 3, 1), to: day(2027, 3, 1) };
    let extent = || Series::read(&series, Tz::UTC).map(|series| series.extent());
    let verdict = if extent().is_some_and(|extent| extent.is_ok()) { "taken" } else { "left out" };
    let (listed, read) = (Cost::of(extent), Cost::of(|| occurrences(&series, year)));
    let is_too_dear = listed.is_too_much() || read.is_too_much();
    let mark = if is_too_dear { "TOO DEAR: " } else { "" };
    println!("    {mark}{name}: {verdict} after {listed}; read in {read}");
    is_too_dear
}

/// A series of which each occurrence of years was moved.
fn are_exceptions_too_dear() -> bool {
    let calendar = CalendarId::from("primary");
    let row = |event| ExternalCalendarEvent::new(&calendar, event, Tz::UTC, None);
    let start = day(2026, 1, 1);
    let exception = |n: i32| {
        let event = series(start + TimeDelta::days(1) * n, Vec::new());
        let id = EventId(format!("series_{n}"));
        row(Event { id, original_start: event.start, recurring_event_id: Some(EventId::from("series")), ..event })
    };
    let exceptions: Vec<_> = (0..3_000).filter_map(exception).collect();
    let Some(daily) = row(series(start, vec!["RRULE:FREQ=DAILY".to_owned()])) else { return true };
    let lookup = ExternalLookup { events: Vec::new(), series: vec![(daily, exceptions)] };
    let year = Window { from: start, to: start + TimeDelta::days(365) };
    let cost = Cost::of(|| {
        let mut found = 0;
        occurrences::each(&lookup, year, Tz::UTC, |_, _, _| found += 1);
        found
    });
    println!("    3,000 exceptions: read in {cost}");
    cost.is_too_much()
}

/// A series that counts from long ago, and a thousand lessons of a year.
fn are_lessons_too_dear() -> bool {
    let calendar = CalendarId::from("primary");
    let series = series(day(1948, 1, 1), vec!["RRULE:FREQ=DAILY;COUNT=29000".to_owned()]);
    let Some(row) = ExternalCalendarEvent::new(&calendar, series, Tz::UTC, None) else { return true };
    let lessons = lessons(1_000);
    let mut steps = 0;
    let cost = Cost::of(|| {
        let mut occurrences = Occurrences::within(joined(lessons.iter().map(Window::from)), Tz::UTC);
        let touched = touched(&lessons, [&row], &mut occurrences);
        steps = occurrences.steps();
        touched
    });
    println!("    a thousand lessons beside one that counts: compared in {cost} and {steps} steps");
    cost.is_too_much()
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
    let mut cases = vec![
        ("every second of every day", late, rule(&format!("FREQ=DAILY;{clock}"))),
        (
            "every second, the last of each year",
            late,
            rule(&format!("FREQ=YEARLY;BYYEARDAY={days};{clock};BYSETPOS=-1")),
        ),
        ("every second since the year 1", early, rule("FREQ=SECONDLY")),
        ("every second, billions of times", early, rule("FREQ=SECONDLY;COUNT=4000000000")),
        ("every day, billions of times", early, rule("FREQ=DAILY;COUNT=4000000000")),
        ("every trillionth second", early, rule("FREQ=SECONDLY;INTERVAL=999999999999")),
        ("every 8,640th second, since the year 1", early, rule("FREQ=SECONDLY;INTERVAL=8640;COUNT=999999999")),
        ("every millionth day", early, rule("FREQ=DAILY;INTERVAL=1000000;COUNT=29000")),
        ("a day that never comes", early, rule("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30;COUNT=1")),
        ("each 29 February", early, rule("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;COUNT=1000")),
        ("each 31st", early, rule("FREQ=MONTHLY;BYMONTHDAY=31;COUNT=5000")),
        ("the last 31st of each year", early, rule("FREQ=YEARLY;BYMONTHDAY=31;BYMONTH=1,3,5;BYSETPOS=-1;COUNT=900")),
        (
            "the last of all hours of a year",
            early,
            rule(&format!("FREQ=YEARLY;BYYEARDAY={days};BYHOUR={};BYSETPOS=-1", full(23))),
        ),
        ("every day of the year by number, since the year 1", early, rule(&format!("FREQ=YEARLY;BYYEARDAY={days}"))),
        ("every twenty minutes", early, rule("FREQ=MINUTELY;INTERVAL=20")),
        ("every twenty minutes, thirty thousand times", late, rule("FREQ=MINUTELY;INTERVAL=20;COUNT=29999")),
        ("every day, thirty thousand times", day(1948, 1, 1), rule("FREQ=DAILY;COUNT=29999")),
        (
            "every day for ever and thirty thousand times",
            day(1948, 1, 1),
            ["UNTIL=99991231", "COUNT=29000"].map(|end| format!("RRULE:FREQ=DAILY;{end}")).to_vec(),
        ),
        ("not every twenty minutes", late, vec!["EXRULE:FREQ=MINUTELY;INTERVAL=20".to_owned()]),
        ("a hundred times a day", late, rule(&format!("FREQ=DAILY;BYHOUR={};BYMINUTE=0,15,30,45", full(23)))),
        ("eighty rules", late, vec!["RRULE:FREQ=DAILY".to_owned(); 80]),
    ];
    cases.extend(as_long_as_may_be(late));
    cases
}

/// Lines that fill all that is stored of an event.
fn as_long_as_may_be(late: DateTime<Utc>) -> Vec<(&'static str, DateTime<Utc>, Vec<String>)> {
    let most = ExternalCalendarEvent::MAX_RECURRENCE_BYTES;
    let lines = |line: &str| vec![line.to_owned(); most / (line.len() + 1)];
    // What else a series says stands beside them.
    let dates = |name: &str, share: usize, beside: &[&str]| {
        let each = (0..(most / share - 500) / 17)
            .map(|n| (late + TimeDelta::hours(1) * n.try_into().unwrap_or(0)).format("%Y%m%dT%H%M%SZ").to_string());
        let line = format!("{name}:{}", each.collect::<Vec<_>>().join(","));
        beside.iter().map(|line| (*line).to_owned()).chain([line]).collect::<Vec<_>>()
    };
    let both = [dates("RDATE", 2, &["RRULE:FREQ=DAILY"]), dates("EXDATE", 2, &[])].concat();
    let list = format!("RRULE:FREQ=DAILY;BYHOUR={}", "1,".repeat(most / 2 - 50));
    vec![
        ("dates alone", late, dates("RDATE", 1, &[])),
        ("days alone", late, lines("RDATE:20260330")),
        ("dates of a zone", late, lines("RDATE;TZID=America/New_York:20260330T080000")),
        ("dates beside every twenty minutes", late, dates("RDATE", 1, &["RRULE:FREQ=MINUTELY;INTERVAL=20"])),
        (
            "dates beside thirty thousand times",
            late,
            dates("RDATE", 1, &["RRULE:FREQ=MINUTELY;INTERVAL=20;COUNT=29999"]),
        ),
        (
            "dates that are removed, of every twenty minutes",
            late,
            dates("EXDATE", 1, &["RRULE:FREQ=MINUTELY;INTERVAL=20"]),
        ),
        ("as many dates as are removed", late, both),
        ("one rule of one long list", late, vec![list]),
        ("rules by the thousand", late, lines("FREQ=DAILY")),
        ("rules by the thousand that end before they begin", late, lines("FREQ=DAILY;UNTIL=19700101")),
        ("rules by the thousand that mean nothing", late, lines("FREQ=X")),
        ("lines by the thousand that mean nothing", late, lines("x")),
    ]
}

fn processor_time() -> Duration {
    // Linux counts when a thread gives way, and else only now and then.
    std::thread::yield_now();
    let counts = std::fs::read_to_string(PROCESSOR_TIME).unwrap_or_default();
    Duration::from_nanos(counts.split(' ').next().and_then(|nanoseconds| nanoseconds.parse().ok()).unwrap_or_default())
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
        start: at(start),
        end: at(start + TimeDelta::hours(1)),
        recurrence,
        ..Event::default()
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
