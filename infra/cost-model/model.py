#!/usr/bin/env python3
"""What a million connections cost: Google's quota, AWS, and US$ a month, for polling alone and with push.

What a single happening costs stands in counts.json beside this file, and `tests/tests/costs/model.rs` asserts each of
those counts. What is assumed here is what nobody can count on one machine: how people behave, how long Google and
DynamoDB take to answer, how long log lines are, and prices.
"""

import json
import math
from pathlib import Path

# ── who there is, and what they do in a day ──────────────────────────────────────────────────────────────────────────
CONNECTIONS = 1_000_000
CONNECTIONS_A_TENANT = 100
BURSTS = 4  # of changes in Google; each is one edit, and one notice
LESSON_CHANGES = 5
ONTO_A_LESSON = 0.1  # of all bursts in a day, one in forty
DAYS = 30

# ── how long things take and how long lines are ──────────────────────────────────────────────────────────────────────
GOOGLE_MS, DYNAMO_MS, WEBHOOK_MS, TOKEN_MS = 120, 5, 5, 120
MEMORY_GB = 0.25
LOG_LINE_BYTES = 400  # one line for each run

# ── prices in US$: AWS's list prices of us-east-1, on demand, of early 2025. Check them before use. ────────────────
WRITE_UNIT = 0.625e-6  # https://aws.amazon.com/dynamodb/pricing/on-demand/
READ_UNIT = 0.125e-6
LAMBDA_REQUEST = 0.20e-6  # https://aws.amazon.com/lambda/pricing/, arm64
LAMBDA_GB_SECOND = 0.0000133334
SQS_REQUEST = 0.40e-6  # https://aws.amazon.com/sqs/pricing/, standard queues
KMS_REQUEST = 0.03e-4  # https://aws.amazon.com/kms/pricing/
BUS_EVENT = 1.00e-6  # https://aws.amazon.com/eventbridge/pricing/
LOG_GB = 0.50  # https://aws.amazon.com/cloudwatch/pricing/

# ── goals ────────────────────────────────────────────────────────────────────────────────────────────────────────────
MOST_DOLLARS = 900
UNITS_A_DAY = 1_000_000  # Google's daily threshold of a project
FEWEST_INSTRUCTORS = 65_000

ASSERTED = json.loads((Path(__file__).parent / "counts.json").read_text())
COUNTS = ASSERTED["happenings"]
POLL_HOURS, SAFETY_POLL_HOURS, CHANNEL_HOURS = (
    ASSERTED["hours"][name] for name in ("poll", "safetyPoll", "renewal")
)


def a_day(push):
    """How often what happens to one connection in a day, by name."""
    happenings = {
        "eventMoved": BURSTS - ONTO_A_LESSON,
        "eventOntoLesson": ONTO_A_LESSON,
        "lessonMoved": LESSON_CHANGES,
        "echo": LESSON_CHANGES,
    }
    if push:
        # Listings come at random moments; after each, a poll follows if nothing else does within its time.
        listings = BURSTS + LESSON_CHANGES + 24 / CHANNEL_HOURS
        alone = math.exp(-listings / 24 * SAFETY_POLL_HOURS)
        polls = listings * alone / (1 - alone)
        return happenings | {"dailyPoll": 1, "safetyPoll": max(polls - 1, 0), "renewal": 24 / CHANNEL_HOURS}
    # What changed is found by a poll that is due anyway.
    found = BURSTS + LESSON_CHANGES
    return happenings | {"dailyPoll": 1, "poll": 24 / POLL_HOURS - found - 1}


def dispatched(happening):
    return happening in ("poll", "safetyPoll", "dailyPoll")


