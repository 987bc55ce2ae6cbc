"""Requests and answers are what Google's own description of Calendar v3 says."""

import importlib.resources
import json
import urllib.parse

import jsonschema
import pytest

from sim import ADA
from test_client import service

DOCUMENT = json.loads(
    importlib.resources.files("googleapiclient.discovery_cache.documents").joinpath("calendar.v3.json").read_text()
)
# Paths end in these where the method needs something that exists.
SAMPLES = {"calendarId": ADA, "eventId": "discovered1", "setting": "timezone", "ruleId": "default", "userId": ADA}
# What the README says is answered with 501.
NOT_KEPT = {"calendar.events.quickAdd"}
KEPT_IN_PART = {"acl", "settings", "calendars", "calendarList"}
KEPT_OF_THESE = {f"calendar.{resource}.get" for resource in KEPT_IN_PART} | {
    f"calendar.{resource}.list" for resource in KEPT_IN_PART - {"calendars"}
}


def methods(resources=DOCUMENT["resources"]):
    for resource in resources.values():
        yield from resource.get("methods", {}).values()
        yield from methods(resource.get("resources", {}))


def is_kept(method):
    if method["id"].split(".")[1] in KEPT_IN_PART:
        return method["id"] in KEPT_OF_THESE
    return method["id"] not in NOT_KEPT


def schema(name):
    """A schema of the document as a JSON Schema that allows no property which it does not name."""

    def convert(node):
        if "$ref" in node:
            return {"$ref": f"#/$defs/{node['$ref']}"}
        if node.get("type") == "array":
            return {"type": "array", "items": convert(node["items"])}
        if node.get("type") == "object" or "properties" in node:
            rest = node.get("additionalProperties")
            return {
                "type": "object",
                "properties": {key: convert(value) for key, value in node.get("properties", {}).items()},
                "additionalProperties": convert(rest) if rest else False,
            }
        if node.get("type") == "any":
            return {}
        return {"type": node["type"], **({"enum": node["enum"]} if "enum" in node else {})}

    return {"$ref": f"#/$defs/{name}", "$defs": {key: convert(value) for key, value in DOCUMENT["schemas"].items()}}


def path(method, **extra):
    names = {**SAMPLES, **extra}
    filled = method["path"]
    for name, sample in names.items():
        filled = filled.replace(f"{{{name}}}", urllib.parse.quote(sample, safe=""))
    return f"/calendar/v3/{filled}"


@pytest.fixture(scope="module")
def token(sim):
    return sim.grant()["access_token"]


@pytest.fixture(scope="module")
def rich(sim, token):
    """An event with every kind of property, in a series with an exception."""
    moment = lambda hour: {"dateTime": f"2027-01-11T{hour}:00:00", "timeZone": "Europe/Berlin"}
    event = {
        "id": SAMPLES["eventId"], "summary": "Rich", "description": "d", "location": "l", "colorId": "5",
        "start": moment(10), "end": moment(11), "recurrence": ["RRULE:FREQ=WEEKLY;COUNT=5"],
        "attendees": [{"email": ADA, "responseStatus": "accepted"}, {"email": "grace@example.com", "optional": True}],
        "extendedProperties": {"private": {"a": "1"}, "shared": {"b": "2"}},
        "reminders": {"useDefault": False, "overrides": [{"method": "popup", "minutes": 5}]},
        "visibility": "private", "transparency": "transparent", "guestsCanModify": True,
        "source": {"title": "t", "url": "https://example.com/"},
    }
    status, answer = sim.request("POST", path({"path": "calendars/{calendarId}/events"}), token, event)
    assert status == 200, answer
    instance = f"{answer['id']}_20270118T090000Z"
    event_path = {"path": "calendars/{calendarId}/events/{eventId}"}
    status, _ = sim.request("PATCH", path(event_path, eventId=instance), token, {"summary": "Exception"})
    assert status == 200
    sim.request("DELETE", path(event_path, eventId=f"{answer['id']}_20270125T090000Z"), token)
    return answer


