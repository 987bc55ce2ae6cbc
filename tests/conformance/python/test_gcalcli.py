"""gcalcli through its command line, from login to import."""

import json
import os
import re
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from sim import CLIENT

GCALCLI = [str(Path(sys.executable).with_name("gcalcli")), "--nocolor", "--lineart", "ascii"]
DESKTOP = {"id": "desktop.apps.googleusercontent.com", "secret": "desktop-secret", "redirect_uris": ["http://localhost"]}
ICS = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//elsewhere//EN
BEGIN:VEVENT
UID:{uid}
DTSTART:20270111T090000Z
DTEND:20270111T100000Z
SUMMARY:Imported review
ATTENDEE;PARTSTAT=ACCEPTED:mailto:{account}
END:VEVENT
BEGIN:VEVENT
UID:weekly-{uid}
DTSTART;VALUE=DATE:20270112
DTEND;VALUE=DATE:20270113
RRULE:FREQ=WEEKLY;COUNT=3
SUMMARY:Imported days
END:VEVENT
END:VCALENDAR
"""


class Gcalcli:
    """The program with an account's tokens where it keeps them."""

    def __init__(self, sim, front, home, account):
        self.sim, self.account = sim, account
        self.environment = {
            **os.environ, **front.environment(), "HOME": str(home), "XDG_DATA_HOME": str(home / "data"),
            "GCALCLI_CONFIG": str(home / "config"), "TZ": "Europe/Berlin", "NO_PROXY": "", "PYTHONWARNINGS": "ignore",
        }
        self.tokens = home / "data" / "gcalcli" / "oauth"
        self.tokens.parent.mkdir(parents=True)

    def grant(self):
        names = {"token_uri": "https://oauth2.googleapis.com/token"}
        names |= {name: CLIENT[name] for name in ("client_id", "client_secret")}
        self.tokens.write_text(json.dumps(names | self.sim.grant(self.account)))

    def run(self, *arguments, answers="", status=0):
        command = [*GCALCLI, *arguments]
        done = subprocess.run(command, env=self.environment, input=answers, capture_output=True, text=True, timeout=60)
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout

    def events(self):
        """What really stands in the calendar, deleted events aside."""
        with urllib.request.urlopen(f"{self.sim.base}/control/calendars/{self.account}") as answer:
            return [event for event in json.load(answer) if event["status"] != "cancelled"]


@pytest.fixture
def fresh(sim, front, tmp_path, request):
    account = sim.new_account(request.node.name.replace("_", "-")[:40])
    return Gcalcli(sim, front, tmp_path, account)


@pytest.fixture
def gcalcli(fresh):
    fresh.grant()
    return fresh


