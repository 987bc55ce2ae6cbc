"""A day with the stack: the steps of the check, in their order. Each is a sentence, a function, and needs those before."""

import json

from botocore.exceptions import ClientError

from world import ADA, GRACE, INSTRUCTOR, TENANT, moment, until

PIANO = "1e550000-0000-4000-8000-000000000001"
CHOIR = "1e550000-0000-4000-8000-000000000002"
FED = "1e550000-0000-4000-8000-000000000003"
REFUSED_BY_GOOGLE = {"refuse": {"status": 503, "reason": "backendError"}}


def who_has_no_rights_is_denied(world):
    iam = world.aws.client("iam")
    iam.create_user(UserName="stranger")
    key = iam.create_access_key(UserName="stranger")["AccessKey"]
    stranger = world.aws.client("dynamodb", key["AccessKeyId"], key["SecretAccessKey"])
    try:
        stranger.list_tables()
    except ClientError as error:
        assert error.response["Error"]["Code"] == "AccessDeniedException", error
        return
    raise AssertionError("the emulator enforces no IAM")


def roles_suffice_for_triggers_and_logs(world):
    roles = {world.stack.resources[f"{name}Role"] for name in world.stack.functions()}
    assert roles == set(world.stack.roles), "each role has a boundary"
    missing = world.stack.missing_rights()
    assert missing == [], missing


def tokens_are_verified(world):
    path = f"status/{INSTRUCTOR}"
    assert world.api("GET", path)[0] == 404, "the instructor has no row yet"
    world.update("InstructorsTable", {"tenant_id": TENANT, "id": INSTRUCTOR}, {"name": "Ada"})
    assert world.status()["state"] == "not_connected"
    assert world.api("GET", path, token=world.instructor[:-4] + "AAAA")[0] == 401
    assert world.api("GET", "connections")[0] == 404, "an instructor is no administrator"
    assert world.ask("GET", "connections", token=world.admin)["connections"] == []


def a_login_connects_a_calendar(world):
    world.listen()
    status, answer = world.connect()
    assert status == 200, answer
    until("the first sync", lambda: world.status()["lastSyncedAt"])
    assert world.status()["state"] == "active"


def google_knows_the_webhook(world):
    assert world.channel()["address"] == world.stack.outputs["WebhookUrl"]
    assert world.status()["push"]["state"] == "healthy", world.status()["push"]


def a_lesson_of_the_table_is_an_event(world):
    world.put_lesson(PIANO, "Piano", 30)
    world.put_lesson(CHOIR, "Choir", 50)
    event = until("the event", lambda: world.event_of(PIANO))
    assert event["summary"] == "Piano"
    until("the other event", lambda: world.event_of(CHOIR))
    until("the column", lambda: world.lesson(PIANO).get("calendar_sync_status") == "synced")
    assert world.lesson(PIANO)["google_calendar_event_id"] == event["id"]


def a_lesson_moves_and_goes(world):
    world.put_lesson(PIANO, "Piano, advanced", 32)
    until("the new title", lambda: world.event_of(PIANO)["summary"] == "Piano, advanced")
    world.remove_lesson(CHOIR)
    until("the end of the event", lambda: world.event_of(CHOIR) is None)


def a_notice_of_google_brings_a_conflict(world):
    world.dentist = world.plan("Dentist", 32)
    world.notify()
    until("the flag", lambda: world.lesson(PIANO).get("has_conflict") is True)
    events = world.ask("GET", f"external-events/{INSTRUCTOR}?conflictsOnly=true")["events"]
    assert [(event["title"], event["conflicts"][0]["lessonId"]) for event in events] == [("Dentist", PIANO)]
    until("the host's notice", lambda: "conflicts.changed" in types(world))
    assert world.status()["counts"]["conflicts"] == 1


def a_person_says_of_a_conflict_that_it_is_fine(world):
    [conflict] = world.status()["conflicts"]
    for state, flag in (("ignored", False), ("live", True)):
        decided = world.ask("PATCH", f"conflicts/{INSTRUCTOR}/{conflict['id']}", {"state": state})
        assert decided["state"] == state, decided
        until("the flag", lambda flag=flag: world.lesson(PIANO).get("has_conflict") is flag)


