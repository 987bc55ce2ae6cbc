//! Names of time zones that Google accepts. Google refuses an event whose zone it does not know, and its time zone data
//! may be older than ours. A lesson's times do not depend on the name of its zone.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use chrono_tz::Tz;

use crate::ports::Operation;

/// The zones that Google refused in this process, each with the one that is written instead.
#[derive(Default)]
pub(super) struct Zones(Mutex<HashMap<Tz, Tz>>);

impl Zones {
    /// The operation with a zone that Google is not known to refuse.
    pub fn known(&self, operation: &Operation) -> Operation {
        let mut operation = operation.clone();
        if let Some(zone) = zone_of(&mut operation)
            && let Some(known) = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(zone)
        {
            *zone = *known;
        }
        operation
    }

    /// Notes that Google refused the zone of `written`, which replaced that of `operation`. False when there is no
    /// other zone to try.
    pub fn refused(&self, operation: &Operation, written: &Operation) -> bool {
        let [zone, written] = [operation, written].map(|operation| zone_of(&mut operation.clone()).copied());
        let Some((zone, other)) = zone.zip(written.and_then(in_place_of)) else { return false };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(zone, other);
        true
    }
}

fn zone_of(operation: &mut Operation) -> Option<&mut Tz> {
    match operation {
        Operation::Insert { event, .. } | Operation::Replace { event, .. } | Operation::Patch { event, .. } => {
            Some(&mut event.content.time_zone)
        }
        Operation::Get { .. } | Operation::Delete { .. } => None,
    }
}

/// The zone for one that Google does not know: its name before the tz database renamed it, else UTC.
fn in_place_of(zone: Tz) -> Option<Tz> {
    match zone {
        Tz::Europe__Kyiv => Some(Tz::Europe__Kiev),          // 2022b
        Tz::Pacific__Kanton => Some(Tz::Pacific__Enderbury), // 2021b
        Tz::America__Nuuk => Some(Tz::America__Godthab),     // 2020a
        Tz::Asia__Yangon => Some(Tz::Asia__Rangoon),         // 2016g
        Tz::UTC => None,
        _ => Some(Tz::UTC),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::{EventId, LessonContent, LessonId},
        ports::EventPatch,
    };

    fn insert(time_zone: Tz) -> Operation {
        let at = "2026-03-01T08:00:00Z".parse().unwrap();
        let content = LessonContent {
            title: "Piano".to_owned(),
            starts_at: at,
            ends_at: at,
            time_zone,
            description: None,
            location: None,
        };
        let event = EventPatch { lesson_id: LessonId(uuid::Uuid::nil()), content };
        Operation::Insert { id: EventId::from("e1"), event }
    }

    #[test]
    fn a_zone_that_google_does_not_know_is_written_under_its_older_name_and_then_as_utc() {
        let (zones, kyiv) = (Zones::default(), insert(Tz::Europe__Kyiv));
        assert_eq!(zones.known(&kyiv), kyiv);
        assert!(zones.refused(&kyiv, &kyiv));
        assert_eq!(zones.known(&kyiv), insert(Tz::Europe__Kiev));
        assert!(zones.refused(&kyiv, &kyiv), "the next part of the same batch");
        assert_eq!(zones.known(&kyiv), insert(Tz::Europe__Kiev));
        assert!(zones.refused(&kyiv, &insert(Tz::Europe__Kiev)));
        assert_eq!(zones.known(&kyiv), insert(Tz::UTC));
        assert!(!zones.refused(&kyiv, &insert(Tz::UTC)), "there is nothing else to write");
        assert_eq!(zones.known(&insert(Tz::Europe__Berlin)), insert(Tz::Europe__Berlin), "others are left alone");
    }

    #[test]
    fn what_writes_no_times_has_no_zone_to_refuse() {
        let zones = Zones::default();
        let get = Operation::Get { id: EventId::from("e1") };
        assert!(!zones.refused(&get, &get));
        assert_eq!(zones.known(&get), get);
    }

    #[test]
    fn an_older_name_stands_for_the_same_days_and_hours() {
        use chrono::{Offset, TimeDelta, TimeZone};
        for zone in [Tz::Europe__Kyiv, Tz::Pacific__Kanton, Tz::America__Nuuk, Tz::Asia__Yangon] {
            let older = in_place_of(zone).unwrap();
            let start = "2020-01-01T00:00:00".parse::<chrono::NaiveDateTime>().unwrap();
            for day in 0..3_650 {
                let at = start + TimeDelta::days(day);
                let offset = |zone: Tz| zone.offset_from_utc_datetime(&at).fix();
                assert_eq!(offset(zone), offset(older), "{zone} and {older} on {at}");
            }
        }
    }
}
