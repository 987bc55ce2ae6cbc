"""google-api-python-client, with batch, and google-auth-oauthlib through the code flow."""

import os
import urllib.parse

import pytest
from google.oauth2.credentials import Credentials
from google_auth_oauthlib.flow import Flow
from googleapiclient.discovery import build
from googleapiclient.errors import HttpError
from googleapiclient.http import BatchHttpRequest

from sim import ADA, ALL, CLIENT

# oauthlib refuses plain HTTP and scopes in another order, both of which a local Google needs.
os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"
os.environ["OAUTHLIB_RELAX_TOKEN_SCOPE"] = "1"


def service(sim, account=ADA):
    tokens = sim.grant(account)
    credentials = Credentials(
        tokens["access_token"],
        refresh_token=tokens["refresh_token"],
        token_uri=f"{sim.base}/token",
        client_id=CLIENT["client_id"],
        client_secret=CLIENT["client_secret"],
    )
    options = {"api_endpoint": f"{sim.base}/calendar/v3/"}
    return build("calendar", "v3", credentials=credentials, static_discovery=True, client_options=options)


def event(**fields):
    moment = lambda hour: {"dateTime": f"2027-01-11T{hour}:00:00", "timeZone": "Europe/Berlin"}
    return {"start": moment(10), "end": moment(11), **fields}


def reason(error):
    return error.resp.status, error.error_details[0]["reason"]


def test_the_code_flow_with_pkce(sim):
    account = sim.new_account("flow")
    web = {
        "client_id": CLIENT["client_id"],
        "client_secret": CLIENT["client_secret"],
        "auth_uri": f"{sim.base}/o/oauth2/v2/auth",
        "token_uri": f"{sim.base}/token",
    }
    flow = Flow.from_client_config({"web": web}, ["openid", *ALL], redirect_uri=CLIENT["redirect_uri"])
    url, state = flow.authorization_url(access_type="offline", prompt="consent")
    back = sim.agree(url, account)
    assert urllib.parse.parse_qs(urllib.parse.urlsplit(back).query)["state"] == [state]

    flow.fetch_token(authorization_response=back)
    assert flow.credentials.refresh_token
    assert set(flow.credentials.granted_scopes) == {"openid", *ALL}


def test_an_expired_access_token_is_refreshed(sim):
    account = sim.new_account("refresh")
    calendar = service(sim, account)
    sim.control("expire-access-tokens", account=account)
    assert calendar.events().list(calendarId="primary").execute()["items"] == []


def test_a_batch_answers_each_part_by_itself(sim):
    account = sim.new_account("batch")
    calendar = service(sim, account)
    calendar.events().insert(calendarId="primary", body=event(id="taken1")).execute()
    answers = {}

    def keep(name, answer, error):
        answers[name] = reason(error) if error else answer["id"]

    batch = BatchHttpRequest(callback=keep, batch_uri=f"{sim.base}/batch/calendar/v3")
    events = calendar.events()
    batch.add(events.insert(calendarId="primary", body=event(id="fresh1")), request_id="fresh")
    batch.add(events.insert(calendarId="primary", body=event(id="taken1")), request_id="taken")
    batch.add(events.insert(calendarId="primary", body=event(id="not-legal")), request_id="illegal")
    batch.add(events.get(calendarId="primary", eventId="unknown1"), request_id="unknown")
    batch.execute()
    assert answers == {
        "fresh": "fresh1",
        "taken": (409, "duplicate"),
        "illegal": (400, "invalid"),
        "unknown": (404, "notFound"),
    }
    assert sim.calls("batch") == 1


def test_a_batch_of_more_than_fifty_is_refused(sim):
    calendar = service(sim)
    batch = BatchHttpRequest(batch_uri=f"{sim.base}/batch/calendar/v3")
    for _ in range(51):
        batch.add(calendar.events().list(calendarId="primary"))
    with pytest.raises(HttpError) as error:
        batch.execute()
    assert error.value.resp.status == 400


def test_two_writes_to_one_event_clash_in_a_batch(sim):
    calendar = service(sim, sim.new_account("clash"))
    calendar.events().insert(calendarId="primary", body=event(id="clash1")).execute()
    outcomes = []
    batch = BatchHttpRequest(
        callback=lambda _, answer, error: outcomes.append(reason(error) if error else "done"),
        batch_uri=f"{sim.base}/batch/calendar/v3",
    )
    for word in ["one", "two"]:
        batch.add(calendar.events().patch(calendarId="primary", eventId="clash1", body={"summary": word}))
    batch.execute()
    assert sorted(outcomes, key=str) == [(409, "conflict"), "done"]


def test_pages_follow_each_other_to_the_cursor(sim):
    calendar = service(sim, sim.new_account("pages"))
    ids = {calendar.events().insert(calendarId="primary", body=event()).execute()["id"] for _ in range(11)}
    seen, request = [], calendar.events().list(calendarId="primary", maxResults=4)
    while request:
        answer = request.execute()
        seen += [item["id"] for item in answer["items"]]
        request = calendar.events().list_next(request, answer)
    assert len(seen) == 11 and set(seen) == ids and answer["nextSyncToken"]


def test_an_etag_that_is_known_answers_not_modified(sim):
    calendar = service(sim, sim.new_account("etag"))
    stored = calendar.events().insert(calendarId="primary", body=event()).execute()
    request = calendar.events().get(calendarId="primary", eventId=stored["id"])
    request.headers["If-None-Match"] = stored["etag"]
    with pytest.raises(HttpError) as error:
        request.execute()
    assert error.value.resp.status == 304
