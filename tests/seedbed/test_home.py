"""Which folders Seedbed uses as a home, and what a demo may clear."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from stat import S_IMODE

import psutil
import pytest

from seedbed.errors import SeedbedError
from seedbed.local_cloud.home.demo import demo_home, hold_for_demo, home_to_query, keep
from seedbed.local_cloud.home.folder import Home
from seedbed.local_cloud.home.lock import AlreadyUp, hold
from seedbed.local_cloud.home.mark import CODE_BUCKET, LOCK, MARK, read_mark, write_mark
from seedbed.local_cloud.process import free_port
from tests.children import said, started
from tests.waiting import PATIENCE, wait_for

HOLDER = """
import subprocess, sys, time
from pathlib import Path
from seedbed.local_cloud.home.folder import Home
from seedbed.local_cloud.home.lock import hold
with hold(Home(Path(sys.argv[1]))) as lock:
    child = subprocess.Popen([sys.executable, "-c", "input()"], pass_fds=[lock], stdin=subprocess.PIPE)
    print(child.pid, flush=True)
    input()
"""


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "seedbed")


@pytest.fixture
def listener() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def image(home: Home, key: str) -> Path:
    """Store an object in the home's bucket, with its sidecar file, as MiniStack does."""
    path = home.path / "s3/000000000000/bucket" / key
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"pixels")
    path.with_name(f"{path.name}.meta.json").write_text("{}")
    return path