@pytest.mark.parametrize("method", methods(), ids=lambda method: method["id"])
def test_every_method_is_kept_or_says_that_it_is_not(sim, token, rich, method):
    status, answer = sim.request(method["httpMethod"], path(method, eventId="absent1"), token, {})
    if is_kept(method):
        assert status != 501, answer
    else:
        assert status == 501, answer
        assert answer["error"]["errors"][0]["reason"] == "notImplemented"


@pytest.mark.parametrize(
    ("name", "target", "query"),
    [
        ("Events", "calendars/{calendarId}/events", {}),
        ("Events", "calendars/{calendarId}/events", {"showDeleted": "true", "maxAttendees": "1"}),
        ("Events", "calendars/{calendarId}/events", {"singleEvents": "true", "orderBy": "startTime"}),
        ("Events", "calendars/{calendarId}/events/{eventId}/instances", {"showDeleted": "true"}),
        ("Event", "calendars/{calendarId}/events/{eventId}", {"timeZone": "Asia/Tokyo"}),
        ("CalendarList", "users/me/calendarList", {}),
        ("CalendarListEntry", "users/me/calendarList/{calendarId}", {}),
        ("Calendar", "calendars/{calendarId}", {}),
        ("Acl", "calendars/{calendarId}/acl", {}),
        ("Acl", "calendars/{calendarId}/acl", {"maxResults": "1", "showDeleted": "true"}),
        ("AclRule", "calendars/{calendarId}/acl/user:ada@example.com", {}),
        ("Settings", "users/me/settings", {}),
        ("Setting", "users/me/settings/{setting}", {}),
        ("Colors", "colors", {}),
    ],
)
def test_answers_hold_nothing_that_the_description_does_not_name(sim, token, rich, name, target, query):
    target = f"{path({'path': target})}?{urllib.parse.urlencode(query)}"
    status, answer = sim.request("GET", target, token)
    assert status == 200, answer
    jsonschema.validate(answer, schema(name))


def test_free_and_busy_times_are_answered_as_described(sim, token, rich):
    sim.control("add-group", id="staff@example.com", members=[ADA, "grace@example.com"])
    body = {"timeMin": "2027-01-01T00:00:00Z", "timeMax": "2027-02-01T00:00:00Z"}
    body |= {"items": [{"id": name} for name in ("primary", "staff@example.com", "unknown@example.com")]}
    for more in ({}, {"groupExpansionMax": 1}, {"calendarExpansionMax": 1}):
        status, answer = sim.request("POST", path({"path": "freeBusy"}), token, body | more)
        assert status == 200, answer
        jsonschema.validate(answer, schema("FreeBusyResponse"))


def test_imported_and_moved_events_are_answered_as_described(sim, token):
    event = {"iCalUID": "described@elsewhere.example", "start": {"date": "2027-01-11"}, "end": {"date": "2027-01-12"}}
    status, imported = sim.request("POST", path({"path": "calendars/{calendarId}/events/import"}), token, event)
    assert status == 200, imported
    target = path({"path": "calendars/{calendarId}/events/{eventId}/move"}, eventId=imported["id"])
    status, moved = sim.request("POST", f"{target}?destination=c_choir%40group.calendar.google.com", token)
    assert status == 200, moved
    for answer in (imported, moved):
        jsonschema.validate(answer, schema("Event"))


PREFIX = "https://www.googleapis.com/auth/"
SCOPES = [scope for scope in DOCUMENT["auth"]["oauth2"]["scopes"] if scope.startswith(PREFIX)]


@pytest.mark.parametrize("scope", SCOPES, ids=lambda scope: scope.removeprefix(PREFIX))
def test_a_scope_allows_the_methods_that_the_description_names_and_no_other(sim, scope):
    token = sim.grant(scopes=[scope])["access_token"]
    for method in filter(is_kept, methods()):
        status, answer = sim.request(method["httpMethod"], path(method, eventId="absent1"), token, {})
        error = answer["error"]["errors"][0] if status == 403 else {}
        refused = error.get("reason") == "insufficientPermissions"
        assert refused == (scope not in method["scopes"]), (method["id"], answer)


