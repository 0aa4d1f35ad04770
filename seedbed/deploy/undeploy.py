"""`seedbed undeploy`: what a stack consists of, what of it would remain and cost, and its deletion."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from ..errors import SeedbedError
from ..hosting.endpoint import Endpoints
from ..hosting.packages import delete_group, group_of_stack, newest_first
from ..stack import Stack
from ..stack_state import NEEDED
from ..watch.stage import StageProgress
from .account import Account, sign_in
from .deploy import IS_MOVING, NOT_SEEDBEDS, build_stack
from .stack_state import StackState
from .stacks import Show, Stacks, Tell

PRICES_OF = "us-east-1 in 2026"
MONTHLY = {"bucket": 0.023, "log group": 0.03}
"""US dollars a month for a gigabyte in S3, in its standard class, and of logs in CloudWatch."""
PACKAGES = "group of model packages"
GIGA = 1e9
BATCH = 1000
POLL_SECONDS = 5.0
NOTHING = "There is no stack {} in {}. Name another with --stack, or its region with --region."


@dataclass(frozen=True)
class Left:
    """Something that is not deleted with its stack. kind: a bucket, a log group or PACKAGES. count: what it holds."""

    kind: str
    name: str
    count: int
    size: int

    @property
    def monthly(self) -> float:
        """US dollars a month."""
        return self.size / GIGA * MONTHLY.get(self.kind, 0.0)


@dataclass(frozen=True)
class Inventory:
    """A stack with its build room, each None where there is none, and what their deletion would leave."""

    account: Account
    stack: StackState | None
    room: StackState | None
    left: tuple[Left, ...]
    images: int
    image_bytes: int
    endpoints: tuple[str, ...] = ()
    """Those that `seedbed deploy-model` made for the stack, whose role they use."""

    @property
    def monthly(self) -> float:
        """What remains costs so many US dollars a month."""
        return sum(each.monthly for each in self.left)

    def open_run(self) -> str:
        """The run in progress, empty if there is none. Raises SeedbedError if the stack's API does not say."""
        if not self.stack or not self.stack.outputs.keys() >= NEEDED:
            return ""
        api = Stack(self.account.session, os.environ.get("AWS_ENDPOINT_URL"), dict(self.stack.outputs))
        return next((str(run["run_id"]) for run in api.get("/runs")["runs"] if not run["ended_at"]), "")


