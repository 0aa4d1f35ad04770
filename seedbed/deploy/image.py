"""The training image: found in ECR by the digest of its source, or built there by CodeBuild."""

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from ..bundle import CONTAINER
from ..errors import SeedbedError
from ..terminal.text import printable
from ..watch.stage import StageProgress
from .account import Account
from .archive import digest, files_of, packed
from .stacks import Show, Tell

POLL_SECONDS = 5.0
LINES_SHOWN = 15
TAG_LENGTH = 16
DOCKERS_OWN = "application/vnd.docker.distribution.manifest.v2+json"
FROM = re.compile(r"^FROM\s+(?:--\S+\s+)*(\S+)(?:\s+AS\s+(\S+))?", re.MULTILINE | re.IGNORECASE)
MIRROR = "public.ecr.aws/docker/library"
ECR_IMAGE = re.compile(
    r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.[a-z.]+/(?P<repository>[a-z0-9._/-]+)"
    r"(?::(?P<tag>[\w.-]+)|@(?P<digest>sha256:[0-9a-f]{64}))?"
)
PHASES = (
    "SUBMITTED",
    "QUEUED",
    "PROVISIONING",
    "DOWNLOAD_SOURCE",
    "INSTALL",
    "PRE_BUILD",
    "BUILD",
    "POST_BUILD",
    "UPLOAD_ARTIFACTS",
    "FINALIZING",
    "COMPLETED",
)
NOTES = {"QUEUED": "waiting for a machine", "BUILD": "installing packages, some minutes"}
NO_MACHINE = (
    "CodeBuild has no machine for this account yet: its quota of concurrently running builds for Linux/Small "
    "environments is too small. Raise it to 1 at https://{region}.console.aws.amazon.com/servicequotas/home/services/"
    "codebuild/quotas, then run this again."
)
FAILED = (
    "The training image could not be built (CodeBuild says {status}). Put right what its log names, then run this "
    "again: {link}"
)
NOT_THERE = "CodeBuild has built the training image, but ECR has none tagged {tag} in {repository}. Run this again."
WRONG_KIND = "The image {uri} has a manifest that SageMaker does not take ({kind}). Push Docker's own: {how}"
HOW = "docker buildx build --platform linux/amd64 --provenance=false --output type=docker"
NEVER_PUSHED = "The image {uri} was never pushed. Push it, or leave TrainingImage out: then it is built for you."


@dataclass(frozen=True)
class BuildRoom:
    """Where images are built and kept: the outputs of build_stack.yaml."""

    bucket: str
    project: str
    repository: str
    uri: str


