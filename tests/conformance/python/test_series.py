"""Random series, as the product shows them through a scripted Google, and as two libraries work them out."""

import json
import os
import subprocess
from datetime import datetime
from pathlib import Path

import pytest

from series_oracles import Series, by_dateutil, by_recurring_ical_events

NODE = Path(__file__).resolve().parents[1] / "node"
SERIES = 2000
SEED = os.environ.get("RECURRENCE_SEED", "20261202")


@pytest.fixture(scope="module")
def shown():
    """The series, and what the product makes of them."""
    dump = ["node", "dump-series.js", SEED, str(SERIES)]
    text = subprocess.run(dump, cwd=NODE, check=True, stdout=subprocess.PIPE, text=True).stdout
    return [json.loads(line) for line in text.splitlines()]


def moments(times):
    return tuple(datetime.fromisoformat(time) for time in times)


@pytest.mark.parametrize("oracle", [by_dateutil, by_recurring_ical_events])
def test_random_series_occur_when_others_say(shown, oracle):
    assert len(shown) == SERIES
    wrong, yielded = [], 0
    for series in shown:
        expected = oracle(Series(series["event"], series["timeZone"]), moments(series["window"]))
        found = [moments(times) for times in series["occurrences"]]
        yielded += len(expected)
        if found != expected:
            only = [[[f"{at:%FT%TZ}" for at in times] for times in sorted(set(a) - set(b))[:3]] for a, b in [(found, expected), (expected, found)]]
            wrong.append({"event": series["event"], "calendar": series["timeZone"], "only here": only[0], "only there": only[1]})
    report = "\n".join(map(json.dumps, wrong[:5]))
    assert not wrong, f"RECURRENCE_SEED={SEED}: {len(wrong)} of {SERIES} differ\n{report}"
    assert yielded > 5 * SERIES, f"only {yielded} occurrences"
