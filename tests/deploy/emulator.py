"""AWS on this machine: ministack, which enforces IAM and runs the functions' programs.

What it does otherwise than AWS is named in this file and nowhere else, each difference where it is made up for:

- `_templates_differences`: what CloudFormation refuses or reads otherwise;
- `bound_roles`: roles lose their permissions boundary;
- `Emulator.call`: the API and the function URL have no names that resolve, and nobody delivers Google's notices;
- `Emulator.__enter__`: functions inherit the variables of the emulator;
- `is_allowed`: IAM's simulator leaves boundaries out;
- `starter`: code comes through its memory, in which fourteen debug builds have no room;
- `trigger_rights`: queues and the stream are read for a function without asking its role;
- `scheduled_event`: a schedule of an hour takes an hour.

Of a resource's side it checks nothing: whether API Gateway and EventBridge may invoke a function is left to
`tests/tests/template`. Its KMS opens what was tampered with, and it applies neither TTL nor encryption of tables.
"""

import io
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import zipfile
from urllib.parse import urlsplit

import boto3

REGION = "eu-central-1"
ACCOUNT = "000000000000"


class Emulator:
    """ministack on a free port, with nothing in it."""

    def __init__(self, folder, variables):
        self.folder, self.variables = folder, variables
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.endpoint = f"http://127.0.0.1:{self.port}"

    def __enter__(self):
        # A function inherits these variables beside those of the stack, so there are few: `variables` are Google's
        # addresses, which on AWS are the real ones.
        environment = {
            "PATH": os.environ["PATH"],
            "TMPDIR": self.folder,
            "AUTH": "true",
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(self.port),
            "MINISTACK_HOST": "localhost",
            "MINISTACK_REGION": REGION,
            "AWS_ENDPOINT_URL": self.endpoint,
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            **self.variables,
        }
        self.log = open(f"{self.folder}/ministack.log", "w")
        # A session of its own, so that the functions end with it.
        self.program = subprocess.Popen(
            [sys.executable, "-m", "ministack"],
            cwd=self.folder, env=environment, stdout=self.log, stderr=self.log, start_new_session=True,
        )
        self._wait_until_ready()
        return self

    def __exit__(self, *_):
        os.killpg(self.program.pid, signal.SIGKILL)
        self.program.wait()
        self.log.close()

    def _wait_until_ready(self):
        for _ in range(300):
            try:
                with urllib.request.urlopen(f"{self.endpoint}/_ministack/ready"):
                    return
            except OSError:
                if self.program.poll() is not None:
                    break
                time.sleep(0.1)
        raise RuntimeError(f"ministack does not start: {self.folder}/ministack.log")

    def errors(self):
        """What the emulator itself says went wrong: of functions that do not start, their last words."""
        with open(f"{self.folder}/ministack.log") as lines:
            return [line.rstrip() for line in lines if " ERROR " in line]

    def client(self, service, key="test", secret="test"):
        """Calls as the account's root, who may do everything, or as who has the key."""
        return boto3.client(
            service, endpoint_url=self.endpoint, region_name=REGION, aws_access_key_id=key, aws_secret_access_key=secret
        )

    def call(self, url, method="GET", body=None, headers=None):
        """Calls an address of the stack as a client outside would: status, headers and parsed answer.

        The emulator knows an API by `<id>.execute-api.localhost`, and a function URL by its real name; both have to be
        looked for at the emulator's own port.
        """
        parts = urlsplit(url)
        host = parts.netloc.replace(f".execute-api.{REGION}.amazonaws.com", ".execute-api.localhost")
        address = f"{self.endpoint}{parts.path}" + (f"?{parts.query}" if parts.query else "")
        data = None if body is None else json.dumps(body).encode()
        headers = {"Host": host, "Content-Type": "application/json", **(headers or {})}
        request = urllib.request.Request(address, data=data, method=method, headers=headers)
        try:
            with urllib.request.urlopen(request) as answer:
                status, heads, text = answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as error:
            status, heads, text = error.code, error.headers, error.read()
        return status, heads, json.loads(text) if text else None


