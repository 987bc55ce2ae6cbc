//! Days and moments: the two forms of `start` and `end`.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, SecondsFormat, Utc};
use chrono_tz::Tz;
use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Map, Value};

use super::zone::Zone;
use crate::error::{ApiError, Result};

/// A day, or a moment with the zone in which it was meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum When {
    Day(NaiveDate),
    Moment { at: DateTime<Utc>, zone: Zone },
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
                map.serialize_entry("timeZone", &zone)?;
            }
        }
        map.end()
    }
}

impl When {
    /// The moment; for a day its midnight in the calendar's zone.
    pub fn instant(self, calendar_zone: Tz) -> DateTime<Utc> {
        match self {
            Self::Day(day) => Zone::Named(calendar_zone).resolve(day.and_time(NaiveTime::MIN)),
            Self::Moment { at, .. } => at,
        }
    }

    /// What a clock on the wall shows at that moment, in the event's own zone.
    pub fn wall(self) -> NaiveDateTime {
        match self {
            Self::Day(day) => day.and_time(NaiveTime::MIN),
            Self::Moment { at, zone } => zone.wall(at),
        }
    }

    /// The same kind of time at another reading of the wall clock.
    pub fn at_wall(self, wall: NaiveDateTime) -> Self {
        match self {
            Self::Day(_) => Self::Day(wall.date()),
            Self::Moment { zone, .. } => Self::Moment { at: zone.resolve(wall), zone },
        }
    }

    pub fn is_day(self) -> bool {
        matches!(self, Self::Day(_))
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
        let zone = text("timeZone").map(|zone| Zone::parse(zone).ok_or_else(|| unknown_zone(name))).transpose()?;
        match (text("date"), text("dateTime")) {
            (Some(day), None) => {
                day.parse().map(Self::Day).map_err(|_| ApiError::invalid(&format!("Invalid value for: {name}.date")))
            }
            (None, Some(moment)) => {
                let zone = zone.unwrap_or(Zone::Named(calendar_zone));
                parse_moment(moment, zone)
                    .map(|at| Self::Moment { at, zone })
                    .ok_or_else(|| ApiError::invalid(&format!("Invalid value for: {name}.dateTime")))
            }
            (None, None) => Err(ApiError::required(&format!("Missing {name} time."))),
            (Some(_), Some(_)) => Err(ApiError::invalid(&format!("Invalid {name} time."))),
        }
    }
}

/// Refuses an event whose start or end names one of the zones that are `unknown`.
pub(crate) fn check_zones(body: &Map<String, Value>, unknown: &[Tz]) -> Result<()> {
    for name in ["start", "end"] {
        let zone = body.get(name).and_then(|time| time.get("timeZone")).and_then(Value::as_str);
        if zone.is_some_and(|zone| unknown.iter().any(|unknown| unknown.name() == zone)) {
            return Err(unknown_zone(name));
        }
    }
    Ok(())
}

fn unknown_zone(name: &str) -> ApiError {
    ApiError::invalid(&format!("Invalid time zone definition for {name} time."))
}

/// A moment with an offset, or a reading of the wall clock in `zone`. Fractions of a second are dropped.
fn parse_moment(text: &str, zone: Zone) -> Option<DateTime<Utc>> {
    let at = match DateTime::parse_from_rfc3339(text) {
        Ok(at) => at.with_timezone(&Utc),
        Err(_) => zone.resolve(text.parse::<NaiveDateTime>().ok()?),
    };
    DateTime::from_timestamp(at.timestamp(), 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

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
