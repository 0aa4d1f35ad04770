"""Deploys the template to the local cloud as `sam deploy` does on AWS, by the same CloudFormation calls."""

import contextlib
import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import WaiterError

from ..bundle import PACKAGES, TEMPLATE, code_of
from .clients import LocalAws
from .home.mark import CODE_BUCKET
from .parameters import LAPTOP

STACK = "seedbed"
BUCKET = LAPTOP["BucketName"]
WAIT = {"Delay": 0.2, "MaxAttempts": 600}


class DeployFailed(Exception):
    """CloudFormation did not create the stack. The text is CloudFormation's reason."""


def deploy(aws: LocalAws, parameters: Mapping[str, str]) -> dict[str, str]:
    """Create the stack of template.yaml, unchanged but for the code's addresses, and return its outputs.

    A bucket that exists from an earlier start is imported into the new stack, with its objects.
    """
    cloudformation = aws.client("cloudformation")
    stack: dict[str, Any] = {
        "StackName": STACK,
        "TemplateURL": upload_template(template_at(upload_code(aws)), aws),
        "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
        "Parameters": [{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()],
    }
    if bucket_exists(aws):
        import_bucket(cloudformation)
        cloudformation.update_stack(**stack)
        wait(cloudformation, "stack_update_complete")
    else:
        cloudformation.create_stack(**stack)
        wait(cloudformation, "stack_create_complete")
    silence_alarms(aws)
    described = cloudformation.describe_stacks(StackName=STACK)["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in described["Outputs"]}


def silence_alarms(aws: LocalAws) -> None:
    """Keep the stack's alarms from sending e-mails: MiniStack ignores which function's errors an alarm is about."""
    cloudwatch = aws.client("cloudwatch")
    pages = cloudwatch.get_paginator("describe_alarms").paginate(AlarmNamePrefix=f"{STACK}-")
    names = [alarm["AlarmName"] for page in pages for alarm in page["MetricAlarms"]]
    cloudwatch.disable_alarm_actions(AlarmNames=names)


def bucket_exists(aws: LocalAws) -> bool:
    s3 = aws.client("s3")
    return any(bucket["Name"] == BUCKET for bucket in s3.list_buckets()["Buckets"])


def import_bucket(cloudformation: Any) -> None:
    """Create the stack with the existing bucket only, by CloudFormation's import."""
    bucket = {"Type": "AWS::S3::Bucket", "DeletionPolicy": "Retain", "Properties": {"BucketName": BUCKET}}
    resource = {
        "ResourceType": "AWS::S3::Bucket",
        "LogicalResourceId": "Bucket",
        "ResourceIdentifier": {"BucketName": BUCKET},
    }
    cloudformation.create_change_set(
        StackName=STACK,
        ChangeSetName="import",
        ChangeSetType="IMPORT",
        TemplateBody=json.dumps({"Resources": {"Bucket": bucket}}),
        ResourcesToImport=[resource],
    )
    cloudformation.get_waiter("change_set_create_complete").wait(
        StackName=STACK, ChangeSetName="import", WaiterConfig=WAIT
    )
    cloudformation.execute_change_set(StackName=STACK, ChangeSetName="import")
    wait(cloudformation, "stack_import_complete")


def upload_code(aws: LocalAws) -> dict[str, str]:
    """Zip the functions' folders into the code bucket.

    Returns the s3:// address of each by its CodeUri; it changes only with the code.
    """
    return {uri: f"s3://{CODE_BUCKET}/{put(zipped(code_of(folder)), '.zip', aws)}" for uri, folder in PACKAGES.items()}


def zipped(files: Mapping[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in files.items():
            archive.writestr(zipfile.ZipInfo(name), body)
    return packed.getvalue()


def template_at(addresses: Mapping[str, str]) -> str:
    """The template with the code at these addresses."""
    template = TEMPLATE.read_text(encoding="utf-8")
    for uri, address in addresses.items():
        template = template.replace(f"CodeUri: {uri}", f"CodeUri: {address}")
    return template


def upload_template(template: str, aws: LocalAws) -> str:
    """Put the template into the code bucket, as it is too large for a request. Returns its URL."""
    return f"{aws.endpoint}/{CODE_BUCKET}/{put(template.encode(), '.yaml', aws)}"


def put(body: bytes, suffix: str, aws: LocalAws) -> str:
    """Put an object into the code bucket. Returns its key, its digest."""
    key = hashlib.sha256(body).hexdigest() + suffix
    s3 = aws.client("s3")
    with contextlib.suppress(s3.exceptions.BucketAlreadyOwnedByYou):
        s3.create_bucket(Bucket=CODE_BUCKET)
    s3.put_object(Bucket=CODE_BUCKET, Key=key, Body=body)
    return key


def wait(cloudformation: Any, condition: str) -> None:
    """Wait for the stack. Raises DeployFailed with the first reason that CloudFormation gives."""
    try:
        cloudformation.get_waiter(condition).wait(StackName=STACK, WaiterConfig=WAIT)
    except WaiterError as error:
        events = cloudformation.describe_stack_events(StackName=STACK)["StackEvents"]
        reasons = [event.get("ResourceStatusReason", "") for event in events if "FAILED" in event["ResourceStatus"]]
        raise DeployFailed(next(filter(None, reversed(reasons)), str(error))) from error
