"""README.md and docs/aws.md are true: their commands run in the order in which they stand, and print what is shown."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import typer

from seedbed.cli import app
from tests.contract.template import ROOT
from tests.readme.commands import Command, commands, missing
from tests.readme.workspace import Workspace, way_of

README = ROOT / "README.md"
ON_AWS = ROOT / "docs" / "aws.md"
TEXT = README.read_text(encoding="utf-8")
PROSE = re.sub(r"^```.*?^```$", "", TEXT, flags=re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    workspace = Workspace(tmp_path_factory.mktemp("reader"))
    try:
        yield workspace
        workspace.leave(None)
    finally:
        workspace.end()


@pytest.mark.parametrize("command", [*commands(README), *commands(ON_AWS)], ids=str)
def test_a_command_of_the_readme_does_what_is_shown(workspace: Workspace, command: Command) -> None:
    workspace.leave(command.section)
    way_of(command)(workspace, command)


def test_a_command_that_nobody_can_run_fails() -> None:
    with pytest.raises(pytest.fail.Exception, match="No way to run it is known"):
        way_of(Command("rm -rf /", (), 1, ""))


@pytest.mark.parametrize(
    ("shown", "lacking"),
    [
        (("Tune ━━━━ 8/8 0:00:22 best so far 99.1%", "Evaluate"), None),
        (("Prepare", "Evaluate"), "Evaluate"),
        (("Prepare", "…", "Evaluate"), None),
        (("…", "Evaluate", "Prepare"), "Prepare"),
        (("Pre…", "Tune … so far …%"), None),
        (("Prepare", "Tune ━━ 12/12 0:01:00 best so far ninety"), "Tune ━━ 12/12 0:01:00 best so far ninety"),
    ],
)
def test_what_is_shown_is_compared_but_for_numbers_and_what_is_left_out(
    shown: tuple[str, ...], lacking: str | None
) -> None:
    screen = ["Tune ━━━━━━━━ 12/12 0:01:10 best so far 98%", "Evaluate"]
    screen = screen if shown[0].startswith("Tune") else ["Prepare", *screen]
    assert missing(shown, screen) == lacking


@pytest.mark.parametrize("words", sorted(set(re.findall(r"`(seedbed [^`]+)`", PROSE))))
def test_a_command_in_the_prose_exists_with_its_options(words: str) -> None:
    command: Any = typer.main.get_command(app)
    for word in words.split()[1:]:
        if hasattr(command, "commands"):
            assert word in command.commands, words
            command = command.commands[word]
        elif word.startswith("--"):
            assert word in {name for option in command.params for name in option.opts}, words


@pytest.mark.parametrize("row", re.findall(r"^\|.*\]\(docs/.*\|$", PROSE, re.MULTILINE))
def test_a_measured_figure_stands_in_the_page_that_is_linked(row: str) -> None:
    said, page = re.findall(r"^\|(.*)\| \[.*\]\((.*)\) \|$", row)[0]
    source = (ROOT / page).read_text(encoding="utf-8")
    for figure in re.findall(r"\d+(?:[.,]\d+)*%?", said.split("|")[-1]):
        share = f"{float(figure[:-1]) / 100:.3f}" if figure.endswith("%") else figure
        assert re.search(rf"(?<![\d.,]){re.escape(share)}(?![\d])|{re.escape(figure)}", source), f"{figure} in {page}"


def test_every_picture_and_link_leads_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)", TEXT):
        assert (ROOT / target).exists(), target
