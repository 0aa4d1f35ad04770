"""Whatever is wrong with how a command is given, or with the disk, a person reads one sentence about it."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from seedbed.cli import COMMANDS
from tests.disks import filled, small_disk
from tests.seedbed.commands import Person, every_command, parameters_of, with_arguments

WALKED = [pytest.param(words, id=" ".join(words)) for words in every_command()]
STARTS_NOTHING = {"upload", "import", "deploy", "undeploy"}
NEEDS_SOMETHING = [each for each in WALKED if each.id not in {"cost", "doctor"}]
"""`cost` has its own answer without arguments, and the doctor's results are what is wrong: tests/doctor has it."""

SHOWS_WHAT_IT_CAN = {"dashboard"}
"""Its page says what is wrong with the cloud, and recovers when that does."""


@pytest.fixture
def person(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Person:
    """Somebody whose home can't be made, as a file is in its place, and who is not signed in to AWS."""
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    (tmp_path / "file").touch()
    monkeypatch.setenv("SEEDBED_HOME", str(tmp_path / "file" / "home"))
    monkeypatch.chdir(tmp_path)
    return Person(monkeypatch, capsys)


def test_every_command_is_walked() -> None:
    assert {words[0] for words in every_command()} == {*COMMANDS, "dlq"}


@pytest.mark.parametrize("words", NEEDS_SOMETHING)
def test_a_command_without_arguments_is_refused_in_a_sentence(person: Person, words: tuple[str, ...]) -> None:
    incomplete = any(parameter.required for parameter in parameters_of(words))
    ports = ["--port", "0"] if words[0] in {"up", "serve", "dashboard"} else []

    person.runs(*words, *ports).assert_is_sentence(status=2 if incomplete else 1)


@pytest.mark.parametrize("words", WALKED)
def test_an_unknown_option_is_refused_in_a_sentence(person: Person, words: tuple[str, ...], tmp_path: Path) -> None:
    person.runs(*with_arguments(words, tmp_path), "--no-such-option").assert_is_sentence(status=2)


@pytest.mark.parametrize("words", WALKED)
def test_too_many_arguments_are_refused_in_a_sentence(person: Person, words: tuple[str, ...], tmp_path: Path) -> None:
    takes_any = any(parameter.nargs == -1 for parameter in parameters_of(words))

    outcome = person.runs(*with_arguments(words, tmp_path), *map(str, range(9)))

    outcome.assert_is_sentence(status=1 if takes_any else 2)


@pytest.mark.parametrize("words", [(), ("foo",), ("dlq",), ("dlq", "foo"), ("\x1b[31mfoo[red]",), ("--frob",), ("",)])
def test_no_or_an_unknown_command_is_refused_with_a_list(person: Person, words: tuple[str, ...]) -> None:
    outcome = person.runs(*words)

    outcome.assert_is_sentence(status=2)
    assert ("redrive" if words[:1] == ("dlq",) else "upload") in outcome.notes


@pytest.mark.parametrize(
    "words",
    [
        "up --trials 0",
        "up --trials 751",
        "up --trials many",
        "demo --plan best",
        "up --plan ''",
        "up --port 99999",
        "serve --port -1",
        "sagemaker --image a=b --port 1e3",
        "sagemaker --image a=b --containers podman",
        "sagemaker --image a=b --instances 0",
        "best --aws",
        "best --aws=",
        "best --aws=a_b",
        "best --aws=-",
        "dlq list --aws=1st",
        "upload x --aws=é",
        "best --json=yes",
    ],
)
def test_a_value_out_of_range_is_refused_in_a_sentence(person: Person, words: str) -> None:
    outcome = person.runs(*words.replace("''", "").split(" "))

    outcome.assert_is_sentence(status=2)
    assert words.rsplit("--", maxsplit=1)[-1].split(maxsplit=1)[0].split("=", maxsplit=1)[0] in outcome.notes


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A small disk with a home that was used."""
    with small_disk(tmp_path_factory.mktemp("small") / "disk", 2) as disk:
        (disk / "home" / "sagemaker").mkdir(parents=True)
        (disk / "home" / "made-by-seedbed.json").write_text('{"kind": "own", "drawn": []}')
        (disk / "image").mkdir()
        (disk / "image" / "Dockerfile").write_text('FROM scratch\nENTRYPOINT ["true"]\n')
        yield disk


@pytest.fixture(params=["full", "read-only"])
def spoiled(request: pytest.FixtureRequest, disk: Path) -> Iterator[Path]:
    """The disk, on which nothing more can be written."""
    if request.param == "full":
        with filled(disk):
            yield disk
        return
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    try:
        yield disk
    finally:
        subprocess.run(["mount", "-o", "remount,rw", disk], check=True)


@pytest.mark.parametrize("words", [each for each in NEEDS_SOMETHING if each.id not in SHOWS_WHAT_IT_CAN])
def test_a_home_that_cant_be_written_is_a_sentence(
    person: Person, words: tuple[str, ...], spoiled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(spoiled)
    for home in (spoiled / "home", spoiled / "new"):
        monkeypatch.setenv("SEEDBED_HOME", str(home))

        outcome = person.runs(*with_arguments(words, spoiled))

        outcome.assert_is_sentence(status=1)
        assert str(spoiled) in outcome.notes or words[0] in STARTS_NOTHING


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        ("image.png --csv .", 1, ". is a folder. Name a file in it."),
        ("image.png --csv nowhere/x.csv", 1, "nowhere/x.csv can't be written: its folder does not exist."),
        ("image.png --submission file/x.csv", 1, "file/x.csv can't be written: its folder does not exist."),
        ("nowhere.png", 1, "nowhere.png does not exist"),
        ("image.png --csv a --submission b", 2, "Choose one of --csv and --submission."),
    ],
)
def test_labels_that_cant_be_written_are_refused_before_all_else(
    person: Person, tmp_path: Path, words: str, status: int, said: str
) -> None:
    (tmp_path / "image.png").touch()

    outcome = person.runs("predict", *words.split())

    outcome.assert_is_sentence(status)
    assert said in outcome.notes
