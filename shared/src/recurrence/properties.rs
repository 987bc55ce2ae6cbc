//! Random rules, checked against a second calculation that shares no code with the expansion: it asks of each day of
//! some years whether the rule includes it.

use std::collections::BTreeMap;

use chrono::{Datelike, NaiveTime, Timelike, Weekday};
use proptest::{collection::vec, option, prelude::*, sample::subsequence};

use super::*;
use crate::{model::EventTime, testing::event};

const NAMES: [&str; 7] = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"];

#[derive(Debug, Clone)]
struct Drawn {
    frequency: &'static str,
    interval: i64,
    ends: Ends,
    week_start: Option<u8>,
    months: Vec<u32>,
    month_days: Vec<isize>,
    year_days: Vec<isize>,
    weeks: Vec<isize>,
    week_days: Vec<(isize, usize)>,
    hours: Vec<u32>,
    minutes: Vec<u32>,
    positions: Vec<isize>,
}

#[derive(Debug, Clone)]
enum Ends {
    Never,
    Count(usize),
    Until(i64),
}

/// Usually none, else some of `numbers`.
fn some<T: Clone + std::fmt::Debug + 'static>(
    numbers: impl Strategy<Value = T>,
    chance: f64,
) -> impl Strategy<Value = Vec<T>> {
    option::weighted(chance, vec(numbers, 1..4)).prop_map(Option::unwrap_or_default)
}

fn signed(most: isize) -> impl Strategy<Value = isize> {
    (1..=most, any::<bool>()).prop_map(|(number, back)| if back { -number } else { number })
}

fn drawn() -> impl Strategy<Value = Drawn> {
    let frequency = prop::sample::select(vec!["YEARLY", "MONTHLY", "WEEKLY", "DAILY"]);
    let ends = prop_oneof![Just(Ends::Never), (1_usize..30).prop_map(Ends::Count), (0_i64..900).prop_map(Ends::Until)];
    let ordinal = prop_oneof![Just(0_isize), signed(6)];
    let times = (subsequence((0..24).collect::<Vec<u32>>(), 0..3), subsequence(vec![0, 15, 30, 45_u32], 0..3));
    let days = (some(1_u32..=12, 0.4), some(signed(31), 0.3), some(signed(366), 0.1), some(signed(53), 0.1));
    (
        (frequency, 1_i64..5, ends, option::of(0_u8..7)),
        days,
        some((ordinal, 0_usize..7), 0.5),
        times,
        some(signed(5), 0.2),
    )
        .prop_map(|((frequency, interval, ends, week_start), days, week_days, (hours, minutes), positions)| {
            let (months, month_days, year_days, weeks) = days;
            let mut rule = Drawn {
                frequency,
                interval,
                ends,
                week_start,
                months,
                month_days,
                year_days,
                weeks,
                week_days,
                hours,
                minutes,
                positions,
            };
            // Week numbers exist in yearly rules alone.
            if rule.frequency != "YEARLY" {
                rule.weeks.clear();
            }
            rule
        })
}

fn joined<T: ToString>(items: impl IntoIterator<Item = T>) -> String {
    items.into_iter().map(|item| item.to_string()).collect::<Vec<_>>().join(",")
}

impl Drawn {
    fn text(&self, start: NaiveDateTime) -> String {
        let week_days = self.week_days.iter().map(|(ordinal, day)| match ordinal {
            0 => NAMES[*day].to_owned(),
            ordinal => format!("{ordinal}{}", NAMES[*day]),
        });
        let parts = [
            ("BYMONTH", joined(&self.months)),
            ("BYMONTHDAY", joined(&self.month_days)),
            ("BYYEARDAY", joined(&self.year_days)),
            ("BYWEEKNO", joined(&self.weeks)),
            ("BYDAY", joined(week_days)),
            ("BYHOUR", joined(&self.hours)),
            ("BYMINUTE", joined(&self.minutes)),
            ("BYSETPOS", joined(&self.positions)),
            ("WKST", self.week_start.map_or(String::new(), |day| NAMES[usize::from(day)].to_owned())),
            ("COUNT", if let Ends::Count(count) = self.ends { count.to_string() } else { String::new() }),
            ("UNTIL", self.until(start).map_or(String::new(), |until| until.format("%Y%m%dT%H%M%SZ").to_string())),
        ];
        rule(self.frequency, self.interval, parts)
    }

    fn until(&self, start: NaiveDateTime) -> Option<NaiveDateTime> {
        if let Ends::Until(days) = self.ends { Some(start + TimeDelta::days(days)) } else { None }
    }