def test_a_channel_is_answered_as_described(sim, token):
    body = {"id": "discovered", "type": "web_hook", "address": "http://127.0.0.1:9/", "params": {"ttl": "60"}}
    status, answer = sim.request("POST", path({"path": "calendars/{calendarId}/events/watch"}), token, body)
    assert status == 200, answer
    jsonschema.validate(answer, schema("Channel"))


def samples(parameter):
    """A value that the description allows, and for some kinds those that it does not."""
    if "enum" in parameter:
        return parameter["enum"][0], ["nonsense"]
    match parameter["type"], parameter.get("format"):
        case "boolean", _:
            return "true", ["perhaps"]
        case "integer", _:
            too_small = [str(int(parameter["minimum"]) - 1)] if "minimum" in parameter else []
            too_great = [str(int(parameter["maximum"]) + 1)] if "maximum" in parameter else []
            return parameter.get("maximum", "5"), ["five", *too_small, *too_great]
        case _, "date-time":
            return "2027-01-01T00:00:00Z", ["yesterday"]
        case _:
            return None, []


def parameters():
    for method in filter(is_kept, methods()):
        for name, parameter in method.get("parameters", {}).items():
            good, bad = samples(parameter)
            if good and parameter["location"] == "query":
                yield pytest.param(method, name, good, bad, id=f"{method['id']}-{name}")


@pytest.mark.parametrize(("method", "name", "good", "bad"), parameters())
def test_parameters_are_read_as_described(sim, token, rich, method, name, good, bad):
    def refused_for(value):
        """The parameter that is named as the reason, whatever else the request lacks."""
        with_order = "&singleEvents=true" if name == "orderBy" else ""
        target = f"{path(method)}?{name}={value}{with_order}"
        status, answer = sim.request(method["httpMethod"], target, token, {} if method["httpMethod"] in ("POST", "PUT") else None)
        return status == 400 and answer["error"]["errors"][0].get("location")

    # What changed before the calendar's cursors last ran out is not listed any more.
    if name != "updatedMin":
        assert refused_for(good) != name
    for value in bad:
        assert refused_for(value) == name, value


def selector(node, depth=0):
    """A selection of each property by name, as deep as the description goes."""
    if "$ref" in node:
        return selector(DOCUMENT["schemas"][node["$ref"]], depth)
    if node.get("type") == "array":
        return selector(node["items"], depth)
    parts = []
    for name, inner in node.get("properties", {}).items():
        within = selector(inner, depth + 1) if depth < 6 else ""
        parts.append(f"{name}({within})" if within else name)
    if "additionalProperties" in node and (within := selector(node["additionalProperties"], depth + 1)):
        parts.append(f"*({within})")
    return ",".join(parts)


@pytest.mark.parametrize("method", filter(is_kept, methods()), ids=lambda method: method["id"])
def test_each_property_can_be_selected(sim, token, rich, method):
    if "response" not in method:
        return
    query = urllib.parse.urlencode({"fields": selector(method["response"])})
    _, answer = sim.request(method["httpMethod"], f"{path(method)}?{query}", token, {})
    # Whatever else may be wrong with the request, it is not the selection.
    assert "fields" not in json.dumps(answer.get("error", {})), answer


def test_an_address_that_is_too_long_travels_as_a_form(sim):
    google = service(sim, sim.new_account("form")).events()
    google.insert(calendarId="primary", body={"summary": "Long", "start": {"date": "2027-01-11"}, "end": {"date": "2027-01-12"}}).execute()
    request = google.list(calendarId="primary", q="long" + " " * 3000, maxResults=1, fields="items/summary")
    assert request.execute() == {"items": [{"summary": "Long"}]}
    assert request.method == "POST", "the client overrides the method by itself"
