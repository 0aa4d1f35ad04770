"""The API's answers while no local cloud is running: as it gave them last, as long as nothing on disk has changed.

A start of the local cloud takes two seconds, a look into a file none. The file is only ever written with answers of the
API itself, beside what the disk was like; where the disk is different now, a local cloud is started for the moment.
"""

import json
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from .bundle import FUNCTIONS, TEMPLATE
from .errors import SeedbedError
from .local_cloud.home.folder import Home
from .local_cloud.home.mark import CODE_BUCKET
from .local_cloud.private_file import write_private
from .stack import Stack, any_local_stack, check_was_used
from .watch.stage import ENDED

KEPT = "answers.json"
ASKED = ("/runs", "/models/best")
"""What is kept when a cloud ends. A run in full is not: the next start may tell more of its trials."""

Answers = dict[str, dict[str, Any]]


class ApiAtRest:
    """The API of a home whose local cloud is not running. An answer that was not kept starts one until `close`."""

    endpoint = None

    def __init__(self, home: Home, opened: ExitStack) -> None:
        self._home = home
        self._opened = opened
        self._kept = kept_answers(home)
        self._stack: Stack | None = None
        self._asked: Answers = {}

    def get(self, path: str) -> dict[str, Any]:
        """The answer to a path of the API. Raises SeedbedError with the API's message if there is none."""
        if path in self._kept:
            return self._kept[path]
        if self._stack is None:
            keep = self._opened.enter_context(answers_kept(self._home))
            self._stack = self._opened.enter_context(any_local_stack(self._home))
            self._opened.callback(lambda: keep({**self._kept, **self._asked}))
        self._asked[path] = self._stack.get(path)
        return self._asked[path]


@contextmanager
def api_at_rest(home: Home) -> Iterator[ApiAtRest]:
    """The API of a home whose local cloud is not running. Raises SeedbedError if the home has never been used."""
    check_was_used(home)
    with ExitStack() as opened:
        yield ApiAtRest(home, opened)


@contextmanager
def answers_kept(home: Home) -> Iterator[Callable[[Answers], None]]:
    """Keep the answers that are given in the block once the local cloud, which is begun in it too, has ended.

    They are not kept if something on disk changed after they were given.
    """
    given: list[tuple[Answers, object]] = []

    def keep(answers: Answers) -> None:
        with suppress(OSError, sqlite3.Error):
            given.append((answers, records(home)))

    try:
        yield keep
    finally:
        with suppress(OSError, sqlite3.Error):
            at_rest = state(home)
            if given and given[-1][0] and not home.is_served() and given[-1][1] == records(home):
                write_private(home.path / KEPT, json.dumps({"state": at_rest, "answers": given[-1][0]}))


def last_answers(stack: Stack) -> Answers:
    """What people ask for first, of a local cloud that is about to end; nothing while a run is open or is due."""
    answers: Answers = {}
    with suppress(SeedbedError, BotoCoreError, ClientError):
        for path in ASKED:
            answers[path] = stack.get(path)
            listed = answers["/runs"]
            if listed["pending"] or any(run["state"] not in ENDED for run in listed["runs"]):
                return {}
    return answers


def kept_answers(home: Home) -> Answers:
    """The answers that were kept; none if the disk is no longer as it was then, or the file can't be read."""
    try:
        content = json.loads((home.path / KEPT).read_text(encoding="utf-8"))
        answers: Answers = content["answers"] if content["state"] == state(home) else {}
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return answers if isinstance(answers, dict) else {}


def state(home: Home) -> list[list[Any]]:
    """What tells whether anything changed that the API's answers depend on, while no cloud is running."""
    jobs = home.path / "sagemaker" / "jobs.db"
    own = (*FUNCTIONS.rglob("*.py"), *FUNCTIONS.rglob("*.json"), TEMPLATE)
    return stamps((*run_files(home), jobs, jobs.with_name("jobs.db-wal"), *own))


def records(home: Home) -> object:
    """The same while one is running, whose database's file changes by itself."""
    place = f"{(home.path / 'sagemaker' / 'jobs.db').absolute().as_uri()}?mode=ro"
    with closing(sqlite3.connect(place, uri=True, timeout=1)) as jobs:
        return stamps(run_files(home)), jobs.execute("SELECT COUNT(*), MAX(modified) FROM jobs").fetchone()


def run_files(home: Home) -> Iterator[Path]:
    """The records of all runs: the files at the top of each run's folder in the bucket."""
    for bucket in home.path.glob("s3/[0-9]*/*/runs"):
        if bucket.parent.name != CODE_BUCKET:
            yield from bucket.glob("*/*.json")


def stamps(paths: Iterable[Path]) -> list[list[Any]]:
    """The paths of the files that hold something, with their sizes and the times at which they were written.

    SQLite makes and deletes an empty log whenever it is asked for something.
    """
    found = []
    for path in sorted(paths):
        with suppress(OSError):
            known = path.stat()
            if known.st_size:
                found.append([os.fsdecode(path), known.st_size, known.st_mtime_ns])
    return found
