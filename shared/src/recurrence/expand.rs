//! Expands a rule: the days of each period that it admits, and the times of each day.
//!
//! All in local time, without zones.

use std::ops::RangeInclusive;

use chrono::{Datelike, Days, NaiveDate, NaiveDateTime, NaiveTime, Timelike, Weekday};

use super::{
    budget::Budget,
    rule::{Frequency, Rule},
};

const DAY: i64 = 86_400;

/// Calls `visit` with the rule's times in `wanted`, in order. Earlier periods are skipped without a walk, unless the
/// rule has a COUNT. Ends early when the budget is spent.
pub(super) fn expand(
    rule: &Rule,
    start: NaiveDateTime,
    wanted: &RangeInclusive<NaiveDateTime>,
    budget: &mut Budget,
    mut visit: impl FnMut(NaiveDateTime),
) {
    let first = number(rule, start);
    let skipped = match rule.count {
        Some(_) => 0,
        None => (number(rule, *wanted.start()) - first).div_euclid(rule.interval).max(0),
    };
    let mut left = rule.count.unwrap_or(u64::MAX);
    let mut days = Vec::new();
    for nth in skipped.. {
        let Some(period) = Period::numbered(first + nth * rule.interval, rule) else { return };
        if period.days.start().and_time(NaiveTime::MIN) > *wanted.end() || !period.admitted(rule, budget, &mut days) {
            return;
        }
        let all = days.len() * rule.times();
        for nth in 0..all {
            if !budget.spend(1) {
                return;
            }
            if !rule.admits_position(nth, all) {
                continue;
            }
            let at = period.nth(rule, &days, nth);
            if at < start {
                continue;
            }
            if at > *wanted.end() {
                return;
            }
            if at >= *wanted.start() {
                visit(at);
            }
            left -= 1;
            if left == 0 {
                return;
            }
        }
    }
}

/// The most steps that a rule takes for `days` and the periods at their ends.
pub(super) fn steps(rule: &Rule, days: u64) -> u64 {
    let (around, periods) = match rule.frequency {
        Frequency::Yearly => (2 * 366, 1),
        Frequency::Monthly => (2 * 31, 1),
        Frequency::Weekly => (2 * 7, 1),
        Frequency::Daily => (2, 1),
        Frequency::Hourly | Frequency::Minutely | Frequency::Secondly => {
            (2, (DAY / (unit(rule.frequency) * rule.interval)).unsigned_abs() + 1)
        }
    };
    days.saturating_add(around).saturating_mul(periods).saturating_mul(rule.times() as u64 + 1)
}

/// The seconds of a period shorter than a day.
fn unit(frequency: Frequency) -> i64 {
    match frequency {
        Frequency::Yearly | Frequency::Monthly | Frequency::Weekly | Frequency::Daily => DAY,
        Frequency::Hourly => 3_600,
        Frequency::Minutely => 60,
        Frequency::Secondly => 1,
    }
}

/// The number of the period with `at`, counted from the year 0.
fn number(rule: &Rule, at: NaiveDateTime) -> i64 {
    let day = i64::from(at.num_days_from_ce());
    match rule.frequency {
        Frequency::Yearly => i64::from(at.year()),
        Frequency::Monthly => i64::from(at.year()) * 12 + i64::from(at.month0()),
        Frequency::Weekly => (day - first_week_day(rule.week_start)).div_euclid(7),
        Frequency::Daily => day,
        Frequency::Hourly | Frequency::Minutely | Frequency::Secondly => {
            (day * DAY + i64::from(at.num_seconds_from_midnight())).div_euclid(unit(rule.frequency))
        }
    }
}

/// The first day of week 0. Day 1 is a Monday.
fn first_week_day(week_start: Weekday) -> i64 {
    1 + i64::from(week_start.num_days_from_monday())
}

struct Period {
    days: RangeInclusive<NaiveDate>,
    /// Seconds from the start of its day.
    begins: u32,
}

impl Period {
    /// `None` after the year 9999, the last that a date can be written in.
    fn numbered(number: i64, rule: &Rule) -> Option<Self> {
        let date = |number: i64| NaiveDate::from_num_days_from_ce_opt(i32::try_from(number).ok()?);
        let (first, last, begins) = match rule.frequency {
            Frequency::Yearly => {
                let year = i32::try_from(number).ok()?;
                (NaiveDate::from_ymd_opt(year, 1, 1)?, NaiveDate::from_ymd_opt(year, 12, 31)?, 0)
            }
            Frequency::Monthly => {
                let (year, month) = (number.div_euclid(12), number.rem_euclid(12));
                let first = NaiveDate::from_ymd_opt(year.try_into().ok()?, u32::try_from(month).ok()? + 1, 1)?;
                (first, first.with_day(first.num_days_in_month().into())?, 0)
            }
            Frequency::Weekly => {
                let first = date(number.checked_mul(7)? + first_week_day(rule.week_start))?;
                (first, first.checked_add_days(Days::new(6))?, 0)
            }
            Frequency::Daily => (date(number)?, date(number)?, 0),
            Frequency::Hourly | Frequency::Minutely | Frequency::Secondly => {
                let seconds = number.checked_mul(unit(rule.frequency))?;
                let day = date(seconds.div_euclid(DAY))?;
                (day, day, seconds.rem_euclid(DAY).try_into().ok()?)
            }
        };
        (first.year() <= 9999).then_some(Self { days: first..=last, begins })
    }

    /// Puts the days that the rule admits into `days`. False when the budget is spent.
    fn admitted(&self, rule: &Rule, budget: &mut Budget, days: &mut Vec<NaiveDate>) -> bool {
        days.clear();
        let shown = [self.begins / 3_600, self.begins / 60 % 60, self.begins % 60].map(u32::cast_signed);
        let mut given = rule.clock.iter().zip(shown).take(rule.given_of_clock());
        if !given.all(|(numbers, shown)| numbers.admit([shown])) {
            return budget.spend(1);
        }
        let mut day = *self.days.start();
        while day <= *self.days.end() {
            if !budget.spend(1) {
                return false;
            }
            if !rule.admits_month(day) {
                day = day + Days::new(u64::from(day.num_days_in_month()) + 1 - u64::from(day.day()));
                continue;
            }
            if rule.admits_day(day) {
                days.push(day);
            }
            day = day + Days::new(1);
        }
        true
    }

    /// The `nth` time on `days`, in order.
    fn nth(&self, rule: &Rule, days: &[NaiveDate], nth: usize) -> NaiveDateTime {
        let mut nth_time = nth % rule.times();
        let mut seconds = self.begins;
        for (numbers, unit) in rule.clock.iter().zip([3_600, 60, 1]).skip(rule.given_of_clock()).rev() {
            seconds += numbers.0[nth_time % numbers.0.len()].unsigned_abs() * unit;
            nth_time /= numbers.0.len();
        }
        let time = NaiveTime::from_num_seconds_from_midnight_opt(seconds, 0).unwrap_or_default();
        days[nth / rule.times()].and_time(time)
    }
}
