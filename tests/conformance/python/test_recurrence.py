"""The simulator's expansion of series agrees with python-dateutil, rule by rule, zone by zone."""

import random
import urllib.parse
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from dateutil.rrule import rruleset, rrulestr

ZONES = [
    "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Sao_Paulo",
    "Asia/Kathmandu", "Pacific/Apia", "Africa/Casablanca", "Asia/Tokyo", "UTC",
]
# Days on which the clocks change in one of them, and some on which nothing happens.
DAYS = ["2026-03-08", "2026-03-29", "2026-04-05", "2026-10-04", "2026-10-25", "2026-11-01", "2024-02-29", "2026-01-31"]
WEEKDAYS = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]
FAR = datetime(2028, 7, 1, tzinfo=timezone.utc)
RULES = 2000


def random_rule(chance, start, zone):
    frequency = chance.choice(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"])
    parts = [f"FREQ={frequency}"]
    if chance.random() < 0.5:
        parts.append(f"INTERVAL={chance.randrange(1, 5)}")
    match frequency:
        case "DAILY" if chance.random() < 0.3:
            parts.append(f"BYDAY={days(chance)}")
        case "WEEKLY" if chance.random() < 0.6:
            parts.append(f"BYDAY={days(chance)}")
            if chance.random() < 0.3:
                parts.append(f"WKST={chance.choice(WEEKDAYS)}")
        case "MONTHLY":
            parts += chance.choice([
                [],
                [f"BYMONTHDAY={chance.choice([-1, 1, 15, 29, 30, 31])}"],
                [f"BYDAY={chance.choice([-1, 1, 2, 3, 4, 5])}{chance.choice(WEEKDAYS)}"],
                [f"BYDAY={days(chance)}", f"BYSETPOS={chance.choice([-1, 1, 2])}"],
            ])
        case "YEARLY":
            parts += chance.choice([
                [],
                [f"BYMONTH={chance.randrange(1, 13)}", f"BYMONTHDAY={chance.choice([-1, 1, 28, 30])}"],
                [f"BYMONTH={chance.randrange(1, 13)}", f"BYDAY={chance.choice([-1, 1, 3])}{chance.choice(WEEKDAYS)}"],
            ])
    match chance.randrange(3):
        case 0:
            parts.append(f"COUNT={chance.randrange(1, 40)}")
        case 1:
            until = (start + timedelta(days=chance.randrange(1, 900))).replace(tzinfo=ZoneInfo(zone))
            parts.append(f"UNTIL={until.astimezone(timezone.utc):%Y%m%dT%H%M%SZ}")
    return ";".join(parts)


def days(chance):
    return ",".join(chance.sample(WEEKDAYS, chance.randrange(1, 4)))


def judged(rule, start, zone, exdate, rdate):
    """What dateutil says: the wall clock first, then the place on the time line (PEP 495, fold 0)."""
    wall_rule = rule
    if "UNTIL=" in rule:
        head, until = rule.split("UNTIL=")
        moment = datetime.strptime(until, "%Y%m%dT%H%M%SZ").replace(tzinfo=timezone.utc)
        wall_rule = f"{head}UNTIL={moment.astimezone(ZoneInfo(zone)):%Y%m%dT%H%M%S}"
    dates = rruleset()
    dates.rrule(rrulestr(wall_rule, dtstart=start))
    # A series occurs where it starts, even if its rule leaves that out.
    dates.rdate(start)
    if exdate:
        dates.exdate(exdate)
    if rdate:
        dates.rdate(rdate)
    walls = dates.between(datetime(2020, 1, 1), FAR.replace(tzinfo=None) + timedelta(days=2), inc=True)
    moments = [wall.replace(tzinfo=ZoneInfo(zone)).astimezone(timezone.utc) for wall in walls]
    return sorted({moment for moment in moments if moment < FAR})


def simulated(sim, token, series):
    """Every occurrence, page by page."""
    starts, page = [], None
    while True:
        query = {"timeMax": FAR.isoformat(), "timeZone": "UTC", "maxResults": 2500, "fields": "nextPageToken,items/start"}
        query |= {"pageToken": page} if page else {}
        path = f"/calendar/v3/calendars/primary/events/{series}/instances?{urllib.parse.urlencode(query)}"
        status, answer = sim.request("GET", path, token)
        assert status == 200, answer
        starts += [datetime.fromisoformat(item["start"]["dateTime"]) for item in answer["items"]]
        page = answer.get("nextPageToken")
        if not page:
            return starts


def test_expansion_agrees_with_dateutil(sim):
    account = sim.new_account("recurrence")
    token = sim.grant(account)["access_token"]
    chance = random.Random(20261122)
    for number in range(RULES):
        zone = chance.choice(ZONES)
        hour, minute = chance.choice([0, 1, 2, 3, 9, 23]), chance.choice([0, 15, 30])
        start = datetime.fromisoformat(chance.choice(DAYS)) + timedelta(days=chance.randrange(-9, 9), hours=hour, minutes=minute)
        # A start that the clocks leave out is kept as the moment that it names, an hour later on the wall.
        there_and_back = start.replace(tzinfo=ZoneInfo(zone)).astimezone(timezone.utc).astimezone(ZoneInfo(zone))
        start = there_and_back.replace(tzinfo=None)
        rule = random_rule(chance, start, zone)
        lines = [f"RRULE:{rule}"]
        exdate = rdate = None
        if chance.random() < 0.3:
            exdate = start + timedelta(days=7 * chance.randrange(0, 6))
            lines.append(f"EXDATE;TZID={zone}:{exdate:%Y%m%dT%H%M%S}")
        if chance.random() < 0.2:
            rdate = start + timedelta(days=chance.randrange(1, 90), hours=1)
            lines.append(f"RDATE;TZID={zone}:{rdate:%Y%m%dT%H%M%S}")
        moment = lambda wall: {"dateTime": wall.isoformat(), "timeZone": zone}
        event = {"start": moment(start), "end": moment(start + timedelta(hours=1)), "recurrence": lines}
        status, answer = sim.request("POST", "/calendar/v3/calendars/primary/events", token, event)
        assert status == 200, (lines, start, zone, answer)
        expected = judged(rule, start, zone, exdate, rdate)
        assert simulated(sim, token, answer["id"]) == expected, f"rule {number}: {lines} from {start} in {zone}"
