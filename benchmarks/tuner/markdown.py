"""Tables of Markdown."""

from collections.abc import Iterable, Sequence


def met(reached: bool) -> str:
    return "yes" if reached else "no"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(row) + " |" for row in [heads, ["---"] * len(heads), *rows]]
    return "\n".join(lines) + "\n"
