"""Which files of a folder are uploaded, with which keys, and what is left out and why; a wrong folder is refused."""

import io
import os
import socket
import tarfile
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from typer.testing import CliRunner

from job_manager.domain.dataset import MAXIMUM_IMAGE_BYTES
from seedbed.cli import app
from seedbed.commands import upload as command
from seedbed.commands.demo import check_folder, upload_all
from seedbed.commands.left_out import LeftOut
from seedbed.commands.progress import StageBars
from seedbed.errors import SeedbedError
from seedbed.terminal.hints import seedbed
from seedbed.upload import MAX_FILE_BYTES, files_of, upload

HIDDEN = (
    "Maize/._1.png",
    "Maize/.DS_Store",
    "Maize/Thumbs.db",
    "Maize/desktop.ini",
    "Maize/@eaDir/1.png",
    "__MACOSX/Maize/._1.png",
    ".git/objects/1.png",
    "Maize/.ipynb_checkpoints/1.png",
    "lost+found/1.png",
    "$RECYCLE.BIN/1.png",
    "System Volume Information/1.png",
)


def with_files(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"image")
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return with_files(tmp_path / "set [v1]", "Maize/1.png", "Maize/2.png", "Charlock/1.png")


USED = ["seedlings/Charlock/1.png", "seedlings/Maize/1.png", "seedlings/Maize/2.png"]


class FakeBucket:
    """A stack whose bucket keeps objects in memory; `fail` raises for the keys that it refuses."""

    bucket = "b"

    def __init__(self, fail: Callable[[str], None] = lambda _: None) -> None:
        self.objects: dict[str, bytes] = {}
        self._fail = fail

    def client(self, _: str) -> "FakeBucket":
        return self

    def put_object(self, *, Bucket: str, Key: str, Body: bytes) -> None:  # noqa: N803
        self._fail(Key)
        self.objects[Key] = Body


def found(folder: Path) -> tuple[list[str], dict[str, str]]:
    """The keys of a folder's files, and what is left out."""
    left_out: dict[str, str] = {}
    return [key for _, key in files_of(folder, left_out.__setitem__)], left_out


def uploaded(stack: Any, files: list[tuple[Path, str]]) -> tuple[list[str], dict[str, str]]:
    left_out: dict[str, str] = {}
    return sorted(upload(stack, files, left_out.__setitem__)), left_out


def test_each_file_gets_its_key_even_outside_a_label(tmp_path: Path) -> None:
    folder = with_files(tmp_path, "Maize/1.png", "Küchen#schelle/2 %.png", "notes.txt")
    assert files_of(folder) == [
        (folder / "Küchen#schelle/2 %.png", "seedlings/Küchen#schelle/2 %.png"),
        (folder / "Maize/1.png", "seedlings/Maize/1.png"),
        (folder / "notes.txt", "seedlings/notes.txt"),
    ]


def test_links_to_files_and_folders_are_followed(folder: Path, tmp_path: Path) -> None:
    store = with_files(tmp_path / "store", "3.png", "Cleavers/4.png")
    (folder / "Maize/3.png").symlink_to(store / "3.png")
    (folder / "Maize/twice.png").symlink_to("3.png")
    (folder / "Cleavers").symlink_to(store / "Cleavers")
    (tmp_path / "link").symlink_to(folder)

    keys, left_out = found(tmp_path / "link")

    more = ["Cleavers/4.png", "Maize/3.png", "Maize/twice.png"]
    assert keys == sorted(USED + [f"seedlings/{name}" for name in more])
    assert left_out == {}


def link(target: str) -> Callable[[Path], None]:
    return lambda path: path.symlink_to(target)


