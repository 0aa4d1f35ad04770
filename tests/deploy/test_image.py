"""The training image: found, built, or refused, by the answers that AWS documents."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import ANY, Stubber

from seedbed.bundle import CONTAINER
from seedbed.deploy.account import Account
from seedbed.deploy.archive import digest, files_of
from seedbed.deploy.image import DOCKERS_OWN, TAG_LENGTH, BuildRoom, Images
from seedbed.errors import SeedbedError
from seedbed.watch.stage import StageProgress

ROOM = BuildRoom("room", "project", "mine-trainer", "123456789012.dkr.ecr.eu-west-1.amazonaws.com/mine-trainer")
DIGEST = "sha256:" + "a" * 64
BUILD = "project:1"
FOUND = {"imageDetails": [{"imageDigest": DIGEST, "imageManifestMediaType": DOCKERS_OWN}]}


class Aws:
    """Clients that give the answers laid down for them, in order, and no others."""

    def __init__(self) -> None:
        self.account = Account(boto3.session.Session(region_name="eu-west-1"), "123456789012", "eu-west-1")
        self.stubs = {name: Stubber(self.account.client(name)) for name in ("ecr", "codebuild", "s3", "logs")}
        self.shown: list[StageProgress] = []
        self.told: list[str] = []

    def answer(self, service: str, operation: str, answer: dict[str, Any], asked: Any = None) -> None:
        self.stubs[service].add_response(operation, answer, asked)

    def refuse(self, service: str, operation: str, code: str, message: str = "") -> None:
        self.stubs[service].add_client_error(operation, code, message)

    def build_is(self, status: str, phase: str, **more: Any) -> None:
        """The next answer about the build."""
        build = {"id": BUILD, "buildStatus": status, "currentPhase": phase, **more}
        self.answer("codebuild", "batch_get_builds", {"builds": [build]}, {"ids": [BUILD]})

    @property
    def images(self) -> Images:
        return Images(self.account, self.shown.append, self.told.append)


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    monkeypatch.setattr("seedbed.deploy.image.POLL_SECONDS", 0)
    aws = Aws()
    for stub in aws.stubs.values():
        stub.activate()
    yield aws
    for stub in aws.stubs.values():
        stub.assert_no_pending_responses()


def begin_to_build(aws: Aws) -> None:
    """There is no image yet, so its source is uploaded and a build starts."""
    aws.refuse("ecr", "describe_images", "ImageNotFoundException")
    aws.answer("codebuild", "list_builds_for_project", {})
    aws.answer("s3", "put_object", {}, {"Bucket": "room", "Key": ANY, "Body": ANY})


def start(aws: Aws) -> None:
    """The build starts, on the uploaded source."""
    asked = {
        "projectName": "project",
        "sourceTypeOverride": "S3",
        "sourceLocationOverride": ANY,
        "environmentVariablesOverride": ANY,
    }
    aws.answer("codebuild", "start_build", {"build": {"id": BUILD}}, asked)


def test_an_image_of_this_source_is_not_built_again(aws: Aws) -> None:
    aws.answer("ecr", "describe_images", FOUND)

    assert aws.images.of_this_source(ROOM) == f"{ROOM.uri}@{DIGEST}"
    assert aws.shown == []


def test_an_image_is_built_and_its_phases_are_shown(aws: Aws) -> None:
    begin_to_build(aws)
    start(aws)
    for phase in ("QUEUED", "BUILD"):
        aws.build_is("IN_PROGRESS", phase)
    aws.build_is("SUCCEEDED", "COMPLETED")
    aws.answer("ecr", "describe_images", FOUND)

    assert aws.images.of_this_source(ROOM) == f"{ROOM.uri}@{DIGEST}"
    assert [(each.done, each.total) for each in aws.shown] == [(1, 10), (6, 10), (10, 10)]


def test_a_build_that_runs_already_is_followed(aws: Aws) -> None:
    aws.refuse("ecr", "describe_images", "RepositoryNotFoundException")
    aws.answer("codebuild", "list_builds_for_project", {"ids": ["project:0", BUILD]})
    tag = digest(files_of(CONTAINER))[:TAG_LENGTH]
    sources = {"project:0": "room/source/other.zip", BUILD: f"room/source/{tag}.zip"}
    builds = [
        {"id": name, "buildStatus": "IN_PROGRESS", "source": {"type": "S3", "location": location}}
        for name, location in sources.items()
    ]
    aws.answer("codebuild", "batch_get_builds", {"builds": builds}, {"ids": ["project:0", BUILD]})
    aws.build_is("SUCCEEDED", "COMPLETED")
    aws.answer("ecr", "describe_images", FOUND)

    assert aws.images.of_this_source(ROOM).endswith(DIGEST)


def test_a_failed_build_tells_the_end_of_its_log_and_where_the_rest_is(aws: Aws) -> None:
    begin_to_build(aws)
    start(aws)
    logs = {"groupName": "group", "streamName": "stream", "deepLink": "https://console/log"}
    aws.build_is("FAILED", "COMPLETED", logs=logs)
    lines = [{"message": "ERROR: No space left on device\n"}, {"message": "\x1b[31mexit status 1"}]
    aws.answer("logs", "get_log_events", {"events": lines})

    with pytest.raises(SeedbedError, match=r"CodeBuild says FAILED.*https://console/log"):
        aws.images.of_this_source(ROOM)

    assert aws.told == ["  ERROR: No space left on device", "  ?[31mexit status 1"]


def test_a_failed_build_whose_log_may_not_be_read_still_says_that_it_failed(aws: Aws) -> None:
    begin_to_build(aws)
    start(aws)
    aws.build_is(
        "TIMED_OUT", "COMPLETED", logs={"groupName": "g", "streamName": "s", "deepLink": "https://console/log"}
    )
    aws.refuse("logs", "get_log_events", "AccessDeniedException")

    with pytest.raises(SeedbedError, match="CodeBuild says TIMED_OUT"):
        aws.images.of_this_source(ROOM)


def test_a_quota_of_no_builds_says_where_to_raise_it(aws: Aws) -> None:
    begin_to_build(aws)
    aws.refuse("codebuild", "start_build", "AccountLimitExceededException", "Cannot have more than 0 builds in queue")

    with pytest.raises(SeedbedError, match=r"https://eu-west-1\.console\.aws\.amazon\.com/servicequotas/"):
        aws.images.of_this_source(ROOM)


def test_an_oci_manifest_is_refused_with_the_command_that_makes_dockers_own(aws: Aws) -> None:
    kind = "application/vnd.oci.image.index.v1+json"
    aws.answer("ecr", "describe_images", {"imageDetails": [{"imageDigest": DIGEST, "imageManifestMediaType": kind}]})

    with pytest.raises(SeedbedError, match=r"does not take .*oci\.image\.index.*--provenance=false"):
        aws.images.of_a_persons_own(f"{ROOM.uri}:latest")


@pytest.mark.parametrize(
    ("ending", "asked"),
    [("", {"imageTag": "latest"}), (":v1", {"imageTag": "v1"}), (f"@{DIGEST}", {"imageDigest": DIGEST})],
)
def test_a_persons_own_image_is_looked_up_as_it_is_named(aws: Aws, ending: str, asked: dict[str, str]) -> None:
    aws.answer("ecr", "describe_images", FOUND, {"repositoryName": "mine-trainer", "imageIds": [asked]})

    assert aws.images.of_a_persons_own(f"{ROOM.uri}{ending}") == f"{ROOM.uri}@{DIGEST}"


@pytest.mark.parametrize(
    "uri", ["210987654321.dkr.ecr.eu-west-1.amazonaws.com/a:1", ROOM.uri.replace("eu-west-1", "us-east-1"), "a:1"]
)
def test_an_image_elsewhere_is_taken_as_it_is_named(aws: Aws, uri: str) -> None:
    assert aws.images.of_a_persons_own(uri) == uri


def test_an_image_that_was_never_pushed_is_refused(aws: Aws) -> None:
    aws.refuse("ecr", "describe_images", "ImageNotFoundException")

    with pytest.raises(SeedbedError, match="was never pushed"):
        aws.images.of_a_persons_own(f"{ROOM.uri}:v1")


def test_a_denied_look_at_ecr_is_not_taken_for_a_missing_image(aws: Aws) -> None:
    aws.refuse("ecr", "describe_images", "AccessDeniedException", "not authorized to perform: ecr:DescribeImages")

    with pytest.raises(ClientError, match="ecr:DescribeImages"):
        aws.images.of_this_source(ROOM)
