"""What dateutil and recurring-ical-events say of a series in Google's format."""

from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import icalendar
import recurring_ical_events
from dateutil.rrule import rruleset, rrulestr

WIRE = "%Y%m%dT%H%M%S"
MARGIN = timedelta(days=2)


class Series:
    """A series, by the clock of its zone."""

    def __init__(self, event, calendar_zone):
        start, end = event["start"], event["end"]
        self.is_days = "date" in start
        self.zone = ZoneInfo(calendar_zone if self.is_days else start["timeZone"])
        self.start, last = (self._wall(time) for time in (start, end))
        self.length = last - self.start
        self.lines = [self._as_google_reads(line) for line in event["recurrence"]]

    def _wall(self, time):
        if self.is_days:
            return datetime.fromisoformat(time["date"])
        return self.clock(datetime.fromisoformat(time["dateTime"]))

    def clock(self, moment):
        return moment.astimezone(self.zone).replace(tzinfo=None)

    def moment(self, wall):
        """The first of two, and where the clocks leave it out, as far past the gap (PEP 495, fold 0)."""
        return wall.replace(tzinfo=self.zone).astimezone(timezone.utc)

    def _as_google_reads(self, line):
        """Google shows FREQ=YEARLY;BYMONTHDAY=… without BYMONTH once a year, in the month of the start."""
        if "FREQ=YEARLY" in line and "BYMONTHDAY=" in line and "BYMONTH=" not in line:
            return f"{line};BYMONTH={self.start.month}"
        return line

    def lasting(self, start, end):
        """An occurrence ends by the clock, unless a change of clocks would have it end before it begins."""
        return start, end if end > start else start + self.length


def by_dateutil(series, window):
    dates = rruleset()
    # A series begins where it starts, whatever its rule says.
    dates.rdate(series.start)
    for line in series.lines:
        head, value = line.split(":", 1)
        if head == "RRULE":
            dates.rrule(rrulestr(_with_local_until(series, value), dtstart=series.start))
            continue
        name, *parameters = head.split(";")
        zone = next((ZoneInfo(each[5:]) for each in parameters if each.startswith("TZID=")), series.zone)
        for date in value.split(","):
            (dates.exdate if name == "EXDATE" else dates.rdate)(_wall(series, date, zone))
    start, end = window
    walls = dates.between(series.clock(start) - series.length - MARGIN, series.clock(end) + MARGIN, inc=True)
    return within(window, (series.lasting(series.moment(wall), series.moment(wall + series.length)) for wall in walls))


def _with_local_until(series, rule):
    parts = dict(part.split("=") for part in rule.split(";"))
    if "UNTIL" in parts:
        parts["UNTIL"] = f"{_wall(series, parts['UNTIL'], series.zone):{WIRE}}"
    return ";".join(f"{name}={value}" for name, value in parts.items())


def _wall(series, date, zone):
    if series.is_days:
        return datetime.strptime(date[:8], "%Y%m%d")
    moment = datetime.strptime(date.removesuffix("Z"), WIRE)
    return series.clock(moment.replace(tzinfo=timezone.utc if date.endswith("Z") else zone))


def by_recurring_ical_events(series, window):
    if series.is_days:
        times = [f"{name};VALUE=DATE:{day:%Y%m%d}" for name, day in _ends(series)]
    else:
        times = [f"{name};TZID={series.zone.key}:{wall:{WIRE}}" for name, wall in _ends(series)]
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//judge//", "BEGIN:VEVENT", "UID:series", "DTSTAMP:20261201T000000Z"]
    text = "\r\n".join([*lines, *times, *series.lines, "END:VEVENT", "END:VCALENDAR", ""])
    start, end = window
    calendar = recurring_ical_events.of(icalendar.Calendar.from_ical(text))
    found = calendar.between(start - MARGIN, end + MARGIN)
    return within(window, (_times(series, occurrence) for occurrence in found))


def _ends(series):
    return ("DTSTART", series.start), ("DTEND", series.start + series.length)


def _times(series, occurrence):
    start, end = occurrence["DTSTART"].dt, occurrence["DTEND"].dt
    if series.is_days:
        start, end = (datetime(day.year, day.month, day.day, tzinfo=series.zone) for day in (start, end))
    return series.lasting(start.astimezone(timezone.utc), end.astimezone(timezone.utc))


def within(window, occurrences):
    """Those that overlap the window. Where the clocks make one moment of two times, the longer occurrence counts."""
    found = {}
    for start, end in occurrences:
        found[start] = max(end, found.get(start, end))
    return sorted((start, end) for start, end in found.items() if start < window[1] and end > window[0])
