//! The time zone of an event: one of the IANA database, or a fixed offset.
//!
//! Google names both, and calendars that began in Outlook or Exchange have Windows' zone names.

use std::fmt;

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

mod windows;

/// A zone, stored by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Zone {
    Named(Tz),
    /// Always the same offset: `GMT+05:30`.
    Fixed(FixedOffset),
}

impl Zone {
    /// Reads an IANA name (`Europe/Berlin`), a Windows name (`W. Europe Standard Time`) or an offset (`GMT+05:30`,
    /// `UTC-3`).
    pub fn read(name: &str) -> Option<Self> {
        let name = name.trim();
        let named = name.parse().ok().or_else(|| windows::zone(name));
        named.map(Self::Named).or_else(|| offset(name).map(Self::Fixed))
    }

    /// The local time at `instant`.
    pub fn local(self, instant: DateTime<Utc>) -> NaiveDateTime {
        match self {
            Self::Named(zone) => instant.with_timezone(&zone).naive_local(),
            Self::Fixed(offset) => instant.with_timezone(&offset).naive_local(),
        }
    }

    /// The instant of a local time: the first one where the clock shows it twice, and as far past the gap as it would
    /// have stood in it where a clock change skips it (RFC 5545, section 3.3.5).
    pub fn instant(self, local: NaiveDateTime) -> DateTime<Utc> {
        let before = match self {
            Self::Named(zone) => match zone.offset_from_local_datetime(&local).earliest() {
                Some(offset) => offset.fix(),
                None => zone.offset_from_utc_datetime(&(local - TimeDelta::days(1))).fix(),
            },
            Self::Fixed(offset) => offset,
        };
        (local - before).and_utc()
    }

    /// The offset that holds all of `day`; `None` for a day in which the clock changes.
    pub fn offset_on(self, day: NaiveDate) -> Option<FixedOffset> {
        let zone = match self {
            Self::Named(zone) => zone,
            Self::Fixed(offset) => return Some(offset),
        };
        let midnight = |day: NaiveDate| zone.offset_from_local_datetime(&day.and_time(NaiveTime::MIN)).single();
        let (first, last) = (midnight(day)?.fix(), midnight(day.succ_opt()?)?.fix());
        (first == last).then_some(first)
    }

    pub fn start_of_day(self, day: NaiveDate) -> DateTime<Utc> {
        match self {
            Self::Named(zone) => start_of_day(day, zone),
            Self::Fixed(_) => self.instant(day.and_time(NaiveTime::MIN)),
        }
    }
}

/// The first moment of `day` in `zone`: midnight, or the first moment after it where a clock change skips it.
pub fn start_of_day(day: NaiveDate, zone: Tz) -> DateTime<Utc> {
    let midnight = day.and_time(NaiveTime::MIN);
    (0..=24 * 4)
        .find_map(|quarter| zone.from_local_datetime(&(midnight + TimeDelta::minutes(15 * quarter))).earliest())
        .map_or_else(|| midnight.and_utc(), |local| local.with_timezone(&Utc))
}

impl From<Tz> for Zone {
    fn from(zone: Tz) -> Self {
        Self::Named(zone)
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Named(zone) => zone.name().fmt(formatter),
            Self::Fixed(offset) => write!(formatter, "GMT{offset}"),
        }
    }
}

impl From<Zone> for String {
    fn from(zone: Zone) -> Self {
        zone.to_string()
    }
}

impl TryFrom<String> for Zone {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        Self::read(&name).ok_or_else(|| format!("{name} is no time zone"))
    }
}

