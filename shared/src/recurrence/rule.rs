//! A recurrence rule (RFC 5545, section 3.3.10), as Google reads it.
//!
//! What a rule leaves open comes from the first occurrence: the rule is completed when it is read.

use chrono::{DateTime, Datelike, Days, NaiveDate, Timelike, Utc, Weekday};

use super::{dates::Written, first::First};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Frequency {
    Yearly,
    Monthly,
    Weekly,
    Daily,
    Hourly,
    Minutely,
    Secondly,
}

/// The numbers of one BY-part, sorted. Without numbers every number is admitted.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Numbers(pub(super) Vec<i32>);

impl Numbers {
    fn is_open(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn admit<const N: usize>(&self, wanted: [i32; N]) -> bool {
        self.is_open() || wanted.iter().any(|number| self.0.binary_search(number).is_ok())
    }
}

/// A complete rule: with the first occurrence it decides when the series occurs.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) frequency: Frequency,
    pub(super) interval: i64,
    pub(super) count: Option<u64>,
    pub(super) until: Option<DateTime<Utc>>,
    pub(super) week_start: Weekday,
    months: Numbers,
    week_numbers: Numbers,
    year_days: Numbers,
    month_days: Numbers,
    /// Numbered by [`week_day`].
    week_days: Numbers,
    /// Whether ordinals of weekdays count in the month, else in the year.
    counts_in_month: bool,
    /// Hours, minutes and seconds.
    pub(super) clock: [Numbers; 3],
    positions: Numbers,
}

const PARTS: [&str; 14] = [
    "FREQ",
    "INTERVAL",
    "COUNT",
    "UNTIL",
    "WKST",
    "BYMONTH",
    "BYWEEKNO",
    "BYYEARDAY",
    "BYMONTHDAY",
    "BYDAY",
    "BYHOUR",
    "BYMINUTE",
    "BYSECOND",
    "BYSETPOS",
];

impl Rule {
    /// Reads the value of an RRULE or EXRULE. White space and `X-` parts are ignored. `None` where the meaning is not
    /// certain: a rule that is read in part would occur too often.
    pub(super) fn read(text: &str, first: &First) -> Option<Self> {
        let text: String = text.chars().filter(|letter| !letter.is_whitespace()).collect();
        let text = text.to_ascii_uppercase();
        let parts = text.split(';').filter(|part| !part.is_empty() && !part.starts_with("X-"));
        let mut parts: Vec<(&str, &str)> = parts.map(|part| part.split_once('=')).collect::<Option<_>>()?;
        parts.sort_unstable();
        let is_ambiguous = parts.windows(2).any(|pair| pair[0].0 == pair[1].0);
        if is_ambiguous || !parts.iter().all(|(name, _)| PARTS.contains(name)) {
            return None;
        }
        let part = |name| parts.iter().find(|part| part.0 == name).map(|part| part.1);
        let upto = |name, most| numbers(part(name), |number| (1..=most).contains(&number.unsigned_abs()));
        let clock = |name, most| numbers(part(name), |number| (0..=most).contains(&number));

        let frequency = frequency(part("FREQ")?)?;
        let months = numbers(part("BYMONTH"), |month| (1..=12).contains(&month))?;
        let week_numbers = upto("BYWEEKNO", 53)?;
        let counts_in_month = frequency == Frequency::Monthly || frequency == Frequency::Yearly && !months.is_open();
        let has_ordinals = counts_in_month || frequency == Frequency::Yearly && week_numbers.is_open();
        let mut rule = Self {
            frequency,
            interval: part("INTERVAL").map_or(Some(1), amount).and_then(|interval| interval.try_into().ok())?,
            count: part("COUNT").map(|count| amount(count).ok_or(())).transpose().ok()?,
            until: part("UNTIL").map(|date| Written::read(date).ok_or(())).transpose().ok()?.map(|at| first.until(at)),
            week_start: part("WKST").map_or(Some(Weekday::Mon), weekday)?,
            months,
            week_numbers,
            year_days: upto("BYYEARDAY", 366)?,
            month_days: upto("BYMONTHDAY", 31)?,
            week_days: week_days(part("BYDAY"), has_ordinals)?,
            counts_in_month,
            clock: [clock("BYHOUR", 23)?, clock("BYMINUTE", 59)?, without_leap_second(clock("BYSECOND", 60)?)],
            positions: upto("BYSETPOS", 366)?,
        };
        if first.is_days {
            rule.clock = Default::default();
        }
        let is_plain = !first.is_days || rule.given_of_clock() == 0;
        rule.complete(first);
        is_plain.then_some(rule)
    }

    /// Fills in what the rule leaves open.
    fn complete(&mut self, first: &First) {
        let start = first.start;
        let number = |number: u32| Numbers(vec![number.cast_signed()]);
        let own_week_day = Numbers(vec![week_day(0, start.weekday())]);
        let no_day = self.year_days.is_open() && self.month_days.is_open() && self.week_days.is_open();
        let no_week = self.week_numbers.is_open();
        match self.frequency {
            Frequency::Weekly if no_day => self.week_days = own_week_day,
            Frequency::Yearly | Frequency::Monthly if no_day && !no_week => self.week_days = own_week_day,
            Frequency::Monthly if no_day => self.month_days = number(start.day()),
            // Once a year: by RFC 5545 a day of the month means each month, but Google shows the start's month.
            Frequency::Yearly if self.year_days.is_open() && self.week_days.is_open() && no_week => {
                if self.months.is_open() {
                    self.months = number(start.month());
                }
                if self.month_days.is_open() {
                    self.month_days = number(start.day());
                }
            }
            _ => {}
        }
        let given = self.given_of_clock();
        for (numbers, shown) in self.clock.iter_mut().zip([start.hour(), start.minute(), start.second()]).skip(given) {
            if numbers.is_open() {
                *numbers = number(shown);
            }
        }
    }

