"""Deploys template.yaml on an emulator of AWS that enforces IAM, and lives a day with the functions' real programs.

Each step is a line. The first that fails ends the check, since the others need it, and says why: its own words, and the
last that functions and emulator logged above `INFO`.
"""

import argparse
import json
import signal
import sys
import tempfile
import time
import traceback
from contextlib import ExitStack
from pathlib import Path

import sim
from day import STEPS
from emulator import Emulator
from stack import CALLBACK, Stack
from world import Issuer, World

ROOT = Path(__file__).resolve().parents[2]
CLIENT = {"id": "deployed.apps.googleusercontent.com", "secret": "deployed-secret"}
MAX_LINE_CHARACTERS = 1000


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("programs", type=Path, help="the folder with the functions' programs and google-sim")
    parser.add_argument("--template", type=Path, default=ROOT / "template.yaml")
    return parser.parse_args()


def googles_addresses(base):
    """Of the simulated Google, for the functions; docs/configuration.md has the variables."""
    return {
        "GOOGLE_AUTHORIZE_URL": f"{base}/o/oauth2/v2/auth",
        "GOOGLE_TOKEN_URL": f"{base}/token",
        "GOOGLE_REVOKE_URL": f"{base}/revoke",
        "GOOGLE_CALENDAR_URL": f"{base}/calendar/v3",
        "GOOGLE_BATCH_URL": f"{base}/batch/calendar/v3",
    }


def deploy(stack, google, template, programs):
    """Twice, since Google's way back needs the API's address."""
    stack.create(template, programs)
    back = stack.outputs["ApiUrl"] + CALLBACK
    google.control("add-client", id=CLIENT["id"], secret=CLIENT["secret"], redirect_uris=[back])
    stack.update(GoogleRedirectUri=back)


def is_done(title, act, *given):
    """Whether a step succeeds; its line says so."""
    began = time.monotonic()
    try:
        act(*given)
    except Exception as error:
        cause = traceback.extract_tb(error.__traceback__)[-1]
        print(f"failed  {title}\n        {type(error).__name__}: {error}\n        {cause.name}: {cause.line}", flush=True)
        return False
    print(f"ok      {title} ({time.monotonic() - began:.1f} s)", flush=True)
    return True


def what_was_logged(stack, aws):
    """The last lines that may say why a step failed."""
    lines = [line for line in stack.log_lines() if json.loads(line).get("level") not in (None, "INFO")]
    return [line[:MAX_LINE_CHARACTERS] for line in lines[-5:] + aws.errors()[-3:]]


def live(stack, google, aws, issuer, given):
    """All steps; answers whether all succeeded."""
    if not is_done("the template is deployed, twice", deploy, stack, google, given.template, given.programs.resolve()):
        return False
    world = World(aws, stack, google, issuer)
    for step in STEPS:
        if not is_done(step.__name__.replace("_", " "), step, world):
            print("\n".join(f"        {line}" for line in what_was_logged(stack, aws)))
            return False
    return True


def main():
    given = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that what was started is ended
    with ExitStack() as held:
        folder = held.enter_context(tempfile.TemporaryDirectory(prefix="deploy-check-"))
        google = held.enter_context(sim.started(given.programs / "google-sim"))
        aws = held.enter_context(Emulator(folder, googles_addresses(google.base)))
        issuer = Issuer(aws)
        stack = Stack(aws, CLIENT, issuer.address, issuer.audience)
        succeeded = live(stack, google, aws, issuer, given)
    sys.exit(0 if succeeded else 1)


if __name__ == "__main__":
    main()
