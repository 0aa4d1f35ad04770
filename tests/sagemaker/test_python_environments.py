"""What an image or a job installs with pip reaches neither Seedbed's Python nor another image's."""

import subprocess
import sys
import zipfile
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest

from seedbed.local_cloud.sagemaker.containers.images import own_search_path
from seedbed.local_cloud.sagemaker.containers.pip_lines import installations
from seedbed.local_cloud.sagemaker.containers.stages import last_stage

from .toy_endpoint import Endpoint, definition

LEAF = "seedbed_test_leaf"
DOCKERFILE = f"""FROM python:3.12-slim
WORKDIR /app
COPY . .
RUN apt-get update && pip3 install --no-cache-dir --no-index -f wheels {LEAF}==1.0
ENTRYPOINT ["python3.8", "train.py"]
"""
TRAIN = f"""
import os, pathlib, subprocess, sys
import numpy, {LEAF}

ours = [{LEAF}.VERSION]
subprocess.run(["pip", "install", "-q", "--no-index", "-f", "wheels", "{LEAF}==2.0"], check=True)
ours.append(subprocess.check_output(["python", "-c", "import {LEAF}; print({LEAF}.VERSION)"], text=True).strip())
pathlib.Path(os.environ["SAGEMAKER_BASE_DIR"], "model/seen.txt").write_text(" ".join(ours))
print("saw", *ours, os.environ["VIRTUAL_ENV"])
"""
PLAIN = f"""
import importlib.util
assert importlib.util.find_spec("{LEAF}") is None
print("no leaf")
"""


def wheel(folder: Path, number: str) -> None:
    """A package of one module, which says its version."""
    information = f"{LEAF}-{number}.dist-info"
    folder.mkdir(exist_ok=True)
    with zipfile.ZipFile(folder / f"{LEAF}-{number}-py3-none-any.whl", "w") as packed:
        packed.writestr(f"{LEAF}.py", f"VERSION = {number!r}\n")
        packed.writestr(f"{information}/METADATA", f"Metadata-Version: 2.1\nName: {LEAF}\nVersion: {number}\n")
        packed.writestr(f"{information}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        packed.writestr(f"{information}/RECORD", "")


def image(folder: Path, train: str, dockerfile: str) -> Path:
    folder.mkdir()
    (folder / "Dockerfile").write_text(dockerfile)
    (folder / "train.py").write_text(train)
    return folder


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    folder = tmp_path_factory.mktemp("environments")
    with_leaf = image(folder / "leaf", TRAIN, DOCKERFILE)
    for number in ("1.0", "2.0"):
        wheel(with_leaf / "wheels", number)
    without = DOCKERFILE.replace(f"{LEAF}==1.0", "no-such-package")
    images = {
        "leaf": with_leaf,
        "plain": image(folder / "plain", PLAIN, 'FROM x\nCOPY . .\nENTRYPOINT ["python", "train.py"]\n'),
        "missing": image(folder / "missing", PLAIN, without),
    }
    server = Endpoint(folder, images=images)
    yield server
    server.end()


def run(endpoint: Endpoint, name: str, repository: str) -> str:
    """The log of a job of an image, which completes."""
    asked = definition()
    asked["AlgorithmSpecification"] = {"TrainingImage": repository, "TrainingInputMode": "File"}
    endpoint.sagemaker.create_training_job(TrainingJobName=name, **asked)
    ended = endpoint.ended("training", name)
    assert ended["TrainingJobStatus"] == "Completed", ended["FailureReason"]
    return endpoint.log("training-job", name)


def test_a_job_has_what_its_image_installs_and_keeps_what_it_installs_to_itself(endpoint: Endpoint) -> None:
    first, second = (run(endpoint, name, "leaf") for name in ("first", "second"))
    assert "saw 1.0 2.0" in first
    assert "saw 1.0 2.0" in second
    with pytest.raises(PackageNotFoundError):
        version(LEAF)
    seen = subprocess.run([sys.executable, "-c", f"import {LEAF}"], capture_output=True, check=False)
    assert seen.returncode == 1
    assert "no leaf" in run(endpoint, "other", "plain")


def test_an_images_packages_are_installed_once_and_a_jobs_are_removed(endpoint: Endpoint) -> None:
    run(endpoint, "again", "leaf")
    images = (endpoint.data_dir / "sagemaker/environments/images").iterdir()
    [kept] = [path for path in images if list(path.rglob(f"{LEAF}.py"))]
    before = (kept / "complete").stat().st_mtime_ns
    run(endpoint, "once-more", "leaf")
    assert (kept / "complete").stat().st_mtime_ns == before
    assert list((endpoint.data_dir / "sagemaker/environments/jobs").iterdir()) == []


def test_what_can_not_be_installed_is_told_and_the_job_goes_on(endpoint: Endpoint) -> None:
    log = run(endpoint, "goes-on", "missing")
    assert "no-such-package` failed, so the job has what Seedbed has: ERROR: No matching distribution" in log
    assert "no leaf" in log


@pytest.mark.parametrize(
    ("line", "arguments"),
    [
        ("RUN pip install numpy==1.26 'scipy>=1'", [["numpy==1.26", "scipy>=1"]]),
        ("RUN pip install --no-cache-dir -U -q keras", [["keras"]]),
        ("RUN python3 -m pip install a && /opt/conda/bin/pip install b; pip3.9 install c", [["a"], ["b"], ["c"]]),
        ("RUN uv pip install --system a", [["a"]]),
        ('RUN ["pip", "install", "a", "b[x]"]', [["a", "b[x]"]]),
        ("ARG V=2\nRUN pip install a==$V", [["a==2"]]),
        ("RUN pip install \\\n    a \\\n    b", [["a", "b"]]),
        ("RUN pip install --upgrade pip setuptools wheel", []),
        ("RUN pip install . ./local git+https://example.org/x a.whl", []),
        (
            "RUN pip install --target /opt/x --index-url=https://example.org a",
            [["--index-url", "https://example.org", "a"]],
        ),
        ("RUN pip install 'a", []),
        ("RUN [ -f a ] || [ -f b ]", []),
        ("RUN echo pip uninstall a", []),
        ("RUN pip install", []),
        ("RUN pip install -r gone.txt", []),
    ],
)
def test_what_a_dockerfile_installs(line: str, arguments: list[list[str]], tmp_path: Path) -> None:
    stage = last_stage(f"FROM x\n{line}\n", tmp_path, own_search_path())
    assert [list(one.arguments) for one in installations(stage)] == arguments


def test_a_file_of_requirements_is_found_where_the_image_copied_it(tmp_path: Path) -> None:
    (tmp_path / "needs.txt").write_text("a\n")
    text = "FROM x AS one\nWORKDIR /app\nCOPY needs.txt .\nRUN pip install -rneeds.txt\nFROM one\nRUN pip install b\n"
    first, second = installations(last_stage(text, tmp_path, own_search_path()))
    assert first.arguments == ("--requirement", str(tmp_path / "needs.txt"))
    assert first.files == (tmp_path / "needs.txt",)
    assert second.arguments == ("b",)
