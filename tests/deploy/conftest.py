"""An AWS of MiniStack's, which commands find by AWS_ENDPOINT_URL, and what CodeBuild would push there."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from seedbed.bundle import CONTAINER, PACKAGES, TEMPLATE, code_of
from seedbed.deploy.account import Account
from seedbed.deploy.archive import digest, files_of
from seedbed.deploy.image import DOCKERS_OWN, TAG_LENGTH
from seedbed.local_cloud.clients import CONFIG
from tests.sagemaker.toy_endpoint import CREDENTIALS, Endpoint
from tests.seedbed.commands import Person


@dataclass(frozen=True)
class Cloud:
    """The account as its owner sees it, without Seedbed."""

    endpoint: Endpoint

    def client(self, service: str) -> Any:
        return self.endpoint.client(service)

    def stack(self, name: str) -> dict[str, Any]:
        """CloudFormation's description of a stack; empty if there is none."""
        stacks = self.client("cloudformation").describe_stacks()["Stacks"]
        return next((each for each in stacks if each["StackName"] == name), {})

    def values(self, name: str) -> dict[str, str]:
        """A stack's parameters."""
        return {each["ParameterKey"]: each["ParameterValue"] for each in self.stack(name)["Parameters"]}

    def outputs(self, name: str) -> dict[str, str]:
        return {each["OutputKey"]: each["OutputValue"] for each in self.stack(name)["Outputs"]}

    def push(self, repository: str, media_type: str = DOCKERS_OWN, tag: str = "") -> str:
        """Push an image of the container's source, as the build does. Returns its digest."""
        manifest = {"schemaVersion": 2, "mediaType": media_type, "config": {"digest": "sha256:0"}, "layers": []}
        answer = self.client("ecr").put_image(
            repositoryName=repository,
            imageManifest=json.dumps(manifest),
            imageManifestMediaType=media_type,
            imageTag=tag or digest(files_of(CONTAINER))[:TAG_LENGTH],
        )
        return str(answer["image"]["imageId"]["imageDigest"])


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    server = Endpoint(tmp_path_factory.mktemp("account"))
    yield server
    server.end()


CALLS: set[tuple[str, str]] = set()
"""The service and the operation of every call that commands have made."""


def noted_client(account: Account, service: str) -> Any:
    """A client of the command's whose calls are noted."""
    client = account.session.client(service, config=CONFIG)  # type: ignore[call-overload]
    client.meta.events.register("before-call", lambda model, **_: CALLS.add((service, model.name)))
    return client


@pytest.fixture
def cloud(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> Cloud:
    """The account, to which the test's commands go."""
    monkeypatch.setattr(Account, "client", noted_client)
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint.url)
    monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)
    for name, value in CREDENTIALS.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("seedbed.deploy.stacks.POLL_SECONDS", 0.02)
    monkeypatch.setattr("seedbed.deploy.image.POLL_SECONDS", 0.02)
    monkeypatch.setattr("seedbed.deploy.undeploy.POLL_SECONDS", 0.02)
    monkeypatch.setattr(
        "seedbed.deploy.deploy.packages", lambda _: {uri: code_of(folder) for uri, folder in PACKAGES.items()}
    )
    return Cloud(endpoint)


@pytest.fixture
def person(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Person:
    return Person(monkeypatch, capsys)


@pytest.fixture
def template(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A copy of the template that the test may change, and that is deployed instead."""

    copy = tmp_path / "template.yaml"
    copy.write_text(TEMPLATE.read_text(encoding="utf-8"), encoding="utf-8")
    monkeypatch.setattr("seedbed.deploy.deploy.TEMPLATE", copy)
    return copy
