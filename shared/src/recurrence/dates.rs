//! Dates in RDATE, EXDATE and UNTIL, as RFC 5545 writes them.

use chrono::{NaiveDate, NaiveDateTime, TimeDelta};

/// A DATE or a DATE-TIME.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    Day(NaiveDate),
    /// In a zone that is named elsewhere.
    Local(NaiveDateTime),
    Utc(NaiveDateTime),
}

impl Written {
    /// Reads `20261211`, `20261211T020000` or `20261211T020000Z`.
    pub(super) fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        let (local, is_utc) = match text.strip_suffix(['Z', 'z']) {
            Some(local) => (local, true),
            None => (text, false),
        };
        let (day, time) = match local.split_once(['T', 't']) {
            Some((day, time)) => (day, Some(time)),
            None => (local, None),
        };
        let [year, month, day] = digits(day, [4, 2, 2])?;
        let day = NaiveDate::from_ymd_opt(i32::try_from(year).ok().filter(|year| *year > 0)?, month, day)?;
        let Some(time) = time else { return Some(Self::Day(day)) };
        let [hour, minute, second] = digits(time, [2, 2, 2])?;
        // A leap second counts as the one before it.
        let local = day.and_hms_opt(hour, minute, if second == 60 { 59 } else { second })?;
        Some(if is_utc { Self::Utc(local) } else { Self::Local(local) })
    }

    /// The day, whatever the time and zone.
    pub(super) fn day(self) -> NaiveDate {
        match self {
            Self::Day(day) => day,
            Self::Local(at) | Self::Utc(at) => at.date(),
        }
    }
}

/// The length of a PERIOD.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lasts {
    Until(Written),
    For(TimeDelta),
}

/// Reads a value of RDATE or EXDATE: a DATE, a DATE-TIME, or a PERIOD with its own length.
pub(super) fn read(text: &str) -> Option<(Written, Option<Lasts>)> {
    let Some((start, lasts)) = text.split_once('/') else { return Some((Written::read(text)?, None)) };
    let lasts = match duration(lasts.trim()) {
        Some(length) => Lasts::For(length),
        None => Lasts::Until(Written::read(lasts)?),
    };
    Some((Written::read(start)?, Some(lasts)))
}

/// `P1W`, `P1DT2H`, `PT90M`.
fn duration(text: &str) -> Option<TimeDelta> {
    let (mut seconds, mut amount, mut in_time) = (0_i64, None, false);
    for letter in text.strip_prefix('P')?.chars() {
        if let Some(digit) = letter.to_digit(10) {
            // Bounded, so that the sum cannot overflow.
            amount = Some((amount.unwrap_or(0) * 10 + i64::from(digit)).min(1_000_000_000));
            continue;
        }
        let unit = match (letter, in_time) {
            ('W', false) => 7 * 86_400,
            ('D', false) => 86_400,
            ('H', true) => 3_600,
            ('M', true) => 60,
            ('S', true) => 1,
            ('T', false) if amount.is_none() => {
                in_time = true;
                continue;
            }
            _ => return None,
        };
        seconds = amount.take()?.saturating_mul(unit).saturating_add(seconds);
    }
    let is_whole = amount.is_none() && seconds > 0;
    TimeDelta::try_seconds(seconds).filter(|length| is_whole && *length <= TimeDelta::days(366 * 10_000))
}

/// The numbers in `text`, each with the digits in `widths`.
fn digits<const N: usize>(text: &str, widths: [usize; N]) -> Option<[u32; N]> {
    if !text.bytes().all(|byte| byte.is_ascii_digit()) || text.len() != widths.iter().sum::<usize>() {
        return None;
    }
    let mut rest = text;
    let mut numbers = [0; N];
    for (number, width) in numbers.iter_mut().zip(widths) {
        let (digits, others) = rest.split_at(width);
        *number = digits.parse().ok()?;
        rest = others;
    }
    Some(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_read_as_it_is_written_or_not_at_all() {
        let day = NaiveDate::from_ymd_opt(2026, 12, 11).unwrap();
        let at = |hour, minute, second| day.and_hms_opt(hour, minute, second).unwrap();
        assert_eq!(Written::read("20261211"), Some(Written::Day(day)));
        assert_eq!(Written::read(" 20261211T020304 "), Some(Written::Local(at(2, 3, 4))));
        assert_eq!(Written::read("20261211t020304z"), Some(Written::Utc(at(2, 3, 4))));
        assert_eq!(Written::read("20261211T235960Z"), Some(Written::Utc(at(23, 59, 59))));
        for text in
            ["", "x", "2026121", "20261311", "00001211", "20261211T", "20261211T0203", "20261211T250000", "２026"]
        {
            assert_eq!(Written::read(text), None, "{text}");
        }
    }

    #[test]
    fn a_period_has_a_length_or_an_end() {
        let lasts = |text| read(text).map(|(_, lasts)| lasts);
        let hours = |hours| Some(Some(Lasts::For(TimeDelta::hours(hours))));
        assert_eq!(lasts("20261211T020000Z/PT1H"), hours(1));
        assert_eq!(lasts("20261211T020000Z/P1DT2H"), hours(26));
        assert_eq!(lasts("20261211T020000Z/P1W"), hours(168));
        assert_eq!(lasts("20261211/20261212"), Some(Some(Lasts::Until(Written::read("20261212").unwrap()))));
        for text in
            ["/", "20261211/", "20261211/P", "20261211/PT", "20261211/P1H", "20261211/PT1", "20261211/P99999999W"]
        {
            assert_eq!(lasts(text), None, "{text}");
        }
    }
}
