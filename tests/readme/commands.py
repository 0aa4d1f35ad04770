"""The commands that README.md shows, with what it says they print."""

import re
from dataclasses import dataclass
from pathlib import Path

BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PROMPT = "$ "
LEFT_OUT = "…"
VARYING = (
    (re.compile(r"\b[0-9a-f]{8,}\b"), "0"),
    (re.compile(r"\d+(?:[.,:]\d+)*"), "0"),
    (re.compile(r"━+"), "━"),
    (re.compile(r" +"), " "),
)


@dataclass(frozen=True)
class Command:
    """One command of a console block: its text, what README shows of its output, its line and its section."""

    text: str
    shown: tuple[str, ...]
    line: int
    section: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.text}"


def commands(readme: Path) -> list[Command]:
    """All commands, in order; the section is the heading above."""
    text = readme.read_text(encoding="utf-8")
    found = []
    for block in BLOCK.finditer(text):
        before = text[: block.start()]
        section = re.findall(r"^#+ (.*)$", before, re.MULTILINE)[-1]
        lines, number = block[1].splitlines(), before.count("\n") + 2
        starts = [index for index, line in enumerate(lines) if line.startswith(PROMPT)]
        assert starts[:1] == [0], f"README.md, line {number}: a console block begins with a command"
        for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
            last = next(index for index in range(start, end) if not lines[index].endswith("\\"))
            words = "\n".join(lines[start : last + 1]).removeprefix(PROMPT)
            found.append(Command(words, tuple(lines[last + 1 : end]), number + start, section))
    return found


def shape(line: str) -> str:
    """A line without what differs from run to run: numbers, digests, the lengths of bars and gaps."""
    for pattern, instead in VARYING:
        line = pattern.sub(instead, line)
    return line.strip()


def missing(shown: tuple[str, ...], screen: list[str]) -> str | None:
    """The first shown line that the screen lacks, None if all stand there.

    Lines follow each other as they are shown; a line "…" stands for any lines, and "…" in a line for any text.
    """
    shapes, at, anywhere = [shape(line) for line in screen], 0, False
    for line in shown:
        if line == LEFT_OUT:
            anywhere = True
            continue
        pattern = re.compile(".*".join(map(re.escape, shape(line).split(LEFT_OUT))))
        places = range(at, len(shapes) if anywhere else min(at + 1, len(shapes)))
        place = next((index for index in places if pattern.fullmatch(shapes[index])), None)
        if place is None:
            return line
        at, anywhere = place + 1, False
    return None
