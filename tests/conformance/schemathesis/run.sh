#!/bin/sh
# Runs Schemathesis against the one-machine stack, in an environment of its own.
set -eu
cd "$(dirname "$0")"
if ! cmp -s requirements.txt .venv/installed.txt; then
  python3 -m venv .venv
  .venv/bin/pip install --quiet --disable-pip-version-check --requirement requirements.txt
  cp requirements.txt .venv/installed.txt
fi
exec .venv/bin/python try_api.py "$@"
