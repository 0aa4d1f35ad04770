"""What a person reads where an extra is missing, or on a machine that Seedbed does not run on."""

import platform
import sys
from importlib import metadata
from pathlib import Path

import pytest

import seedbed
from seedbed import extras, platforms
from seedbed.cli import EXTRAS
from seedbed.errors import SeedbedError
from tests.children import run

CHECKOUT = Path(seedbed.__file__).parents[1]
REQUIRES = [
    "boto3>=1.40",
    "numpy>=1.26; extra == 'import'",
    "no-such-package>=1; (sys_platform != 'win32') and extra == 'sagemaker'",
    'seedbed[import,sagemaker]; extra == "laptop"',
    "tensorflow==2.21.*; extra == 'laptop'",
]
OLD_PYTHONS = ("3.6", "3.8", "3.10")


@pytest.fixture
def declared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extras, "requires", lambda _: REQUIRES)


@pytest.mark.usefixtures("declared")
def test_an_extra_adds_what_the_extras_in_it_add() -> None:
    assert list(extras.packages_of("laptop")) == ["numpy", "no-such-package", "tensorflow"]


@pytest.mark.usefixtures("declared")
def test_an_installed_extra_passes() -> None:
    extras.need("import", "seedbed import")


@pytest.mark.usefixtures("declared")
@pytest.mark.parametrize("extra", ["laptop", "sagemaker"])
def test_a_missing_extra_is_named_with_how_to_install_it(extra: str) -> None:
    with pytest.raises(SeedbedError) as refused:
        extras.need(extra, "seedbed up")

    assert str(refused.value) == f"seedbed up needs the extra `{extra}`: pip install 'seedbed[{extra}]'"


@pytest.mark.usefixtures("declared")
def test_a_machine_without_tensorflow_is_told_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "riscv64")

    with pytest.raises(
        SeedbedError, match=r"^seedbed up can't run on this machine\. TensorFlow has no wheels for riscv64"
    ):
        extras.need("laptop", "seedbed up")


@pytest.mark.parametrize(
    ("system", "processor", "libc", "python", "said"),
    [
        ("Linux", "x86_64", "glibc", (3, 13), ""),
        ("Linux", "aarch64", "glibc", (3, 11), ""),
        ("Linux", "x86_64", "musl", (3, 12), "without glibc"),
        ("Linux", "x86_64", "", (3, 12), "without glibc"),
        ("Linux", "ppc64le", "glibc", (3, 12), "ppc64le"),
        ("Darwin", "arm64", "", (3, 13), ""),
        ("Darwin", "x86_64", "", (3, 12), ""),
        ("Darwin", "x86_64", "", (3, 13), "Python 3.12"),
    ],
)
def test_tensorflow_is_known_to_lack_wheels(  # noqa: PLR0917
    monkeypatch: pytest.MonkeyPatch, system: str, processor: str, libc: str, python: tuple[int, int], said: str
) -> None:
    monkeypatch.setattr(platform, "system", lambda: system)
    monkeypatch.setattr(platform, "machine", lambda: processor)
    monkeypatch.setattr(platform, "libc_ver", lambda: (libc, ""))
    monkeypatch.setattr(sys, "version_info", python)

    found = platforms.obstacle_to_tensorflow()
    assert said in found
    assert bool(found) == bool(said)


@pytest.mark.parametrize("python", [(3, 10), (3, 14)])
def test_another_python_is_an_obstacle(monkeypatch: pytest.MonkeyPatch, python: tuple[int, int]) -> None:
    monkeypatch.setattr(sys, "version_info", python)

    assert platforms.obstacle().startswith("Seedbed needs Python 3.11, 3.12 or 3.13")


@pytest.mark.parametrize("version", OLD_PYTHONS)
def test_an_older_python_says_in_one_sentence_what_it_lacks(version: str) -> None:
    python = next(Path.home().glob(f".pyenv/versions/{version}.*/bin/python"), None)
    if python is None:
        pytest.skip(f"There is no Python {version} here, as pyenv installs it.")
    done = run([python, "-m", "seedbed", "runs"], cwd=CHECKOUT)

    assert done.returncode == 1
    assert done.stderr.startswith("Error: Seedbed needs Python 3.11, 3.12 or 3.13, and ")
    assert done.stderr.count("\n") == 1


def test_every_extra_of_a_command_is_declared() -> None:
    of_options = {"optuna", "parquet", "tensorboard"}
    assert {*EXTRAS.values(), *of_options} == set(metadata.metadata("seedbed").get_all("Provides-Extra") or [])


def test_the_version_is_the_installed_ones() -> None:
    done = run([sys.executable, "-m", "seedbed", "--version"])

    assert done.stdout == f"seedbed {metadata.version('seedbed')}\n"


def test_a_deleted_current_folder_is_a_sentence(tmp_path: Path) -> None:
    script = 'mkdir gone; cd gone; rmdir ../gone; exec "$0" best'
    program = Path(sys.executable).with_name("seedbed")
    done = run(["sh", "-c", script, program], cwd=tmp_path)

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "Error: The current folder was deleted: change to another one, then run this again.\n"
