"""Whoever deals with the stack: the host with its tables, queues and tokens, people at the page and in Google."""

import json
import time
import urllib.request
from datetime import datetime, timedelta, timezone

TENANT = "0b6c2a30-0000-4000-8000-000000000001"
INSTRUCTOR = "5c7a1e00-0000-4000-8000-0000000000a1"
# The key of the connection's state.
STATE = {"tenant_id": TENANT, "instructor_id": f"{INSTRUCTOR}#state"}
ADA, GRACE = "ada@example.com", "grace@example.com"
API = "/api/v1/calendar"
PASSWORD = "Never-4711"
# Longer than a retry of AWS's triggers, and than the minute of the schedule.
PATIENCE_SECONDS = 120


class Issuer:
    """A user pool of Cognito, as a host may have one: who signs the callers' tokens."""

    def __init__(self, aws):
        self.cognito = aws.client("cognito-idp")
        schema = [
            {"Name": name, "AttributeDataType": "String", "Mutable": True}
            for name in ("tenant_id", "instructor_id", "role")
        ]
        self.pool = self.cognito.create_user_pool(PoolName="host", Schema=schema)["UserPool"]["Id"]
        page = self.cognito.create_user_pool_client(
            UserPoolId=self.pool, ClientName="page", ExplicitAuthFlows=["ALLOW_ADMIN_USER_PASSWORD_AUTH"]
        )
        self.audience = page["UserPoolClient"]["ClientId"]
        self.address = f"https://cognito-idp.{self.pool.split('_')[0]}.amazonaws.com/{self.pool}"

    def token(self, name, **claims):
        attributes = [{"Name": f"custom:{key}", "Value": value} for key, value in claims.items()]
        user = {"UserPoolId": self.pool, "Username": name}
        self.cognito.admin_create_user(**user, UserAttributes=attributes, MessageAction="SUPPRESS")
        self.cognito.admin_set_user_password(**user, Password=PASSWORD, Permanent=True)
        signed_in = self.cognito.admin_initiate_auth(
            UserPoolId=self.pool, ClientId=self.audience, AuthFlow="ADMIN_USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": name, "PASSWORD": PASSWORD},
        )
        return signed_in["AuthenticationResult"]["IdToken"]