    /// The times that the rule means from `start`, inclusive, to `end`.
    fn meaning(&self, start: NaiveDateTime, end: NaiveDate) -> Vec<NaiveDateTime> {
        let rule = self.completed(start);
        // By period: all days of the first period, since BYSETPOS counts those before the start too.
        let mut periods: BTreeMap<i64, Vec<NaiveDateTime>> = BTreeMap::new();
        let mut day = NaiveDate::from_ymd_opt(start.year() - 1, 12, 1).unwrap();
        while day <= end + TimeDelta::days(400) {
            let period = rule.period(start.date(), day);
            if period >= 0 && period % rule.interval == 0 && rule.means(day) {
                let times = rule.hours.iter().flat_map(|hour| rule.minutes.iter().map(move |minute| (*hour, *minute)));
                let at = |(hour, minute)| day.and_hms_opt(hour, minute, start.second()).unwrap();
                periods.entry(period).or_default().extend(times.map(at));
            }
            day = day.succ_opt().unwrap();
        }
        let chosen = periods.into_values().flat_map(|mut times| {
            times.sort_unstable();
            let at = |position: &isize| nth(*position, &times).copied();
            let mut chosen: Vec<_> = rule.positions.iter().filter_map(at).collect();
            chosen.sort_unstable();
            chosen.dedup();
            if rule.positions.is_empty() { times } else { chosen }
        });
        let count = if let Ends::Count(count) = rule.ends { count } else { usize::MAX };
        let until = rule.until(start).unwrap_or(NaiveDateTime::MAX);
        let mut found: Vec<_> = chosen.filter(|at| *at >= start && *at <= until).take(count).collect();
        found.push(start);
        found.sort_unstable();
        found.dedup();
        found.retain(|at| at.date() <= end);
        found
    }

    /// The rule with what it takes from the start.
    fn completed(&self, start: NaiveDateTime) -> Self {
        let mut rule = self.clone();
        let weekday = (0, start.weekday().num_days_from_monday() as usize);
        let chooses_days = !(rule.month_days.is_empty() && rule.year_days.is_empty() && rule.week_days.is_empty());
        match rule.frequency {
            "WEEKLY" if !chooses_days => rule.week_days.push(weekday),
            "MONTHLY" if !chooses_days => rule.month_days.push(start.day().try_into().unwrap()),
            "YEARLY" if !chooses_days && !rule.weeks.is_empty() => rule.week_days.push(weekday),
            "YEARLY" if rule.year_days.is_empty() && rule.week_days.is_empty() && rule.weeks.is_empty() => {
                if rule.months.is_empty() {
                    rule.months.push(start.month());
                }
                if rule.month_days.is_empty() {
                    rule.month_days.push(start.day().try_into().unwrap());
                }
            }
            _ => {}
        }
        if rule.hours.is_empty() {
            rule.hours.push(start.hour());
        }
        if rule.minutes.is_empty() {
            rule.minutes.push(start.minute());
        }
        rule
    }

    /// How many periods `day` is after the start.
    fn period(&self, start: NaiveDate, day: NaiveDate) -> i64 {
        let months = |day: NaiveDate| i64::from(day.year()) * 12 + i64::from(day.month());
        match self.frequency {
            "YEARLY" => i64::from(day.year() - start.year()),
            "MONTHLY" => months(day) - months(start),
            "WEEKLY" => (self.week_of(day) - self.week_of(start)).num_days() / 7,
            _ => (day - start).num_days(),
        }
    }

    /// The first day of the week.
    fn week_of(&self, mut day: NaiveDate) -> NaiveDate {
        let first = Weekday::try_from(self.week_start.unwrap_or(0)).unwrap();
        while day.weekday() != first {
            day = day.pred_opt().unwrap();
        }
        day
    }

