//! Zones that Google does not know in some worlds, and what stands for them there: said here once more, in other words
//! than the product says it.

use chrono_tz::Tz;

/// The zones.
pub const UNKNOWN: [Tz; 2] = [Tz::Europe__Kyiv, Tz::Asia__Beirut];

/// Whether an event in the zone `shown` is where its lesson is, in `wanted`.
pub fn fits(shown: &str, wanted: &str, unknown: bool) -> bool {
    shown == wanted || unknown && matches!((wanted, shown), ("Europe/Kyiv", "Europe/Kiev") | ("Asia/Beirut", "UTC"))
}
