"""A Dockerfile's text as its instructions: comments, continued lines, here-documents, and whatever encoding it has."""

import codecs
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from .docker_words import split_words

DIRECTIVE = re.compile(r"#\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+?)\s*$")
HEREDOC = re.compile(r"\d*<<(-?)([^<]+)")
WITH_HEREDOCS = {"RUN", "COPY", "ADD"}
WITH_FLAGS = {"FROM", "COPY", "ADD", "RUN", "HEALTHCHECK"}
KNOWN = WITH_FLAGS | {
    *("ARG", "CMD", "ENTRYPOINT", "ENV", "EXPOSE", "LABEL", "MAINTAINER", "ONBUILD", "SHELL", "STOPSIGNAL", "USER"),
    *("VOLUME", "WORKDIR"),
}


class DockerfileError(Exception):
    """What can't be read of a Dockerfile. line: counted from 1."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(f"line {line}: {message}")


@dataclass(frozen=True)
class Instruction:
    """One instruction. line: where it begins, from 1. name: in capitals. flags: without their dashes."""

    line: int
    name: str
    flags: dict[str, str]
    arguments: str

    def words(self) -> list[str] | None:
        """The words of the exec form, a JSON list; None in the shell form. Raises DockerfileError."""
        try:
            found = json.loads(self.arguments) if self.arguments.startswith("[") else None
        except (ValueError, RecursionError) as error:
            if self.arguments.endswith("]") and self.name not in ("COPY", "ADD"):
                raise self.error(f"write the list of {self.name} as JSON, with double quotes and commas") from error
            return None
        if found is not None and not all(isinstance(word, str) for word in found):
            raise self.error(f"each item in the list of {self.name} must be a string in double quotes")
        return found

    def error(self, message: str) -> DockerfileError:
        return DockerfileError(self.line, message)


def decode(content: bytes) -> str:
    """The text of a Dockerfile in UTF-8, UTF-16, or else in Western European."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16", errors="replace")
    for mark, encoding in ((0, "utf-16-be"), (1, "utf-16-le")):
        if content[mark:200:2].strip(b"\0") == b"" and len(content) > 1:
            return content.decode(encoding, errors="replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def escape_of(text: str) -> str:
    """The letter that escapes others: a backslash, unless a directive at the top says that it is a backtick."""
    return "`" if _directives(text).get("escape") == "`" else "\\"


def instructions(text: str) -> Iterator[Instruction]:
    """The instructions in their order. Raises DockerfileError."""
    escape = escape_of(text)
    own_syntax = not _directives(text).get("syntax", "docker/dockerfile").startswith("docker/dockerfile")
    lines = _lines(text)
    for number, line in lines:
        if not line.strip() or _is_comment(line):
            continue
        whole = _joined(line, lines, escape)
        if not whole:
            continue
        found = _instruction(number, whole)
        for end, tabs in _heredocs(found, escape):
            _skip_heredoc(found, lines, end, tabs)
        if found.name in KNOWN:
            yield found
        elif not own_syntax:
            shown = "".join(letter for letter in found.name[:20] if letter.isprintable())
            raise found.error(f"'{shown}' is not an instruction of Dockerfiles")


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Each line with its number."""
    return enumerate((line.rstrip("\r") for line in text.split("\n")), 1)


def _directives(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for _, line in _lines(text):
        match = DIRECTIVE.match(line.strip())
        if match is None or match[1].lower() not in ("syntax", "escape", "check"):
            break
        found[match[1].lower()] = match[2]
    return found


def _is_comment(line: str) -> bool:
    return line.lstrip().startswith("#")


def _joined(line: str, lines: Iterator[tuple[int, str]], escape: str) -> str:
    """The line with those that continue it; among these, comments and empty lines don't count."""
    parts = []
    while (shorter := _without_continuation(line, escape)) is not None:
        parts.append(shorter)
        line = next((text for _, text in lines if text.strip() and not _is_comment(text)), "")
    return "".join([*parts, line]).strip()


def _without_continuation(line: str, escape: str) -> str | None:
    """The line without the escape at its end, by which the next one continues it; None without one."""
    shorter = line.rstrip(" \t")
    if not shorter.endswith(escape) or shorter.endswith(escape * 2):
        return None
    return shorter[:-1]


def _instruction(number: int, line: str) -> Instruction:
    name, *rest = line.split(maxsplit=1)
    arguments = rest[0] if rest else ""
    flags: dict[str, str] = {}
    while name.upper() in WITH_FLAGS and arguments.startswith("--"):
        flag, *rest = arguments.split(maxsplit=1)
        key, _, value = flag[2:].partition("=")
        flags[key.lower()] = value
        arguments = rest[0] if rest else ""
    return Instruction(number, name.upper(), flags, arguments)


def _heredocs(found: Instruction, escape: str) -> list[tuple[str, bool]]:
    """The ends of the here-documents that an instruction begins, each with whether tabs may stand before it."""
    name, arguments = found.name, found.arguments
    if name == "ONBUILD":
        name, _, arguments = arguments.partition(" ")
    if name.upper() not in WITH_HEREDOCS or arguments.startswith("["):
        return []
    matches = (HEREDOC.fullmatch(word) for word in split_words(arguments, escape))
    return [(re.sub("['\"]", "", match[2]), match[1] == "-") for match in matches if match]


def _skip_heredoc(found: Instruction, lines: Iterator[tuple[int, str]], end: str, tabs: bool) -> None:
    if not any((text.lstrip("\t") if tabs else text) == end for _, text in lines):
        raise found.error(f"its here-document does not end: a line with only {end} is missing")