def a_sync_by_hand_takes_it_back(world):
    world.google.control("delete-event", calendar=ADA, id=world.dentist)
    world.rest()
    done = world.act("POST", "sync")
    assert done["outcome"] == "completed", done
    assert world.lesson(PIANO)["has_conflict"] is False
    assert world.status()["logs"], "the log has the run"


def settings_switch_writing_off_and_on(world):
    world.act("PATCH", "settings", syncDirection="from_google")
    world.put_lesson(PIANO, "Piano, for later", 32)
    world.rest()
    assert world.act("POST", "sync")["outcome"] == "completed"
    assert world.event_of(PIANO)["summary"] == "Piano, advanced"
    world.act("PATCH", "settings", syncDirection="two_way")
    until("what is owed", lambda: world.event_of(PIANO)["summary"] == "Piano, for later")


def administrators_see_the_connection(world):
    for state in ("", "active"):
        listed = world.ask("GET", f"connections?state={state}" if state else "connections", token=world.admin)
        assert [each["instructorId"] for each in listed["connections"]] == [INSTRUCTOR], listed
    assert world.ask("GET", "connections?state=attention", token=world.admin)["connections"] == []


def a_fed_lesson_is_an_event_and_told_of(world):
    lesson = {
        "instructorId": INSTRUCTOR, "title": "Violin", "startsAt": moment(60), "endsAt": moment(61),
        "timeZone": "Europe/Berlin", "status": "scheduled",
    }
    message = {"type": "lesson.changed", "tenantId": TENANT, "lessonId": FED, "version": 1, "lesson": lesson}
    world.sqs.send_message(QueueUrl=world.stack.outputs["LessonFeedUrl"], MessageBody=json.dumps([message, {}]))
    until("the event", lambda: world.event_of(FED))
    until("the host's notice", lambda: any(
        notice["type"] == "lesson.sync_changed" and notice["lessonId"] == FED and notice["syncStatus"] == "synced"
        for notice in world.notices()
    ))
    refused = until("the refusal", lambda: world.messages(world.stack.outputs["LessonFeedDeadLettersUrl"]))
    assert "2" in refused[0]["MessageAttributes"]["reason"]["StringValue"], refused
    removed = {"type": "lesson.removed", "tenantId": TENANT, "lessonId": FED, "version": 2}
    world.sqs.send_message(QueueUrl=world.stack.outputs["LessonFeedUrl"], MessageBody=json.dumps(removed))
    until("the end of the event", lambda: world.event_of(FED) is None)


def each_minute_what_is_due_is_polled(world):
    world.plan("Unannounced", 70)
    world.pass_time("next_sync_at")
    until("the poll of the schedule", lambda: "Unannounced" in titles(world))


def channels_are_renewed(world):
    before = world.channel()
    world.pass_time("renew_at")
    world.stack.tick("RenewChannelsFunction", "RenewChannelsFunctionEveryHour")
    until("another channel", lambda: world.channel()["id"] != before["id"])
    assert world.status()["push"]["state"] == "healthy"
    world.plan("Announced", 71)
    world.notify()
    until("what it tells of", lambda: "Announced" in titles(world))


def another_account_takes_its_place(world):
    status, answer = world.connect(GRACE)
    assert (status, answer["error"]["code"]) == (409, "other_account")
    world.rest()
    status, answer = world.connect(GRACE, "&replaceAccount=true")
    assert status == 200, answer
    until("the event in the other calendar", lambda: world.event_of(PIANO, GRACE))
    assert world.event_of(PIANO) is None


def a_withdrawn_permission_is_told(world):
    world.google.control("end-grants", account=GRACE, end="revoked")
    world.put_lesson(PIANO, "Piano, once more", 33)
    until("the state", lambda: world.status()["state"] == "needs_reauth")
    until("the host's notice", lambda: "connection.needs_attention" in types(world))
    attention = world.ask("GET", "connections?state=attention", token=world.admin)["connections"]
    assert [each["instructorId"] for each in attention] == [INSTRUCTOR], attention
    status, answer = world.connect(GRACE)
    assert status == 200, answer
    until("the title", lambda: world.event_of(PIANO, GRACE)["summary"] == "Piano, once more")