def listening(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(f"/proc/self/fd/{(opened := os.open(path.parent, os.O_RDONLY))}/{path.name}")
        os.close(opened)


def holding(size: int) -> Callable[[Path], None]:
    """Makes a file of this many bytes that takes no room on the disk."""

    def write(path: Path) -> None:
        with path.open("wb") as file:
            file.truncate(size)

    return write


@pytest.mark.parametrize(
    ("name", "make", "reason"),
    [
        ("Maize/gone.png", link("nowhere.png"), "a link to something that isn't there"),
        ("Maize/round.png", link("round.png"), "a link that leads back to itself"),
        ("Maize/up/", link(".."), "a link to the folder ./, which is taken already"),
        ("Maize/root/", link("/"), "a link to a folder that holds it"),
        ("Corn/", link("Maize"), "a link to the folder Maize/, which is taken already"),
        ("Maize/device.png", link("/dev/zero"), "not a file but a pipe, a socket or a device"),
        ("Maize/pipe.png", os.mkfifo, "not a file but a pipe, a socket or a device"),
        ("Maize/socket.png", listening, "not a file but a pipe, a socket or a device"),
        ("Maize/empty.png", Path.touch, "an empty file"),
        ("Maize/film.png", holding(MAX_FILE_BYTES + 1), "larger than 200 MB: save it as JPEG"),
        ("Maize/gr\udcfcn.png", holding(1), "its name is not valid UTF-8"),
        ("Maize/1\n2.png", holding(1), "its name has a control character"),
        ("Maize/\x1b[31m.png", holding(1), "its name has a control character"),
        ("Maize/a\\b.png", holding(1), "its name has a backslash"),
        ("Maize/\u200b", holding(1), "its name is blank"),
    ],
)
def test_what_can_not_be_uploaded_is_named_and_the_rest_goes_on(
    name: str, make: Callable[[Path], None], reason: str, folder: Path
) -> None:
    make(folder / name)
    assert found(folder) == (USED, {name: reason})


def test_a_folder_name_that_is_not_utf_8_leaves_out_its_files(folder: Path) -> None:
    with_files(folder, "Gr\udcfcn/1.png", "Gr\udcfcn/2.png")
    keys, left_out = found(folder)
    assert keys == USED
    assert set(left_out.values()) == {"its name is not valid UTF-8"}


def test_a_key_that_s3_does_not_take_is_left_out(folder: Path) -> None:
    with_files(folder, "/".join(["Maize", *["m" * 200] * 5, "1.png"]))
    keys, left_out = found(folder)
    assert keys == USED
    assert list(left_out.values()) == ["its path is longer than the 1,024 bytes that S3 takes"]


@pytest.mark.parametrize("name", HIDDEN)
def test_hidden_files_are_left_out(name: str, folder: Path) -> None:
    with_files(folder, name)
    keys, left_out = found(folder)
    assert keys == USED
    assert list(left_out.values()) == ["its name is a hidden or system file's"]


@pytest.mark.parametrize(("place", "named"), [("Charlock", "Charlock/"), ("Charlock/1.png", "Charlock/1.png")])
def test_what_may_not_be_read_is_named(place: str, named: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root may read everything, so the system's refusal is a fake."""
    scan, access = os.scandir, os.access

    def scandir(path: Path) -> Any:
        if Path(path) == folder / place:
            raise PermissionError(13, "Permission denied")
        return scan(path)

    monkeypatch.setattr(os, "scandir", scandir)
    monkeypatch.setattr(os, "access", lambda path, mode: path != folder / place and access(path, mode))
    assert found(folder) == (USED[1:], {named: "its permissions don't let it be read"})


def test_the_limit_is_the_job_managers() -> None:
    assert MAX_FILE_BYTES == MAXIMUM_IMAGE_BYTES


def test_uploaded_objects_hold_the_files(folder: Path) -> None:
    stack = FakeBucket()
    assert uploaded(stack, files_of(folder)) == (USED, {})
    assert stack.objects == dict.fromkeys(USED, b"image")


def removed(path: Path) -> None:
    path.unlink()


def replaced_by_a_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (removed, "it isn't there"),
        (replaced_by_a_pipe, "it is no longer a file"),
        (holding(MAX_FILE_BYTES + 1), "larger than 200 MB: save it as JPEG"),
    ],
)
def test_a_file_that_changes_before_its_upload_is_named(
    change: Callable[[Path], None], reason: str, folder: Path
) -> None:
    files = files_of(folder)
    change(folder / "Maize/1.png")
    assert uploaded(FakeBucket(), files) == ([USED[0], USED[2]], {"Maize/1.png": reason})


def test_a_file_that_grows_while_it_is_read_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fstat, seen = os.fstat, threading.Lock()

    def growing(number: int) -> os.stat_result:
        state = fstat(number)
        if os.path.samestat(state, (folder / "Maize/1.png").stat()) and seen.acquire(blocking=False):
            (folder / "Maize/1.png").write_bytes(b"image and more")
        return state

    files = files_of(folder)
    monkeypatch.setattr(os, "fstat", growing)
    reason = "it changed during the upload: upload it again"
    assert uploaded(FakeBucket(), files) == ([USED[0], USED[2]], {"Maize/1.png": reason})


def refusing(status: int, sentence: str) -> Callable[[str], None]:
    answer: Any = {"Error": {"Message": sentence}, "ResponseMetadata": {"HTTPStatusCode": status}}

    def fail(key: str) -> None:
        if key.endswith("Maize/1.png"):
            raise ClientError(answer, "PutObject")

    return fail


def test_a_file_that_the_bucket_refuses_is_named_and_the_rest_goes_on(folder: Path) -> None:
    stack = FakeBucket(refusing(400, "Your key is too long"))
    reason = "the bucket refused it: Your key is too long"
    assert uploaded(stack, files_of(folder)) == ([USED[0], USED[2]], {"Maize/1.png": reason})


def unreachable(_: str) -> None:
    raise EndpointConnectionError(endpoint_url="http://127.0.0.1:9")


@pytest.mark.parametrize(
    ("fail", "sentence"),
    [
        (refusing(403, "Access Denied"), r"\d.png was not uploaded: Access Denied"),
        (refusing(507, "The disk is full."), r"\d.png was not uploaded: The disk is full."),
        (unreachable, r"\d.png was not uploaded: .* does not answer"),
    ],
)
def test_an_upload_stops_once_no_file_would_be_taken(fail: Callable[[str], None], sentence: str, folder: Path) -> None:
    stack: Any = FakeBucket(fail)
    with pytest.raises(SeedbedError, match=sentence):
        list(upload(stack, files_of(folder)))


