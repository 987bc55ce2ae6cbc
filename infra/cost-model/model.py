#!/usr/bin/env python3
"""What a million connections cost: Google's quota, AWS, and US$ a month, for polling alone and with push.

What a single happening costs stands in counts.json beside this file, and `tests/tests/costs/model.rs` asserts each of
those counts. What is assumed here cannot be counted on one machine: how people behave, how long Google and
DynamoDB take to answer, how long log lines are, and prices.
"""

import json
import math
import sys
from pathlib import Path

# ── who there is, and what they do in a day ──────────────────────────────────────────────────────────────────────────
CONNECTIONS = 1_000_000
CONNECTIONS_A_TENANT = 100
KEYS_A_TENANT = 2  # in use at a time at most, on average: asserted in shared/src/adapters/kms/key_cache.rs
BURSTS = 4  # of changes in Google; each is one edit, and one notice
LESSON_CHANGES = 5
ONTO_A_LESSON = 0.1  # of all bursts in a day, one in forty
QUIET_HOURS = 8  # of a night in which nothing changes; without one, changes come evenly around the clock
DAYS = 30

# ── how long things take and how long lines are ──────────────────────────────────────────────────────────────────────
GOOGLE_MS, DYNAMO_MS, WEBHOOK_MS, TOKEN_MS = 120, 5, 5, 120
MEMORY_GB = 0.25
LOG_LINE_BYTES = 900  # one line for each run, with its metrics

# ── prices in US$: AWS's list prices of us-east-1, on demand, of early 2025. Check them before use. ────────────────
WRITE_UNIT = 0.625e-6  # https://aws.amazon.com/dynamodb/pricing/on-demand/
READ_UNIT = 0.125e-6
WRITE_CAPACITY_HOUR = 0.00065  # https://aws.amazon.com/dynamodb/pricing/provisioned/: a unit a second for an hour
READ_CAPACITY_HOUR = 0.00013
UTILISATION = 0.7  # of provisioned capacity, as auto scaling is told to keep it
LAMBDA_REQUEST = 0.20e-6  # https://aws.amazon.com/lambda/pricing/, arm64
LAMBDA_GB_SECOND = 0.0000133334
SQS_REQUEST = 0.40e-6  # https://aws.amazon.com/sqs/pricing/, standard queues
KMS_REQUEST = 0.03e-4  # https://aws.amazon.com/kms/pricing/
BUS_EVENT = 1.00e-6  # https://aws.amazon.com/eventbridge/pricing/
LOG_GB = 0.50  # https://aws.amazon.com/cloudwatch/pricing/

# ── goals ────────────────────────────────────────────────────────────────────────────────────────────────────────────
MAX_DOLLARS = 900
UNITS_A_DAY = 1_000_000  # Google's daily threshold of a project
FEWEST_INSTRUCTORS = 65_000

ASSERTED = json.loads((Path(__file__).parent / "counts.json").read_text())
COUNTS = ASSERTED["happenings"]
# Schedules find what is due half a period late on average: the poll's is a minute, the renewals' an hour.
POLL_HOURS, SAFETY_POLL_HOURS = (ASSERTED["hours"][name] + 0.5 / 60 for name in ("poll", "safetyPoll"))
GRANTED_HOURS, ASKED_HOURS = (ASSERTED["hours"][name] + 0.5 for name in ("renewal", "renewalAsAsked"))
KEPT = ASSERTED["keysKept"]


