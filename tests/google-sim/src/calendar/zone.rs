//! The zones in which events are meant: those of the tz database, and plain offsets.

use chrono::{DateTime, Duration, FixedOffset, NaiveDateTime, TimeZone, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Offsets beyond this many hours are no zone.
const MAX_OFFSET_HOURS: i32 = 18;

/// A zone of the tz database, or an offset, which Google shows as `GMT+05:30`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Zone {
    Named(Tz),
    Offset(FixedOffset),
}

impl Zone {
    /// Reads `Europe/Berlin`, `GMT+05:30`, `UTC-3`.
    pub fn parse(name: &str) -> Option<Self> {
        name.parse().map(Self::Named).ok().or_else(|| read_offset(name).map(Self::Offset))
    }

    /// What a clock on the wall shows at that moment.
    pub fn wall(self, at: DateTime<Utc>) -> NaiveDateTime {
        match self {
            Self::Named(zone) => at.with_timezone(&zone).naive_local(),
            Self::Offset(offset) => at.with_timezone(&offset).naive_local(),
        }
    }

    /// The moment at which the wall clock shows `wall`: the first of two, and for a reading that a jump of the clock
    /// leaves out, the one that the offset before the jump gives (RFC 5545, 3.3.5).
    pub fn resolve(self, wall: NaiveDateTime) -> DateTime<Utc> {
        match self {
            Self::Named(zone) => resolve(&zone, wall),
            Self::Offset(offset) => resolve(&offset, wall),
        }
    }
}

fn read_offset(name: &str) -> Option<FixedOffset> {
    let rest = name.strip_prefix("GMT").or_else(|| name.strip_prefix("UTC"))?;
    let (sign, digits) = match rest.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    let (hours, minutes) = match digits.split_once(':') {
        Some(parts) => parts,
        None if digits.len() == 4 => digits.split_at(2),
        None => (digits, "00"),
    };
    let number = |text: &str, digits: std::ops::RangeInclusive<usize>| {
        let plain = digits.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        plain.then(|| text.parse::<i32>().ok()).flatten()
    };
    let (hours, minutes) = (number(hours, 1..=2)?, number(minutes, 2..=2)?);
    let known = hours < MAX_OFFSET_HOURS && minutes < 60;
    known.then(|| FixedOffset::east_opt(sign * (hours * 60 + minutes) * 60)).flatten()
}

fn resolve<Z: TimeZone>(zone: &Z, wall: NaiveDateTime) -> DateTime<Utc> {
    if let Some(at) = zone.from_local_datetime(&wall).earliest() {
        return at.with_timezone(&Utc);
    }
    let before = (1..=48)
        .map(|hours| wall - Duration::hours(hours))
        .find_map(|earlier| Some((zone.from_local_datetime(&earlier).latest()?, earlier)));
    match before {
        Some((at, earlier)) => at.with_timezone(&Utc) + (wall - earlier),
        None => wall.and_utc(),
    }
}

impl Serialize for Zone {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Named(zone) => serializer.serialize_str(zone.name()),
            Self::Offset(offset) => serializer.collect_str(&format_args!("GMT{offset}")),
        }
    }
}

impl<'de> Deserialize<'de> for Zone {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Self::parse(&name).ok_or_else(|| de::Error::custom("not a zone"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn wall(text: &str) -> NaiveDateTime {
        text.parse().unwrap()
    }

    #[test]
    fn a_reading_in_the_spring_gap_takes_the_offset_before_it() {
        let at = Zone::Named(Tz::Europe__Berlin).resolve(wall("2026-03-29T02:30:00"));
        assert_eq!(at.to_rfc3339(), "2026-03-29T01:30:00+00:00");
    }

    #[test]
    fn a_reading_in_the_autumn_overlap_is_the_first_one() {
        let at = Zone::Named(Tz::America__New_York).resolve(wall("2026-11-01T01:30:00"));
        assert_eq!(at.to_rfc3339(), "2026-11-01T05:30:00+00:00");
    }

    #[test]
    fn an_offset_is_a_zone_and_shown_as_google_writes_it() {
        for (name, shown) in
            [("GMT+05:30", "GMT+05:30"), ("UTC-3", "GMT-03:00"), ("GMT+0100", "GMT+01:00"), ("Etc/UTC", "Etc/UTC")]
        {
            assert_eq!(json!(Zone::parse(name)), json!(shown), "{name}");
        }
        for name in ["GMT+", "GMT+25:00", "UTC+1:5", "GMT 5", "+05:30", "Mars/Base"] {
            assert_eq!(Zone::parse(name), None, "{name}");
        }
        let india = Zone::parse("GMT+05:30").unwrap();
        assert_eq!(india.resolve(wall("2026-12-07T01:00:00")).to_rfc3339(), "2026-12-06T19:30:00+00:00");
    }
}
