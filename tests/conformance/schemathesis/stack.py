"""The one-machine stack on free ports, with instructors whose calendars are connected."""

import json
import os
import re
import subprocess
import tempfile
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
PROGRAM = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "debug" / "local-stack"


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


OPENER = urllib.request.build_opener(NoRedirect)


def ask(url, body=None, **headers):
    """The answer to a GET, or to a POST with `body` as JSON, whatever its status."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json", **headers})
    try:
        answer = OPENER.open(request)
    except urllib.error.HTTPError as error:
        answer = error
    with answer:
        return answer.headers, answer.read().decode()


class Stack:
    def __enter__(self):
        self.data = tempfile.TemporaryDirectory(prefix="calendar-sync-")
        environment = {
            **os.environ,
            "LOCAL_API_PORT": "0",
            "LOCAL_GOOGLE_PORT": "0",
            "LOCAL_DATA": self.data.name,
            "RUST_LOG": "error",
            "GOOGLE_SIM_QUOTAS": "off",
        }
        self.process = subprocess.Popen([PROGRAM], env=environment, stdout=subprocess.PIPE, text=True)
        for line in self.process.stdout:
            if found := re.search(r"The page and the API +(\S+)", line):
                self.api = found.group(1)
            if found := re.search(r"Google's calendar +(\S+)", line):
                self.google = found.group(1)
                return self
        raise SystemExit("the stack did not start")

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        self.data.cleanup()

    def token(self, tenant, instructor, role):
        query = urllib.parse.urlencode({"tenant": tenant, "instructor": instructor, "role": role})
        return json.loads(ask(f"{self.api}/dev/session?{query}")[1])["token"]

    def connect(self, tenant, instructor, account):
        """Logs in at Google with all boxes ticked."""
        bearer = {"Authorization": f"Bearer {self.token(tenant, instructor, 'instructor')}"}
        headers, begun = ask(f"{self.api}/api/v1/calendar/oauth/url?instructorId={instructor}", **bearer)
        cookie = headers["set-cookie"].split(";")[0]
        page = ask(json.loads(begun)["data"]["authUrl"])[1]
        while True:
            # A project that the page has seen before is asked first who it is for.
            form = [
                ("request", re.search(r'name="request" value="([^"]+)"', page).group(1)),
                ("account", account),
                ("decision", "allow" if 'value="allow"' in page else "choose"),
                *(("scope", scope) for scope in re.findall(r'name="scope" value="([^"]+)"', page)),
            ]
            data = urllib.parse.urlencode(form).encode()
            try:
                page = OPENER.open(f"{self.google}/o/oauth2/v2/auth", data).read().decode()
            except urllib.error.HTTPError as redirect:
                back = redirect.headers["location"]
                break
        answer = json.loads(ask(back, Cookie=cookie, Accept="application/json")[1])
        if not answer["success"]:
            raise SystemExit(f"{account} was not connected: {answer}")
