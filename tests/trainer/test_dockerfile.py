"""SageMaker's requirements of an image, checked in the Dockerfile without a container engine."""

import json
import re
from pathlib import Path

CONTAINER = Path(__file__).parents[2] / "training_container"


def instructions() -> list[tuple[str, str]]:
    text = re.sub(r"\\\n\s*", "", (CONTAINER / "Dockerfile").read_text())
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    return [(line.split(None, 1)[0].upper(), line.split(None, 1)[1]) for line in lines]


def test_the_entrypoint_is_in_exec_form_so_signals_reach_the_trainer() -> None:
    entrypoints = [json.loads(value) for name, value in instructions() if name == "ENTRYPOINT"]
    assert entrypoints == [["python", "-m", "trainer"]]
    assert not any(name == "CMD" for name, _ in instructions())


def test_the_image_has_no_files_below_opt_ml() -> None:
    assert not any("/opt/ml" in value for _, value in instructions())


def test_packages_are_pinned_by_hash() -> None:
    installs = [value for name, value in instructions() if name == "RUN" and "pip install" in value]
    assert installs
    assert all("--require-hashes" in install and "-r ${REQUIREMENTS}" in install for install in installs)
    assert ("ARG", "REQUIREMENTS=requirements.txt") in instructions()


def test_every_folder_of_packages_in_the_image_was_cleaned_first() -> None:
    (clean,) = [value for name, value in instructions() if name == "RUN" and "rm -rf" in value]
    python = re.search(r"^python:([0-9.]+)-", next(value for name, value in instructions() if name == "FROM"))

    assert python
    assert f"lib/python{python[1]}/site-packages" in clean
    assert all(folder in clean for folder in ("-name include", "-name tests"))


def test_all_copied_files_exist() -> None:
    for name, value in instructions():
        if name == "COPY" and not value.startswith("--from="):
            assert all((CONTAINER / source).exists() for source in value.split()[:-1])