@pytest.mark.parametrize(
    "names",
    [
        ["train/{}/{}.png"],
        ["data/train/{}/{}.png", "__MACOSX/train/{}/._{}.png", "__MACOSX/train/{}/.__{}.png"],
        ["train/{}/{}.png", ".cache/a/{}/{}.png", ".cache/b/{}/{}.png"],
    ],
)
def test_a_parent_of_the_images_folder_is_refused_with_a_suggestion(names: list[str], tmp_path: Path) -> None:
    with_files(tmp_path, *(name.format(label, n) for name in names for label in ("Maize", "Charlock") for n in "123"))
    with_files(tmp_path, "test/1.png", "README.md")
    meant = tmp_path / ("data/train" if (tmp_path / "data").exists() else "train")
    with pytest.raises(SeedbedError, match=rf"not at <label>/<file>\. Did you mean {meant}\?"):
        files_of(tmp_path)


def an_archive(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("Maize/1.png", b"image")


def a_tar(path: Path) -> None:
    with tarfile.open(path, "w:gz") as archive:
        archive.addfile(tarfile.TarInfo("Maize/1.png"), io.BytesIO())


@pytest.mark.parametrize(
    ("name", "make", "sentence"),
    [
        ("a", lambda path: with_files(path, "1.png", "2.png"), "a sub-folder of images for each label"),
        ("a", Path.mkdir, "a holds no files. Choose a folder that has a sub-folder of images for each label"),
        ("a", lambda path: with_files(path, *HIDDEN), "a holds nothing that can be uploaded"),
        ("a", lambda path: None, "a does not exist. Choose a folder that has a sub-folder"),
        ("a", link("nowhere"), "a does not exist"),
        ("a", link("a"), "a: a link that leads back to itself"),
        ("a" * 300, lambda path: None, "it can't be read (File name too long)"),
        ("a", os.mkfifo, "a is not a folder"),
        ("a.zip", an_archive, "a.zip is an archive. Unpack it first"),
        ("images", an_archive, "images is an archive. Unpack it first"),
        ("a.tar.gz", a_tar, "a.tar.gz is an archive. Unpack it first"),
        ("images", a_tar, "images is an archive. Unpack it first"),
        ("a.rar", Path.touch, "a.rar is an archive. Unpack it first"),
        ("1.png", Path.touch, "1.png is not a folder. Choose a folder that has a sub-folder"),
    ],
)
def test_what_is_not_a_folder_of_labels_is_refused(
    name: str, make: Callable[[Path], object], sentence: str, tmp_path: Path
) -> None:
    make(tmp_path / name)
    with pytest.raises(SeedbedError) as refusal:
        files_of(tmp_path / name)
    assert sentence in str(refusal.value)


def test_a_quoted_home_is_the_users(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert found(Path("~/set [v1]/")) == (USED, {})


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> FakeBucket:
    """The bucket that the command uploads to."""
    made = FakeBucket(refusing(400, "no"))
    monkeypatch.setattr(command, "default_home", lambda: SimpleNamespace(running=lambda: {"endpoint": ""}))
    monkeypatch.setattr(command, "local_stack", lambda _: made)
    return made


def test_upload_names_what_it_leaves_out(folder: Path, bucket: FakeBucket) -> None:
    with_files(folder, "Maize/.DS_Store", *(f"Maize/{n}\t.png" for n in range(7)))
    done = CliRunner().invoke(app, ["upload", f"{folder}/"])
    assert done.exit_code == 0
    assert done.stderr.splitlines() == [
        "Upload …",
        "Left out: 9 files and folders",
        f"  its name has a control character: {', '.join(f'Maize/{n}?.png' for n in range(5))} and 2 more",
        "  the bucket refused it: no: Maize/1.png",
        "  its name is a hidden or system file's: Maize/.DS_Store",
        f"Follow it with: {seedbed('watch')}",
    ]
    assert "Uploaded 2 files." in done.stdout
    assert sorted(bucket.objects) == [USED[0], USED[2]]


def test_an_upload_of_nothing_fails(folder: Path, bucket: FakeBucket) -> None:
    for path in folder.glob("*/*"):
        path.unlink()
    with_files(folder, "Maize/1.png")
    done = CliRunner().invoke(app, ["upload", str(folder)])
    assert str(done.exception) == command.NOTHING
    assert "Maize/1.png" in done.stderr


def test_nothing_is_told_if_nothing_is_left_out() -> None:
    assert list(LeftOut().lines()) == []


def test_the_demo_names_what_it_will_leave_out_before_it_starts(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "Maize/empty.png").touch()
    check_folder(folder)
    told = capsys.readouterr()
    assert told.err == "Left out: 1 file or folder\n  an empty file: Maize/empty.png\n"
    assert told.out == ""


def test_the_demo_ends_if_every_file_has_gone(folder: Path) -> None:
    stack: Any = FakeBucket()
    files = files_of(folder)
    for path, _ in files:
        path.unlink()
    with pytest.raises(SeedbedError, match="Nothing was uploaded"):
        upload_all(stack, files, StageBars())
