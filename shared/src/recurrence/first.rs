//! The first occurrence of a series in local time; all others are derived from it.

use std::cell::Cell;

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc};
use chrono_tz::Tz;

use super::{
    Times,
    dates::{Lasts, Written},
};
use crate::model::{Event, EventTime, Zone};

#[derive(Debug)]
pub(super) struct First {
    /// In local time.
    pub(super) start: NaiveDateTime,
    /// The difference between the local times of start and end; how long it really lasts where the clock went back so far
    /// that there is none.
    pub(super) length: TimeDelta,
    /// Whether the series has whole days.
    pub(super) is_days: bool,
    zone: Zone,
    times: Times,
    /// The day that was asked for last, and its offset if the clock does not change in it.
    offset: Cell<(NaiveDate, Option<FixedOffset>)>,
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
        let times = (start.instant(calendar_zone), end.instant(calendar_zone));
        let by_clock = local(end) - local(start);
        Some(Self {
            start: local(start),
            length: if by_clock > TimeDelta::zero() { by_clock } else { times.1 - times.0 },
            is_days: start.is_day(),
            zone,
            offset: Cell::new((NaiveDate::MIN, None)),
            times,
        })
    }

    pub(super) fn times(&self) -> Times {
        self.times
    }

    /// The local time at `instant`.
    pub(super) fn local(&self, instant: DateTime<Utc>) -> NaiveDateTime {
        self.zone.local(instant)
    }

    /// The occurrence that begins at `local`. It ends in local time too: a night shift ends at six, also in the night
    /// in which the clock goes back.
    pub(super) fn at(&self, local: NaiveDateTime) -> Times {
        if local == self.start {
            return self.times;
        }
        if self.is_days {
            let day_of = |local: NaiveDateTime| self.zone.start_of_day(local.date());
            return (day_of(local), day_of(local + self.length));
        }
        self.lasting(self.instant(local), self.instant(local + self.length))
    }

    fn instant(&self, local: NaiveDateTime) -> DateTime<Utc> {
        self.offset_on(local.date()).map_or_else(|| self.zone.instant(local), |offset| (local - offset).and_utc())
    }

    /// The offset that holds all through a day, if one does. It is looked up once for the occurrences of a day.
    fn offset_on(&self, day: NaiveDate) -> Option<FixedOffset> {
        if self.offset.get().0 != day {
            self.offset.set((day, self.zone.offset_on(day)));
        }
        self.offset.get().1
    }

    /// The occurrence that an RDATE adds. A DATE is that day at the series' time; in a series of whole days, a time is
    /// its day as written.
    pub(super) fn on(&self, date: Written, lasts: Option<Lasts>, zone: Option<Zone>) -> Option<Times> {
        let start = match date {
            date if self.is_days => return Some(self.at(date.day().and_time(NaiveTime::MIN))),
            Written::Day(day) => return Some(self.at(day.and_time(self.start.time()))),
            Written::Local(local) if lasts.is_none() && zone.as_ref().is_none_or(|zone| *zone == self.zone) => {
                return Some(self.at(local));
            }
            Written::Local(_) | Written::Utc(_) => self.moment(date, zone),
        };
        let end = match lasts {
            None => self.zone.instant(self.local(start) + self.length),
            Some(Lasts::For(length)) => start + length,
            Some(Lasts::Until(end)) => Some(self.moment(end, zone)).filter(|end| *end > start)?,
        };
        Some(self.lasting(start, end))
    }

    /// The instant of a date in `zone`, or in the series' zone. Days begin at midnight.
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

    /// The last instant at which a rule may yield a time, by its UNTIL. A DATE counts to its end.
    pub(super) fn until(&self, date: Written) -> DateTime<Utc> {
        match date {
            date if self.is_days => self.zone.start_of_day(date.day()),
            Written::Day(day) => self.zone.instant(day.and_time(NaiveTime::MIN) + TimeDelta::seconds(86_399)),
            Written::Local(_) | Written::Utc(_) => self.moment(date, None),
        }
    }

    /// Keeps an occurrence from ending before it begins where the clock changes.
    fn lasting(&self, start: DateTime<Utc>, end: DateTime<Utc>) -> Times {
        (start, if end <= start { start + self.length } else { end })
    }
}
