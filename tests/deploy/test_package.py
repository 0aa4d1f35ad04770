"""What is sent to AWS: the functions with their wheels, the container's source, the template."""

import io
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from seedbed.bundle import CONTAINER, FUNCTIONS, PACKAGES, PREDICTIONS, TEMPLATE, code_of
from seedbed.deploy import functions
from seedbed.deploy.archive import digest, files_of, packed
from seedbed.deploy.deploy import BUILD_TEMPLATE
from seedbed.deploy.image import base_images
from seedbed.deploy.template import TemplateFile
from seedbed.errors import SeedbedError
from tests.children import run
from tests.contract.template import ROOT, Template
from tests.package.environments import OUT_OF_REACH

LARGEST_UNPACKED = 250_000_000
KNOWN = TemplateFile(TEMPLATE)
UPLOADED = {"functions/": "s3://room/functions/1.zip", "predictions/": "s3://room/predictions/2.zip"}


def fetched(uri: str = "functions/") -> dict[str, bytes]:
    """A package as a person's machine makes it; skips the test where the package index can't be reached."""
    try:
        return functions.package(uri, KNOWN)
    except SeedbedError as error:
        if re.search("connect|resolve|network|reach|dns", str(error), re.IGNORECASE):
            pytest.skip(OUT_OF_REACH.format(error))
        raise


@pytest.fixture(scope="module")
def package() -> dict[str, bytes]:
    return fetched()


def test_the_package_holds_the_functions_and_wheels_for_lambdas_python(package: dict[str, bytes]) -> None:
    native = [name for name in package if name.endswith(".so")]

    assert {"openapi.json", *(path.name for path in FUNCTIONS.glob("*.py"))} <= package.keys()
    assert "job_manager/domain/plan.py" in package
    assert native
    assert all("cpython-313-aarch64" in name or "abi3" in name for name in native)
    assert sum(map(len, package.values())) < LARGEST_UNPACKED


@pytest.fixture(scope="module")
def predictions() -> dict[str, bytes]:
    return fetched("predictions/")


def test_the_package_of_predictions_holds_the_trainers_code_and_wheels_for_x86_64(
    predictions: dict[str, bytes],
) -> None:
    native = [name for name in predictions if name.endswith(".so")]

    assert {"predict.py", "predictor/service.py", "trainer/decoding/images.py", "job_manager/settings.py"} <= set(
        predictions
    )
    assert any("onnxruntime" in name for name in native)
    assert all("cpython-313-x86_64" in name or "abi3" in name or "/" in name for name in native)
    assert sum(map(len, predictions.values())) < LARGEST_UNPACKED


def test_the_code_of_predictions_imports_nothing_that_its_package_lacks(tmp_path: Path) -> None:
    pinned = set(re.findall(r"^([a-z]+)==", requirements_of("predictions"), re.MULTILINE))
    for name, body in code_of(PREDICTIONS).items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(body)
    script = "import sys, predict, trainer.decoding.worker as w; print(w.__file__, *sys.modules)"

    loaded = run([sys.executable, "-P", "-c", script], env={**os.environ, "PYTHONPATH": str(tmp_path)})

    assert loaded.returncode == 0, loaded.stderr
    assert loaded.stdout.startswith(str(tmp_path))
    modules = {name.partition(".")[0] for name in loaded.stdout.split()[1:]}
    assert {"PIL", *pinned - {"pillow"}} <= modules
    assert not modules & {"aws_lambda_powertools", "cv2", "imagehash", "keras", "scipy", "starlette", "tensorflow"}


def test_the_package_holds_nothing_of_the_installers(package: dict[str, bytes]) -> None:
    assert not [name for name in package if name.startswith("bin/") or name.endswith(("INSTALLER", "RECORD", ".pyc"))]


@pytest.mark.skipif(shutil.which("uv", path=str(Path(sys.executable).parent)) is None, reason="uv is not installed")
def test_uv_makes_the_same_package_as_pip(package: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(functions, "find_spec", lambda _: None)

    assert digest(fetched()) == digest(package)


def test_neither_pip_nor_uv_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(functions, "find_spec", lambda _: None)
    monkeypatch.setattr(shutil, "which", lambda _: None)
    monkeypatch.setattr(sys, "executable", "/nowhere/python")

    with pytest.raises(SeedbedError, match=r"Install it: /nowhere/python -m ensurepip"):
        functions.packages(KNOWN)


def test_a_package_index_that_fails_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    failed = subprocess.CompletedProcess([], 1, "", "WARNING: retrying\nERROR: No matching distribution found\n")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: failed)

    with pytest.raises(SeedbedError, match=r"\(ERROR: No matching distribution found\)\. Check the connection"):
        functions.packages(KNOWN)


