"""The packages that a Dockerfile installs with pip, as arguments of `pip install` on this machine."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .stages import Stage

PIP = re.compile(r"(?:\S*/)?(?:pip[0-9.]*|(?:python[0-9.]*)\s+-m\s+pip|uv\s+pip)\s+install(?:\s+(.*))?$", re.DOTALL)
COMMANDS = re.compile(r"&&|\|\||;|\n")
FILES = {"-r": "--requirement", "-c": "--constraint"}
WITH_VALUE = {"-i": "--index-url", "-f": "--find-links", "--extra-index-url": "--extra-index-url"}
ALONE = {"--no-deps", "--no-index", "--pre", "--require-hashes"}
OTHERS_WITH_VALUE = {"-t", "--target", "--prefix", "--root", "--src", "--cache-dir", "--python", "-p", "--timeout"}
TOOLS = {"pip", "setuptools", "wheel", "uv"}
NAME = re.compile(r"[A-Za-z0-9][\w.-]*")


@dataclass(frozen=True)
class Installation:
    """One `pip install`: its arguments, and the files here that they name."""

    arguments: tuple[str, ...]
    files: tuple[Path, ...]


def installations(stage: Stage) -> list[Installation]:
    """What the image installs, in order, but for local projects, packaging's own tools and files that aren't here."""
    texts = (part.strip() for run in stage.runs for part in COMMANDS.split(run))
    found = (_installation(match[1] or "", stage) for match in map(PIP.search, texts) if match)
    return [installation for installation in found if installation is not None]


def _installation(text: str, stage: Stage) -> Installation | None:
    try:
        words = iter(shlex.split(text, comments=True))
    except ValueError:
        return None
    arguments: list[str] = []
    files: list[Path] = []
    wanted = False
    for option, value in _options(words):
        if option in FILES:
            path = _here(value, stage)
            if path is None:
                continue
            files.append(path)
            arguments += [FILES[option], str(path)]
            wanted |= option == "-r"
        elif option in WITH_VALUE:
            arguments += [WITH_VALUE[option], str(_here(value, stage) or value)]
        elif option in ALONE:
            arguments.append(option)
        elif not option and _is_package(value):
            arguments.append(value)
            wanted = True
    return Installation(tuple(arguments), tuple(files)) if wanted else None


def _options(words: Iterator[str]) -> Iterator[tuple[str, str]]:
    """Each word as (option, value) with short names; (option, "") for a flag, ("", word) for what is no option."""
    short = {long: name for name, long in {**FILES, **WITH_VALUE}.items()}
    for word in words:
        name, given, value = word.partition("=") if word.startswith("--") else (word, "", "")
        if not word.startswith("-"):
            yield "", word
        elif word[:2] in {"-r", "-c", "-i", "-f"} and len(word) > 2 and not word.startswith("--"):
            yield word[:2], word[2:]
        elif short.get(name, name) in {*FILES, *WITH_VALUE, *OTHERS_WITH_VALUE}:
            yield short.get(name, name), value if given else next(words, "")
        else:
            yield name, ""


def _is_package(word: str) -> bool:
    """Whether a word names a package of an index: `name`, `name==1.0`, `name[extra]>=2`; not a path or an address."""
    name = NAME.match(word)
    return name is not None and name[0].lower() not in TOOLS and not re.search(r"/|\.(whl|gz|zip)$", word)


def _here(path: str, stage: Stage) -> Path | None:
    """The file on this machine for one of the image."""
    return stage.files.find(path if path.startswith("/") else f"{stage.working_directory}/{path}")
