"""The simulated Google as a program, and as its control API shows it."""

import contextlib
import json
import os
import re
import subprocess
import urllib.error
import urllib.parse
import urllib.request

CLIENT = {
    "client_id": "python.apps.googleusercontent.com",
    "client_secret": "python-secret",
    "redirect_uri": "http://localhost:3000/callback",
}
ADA = "ada@example.com"
ALL = ["https://www.googleapis.com/auth/calendar"]


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


class Sim:
    """The simulator as its control API shows it."""

    def __init__(self, base):
        self.base = base
        self.api = f"{base}/calendar/v3"

    def control(self, operation, **fields):
        data = json.dumps(fields).encode()
        request = urllib.request.Request(f"{self.base}/control/{operation}", data=data, method="POST")
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    def calls(self, method):
        with urllib.request.urlopen(f"{self.base}/control/calls") as answer:
            return json.load(answer).get(method, 0)

    def grant(self, account=ADA, scopes=None):
        return self.control("grant", client=CLIENT["client_id"], account=account, scopes=scopes or ALL)

    def new_account(self, name, zone="Europe/Berlin"):
        """An account whose calendar no other test has touched."""
        account = f"{name}@example.com"
        self.control("add-account", email=account, name=name, zone=zone)
        return account

    def request(self, method, path, token, body=None):
        """A bare call: status and parsed answer."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.base}{path}", data=data, method=method)
        request.add_header("Authorization", f"Bearer {token}")
        request.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(request) as answer:
                status, text = answer.status, answer.read()
        except urllib.error.HTTPError as error:
            status, text = error.code, error.read()
        return status, json.loads(text) if text else None

    def agree(self, url, account):
        """Goes through the consent page with all boxes ticked, and gives the address of the way back."""
        page = urllib.request.urlopen(url).read().decode()
        opener = urllib.request.build_opener(NoRedirect)
        while True:
            # A project that the page has seen before is asked first who it is for.
            decision = "allow" if 'value="allow"' in page else "choose"
            form = [
                ("request", re.search(r'name="request" value="([^"]+)"', page).group(1)),
                ("account", account),
                ("decision", decision),
                *(("scope", scope) for scope in re.findall(r'name="scope" value="([^"]+)"', page)),
            ]
            try:
                answer = opener.open(f"{self.base}/o/oauth2/v2/auth", urllib.parse.urlencode(form).encode())
            except urllib.error.HTTPError as redirect:
                return redirect.headers["location"]
            page = answer.read().decode()


@contextlib.contextmanager
def started(program):
    """The simulator on a free port, for as long as the block lasts."""
    environment = {
        **os.environ,
        "GOOGLE_SIM_ADDRESS": "127.0.0.1:0",
        "GOOGLE_SIM_QUOTAS": "off",
        "GOOGLE_CLIENT_ID": CLIENT["client_id"],
        "GOOGLE_CLIENT_SECRET": CLIENT["client_secret"],
        "GOOGLE_REDIRECT_URI": CLIENT["redirect_uri"],
    }
    running = subprocess.Popen([program], env=environment, stdout=subprocess.PIPE, text=True)
    try:
        yield Sim(re.search(r"http:\S+", running.stdout.readline()).group())
    finally:
        running.kill()
        running.wait()
