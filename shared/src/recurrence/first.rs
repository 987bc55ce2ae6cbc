//! The first occurrence of a series, by the clock of its zone; every other is made of it.

use chrono::{DateTime, NaiveDateTime, NaiveTime, TimeDelta, Utc};
use chrono_tz::Tz;

use super::{
    Times,
    dates::{Lasts, Written},
};
use crate::model::{Event, EventTime, Zone};

#[derive(Debug)]
pub(super) struct First {
    /// What the clock shows when it begins.
    pub(super) start: NaiveDateTime,
    /// What the clock shows more when it ends.
    pub(super) length: TimeDelta,
    /// Whether it is of whole days.
    pub(super) is_days: bool,
    zone: Zone,
    times: Times,
}

impl First {
    /// `None` for an event without times.
    pub(super) fn of(event: &Event, calendar_zone: Tz) -> Option<Self> {
        let (start, end) = (event.start?, event.end?);
        let zone = match start {
            EventTime::At { zone: Some(zone), .. } => zone,
            EventTime::At { zone: None, .. } | EventTime::Day(_) => calendar_zone.into(),
        };
        let local = |time| match time {
            EventTime::At { instant, .. } => zone.local(instant),
            EventTime::Day(day) => day.and_time(NaiveTime::MIN),
        };
        Some(Self {
            start: local(start),
            length: local(end) - local(start),
            is_days: start.is_day(),
            zone,
            times: (start.instant(calendar_zone), end.instant(calendar_zone)),
        })
    }

    /// When it begins and ends.
    pub(super) fn times(&self) -> Times {
        self.times
    }

    /// What the clock shows at `instant`.
    pub(super) fn local(&self, instant: DateTime<Utc>) -> NaiveDateTime {
        self.zone.local(instant)
    }

    /// The occurrence that begins when the clock shows `local`, and ends by the clock too: a night shift ends at six,
    /// also in the night in which the clock goes back.
    pub(super) fn at(&self, local: NaiveDateTime) -> Times {
        if local == self.start {
            return self.times;
        }
        if self.is_days {
            let day_of = |local: NaiveDateTime| self.zone.start_of_day(local.date());
            return (day_of(local), day_of(local + self.length));
        }
        let start = self.zone.instant(local);
        self.lasting(start, self.zone.instant(local + self.length))
    }

    /// The occurrence that an RDATE adds. A day is that day at the usual time; of a series of whole days, a time is the
    /// day as it is written.
    pub(super) fn on(&self, date: Written, lasts: Option<Lasts>, zone: Option<Zone>) -> Option<Times> {
        let start = match date {
            date if self.is_days => return Some(self.at(date.day().and_time(NaiveTime::MIN))),
            Written::Day(day) => return Some(self.at(day.and_time(self.start.time()))),
            Written::Local(_) | Written::Utc(_) => self.moment(date, zone),
        };
        let end = match lasts {
            None => self.zone.instant(self.local(start) + self.length),
            Some(Lasts::For(length)) => start + length,
            Some(Lasts::Until(end)) => Some(self.moment(end, zone)).filter(|end| *end > start)?,
        };
        Some(self.lasting(start, end))
    }

    /// The moment of a date by the clock of `zone`, or of the series. Days begin at midnight.
    pub(super) fn moment(&self, date: Written, zone: Option<Zone>) -> DateTime<Utc> {
        match date {
            Written::Day(day) => self.zone.start_of_day(day),
            Written::Local(local) => match zone {
                Some(zone) if zone != self.zone => zone.instant(local),
                Some(_) | None => self.at(local).0,
            },
            Written::Utc(utc) => utc.and_utc(),
        }
    }

    /// The last moment at which a rule may yield something, by its UNTIL. A day counts to its end.
    pub(super) fn until(&self, date: Written) -> DateTime<Utc> {
        match date {
            date if self.is_days => self.zone.start_of_day(date.day()),
            Written::Day(day) => self.zone.instant(day.and_time(NaiveTime::MIN) + TimeDelta::seconds(86_399)),
            Written::Local(_) | Written::Utc(_) => self.moment(date, None),
        }
    }

    /// A change of clocks does not make an occurrence end before it begins.
    fn lasting(&self, start: DateTime<Utc>, end: DateTime<Utc>) -> Times {
        (start, if end <= start { start + self.length } else { end })
    }
}
