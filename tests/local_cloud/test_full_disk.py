"""On a disk that fills up nothing acknowledged is lost, and the real local cloud continues by itself."""

from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from seedbed.errors import SeedbedError
from seedbed.local_cloud.disk.shortage import SUBJECT
from seedbed.local_cloud.home.folder import Home
from seedbed.local_cloud.notifications.kept import kept
from seedbed.upload import upload as upload_files
from tests.disks import BALLAST, fill, filled, free, small_disk
from tests.local_cloud.conftest import LittleCloud, kill, photograph, progress_in, up
from tests.local_cloud.moments import Traces
from tests.waiting import wait_for

MEBIBYTES = 256
LITTLE_ROOM = 4 * 2**20  # too little for an upload, enough for a function to begin
NOTICE = "The disk that holds"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A home on its own small disk."""
    with small_disk(tmp_path_factory.mktemp("full") / "disk", MEBIBYTES) as disk:
        yield Home(disk / "seedbed")


@pytest.mark.parametrize("left", [4096, 12288, 65536])
def test_a_first_start_on_a_full_disk_is_refused_with_advice(home: Home, left: int) -> None:
    another = Home(home.path.with_name(f"another-{left}"))

    with (
        filled(home.path.parent, left=left),
        pytest.raises(SeedbedError, match=r"Make room|No space left"),
        up(another),
    ):
        pass


@pytest.fixture(scope="module")
def serving(home: Home) -> Iterator[ExitStack]:
    """The running local cloud, which a test may close and replace."""
    with ExitStack() as stack:
        yield stack


@pytest.fixture(scope="module")
def cloud(home: Home, serving: ExitStack) -> LittleCloud:
    """The local cloud on the small disk."""
    return serving.enter_context(up(home))


def refused(cloud: LittleCloud, key: str, body: bytes) -> dict[str, Any]:
    """The error of a refused upload."""
    with pytest.raises(ClientError) as raised:
        cloud.put(key, body)
    error: Any = raised.value.response
    return {**error["Error"], "status": error["ResponseMetadata"]["HTTPStatusCode"]}


def test_a_full_disk_refuses_uploads_and_still_serves_reads(cloud: LittleCloud, home: Home) -> None:
    s3, bucket = cloud.stack.client("s3"), cloud.stack.bucket
    cloud.put("pretrained/kept.txt", b"kept")
    upload = s3.create_multipart_upload(Bucket=bucket, Key="pretrained/parts.bin")["UploadId"]
    part = s3.upload_part(Bucket=bucket, Key="pretrained/parts.bin", UploadId=upload, PartNumber=1, Body=b"part")
    parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    complete = {"Bucket": bucket, "Key": "pretrained/parts.bin", "UploadId": upload, "MultipartUpload": parts}
    with filled(home.path.parent, left=LITTLE_ROOM):
        error = refused(cloud, "pretrained/lost.txt", b"lost")
        assert (error["Code"], error["status"]) == ("InsufficientCapacity", 507)
        assert NOTICE in error["Message"]
        with pytest.raises(SeedbedError, match=r"was not uploaded: .* Make room on it"):
            list(upload_files(cloud.stack, [(Path(__file__), "pretrained/refused.txt")]))
        with pytest.raises(ClientError, match="InsufficientCapacity"):
            s3.complete_multipart_upload(**complete)
        with pytest.raises(ClientError, match="InsufficientCapacity"):
            s3.copy_object(Bucket=bucket, Key="pretrained/copy.txt", CopySource=f"{bucket}/pretrained/kept.txt")
        assert s3.get_object(Bucket=bucket, Key="pretrained/kept.txt")["Body"].read() == b"kept"
        cloud.put("runs/none/stop.json", b"{}")  # a run can be stopped all the same
        listed = s3.list_objects_v2(Bucket=bucket, Prefix="pretrained/")["Contents"]
        assert [item["Key"] for item in listed] == ["pretrained/kept.txt"]
        cloud.wait_for(lambda: len(kept(home.mail)) == 1, "the e-mail about the disk")
    s3.complete_multipart_upload(**complete)
    cloud.put("pretrained/lost.txt", b"not lost")
    assert (home.path / f"s3/000000000000/{bucket}/pretrained/lost.txt").read_bytes() == b"not lost"


def test_an_upload_larger_than_the_free_room_is_refused(cloud: LittleCloud, home: Home) -> None:
    with filled(home.path.parent, left=24 * 2**20):
        error = refused(cloud, "pretrained/large.bin", bytes(free(home.path) - LITTLE_ROOM))

    assert error["Code"] == "InsufficientCapacity"
    assert "has too little room for 20.0 MiB" in error["Message"]


def test_a_failed_write_is_answered_with_an_error(cloud: LittleCloud, home: Home) -> None:
    s3, bucket = impatient(cloud), "spoiled"
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="before/a", Body=b"a")
    folder = home.path / "s3/000000000000" / bucket
    aside = folder.rename(folder.with_name("aside"))
    folder.write_text("in the way")
    with pytest.raises(ClientError, match="InternalError"):
        s3.put_object(Bucket=bucket, Key="after/b", Body=b"b")
    with pytest.raises(ClientError, match="InternalError"):
        s3.get_object(Bucket=bucket, Key="before/a")
    folder.unlink()
    aside.rename(folder)

    assert s3.get_object(Bucket=bucket, Key="before/a")["Body"].read() == b"a"
    assert (folder / "after/b").read_bytes() == b"b", "what it may have taken, it has taken in the end"


def impatient(cloud: LittleCloud) -> Any:
    """An S3 client without retries."""
    config = Config(retries={"total_max_attempts": 1})
    return cloud.stack.session.client("s3", endpoint_url=cloud.stack.endpoint, config=config)


def waits(cloud: LittleCloud) -> bool:
    """Whether the latest run's notice says that it waits for room. On a full disk the API may fail at first."""
    try:
        return NOTICE in (cloud.runs()[-1]["notice"] or "")
    except SeedbedError:
        return False


