"""Two stacks of the template beside each other, and one whose first create fails, by the local CloudFormation."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import WaiterError

from seedbed.local_cloud.access.credentials import Credentials
from seedbed.local_cloud.clients import LocalAws
from seedbed.local_cloud.deploy import BUCKET, put, template_at, upload_code
from seedbed.local_cloud.home.folder import Home
from seedbed.local_cloud.home.mark import CODE_BUCKET
from seedbed.local_cloud.process import local_cloud

WAIT = {"Delay": 0.2, "MaxAttempts": 600}
IMPOSSIBLE = f"""
  Impossible:
    Type: AWS::S3::Bucket
    DependsOn: [Bucket, HttpApiStage, Reconcile]
    Properties: {{BucketName: {BUCKET}}}

Outputs:
"""


class Account:
    """CloudFormation of a local cloud, which makes stacks of the template as on AWS, by names of its own."""

    def __init__(self, aws: LocalAws) -> None:
        self.aws = aws
        self._cloudformation: Any = aws.client("cloudformation")
        self._template = template_at(upload_code(aws))

    def create(self, name: str, *, fails: bool = False) -> None:
        """Create a stack, and wait for it. Raises WaiterError if it is rolled back."""
        body = self._template.replace("\nOutputs:\n", IMPOSSIBLE) if fails else self._template
        self._cloudformation.create_stack(
            StackName=name,
            TemplateURL=f"{self.aws.endpoint}/{CODE_BUCKET}/{put(body.encode(), '.yaml', self.aws)}",
            Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
            Parameters=[{"ParameterKey": "RequireTls", "ParameterValue": "false"}],
        )
        self._cloudformation.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig=WAIT)

    def delete(self, name: str) -> None:
        """Delete a stack, and wait until it is gone."""
        self._cloudformation.delete_stack(StackName=name)
        self._cloudformation.get_waiter("stack_delete_complete").wait(StackName=name, WaiterConfig=WAIT)

    def status(self, name: str) -> str:
        return str(self._cloudformation.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"])

    def resources(self, name: str) -> dict[str, str]:
        """The physical names of a stack's resources, by their logical names."""
        found = self._cloudformation.describe_stack_resources(StackName=name)["StackResources"]
        return {resource["LogicalResourceId"]: resource["PhysicalResourceId"] for resource in found}

    def buckets(self) -> set[str]:
        return {bucket["Name"] for bucket in self.aws.client("s3").list_buckets()["Buckets"]}

    def environment(self, name: str) -> dict[str, str]:
        """The environment of a stack's functions."""
        function = self.resources(name)["Reconcile"]
        configured = self.aws.client("lambda").get_function_configuration(FunctionName=function)
        return dict(configured["Environment"]["Variables"])


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """A local cloud, whose own stack is there too."""
    folder: Path = tmp_path_factory.mktemp("account")
    with local_cloud(Home(folder / "seedbed"), run_jobs=False) as cloud:
        yield Account(LocalAws(cloud["endpoint"], Credentials(**cloud["credentials"])))


def test_two_stacks_share_no_name(account: Account) -> None:
    for name in ("first", "second"):
        account.create(name)

    first, second = account.resources("first"), account.resources("second")
    assert first.keys() == second.keys()
    assert [name for name in first if first[name] == second[name]] == ["HttpApiStage"]  # $default, each of its own API
    prefixes = [account.environment(name)["JOB_PREFIX"] for name in ("first", "second", "seedbed")]
    assert len(set(prefixes)) == 3
    assert prefixes[2] == "sb-"
    assert account.environment("first")["BUCKET"] == first["Bucket"]


def test_a_stack_is_created_again_after_a_failed_create_and_after_its_end(account: Account) -> None:
    """MiniStack ends the bucket of a failed create under any DeletionPolicy, AWS under RetainExceptOnCreate alone."""
    before = account.buckets()
    with pytest.raises(WaiterError):
        account.create("third", fails=True)
    assert account.status("third") == "ROLLBACK_COMPLETE"

    account.delete("third")
    for bucket in (1, 2):
        account.create("third")
        account.delete("third")
        assert len(account.buckets() - before) == bucket, "a stack's bucket outlives it, and meets no later one"