class World:
    """The stack and what is around it."""

    def __init__(self, aws, stack, google, issuer):
        self.aws, self.stack, self.google = aws, stack, google
        self.instructor = issuer.token("ada", tenant_id=TENANT, instructor_id=INSTRUCTOR, role="instructor")
        self.admin = issuer.token("root", tenant_id=TENANT, role="admin")
        self.dynamodb, self.sqs = aws.client("dynamodb"), aws.client("sqs")
        self.notices_seen = []

    # At the page.

    def api(self, method, path, body=None, token=None, **headers):
        """Calls the API as the instructor: status and answer."""
        headers["Authorization"] = f"Bearer {token or self.instructor}"
        status, _, answer = self.aws.call(f"{self.stack.outputs['ApiUrl']}{API}/{path}", method, body, headers)
        return status, answer

    def ask(self, method, path, body=None, token=None):
        """The data of a call that has to succeed."""
        status, answer = self.api(method, path, body, token)
        assert status in (200, 202), f"{method} {path}: {status} {answer}"
        return answer["data"]

    def status(self):
        return self.ask("GET", f"status/{INSTRUCTOR}")

    def act(self, method, path, **fields):
        return self.ask(method, path, {"instructorId": INSTRUCTOR, **fields})

    def log_in(self, account, extra=""):
        """Begins a login and agrees in Google: the way back, and the browser's cookie."""
        address = f"{self.stack.outputs['ApiUrl']}{API}/oauth/url?instructorId={INSTRUCTOR}{extra}"
        headers = {"Authorization": f"Bearer {self.instructor}"}
        status, heads, answer = self.aws.call(address, headers=headers)
        assert status == 200, answer
        return self.google.agree(answer["data"]["authUrl"], account), heads["set-cookie"].split(";")[0]

    def connect(self, account=ADA, extra=""):
        """As a browser does: the answer of the callback."""
        back, cookie = self.log_in(account, extra)
        status, _, answer = self.aws.call(back, headers={"Cookie": cookie, "Accept": "application/json"})
        return status, answer

    # At the host.

    def row(self, table, key):
        item = self.dynamodb.get_item(
            TableName=self.stack.resources[table], Key={name: {"S": value} for name, value in key.items()},
            ConsistentRead=True,
        )
        return {name: next(iter(value.values())) for name, value in item.get("Item", {}).items()}

    def lesson(self, lesson):
        return self.row("LessonsTable", {"tenant_id": TENANT, "id": lesson})

    def put_lesson(self, lesson, title, hour, **columns):
        """A new lesson, or new columns of one that is there, whose own columns stay."""
        row = {
            "instructor_id": INSTRUCTOR, "title": title, "starts_at": moment(hour), "ends_at": moment(hour + 1),
            "time_zone": "Europe/Berlin", **columns,
        }
        self.update("LessonsTable", {"tenant_id": TENANT, "id": lesson}, row)

    def update(self, table, key, columns):
        names = {f"#{position}": name for position, name in enumerate(columns)}
        values = {f":{position}": {"S": value} for position, value in enumerate(columns.values())}
        self.dynamodb.update_item(
            TableName=self.stack.resources[table], Key={name: {"S": value} for name, value in key.items()},
            UpdateExpression="SET " + ", ".join(f"#{position} = :{position}" for position in range(len(columns))),
            ExpressionAttributeNames=names, ExpressionAttributeValues=values,
        )

    def remove_lesson(self, lesson):
        key = {"tenant_id": {"S": TENANT}, "id": {"S": lesson}}
        self.dynamodb.delete_item(TableName=self.stack.resources["LessonsTable"], Key=key)

    def messages(self, queue):
        found = self.sqs.receive_message(
            QueueUrl=queue, MaxNumberOfMessages=10, MessageAttributeNames=["All"], VisibilityTimeout=0
        )
        return found.get("Messages", [])

    def listen(self):
        """A rule on the stack's bus that brings its notices into a queue of the host's."""
        queue = self.sqs.create_queue(QueueName="host-notices")["QueueUrl"]
        arn = self.sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        events, bus = self.aws.client("events"), self.stack.outputs["EventBusName"]
        pattern = json.dumps({"source": ["calendar-sync"]})
        events.put_rule(Name="host-notices", EventBusName=bus, EventPattern=pattern)
        events.put_targets(Rule="host-notices", EventBusName=bus, Targets=[{"Id": "queue", "Arn": arn}])
        self.notices_queue = queue

    def notices(self):
        """All notices that have come so far."""
        while found := self.sqs.receive_message(QueueUrl=self.notices_queue, MaxNumberOfMessages=10).get("Messages"):
            for message in found:
                self.notices_seen.append(json.loads(message["Body"])["detail"])
                self.sqs.delete_message(QueueUrl=self.notices_queue, ReceiptHandle=message["ReceiptHandle"])
        return self.notices_seen

    def rest(self):
        """Waits until for two seconds no run has been under way or asked for."""
        quiet_since = time.monotonic()

        def is_quiet():
            nonlocal quiet_since
            if self._is_busy():
                quiet_since = time.monotonic()
            return time.monotonic() - quiet_since > 2

        until("rest", is_quiet)

    def _is_busy(self):
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        for queue in ("SyncQueue", "FirstSyncQueue"):
            url = self.stack.resources[queue]
            counts = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
            if any(int(counts[name]) for name in names):
                return True
        # Null in a row where nobody holds it.
        return self.row("CredentialsTable", STATE).get("lease_owner") not in (None, True)

    def pass_time(self, column):
        """Lets a moment of the connection's state be over: when it is polled next, or its channel renewed. A run
        that is under way would write its own over it."""
        self.rest()
        assert column in self.row("CredentialsTable", STATE), f"no {column}"
        self.update("CredentialsTable", STATE, {column: moment(-2)})

    # In Google.

    def look(self, path):
        with urllib.request.urlopen(f"{self.google.base}/control/{path}") as answer:
            return json.load(answer)

    def events(self, account=ADA):
        found = self.look(f"calendars/{account}")
        found = found.values() if isinstance(found, dict) else found
        return [event for event in found if event["status"] != "cancelled"]

    def event_of(self, lesson, account=ADA):
        """The one event of a lesson, or none."""
        found = [
            event for event in self.events(account)
            if event.get("extendedProperties", {}).get("private", {}).get("lessonId") == lesson
        ]
        assert len(found) < 2, found
        return found[0] if found else None

    def plan(self, title, hour, account=ADA):
        event = {
            "summary": title, "start": {"dateTime": moment(hour)}, "end": {"dateTime": moment(hour + 1)},
        }
        return self.google.control("create-event", calendar=account, event=event)["id"]

    def channel(self):
        """The newest push channel, as the stack asked Google for it."""
        asked = [write["body"] for write in self.look("writes") if write["method"] == "calendar.events.watch"]
        live = {channel["id"] for channel in self.look("channels")["channels"]}
        return [each for each in asked if each["id"] in live][-1]

    def notify(self):
        """Tells of a change, at the address that Google was given."""
        channel = self.channel()
        headers = {
            "X-Goog-Channel-ID": channel["id"], "X-Goog-Channel-Token": channel["token"],
            "X-Goog-Resource-State": "exists",
        }
        status, _, answer = self.aws.call(channel["address"], "POST", {}, headers)
        assert status == 200, f"{channel['address']}: {status} {answer}"


def moment(hour):
    """So many hours from the next full one."""
    now = datetime.now(timezone.utc).replace(minute=0, second=0, microsecond=0)
    return (now + timedelta(hours=hour + 1)).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def until(what, holds):
    """Waits for it."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not (found := holds()):
        assert time.monotonic() < end, f"not within {PATIENCE_SECONDS} seconds: {what}"
        time.sleep(0.2)
    return found