def everything(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_new_home_is_marked_and_private(home: Home) -> None:
    with hold(home):
        assert read_mark(home.path)
    assert {S_IMODE(path.stat().st_mode) for path in home.path.iterdir()} == {0o600}
    assert S_IMODE(home.path.stat().st_mode) == 0o700


def test_a_folder_with_other_files_is_refused_and_unchanged(home: Home) -> None:
    (home.path / "holiday").mkdir(parents=True)
    (home.path / "holiday/beach.jpg").write_bytes(b"sea")
    mode, before = home.path.stat().st_mode, everything(home.path)
    for way in (hold(home), hold_for_demo(home)):
        with pytest.raises(SeedbedError, match="not Seedbed's"), way:
            pass
    assert everything(home.path) == before
    assert home.path.stat().st_mode == mode


def test_a_file_in_place_of_the_home_is_refused_and_unchanged(home: Home) -> None:
    home.path.write_text("my notes")
    with pytest.raises(SeedbedError, match="is a file"), hold(home):
        pass
    assert home.path.read_text() == "my notes"


def test_a_home_of_an_earlier_release_is_used_and_made_private(home: Home) -> None:
    (home.path / "sagemaker").mkdir(parents=True)
    for name in ("sagemaker/jobs.db", "cloud.log"):
        (home.path / name).touch(0o644)
    outside = home.path.with_name("outside")
    outside.touch(0o644)
    (home.path / "link").symlink_to(outside)
    home.path.chmod(0o755)
    with hold(home):
        assert read_mark(home.path)
    assert S_IMODE((home.path / "sagemaker").stat().st_mode) == 0o700
    assert S_IMODE((home.path / "sagemaker/jobs.db").stat().st_mode) == 0o600
    assert S_IMODE(outside.stat().st_mode) == 0o644


def test_a_folder_of_another_user_is_refused(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    home.path.mkdir()
    monkeypatch.setattr(os, "getuid", lambda: home.path.stat().st_uid + 1)
    with pytest.raises(SeedbedError, match="another user"), hold(home):
        pass


def test_a_home_that_cannot_be_created_is_refused_with_advice(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SeedbedError, match="SEEDBED_HOME"), hold(Home(tmp_path / "file" / "home")):
        pass


def test_a_second_command_waits_for_the_lock_then_is_refused(home: Home) -> None:
    with hold(home), pytest.raises(SeedbedError, match="Another command is using"), hold(home, seconds=0.1):
        pass
    with hold(home, seconds=0.1):
        pass


def test_a_second_command_is_refused_at_once_while_a_cloud_is_running(home: Home, listener: str) -> None:
    with hold(home):
        home.record_running(os.getpid(), {"endpoint": listener, "outputs": {}})
        with pytest.raises(AlreadyUp), hold(home, seconds=60):
            pass


def test_a_running_cloud_is_found_though_the_clock_was_set(
    home: Home, listener: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with hold(home):
        home.record_running(os.getpid(), {"endpoint": listener, "outputs": {}})
    monkeypatch.setattr("psutil.Process.create_time", lambda self: 12.0)
    assert home.running()


def test_a_cloud_too_busy_to_answer_still_counts_as_serving(home: Home) -> None:
    with hold(home):
        home.record_running(os.getpid(), {"endpoint": f"http://127.0.0.1:{free_port()}", "outputs": {}})
    assert home.running() is None
    assert home.is_served()
    home.record_ended()
    assert not home.is_served()


def test_the_lock_is_held_until_its_last_holder_has_ended(home: Home) -> None:
    with started([sys.executable, "-c", HOLDER, home.path], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdout
        child = int(parent.stdout.readline())
        try:
            os.kill(child, signal.SIGSTOP)
            parent.kill()
            parent.wait()
            with pytest.raises(SeedbedError, match="Another command"), hold(home, seconds=0.1):
                pass
        finally:
            os.kill(child, signal.SIGKILL)
        with hold(home, seconds=PATIENCE):
            pass


def test_a_command_that_waited_locks_the_new_home_not_the_moved_one(home: Home) -> None:
    waiter = [sys.executable, "-c", HOLDER, str(home.path)]
    with started(waiter, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as second:
        with hold(home):
            opened = psutil.Process(second.pid).open_files
            wait_for(lambda: str(home.path / LOCK) in {file.path for file in opened()}, "the second at the lock")
            aside = home.path.rename(home.path.with_name("aside"))
        assert second.stdin
        assert second.stdout
        second.stdout.readline()
        with hold(Home(aside), seconds=0.1):
            pass
        with pytest.raises(SeedbedError, match="Another command"), hold(home, seconds=0.1):
            pass
        second.stdin.write("\n")
        second.stdin.flush()
        said(second)


def test_the_demos_home_is_beside_the_users(home: Home) -> None:
    assert demo_home(home).path == home.path.with_name("seedbed-demo")
    with hold_for_demo(demo_home(home)):
        assert not home.path.exists()
    assert demo_home(demo_home(home)) == demo_home(home)


def test_the_next_demo_clears_what_a_demo_drew(home: Home) -> None:
    key = "seedlings/Maize/maize-001.png"
    with hold_for_demo(home):
        write_mark(home.path, "demo", drawn=[key])
        drawn, made = image(home, key), image(home, "runs/a/evaluation.json")
        code = home.path / "s3/000000000000" / CODE_BUCKET / "functions.zip"
        code.parent.mkdir(parents=True)
        code.touch()
    with hold_for_demo(home) as (_, aside):
        assert aside is None
        assert not drawn.exists()
        assert not made.exists()


@pytest.mark.parametrize("key", ["seedlings/Maize/mine.png", "stray.png", ".ministack-keys/%2E", "pretrained/w.h5"])
def test_a_demos_home_with_user_images_is_moved_not_deleted(home: Home, key: str) -> None:
    with hold_for_demo(home):
        image(home, key)
        (home.path / "cloud.log").write_text("a line")
    before = everything(home.path)
    with hold_for_demo(home) as (_, aside):
        assert aside
        assert everything(aside) == before
        assert {path.name for path in home.path.iterdir()} == {"lock", MARK}


def test_no_demo_clears_a_home_that_became_the_users_own(home: Home) -> None:
    with hold_for_demo(home):
        image(home, "seedlings/Maize/mine.png")
    keep(home)
    before = everything(home.path)
    with pytest.raises(SeedbedError, match="home of your own"), hold_for_demo(home):
        pass
    assert everything(home.path) == before


@pytest.mark.parametrize("content", ["", "{", "[]", '{"kind": "demo"}', '{"kind": "demo", "drawn": 7}'])
def test_a_home_with_an_unreadable_mark_is_not_cleared(home: Home, content: str) -> None:
    with hold_for_demo(home):
        mine = image(home, "seedlings/Maize/mine.png")
        (home.path / MARK).write_text(content)
    with pytest.raises(SeedbedError, match="home of your own"), hold_for_demo(home):
        pass
    assert mine.exists()


def test_the_demo_does_not_clear_a_home_that_a_cloud_serves(home: Home, listener: str) -> None:
    with hold_for_demo(home):
        home.record_running(os.getpid(), {"endpoint": listener, "outputs": {}})
        with pytest.raises(AlreadyUp), hold_for_demo(home):
            pass
        assert home.running()


def test_the_demos_home_is_queried_until_the_users_is_in_use(home: Home) -> None:
    assert home_to_query(home) == home
    demo = demo_home(home)
    (demo.path / "sagemaker").mkdir(parents=True)
    assert home_to_query(home) == demo
    (home.path / "sagemaker").mkdir(parents=True)
    assert home_to_query(home) == home


def test_an_image_whose_name_ends_like_a_sidecars_is_counted(home: Home) -> None:
    with hold_for_demo(home):
        write_mark(home.path, "demo", drawn=["seedlings/Maize/a.png"])
        image(home, "seedlings/Maize/a.png")
        image(home, "seedlings/Maize/b.png.meta.json")
    with hold_for_demo(home) as (_, aside):
        assert aside
