"""The wheel, installed by itself: what is in it, and that commands run without a checkout."""

import json
import tarfile
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from seedbed.cli import COMMANDS, EXTRAS
from seedbed.seedlings import draw
from tests.children import run
from tests.clients.test_seedbed_sagemaker import Command
from tests.contract.template import ROOT
from tests.package.environments import Environment, uv_with_index
from tests.sagemaker.toy_endpoint import definition

BUNDLED = ("functions", "predictions", "training_container")
NOT_PACKED = {"__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache"}
MOST_MEGABYTES = 150
OFFLINE = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_SESSION_TOKEN": ""}
ARGUMENTS = {"sagemaker": ("--image", "a=b"), "predict": ("photo.jpg",), "import": ("x.pkl", "y.pkl")}
EXPLAINED = """
import sys
from typer.testing import CliRunner
from seedbed.cli import app
for command in sys.argv[1:]:
    done = CliRunner().invoke(app, [command, "--help"], prog_name="seedbed")
    assert (done.exit_code, done.stderr) == (0, ""), done.output
    assert f"Usage: seedbed {command}" in done.stdout, done.stdout
    print(command)
"""
SPECIES = ("Maize", "Small-flowered Cranesbill", "Loose Silky-bent")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist, the wheel made of it, and below `direct` the wheel made of the checkout."""
    folder = tmp_path_factory.mktemp("dist")
    uv_with_index("build", "--quiet", "--out-dir", folder)
    uv_with_index("build", "--quiet", "--wheel", "--out-dir", folder / "direct")
    return folder


@pytest.fixture(scope="module")
def wheel(built: Path) -> Path:
    return next(built.glob("*.whl"))


@pytest.fixture(scope="module")
def base(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    environment = Environment.made(tmp_path_factory.mktemp("base"))
    environment.install(wheel)
    return environment


@pytest.fixture(scope="module")
def laptop(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    environment = Environment.made(tmp_path_factory.mktemp("laptop"))
    environment.install_among_the_tests_packages(wheel)
    return environment


def packed(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def files_below(folder: Path) -> set[str]:
    found = (path for path in folder.rglob("*") if path.is_file() and not NOT_PACKED & set(path.parts))
    return {path.relative_to(ROOT).as_posix() for path in found}


def test_the_sdist_builds_the_same_wheel_as_the_checkout(built: Path, wheel: Path) -> None:
    assert packed(wheel) == packed(next((built / "direct").glob("*.whl")))


def test_the_wheel_holds_all_that_runs_and_no_more(wheel: Path) -> None:
    names = {name for name in packed(wheel) if ".dist-info/" not in name}
    bundled = {f"seedbed/bundled/{name}" for folder in BUNDLED for name in files_below(ROOT / folder)}

    assert names == files_below(ROOT / "seedbed") | bundled | {"seedbed/bundled/template.yaml"}


def test_the_sdist_holds_no_tests(built: Path) -> None:
    with tarfile.open(next(built.glob("*.tar.gz"))) as archive:
        folders = {name.split("/")[1] for name in archive.getnames()}

    assert "template.yaml" in folders
    assert not folders & {"tests", "benchmarks", "docs"}


def test_the_base_is_small(base: Environment) -> None:
    size = sum(path.stat().st_size for path in base.packages.rglob("*") if path.is_file())

    assert size < MOST_MEGABYTES * 10**6


def test_the_base_says_its_version(base: Environment) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    assert base.run("--version").stdout == f"seedbed {project['version']}\n"


@pytest.mark.parametrize("command", ["", "demo", "dlq"])
def test_the_base_explains_itself(base: Environment, command: str) -> None:
    done = base.run(*command.split(), "--help")

    assert (done.returncode, done.stderr) == (0, "")
    assert "Usage: seedbed" in done.stdout


def test_the_base_explains_every_command(base: Environment) -> None:
    done = run([base.python, "-c", EXPLAINED, *COMMANDS], cwd=base.current)

    assert (done.returncode, done.stderr, done.stdout.split()) == (0, "", [*COMMANDS])


@pytest.mark.parametrize(("command", "extra"), EXTRAS.items())
def test_the_base_names_the_extra_that_a_command_needs(base: Environment, command: str, extra: str) -> None:
    done = base.run(command, *ARGUMENTS.get(command, ()))

    said = f"Error: seedbed {command} needs the extra `{extra}`: pip install 'seedbed[{extra}]'\n"
    assert (done.returncode, done.stdout, done.stderr) == (1, "", said)


def test_the_base_asks_aws(base: Environment) -> None:
    done = base.run("runs", "--aws", "mine", **OFFLINE)

    assert (done.returncode, done.stdout) == (1, "")
    assert "The stack mine can't be used: No AWS credentials were found." in done.stderr


def test_the_base_deploys_as_far_as_it_can_without_an_account(base: Environment) -> None:
    done = base.run("deploy", "--email", "me@example.org", "--set", "TrialCount=5", **OFFLINE)

    assert (done.returncode, done.stdout) == (1, "")
    assert "Your AWS account can't be used: No AWS credentials were found." in done.stderr


def test_the_base_says_what_a_run_is_expected_to_cost(base: Environment) -> None:
    done = base.run("cost")

    assert (done.returncode, done.stderr) == (0, "")
    assert "List prices in us-east-1 on" in done.stdout


@pytest.fixture
def endpoint(wheel: Path, tmp_path: Path) -> Iterator[Command]:
    """`seedbed sagemaker` of an environment that has the extra `sagemaker` alone."""
    environment = Environment.made(tmp_path)
    environment.install(wheel, "sagemaker")
    assert not (environment.packages / "tensorflow").exists()
    with Command(environment.current, [environment.seedbed, "sagemaker"]).running() as command:
        yield command


def test_the_extra_sagemaker_runs_a_training_job(endpoint: Command) -> None:
    endpoint.client("s3").create_bucket(Bucket="bench")
    endpoint.client("sagemaker").create_training_job(TrainingJobName="done", **definition())

    endpoint.wait_for(lambda: endpoint.status("done") == "Completed")


def test_the_extra_laptop_runs_the_whole_flow(laptop: Environment, tmp_path: Path) -> None:
    for species in SPECIES:
        (tmp_path / species).mkdir()
        for number in range(24):
            draw(species, number, 96).save(tmp_path / species / f"{number}.png")
    demo = laptop.run("demo", "--images", tmp_path, "--trials", "1")
    assert demo.returncode == 0, demo.stdout + demo.stderr

    best = json.loads(laptop.run("best", "--json").stdout)
    assert best["dataset"]["used"] == 24 * len(SPECIES)
    labelled = laptop.run("predict", tmp_path / "Maize" / "0.png")
    assert labelled.returncode == 0, labelled.stderr
    assert labelled.stdout.startswith("file,label,confidence,sure\n")
