"""The stack of `template.yaml`, as an operator deploys it and looks at it."""

import base64
import json
import secrets
import time
from pathlib import Path

from samtranslator.yaml_helper import yaml_parse

from emulator import ACCOUNT, REGION, bound_roles, is_allowed, scheduled_event, starter, taken, trigger_rights

NAME = "calendar"
BUCKET = "code"
CALLBACK = "/api/v1/calendar/oauth/callback"


class Stack:
    """Deployed once with a placeholder for the API's address, and once more with the address, as docs/deploying.md
    has it."""

    def __init__(self, aws, client, issuer, audience):
        self.aws, self.cloudformation = aws, aws.client("cloudformation")
        self.parameters = {
            "GoogleClientId": client["id"],
            "GoogleClientSecret": client["secret"],
            "GoogleRedirectUri": f"https://placeholder.example{CALLBACK}",
            "WebhookKey": base64.b64encode(secrets.token_bytes(32)).decode(),
            "FrontendUrl": "https://page.example",
            "AllowedOrigins": "https://page.example",
            "JwtIssuer": issuer,
            "JwtAudience": audience,
            # Cognito's names of attributes that it does not know itself.
            "ClaimTenant": "custom:tenant_id",
            "ClaimInstructor": "custom:instructor_id",
            "ClaimRole": "custom:role",
        }

    def create(self, template, programs):
        """Puts the code where `sam package` puts it, and the template, which is too long for the call."""
        template = taken(yaml_parse(Path(template).read_text()))
        s3 = self.aws.client("s3")
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        for resource in template["Resources"].values():
            if resource["Type"] == "AWS::Serverless::Function":
                binary = resource["Metadata"]["BuildProperties"]["Binary"]
                s3.put_object(Bucket=BUCKET, Key=binary, Body=starter(programs / binary))
                resource["Properties"]["CodeUri"] = f"s3://{BUCKET}/{binary}"
        s3.put_object(Bucket=BUCKET, Key="template", Body=json.dumps(template, default=str).encode())
        self._deploy(self.cloudformation.create_stack, TemplateURL=f"{self.aws.endpoint}/{BUCKET}/template")

    def update(self, **parameters):
        self.parameters.update(parameters)
        self._deploy(self.cloudformation.update_stack, UsePreviousTemplate=True)

    def _deploy(self, change, **template):
        parameters = [{"ParameterKey": key, "ParameterValue": value} for key, value in self.parameters.items()]
        capabilities = ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]
        change(StackName=NAME, Parameters=parameters, Capabilities=capabilities, **template)
        stack = self._settled()
        if stack["StackStatus"] not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
            events = self.cloudformation.describe_stack_events(StackName=NAME)["StackEvents"]
            causes = [
                f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason')}"
                for event in events if event["ResourceStatus"].endswith("FAILED")
            ]
            raise AssertionError("\n".join([stack["StackStatus"], stack.get("StackStatusReason", ""), *causes]))
        self.outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
        resources = self.cloudformation.describe_stack_resources(StackName=NAME)["StackResources"]
        self.resources = {each["LogicalResourceId"]: each["PhysicalResourceId"] for each in resources}
        self.roles = bound_roles(self.aws, NAME, self.resources)

    def _settled(self):
        while True:
            stack = self.cloudformation.describe_stacks(StackName=NAME)["Stacks"][0]
            if not stack["StackStatus"].endswith("IN_PROGRESS"):
                return stack
            time.sleep(0.2)

    def delete(self):
        identity = self.cloudformation.describe_stacks(StackName=NAME)["Stacks"][0]["StackId"]
        self.cloudformation.delete_stack(StackName=NAME)
        while True:
            status = self.cloudformation.describe_stacks(StackName=identity)["Stacks"][0]["StackStatus"]
            if not status.endswith("IN_PROGRESS"):
                return status
            time.sleep(0.2)

    def functions(self):
        return [name for name in self.resources if name.endswith("Function")]

    def missing_rights(self):
        """What Lambda needs of the functions' roles, to read their events and to write their logs, and would not get."""
        log = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{self.resources['Logs']}:log-stream:any"
        needed = [
            (f"{name}Role", f"logs:{action}", log)
            for name in self.functions() for action in ("CreateLogStream", "PutLogEvents")
        ]
        by_function = {self.resources[name]: name for name in self.functions()}
        for mapping in self.aws.client("lambda").list_event_source_mappings()["EventSourceMappings"]:
            name = by_function[mapping["FunctionArn"].rsplit(":", 1)[1]]
            needed += [(f"{name}Role", *right) for right in trigger_rights(mapping)]
        return [(role, *right) for role, *right in needed if not self._has(self.resources[role], *right)]

    def _has(self, role, action, resource):
        return is_allowed(self.aws, role, self.roles[role], action, resource)

    def tick(self, function, rule):
        """Invokes a function as its schedule does."""
        event = scheduled_event(f"arn:aws:events:{REGION}:{ACCOUNT}:rule/{self.resources[rule]}")
        answer = self.aws.client("lambda").invoke(
            FunctionName=self.resources[function], Payload=json.dumps(event).encode()
        )
        assert "FunctionError" not in answer, answer["Payload"].read()

    def log_lines(self):
        """What the functions have logged, without Lambda's own lines."""
        pages = self.aws.client("logs").get_paginator("filter_log_events").paginate(
            logGroupName=self.resources["Logs"]
        )
        return [event["message"] for page in pages for event in page["events"] if event["message"].startswith("{")]