/// Reads `GMT+05:30`, `GMT+0530`, `UTC-3` or `+01:00`: hours east of Greenwich.
fn offset(name: &str) -> Option<FixedOffset> {
    let given = name.strip_prefix("GMT").or_else(|| name.strip_prefix("UTC")).unwrap_or(name);
    let (sign, given) = match given.strip_prefix('+') {
        Some(east) => (1, east),
        None => (-1, given.strip_prefix(['-', '\u{2212}'])?),
    };
    let (hours, minutes) = match given.split_once(':') {
        Some(parts) => parts,
        None if given.len() == 4 => given.split_at_checked(2)?,
        None => (given, "0"),
    };
    let number = |digits: &str| {
        let plain = matches!(digits.len(), 1 | 2) && digits.bytes().all(|byte| byte.is_ascii_digit());
        plain.then(|| digits.parse::<i32>().ok())?
    };
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    if hours > 18 || minutes > 59 {
        return None;
    }
    FixedOffset::east_opt(sign * (hours * 60 + minutes) * 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_are_known_by_every_name_that_calendars_give_them() {
        for (name, zone) in [
            ("Europe/Berlin", "Europe/Berlin"),
            (" Europe/Berlin ", "Europe/Berlin"),
            ("W. Europe Standard Time", "Europe/Berlin"),
            ("Pacific Standard Time (Mexico)", "America/Tijuana"),
            ("tzone://Microsoft/Utc", "UTC"),
            ("UTC", "UTC"),
            ("Etc/GMT+5", "Etc/GMT+5"),
            ("GMT+05:30", "GMT+05:30"),
            ("GMT+0530", "GMT+05:30"),
            ("UTC-3", "GMT-03:00"),
            ("UTC+13", "GMT+13:00"),
            ("-09:30", "GMT-09:30"),
        ] {
            assert_eq!(Zone::read(name).map(|zone| zone.to_string()), Some(zone.to_owned()), "{name}");
        }
        for name in ["", "Mars/Olympus", "GMT+", "GMT+5:3x", "GMT+19:00", "UTC+5:60", "GMT+12345", "ü+1", "GMT+ü1é"]
        {
            assert_eq!(Zone::read(name), None, "{name}");
        }
    }

    #[test]
    fn a_zone_is_stored_by_its_name() {
        for zone in [Zone::Named(Tz::Asia__Kolkata), Zone::read("GMT+05:30").unwrap()] {
            let stored = serde_json::to_value(zone).unwrap();
            assert_eq!(stored, serde_json::json!(zone.to_string()));
            assert_eq!(serde_json::from_value::<Zone>(stored).unwrap(), zone);
        }
        assert!(serde_json::from_value::<Zone>(serde_json::json!("Mars/Olympus")).is_err());
    }

    #[test]
    fn every_name_of_windows_stands_for_a_zone_and_in_order() {
        assert!(windows::ZONES.is_sorted_by(|one, other| one.0 < other.0));
        for (name, zone) in windows::ZONES {
            assert!(zone.parse::<Tz>().is_ok(), "{name}");
        }
    }

    #[test]
    fn a_clock_that_shows_a_time_twice_or_never_has_one_moment_for_it() {
        let berlin = Zone::Named(Tz::Europe__Berlin);
        for (local, instant) in [
            ("2026-03-29T01:59:59", "2026-03-29T00:59:59Z"),
            ("2026-03-29T02:30:00", "2026-03-29T01:30:00Z"),
            ("2026-03-29T03:00:00", "2026-03-29T01:00:00Z"),
            ("2026-10-25T02:30:00", "2026-10-25T00:30:00Z"),
            ("2026-10-25T03:00:00", "2026-10-25T02:00:00Z"),
        ] {
            assert_eq!(berlin.instant(local.parse().unwrap()), instant.parse::<DateTime<Utc>>().unwrap(), "{local}");
        }
    }

    #[test]
    fn a_day_begins_where_the_calendar_is_even_when_midnight_is_skipped() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let cases = [
            ("2026-03-01", chrono_tz::Pacific::Auckland, "2026-02-28T11:00:00Z"),
            ("2026-03-01", chrono_tz::America::Los_Angeles, "2026-03-01T08:00:00Z"),
            ("2026-03-29", chrono_tz::Europe::Berlin, "2026-03-28T23:00:00Z"),
            ("2026-03-30", chrono_tz::Europe::Berlin, "2026-03-29T22:00:00Z"),
            // Beirut's clock goes from 00:00 to 01:00 on that day.
            ("2024-03-31", chrono_tz::Asia::Beirut, "2024-03-30T22:00:00Z"),
        ];
        for (date, zone, instant) in cases {
            assert_eq!(start_of_day(day(date), zone), instant.parse::<DateTime<Utc>>().unwrap(), "{date} {zone}");
        }
    }

    #[test]
    fn an_offset_holds_all_of_a_day_in_which_the_clock_does_not_change() {
        for (zone, day, hours) in [
            ("Europe/Berlin", "2026-03-28", Some(1)),
            ("Europe/Berlin", "2026-03-29", None),
            ("Europe/Berlin", "2026-03-30", Some(2)),
            ("Europe/Berlin", "2026-10-25", None),
            // The clock skips midnight, and shows it twice.
            ("America/Sao_Paulo", "2018-11-04", None),
            ("Atlantic/Azores", "2026-10-25", None),
            ("UTC-3", "2026-03-29", Some(-3)),
        ] {
            let offset = Zone::read(zone).unwrap().offset_on(day.parse().unwrap());
            assert_eq!(offset.map(|offset| offset.local_minus_utc() / 3600), hours, "{zone} on {day}");
        }
    }
}
