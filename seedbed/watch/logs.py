"""What a run's jobs have printed: in CloudWatch Logs, or in the files that a local cloud keeps."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from botocore.exceptions import ClientError

from ..errors import SeedbedError
from ..local_cloud.home.folder import Home
from ..stack import Stack
from .jobs import PROCESSING_LOGS, TRAINING_LOGS

AT_ONCE = 10_000
ORDER = {"prepare": 0, "merge": 1, "refit": 3, "evaluate": 5}
HEADS, NETWORKS = 2, 4
KINDS = {"processing-job": PROCESSING_LOGS, "training-job": TRAINING_LOGS}
"""By a local cloud's folder of log files, the log group of the same jobs."""
COLOURS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
NONE = "Run {} has no log of {}. It has: {}."


@dataclass(frozen=True)
class Line:
    """A line that a job printed; `at` is when, in milliseconds since 1970, None where that is not known."""

    job: str
    text: str
    at: int | None = None


class Source(Protocol):
    """Where logs are."""

    def jobs(self, run_id: str) -> list[str]:
        """The names of the run's jobs that have a log."""

    def new_lines(self, job: str) -> Iterator[Line]:
        """The lines of the job's log that have not been read yet."""


@dataclass
class CloudWatchSource:
    """The logs in CloudWatch Logs, which a local cloud has too."""

    stack: Stack
    _streams: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    _tokens: dict[tuple[str, str], str] = field(default_factory=dict)

    def jobs(self, run_id: str) -> list[str]:
        """The names of the run's jobs that have a log. Raises ClientError where one may not ask for that."""
        found: dict[str, list[tuple[str, str]]] = {}
        for group in KINDS.values():
            for name in self._names(group, f"{run_id}-"):
                found.setdefault(name.split("/")[0], []).append((group, name))
        self._streams = found
        return list(found)

    def new_lines(self, job: str) -> Iterator[Line]:
        """The lines that have come since, of all streams of the job: each start of it has one of its own."""
        for stream in self._streams.get(job, []):
            yield from self._new(job, stream)

    def _new(self, job: str, stream: tuple[str, str]) -> Iterator[Line]:
        logs, (group, name) = self.stack.client("logs"), stream
        while True:
            token = self._tokens.get(stream)
            more: dict[str, Any] = {"nextToken": token} if token else {}
            page = logs.get_log_events(
                logGroupName=group, logStreamName=name, startFromHead=True, limit=AT_ONCE, **more
            )
            for event in page["events"]:
                yield Line(job, event["message"], event["timestamp"])
            self._tokens[stream] = page["nextForwardToken"]
            if page["nextForwardToken"] == token:
                return

    def _names(self, group: str, prefix: str) -> list[str]:
        logs = self.stack.client("logs")
        pages = logs.get_paginator("describe_log_streams").paginate(logGroupName=group, logStreamNamePrefix=prefix)
        try:
            return [stream["logStreamName"] for page in pages for stream in page["logStreams"]]
        except ClientError as error:
            if error.response["Error"]["Code"] == "ResourceNotFoundException":
                return []
            raise


@dataclass
class FileSource:
    """The files in a local cloud's home, which outlast it."""

    home: Home
    _offsets: dict[Path, int] = field(default_factory=dict)

    def jobs(self, run_id: str) -> list[str]:
        """The names of the run's jobs that have a file."""
        return [path.stem for kind in KINDS for path in self._folder(kind).glob(f"{run_id.lower()}-*.log")]

    def new_lines(self, job: str) -> Iterator[Line]:
        """The lines that have been written since; one that a carriage return overwrote is left out."""
        for path in (self._folder(kind) / f"{job.lower()}.log" for kind in KINDS):
            if path.is_file():
                yield from (Line(job, text) for text in self._new(path))

    def _new(self, path: Path) -> Iterator[str]:
        with path.open("rb") as file:
            file.seek(self._offsets.get(path, 0))
            for line in file:
                yield line.decode(errors="replace").rstrip("\r\n").rpartition("\r")[2]
            self._offsets[path] = file.tell()

    def _folder(self, kind: str) -> Path:
        return self.home.path / "sagemaker" / "logs" / kind


def place(job: str) -> int:
    """Where a job comes among those of its run, by its name without the run's."""
    return ORDER.get(job, NETWORKS if job.startswith("fine-") else HEADS)


@dataclass
class RunLogs:
    """The logs of a run's jobs, each from the first source that has it."""

    run_id: str
    sources: list[Source]
    wanted: str = ""

    def new_lines(self) -> Iterator[Line]:
        """The lines that have come since, job by job: prepare and merge, the trials and the refit, evaluate.

        Raises SeedbedError if the wanted job has no log, but there are others.
        """
        source_of: dict[str, Source] = {}
        for source in self.sources:
            for job in source.jobs(self.run_id):
                source_of.setdefault(job, source)
        jobs = sorted(source_of, key=lambda job: (place(self.short(job)), job))
        chosen = [job for job in jobs if self._is_wanted(job)]
        if jobs and not chosen:
            raise SeedbedError(NONE.format(self.run_id, self.wanted, ", ".join(map(self.short, jobs))))
        for job in chosen:
            yield from source_of[job].new_lines(job)

    def short(self, job: str) -> str:
        """A job's name within the run, such as `prepare` or `001-471d2bbf`."""
        return job.removeprefix(f"{self.run_id}-")

    def _is_wanted(self, job: str) -> bool:
        """Whether the job is wanted: by its name, its name within the run, or a trial by its number."""
        short, wanted = self.short(job), self.wanted.split(" head ")[0]
        kind, _, number = wanted.rpartition("-")
        numbered = f"{kind}-{number:0>3}-" if kind else f"{number:0>3}-"
        return wanted in {"", job, short} or (number.isdecimal() and short.startswith(numbered))


def plain(text: str) -> str:
    """A line without what colours it, its tabs as spaces."""
    return COLOURS.sub("", text).expandtabs()