def taken(template):
    """The template as this emulator's CloudFormation takes it."""
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::CloudWatch::Alarm":
            _without_arithmetic(resource["Properties"])
    return _templates_differences(template, template["Parameters"])


def _without_arithmetic(alarm):
    """Alarms on an expression are refused: one on the first metric of it stands there instead."""
    metrics = alarm.pop("Metrics", [])
    for metric in [each["MetricStat"] for each in metrics if "MetricStat" in each][:1]:
        alarm.update(metric["Metric"], Period=metric["Period"], Statistic=metric["Stat"])


def _templates_differences(part, parameters):
    """`!Ref` of a secret gives its name instead of its ARN, which `Id` gives on both. A concurrency that is a parameter
    stays a text, which stops the triggers. A query of a local index shows what the index projects, also where it asks for
    all attributes, which DynamoDB then fetches from the table."""
    if isinstance(part, list):
        return [_templates_differences(each, parameters) for each in part]
    if not isinstance(part, dict):
        return part
    if part == {"Ref": "Secret"}:
        return {"Fn::GetAtt": ["Secret", "Id"]}
    match part.get("MaximumConcurrency"):
        case {"Ref": name}:
            return {**part, "MaximumConcurrency": parameters[name]["Default"]}
    for index in part.get("LocalSecondaryIndexes", []):
        index["Projection"] = {"ProjectionType": "ALL"}
    return {key: _templates_differences(value, parameters) for key, value in part.items()}


def bound_roles(aws, stack, resources):
    """Gives each role the boundary that the expanded template gives it, and answers which roles have one."""
    template = aws.client("cloudformation").get_template(StackName=stack, TemplateStage="Processed")["TemplateBody"]
    if isinstance(template, str):
        template = json.loads(template)
    roles = {}
    for name, resource in template["Resources"].items():
        boundary = resource.get("Properties", {}).get("PermissionsBoundary")
        if resource["Type"] == "AWS::IAM::Role" and boundary:
            roles[resources[name]] = resources[boundary["Ref"]]
    for role, boundary in roles.items():
        aws.client("iam").put_role_permissions_boundary(RoleName=role, PermissionsBoundary=boundary)
    return roles


def is_allowed(aws, role, boundary, action, resource):
    """What IAM's simulator says, which here leaves the boundary out: so both are asked for, each by itself."""
    iam, asked = aws.client("iam"), {"ActionNames": [action], "ResourceArns": [resource]}
    document = iam.get_policy_version(PolicyArn=boundary, VersionId="v1")["PolicyVersion"]["Document"]
    answers = [
        iam.simulate_principal_policy(PolicySourceArn=f"arn:aws:iam::{ACCOUNT}:role/{role}", **asked),
        iam.simulate_custom_policy(PolicyInputList=[json.dumps(document)], **asked),
    ]
    return all(answer["EvaluationResults"][0]["EvalDecision"] == "allowed" for answer in answers)


def starter(program):
    """A function's code: a script that becomes its program, with the variables that it was started with."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        script = zipfile.ZipInfo("bootstrap")
        script.external_attr = 0o755 << 16
        archive.writestr(script, f"#!/bin/sh\nexec '{program}'\n")
    return packed.getvalue()


def trigger_rights(mapping):
    """What Lambda does in the name of a function whose events it reads, as pairs of an action and a resource."""
    source = mapping["EventSourceArn"]
    if source.split(":")[2] == "sqs":
        return [(f"sqs:{each}", source) for each in ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")]
    reads = [
        (f"dynamodb:{each}", source) for each in ("DescribeStream", "GetRecords", "GetShardIterator", "ListStreams")
    ]
    return [*reads, ("sqs:SendMessage", mapping["DestinationConfig"]["OnFailure"]["Destination"])]


def scheduled_event(rule):
    """What EventBridge sends to the target of a rule with a schedule."""
    return {
        "version": "0",
        "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa",
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": ACCOUNT,
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "region": REGION,
        "resources": [rule],
        "detail": {},
    }
