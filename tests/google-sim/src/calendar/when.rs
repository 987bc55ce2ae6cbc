//! Days and moments: the two forms of `start` and `end`.

use chrono::{DateTime, Duration, NaiveDate, NaiveDateTime, NaiveTime, SecondsFormat, TimeZone, Utc};
use chrono_tz::Tz;
use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

use crate::error::{ApiError, Result};

/// A day, or a moment with the zone in which it was meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum When {
    Day(NaiveDate),
    Moment { at: DateTime<Utc>, zone: Tz },
}

/// A day, or a moment in the offset of a zone, as it goes over the wire.
#[derive(Clone, Copy)]
pub(crate) struct InZone {
    when: When,
    zone: Tz,
}

impl Serialize for InZone {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match self.when {
            When::Day(day) => map.serialize_entry("date", &day)?,
            When::Moment { at, zone } => {
                let text = at.with_timezone(&self.zone).to_rfc3339_opts(SecondsFormat::Secs, true);
                map.serialize_entry("dateTime", &text)?;
                map.serialize_entry("timeZone", zone.name())?;
            }
        }
        map.end()
    }
}

impl When {
    /// The moment; for a day its midnight in the calendar's zone.
    pub fn instant(self, calendar_zone: Tz) -> DateTime<Utc> {
        match self {
            Self::Day(day) => resolve(calendar_zone, day.and_time(NaiveTime::MIN)),
            Self::Moment { at, .. } => at,
        }
    }

    /// What a clock on the wall shows at that moment, in the event's own zone.
    pub fn wall(self) -> NaiveDateTime {
        match self {
            Self::Day(day) => day.and_time(NaiveTime::MIN),
            Self::Moment { at, zone } => at.with_timezone(&zone).naive_local(),
        }
    }

    /// The same kind of time at another reading of the wall clock.
    pub fn at_wall(self, wall: NaiveDateTime) -> Self {
        match self {
            Self::Day(_) => Self::Day(wall.date()),
            Self::Moment { zone, .. } => Self::Moment { at: resolve(zone, wall), zone },
        }
    }

    pub fn is_day(self) -> bool {
        matches!(self, Self::Day(_))
    }

    /// This start, moved by as much as `from` is away from `to`: moments by time, days by days.
    pub fn shifted(self, from: Self, to: Self) -> Self {
        match (self, from, to) {
            (Self::Moment { at, zone }, Self::Moment { at: from, .. }, Self::Moment { at: to, .. }) => {
                Self::Moment { at: at + (to - from), zone }
            }
            _ => self.at_wall(self.wall() + (to.wall() - from.wall())),
        }
    }

    /// The tail of an instance's id: its original start in UTC, or its day.
    pub fn id_suffix(self) -> String {
        match self {
            Self::Day(day) => day.format("%Y%m%d").to_string(),
            Self::Moment { at, .. } => at.format("%Y%m%dT%H%M%SZ").to_string(),
        }
    }

    /// As Google writes it, in the offset of the zone that was asked for.
    pub fn shown_in(self, zone: Tz) -> InZone {
        InZone { when: self, zone }
    }

    /// Reads `start`, `end` or `originalStartTime`; `name` is for the refusal.
    pub fn parse(value: &Value, calendar_zone: Tz, name: &str) -> Result<Self> {
        let text = |key: &str| value.get(key).and_then(Value::as_str);
        let zone = text("timeZone")
            .map(|zone| {
                zone.parse::<Tz>()
                    .map_err(|_| ApiError::invalid(&format!("Invalid time zone definition for {name} time.")))
            })
            .transpose()?;
        match (text("date"), text("dateTime")) {
            (Some(day), None) => {
                day.parse().map(Self::Day).map_err(|_| ApiError::invalid(&format!("Invalid value for: {name}.date")))
            }
            (None, Some(moment)) => {
                let zone = zone.unwrap_or(calendar_zone);
                parse_moment(moment, zone)
                    .map(|at| Self::Moment { at, zone })
                    .ok_or_else(|| ApiError::invalid(&format!("Invalid value for: {name}.dateTime")))
            }
            (None, None) => Err(ApiError::required(&format!("Missing {name} time."))),
            (Some(_), Some(_)) => Err(ApiError::invalid(&format!("Invalid {name} time."))),
        }
    }
}

/// A moment with an offset, or a reading of the wall clock in `zone`. Fractions of a second are dropped.
fn parse_moment(text: &str, zone: Tz) -> Option<DateTime<Utc>> {
    let at = match DateTime::parse_from_rfc3339(text) {
        Ok(at) => at.with_timezone(&Utc),
        Err(_) => resolve(zone, text.parse::<NaiveDateTime>().ok()?),
    };
    DateTime::from_timestamp(at.timestamp(), 0)
}

/// The moment at which the wall clock of `zone` shows `wall`: the first of two, and for a reading that
/// a jump of the clock leaves out, the one that the offset before the jump gives (RFC 5545, 3.3.5).
pub(crate) fn resolve(zone: Tz, wall: NaiveDateTime) -> DateTime<Utc> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn wall(text: &str) -> NaiveDateTime {
        text.parse().unwrap()
    }

    #[test]
    fn a_reading_in_the_spring_gap_takes_the_offset_before_it() {
        let at = resolve(Tz::Europe__Berlin, wall("2026-03-29T02:30:00"));
        assert_eq!(at.to_rfc3339(), "2026-03-29T01:30:00+00:00");
    }

    #[test]
    fn a_reading_in_the_autumn_overlap_is_the_first_one() {
        let at = resolve(Tz::America__New_York, wall("2026-11-01T01:30:00"));
        assert_eq!(at.to_rfc3339(), "2026-11-01T05:30:00+00:00");
    }

    #[test]
    fn a_moment_without_offset_is_read_in_its_zone() {
        let value = json!({"dateTime": "2026-07-01T10:00:00", "timeZone": "Asia/Tokyo"});
        let when = When::parse(&value, Tz::UTC, "start").unwrap();
        assert_eq!(
            json!(when.shown_in(Tz::UTC))["dateTime"],
            json!(
                "2026-07-01T10:00:00+09:00"
                    .parse::<DateTime<Utc>>()
                    .unwrap()
                    .to_rfc3339_opts(SecondsFormat::Secs, true)
            )
        );
    }
}