def test_requirements_of_the_functions_are_the_same_for_every_machine() -> None:
    lines = [line for folder in ("functions", "predictions") for line in requirements_of(folder).splitlines()]

    assert [line for line in lines if ";" in line] == [], "pip would judge a marker by the Python that runs here"


def requirements_of(folder: str) -> str:
    return (ROOT / folder / "requirements.txt").read_text(encoding="utf-8")


def has_code(resource: dict[str, Any]) -> bool:
    return "CodeUri" in resource.get("Properties", {})


def test_equal_files_make_equal_archives() -> None:
    files = {"b.py": b"2", "a/c.py": b"1"}
    reverse = dict(reversed(files.items()))

    assert packed(files) == packed(reverse)
    assert digest(files) == digest(reverse) != digest({**files, "b.py": b"3"})
    assert digest({"a": b"bc"}) != digest({"ab": b"c"})


def test_lambda_may_read_what_is_packed() -> None:
    with zipfile.ZipFile(io.BytesIO(packed({"a.py": b"1"}))) as archive:
        (entry,) = archive.infolist()

    assert entry.external_attr >> 16 == 0o100644


def test_the_containers_source_is_all_that_its_dockerfile_copies(tmp_path: Path) -> None:
    (tmp_path / "__pycache__").mkdir()
    for name in (".hidden", "__pycache__/a.pyc", "kept.txt"):
        (tmp_path / name).touch()

    assert {"Dockerfile", "requirements.txt", "trainer/__main__.py"} <= files_of(CONTAINER).keys()
    assert files_of(tmp_path).keys() == {"kept.txt"}


def test_official_images_are_taken_from_aws(tmp_path: Path) -> None:
    dockerfile = tmp_path / "Dockerfile"
    dockerfile.write_text(
        "ARG TAG=1\nFROM --platform=linux/amd64 python:3.12-slim AS build\nFROM build\nFROM ghcr.io/a/b:1\n"
        "from python:3.12-slim\nFROM debian:$TAG\nFROM scratch\n"
    )
    mirrored = "--build-context=python:3.12-slim=docker-image://public.ecr.aws/docker/library/python:3.12-slim"

    assert list(base_images(dockerfile)) == [mirrored]
    assert list(base_images(CONTAINER / "Dockerfile"))


@pytest.mark.parametrize("path", [TEMPLATE, BUILD_TEMPLATE], ids=["template", "build room"])
def test_the_template_is_sent_as_json_of_the_same_content(path: Path) -> None:
    assert json.loads(TemplateFile(path).as_json()) == Template(path).content


@pytest.mark.parametrize("path", [TEMPLATE, BUILD_TEMPLATE], ids=["template", "build room"])
def test_what_cloudformation_is_sent_passes_its_linter(path: Path, tmp_path: Path) -> None:
    sent = tmp_path / "sent.json"
    sent.write_text(TemplateFile(path).as_json(UPLOADED if path == TEMPLATE else {}), encoding="utf-8")
    linter = Path(sys.executable).with_name("cfn-lint")

    done = run(
        [linter, "--format", "parseable", "--non-zero-exit-code", "warning", "--regions", "us-east-1", "--", sent]
    )

    assert (done.returncode, done.stdout) == (0, ""), done.stderr


def test_the_functions_code_is_where_it_was_uploaded() -> None:
    sent = json.loads(KNOWN.as_json(UPLOADED))
    own = {name: one["Properties"]["CodeUri"] for name, one in sent["Resources"].items() if has_code(one)}

    assert sent["Globals"]["Function"]["CodeUri"] == UPLOADED["functions/"]
    assert own == {"Predictions": UPLOADED["predictions/"]}
    assert {code.uri for code in KNOWN.code} == UPLOADED.keys() == PACKAGES.keys()


def test_the_build_pushes_dockers_own_manifest_for_x86_64_to_its_repository_alone() -> None:
    room = Template(BUILD_TEMPLATE)
    project = room.resources["Build"]["Properties"]
    spec = yaml.safe_load(project["Source"]["BuildSpec"])
    (build, push) = spec["phases"]["build"]["commands"]
    statements = room.resources["BuildRole"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
    pushing = [each for each in statements if "ecr:PutImage" in each["Action"]]

    assert "--platform linux/amd64 --provenance=false --output type=docker" in build
    assert push.endswith('"$REPOSITORY:$TAG"')
    assert project["Environment"]["Type"] == "LINUX_CONTAINER"
    assert [each["Resource"] for each in pushing] == [{"Fn::GetAtt": ["Repository", "Arn"]}]
    assert [each["Action"] for each in statements if each["Resource"] == "*"] == ["ecr:GetAuthorizationToken"]
