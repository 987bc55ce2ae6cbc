//! How long the decisions take whose cost could grow with a calendar's age or size: `make bench`. It prints figures
//! and judges nothing, since they are this machine's.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use calendar_sync::{
    model::{CalendarId, Event, EventId, EventStatus, EventTime, EventType, LessonId, Window},
    reconcile::{
        conflicts::{BusySpan, LessonSpan, overlaps},
        occurrences::occurrences,
    },
};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;
use uuid::Uuid;

fn main() {
    let week = |year| Window { from: day(year, 3, 1), to: day(year, 3, 8) };
    let daily = daily_since_2000();
    let first = time(1_000, || occurrences(&daily, week(2000), Tz::UTC));
    let latest = time(1_000, || occurrences(&daily, week(2026), Tz::UTC));
    println!("a week of a daily series that began in 2000");
    println!("    in its first year {first:?}, 26 years later {latest:?} ({:.1} times as long)", ratio(latest, first));

    let [thousand, ten_thousand] = [1_000, 10_000].map(|count| {
        let (lessons, busy) = (lessons(count), busy(count));
        time(20, || overlaps(&lessons, &busy, day(2026, 1, 1)))
    });
    println!("all conflicts of n lessons with n events");
    println!("    1,000: {thousand:?}, 10,000: {ten_thousand:?} ({:.1} times as long)", ratio(ten_thousand, thousand));
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

fn daily_since_2000() -> Event {
    let at = |instant| Some(EventTime::At { instant, zone: Some(Tz::Europe__Berlin) });
    let start = day(2000, 1, 3) + TimeDelta::hours(8);
    Event {
        id: EventId::from("daily"),
        etag: String::new(),
        status: EventStatus::Confirmed,
        summary: None,
        description: None,
        location: None,
        start: at(start),
        end: at(start + TimeDelta::hours(1)),
        recurrence: vec!["RRULE:FREQ=DAILY".to_owned()],
        recurring_event_id: None,
        original_start: None,
        transparent: false,
        private: false,
        event_type: EventType::Default,
        declined: false,
        lesson_id: None,
    }
}

/// Lessons of an hour, one every two hours.
fn lessons(count: u32) -> Vec<LessonSpan> {
    (0..count)
        .map(|n| {
            let start = day(2026, 1, 1) + TimeDelta::hours(2) * i32::try_from(n).unwrap_or_default();
            LessonSpan { lesson_id: LessonId(Uuid::from_u128(n.into())), start, end: start + TimeDelta::hours(1) }
        })
        .collect()
}

/// Events of an hour, half of which overlap a lesson.
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
