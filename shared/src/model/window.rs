//! Which lessons a run covers, and what a person asks of a manual one.

use std::ops::RangeInclusive;

use chrono::{DateTime, Datelike, Days, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::{InstructorId, SyncDirection, zone::start_of_day};
use crate::{Error, Result};

/// `[from, to)`, bounding lessons by their start, never the listing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    pub from: DateTime<Utc>,
    /// Exclusive.
    pub to: DateTime<Utc>,
}

impl Window {
    /// The widest window that a person may ask for, in days.
    pub const MAX_DAYS: i64 = 366;

    /// The years that a person may ask for. A date can be written far beyond what chrono calculates with.
    pub const YEARS: RangeInclusive<i32> = 1970..=2200;

    /// Refuses a date outside of [`Self::YEARS`]; the error names its `field`.
    pub fn check_year(field: &'static str, date: &impl Datelike) -> Result<()> {
        if Self::YEARS.contains(&date.year()) {
            return Ok(());
        }
        Err(Error::field(field, "does not lie between the years 1970 and 2200"))
    }

    /// The default window: from 7 days back to 366 days ahead.
    pub fn around(now: DateTime<Utc>) -> Self {
        Self { from: now - TimeDelta::days(7), to: now + TimeDelta::days(Self::MAX_DAYS) }
    }

    pub fn contains(self, at: DateTime<Utc>) -> bool {
        self.from <= at && at < self.to
    }
}

/// The request for a manual sync. Dates are whole days in the calendar's zone, both inclusive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncCalendarRequest {
    pub instructor_id: InstructorId,
    /// `None` for the connection's own direction.
    pub direction: Option<SyncDirection>,
    /// The first and the last day; `None` for the default window.
    pub dates: Option<(NaiveDate, NaiveDate)>,
}

impl SyncCalendarRequest {
    /// Whether it is bounded, to some lessons or to one direction.
    pub fn is_narrowed(&self) -> bool {
        self.dates.is_some() || self.direction.is_some()
    }

    /// Checks a pair of dates as they came from the caller.
    pub fn dates(start: Option<NaiveDate>, end: Option<NaiveDate>) -> Result<Option<(NaiveDate, NaiveDate)>> {
        for (field, date) in [("startDate", start), ("endDate", end)] {
            date.map_or(Ok(()), |date| Window::check_year(field, &date))?;
        }
        match (start, end) {
            (None, None) => Ok(None),
            (Some(_), None) => Err(Error::field("endDate", "is missing beside `startDate`")),
            (None, Some(_)) => Err(Error::field("startDate", "is missing beside `endDate`")),
            (Some(start), Some(end)) if end < start => Err(Error::field("endDate", "lies before `startDate`")),
            (Some(start), Some(end)) if (end - start).num_days() >= Window::MAX_DAYS => {
                Err(Error::field("endDate", "lies more than 366 days after `startDate`"))
            }
            (Some(start), Some(end)) => Ok(Some((start, end))),
        }
    }

    /// The window of the dates in the calendar's `zone`.
    pub fn window(&self, zone: Tz, now: DateTime<Utc>) -> Window {
        match self.dates {
            None => Window::around(now),
            Some((start, end)) => Window {
                from: start_of_day(start, zone),
                to: start_of_day(end.checked_add_days(Days::new(1)).unwrap_or(end), zone),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn dates_come_as_a_pair_in_order_and_within_366_days() {
        let dates = SyncCalendarRequest::dates;
        assert_eq!(dates(None, None).unwrap(), None);
        assert!(dates(Some(day("2025-11-01")), Some(day("2025-11-01"))).is_ok());
        assert!(dates(Some(day("2025-11-01")), Some(day("2026-11-01"))).is_ok());
        for (start, end, field) in [
            (Some(day("2025-11-01")), None, "endDate"),
            (None, Some(day("2025-11-01")), "startDate"),
            (Some(day("2025-11-02")), Some(day("2025-11-01")), "endDate"),
            (Some(day("2025-11-01")), Some(day("2026-11-02")), "endDate"),
            (Some(day("1969-12-31")), Some(day("1970-01-01")), "startDate"),
            (Some(day("2200-12-31")), Some(day("2201-01-01")), "endDate"),
            (Some(day("+262142-12-31")), Some(day("+262142-12-31")), "startDate"),
        ] {
            assert_eq!(dates(start, end).unwrap_err().details()[0].field, field);
        }
    }

    #[test]
    fn days_are_inclusive_and_begin_where_the_calendar_is() {
        let request = SyncCalendarRequest {
            instructor_id: InstructorId(uuid::Uuid::nil()),
            direction: None,
            dates: SyncCalendarRequest::dates(Some(day("2026-03-29")), Some(day("2026-03-29"))).unwrap(),
        };
        let window = request.window(chrono_tz::Europe::Berlin, DateTime::UNIX_EPOCH);
        assert_eq!((window.to - window.from).num_hours(), 23, "the day on which the clock goes forward");
    }
}