def polls_after(listings, quiet_hours):
    """How many polls a day follow so many listings, which come at random moments of the hours that are not quiet: after
    each, one whenever the safety poll's time passes again and nothing else has come."""
    awake_hours = 24 - quiet_hours
    an_hour = listings / awake_hours
    expected = lambda until: an_hour * (until // 24 * awake_hours + min(until % 24, awake_hours))  # since a morning
    minutes = [(n + 0.5) / 60 for n in range(awake_hours * 60)]
    none_after = lambda at, hours: math.exp(expected(at) - expected(at + hours))
    times = range(1, 20)  # more can be neglected: days without a change
    return sum(an_hour / 60 * none_after(at, n * SAFETY_POLL_HOURS) for at in minutes for n in times)


def a_day(push, channel_hours, quiet_hours):
    """How often what happens to one connection in a day, by name."""
    happenings = {
        "eventMoved": BURSTS - ONTO_A_LESSON,
        "eventOntoLesson": ONTO_A_LESSON,
        "lessonMoved": LESSON_CHANGES,
        "echo": LESSON_CHANGES,
    }
    if push:
        # The daily comparison makes no listing of its own; here it is taken to ride on a poll.
        polls = polls_after(BURSTS + LESSON_CHANGES, quiet_hours)
        return happenings | {"dailyPoll": 1, "safetyPoll": polls - 1, "renewal": 24 / channel_hours}
    # What changed is found by a poll that is due anyway. Bursts, lessons that move and the daily comparison were counted
    # with a token that is fetched; so many fewer are left to polls that find nothing.
    polls, other = 24 / POLL_HOURS, BURSTS + LESSON_CHANGES + 1
    with_token = polls / ASSERTED["pollsAToken"] - other
    return happenings | {"dailyPoll": 1, "poll": polls - other - with_token, "pollWithToken": with_token}


def dispatched(happening):
    return happening in ("poll", "pollWithToken", "safetyPoll", "dailyPoll")


def keys_asked(runs, workers):
    """How often KMS is asked in a month: by each worker once for each key in the time for which it keeps one, and in each
    run for one that its cache has no room for."""
    keys = CONNECTIONS / CONNECTIONS_A_TENANT * KEYS_A_TENANT
    kept = min(keys, KEPT["most"])
    return min(runs, kept * workers * 24 * DAYS / KEPT["hours"] + runs * (1 - kept / keys))


def bill(push, channel_hours=GRANTED_HOURS, quiet_hours=0):
    """Google's units of a connection and day, and sums over all connections and a month, and what is to be paid for
    them."""
    day = a_day(push, channel_hours, quiet_hours)
    idle = COUNTS["dispatch"]  # each minute for the whole fleet; it is part of what a single poll was counted to cost

    def total(count):
        each = sum(
            times * (COUNTS[name][count] - (idle[count] if dispatched(name) else 0)) for name, times in day.items()
        )
        return each * CONNECTIONS * DAYS + idle[count] * 1440 * DAYS

    def happen(*names):
        return sum(day.get(name, 0) for name in names) * CONNECTIONS * DAYS

    units = sum(times * COUNTS[name]["googleUnits"] for name, times in day.items())
    webhooks = happen("eventMoved", "eventOntoLesson", "echo") if push else 0
    # A renewal has a message, as a poll has. Changes that a poll finds need no message of their own.
    runs = total("messages") + happen("renewal")
    claims = 0 if push else happen("eventMoved", "eventOntoLesson", "echo")  # the polls that find the changes
    streamed = happen("lessonMoved") + total("lessonsWritten")
    writes = total("writeUnits") + claims * (COUNTS["poll"]["writeUnits"] - 1)
    invocations = webhooks + runs + streamed + 1440 * DAYS
    seconds = (
        units * CONNECTIONS * DAYS * GOOGLE_MS
        + total("dynamoRequests") * DYNAMO_MS
        + happen("eventMoved", "eventOntoLesson", "lessonMoved", "pollWithToken", "safetyPoll", "dailyPoll") * TOKEN_MS
        + webhooks * WEBHOOK_MS
    ) / 1000
    # As many workers as are busy on average, and half as many again.
    workers = math.ceil(1.5 * seconds / (DAYS * 86400))
    rows = [
        ("DynamoDB write units", writes, WRITE_UNIT),
        ("DynamoDB read units", total("readUnits"), READ_UNIT),
        ("Lambda requests", invocations, LAMBDA_REQUEST),
        ("Lambda GB-seconds", seconds * MEMORY_GB, LAMBDA_GB_SECOND),
        ("SQS requests", 3 * runs, SQS_REQUEST),  # sent, received and deleted, each alone
        ("KMS requests", keys_asked(runs, workers), KMS_REQUEST),
        ("EventBridge events", total("notices"), BUS_EVENT),
        ("CloudWatch Logs, GB", runs * LOG_LINE_BYTES / 1e9, LOG_GB),
    ]
    return units, rows


def provisioned(rows):
    """What DynamoDB's units of a month cost as provisioned capacity that auto scaling keeps at its target, evenly used."""
    an_hour = {"DynamoDB write units": WRITE_CAPACITY_HOUR, "DynamoDB read units": READ_CAPACITY_HOUR}
    return sum(count / 3600 / UTILISATION * an_hour[name] for name, count, _ in rows if name in an_hour)


def dollars(rows, without=()):
    """What rows cost, but for those whose names begin so."""
    return sum(count * price for name, count, price in rows if not name.startswith(tuple(without)))


def with_provisioned(rows):
    """What rows cost with provisioned capacity."""
    return dollars(rows, ["DynamoDB"]) + provisioned(rows)


def without_dynamo_and_kms(rows):
    """What rows cost that no thrift in what is stored could save."""
    return dollars(rows, ["DynamoDB", "KMS"])


def print_bill(polled, pushed):
    """Each row, what it costs, and its share of the whole."""
    totals = [dollars(rows) for rows in (polled, pushed)]
    print(f"{'a month, DynamoDB on demand':<34}" + f"{'millions':>14}{'US$':>10}{'':>6}" * 2)
    for rows in zip(polled, pushed):
        line = f"{rows[0][0]:<34}"
        for (name, count, price), total in zip(rows, totals):
            scale = 1 if name.endswith("GB") else 1e6
            line += f"{count / scale:>14,.1f}{count * price:>10,.0f}{count * price / total:>6.0%}"
        print(line)
    print(f"{'all':<34}" + "".join(f"{'':>14}{total:>10,.0f}{'':>6}" for total in totals))
    for title, cost in [
        (f"with capacity provisioned at {UTILISATION:.0%}", with_provisioned),
        ("if DynamoDB and KMS were free", without_dynamo_and_kms),
    ]:
        print(f"{title:<34}" + "".join(f"{'':>14}{cost(rows):>10,.0f}{'':>6}" for rows in (polled, pushed)))


def documented():
    """The rows of the table in docs/costs.md."""
    (poll_units, polled), (push_units, pushed) = bill(False), bill(True)
    as_asked, _ = bill(True, ASKED_HOURS)
    with_nights, _ = bill(True, quiet_hours=QUIET_HOURS)
    fits = lambda units: f"{UNITS_A_DAY / units:,.0f}"
    cost = lambda of: [f"{of(rows):,.0f}" for rows in (polled, pushed)]
    most, fewest = f"{MAX_DOLLARS:,}", f"{FEWEST_INSTRUCTORS:,}"
    rows = [
        ["Google units a connection and day", f"{poll_units:.2f}", f"{push_units:.2f}", f"{UNITS_A_DAY / FEWEST_INSTRUCTORS:.2f}"],
        [f"instructors a Google project, at {UNITS_A_DAY:,} units a day", fits(poll_units), fits(push_units), fewest],
        [f"… if nothing changes for {QUIET_HOURS} hours of the night", "", fits(with_nights), fewest],
        ["… if Google grants channels for the thirty days that are asked for", "", fits(as_asked), fewest],
        ["US$ a month, DynamoDB on demand", *cost(dollars), most],
        [f"… DynamoDB's capacity provisioned, used at {UTILISATION:.0%}", *cost(with_provisioned), most],
        ["… if DynamoDB and KMS were free", *cost(without_dynamo_and_kms), most],
    ]
    return ["| " + " | ".join(row).replace("|  |", "| |") + " |" for row in rows]


def check(document):
    """Fails where a document does not hold the rows as they are today."""
    lines = Path(document).read_text().splitlines()
    missing = [row for row in documented() if row not in lines]
    if missing:
        sys.exit("\n".join([f"{document} lacks", *missing]))


def main():
    (poll_units, polled), (push_units, pushed) = bill(False), bill(True)
    as_asked, _ = bill(True, ASKED_HOURS)
    with_nights, _ = bill(True, quiet_hours=QUIET_HOURS)
    fits = lambda units: UNITS_A_DAY / units
    print(f"{CONNECTIONS:,} connections, {BURSTS} bursts in Google and {LESSON_CHANGES} lesson changes a day each\n")
    print(f"{'':<34}{'polling alone':>24}{'with push':>30}")
    print(f"{'Google units a connection and day':<34}{poll_units:>24.2f}{push_units:>30.2f}")
    print(f"{'instructors a Google project':<34}{fits(poll_units):>24,.0f}{fits(push_units):>30,.0f}\n")
    print_bill(polled, pushed)
    print("\ngoals, with push:")
    verdict = lambda met: "met" if met else "MISSED"
    print(f"  at most {MAX_DOLLARS:,} US$ a month: {dollars(pushed):,.0f}, {verdict(dollars(pushed) <= MAX_DOLLARS)}")
    for case, units in [
        ("changes around the clock", push_units),
        (f"nights of {QUIET_HOURS} hours without changes, {with_nights:.2f} units a day", with_nights),
        ("channels granted as asked for", as_asked),
    ]:
        met = verdict(fits(units) >= FEWEST_INSTRUCTORS)
        print(f"  at least {FEWEST_INSTRUCTORS:,} instructors a project, {case}: {fits(units):,.0f}, {met}")
    trailing = push_units + BURSTS * (COUNTS["burstOfTwo"]["googleUnits"] - COUNTS["eventMoved"]["googleUnits"])
    print(f"  {fits(trailing):,.0f} instructors if each burst brings a second notice after its first listing")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["--check", document]:
            check(document)
        case _:
            main()
