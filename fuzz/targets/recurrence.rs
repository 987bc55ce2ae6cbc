//! Series: whatever lines an event has, reading and expanding it is bounded in work.
//! Input: when it starts and which year is asked for, then the lines of its recurrence.
#![no_main]

use calendar_fuzz::text;
use calendar_sync::{
    model::{Event, EventId, EventTime, Window, Zone},
    recurrence::Series,
};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use libfuzzer_sys::fuzz_target;

/// As many steps as one question about a year may take, and so as many occurrences.
const MAX_OCCURRENCES: usize = 60_000;

fn year(of: u8) -> DateTime<Utc> {
    let year = [1, 1970, 2026, 2100, 9999][usize::from(of % 5)];
    NaiveDate::from_ymd_opt(year, 3, 28).and_then(|day| day.and_hms_opt(8, 30, 0)).expect("a day").and_utc()
}

fuzz_target!(|data: &[u8]| {
    let [start, asked, kind, lines @ ..] = data else { return };
    let lines: Vec<String> = lines.split(|byte| *byte == b'\n').map(|line| text(Some(line))).collect();
    let (instant, dates, rules) = (year(*start), lines.join(",").split(',').count(), lines.len());
    let zone = Zone::read(["Europe/Berlin", "GMT+05:30", "Pacific/Apia", "UTC"][usize::from(kind % 4)]);
    let (start, end) = if kind % 8 < 4 {
        let at = |instant| EventTime::At { instant, zone };
        (at(instant), at(instant + TimeDelta::minutes(1 << (kind / 8))))
    } else {
        (
            EventTime::Day(instant.date_naive()),
            EventTime::Day(instant.date_naive() + TimeDelta::days((kind / 8).into())),
        )
    };
    let event = Event {
        id: EventId::from("series"),
        start: Some(start),
        end: Some(end),
        recurrence: lines,
        ..Event::default()
    };
    let series = Series::read(&event, chrono_tz::Europe::Berlin).expect("it has times");
    let from = year(*asked);
    let window = Window { from, to: from + TimeDelta::days(365) };
    let found = series.occurrences(window);
    assert!(found.len() <= MAX_OCCURRENCES + dates + 1);
    assert!(found.is_sorted() && found.iter().all(|(start, end)| *start < window.to && *end > window.from));
    let (extent, steps) = series.extent_and_steps();
    assert!(steps <= 2 * (MAX_OCCURRENCES + rules) as u64);
    if let Ok(extent) = extent {
        assert!(
            found.iter().all(|(start, end)| {
                *start >= extent.first_start && extent.last_end.is_none_or(|last| *end <= last)
            })
        );
    }
});
