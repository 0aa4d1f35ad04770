"""What a person should know of images that are used: a line for each kind of notice, with a few names."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

NAMES_SHOWN = 5
LONGEST_NAME = 100


def notice_lines(files: Iterable[str], notices: Mapping[str, tuple[str, ...]]) -> list[str]:
    """A sentence for each kind of notice, in the order of the files, which are those that are used."""
    by_kind: dict[str, list[str]] = defaultdict(list)
    for file in files:
        for kind in notices.get(file, ()):
            by_kind[kind].append(file)
    return [f"{kind} ({_count(named)}): {_names(named)}." for kind, named in sorted(by_kind.items())]


def _count(files: list[str]) -> str:
    return "1 image" if len(files) == 1 else f"{len(files)} images"


def _names(files: list[str]) -> str:
    shown = ", ".join(file[:LONGEST_NAME] for file in files[:NAMES_SHOWN])
    return f"{shown} and {len(files) - NAMES_SHOWN} more" if len(files) > NAMES_SHOWN else shown
