"""gcal-sync, an engine of sync tokens by other hands, keeps up with the simulator."""

import datetime
import random
from zoneinfo import ZoneInfo

import aiohttp
import pytest_asyncio
from gcal_sync.api import GoogleCalendarService
from gcal_sync.auth import AbstractAuth
from gcal_sync.model import DateOrDatetime, Event
from gcal_sync.sync import CalendarEventSyncManager, CalendarListSyncManager


class Auth(AbstractAuth):
    def __init__(self, session, sim, account):
        super().__init__(session, host=sim.api)
        self.token = sim.grant(account)["access_token"]

    async def async_get_access_token(self):
        return self.token


@pytest_asyncio.fixture
async def engine(sim, request):
    account = sim.new_account(request.node.name.replace("_", ""))
    async with aiohttp.ClientSession() as session:
        yield sim, account, CalendarEventSyncManager(GoogleCalendarService(Auth(session, sim, account)), account)


def timed(day, hour=10):
    moment = lambda hour: {"dateTime": f"2027-01-{day:02}T{hour:02}:00:00+01:00"}
    return {"summary": f"Event of {day} at {hour}", "start": moment(hour), "end": moment(hour + 1)}


async def known(manager):
    items = (await manager._store.async_load())["items"]
    return {
        key: (item["summary"], item["start"]["date_time"])
        for key, item in items.items()
        if item["status"] != "cancelled"
    }


async def complete(sim, account, manager):
    """What an engine that starts from nothing finds."""
    fresh = CalendarEventSyncManager(manager.api, account)
    await fresh.run()
    return await known(fresh)


async def test_deltas_arrive(engine):
    sim, account, manager = engine
    first = sim.control("create-event", calendar=account, event=timed(10))["id"]
    await manager.run()
    second = sim.control("create-event", calendar=account, event=timed(11))["id"]
    sim.control("edit-event", calendar=account, id=first, changes={"summary": "Moved", **timed(12)} | {"summary": "Moved"})
    await manager.run()
    held = await known(manager)
    assert set(held) == {first, second} and held[first][0] == "Moved"
    sim.control("delete-event", calendar=account, id=second)
    await manager.run()
    assert set(await known(manager)) == {first}


async def test_an_expired_cursor_is_recovered_from(engine):
    sim, account, manager = engine
    kept = sim.control("create-event", calendar=account, event=timed(10))["id"]
    gone = sim.control("create-event", calendar=account, event=timed(11))["id"]
    await manager.run()
    sim.control("delete-event", calendar=account, id=gone)
    sim.control("expire-cursors", calendar=account)
    sim.control("reset-calls")
    await manager.run()
    assert set(await known(manager)) == {kept}
    assert sim.calls("calendar.events.list") == 2, "one refused with 410, one complete"


async def test_random_histories_end_like_a_complete_listing(engine):
    sim, account, manager = engine
    chance, ids = random.Random(7), []
    sim.control("behaviour", thin_pages=0.3)
    try:
        for _ in range(40):
            for _ in range(chance.randrange(4)):
                match chance.randrange(3) if ids else 0:
                    case 0:
                        event = timed(chance.randrange(1, 29), chance.randrange(8, 20))
                        ids.append(sim.control("create-event", calendar=account, event=event)["id"])
                    case 1:
                        changes = timed(chance.randrange(1, 29), chance.randrange(8, 20))
                        sim.control("edit-event", calendar=account, id=chance.choice(ids), changes=changes)
                    case 2:
                        sim.control("delete-event", calendar=account, id=ids.pop(chance.randrange(len(ids))))
            if chance.random() < 0.1:
                sim.control("expire-cursors", calendar=account)
            await manager.run()
            assert set(await known(manager)) == set(ids)
        assert await known(manager) == await complete(sim, account, manager)
    finally:
        sim.control("behaviour", thin_pages=0)


async def test_a_series_and_its_exceptions_are_followed(engine):
    sim, account, manager = engine
    moment = lambda day, hour: {"dateTime": f"2027-01-{day:02}T{hour:02}:00:00", "timeZone": "Europe/Berlin"}
    weekly = {"summary": "Weekly", "start": moment(4, 9), "end": moment(4, 10), "recurrence": ["RRULE:FREQ=WEEKLY"]}
    series = sim.control("create-event", calendar=account, event=weekly)["id"]
    await manager.run()
    moved = {"start": moment(12, 9), "end": moment(12, 10)}
    sim.control("edit-event", calendar=account, id=f"{series}_20270111T080000Z", changes=moved)
    sim.control("delete-event", calendar=account, id=f"{series}_20270118T080000Z")
    await manager.run()
    timeline = await manager.store_service.async_get_timeline()
    starts = [event.start.date_time.day for event, _ in zip(iter(timeline), range(4))]
    assert starts == [4, 12, 25, 1]


async def test_the_list_of_calendars_is_followed(engine):
    _, account, manager = engine
    calendars = CalendarListSyncManager(manager.api)
    await calendars.run()
    await calendars.run()
    listed = await calendars.store_service.async_list_calendars()
    assert [calendar.id for calendar in listed.calendars] == [account]


async def test_what_one_engine_writes_another_reads(engine):
    """In the place of vdirsyncer, which speaks another protocol: a client that keeps both sides alike."""
    sim, account, manager = engine
    other = CalendarEventSyncManager(manager.api, account)
    moment = lambda day, hour: DateOrDatetime(
        date_time=datetime.datetime(2027, 1, day, hour), timezone="Europe/Berlin"
    )
    day = lambda day: DateOrDatetime(date=datetime.date(2027, 1, day))
    store = manager.store_service
    await store.async_add_event(Event(summary="Once", start=moment(5, 9), end=moment(5, 10)))
    await store.async_add_event(Event(summary="Tour", start=day(7), end=day(9)))
    rule = ["RRULE:FREQ=WEEKLY;COUNT=3"]
    await store.async_add_event(Event(summary="Weekly", start=moment(4, 9), end=moment(4, 10), recurrence=rule))
    await manager.run()
    held = {item["summary"]: item for item in (await manager._store.async_load())["items"].values()}

    await store.async_delete_event(held["Once"]["ical_uuid"])
    weekly, series = held["Weekly"]["ical_uuid"], held["Weekly"]["id"]
    await store.async_delete_event(weekly, f"{series}_20270111T080000Z")
    await manager.api.async_patch_event(account, held["Tour"]["id"], {"location": "Harbour"})

    await other.run()
    timeline = await other.store_service.async_get_timeline(ZoneInfo("Europe/Berlin"))
    shown = [(event.summary, str(event.start.value)[:10], event.location) for event in timeline]
    expected = [("Weekly", "2027-01-04", None), ("Tour", "2027-01-07", "Harbour"), ("Weekly", "2027-01-18", None)]
    assert shown == expected
