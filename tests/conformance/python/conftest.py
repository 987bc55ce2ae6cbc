"""Starts the simulator on a free port, and lets a test move its clock or look behind it."""

import os
import subprocess
import threading
from pathlib import Path

import pytest

from front import Front
from sim import started

ROOT = Path(__file__).resolve().parents[3]
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))


@pytest.fixture(scope="session")
def sim():
    # As the simulator's own tests need it, so that nothing is built twice.
    build = ["cargo", "test", "--quiet", "--locked", "--workspace", "--test", "simulator", "--no-run"]
    subprocess.run(build, cwd=ROOT, check=True)
    with started(TARGET / "debug" / "google-sim") as simulator:
        yield simulator


@pytest.fixture(scope="session")
def front(sim, tmp_path_factory):
    """Google's own host names, for clients that know no others."""
    with Front(sim.base, tmp_path_factory.mktemp("front")) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()