class Removal:
    """One removal. `show` is told how far a stage is, `tell` what a person should read."""

    def __init__(self, stack: str, region: str, show: Show, tell: Tell) -> None:
        self._name = stack
        self._show = show
        self._account = sign_in(region)
        self._stacks = Stacks(self._account.client("cloudformation"), show, tell)
        self._sagemaker: Any = self._account.client("sagemaker")
        self._endpoints = Endpoints(self._sagemaker, show, POLL_SECONDS)

    def inventory(self) -> Inventory:
        """What there is. Raises SeedbedError if there is nothing, or CloudFormation is at work on it."""
        stack, room = self._checked(self._name), self._checked(build_stack(self._name))
        if not stack and not room:
            raise SeedbedError(NOTHING.format(self._name, self._account.region))
        left = tuple(self._left(stack)) if stack else ()
        endpoints = tuple(self._endpoints.of_stack(stack.name)) if stack else ()
        sizes = list(self._image_sizes(room)) if room else []
        return Inventory(self._account, stack, room, left, len(sizes), sum(sizes), endpoints)

    def delete(self, found: Inventory, with_data: bool) -> None:
        """Delete endpoints, stacks and what is built from, and, if asked to, what the stacks would leave."""
        for endpoint in found.endpoints:
            self._endpoints.take_away(endpoint)
        if found.stack:
            self._stacks.delete("delete", found.stack)
        if found.room:
            bucket = found.room.outputs.get("ArtifactsBucket")
            if bucket:
                self._empty(bucket)
            self._stacks.delete("room", found.room)
        for each in found.left if with_data else ():
            self._delete_left(each)

    def _delete_left(self, each: Left) -> None:
        if each.kind == "bucket":
            self._empty(each.name)
            self._account.client("s3").delete_bucket(Bucket=each.name)
        elif each.kind == PACKAGES:
            delete_group(self._sagemaker, each.name)
        else:
            self._account.client("logs").delete_log_group(logGroupName=each.name)

    def _checked(self, name: str) -> StackState | None:
        """The stack; None if there is none. Raises SeedbedError if it is not Seedbed's, or is being changed."""
        found = self._stacks.find(name)
        if found and not found.is_seedbeds:
            raise SeedbedError(NOT_SEEDBEDS.format(name))
        if found and found.is_moving:
            raise SeedbedError(IS_MOVING.format(name, found.status))
        return found

    def _left(self, stack: StackState) -> Iterator[Left]:
        """The buckets and model packages of a stack, and the logs of its functions that are not part of it."""
        resources = self._stacks.resources(stack.stack_id)
        for kind, name in resources:
            if kind == "AWS::S3::Bucket":
                yield from self._bucket(name)
        own = {name for kind, name in resources if kind == "AWS::Logs::LogGroup"}
        for kind, name in resources:
            if kind == "AWS::Lambda::Function":
                yield from (group for group in self._log_groups(name) if group.name not in own)
        if group := group_of_stack(self._sagemaker, stack.name):
            yield Left(PACKAGES, group, sum(1 for _ in newest_first(self._sagemaker, group)), 0)

    def _bucket(self, name: str) -> Iterator[Left]:
        """A bucket, unless somebody has deleted it already."""
        try:
            sizes = [size for _, size in self._objects(name)]
        except ClientError as error:
            if error.response["Error"]["Code"] != "NoSuchBucket":
                raise
            return
        yield Left("bucket", name, len(sizes), sum(sizes))

    def _log_groups(self, function: str) -> Iterator[Left]:
        name = f"/aws/lambda/{function}"
        for group in self._account.client("logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"]:
            if group["logGroupName"] == name:
                yield Left("log group", name, 0, group.get("storedBytes", 0))

    def _image_sizes(self, room: StackState) -> Iterator[int]:
        """How many bytes each image in the room's repository has."""
        repository = room.outputs.get("RepositoryName")
        if repository:
            pages = self._account.client("ecr").get_paginator("describe_images").paginate(repositoryName=repository)
            yield from (image.get("imageSizeInBytes", 0) for page in pages for image in page["imageDetails"])

    def _objects(self, bucket: str) -> Iterator[tuple[dict[str, str], int]]:
        """Each object of a bucket with its size, each of its versions, and each mark of a deletion."""
        pages = self._account.client("s3").get_paginator("list_object_versions").paginate(Bucket=bucket)
        for page in pages:
            for each in (*page.get("Versions", []), *page.get("DeleteMarkers", [])):
                yield {"Key": each["Key"], "VersionId": each["VersionId"]}, each.get("Size", 0)

    def _empty(self, bucket: str) -> None:
        """Delete all objects of a bucket, with all their versions."""
        s3: Any = self._account.client("s3")
        batch: list[dict[str, str]] = []
        gone = 0
        for each, _ in list(self._objects(bucket)):
            batch.append(each)
            if len(batch) == BATCH:
                gone += self._delete(s3, bucket, batch)
                self._show(StageProgress("empty", gone, 0, bucket))
                batch = []
        if batch:
            self._delete(s3, bucket, batch)

    @staticmethod
    def _delete(s3: Any, bucket: str, batch: list[dict[str, str]]) -> int:
        answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": batch, "Quiet": True})
        for error in answer.get("Errors", []):
            raise SeedbedError(f"{error['Key']} in {bucket} could not be deleted: {error.get('Message', 'no reason')}")
        return len(batch)
