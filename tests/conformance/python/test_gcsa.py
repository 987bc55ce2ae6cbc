"""gcsa, which asks for all that is around the events: free and busy times, settings, colours, access rules."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import httplib2
import pytest
from google.oauth2.credentials import Credentials
from googleapiclient.errors import HttpError
from gcsa.event import Event, Visibility
from gcsa.attendee import Attendee
from gcsa.free_busy import FreeBusyQueryError
from gcsa.google_calendar import GoogleCalendar
from gcsa.recurrence import DAILY, Recurrence
from gcsa.reminders import PopupReminder

from sim import ADA, ALL, CLIENT

CHOIR = "c_choir@group.calendar.google.com"
BERLIN = ZoneInfo("Europe/Berlin")


def at(day, hour):
    return datetime(2027, 1, day, hour, tzinfo=BERLIN)


def reason(error):
    return error.value.resp.status, error.value.error_details[0]["reason"]


@pytest.fixture
def open_calendar(sim, front, monkeypatch):
    for name, value in front.environment().items():
        monkeypatch.setenv(name, value)
    # httplib2 has read its variable when it was imported.
    monkeypatch.setattr(httplib2, "CA_CERTS", str(front.ca_file))

    def open_calendar(account=ADA, scopes=ALL):
        tokens = sim.grant(account, scopes)
        credentials = Credentials(
            tokens["access_token"],
            refresh_token=tokens["refresh_token"],
            token_uri="https://oauth2.googleapis.com/token",
            client_id=CLIENT["client_id"],
            client_secret=CLIENT["client_secret"],
        )
        return GoogleCalendar(credentials=credentials)

    return open_calendar


@pytest.fixture
def calendar(sim, open_calendar, request):
    """The calendar of an account of the test's own."""
    return open_calendar(sim.new_account(request.node.name.replace("_", "-")[:40]))


def listed(calendar, **more):
    return list(calendar.get_events(at(1, 0), at(31, 0), timezone="Europe/Berlin", **more))


def test_calendars_are_listed_and_told_apart(open_calendar):
    calendar = open_calendar()
    entries = {entry.calendar_id: entry for entry in calendar.get_calendar_list()}
    assert set(entries) >= {ADA, CHOIR}
    assert entries[ADA].primary and not entries[CHOIR].primary
    assert calendar.get_calendar(CHOIR).summary == "Choir"
    assert calendar.get_calendar_list_entry(CHOIR).timezone == "Europe/Berlin"


def test_an_event_is_added_read_changed_and_deleted(calendar):
    event = Event(
        "Lesson", start=at(11, 10), end=at(11, 11), timezone="Europe/Berlin", location="Room 3", description="notes",
        color_id="5", visibility=Visibility.PRIVATE, reminders=[PopupReminder(minutes_before_start=15)],
        attendees=[Attendee("grace@example.com", display_name="Grace")],
    )
    added = calendar.add_event(event)
    read = calendar.get_event(added.event_id)
    assert (read.summary, read.start, read.end, read.color_id) == ("Lesson", at(11, 10), at(11, 11), "5")
    assert [guest.email for guest in read.attendees] == ["grace@example.com"]
    assert [reminder.minutes_before_start for reminder in read.reminders] == [15]

    read.summary, read.end = "Longer lesson", at(11, 12)
    assert calendar.update_event(read).end == at(11, 12)
    assert [event.summary for event in listed(calendar, query="longer")] == ["Longer lesson"]
    calendar.delete_event(read)
    assert listed(calendar) == []
    with pytest.raises(HttpError) as error:
        calendar.delete_event(read)
    assert reason(error) == (410, "deleted")


def test_a_whole_day_that_returns_is_shown_day_by_day(calendar):
    days = Event("Tour", start=date(2027, 1, 11), end=date(2027, 1, 12), recurrence=Recurrence.rule(freq=DAILY, count=3))
    series = calendar.add_event(days)
    assert [event.recurrence for event in listed(calendar)] == [["RRULE:FREQ=DAILY;COUNT=3;WKST=SU"]]
    single = listed(calendar, single_events=True, order_by="startTime")
    assert [event.start for event in single] == [date(2027, 1, day) for day in (11, 12, 13)]

    instances = list(calendar.get_instances(series, at(1, 0), at(31, 0), timezone="Europe/Berlin"))
    instances[1].summary = "Rest"
    calendar.update_event(instances[1])
    calendar.delete_event(instances[2])
    assert [event.summary for event in listed(calendar, single_events=True, order_by="startTime")] == ["Tour", "Rest"]