def test_a_run_survives_a_full_disk_and_a_kill_in_each_stage(
    cloud: LittleCloud, home: Home, serving: ExitStack
) -> None:
    traces, before = Traces(home), len(kept(home.mail))
    cloud.put_images(range(60))
    for job, words in (("*-prepare", "progress: "), ("*-1-00?-*", "epoch 1/"), ("*-evaluate", "chosen: ")):
        moment = f"{job} to say {words}"
        wait_for(partial(traces.said, job, words), moment, partial(progress_in, home), pause=0.003)
        with filled(home.path.parent):
            cloud.wait_for(partial(waits, cloud), f"the run to say that {job} waits")
            kill(home)
            serving.close()
            fill(home.path.parent / BALLAST)
            with pytest.raises(SeedbedError, match="Make room"), up(home):
                pass
        cloud = serving.enter_context(up(home))
    (run,) = cloud.ended_runs(1)
    assert (run["state"], run["notice"]) == ("Completed", None), run["reason"]
    cloud.wait_for(lambda: count_mails(home, before, "Seedbed: the first model"), "the e-mail about the run")
    assert count_mails(home, before, "Seedbed: the first model") == 1
    assert count_mails(home, before, SUBJECT) == 3, "one for each time"
    assert cloud.stack.get("/models/best")["run_id"] == run["run_id"]
    key = "seedlings/Maize/a+b 100% nº0 #ü.png"
    stored = cloud.stack.client("s3").get_object(Bucket=cloud.stack.bucket, Key=key)
    assert stored["Body"].read() == photograph("Maize", 0)


def count_mails(home: Home, before: int, subject: str) -> int:
    """How many e-mails have a subject with this beginning, without the first `before` e-mails."""
    return sum(mail["Subject"].startswith(subject) for mail in kept(home.mail)[before:])