    fn means(&self, day: NaiveDate) -> bool {
        let year = |year| days_where(NaiveDate::from_ymd_opt(year, 1, 1).unwrap(), move |day| day.year() == year);
        let month_of = |day: NaiveDate| days_where(day.with_day(1).unwrap(), move |other| other.month() == day.month());
        let counts_in_month = self.frequency == "MONTHLY" || self.frequency == "YEARLY" && !self.months.is_empty();
        let has_ordinals = counts_in_month || self.frequency == "YEARLY" && self.weeks.is_empty();
        let is_week_day = |(ordinal, name): &(isize, usize)| {
            let alike = |other: &NaiveDate| other.weekday().num_days_from_monday() as usize == *name;
            if *ordinal == 0 || !has_ordinals {
                return alike(&day);
            }
            let within = if counts_in_month { month_of(day) } else { year(day.year()) };
            is_nth(*ordinal, day, &within.into_iter().filter(alike).collect::<Vec<_>>())
        };
        let is_week = |number: &isize| {
            (day.year() - 1..=day.year() + 1).any(|year| {
                let [first, next] =
                    [year, year + 1].map(|year| self.week_of(NaiveDate::from_ymd_opt(year, 1, 4).unwrap()));
                let weeks: Vec<_> = days_where(first, move |day| day < next).into_iter().step_by(7).collect();
                is_nth(*number, self.week_of(day), &weeks)
            })
        };
        (self.months.is_empty() || self.months.contains(&day.month()))
            && (self.month_days.is_empty() || self.month_days.iter().any(|nth| is_nth(*nth, day, &month_of(day))))
            && (self.year_days.is_empty() || self.year_days.iter().any(|nth| is_nth(*nth, day, &year(day.year()))))
            && (self.weeks.is_empty() || self.weeks.iter().any(is_week))
            && (self.week_days.is_empty() || self.week_days.iter().any(is_week_day))
    }
}

/// The days from `first` on, as long as `wanted` holds.
fn days_where(first: NaiveDate, wanted: impl Fn(NaiveDate) -> bool) -> Vec<NaiveDate> {
    first.iter_days().take_while(|day| wanted(*day)).collect()
}

/// The item at a position, counted from the end where it is negative.
fn nth<T>(number: isize, items: &[T]) -> Option<&T> {
    let index = if number > 0 { number - 1 } else { items.len().cast_signed() + number };
    usize::try_from(index).ok().and_then(|index| items.get(index))
}

fn is_nth(number: isize, day: NaiveDate, days: &[NaiveDate]) -> bool {
    nth(number, days) == Some(&day)
}

fn rule<const N: usize>(frequency: &str, interval: i64, parts: [(&str, String); N]) -> String {
    let parts =
        parts.into_iter().filter(|(_, value)| !value.is_empty()).map(|(name, value)| format!(";{name}={value}"));
    format!("RRULE:FREQ={frequency};INTERVAL={interval}{}", parts.collect::<String>())
}

fn series(start: NaiveDateTime, lines: &[String]) -> Series {
    let at = |local: NaiveDateTime| EventTime::At { instant: local.and_utc(), zone: Some(Tz::UTC.into()) };
    let lines: Vec<_> = lines.iter().map(String::as_str).collect();
    Series::read(&event("series", at(start), at(start + TimeDelta::minutes(5)), &lines), Tz::UTC).unwrap()
}

fn start() -> impl Strategy<Value = NaiveDateTime> {
    let day = |day| NaiveDate::from_ymd_opt(2024, 1, 1).unwrap() + TimeDelta::days(day);
    (0_i64..1100, 0_u32..24, 0_u32..60)
        .prop_map(move |(on, hour, minute)| day(on).and_hms_opt(hour, minute, 7).unwrap())
}