def a_disconnect_takes_all_down(world):
    world.plan("Dentist", 33, GRACE)
    world.notify()
    until("the flag", lambda: world.lesson(PIANO).get("has_conflict") is True)
    world.rest()
    world.act("POST", "disconnect")
    until("the end", lambda: world.status()["state"] == "not_connected")
    assert world.event_of(PIANO, GRACE) is None
    assert "google_calendar_event_id" not in world.lesson(PIANO)
    assert world.lesson(PIANO).get("has_conflict") is not True
    assert world.look("channels")["channels"] == []


def a_disconnect_that_google_refuses_is_ended_by_the_worker(world):
    status, answer = world.connect()
    assert status == 200, answer
    until("the event", lambda: world.event_of(PIANO))
    world.rest()
    world.google.control("fault", method="oauth2.revoke", when="always", effect=REFUSED_BY_GOOGLE)
    world.act("POST", "disconnect")
    assert world.status()["state"] == "disconnecting"
    world.pass_time("next_sync_at")
    world.google.control("clear-faults")
    world.stack.tick("PollFunction", "PollFunctionEveryMinute")
    until("the end", lambda: world.status()["state"] == "not_connected")
    assert world.event_of(PIANO) is None


def an_administrator_erases_all_of_the_tenant(world):
    status, answer = world.connect()
    assert status == 200, answer
    until("the event", lambda: world.event_of(PIANO))
    world.rest()
    erasure = world.ask("POST", "erase", {"erase": "tenant", "confirm": TENANT}, token=world.admin)
    until("the end", lambda: world.ask("GET", f"erase/{erasure['id']}", token=world.admin)["state"] == "erased")
    until("the host's notice", lambda: "erasure.ended" in types(world))
    assert world.event_of(PIANO) is None
    assert world.status()["state"] == "not_connected"


def nothing_failed_and_nothing_was_denied(world):
    lines = [json.loads(line) for line in world.stack.log_lines()]
    assert any(line.get("message") == "synced" for line in lines), "the log is there"
    bad = [line for line in lines if line.get("level") == "ERROR" or "AccessDenied" in json.dumps(line)]
    assert bad + world.aws.errors() == [], (bad, world.aws.errors())
    assert world.messages(world.stack.outputs["DeadLettersUrl"]) == []


def tables_stay_when_the_stack_goes(world):
    tables = [name for name in world.stack.resources if name.endswith("Table")]
    assert world.stack.delete() == "DELETE_COMPLETE"
    left = set(world.dynamodb.list_tables()["TableNames"])
    gone = {name for name in tables if world.stack.resources[name] not in left}
    assert gone == {"OAuthStatesTable", "RateLimitsTable"}, gone


def titles(world):
    return [event["title"] for event in world.ask("GET", f"external-events/{INSTRUCTOR}")["events"]]


def types(world):
    return {notice["type"] for notice in world.notices()}


STEPS = [
    who_has_no_rights_is_denied,
    roles_suffice_for_triggers_and_logs,
    tokens_are_verified,
    a_login_connects_a_calendar,
    google_knows_the_webhook,
    a_lesson_of_the_table_is_an_event,
    a_lesson_moves_and_goes,
    a_notice_of_google_brings_a_conflict,
    a_person_says_of_a_conflict_that_it_is_fine,
    a_sync_by_hand_takes_it_back,
    settings_switch_writing_off_and_on,
    administrators_see_the_connection,
    a_fed_lesson_is_an_event_and_told_of,
    each_minute_what_is_due_is_polled,
    channels_are_renewed,
    another_account_takes_its_place,
    a_withdrawn_permission_is_told,
    a_disconnect_takes_all_down,
    a_disconnect_that_google_refuses_is_ended_by_the_worker,
    an_administrator_erases_all_of_the_tenant,
    nothing_failed_and_nothing_was_denied,
    tables_stay_when_the_stack_goes,
]
