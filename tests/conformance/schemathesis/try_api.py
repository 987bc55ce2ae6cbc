"""Has Schemathesis try the API as each kind of caller, and fails if it objects to anything that `hooks.py` does not name."""

import os
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from hooks import ACCEPTED, ADA, GRACE
from stack import ROOT, Stack

HERE = Path(__file__).resolve().parent
TENANT = "5c7a1e00-0000-4000-8000-000000000001"
OTHER_TENANT = "5c7a1e00-0000-4000-8000-000000000002"
NO_INSTRUCTOR = "5c7a1e00-0000-4000-8000-0000000000ff"
# Who calls: tenant, instructor and role, or nobody.
CALLERS = {
    "an instructor": (TENANT, ADA, "instructor"),
    "an administrator": (TENANT, NO_INSTRUCTOR, "admin"),
    "an administrator of another tenant": (OTHER_TENANT, NO_INSTRUCTOR, "admin"),
    "nobody": None,
}


def try_as(caller, log):
    with Stack() as stack:
        stack.connect(TENANT, ADA, "ada@example.com")
        stack.connect(TENANT, GRACE, "grace@example.com")
        token = stack.token(*caller) if caller else "none"
        command = [Path(sys.executable).with_name("schemathesis"), "run", ROOT / "openapi.yaml", "--url", stack.api]
        environment = {**os.environ, "CALLER_TOKEN": token, "ACCEPTED_LOG": log}
        return subprocess.run(command, cwd=HERE, env=environment).returncode


def main():
    failed = []
    with tempfile.NamedTemporaryFile("r") as log:
        for name, caller in CALLERS.items():
            print(f"\nAs {name}", flush=True)
            if try_as(caller, log.name):
                failed.append(f"objections as {name}, see above")
        met = Counter(map(int, log.read().split()))
    print("\nObjections that are none:")
    for number, (kind, name, status, _, reason) in enumerate(ACCEPTED):
        print(f"{met[number]:6} {kind.__name__} of {name or 'any operation'}, {status}: {reason}")
        if not met[number]:
            failed.append(f"an accepted objection that was not met: {reason}")
    if failed:
        raise SystemExit("\n".join(failed))


if __name__ == "__main__":
    main()
