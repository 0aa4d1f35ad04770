"""What of a job's folder is uploaded: files, folders, links and whatever else a program can leave there."""

import io
import os
import socket
import tarfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from seedbed.local_cloud.sagemaker.containers.opt_ml import read_message
from seedbed.local_cloud.sagemaker.errors import JobFailure
from seedbed.local_cloud.sagemaker.jobs import remove_directory
from seedbed.local_cloud.sagemaker.s3.archive import write_archive
from seedbed.local_cloud.sagemaker.s3.tree import Tree
from tests.sagemaker.toy_endpoint import definition

if TYPE_CHECKING:
    from tests.sagemaker.toy_endpoint import Endpoint

EVERYWHERE = Path("/")
LONG = "/".join(["a rather long name of a folder " * 4] * 4) + "/weights"


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """A job's directory, with a model and files beside it."""
    folder = tmp_path / "job"
    put(folder / "model/3/weights", "w")
    put(folder / "output/cache/blob", "outside")
    put(tmp_path / "home/blob", "far")
    return folder


def put(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def unpacked(tree: Tree, folder: Path) -> Path:
    """The tree's archive, unpacked with Python's strictest filter."""
    archive = folder / "archive.tar.gz"
    write_archive(tree, archive)
    with tarfile.open(archive) as content:
        content.extractall(folder / "unpacked", filter="data")
    return folder / "unpacked"


def link(path: str, target: str) -> Callable[[Path], None]:
    return lambda model: (model / path).symlink_to(target.replace("MODEL", str(model)))


# What a job does in its model folder; (a file in the archive, its content, the link's text or none).
KEPT: dict[str, tuple[Callable[[Path], object], str, str, str]] = {
    "link to a folder": (link("latest", "3"), "latest/weights", "w", "latest -> 3"),
    "link to a file": (link("best", "3/weights"), "best", "w", "best -> 3/weights"),
    "link up to a file": (link("3/up", "../3/weights"), "3/up", "w", "3/up -> weights"),
    "absolute link within": (link("latest", "MODEL/3"), "latest/weights", "w", "latest -> 3"),
    "link below /opt/ml": (link("latest", "/opt/ml/model/3"), "latest/weights", "w", "latest -> 3"),
    "link by a way around": (link("latest", "../model/3"), "latest/weights", "w", "latest -> 3"),
    "link out of the model": (link("model.bin", "../output/cache/blob"), "model.bin", "outside", ""),
    "link to /opt/ml/output": (link("model.bin", "/opt/ml/output/cache/blob"), "model.bin", "outside", ""),
    "link to a folder outside": (link("cache", "../output/cache"), "cache/blob", "outside", ""),
    "link out of the job": (link("model.bin", "../../home/blob"), "model.bin", "far", ""),
    "hard link": (lambda model: (model / "hard").hardlink_to(model / "3/weights"), "hard", "w", ""),
    "empty file": (lambda model: (model / "empty").touch(), "empty", "", ""),
    "long name": (lambda model: put(model / LONG, "long"), LONG, "long", ""),
    "name not UTF-8": (
        lambda model: put(model / os.fsdecode(b"caf\xe9"), "latin"),
        os.fsdecode(b"caf\xe9"),
        "latin",
        "",
    ),
}


@pytest.mark.parametrize("case", KEPT)
def test_archive_holds_what_the_job_left(base: Path, tmp_path: Path, case: str) -> None:
    act, name, content, text = KEPT[case]
    act(base / "model")
    tree = Tree(base / "model", base, EVERYWHERE)
    found = unpacked(tree, tmp_path)

    assert (found / name).read_text() == content
    links = [f"{path.relative_to(found)} -> {path.readlink()}" for path in found.rglob("*") if path.is_symlink()]
    assert links == ([text] if text else [])
    assert tree.left_out == []


def test_archive_keeps_empty_folders_executable_bits_and_times(base: Path, tmp_path: Path) -> None:
    (base / "model/empty/within").mkdir(parents=True)
    program = put(base / "model/run", "#!/bin/sh")
    program.chmod(0o755)
    os.utime(program, (1_700_000_000, 1_700_000_000))
    found = unpacked(Tree(base / "model", base, EVERYWHERE), tmp_path)

    assert (found / "empty/within").is_dir()
    assert os.access(found / "run", os.X_OK)
    assert (found / "run").stat().st_mtime == 1_700_000_000


def test_archive_of_a_file_that_the_job_may_not_read_holds_it(base: Path, tmp_path: Path) -> None:
    (base / "model/3/weights").chmod(0o000)
    (base / "model/3").chmod(0o000)
    found = unpacked(Tree(base / "model", base, EVERYWHERE), tmp_path)

    with tarfile.open(tmp_path / "archive.tar.gz") as archive:
        assert archive.extractfile("3/weights").read() == b"w"  # type: ignore[union-attr]
    assert found.is_dir()


def fifo(model: Path) -> None:
    os.mkfifo(model / "odd")


def bound_socket(model: Path) -> None:
    here = Path.cwd()
    os.chdir(model)  # an address has room for 108 bytes
    try:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind("odd")
    finally:
        os.chdir(here)


LEFT_OUT: dict[str, tuple[Callable[[Path], None], Path | None, str]] = {
    "pipe": (fifo, None, "neither a file nor a folder"),
    "socket": (bound_socket, None, "neither a file nor a folder"),
    "dangling link": (link("odd", "../nothing"), None, "leads to nothing"),
    "link to itself outside": (link("odd", "../odd/../odd"), None, "leads to nothing"),
    "link to the root": (link("odd", "/"), None, "that holds it"),
    "link to the job's folder": (link("odd", ".."), None, "that holds it"),
    "link to a device": (link("odd", "/dev/zero"), None, "leads out of /opt/ml"),
    "container's link to this machine": (link("odd", "/etc/passwd"), Path("job"), "leads out of /opt/ml"),
    "container's link up to this machine": (link("odd", "../../home"), Path("job"), "leads out of /opt/ml"),
}


@pytest.mark.parametrize(("act", "reach", "reason"), LEFT_OUT.values(), ids=LEFT_OUT)
def test_what_cant_be_uploaded_is_named_and_the_rest_is_uploaded(
    base: Path, tmp_path: Path, act: Callable[[Path], None], reach: Path | None, reason: str
) -> None:
    act(base / "model")
    tree = Tree(base / "model", base, tmp_path / reach if reach else EVERYWHERE)
    found = unpacked(tree, tmp_path)

    assert [path.name for path in sorted(found.rglob("*"))] == ["3", "weights"]
    assert len(tree.left_out) == 1
    assert tree.left_out[0].startswith("odd ")
    assert reason in tree.left_out[0]
    assert [name for _, name in tree.files()] == ["3/weights"]


def test_container_cant_replace_its_folder_by_a_link_to_this_machine(base: Path, tmp_path: Path) -> None:
    (base / "output/data").symlink_to(tmp_path / "home")
    with pytest.raises(JobFailure, match="data is a link to"):
        Tree(base / "output/data", base, base).files()


@pytest.mark.parametrize("act", [fifo, link("odd", "../../home/blob"), link("odd", "nothing"), link("odd", "3")])
def test_only_a_file_of_the_job_is_its_message(base: Path, act: Callable[[Path], None]) -> None:
    act(base / "model")
    (base / "model/other").symlink_to("3/weights")

    assert read_message(base, "model/odd") == ""
    assert read_message(base, "model/3/weights") == read_message(base, "model/other") == "w"


def test_files_behind_links_are_uploaded_as_files_since_s3_has_no_links(base: Path) -> None:
    model = base / "model"
    (model / "latest").symlink_to("3")
    (model / "3/loop").symlink_to("..")
    (model / "3/best").symlink_to("weights")
    (model / "blob").symlink_to("../output/cache/blob")
    (model / "empty").mkdir()
    tree = Tree(model, base, base)

    names = ["3/best", "3/weights", "blob", "latest/best", "latest/weights"]
    assert sorted(name for _, name in tree.files()) == names
    assert [sentence.split()[0] for sentence in tree.left_out] == ["latest/loop", "3/loop"]


def test_walk_of_folders_that_link_to_each_other_ends(base: Path) -> None:
    model, names = base / "model", [f"d{number}" for number in range(12)]
    for name in names:
        put(model / name / "file", name)
    for name in names:
        for other in names:
            (model / name / f"to-{other}").symlink_to(f"../{other}")

    found = [name for _, name in Tree(model, base, base).files()]
    assert len(found) == 1 + 12 + 12 * 11


def test_folders_nested_deeply_are_uploaded_and_removed(base: Path, tmp_path: Path) -> None:
    names = ["a"] * 1100
    top = folder = base / "model"
    for name in names:
        folder = folder / name
        folder.mkdir()
    put(folder / "file", "deep")
    try:
        write_archive(Tree(top, base, EVERYWHERE), tmp_path / "deep.tar.gz")
    finally:
        remove_directory(top)
    assert not top.exists()
    with tarfile.open(tmp_path / "deep.tar.gz") as archive:
        assert "/".join([*names, "file"]) in archive.getnames()


LINKER = """
import os, pathlib
base = pathlib.Path(os.environ["SAGEMAKER_BASE_DIR"])
for folder in ("model", "output/data"):
    (base / folder / "3").mkdir()
    (base / folder / "3/weights").write_text("w")
    (base / folder / "latest").symlink_to("3")
    os.mkfifo(base / folder / "pipe")
"""


def test_jobs_archives_keep_links_and_its_log_names_what_they_lack(endpoint: "Endpoint") -> None:
    (endpoint.toy / "link.py").write_text(LINKER)
    specification = {**definition()["AlgorithmSpecification"], "ContainerEntrypoint": ["python", "link.py"]}
    endpoint.train("linked", AlgorithmSpecification=specification)
    job = endpoint.ended("training", "linked")
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")

    for name in ("model", "output"):
        with tarfile.open(fileobj=io.BytesIO(endpoint.read(f"out/linked/output/{name}.tar.gz"))) as archive:
            assert archive.getnames() == ["3", "latest", "3/weights"]
            assert archive.getmember("latest").linkname == "3"
    logs = endpoint.client("logs")
    sentence = "Not uploaded: pipe is neither a file nor a folder"

    def said() -> list[str]:
        with suppress(logs.exceptions.ResourceNotFoundException):
            events = logs.filter_log_events(logGroupName="/aws/sagemaker/TrainingJobs", filterPattern='"Not uploaded"')
            return [event["message"] for event in events["events"]]
        return []

    endpoint.eventually(lambda: said().count(sentence) == 2)


NAMER = """
import os, pathlib
model = pathlib.Path(os.environ["SAGEMAKER_BASE_DIR"], "model")
(model / os.fsdecode(b"caf\\xe9")).write_text("latin")
"""


def test_name_that_s3_cant_have_ends_the_job_with_a_sentence(endpoint: "Endpoint") -> None:
    (endpoint.toy / "name.py").write_text(NAMER)
    specification = {**definition()["AlgorithmSpecification"], "ContainerEntrypoint": ["python", "name.py"]}
    output = {"S3OutputPath": "s3://bench/out", "CompressionType": "NONE"}
    endpoint.train("named", AlgorithmSpecification=specification, OutputDataConfig=output)

    job = endpoint.ended("training", "named")
    assert job["TrainingJobStatus"] == "Failed"
    assert "caf\ufffd is not UTF-8, so S3 can't have it as a key. Rename the file." in job["FailureReason"]
    assert "codec" not in job["FailureReason"]
