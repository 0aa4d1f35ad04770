"""What a run left in the bucket is fetched once, and whole."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from stat import S_IMODE
from threading import Barrier
from typing import Any

import boto3
import pytest
from moto import mock_aws

from seedbed.errors import SeedbedError
from seedbed.fetch import fetch, fetch_report
from seedbed.local_cloud.home.folder import Home
from seedbed.stack import Stack
from tests.waiting import PATIENCE


@pytest.fixture
def bucket() -> Iterator[Stack]:
    """A stack with a report in its bucket."""
    with mock_aws():
        session = boto3.Session(region_name="us-east-1")
        session.client("s3").create_bucket(Bucket="seedlings")
        session.client("s3").put_object(Bucket="seedlings", Key="runs/a/report #1.html", Body=b"<h1>Report</h1>")
        yield Stack(session, None, {})


def test_a_file_is_fetched_once(bucket: Stack, tmp_path: Path) -> None:
    path = tmp_path / "reports" / "a.html"

    assert fetch(bucket, "s3://seedlings/runs/a/report #1.html", path) == path
    assert path.read_bytes() == b"<h1>Report</h1>"
    assert [found.name for found in path.parent.iterdir()] == ["a.html"]
    bucket.client("s3").delete_object(Bucket="seedlings", Key="runs/a/report #1.html")
    assert fetch(bucket, "s3://seedlings/runs/a/report #1.html", path) == path


def test_a_fetched_file_and_its_new_folders_are_for_their_owner_alone(bucket: Stack, tmp_path: Path) -> None:
    fetch(bucket, "s3://seedlings/runs/a/report #1.html", tmp_path / "models" / "a" / "report.html")

    modes = {path.name: S_IMODE(path.stat().st_mode) for path in tmp_path.rglob("*")}
    assert modes == {"models": 0o700, "a": 0o700, "report.html": 0o600}


def test_a_missing_file_is_named(bucket: Stack, tmp_path: Path) -> None:
    with pytest.raises(SeedbedError, match=r"s3://seedlings/runs/b/report\.html can't be fetched"):
        fetch(bucket, "s3://seedlings/runs/b/report.html", tmp_path / "b.html")

    assert list(tmp_path.iterdir()) == []


class SideBySide:
    """An S3 whose downloads all start before the first of them ends."""

    def __init__(self, count: int) -> None:
        self._all_at_work = Barrier(count, timeout=PATIENCE)

    def client(self, service: str) -> "SideBySide":
        assert service == "s3"
        return self

    def download_file(self, bucket: str, key: str, path: str) -> None:
        with Path(path).open("w") as file:
            file.write("a whole ")
            self._all_at_work.wait()
            file.write("report")


def test_two_fetches_of_one_file_at_once_both_get_it_whole(tmp_path: Path) -> None:
    stack: Any = SideBySide(2)
    with ThreadPoolExecutor(2) as pool:
        fetches = [pool.submit(fetch, stack, "s3://seedlings/a.html", tmp_path / "a.html") for _ in range(2)]
        texts = [fetched.result(PATIENCE).read_text() for fetched in fetches]

    assert texts == ["a whole report"] * 2
    assert [path.name for path in tmp_path.iterdir()] == ["a.html"]


def test_a_run_in_progress_has_no_report(tmp_path: Path) -> None:
    class InProgress(Stack):
        def get(self, path: str) -> dict[str, Any]:
            return {"run_id": path.removeprefix("/runs/"), "state": "FineTuning", "report_uri": None}

    with pytest.raises(SeedbedError, match="Run sb-a has no report: its state is FineTuning"):
        fetch_report(InProgress(boto3.Session(), None, {}), Home(tmp_path), "sb-a")
