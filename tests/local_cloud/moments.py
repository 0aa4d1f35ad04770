"""The moments of a run at which the local cloud is killed, each recognised by its files."""

import contextlib
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from seedbed.local_cloud.home.folder import Home


@dataclass
class Traces:
    """What a run has written to disk since this object was created."""

    home: Home
    read_before: dict[Path, int] = field(init=False)

    def __post_init__(self) -> None:
        self.read_before = {path: path.stat().st_size for path in self._logs()}

    def objects(self, pattern: str) -> bool:
        """Whether the bucket holds an object of the run whose key matches the pattern."""
        return any(self.home.path.glob(f"s3/*/seedbed-*/runs/*/{pattern}"))

    def said(self, job: str, words: str) -> bool:
        """Whether a job whose name matches `job` has printed the words."""
        return any(words.encode() in self._news(path) for path in self._logs(job))

    def job(self, ending: str, *statuses: str) -> bool:
        """Whether a job whose name has this ending has one of the statuses."""
        with contextlib.suppress(sqlite3.Error), self._jobs() as jobs:
            found = jobs.execute("SELECT status FROM jobs WHERE name LIKE ?", [f"%{ending}"]).fetchall()
            return any(status in statuses for (status,) in found)
        return False

    def mailed(self) -> bool:
        """Whether an e-mail was kept."""
        return any(self.home.mail.glob("new/*"))

    def _logs(self, job: str = "*") -> list[Path]:
        return list(self.home.path.glob(f"sagemaker/logs/*/{job}.log"))

    def _news(self, path: Path) -> bytes:
        with path.open("rb") as log:
            log.seek(self.read_before.get(path, 0))
            return log.read()

    def _jobs(self) -> "contextlib.closing[sqlite3.Connection]":
        place = self.home.path / "sagemaker/jobs.db"
        return contextlib.closing(sqlite3.connect(f"file:{place}?mode=ro", uri=True, timeout=1))


Moment = Callable[[Traces], bool]

# The moments after the last upload, in the order of a run.
MOMENTS: dict[str, Moment] = {
    "the snapshot is written": lambda run: run.objects("snapshot.json"),
    "the manifest is written": lambda run: run.objects("manifest.json"),
    "prepare is asked for": lambda run: run.job("-1-prepare", "InProgress", "Completed"),
    "prepare extracts features": lambda run: run.said("*-prepare", "progress: "),
    "the first of the pack is in the bucket": lambda run: run.objects("pack/*"),
    "prepare is done": lambda run: run.job("-1-prepare", "Completed"),
    "the tuning job is asked for": lambda run: run.job("-1", "InProgress", "Completed"),
    "a trial is started": lambda run: run.job("-1-001-________", "InProgress", "Completed"),
    "a trial has its first epoch": lambda run: run.said("*-1-00?-*", "epoch 1/"),
    "a trial has its best epoch": lambda run: run.said("*-1-00?-*", "best epoch"),
    "a trial's model is in the bucket": lambda run: run.objects("trials/*/output/model.tar.gz"),
    "a trial is done": lambda run: run.job("-1-00__________", "Completed"),
    "the tuning job is done": lambda run: run.job("-1", "Completed"),
    "evaluate is asked for": lambda run: run.job("-1-evaluate", "InProgress", "Completed"),
    "evaluate has chosen": lambda run: run.said("*-evaluate", "chosen: "),
    "the first of the evaluation is in the bucket": lambda run: run.objects("evaluation/*"),
    "evaluate is done": lambda run: run.job("-1-evaluate", "Completed"),
    "the e-mail is kept": lambda run: run.mailed(),
    "the outbox is marked": lambda run: run.objects("notified.json"),
}