def test_free_and_busy_times_of_several_calendars(sim, open_calendar):
    account = sim.new_account("gcsa-busy")
    calendar = open_calendar(account)
    calendar.add_event(Event("One", start=at(11, 10), end=at(11, 11)))
    calendar.add_event(Event("Two", start=at(11, 11), end=at(11, 12)))
    calendar.add_event(Event("Free", start=at(11, 15), end=at(11, 16), transparency="transparent"))
    ask = {"time_min": at(11, 0), "time_max": at(12, 0), "timezone": "Europe/Berlin"}
    answer = calendar.get_free_busy(**ask)
    assert [(span.start, span.end) for span in answer.calendars["primary"]] == [(at(11, 10), at(11, 12))]

    with pytest.raises(FreeBusyQueryError) as error:
        calendar.get_free_busy([account, "unknown@example.com"], **ask)
    assert list(error.value.calendars_errors) == ["unknown@example.com"]
    assert error.value.calendars_errors["unknown@example.com"][0]["reason"] == "notFound"
    both = calendar.get_free_busy([account, "unknown@example.com"], ignore_errors=True, **ask)
    assert len(both.calendars[account]) == 1

    sim.control("add-group", id="gcsa@example.com", members=[account, "unknown@example.com"])
    group = calendar.get_free_busy("gcsa@example.com", ignore_errors=True, **ask)
    assert group.groups == {"gcsa@example.com": [account, "unknown@example.com"]}
    small = calendar.get_free_busy("gcsa@example.com", group_expansion_max=1, ignore_errors=True, **ask)
    assert small.groups_errors["gcsa@example.com"][0]["reason"] == "groupTooBig"
    with pytest.raises(HttpError) as error:
        calendar.get_free_busy(time_min=at(1, 0), time_max=datetime(2027, 6, 1, tzinfo=BERLIN), timezone="UTC")
    assert reason(error) == (400, "timeRangeTooLong")


def test_settings_and_colours(calendar):
    settings = calendar.get_settings()
    assert (settings.timezone, settings.locale, settings.week_start) == ("Europe/Berlin", "en", "0")
    assert len(calendar.list_event_colors()) == 11
    assert calendar.list_calendar_colors()["14"]["background"] == "#9fe1e7"


def test_access_rules_follow_what_is_shared(sim, open_calendar):
    owner, friend = sim.new_account("gcsa-owner"), sim.new_account("gcsa-friend")
    calendar = open_calendar(owner)
    sim.control("share", calendar=owner, account=friend, role="reader")
    assert {rule.id: rule.role for rule in calendar.get_acl_rules()} == {f"user:{owner}": "owner", f"user:{friend}": "reader"}
    assert calendar.get_acl_rule(f"user:{friend}").scope_value == friend
    sim.control("share", calendar=owner, account=friend, role="none")
    assert {rule.role for rule in calendar.get_acl_rules(show_deleted=True)} == {"owner", "none"}
    with pytest.raises(HttpError) as error:
        list(open_calendar(friend).get_acl_rules(owner))
    assert reason(error) == (404, "notFound")


def test_an_import_is_a_copy_that_comes_once(calendar):
    event = Event("Review", start=at(11, 10), end=at(11, 11), iCalUID="gcsa@elsewhere.example")
    imported = calendar.import_event(event)
    assert imported.other["iCalUID"] == "gcsa@elsewhere.example"
    with pytest.raises(HttpError) as error:
        calendar.import_event(event)
    assert reason(error) == (409, "duplicate")
    with pytest.raises(HttpError) as error:
        calendar.import_event(Event("No identity", start=at(11, 10), end=at(11, 11)))
    assert reason(error) == (400, "required")


def test_a_move_changes_the_organizer(open_calendar):
    calendar = open_calendar()
    event = calendar.add_event(Event("Song", start=at(11, 10), end=at(11, 11)))
    moved = calendar.move_event(event, CHOIR)
    assert moved.event_id == event.event_id and moved.organizer.email == CHOIR
    assert calendar.get_event(event.event_id, calendar_id=CHOIR).summary == "Song"
    assert [left for left in listed(calendar) if left.event_id == event.event_id] == []
    calendar.delete_event(event, calendar_id=CHOIR)


def test_an_expired_token_is_refreshed_where_google_refreshes_them(sim, open_calendar):
    account = sim.new_account("gcsa-refresh")
    calendar = open_calendar(account)
    before = sim.calls("oauth2.token")
    sim.control("expire-access-tokens", account=account)
    assert listed(calendar) == []
    assert sim.calls("oauth2.token") == before + 1


def test_a_token_for_reading_writes_nothing(sim, open_calendar):
    calendar = open_calendar(sim.new_account("gcsa-reader"), ["https://www.googleapis.com/auth/calendar.readonly"])
    assert listed(calendar) == [] and calendar.get_settings().timezone == "Europe/Berlin"
    with pytest.raises(HttpError) as error:
        calendar.add_event(Event("No", start=at(11, 10), end=at(11, 11)))
    assert reason(error)[0] == 403
    # The document lets this scope get a rule and not list them.
    with pytest.raises(HttpError) as error:
        list(calendar.get_acl_rules())
    assert error.value.resp.status == 403
