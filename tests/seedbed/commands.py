"""Every command of the program, run in this process as a person's shell would run it."""

import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import typer

from seedbed import cli

NOT_FOR_PEOPLE = re.compile(r"Traceback|Errno|\b[A-Z]\w*(?:Error|Exception)\b|Unexpected|\x1b")
ANY_PORT = {"dashboard", "up", "sagemaker", "serve"}


@dataclass(frozen=True)
class Outcome:
    """What a command left: its exit status, and what it printed."""

    status: int
    output: str
    notes: str

    def assert_is_sentence(self, status: int) -> None:
        """It failed with this status, printed no results, and one sentence at the end of standard error."""
        assert (self.status, self.output) == (status, ""), self
        lines = self.notes.splitlines()
        assert [line.startswith("Error: ") for line in lines].count(True) == 1, self
        assert lines[-1].startswith("Error: "), self
        assert len(lines) == 1 or lines[0].startswith("Usage: seedbed"), self
        assert not NOT_FOR_PEOPLE.search(self.notes), self


@dataclass(frozen=True)
class Person:
    """Who gives commands."""

    monkeypatch: pytest.MonkeyPatch
    capsys: pytest.CaptureFixture[str]

    def runs(self, *words: object) -> Outcome:
        """Give a command."""
        self.monkeypatch.setattr(sys, "argv", ["seedbed", *map(str, words)])
        status = cli.run()
        return Outcome(status, *self.capsys.readouterr())


def every_command() -> Iterator[tuple[str, ...]]:
    """The words of each command, those of groups included."""
    yield from _below(typer.main.get_command(cli.app), ())


def _below(command: Any, words: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    if not hasattr(command, "commands"):
        yield words
        return
    for name, inner in command.commands.items():
        yield from _below(inner, (*words, name))


def parameters_of(words: Sequence[str]) -> list[Any]:
    """A command's arguments and options."""
    command: Any = typer.main.get_command(cli.app)
    for word in words:
        command = command.commands[word]
    return list(command.params)


def with_arguments(words: tuple[str, ...], folder: Path) -> list[str]:
    """A command with all that it needs: its files lie in the folder, and it takes any port."""
    given = list(words)
    for parameter in parameters_of(words):
        if parameter.required:
            value = str(folder / (parameter.name or "x"))
            option = [parameter.opts[0]] if parameter.param_type_name == "option" else []
            given += [*option, f"toy={value}" if option == ["--image"] else value]
    return given + (["--port", "0"] if words[0] in ANY_PORT else [])