def bill(push):
    """Sums over all connections and a month, and what is to be paid for them."""
    day = a_day(push)
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
    # A renewal is rung for as a poll is. Changes that a poll finds need no message of their own.
    runs = total("messages") + happen("renewal")
    claims = 0 if push else happen("eventMoved", "eventOntoLesson", "echo")  # the polls that find the changes
    streamed = happen("lessonMoved") + total("lessonsWritten")
    writes = total("writeUnits") + claims * (COUNTS["poll"]["writeUnits"] - 1)
    invocations = webhooks + runs + streamed + 1440 * DAYS
    seconds = (
        units * CONNECTIONS * DAYS * GOOGLE_MS
        + total("dynamoRequests") * DYNAMO_MS
        + happen("eventMoved", "eventOntoLesson", "lessonMoved", "safetyPoll", "dailyPoll") * TOKEN_MS
        + webhooks * WEBHOOK_MS
    ) / 1000
    # One key of each tenant, an hour in each worker: as many workers as are busy on average, and half as many again. Each
    # asks again for what the bound of its cache has pushed out, so that with many tenants nearly every run asks.
    workers = math.ceil(1.5 * seconds / (DAYS * 86400))
    keys = min(runs, CONNECTIONS / CONNECTIONS_A_TENANT * 24 * DAYS * workers)
    rows = [
        ("DynamoDB write units", writes, WRITE_UNIT),
        ("DynamoDB read units", total("readUnits"), READ_UNIT),
        ("Lambda requests", invocations, LAMBDA_REQUEST),
        ("Lambda GB-seconds", seconds * MEMORY_GB, LAMBDA_GB_SECOND),
        ("SQS requests", 3 * runs, SQS_REQUEST),  # sent, received and deleted, each alone
        ("KMS requests", keys, KMS_REQUEST),
        ("EventBridge events", total("notices"), BUS_EVENT),
        ("CloudWatch Logs, GB", runs * LOG_LINE_BYTES / 1e9, LOG_GB),
    ]
    return units, rows


def main():
    (poll_units, polled), (push_units, pushed) = bill(False), bill(True)
    print(f"{CONNECTIONS:,} connections, {BURSTS} bursts in Google and {LESSON_CHANGES} lesson changes a day each\n")
    print(f"{'':<34}{'polling alone':>28}{'with push':>28}")
    print(f"{'Google units a connection and day':<34}{poll_units:>28.2f}{push_units:>28.2f}")
    fits = [UNITS_A_DAY / units for units in (poll_units, push_units)]
    print(f"{'instructors a Google project':<34}{fits[0]:>28,.0f}{fits[1]:>28,.0f}\n")
    print(f"{'a month':<34}{'millions':>16}{'US$':>12}{'millions':>16}{'US$':>12}")
    for (name, count, price), (_, pushed_count, _) in zip(polled, pushed):
        scale = 1 if "GB" in name and "seconds" not in name else 1e6
        print(
            f"{name:<34}{count / scale:>16,.1f}{count * price:>12,.0f}"
            f"{pushed_count / scale:>16,.1f}{pushed_count * price:>12,.0f}"
        )
    dollars = [sum(count * price for _, count, price in rows) for rows in (polled, pushed)]
    print(f"{'all':<34}{'':>16}{dollars[0]:>12,.0f}{'':>16}{dollars[1]:>12,.0f}\n")
    print("goals, with push:")
    verdict = lambda met: "met" if met else "MISSED"
    print(f"  at most {MOST_DOLLARS:,} US$ a month: {dollars[1]:,.0f}, {verdict(dollars[1] <= MOST_DOLLARS)}")
    print(f"  at least {FEWEST_INSTRUCTORS:,} instructors a project: {fits[1]:,.0f}, {verdict(fits[1] >= FEWEST_INSTRUCTORS)}")
    trailing = push_units + BURSTS * (COUNTS["burstOfTwo"]["googleUnits"] - COUNTS["eventMoved"]["googleUnits"])
    print(f"  {UNITS_A_DAY / trailing:,.0f} instructors if each burst brings a second notice after its first listing")


if __name__ == "__main__":
    main()
