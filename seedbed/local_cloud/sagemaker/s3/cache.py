"""A cache of downloaded S3 objects, which are hard-linked into jobs' directories: trials share their input."""

import contextlib
import hashlib
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

LOCKS = 256
MAX_UNUSED_SECONDS = 7 * 86_400


@dataclass(frozen=True)
class S3Object:
    """One object in S3. modified: epoch seconds. size: bytes."""

    bucket: str
    key: str
    etag: str
    size: int
    modified: int


class Cache:
    """Files below `root`, named by bucket, key and ETag. limit: how many bytes `trim` keeps at most.

    An entry has its object's modification time. An entry whose size or time differs was changed through an earlier
    job's link and is downloaded again. The access time is when the entry was last used.
    """

    def __init__(self, root: Path, limit: int) -> None:
        self._root = root
        self._limit = limit
        self._locks = [threading.Lock() for _ in range(LOCKS)]
        self._grown = threading.Event()
        root.mkdir(parents=True, exist_ok=True)
        for left in root.glob("*.part"):
            left.unlink()

    def place(self, item: S3Object, target: Path, download: Callable[[IO[bytes]], None]) -> None:
        """Puts the object's content at `target`, read-only; calls `download` only if the cache doesn't have it."""
        digest = hashlib.sha256("\0".join((item.bucket, item.key, item.etag)).encode()).hexdigest()
        entry = self._root / digest[:2] / digest
        with self._locks[int(digest[:8], 16) % LOCKS]:
            if not _intact(entry, item):
                self._fetch(entry, item, download)
            os.utime(entry, (time.time(), item.modified))
            _link(entry, target)

    def trim(self) -> None:
        """Deletes entries unused for a week, then the longest unused ones until the rest is within the limit."""
        if not self._grown.is_set():
            return
        self._grown.clear()
        entries = sorted((stat.st_atime, stat.st_size, path) for path, stat in self._entries())
        total = sum(size for _, size, _ in entries)
        for used, size, path in entries:
            if total <= self._limit and used > time.time() - MAX_UNUSED_SECONDS:
                break
            path.unlink(missing_ok=True)
            total -= size

    def _entries(self) -> list[tuple[Path, os.stat_result]]:
        found = []
        for path in self._root.glob("??/*"):
            with contextlib.suppress(FileNotFoundError):
                found.append((path, path.stat()))
        return found

    def _fetch(self, entry: Path, item: S3Object, download: Callable[[IO[bytes]], None]) -> None:
        entry.parent.mkdir(exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=self._root, suffix=".part", delete=False) as file:
            part = Path(file.name)
            try:
                download(file)
            except BaseException:
                part.unlink()
                raise
        part.chmod(0o400)
        os.utime(part, (time.time(), item.modified))
        part.replace(entry)
        self._grown.set()


def _intact(entry: Path, item: S3Object) -> bool:
    try:
        stat = entry.stat()
    except FileNotFoundError:
        return False
    return stat.st_size == item.size and int(stat.st_mtime) == item.modified


def _link(entry: Path, target: Path) -> None:
    try:
        os.link(entry, target)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        shutil.copyfile(entry, target)
