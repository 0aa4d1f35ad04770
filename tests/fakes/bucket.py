"""The bucket in memory."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import TypeVar
from urllib.parse import quote

import msgspec

from job_manager.aws.search_space_file import read_ranges
from job_manager.domain import layout
from job_manager.domain.dataset import (
    PRETRAINED,
    RUNS,
    SEARCH_SPACE_FILE,
    DatasetReport,
    ExcludedFile,
    Snapshot,
    StoredObject,
)
from job_manager.domain.errors import MalformedOutput, NotFound
from job_manager.domain.images.thumbnails import Thumbnails
from job_manager.domain.images.wrong_label import WrongLabel
from job_manager.domain.notifications.notification import Notification
from job_manager.domain.notifications.plain_text import Message
from job_manager.domain.predictions.prediction import Prediction
from job_manager.domain.ranges import GivenRanges
from job_manager.domain.results.evaluation import Evaluation
from job_manager.domain.results.scores import Mistake
from job_manager.domain.results.trial import Heads
from job_manager.domain.run import Record, Run

Content = TypeVar("Content")


class MemoryBucket:
    """Implements `ports.Bucket`; `while_listing`, where set, happens once in the middle of a listing.

    `listed` counts the listings.
    """

    name = "seedlings-in-memory"

    def __init__(self) -> None:
        self.contents: dict[str, bytes] = {}
        self.expiring: set[str] = set()
        self.snapshots: dict[str, tuple[Run, Snapshot]] = {}
        self.while_listing: Callable[[], None] | None = None
        self.listed = 0

    def put(self, key: str, body: bytes) -> None:
        """What a person or a job does: keep these bytes under this key."""
        self.contents[key] = body

    def objects(self) -> Iterator[StoredObject]:
        self.listed += 1
        for key, body in sorted(self.contents.items()):
            if key.startswith((RUNS, PRETRAINED)) or key == SEARCH_SPACE_FILE:
                continue
            yield StoredObject(key, hashlib.md5(body, usedforsecurity=False).hexdigest(), len(body))
        happening, self.while_listing = self.while_listing, None
        if happening:
            happening()

    def read_ranges(self) -> GivenRanges | None:
        body = self.contents.get(SEARCH_SPACE_FILE)
        return None if body is None else read_ranges(body)

    def uri(self, key: str) -> str:
        return f"s3://{self.name}/{key}"

    def write_snapshot(self, run: Run, snapshot: Snapshot) -> None:
        self.snapshots[run.run_id] = (run, snapshot)

    def kept_runs(self) -> Iterator[Run]:
        return (run for run, _ in list(self.snapshots.values()))

    def read_refused(self, run_id: str) -> Sequence[ExcludedFile]:
        if run_id not in self.snapshots:
            raise NotFound(f"{run_id} has no snapshot.")
        return self.snapshots[run_id][1].refused

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
        return f"https://{self.name}.invalid/{quote(key)}"

    def read_heads(self, run_id: str, trial: str) -> Heads:
        return self._read(layout.heads(run_id, trial), Heads)

    def has(self, key: str) -> bool:
        return key in self.contents or key in map(layout.snapshot, self.snapshots)

    def mark_notified(self, key: str, content: Message | Notification) -> None:
        self.put(key, msgspec.json.encode(content))

    def write_record(self, record: Record) -> None:
        self.put(layout.record(record.run.run_id), msgspec.json.encode(record))

    def read_record(self, run_id: str) -> Record:
        return self._read(layout.record(run_id), Record)

    def ask_to_stop(self, run_id: str, at: datetime) -> None:
        self.put(layout.stop(run_id), msgspec.json.encode(at))

    def let_expire(self, run_id: str) -> None:
        self.expiring |= {key for key in self.contents if key.startswith(layout.temporary(run_id))}

    def ask_to_retry(self, run_id: str, at: datetime) -> None:
        self.put(layout.retry(run_id), msgspec.json.encode(at))

    def _read(self, key: str, form: type[Content]) -> Content:
        if key not in self.contents:
            raise NotFound(f"{key} is not there.")
        try:
            return msgspec.json.decode(self.contents[key], type=form)
        except msgspec.MsgspecError as error:
            raise MalformedOutput(f"{key} can't be read: {error}") from error
