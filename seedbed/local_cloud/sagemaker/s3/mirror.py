"""Directories that are copied to S3 while a job writes to them: checkpoints, and outputs in Continuous mode."""

import logging
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ..errors import JobFailure
from .transfer import DataTransfer
from .tree import Tree

log = logging.getLogger(__name__)

INTERVAL = 2.0


class Mirror:
    """Uploads a directory's new and changed files to an S3 prefix.

    Deleted files stay in S3. A file is uploaded as it is at that moment, so a job must write a checkpoint under another
    name first and then rename it, as on AWS.
    """

    def __init__(self, transfer: DataTransfer, tree: Tree, uri: str) -> None:
        self._transfer = transfer
        self._tree = tree
        self._uri = uri
        self._sent: dict[str, tuple[int, int]] = {}

    def mark_sent(self) -> None:
        """Takes the present files as uploaded: they came from S3."""
        self._sent = {name: _state(path) for path, name in self._tree.files()}

    def send(self, last: bool = False) -> None:
        """Uploads what has changed. Files that fail are left to the next call; the last one raises JobFailure."""
        states = {}
        changed = []
        for path, name in self._tree.files():
            try:
                states[name] = _state(path)
            except FileNotFoundError:
                continue
            if states[name] != self._sent.get(name):
                changed.append((path, name))
        for (path, name), fault in zip(changed, self._transfer.upload_files(changed, self._uri), strict=True):
            if fault is None:
                self._sent[name] = states[name]
            elif last:
                raise JobFailure(f"ClientError: Data upload to '{self._uri}' failed: {fault}") from fault
            elif path.exists():
                log.warning("%s has not reached %s yet: %s", name, self._uri, fault)


@contextmanager
def kept_in_s3(mirrors: Sequence[Mirror]) -> Iterator[None]:
    """Uploads every few seconds while the block runs, and once more at its end."""
    if not mirrors:
        yield
        return
    over = threading.Event()

    def work() -> None:
        while not over.wait(INTERVAL):
            for mirror in mirrors:
                try:
                    mirror.send()
                except Exception:
                    log.exception("A job's files could not be uploaded to S3; this is repeated")

    thread = threading.Thread(target=work, name="sagemaker-mirror", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
    for mirror in mirrors:
        mirror.send(last=True)


def _state(path: Path) -> tuple[int, int]:
    stat = path.stat()
    return stat.st_size, stat.st_mtime_ns
