"""The ranges of pyproject.toml, the pins of requirements/, and the imports of the code belong together."""

import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from itertools import chain

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from seedbed.platforms import NEWEST, OLDEST
from tests.contract.template import ROOT
from tools.architecture.imports import imports, modules

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = {name: list(map(Requirement, lines)) for name, lines in PROJECT["optional-dependencies"].items()}
BASE = list(map(Requirement, PROJECT["dependencies"]))
CLOUD = ("functions/requirements", "training_container/requirements", "training_container/requirements-gpu")
PINNED = ["requirements/laptop.txt", "requirements/dev.txt", *(f"{name}.txt" for name in CLOUD)]
SAME_CODE = {"tensorflow-cpu": "tensorflow"}
PIN = re.compile(r"^([\w.-]+)==([\w.]+)", re.MULTILINE)
OUR_OWN = {"seedbed", "trainer", "job_manager"}
TYPES_ALONE = "mypy_boto3"
ARRIVES_WITH = {"botocore": "boto3"}


def with_inner(extra: str) -> list[Requirement]:
    """All that an extra adds, the extras in it included."""
    inner = [with_inner(name) for requirement in EXTRAS[extra] for name in requirement.extras]
    return [*(one for one in EXTRAS[extra] if one.name != "seedbed"), *chain.from_iterable(inner)]


ALL = [*BASE, *with_inner("laptop")]


@pytest.mark.parametrize("file", PINNED)
def test_pins_lie_within_the_declared_ranges(file: str) -> None:
    pins = PIN.findall((ROOT / file).read_text(encoding="utf-8"))
    ranges: dict[str, list[Requirement]] = {}
    for requirement in ALL:
        ranges.setdefault(canonicalize_name(requirement.name), []).append(requirement)
    outside = [
        f"{name}=={version}"
        for name, version in pins
        if name in ranges and not any(requirement.specifier.contains(version) for requirement in ranges[name])
    ]

    assert pins
    assert outside == []


def test_everything_declared_is_pinned_for_a_laptop() -> None:
    pinned = {name for name, _ in PIN.findall((ROOT / "requirements/laptop.txt").read_text(encoding="utf-8"))}

    assert {canonicalize_name(requirement.name) for requirement in ALL} - pinned == set()


def asked_for(name: str) -> set[str]:
    """The packages that a .in file asks for."""
    lines = (ROOT / f"{name}.in").read_text(encoding="utf-8").splitlines()
    return {Requirement(line).name for line in lines if line and not line.startswith("#")}


@pytest.mark.parametrize("name", CLOUD)
def test_the_laptop_has_all_that_runs_in_the_cloud(name: str) -> None:
    wanted = {SAME_CODE.get(package, package) for package in asked_for(name)}

    assert wanted - {requirement.name for requirement in ALL} == set()


def test_the_image_with_a_gpu_differs_in_tensorflow_alone() -> None:
    plain, gpu = (asked_for(name) for name in CLOUD[1:])

    assert plain ^ gpu == {"tensorflow-cpu"}


def test_an_image_without_a_gpu_has_no_cuda() -> None:
    plain, gpu = ((ROOT / f"{name}.txt").read_text(encoding="utf-8") for name in CLOUD[1:])

    assert "nvidia-" not in plain
    assert re.search(r"^tensorflow-cpu==.*platform_machine == 'x86_64'", plain, re.MULTILINE)
    assert "nvidia-cudnn" in gpu


@pytest.mark.parametrize(("folder", "package"), [("", "seedbed"), ("functions", ""), ("training_container", "trainer")])
def test_every_library_that_is_imported_is_declared(folder: str, package: str) -> None:
    found = modules(ROOT / folder / package)
    imported = {
        name.split(".")[0] for module, path in found.items() for name in imports(f"{package}.{module}".strip("."), path)
    }
    others = imported - sys.stdlib_module_names - OUR_OWN - {module for module in found if not package}
    declared = {canonicalize_name(one.name) for one in chain(BASE, *map(with_inner, EXTRAS))}

    undeclared = {name for name in others if not name.startswith(TYPES_ALONE) and not packages_of(name) & declared}
    assert others
    assert undeclared == set()


def packages_of(module: str) -> set[str]:
    """The packages that a module may be of, as the index spells them."""
    found = packages_distributions().get(module, [])
    return {canonicalize_name(name) for name in (*found, ARRIVES_WITH.get(module, module))}


def test_the_ranges_of_python_are_the_same_everywhere() -> None:
    assert PROJECT["requires-python"] == f">={OLDEST[0]}.{OLDEST[1]},<{NEWEST[0]}.{NEWEST[1] + 1}"
