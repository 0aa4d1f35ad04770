"""A person with a stack on an emulated AWS, and commands in this process."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import boto3
import pytest
from moto import mock_aws

from seedbed.doctor.account import Deployed, find_stack
from seedbed.doctor.image import DOCKER
from seedbed.doctor.plan import defaults, needs
from tests.contract.people import ACCOUNT, STACK, api_server
from tests.doctor.service_quotas import Account, service_quotas
from tests.seedbed.commands import Person

QUEUES = ("upload", "uploads", "delivery")


@dataclass
class World:
    """What AWS has: the account's quotas, and the runs that the stack's API tells of."""

    url: str
    account: Account
    runs: list[dict[str, Any]] = field(default_factory=list)

    def deploy(self, name: str = STACK, region: str = "us-east-1", **parameters: str) -> None:
        """A stack with Seedbed's parameters and outputs, with a topic and queues."""
        queues = {name.title(): {"Type": "AWS::SQS::Queue"} for name in QUEUES}
        dead = '{"upload": ["${Upload}", "${Uploads}"], "delivery": ["${Delivery}", ""]}'
        template = {
            "Parameters": {key: {"Type": "String", "Default": value} for key, value in defaults().items()},
            "Resources": {
                "Topic": {"Type": "AWS::SNS::Topic"},
                **queues,
            },
            "Outputs": {
                "ApiUrl": {"Value": self.url},
                "BucketName": {"Value": "images"},
                "TopicArn": {"Value": {"Ref": "Topic"}},
                "DeadLetterQueues": {"Value": {"Fn::Sub": dead}},
            },
        }
        given = [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()]
        cloudformation: Any = boto3.client("cloudformation", region)
        cloudformation.create_stack(StackName=name, TemplateBody=json.dumps(template), Parameters=given)

    def deployed(self) -> Deployed:
        """The stack, as the doctor finds it."""
        _, found = find_stack(boto3.session.Session(region_name="us-east-1"), STACK)
        assert found
        return found

    def push_image(self, repository: str = "seedbed-trainer", tag: str = "latest") -> str:
        """The training image is in ECR; its digest."""
        ecr = boto3.client("ecr", "us-east-1")
        ecr.create_repository(repositoryName=repository)
        layers = [{"digest": "sha256:" + 64 * "a", "size": 1}]
        config = {"size": 1_200_000_000}
        manifest = json.dumps({"schemaVersion": 2, "mediaType": DOCKER, "config": config, "layers": layers})
        image = ecr.put_image(repositoryName=repository, imageManifest=manifest, imageTag=tag)["image"]
        return str(image["imageId"]["imageDigest"])


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """An account with all quotas that the default plan needs, and no stack."""
    account = Account({need.quota: float(need.wanted) for need in needs(defaults())})
    runs: list[dict[str, Any]] = []
    with (
        mock_aws(),
        service_quotas(account) as quotas,
        api_server(lambda _: {"runs": runs, "pending": None}) as (url, _),
    ):
        monkeypatch.setenv("AWS_ENDPOINT_URL_SERVICE_QUOTAS", quotas)
        monkeypatch.setenv("MOTO_ACCOUNT_ID", ACCOUNT)
        yield World(url, account, runs)


@pytest.fixture
def person(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Person:
    return Person(monkeypatch, capsys)