proptest! {
    #[test]
    fn random_rules_occur_when_they_mean_to(rule in drawn(), start in start(), from in -40_i64..900, length in 1_i64..500) {
        let text = rule.text(start);
        let series = series(start, std::slice::from_ref(&text));
        prop_assert_eq!(series.misread(), 0, "{}", text);
        let from = start.date() + TimeDelta::days(from);
        let end = from + TimeDelta::days(length);
        let moment = |day: NaiveDate| day.and_time(NaiveTime::MIN).and_utc();
        let found = series.occurrences(Window { from: moment(from), to: moment(end) });
        let found: Vec<_> = found.iter().map(|(start, _)| start.naive_utc()).collect();
        let mut meant = rule.meaning(start, end - TimeDelta::days(1));
        // An occurrence that began before midnight may still overlap the window.
        meant.retain(|at| (*at + TimeDelta::minutes(5)).and_utc() > moment(from));
        prop_assert_eq!(found, meant, "{}", text);
    }

    #[test]
    fn rules_of_hours_and_minutes_occur_when_they_mean_to(
        frequency in prop::sample::select(vec!["HOURLY", "MINUTELY"]),
        interval in 1_i64..200,
        hours in subsequence((0..24).collect::<Vec<u32>>(), 0..6),
        minutes in subsequence((0..60).collect::<Vec<u32>>(), 0..6),
        week_days in subsequence((0..7).collect::<Vec<usize>>(), 0..4),
        start in start(),
    ) {
        let names = week_days.iter().map(|day| NAMES[*day]);
        let parts = [("BYHOUR", joined(&hours)), ("BYMINUTE", joined(&minutes)), ("BYDAY", joined(names))];
        let text = rule(frequency, interval, parts);
        let end = start + TimeDelta::days(12);
        let found = series(start, std::slice::from_ref(&text)).occurrences(Window { from: start.and_utc(), to: end.and_utc() });
        let unit = if frequency == "HOURLY" { 60 } else { 1 };
        let since = |at: NaiveDateTime| (at.and_utc().timestamp() / 60).div_euclid(unit);
        let meant = (0..12 * 24 * 60).map(|minute| start + TimeDelta::minutes(minute)).filter(|at| {
            let minute_fits = match (minutes.is_empty(), frequency) {
                (true, "HOURLY") => at.minute() == start.minute(),
                (true, _) => true,
                (false, _) => minutes.contains(&at.minute()),
            };
            let rule_fits = (since(*at) - since(start)) % interval == 0
                && minute_fits
                && (hours.is_empty() || hours.contains(&at.hour()))
                && (week_days.is_empty() || week_days.contains(&(at.weekday().num_days_from_monday() as usize)));
            rule_fits || *at == start
        });
        let found: Vec<_> = found.iter().map(|(start, _)| start.naive_utc()).collect();
        prop_assert_eq!(found, meant.collect::<Vec<_>>(), "{}", text);
    }

    #[test]
    fn no_series_walks_further_than_its_budget_whether_it_is_taken_or_not(
        lines in vec(hostile(), 1..4),
        year in prop_oneof![Just(1), Just(2026), Just(9999), 1..9999],
        asked in prop_oneof![Just(1), Just(2026), 1..9999],
        days in 1_i64..1500,
    ) {
        let start = NaiveDate::from_ymd_opt(year, 3, 2).unwrap().and_hms_opt(9, 0, 0).unwrap();
        // A rule notices that the budget is spent by the step that goes beyond it.
        let walk = |years: u64| budget::MAX_STEPS * years + lines.len() as u64;
        let series = series(start, &lines);
        let (extent, steps) = series.extent_and_steps();
        prop_assert!(steps <= 2 * walk(1), "{} steps to list it", steps);
        let from = NaiveDate::from_ymd_opt(asked, 1, 1).unwrap().and_time(NaiveTime::MIN).and_utc();
        let window = Window { from, to: from + TimeDelta::days(days) };
        let mut budget = Budget::of(window.to - window.from);
        let found = series.within(window, &mut budget);
        prop_assert!(found.is_sorted());
        prop_assert!(found.iter().all(|(start, end)| *start < window.to && *end > window.from));
        let years = (days / 366 + 1).unsigned_abs();
        prop_assert!(budget.spent() <= walk(years), "{} steps for {} days", budget.spent(), days);
        prop_assert!(extent.is_err() || !budget.is_spent());
    }
}

/// A pathological rule, of parts that are as large as allowed.
fn hostile() -> impl Strategy<Value = String> {
    let frequency =
        prop::sample::select(vec!["YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY", "MINUTELY", "SECONDLY"]);
    let interval = prop_oneof![1_u64..4, 1_u64..100_000, Just(u64::MAX)];
    let ends = prop_oneof![
        Just(String::new()),
        prop_oneof![1_u64..100_000, Just(u64::MAX)].prop_map(|count| format!(";COUNT={count}")),
        (1_u64..=9999).prop_map(|year| format!(";UNTIL={year:04}0101")),
    ];
    let sizes = [("BYHOUR", 0_i64, 23_i64), ("BYMINUTE", 0, 59), ("BYSECOND", 0, 60), ("BYMONTHDAY", -31, -1)]
        .into_iter()
        .chain([("BYYEARDAY", 1, 366), ("BYWEEKNO", 1, 53), ("BYSETPOS", -366, -1), ("BYMONTH", 1, 12)])
        .map(|(name, least, most)| {
            let some = (least..=most, least..=most);
            option::weighted(0.3, prop_oneof![Just((least, most)), some]).prop_map(move |range| match range {
                Some((one, other)) => format!(";{name}={}", joined(one.min(other)..=one.max(other))),
                None => String::new(),
            })
        });
    let parts: Vec<_> = sizes.collect();
    (prop::sample::select(vec!["RRULE", "EXRULE"]), frequency, interval, ends, parts).prop_map(
        |(name, frequency, interval, ends, parts)| {
            format!("{name}:FREQ={frequency};INTERVAL={interval}{ends}{}", parts.concat())
        },
    )
}