    /// How many of hour, minute and second the period gives; the rule expands the others.
    pub(super) fn given_of_clock(&self) -> usize {
        match self.frequency {
            Frequency::Yearly | Frequency::Monthly | Frequency::Weekly | Frequency::Daily => 0,
            Frequency::Hourly => 1,
            Frequency::Minutely => 2,
            Frequency::Secondly => 3,
        }
    }

    /// How many times the rule has in each day, or in each shorter period.
    pub(super) fn times(&self) -> usize {
        self.clock.iter().skip(self.given_of_clock()).map(|numbers| numbers.0.len()).product()
    }

    /// Whether the rule may occur on `day`.
    pub(super) fn admits_day(&self, day: NaiveDate) -> bool {
        let (in_month, in_year) = (u32::from(day.num_days_in_month()), days_in_year(day));
        self.admits_month(day)
            && self.month_days.admit(from_both_ends(day.day(), in_month))
            && self.year_days.admit(from_both_ends(day.ordinal(), in_year))
            && (self.week_days.is_open() || {
                let (nth, all) = if self.counts_in_month { (day.day(), in_month) } else { (day.ordinal(), in_year) };
                let [before, after] = [nth - 1, all - nth].map(|days| (days / 7).cast_signed());
                self.week_days.admit([0, before + 1, -after - 1].map(|ordinal| week_day(ordinal, day.weekday())))
            })
            && (self.week_numbers.is_open() || self.week_numbers.admit(self.week_number(day)))
    }

    /// Whether the rule may occur in the month of `day`.
    pub(super) fn admits_month(&self, day: NaiveDate) -> bool {
        self.months.admit([day.month().cast_signed()])
    }

    /// Whether BYSETPOS chooses the `nth` of `all` times of a period, from 0.
    pub(super) fn admits_position(&self, nth: usize, all: usize) -> bool {
        let [nth, all] = [nth, all].map(|number| i32::try_from(number).unwrap_or(i32::MAX));
        self.positions.admit([nth + 1, nth - all])
    }

    /// The week number of `day`, also counted from the end. A week belongs to the year of its fourth day.
    fn week_number(&self, day: NaiveDate) -> [i32; 2] {
        let fourth = day.week(self.week_start).first_day() + Days::new(3);
        let (before, after) = (fourth.ordinal0() / 7, (days_in_year(fourth) - fourth.ordinal()) / 7);
        from_both_ends(before + 1, before + 1 + after)
    }
}

fn days_in_year(day: NaiveDate) -> u32 {
    if day.leap_year() { 366 } else { 365 }
}

/// The number of the `nth` of `all`, and the same counted from the end.
fn from_both_ends(nth: u32, all: u32) -> [i32; 2] {
    let [nth, all] = [nth, all].map(u32::cast_signed);
    [nth, nth - all - 1]
}

/// A weekday with its ordinal as one number. Ordinal 0 stands for all of them.
fn week_day(ordinal: i32, day: Weekday) -> i32 {
    ordinal * 7 + day.num_days_from_monday().cast_signed()
}

fn frequency(text: &str) -> Option<Frequency> {
    Some(match text {
        "YEARLY" => Frequency::Yearly,
        "MONTHLY" => Frequency::Monthly,
        "WEEKLY" => Frequency::Weekly,
        "DAILY" => Frequency::Daily,
        "HOURLY" => Frequency::Hourly,
        "MINUTELY" => Frequency::Minutely,
        "SECONDLY" => Frequency::Secondly,
        _ => return None,
    })
}

fn weekday(text: &str) -> Option<Weekday> {
    Some(match text {
        "MO" => Weekday::Mon,
        "TU" => Weekday::Tue,
        "WE" => Weekday::Wed,
        "TH" => Weekday::Thu,
        "FR" => Weekday::Fri,
        "SA" => Weekday::Sat,
        "SU" => Weekday::Sun,
        _ => return None,
    })
}

/// A number of at least one, bounded by the largest that matters.
fn amount(text: &str) -> Option<u64> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let most = 1_000_000_000_000; // more than the seconds of ten thousand years
    is_number.then(|| text.parse().unwrap_or(most).min(most)).filter(|number| *number > 0)
}

fn list<T>(text: Option<&str>, read: impl FnMut(&str) -> Option<T>) -> Option<Vec<T>> {
    text.unwrap_or_default().split(',').filter(|item| !item.is_empty()).map(read).collect()
}

fn numbers(text: Option<&str>, allowed: impl Fn(i32) -> bool) -> Option<Numbers> {
    let numbers = list(text, |number| number.parse().ok().filter(|number| allowed(*number)))?;
    Some(Numbers(in_order(numbers)))
}

/// Ignores ordinals that have no meaning for the rule.
fn week_days(text: Option<&str>, has_ordinals: bool) -> Option<Numbers> {
    let days = list(text, |item| {
        let (ordinal, day) = item.split_at_checked(item.len().checked_sub(2)?)?;
        let ordinal = match ordinal {
            "" => 0,
            ordinal => ordinal.parse().ok().filter(|ordinal: &i32| (1..=53).contains(&ordinal.unsigned_abs()))?,
        };
        Some(week_day(if has_ordinals { ordinal } else { 0 }, weekday(day)?))
    })?;
    Some(Numbers(in_order(days)))
}

/// A leap second counts as the second before it.
fn without_leap_second(seconds: Numbers) -> Numbers {
    Numbers(in_order(seconds.0.into_iter().map(|second| second.min(59)).collect()))
}

fn in_order(mut numbers: Vec<i32>) -> Vec<i32> {
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}