class Images:
    """The training images in a repository, and the builds that push them."""

    def __init__(self, account: Account, show: Show, tell: Tell) -> None:
        self._account = account
        self._ecr = account.client("ecr")
        self._show = show
        self._tell = tell

    def of_this_source(self, room: BuildRoom) -> str:
        """The URI, by digest, of the image of the container's source as it is now; it is built if there is none."""
        files = files_of(CONTAINER)
        tag = digest(files)[:TAG_LENGTH]
        found = self._uri(room.repository, {"imageTag": tag}, room.uri)
        if not found:
            self._build(room, tag, packed(files))
            found = self._uri(room.repository, {"imageTag": tag}, room.uri)
        if not found:
            raise SeedbedError(NOT_THERE.format(tag=tag, repository=room.repository))
        return found

    def of_a_persons_own(self, uri: str) -> str:
        """The same image by its digest. Raises SeedbedError if it is in this account's ECR, but was never pushed."""
        named = ECR_IMAGE.fullmatch(uri)
        if not named or (named["account"], named["region"]) != (self._account.number, self._account.region):
            return uri
        image = {"imageDigest": named["digest"]} if named["digest"] else {"imageTag": named["tag"] or "latest"}
        found = self._uri(named["repository"], image, uri[: named.end("repository")])
        if not found:
            raise SeedbedError(NEVER_PUSHED.format(uri=uri))
        return found

    def _uri(self, repository: str, image: dict[str, str], uri: str) -> str:
        """An image's URI by digest, empty if there is no such image. Raises SeedbedError for OCI's manifests."""
        try:
            found = self._ecr.describe_images(repositoryName=repository, imageIds=[image])["imageDetails"]
        except ClientError as error:
            if error.response["Error"]["Code"] in {"ImageNotFoundException", "RepositoryNotFoundException"}:
                return ""
            raise
        if not found:
            return ""
        details = found[0]
        kind = details.get("imageManifestMediaType", DOCKERS_OWN)
        if kind != DOCKERS_OWN:
            raise SeedbedError(WRONG_KIND.format(uri=uri, kind=kind, how=HOW))
        return f"{uri}@{details['imageDigest']}"

    def _build(self, room: BuildRoom, tag: str, source: bytes) -> None:
        """Have CodeBuild build and push an image, and wait: for a build that is at it already, if there is one."""
        codebuild = self._account.client("codebuild")
        key = f"source/{tag}.zip"
        build = running_build(codebuild, room.project, f"{room.bucket}/{key}")
        if not build:
            self._account.client("s3").put_object(Bucket=room.bucket, Key=key, Body=source)
            try:
                build = codebuild.start_build(
                    projectName=room.project,
                    sourceTypeOverride="S3",
                    sourceLocationOverride=f"{room.bucket}/{key}",
                    environmentVariablesOverride=[
                        {"name": "TAG", "value": tag},
                        {"name": "BASE_IMAGES", "value": " ".join(base_images(CONTAINER / "Dockerfile"))},
                    ],
                )["build"]["id"]
            except codebuild.exceptions.AccountLimitExceededException as error:
                raise SeedbedError(NO_MACHINE.format(region=self._account.region)) from error
        self._follow(codebuild, str(build))

    def _follow(self, codebuild: Any, build_id: str) -> None:
        """Show how far a build is until it has ended. Raises SeedbedError if it failed, its log told."""
        while True:
            build = codebuild.batch_get_builds(ids=[build_id])["builds"][0]
            phase = build.get("currentPhase", PHASES[0])
            done = PHASES.index(phase) if phase in PHASES else 0
            self._show(StageProgress("image", done, len(PHASES) - 1, NOTES.get(phase, "")))
            if build["buildStatus"] != "IN_PROGRESS":
                break
            time.sleep(POLL_SECONDS)
        if build["buildStatus"] != "SUCCEEDED":
            logs = build.get("logs", {})
            for line in self._last_lines(logs):
                self._tell(f"  {line}")
            raise SeedbedError(FAILED.format(status=build["buildStatus"], link=logs.get("deepLink", build_id)))

    def _last_lines(self, logs: dict[str, str]) -> list[str]:
        """The end of a build's log; nothing if it can't be read."""
        if "groupName" not in logs or "streamName" not in logs:
            return []
        try:
            events = self._account.client("logs").get_log_events(
                logGroupName=logs["groupName"], logStreamName=logs["streamName"], limit=LINES_SHOWN, startFromHead=False
            )["events"]
        except ClientError:
            return []
        return [printable(event["message"].rstrip()) for event in events]


def running_build(codebuild: Any, project: str, source: str) -> str | None:
    """The build of this project that is at work on this source; None if there is none."""
    latest = codebuild.list_builds_for_project(projectName=project, sortOrder="DESCENDING").get("ids", [])[:10]
    for build in codebuild.batch_get_builds(ids=latest)["builds"] if latest else []:
        if build["buildStatus"] == "IN_PROGRESS" and build["source"].get("location") == source:
            return str(build["id"])
    return None


def base_images(dockerfile: Path) -> Iterator[str]:
    """The options that have Docker take the Dockerfile's official images from AWS's copies of them."""
    stages: set[str] = set()
    taken: set[str] = set()
    for image, stage in FROM.findall(dockerfile.read_text(encoding="utf-8")):
        if "/" not in image and "$" not in image and image not in stages | taken | {"scratch"}:
            taken.add(image)
            yield f"--build-context={image}=docker-image://{MIRROR}/{image}"
        stages.add(stage)
