"""The bucket on S3."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from ..domain import layout
from ..domain.dataset import (
    PRETRAINED,
    RUNS,
    SEARCH_SPACE_FILE,
    UPLOADS,
    DatasetReport,
    ExcludedFile,
    Snapshot,
    StoredObject,
)
from ..domain.errors import MalformedOutput, NotFound
from ..domain.images.thumbnails import Thumbnails
from ..domain.images.wrong_label import WrongLabel
from ..domain.notifications.notification import Notification
from ..domain.notifications.plain_text import Message
from ..domain.predictions.prediction import Prediction
from ..domain.ranges import GivenRanges
from ..domain.results.evaluation import Evaluation
from ..domain.results.scores import Mistake
from ..domain.results.trial import Heads
from ..domain.run import Record, Run
from .events import UNREADABLE
from .search_space_file import LARGEST_FILE, read_ranges

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import TagTypeDef

Content = TypeVar("Content")
LINK_SECONDS = 900
TEMPORARY: "TagTypeDef" = {"Key": "seedbed", "Value": "temporary"}
LAST_CHARACTER = "\U0010ffff"
"""It sorts after every other character: a listing after `runs/` and this one leaves that folder out."""


class SnapshotSummary(msgspec.Struct):
    """The part of `snapshot.json` that is read: up to a million images are skipped."""

    run: Run
    refused: tuple[ExcludedFile, ...]


class StoredSnapshot(SnapshotSummary):
    """The format of `snapshot.json`; `images` are (key, etag, size) triples."""

    images: list[tuple[str, str, int]]


class S3Bucket:
    """Implements `ports.Bucket`."""

    def __init__(self, client: "S3Client", name: str) -> None:
        self._client = client
        self._name = name

    def objects(self) -> Iterator[StoredObject]:
        not_uploads, after = [PRETRAINED, RUNS], ""
        while True:
            folder = None
            for stored in self._objects_after(after):
                folder = next((name for name in not_uploads if stored.key.startswith(name)), None)
                if folder:
                    break
                if stored.key != SEARCH_SPACE_FILE:
                    yield stored
            if folder is None:
                return
            not_uploads.remove(folder)
            after = folder + LAST_CHARACTER

    def _objects_after(self, key: str) -> Iterator[StoredObject]:
        beginning: Any = {"StartAfter": key} if key else {}
        for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=self._name, **beginning):
            for item in page.get("Contents", []):
                yield StoredObject(item["Key"], item["ETag"].strip('"'), item["Size"])

    def read_ranges(self) -> GivenRanges | None:
        try:
            answer = self._client.get_object(Bucket=self._name, Key=SEARCH_SPACE_FILE)
        except self._client.exceptions.NoSuchKey:
            return None
        with answer["Body"] as body:
            content = body.read(LARGEST_FILE + 1)
        return read_ranges(content)

    def uri(self, key: str) -> str:
        return f"s3://{self._name}/{key}"

    def write_snapshot(self, run: Run, snapshot: Snapshot) -> None:
        images = [(image.key, image.etag, image.size) for image in snapshot.images]
        manifest: list[object] = [{"prefix": self.uri(UPLOADS)}]
        manifest += [image.key.removeprefix(UPLOADS) for image in snapshot.images]
        self._write(layout.manifest(run.run_id), manifest)
        self._write(layout.snapshot(run.run_id), StoredSnapshot(run, snapshot.refused, images))

    def kept_runs(self) -> Iterator[Run]:
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._name, Prefix=RUNS, Delimiter="/")
        for page in pages:
            for prefix in page.get("CommonPrefixes", []):
                run_id = prefix["Prefix"].removeprefix(RUNS).strip("/")
                try:
                    yield self._read(layout.snapshot(run_id), SnapshotSummary).run
                except NotFound:
                    continue

    def read_refused(self, run_id: str) -> Sequence[ExcludedFile]:
        return self._read(layout.snapshot(run_id), SnapshotSummary).refused

    def read_dataset_report(self, run_id: str) -> DatasetReport:
        return self._read(layout.dataset_report(run_id), DatasetReport)

    def read_evaluation(self, run_id: str) -> Evaluation:
        return self._read(layout.scores(run_id), Evaluation)

    def read_mistakes(self, run_id: str) -> Sequence[Mistake]:
        return self._read(layout.mistakes(run_id), tuple[Mistake, ...])

    def read_predictions(self, run_id: str) -> Sequence[Prediction]:
        return self._read(layout.predictions(run_id), tuple[Prediction, ...])

    def read_wrong_labels(self, run_id: str) -> Sequence[WrongLabel]:
        return self._read(layout.wrong_labels(run_id), tuple[WrongLabel, ...])

    def read_thumbnails(self, run_id: str) -> Thumbnails:
        return self._read(layout.thumbnail_index(run_id), Thumbnails)

    def link(self, key: str) -> str:
        named = {"Bucket": self._name, "Key": key}
        return self._client.generate_presigned_url("get_object", Params=named, ExpiresIn=LINK_SECONDS)

    def read_heads(self, run_id: str, trial: str) -> Heads:
        return self._read(layout.heads(run_id, trial), Heads)

    def has(self, key: str) -> bool:
        try:
            self._client.head_object(Bucket=self._name, Key=key)
        except self._client.exceptions.ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
                return False
            raise
        return True

    def mark_notified(self, key: str, content: Message | Notification) -> None:
        self._write(key, content)

    def write_record(self, record: Record) -> None:
        self._write(layout.record(record.run.run_id), record)

    def read_record(self, run_id: str) -> Record:
        return self._read(layout.record(run_id), Record)

    def ask_to_stop(self, run_id: str, at: datetime) -> None:
        self._write(layout.stop(run_id), {"asked_at": at})

    def let_expire(self, run_id: str) -> None:
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._name, Prefix=f"{RUNS}{run_id}/")
        keys = (item["Key"] for page in pages for item in page.get("Contents", []))
        for key in keys:
            if key.startswith(layout.temporary(run_id)):
                self._client.put_object_tagging(Bucket=self._name, Key=key, Tagging={"TagSet": [TEMPORARY]})

    def ask_to_retry(self, run_id: str, at: datetime) -> None:
        self._write(layout.retry(run_id), {"asked_at": at})

    def _write(self, key: str, content: object) -> None:
        self._client.put_object(
            Bucket=self._name, Key=key, Body=msgspec.json.encode(content), ContentType="application/json"
        )

    def _read(self, key: str, form: type[Content]) -> Content:
        try:
            body = self._client.get_object(Bucket=self._name, Key=key)["Body"].read()
        except self._client.exceptions.NoSuchKey:
            raise NotFound(f"{self.uri(key)} does not exist.") from None
        try:
            return msgspec.json.decode(body, type=form)
        except UNREADABLE as error:
            raise MalformedOutput(f"{self.uri(key)} can't be read: {error}") from error