def test_a_login_as_a_desktop_program(sim, fresh):
    sim.control("add-client", **DESKTOP)
    command = [*GCALCLI, "--client-id", DESKTOP["id"], "--client-secret", DESKTOP["secret"], "init"]
    environment = {**fresh.environment, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as program:
        url = next(found for line in program.stdout if (found := re.search(r"https://accounts\.google\.com\S+", line)))
        back = sim.agree(url.group().replace("https://accounts.google.com", sim.base), fresh.account)
        assert re.match(r"http://localhost:\d+/\?", back)
        urllib.request.urlopen(back).read()
        program.communicate(timeout=60)
        assert program.returncode == 0
    assert fresh.account in fresh.run("list")


def test_calendars_are_listed_with_what_may_be_done_there(sim, gcalcli):
    friend = sim.new_account("gcalcli-friend")
    sim.control("share", calendar=friend, account=gcalcli.account, role="reader")
    listed = gcalcli.run("list")
    assert re.search(rf"owner\s+{gcalcli.account}", listed)
    assert re.search(rf"reader\s+{friend}", listed)


def test_an_event_is_added_shown_changed_and_deleted(gcalcli):
    gcalcli.run(
        "add", "--noprompt", "--title", "Lesson", "--where", "Room 3", "--when", "2027-01-11 10:00", "--duration", "60",
        "--description", "notes", "--reminder", "15m popup", "--color", "banana", "--who", "grace@example.com",
    )
    [event] = gcalcli.events()
    assert event["start"] == {"dateTime": "2027-01-11T10:00:00+01:00", "timeZone": "Europe/Berlin"}
    assert (event["summary"], event["location"], event["colorId"]) == ("Lesson", "Room 3", "5")
    assert event["reminders"]["overrides"] == [{"method": "popup", "minutes": 15}]
    assert event["attendees"][0]["email"] == "grace@example.com"

    agenda = gcalcli.run("agenda", "--military", "--details", "location", "2027-01-11", "2027-01-12")
    assert re.search(r"Mon Jan 11\s+10:00\s+Lesson", agenda) and "Location: Room 3" in agenda
    assert "Lesson" in gcalcli.run("search", "room 3", "2027-01-01", "2027-02-01")

    gcalcli.run("edit", "Lesson", "2027-01-01", "2027-02-01", answers="t\nLonger lesson\nd\nmore notes\ns\n")
    [event] = gcalcli.events()
    assert (event["summary"], event["description"], event["location"]) == ("Longer lesson", "more notes", "Room 3")

    gcalcli.run("delete", "--iamaexpert", "Longer", "2027-01-01", "2027-02-01")
    assert gcalcli.events() == []
    assert "No Events Found" in gcalcli.run("agenda", "2027-01-11", "2027-01-12")


def test_whole_days_are_added_and_shown(gcalcli):
    gcalcli.run("add", "--noprompt", "--title", "Tour", "--allday", "--when", "2027-01-11", "--duration", "2")
    [event] = gcalcli.events()
    assert (event["start"], event["end"]) == ({"date": "2027-01-11"}, {"date": "2027-01-13"})
    rows = gcalcli.run("agenda", "--tsv", "2027-01-10", "2027-01-20")
    assert re.search(r"2027-01-11\t\t2027-01-13\t\tTour", rows)


# In this version the option's meaning is inverted: with it, events.import is called for events that name the user.
@pytest.mark.parametrize(("option", "imports"), [([], 0), (["--use-legacy-import"], 1)])
def test_an_import_comes_once(sim, gcalcli, tmp_path, option, imports):
    file = tmp_path / "events.ics"
    file.write_text(ICS.format(uid="gcalcli@elsewhere.example", account=gcalcli.account))
    before = sim.calls("calendar.events.import")
    gcalcli.run("import", *option, str(file))
    assert sim.calls("calendar.events.import") == before + imports
    single, series = sorted(gcalcli.events(), key=lambda event: event["summary"], reverse=True)
    assert (single["summary"], single["iCalUID"]) == ("Imported review", "gcalcli@elsewhere.example")
    assert single["id"].startswith("_") == bool(imports)
    assert series["recurrence"] == ["RRULE:FREQ=WEEKLY;COUNT=3"]
    agenda = gcalcli.run("agenda", "--tsv", "2027-01-10", "2027-02-01")
    assert agenda.count("Imported days") == 3 and agenda.count("Imported review") == 1

    again = gcalcli.run("import", *option, str(file))
    assert again.count("Skipped duplicate event") == 2 and len(gcalcli.events()) == 2


def test_a_conflict_is_found(gcalcli):
    for title, hour in [("One", "10:00"), ("Two", "10:30")]:
        gcalcli.run("add", "--noprompt", "--title", title, "--when", f"2027-01-11 {hour}", "--duration", "60")
    assert "Two" in gcalcli.run("conflicts", "", "2027-01-11", "2027-01-12")


def test_what_the_simulator_does_not_keep_is_said(gcalcli):
    done = subprocess.run(
        [*GCALCLI, "--calendar", gcalcli.account, "quick", "Lunch tomorrow at noon"],
        env=gcalcli.environment, capture_output=True, text=True, timeout=60,
    )
    assert done.returncode != 0 and "501" in done.stderr and gcalcli.events() == []
