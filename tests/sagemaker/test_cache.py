"""Which objects the cache keeps, and which it deletes."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

import pytest

from seedbed.local_cloud.sagemaker.s3.cache import Cache, S3Object


def item(key: str, etag: str = "1", size: int = 4) -> S3Object:
    return S3Object("bucket", key, etag, size, modified=1_700_000_000)


class Downloads:
    """Counts downloads."""

    def __init__(self) -> None:
        self.count = 0

    def of(self, content: bytes) -> Callable[[IO[bytes]], None]:
        def download(file: IO[bytes]) -> None:
            self.count += 1
            file.write(content)

        return download


@pytest.fixture
def downloads() -> Downloads:
    return Downloads()


def stored(root: Path) -> int:
    return sum(path.stat().st_size for path in root.rglob("*") if path.is_file())


def test_an_object_is_fetched_once_for_each_etag(tmp_path: Path, downloads: Downloads) -> None:
    cache = Cache(tmp_path / "cache", limit=1000)
    cache.place(item("a"), tmp_path / "1", downloads.of(b"aaaa"))
    cache.place(item("a"), tmp_path / "2", downloads.of(b"aaaa"))
    assert downloads.count == 1
    cache.place(item("a", etag="2"), tmp_path / "3", downloads.of(b"bbbb"))
    assert downloads.count == 2
    assert [(tmp_path / name).read_bytes() for name in "123"] == [b"aaaa", b"aaaa", b"bbbb"]
    assert (tmp_path / "1").stat().st_mode & 0o222 == 0, "read-only"


def test_an_entry_that_a_job_changed_is_fetched_again(tmp_path: Path, downloads: Downloads) -> None:
    cache = Cache(tmp_path / "cache", limit=1000)
    cache.place(item("a"), tmp_path / "1", downloads.of(b"aaaa"))
    (tmp_path / "1").chmod(0o644)
    (tmp_path / "1").write_bytes(b"evil")
    cache.place(item("a"), tmp_path / "2", downloads.of(b"aaaa"))
    assert (tmp_path / "2").read_bytes() == b"aaaa"


def test_the_longest_unused_entries_are_deleted_first(tmp_path: Path, downloads: Downloads) -> None:
    cache = Cache(tmp_path / "cache", limit=8)
    for number, key in enumerate("abc"):
        cache.place(item(key), tmp_path / key, downloads.of(b"1234"))
        os.utime(tmp_path / key, (time.time() - 100 + number, 1_700_000_000))
    cache.trim()
    assert stored(tmp_path / "cache") == 8
    cache.place(item("c"), tmp_path / "c2", downloads.of(b"1234"))
    assert downloads.count == 3
    cache.place(item("a"), tmp_path / "a2", downloads.of(b"1234"))
    assert downloads.count == 4
    assert (tmp_path / "a").read_bytes() == b"1234", "a job's own link outlives the entry"


def test_entries_unused_for_a_week_are_deleted(tmp_path: Path, downloads: Downloads) -> None:
    cache = Cache(tmp_path / "cache", limit=1000)
    cache.place(item("old"), tmp_path / "old", downloads.of(b"1234"))
    os.utime(tmp_path / "old", (time.time() - 8 * 86_400, 1_700_000_000))
    cache.place(item("new"), tmp_path / "new", downloads.of(b"1234"))
    cache.trim()
    assert stored(tmp_path / "cache") == 4


def test_a_failed_download_leaves_nothing(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache", limit=1000)

    def broken(file: IO[bytes]) -> None:
        file.write(b"half")
        raise ConnectionError("the line went dead")

    with pytest.raises(ConnectionError):
        cache.place(item("a"), tmp_path / "a", broken)
    assert stored(tmp_path / "cache") == 0
    assert not (tmp_path / "a").exists()
